"""The new notebooks: every cell has a place, moved code reads parameters and files of the project, prose stays."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exploration import ALL, LIBRARY, TABLES, empty_project, exploration, planted

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.drafts import drafts
from pipeline_lib.project.from_notebook.facts import NO_FACTS, Facts
from pipeline_lib.project.from_notebook.habits import decisions
from pipeline_lib.project.from_notebook.kept import kept_statements, moved_statements
from pipeline_lib.project.from_notebook.page import DECIDE, KEPT, MOVED, Comparison, cell_places, page
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import plan_of
from pipeline_lib.project.notebooks import clean_notebook, declared_parameters, notebook_bytes, parameters_cell

ROW = "from pydantic import BaseModel\n\n\nclass Row(BaseModel):\n    area: float\n"
FACTS = replace(NO_FACTS, row=ROW, target_name="price", files={"flats.csv": "data/flats.csv"})


def written(tmp_path: Path, notebook: dict[str, Any], facts: Facts = FACTS) -> tuple[str, str, str]:
    """The source of the exported code, of the research notebook's code, and the parameters file."""
    project = empty_project(tmp_path)
    texts = drafts(plan_of(notebook, "flats.ipynb"), facts, project, "flats", "flats.ipynb")
    pipeline, research, params, _ = (content.decode() for content in texts.values())
    exported = [source for source in sources(pipeline) if source.startswith("#| export")]
    return "\n".join(exported), "\n".join(sources(research)), params


def sources(notebook: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("name", ALL)
def test_notebooks_are_clean_and_modules_define_what_a_run_calls(tmp_path: Path, name: str) -> None:
    project = empty_project(tmp_path)
    texts = drafts(plan_of(planted(name), name), FACTS, project, name, f"{name}.ipynb")
    for path, content in texts.items():
        if path.suffix == ".ipynb":
            notebook = json.loads(content)
            assert notebook_bytes(clean_notebook(notebook)) == content
            ids = [cell["id"] for cell in notebook["cells"]]
            assert len(set(ids)) == len(ids)
    module = ast.parse("\n".join(s for s in sources(next(iter(texts.values())).decode()) if s.startswith("#| export")))
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert defined >= {"Row", "load", "Params", "split", "build", "metrics"}
    research = json.loads(list(texts.values())[1])
    cell = parameters_cell(research, name)
    assert set(declared_parameters(cell, name)) == set(parameters(plan_of(planted(name), name), FACTS).values) - {
        ""
    } | (set(parameters(plan_of(planted(name), name), FACTS).values.get("", {})))


@pytest.mark.parametrize("name", ALL)
def test_the_same_notebook_gives_the_same_files(tmp_path: Path, name: str) -> None:
    assert written(tmp_path / "a", planted(name)) == written(tmp_path / "b", planted(name))


@pytest.mark.parametrize("name", ALL)
def test_no_cell_is_left_out_of_the_page(name: str) -> None:
    notebook = planted(name)
    plan = plan_of(notebook, name)
    chosen = parameters(plan, FACTS)
    places = cell_places(plan, chosen, decisions(plan, chosen, FACTS))
    assert [place.number for place in places] == list(range(1, len(notebook["cells"]) + 1))
    assert all(place.places and place.status in (KEPT, MOVED, DECIDE) for place in places)


@pytest.mark.parametrize("name", ALL)
def test_each_statement_of_the_original_is_in_a_new_notebook(tmp_path: Path, name: str) -> None:
    plan = plan_of(planted(name), name)
    exported, research, _ = written(tmp_path, planted(name))
    kept = kept_statements(plan)
    for statement in plan.statements:
        assert statement.index in kept | moved_statements(plan) | plan.imports
        last = statement.text.splitlines()[-1].strip()
        if statement.index in plan.load and "flats.csv" not in last:
            assert last in exported
        elif statement.index in kept - plan.module - plan.imports and "flats.csv" not in last:
            assert last in research


def test_moved_code_reads_parameters_and_the_projects_file(tmp_path: Path) -> None:
    exported, research, params = written(tmp_path, planted("functions"))
    assert 'PATH = data_path("data/flats.csv")' in exported
    assert 'SOURCES = ["data/flats.csv"]' in exported
    assert "Ridge(alpha=params.alpha)" in exported
    assert (
        "(\n        X, y, test_size=params.split.test_size, random_state=params.split.random_state\n    )" in exported
    )
    assert "class PerRoom" in exported
    assert "def draw" not in exported
    assert "    return pipe" in exported
    assert f"from {LIBRARY}.pipelines.flats import PATH, read" in research
    assert "def draw" in research
    assert "class PerRoom" not in research
    assert "y_pred = predictions" in research
    assert "split:\n  test_size: 0.2\n  random_state: 7" in params


def test_prose_and_plots_keep_their_order_with_the_cells_numbers(tmp_path: Path) -> None:
    project = empty_project(tmp_path)
    texts = drafts(plan_of(planted("functions"), "flats"), FACTS, project, "flats", "flats.ipynb")
    cells = json.loads(list(texts.values())[1])["cells"]
    ids = [cell["id"] for cell in cells]
    assert ids[:3] == ["original-1", "parameters", "start"]
    numbers = [int(cell_id.split("-")[1]) for cell_id in ids if cell_id.startswith("original-")]
    assert numbers == sorted(numbers)
    assert "".join(cells[0]["source"]) == "# Flats\n\nWhat is a flat worth?"
    code = [cell for cell in cells if cell["cell_type"] == "code" and cell["id"].startswith("original-")]
    assert all("".join(cell["source"]).startswith(f"# cell {cell['id'].split('-')[1]}\n") for cell in code)


def test_steps_before_the_split_become_steps_of_the_pipeline(tmp_path: Path) -> None:
    exported, research, _ = written(tmp_path, planted("fit_before_split"))
    assert 'return Pipeline([("scaler", scaler), ("model", model)])' in exported
    assert "fit_transform(X)" not in exported
    assert "model = fitted" in research


def test_cells_that_failed_are_tagged_and_calls_of_the_run_are_not(tmp_path: Path) -> None:
    project = empty_project(tmp_path)
    facts = replace(FACTS, failed={6: "ValueError: no", 7: "NameError: no"})
    texts = drafts(plan_of(planted("two_models"), "x"), facts, project, "x", "x.ipynb")
    cells = json.loads(list(texts.values())[1])["cells"]
    tagged = {cell["id"] for cell in cells if "raises-exception" in cell["metadata"].get("tags", ())}
    assert tagged == {"original-6"}
    assert any("run.compile" in "".join(cell["source"]) and cell["id"] == "original-7" for cell in cells)


def test_names_of_the_original_are_not_taken(tmp_path: Path) -> None:
    cells = [
        "from sklearn.linear_model import Ridge\nfrom sklearn import metrics\nimport pandas as pd\n"
        "from sklearn.model_selection import train_test_split\nrun = 1\nfitted = 2\nflats = 3",
        "table = pd.read_csv('flats.csv')",
        "X_train, X_test, y_train, y_test = train_test_split(table[['area']], table['price'], random_state=0)",
        "model = Ridge()\nmodel.fit(X_train, y_train)\nmetrics.r2_score(y_test, model.predict(X_test))",
        "print(run, fitted, flats)",
    ]
    exported, research, _ = written(tmp_path, exploration(cells))
    assert "run_ = start_run(flats_, globals())" in research
    assert "fitted_ = flats_.build(run_.params)" in research
    assert "from sklearn.metrics import r2_score" in exported
    assert "import metrics" not in exported


def test_a_search_stays_in_research_and_the_pipeline_has_what_it_found(tmp_path: Path) -> None:
    cells = [
        "from sklearn.linear_model import Ridge\nimport pandas as pd\n"
        "from sklearn.model_selection import GridSearchCV, train_test_split",
        "table = pd.read_csv('flats.csv')",
        "X_train, X_test, y_train, y_test = train_test_split(table[['area']], table['price'], random_state=0)",
        "search = GridSearchCV(Ridge(), {'alpha': [1.0, 2.0]})\nsearch.fit(X_train, y_train)",
        "search.best_params_",
    ]
    exported, research, params = written(tmp_path, exploration(cells), replace(FACTS, best={"alpha": 2.0}))
    assert 'best = {"alpha": params.ridge.alpha}' in exported
    assert "ridge = Ridge().set_params(**best)" in exported
    assert "ridge:\n  alpha: 2.0" in params
    assert "search = GridSearchCV(Ridge(), {'alpha': [1.0, 2.0]})\n" in research
    assert "search.best_params_" in research


def test_values_from_the_data_are_written_as_they_were(tmp_path: Path) -> None:
    cells = [
        "from sklearn.linear_model import Ridge\nimport pandas as pd\nfrom sklearn.compose import ColumnTransformer\n"
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.model_selection import train_test_split\n"
        "from sklearn.preprocessing import StandardScaler",
        "X = pd.read_csv('flats.csv')\ny = X.pop('price')\nnumbers = X.select_dtypes('number').columns",
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
        "model = make_pipeline(ColumnTransformer([('n', StandardScaler(), numbers)]), Ridge())\n"
        "model.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]
    facts = replace(FACTS, literals={"numbers": ["area", "rooms"]})
    exported, _, _ = written(tmp_path, exploration(cells), facts)
    assert 'NUMBERS = ["area", "rooms"]' in exported
    assert "    numbers = NUMBERS\n" in exported
    loud = [source.replace("numbers", "NUMBERS") for source in cells]
    exported, _, _ = written(tmp_path / "loud", exploration(loud), replace(FACTS, literals={"NUMBERS": ["area"]}))
    assert "    NUMBERS = NUMBERS\n" not in exported
    plan = plan_of(exploration(cells), "x")
    assert "value from the data" in {one.kind for one in decisions(plan, parameters(plan, facts), facts)}


def test_a_dict_called_params_is_not_the_pipelines(tmp_path: Path) -> None:
    cells = [
        *TABLES[:5],
        "params = {'alpha': 2}\nmodel = Ridge(**params, tol=1)\nmodel.fit(X_train, y_train)",
        TABLES[6],
    ]
    exported, _, params = written(tmp_path, exploration(cells))
    assert "def build(chosen_params: Params)" in exported
    assert "Ridge(**params, tol=chosen_params.model.tol)" in exported
    assert "test_size=chosen_params.split.test_size" in exported
    assert "    tol: int | float\n" in exported
    assert "  tol: 1\n" in params


def test_a_target_constant_of_the_original_is_the_pipelines(tmp_path: Path) -> None:
    cells = [source.replace('train["price"]', "train[TARGET]") for source in TABLES]
    cells[1] = 'TARGET = "price"\n' + cells[1]
    cells[-1] = cells[-1].replace("test.price", "test[TARGET]")
    exported, research, _ = written(tmp_path, exploration(cells))
    assert exported.count("TARGET = ") == 1
    assert "mean_absolute_error(actual, predicted)" in exported
    assert "import TARGET" in research
    with pytest.raises(InputError, match=r"cell 2: found TARGET with another value"):
        written(tmp_path / "other", exploration(cells), replace(FACTS, target_name="cost"))


def test_comments_stay_with_their_code(tmp_path: Path) -> None:
    cells = [source.replace("model = Ridge", "# strong\n\n# enough\nmodel = Ridge") for source in TABLES]
    cells[2] += "\n# a fifth is kept apart"
    exported, research, _ = written(tmp_path, exploration([*cells, "# nothing but a remark"]))
    assert "    # strong\n\n    # enough\n    model = Ridge()" in exported
    assert "# a fifth is kept apart" in research
    assert "# nothing but a remark" in research


def test_the_page_says_what_was_proven_and_what_is_open() -> None:
    plan = plan_of(planted("two_models"), "x")
    chosen = parameters(plan, FACTS)
    found = decisions(plan, chosen, FACTS)
    places = cell_places(plan, chosen, found)
    text = page("x: from x.ipynb", places, found, [Comparison("predictions", 8, "differs", "a | b")], ["It runs."])
    assert "8 cells: 2 kept, 3 moved, 3 to decide." in text
    assert "| predictions | 8 | differs | a \\| b |" in text
    assert "- **cell 3, unused**:" in text
    assert '| 2 | `flats = pd.read_csv("flats.csv").dropna()` | to decide | `load`, research notebook |' in text


def test_an_import_that_switches_a_class_on_stays(tmp_path: Path) -> None:
    cells = [cell.replace("import numpy", "from sklearn.experimental import enable_iterative_imputer\nimport numpy") for
             cell in ALL["dropped_rows"]]  # fmt: skip
    exported, _, _ = written(tmp_path, exploration(cells))
    assert "from sklearn.experimental import enable_iterative_imputer  # noqa: F401" in exported


def test_numbered_columns_have_fields_that_a_type_checker_follows(tmp_path: Path) -> None:
    names = '[f"x{number}" for number in range(64)]'
    row = f"from pydantic import Field, create_model\n\nCOLUMNS = {names}\n"
    row += 'Row = create_model("Row", **dict.fromkeys(COLUMNS, (float, ...)))\n'
    exported, _, _ = written(tmp_path, planted("dropped_rows"), replace(FACTS, row=row))
    assert "ROW_FIELDS: dict[str, Any] = dict.fromkeys(COLUMNS, (float, ...))" in exported
    assert 'Row = create_model("Row", **ROW_FIELDS)' in exported
    scope: dict[str, Any] = {"__name__": "flats"}
    start = exported.index("from typing import Any")
    exec(exported[start : exported.index("#| export", start)], scope)  # noqa: S102
    assert list(scope["Row"].model_fields)[:2] == ["x0", "x1"]
    assert scope["TARGET"] == "price"


def test_literals_of_the_model_become_parameters_in_their_own_place(tmp_path: Path) -> None:
    made = "tree = RandomForestRegressor(n_jobs=3, max_depth=3, random_state=0).fit(X_train, y_train)"
    cells = [
        cell.replace(
            "from sklearn.tree import Decision", "from sklearn.ensemble import RandomForestRegressor, Decision"
        )
        for cell in ALL["dropped_rows"]
    ]
    cells = [made if "tree.fit" in cell else cell for cell in cells]
    exported, _, _ = written(tmp_path, exploration(cells))
    call = "RandomForestRegressor(n_jobs=3, max_depth=params.tree.max_depth, random_state=params.tree.random_state)"
    assert f"tree = {call}" in exported
