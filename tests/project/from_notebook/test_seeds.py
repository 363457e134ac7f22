"""Draws without a seed are found wherever they stand, and get one in the pipeline and in the original's run."""

import ast

import pytest
from exploration import HEAD, exploration

from pipeline_lib.project.from_notebook.build_source import build_source
from pipeline_lib.project.from_notebook.captures import instrumented
from pipeline_lib.project.from_notebook.edits import added, edited_lines
from pipeline_lib.project.from_notebook.facts import NO_FACTS
from pipeline_lib.project.from_notebook.habits import decisions
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import Plan, plan_of
from pipeline_lib.project.from_notebook.seeds import draws, seeded, unseeded

_IMPORTS = (
    "\nfrom sklearn.ensemble import BaggingClassifier, RandomForestClassifier, "
    "VotingClassifier\nfrom sklearn.linear_model import LogisticRegression, SGDClassifier\n"
    "from sklearn.svm import SVC\n"
    "from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, KFold, cross_val_score\n"
    "from sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.decomposition import PCA\nimport random"
)
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"
FIT = "model.fit(X_train, y_train)\nmodel.score(X_test, y_test)"


def plan(*cells: str, split: str = SPLIT, load: str = "X, y = pd.read_csv('a.csv'), pd.read_csv('b.csv').b") -> Plan:
    return plan_of(exploration([HEAD + _IMPORTS, load, split, *cells, FIT]), "x")


def seeds_of(made: Plan) -> str:
    """The parameters that are seeds, as `group.name`."""
    values = parameters(made, NO_FACTS).values
    return " ".join(f"{group}.{name}" for group, fields in values.items() for name in fields if name == "random_state")


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        ("model = RandomForestClassifier()", "model"),
        ("model = RandomForestClassifier(random_state=None)", "model"),
        ("model = make_pipeline(PCA(2), RandomForestClassifier())", "pca randomforestclassifier"),
        ("model = Pipeline([('f', RandomForestClassifier(n_estimators=3,))])", "randomforestclassifier"),
        ("model = VotingClassifier([('a', SGDClassifier()), ('b', LogisticRegression())])", "sgdclassifier"),
        ("base = RandomForestClassifier()\nmodel = BaggingClassifier(base)", "base model"),
        ("model = SVC(probability=True)", "model"),
        ("model = LogisticRegression(solver='saga')", "model"),
        ("model = GridSearchCV(RandomForestClassifier(), {'max_depth': [1, 2]})", "randomforestclassifier"),
        ("f = RandomForestClassifier()\nmodel = GridSearchCV(f, {'max_depth': [1, 2]})", "f"),
        ("model = GridSearchCV(make_pipeline(SGDClassifier()), {'x': [1, 2]})", "sgdclassifier"),
        ("model = RandomForestClassifier(random_state=7)", "model"),
        ("model = SVC()", ""),
        ("model = LogisticRegression()", ""),
        ("model = make_pipeline(PCA(0.95), SVC())", ""),
    ],
)
def test_models_in_models_are_seeded(cell: str, groups: str) -> None:
    made = plan(cell)
    assert seeds_of(made).split()[1:] == [f"{group}.random_state" for group in groups.split()]
    built = build_source(made, NO_FACTS, parameters(made, NO_FACTS))
    ast.parse(built)
    assert built.count("random_state=") == len(groups.split())
    assert "None" not in built
    found = seeded(made)
    sources = "\n".join(source for _, source in instrumented(made))
    ast.parse(sources)
    assert sources.count("random_state=0") == 1 + len(found)
    assert [one.cell for one in decisions(made, parameters(made, NO_FACTS)) if one.kind == "random"] == [4] * len(found)


def test_a_randomized_search_is_seeded_in_both_notebooks() -> None:
    made = plan("model = RandomizedSearchCV(SVC(), {'C': [1, 2]})")
    assert [draw.name for draw in seeded(made)] == ["RandomizedSearchCV"]
    assert any("{'C': [1, 2]}, random_state=0)" in source for _, source in instrumented(made))


@pytest.mark.parametrize(
    ("split", "seeds"),
    [
        (SPLIT, 0),
        ("X_train, X_test, y_train, y_test = train_test_split(X, y)", 1),
        ("X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=True)", 1),
        ("X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=None)", 1),
        ("X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)", 0),
    ],
)
def test_a_split_without_a_seed_gets_one(split: str, seeds: int) -> None:
    made = plan("model = SVC()", split=split)
    assert [draw.name for draw in seeded(made)] == ["train_test_split"] * seeds
    assert seeds_of(made).count("split.random_state") == int("shuffle=False" not in split)


def test_the_seed_of_numpy_is_taken_where_the_notebook_has_one() -> None:
    made = plan("model = RandomForestClassifier()", load="np.random.seed(9)\nX, y = pd.read_csv('a.csv'), [1, 2]")
    assert parameters(made, NO_FACTS).values["model"] == {"random_state": 9}
    assert any("RandomForestClassifier(random_state=9)" in source for _, source in instrumented(made))


@pytest.mark.parametrize(
    ("load", "found", "seedable"),
    [
        ("X = pd.read_csv('a.csv').sample(frac=1)\ny = X['b']", ["sample"], True),
        ("X = pd.read_csv('a.csv')\nX['n'] = np.random.normal(size=3)\ny = X['b']", ["numpy.random.normal"], False),
        ("X = pd.read_csv('a.csv')\nX['n'] = random.random()\ny = X['b']", ["random.random"], False),
        ("X = pd.read_csv('a.csv')\ng = np.random.default_rng()\nX['n'] = g.normal(size=3)\ny = X['b']",
         ["numpy.random.default_rng"], False),
        ("X = pd.read_csv('a.csv')\ng = np.random.default_rng(3)\nX['n'] = g.normal(size=3)\ny = X['b']", [], True),
        ("np.random.seed(3)\nX = pd.read_csv('a.csv')\nX['n'] = np.random.normal(size=3)\ny = X['b']", [], True),
    ],
)  # fmt: skip
def test_draws_in_load_are_seeded_or_to_decide(load: str, found: list[str], seedable: bool) -> None:
    made = plan("model = SVC()", load=load)
    assert [(draw.name, draw.moved, draw.seedable) for draw in draws(made)] == [
        (name, True, seedable) for name in found
    ]
    assert [draw.name for draw in unseeded(made)] == ([] if seedable else found)


def test_arguments_that_are_not_written_out_may_hold_a_seed() -> None:
    made = plan("best = {'random_state': 3}\nmodel = RandomForestClassifier(**best)")
    (draw,) = unseeded(made)
    assert (made.cell_of(draw.statement), draw.name) == (4, "RandomForestClassifier")
    (decision,) = (one for one in decisions(made, parameters(made, NO_FACTS)) if one.kind == "random")
    assert decision.text.endswith("each run gives other numbers; give it one")


def test_models_of_own_functions_are_seeded_in_their_text() -> None:
    made = plan(
        "class Mine(RandomForestClassifier):\n    def again(self):\n        return SGDClassifier()", "model = Mine()"
    )
    assert [draw.name for draw in seeded(made)] == ["SGDClassifier"]
    assert any("return SGDClassifier(random_state=0)" in source for _, source in instrumented(made))


def test_models_that_stay_in_the_research_notebook_are_to_decide() -> None:
    made = plan(
        "cross_val_score(RandomForestClassifier(), X, y, cv=KFold(3, shuffle=True))",
        "RandomForestClassifier().fit(X, y)",
        "model = SVC()",
    )
    (found,) = (one for one in decisions(made, parameters(made, NO_FACTS)) if one.kind == "random")
    assert found.cell == 4
    assert found.text.startswith("without a seed: RandomForestClassifier (cells 4, 5), KFold (cell 4); kept in the")
    assert not seeded(made)


@pytest.mark.parametrize(
    "source",
    [
        "f()",
        "f(a)",
        "f(a, b=1,)",
        "f(\n    a,  # don't, (\n)",
        "f(\n    a  # no comma,\n    )",
        "f((a))",
        "f(g(a,), 'é')",
    ],
)
def test_one_more_argument_is_written_wherever_the_call_closes(source: str) -> None:
    call = ast.parse(f"x = 1; y = {source}", mode="exec").body[1].value  # type: ignore[attr-defined]
    text = "\n".join(edited_lines(f"x = 1; y = {source}".split("\n"), 1, [added(call, "seed=0")]))
    changed = ast.parse(text).body[1].value  # type: ignore[attr-defined]
    assert ast.unparse(changed.keywords[-1]) == "seed=0"
    assert len(changed.args) == len(call.args)
    assert [ast.dump(one) for one in changed.args] == [ast.dump(one) for one in call.args]
