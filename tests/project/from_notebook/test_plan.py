"""Six notebooks with planted habits: where their statements go, and what is left to decide."""

import ast

import pytest
from exploration import HEAD, SOME_COLUMNS, TABLES, exploration, planted

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.facts import NO_FACTS
from pipeline_lib.project.from_notebook.habits import decisions
from pipeline_lib.project.from_notebook.kept import kept_statements
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import Plan, plan_of


def plan(name: str) -> Plan:
    return plan_of(planted(name), name)


def cells_of(made: Plan, indexes: frozenset[int] | set[int]) -> list[int]:
    return sorted({made.cell_of(index) for index in indexes - made.imports})


def habits(made: Plan) -> list[tuple[int, str]]:
    return [(one.cell, one.kind) for one in decisions(made, parameters(made, NO_FACTS))]


@pytest.mark.parametrize(
    ("name", "load", "build", "module", "kept"),
    [
        ("fit_before_split", [2, 3, 4, 5, 6], [7, 9], [], [10]),
        ("out_of_order", [2, 3], [6], [5], [6]),
        ("dropped_rows", [2, 3, 4, 5, 6], [8], [6], [2, 9]),
        ("magics", [3, 5], [6], [], [1, 2, 3, 6, 7]),
        ("functions", [6, 7], [9], [3, 4, 5], [3, 4, 6, 10, 11]),
        ("two_models", [2], [5, 7], [], [2, 3, 5, 6, 8]),
    ],
)
def test_each_statement_has_its_place(
    name: str, load: list[int], build: list[int], module: list[int], kept: list[int]
) -> None:
    made = plan(name)
    assert cells_of(made, made.load) == load
    assert cells_of(made, made.build) == build
    assert cells_of(made, made.module) == module
    assert cells_of(made, kept_statements(made)) == kept


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fit_before_split", [(2, "path"), *((cell, "fit before split") for cell in (3, 4, 5, 7))]),
        ("out_of_order", [(3, "order"), (3, "dropped rows"), (3, "path"), (5, "order")]),
        ("dropped_rows", [(2, "path"), (3, "dropped rows"), (4, "dropped rows"), (5, "cleaning")]),
        (
            "magics",
            [
                *[(1, "shell"), (2, "shell"), (2, "unused"), (3, "magic"), (3, "dropped rows"), (3, "path")],
                *[(4, "no Python"), (5, "random"), (6, "magic"), (6, "random")],
            ],
        ),
        ("functions", [(6, "dropped rows"), (6, "cleaning")]),
        ("two_models", [(2, "dropped rows"), (2, "path"), (3, "unused"), (7, "several models")]),
    ],
)
def test_what_is_left_to_decide_is_listed(name: str, expected: list[tuple[int, str]]) -> None:
    assert habits(plan(name)) == expected


@pytest.mark.parametrize(
    ("name", "model", "steps", "scores"),
    [
        ("fit_before_split", "Ridge", ["scaler"], ["r2_score(actual, predicted)"]),
        ("out_of_order", "LinearRegression", [], [""]),
        ("dropped_rows", "DecisionTreeRegressor", [], ["mean_absolute_error(actual, predicted)"]),
        ("magics", "RandomForestRegressor", [], [""]),
        (
            *("functions", "Pipeline", []),
            [
                "mean_squared_error(actual, predicted)",
                "np.sqrt(mean_squared_error(actual, predicted))",
                "r2_score(actual, predicted)",
            ],
        ),
        (
            *("two_models", "LogisticRegression", ["scaler"]),
            ["roc_auc_score(actual, probabilities[:, 1])", "accuracy_score(actual, predicted)"],
        ),
    ],
)
def test_model_steps_and_metrics_are_found(name: str, model: str, steps: list[str], scores: list[str]) -> None:
    made = plan(name)
    assert made.model.class_name == model
    assert [step.name for step in made.model.chain.steps] == steps
    assert [score.expression for score in made.scores] == scores


def test_columns_may_be_chosen_after_the_split() -> None:
    tables = plan_of(exploration(TABLES), "x")
    assert ast.unparse(tables.model.chain.source) == "flats[features]"
    assert ast.unparse(tables.target[0]) == "flats['price']"
    assert [score.expression for score in tables.scores] == ["mean_absolute_error(actual, predicted)"]
    some = plan_of(exploration(SOME_COLUMNS), "x")
    assert ast.unparse(some.model.chain.source) == "flats[['rooms', 'area']]"
    assert [(step.kind, step.name, step.columns) for step in some.model.chain.steps] == [
        ("fitted", "scaler", "some"),
        ("function", "add", ""),
    ]
    assert not some.model.chain.unknown


def test_rows_chosen_after_the_split_are_not_followed() -> None:
    cells = [source.replace("train[features]", "train[train.area > 0]") for source in TABLES]
    made = plan_of(exploration(cells), "x")
    assert [kind for _, kind in habits(made) if kind == "not followed"] == ["not followed"]


def test_literals_and_constants_become_parameters() -> None:
    assert parameters(plan("functions"), NO_FACTS).values == {
        "": {"alpha": 0.5},
        "split": {"test_size": 0.2, "random_state": 7},
    }
    assert parameters(plan("dropped_rows"), NO_FACTS).values == {
        "split": {"test_size": 0.2, "random_state": 1},
        "tree": {"max_depth": 3, "random_state": 0},
    }
    assert parameters(plan("magics"), NO_FACTS).added_seeds == ["split", "forest"]


def test_the_order_of_the_counts_is_taken_where_only_that_one_works() -> None:
    made = plan("out_of_order")
    assert made.order == "counts"
    assert [statement.cell for statement in made.statements][4:] == [3, 2, 2, 5, 4, 6, 6, 6]
    assert plan("two_models").order == ""


def test_plain_habits_of_a_clean_notebook_are_none() -> None:
    made = plan_of(
        exploration(
            [
                "from sklearn.datasets import load_wine\nfrom sklearn.linear_model import Ridge\n"
                "from sklearn.model_selection import train_test_split",
                "X, y = load_wine(return_X_y=True)\n"
                "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
                "model = Ridge().fit(X_train, y_train)\nmodel.score(X_test, y_test)",
            ]
        ),
        "clean",
    )
    assert habits(made) == []


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["model = Ridge().fit(X, y)\nmodel.score(X, y)"], "no split"),
        (["for a in (1, 2):\n    Ridge(a).fit(X, y)", "model = Ridge()\nmodel.fit(X, y)"], "no split"),
        (
            [
                "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
                "s = StandardScaler()\nA = s.fit_transform(X_train)\nB = s.fit_transform(X_test)",
                "model = Ridge()\nmodel.fit(A, y_train)\nmodel.score(B, y_test)",
            ],
            "fit on test rows",
        ),
        (
            [
                "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
                "X_train['a'] = X_train['a'].clip(0)\nmodel = Ridge()\nmodel.fit(X_train, y_train)",
            ],
            "not followed",
        ),
        (
            [
                "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
                "search = GridSearchCV(Ridge(), {'alpha': [1.0, 2.0]})\nsearch.fit(X_train, y_train)",
            ],
            "search",
        ),
        (["from math import *", "model = Ridge()\nmodel.fit(X, y)"], "star import"),
    ],
)
def test_further_habits(cells: list[str], found: str) -> None:
    head = (
        HEAD + "\nfrom sklearn.linear_model import Ridge\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.model_selection import GridSearchCV\nX, y = pd.DataFrame({'a': [1.0] * 9}), [1] * 9"
    )
    assert found in [kind for _, kind in habits(plan_of(exploration([head, *cells]), "x"))]


def test_names_that_the_pipeline_needs_are_refused_with_their_cell() -> None:
    cells = [source.replace("flats", "load") for source in TABLES]
    with pytest.raises(InputError, match=r"cell 2: found the name load, which the pipeline needs"):
        plan_of(exploration(cells), "x")


@pytest.mark.parametrize("cells", [["x = 1"], ["%%bash\nls"], []])
def test_a_notebook_without_a_fitted_model_is_refused(cells: list[str]) -> None:
    with pytest.raises(InputError, match=r"mine\.ipynb: found no cell"):
        plan_of(exploration(cells), "mine.ipynb")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ('y = np.log(flats["price"])', [3]),
        ('flats["price"] = np.log1p(flats["price"])\ny = flats["price"]', [3]),
        ('flats["area"] = np.log(flats["area"])\ny = flats["price"]', []),
        ('y = flats["price"]', []),
    ],
)
def test_a_target_in_another_unit_is_to_decide(target: str, found: list[int]) -> None:
    cells = [
        HEAD + "\nfrom sklearn.linear_model import Ridge",
        'flats = pd.read_csv("flats.csv")',
        target,
        'X_train, X_test, y_train, y_test = train_test_split(flats[["area"]], y, random_state=0)',
        "model = Ridge()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]
    made = plan_of(exploration(cells), "flats")
    decided = [one for one in decisions(made, parameters(made, NO_FACTS)) if one.kind == "target"]
    assert [one.cell for one in decided] == found
    assert all("TransformedTargetRegressor" in one.text for one in decided)
