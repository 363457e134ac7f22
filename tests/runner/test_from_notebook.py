"""From an exploration notebook to a pipeline that is proven equal, or whose first difference is named."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from exploration import (
    ALL,
    HEAD,
    LIBRARY,
    SOME_COLUMNS,
    TABLES,
    empty_project,
    exploration,
    planted,
    write_exploration,
)

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.project import Project
from pipeline_lib.runner.from_notebook import FromNotebook, may_hold_secrets, pipeline_from_notebook


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project without pipelines, whose package kernels and other processes find."""
    root = tmp_path / "project"
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path.parent / "mypy"))
    monkeypatch.syspath_prepend(root)
    yield empty_project(root)
    for name in [name for name in sys.modules if name.partition(".")[0] == LIBRARY]:
        del sys.modules[name]


def results(result: FromNotebook) -> dict[str, str]:
    return {one.value: one.result for one in result.comparisons}


def test_functions_and_classes_are_brought_in_and_proven(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_lib.runner.from_notebook.type_errors", lambda *given: ["no-untyped-def"])
    notebook = write_exploration(tmp_path / "my notes", planted("functions"), "Übung 1")
    result = pipeline_from_notebook(project, "flats", notebook)
    assert result.proven, result.notes
    assert set(results(result).values()) == {"equal"}
    assert {"rows before the split", "train rows", "predictions", "metric rmse"} <= set(results(result))
    assert check_export(project) == []
    assert (project.root / "data" / "flats.csv").is_file()
    assert result.page == project.notebooks / "research" / "flats.from-notebook.md"
    exported = (project.package / "pipelines" / "flats.py").read_text(encoding="utf-8")
    assert '# mypy: disable-error-code="no-untyped-def"' in exported
    assert 'METRIC = ("rmse", "minimize")' in exported
    text = result.page.read_text(encoding="utf-8")
    assert "switches these errors of mypy off in its module: no-untyped-def." in text
    assert "The original runs from the first cell to the last." in text
    assert "11 cells: 2 kept, 7 moved, 2 to decide." in text
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["flats.csv", notebook.name]


@pytest.mark.slow
@pytest.mark.parametrize("cells", [TABLES, SOME_COLUMNS], ids=["tables", "some_columns"])
def test_other_ways_from_the_split_to_the_fit(project: Project, tmp_path: Path, cells: list[str]) -> None:
    result = pipeline_from_notebook(project, "flats", write_exploration(tmp_path, exploration(cells)))
    assert result.proven, [*result.notes, *result.comparisons]
    assert {one.kind for one in result.decisions} <= {"path", "dropped rows"}


@pytest.mark.slow
def test_a_cell_that_raises_stands_in_nobodys_way(project: Project, tmp_path: Path) -> None:
    cells = [*planted_cells("two_models"), "no_such_name", "print(roc_auc_score(y_test, chance))"]
    result = pipeline_from_notebook(project, "flats", write_exploration(tmp_path, exploration(cells)))
    assert not result.proven
    assert result.notes[0].startswith("The original does not run as it is: cell 9: NameError")
    assert "lines of the original that break rules of ruff have `# noqa`: F821." in result.notes[1]
    assert any(note.startswith("The new notebooks run") for note in result.notes)
    assert set(results(result).values()) == {"equal"}
    assert [one.kind for one in result.decisions if one.cell == 9] == ["hidden state", "error"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL if name != "functions"])
def test_planted_habits_end_to_end(project: Project, tmp_path: Path, name: str) -> None:
    result = pipeline_from_notebook(project, name, write_exploration(tmp_path, planted(name)))
    equal = name != "fit_before_split"
    assert result.proven == equal, result.notes
    assert any(note.startswith("The new notebooks run") for note in result.notes)
    found = results(result)
    if equal:
        assert set(found.values()) == {"equal"}
        return
    assert (found["target before the split"], found["train rows"]) == ("equal", "not compared")
    predictions = next(one for one in result.comparisons if one.value == "predictions")
    assert (predictions.cell, predictions.result) == (10, "differs")
    assert "learn from all rows, as in the original: they alone differ" in predictions.detail


def test_an_original_that_stops_before_the_split_is_refused_with_its_cell(project: Project, tmp_path: Path) -> None:
    cells = [HEAD, "flats = pd.read_csv('gone.csv')", *planted_tail()]
    notebook = write_exploration(tmp_path, exploration(cells))
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError, match=r"cell 2: FileNotFoundError.*expected cells that run"):
        pipeline_from_notebook(project, "flats", notebook)
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.slow
def test_models_without_a_seed_in_a_search_and_a_vote_are_proven_equal(project: Project, tmp_path: Path) -> None:
    head = HEAD + (
        "\nfrom sklearn.ensemble import RandomForestClassifier, VotingClassifier\n"
        "from sklearn.model_selection import GridSearchCV\nfrom sklearn.tree import DecisionTreeClassifier\n"
    )
    cells = [
        head,
        'flats = pd.read_csv("flats.csv").dropna()\ny = (flats["price"] > 200).astype(int)',
        'X_train, X_test, y_train, y_test = train_test_split(flats[["area", "rooms"]], y, test_size=0.3)',
    ]
    search = "model = GridSearchCV(RandomForestClassifier(n_estimators=7), {'max_depth': [2, 3]}, cv=3)"
    vote = "model = VotingClassifier([('a', RandomForestClassifier(7)), ('b', DecisionTreeClassifier())])"
    for name, made in (("search", search), ("vote", vote)):
        fit = f"{made}\nmodel.fit(X_train, y_train)"
        notebook = exploration([*cells, fit, "model.score(X_test, y_test)"])
        result = pipeline_from_notebook(project, name, write_exploration(tmp_path / name, notebook))
        assert result.proven, [*result.notes, *result.comparisons]
        assert "had `random_state=0` in this run" in result.notes[0]
        assert {one.cell for one in result.decisions if one.kind == "random"} == {3, 4}


@pytest.mark.slow
def test_a_model_that_draws_anew_is_the_cause_and_not_the_compiled_pipeline(project: Project, tmp_path: Path) -> None:
    cells = [
        HEAD + "\nfrom sklearn.ensemble import RandomForestRegressor",
        'flats = pd.read_csv("flats.csv").dropna()\noptions = {"n_estimators": 5, "random_state": None}',
        'X_train, X_test, y_train, y_test = train_test_split(flats[["area", "rooms"]], flats["price"], random_state=0)',
        "model = RandomForestRegressor(**options)\nmodel.fit(X_train, y_train)",
        "model.score(X_test, y_test)",
    ]
    result = pipeline_from_notebook(project, "flats", write_exploration(tmp_path, exploration(cells)))
    predictions = next(one for one in result.comparisons if one.value == "predictions")
    assert predictions.result == "differs"
    assert predictions.detail.endswith(
        "two fits of the new pipeline differ, too (RandomForestRegressor in cell 4 has no seed)"
    )
    assert not any("after the same fit" in note for note in result.notes)
    assert any(note.startswith("Each fit of the new pipeline predicts otherwise") for note in result.notes)


def planted_cells(name: str) -> list[str]:
    return list(ALL[name])


def planted_tail() -> list[str]:
    return [
        "from sklearn.linear_model import LinearRegression\nX, y = flats[['rooms']], flats['price']",
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
        "model = LinearRegression()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
    ]


def test_a_name_or_file_that_is_taken_is_refused_and_nothing_is_written(project: Project, tmp_path: Path) -> None:
    notebook = write_exploration(tmp_path, planted("two_models"))
    (project.root / "data").mkdir()
    (project.root / "data" / "flats.csv").write_text("other\n")
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError, match=r"found another file at data/flats\.csv"):
        pipeline_from_notebook(project, "flats", notebook)
    with pytest.raises(InputError, match="found the name 'print'"):
        pipeline_from_notebook(project, "print", notebook)
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.slow
def test_an_interrupted_original_leaves_nothing(project: Project, tmp_path: Path) -> None:
    cells = [
        "import time\nprint('began')",
        "time.sleep(600)",
        HEAD,
        "flats = pd.read_csv('flats.csv')",
        *planted_tail(),
    ]
    notebook = write_exploration(tmp_path, exploration(cells))
    before = sorted(project.root.rglob("*"))
    code = "from pipeline_lib.cli.main import main; main()"
    command = [sys.executable, "-c", code, "new", "flats", "--from", str(notebook)]
    process = subprocess.Popen(  # noqa: S603
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running exploration.ipynb as it is\n"
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip()) == (130, "interrupted")
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "secret"),
    [(".env", True), ("credentials.json", True), ("key.pem", True), ("connections.yml", True), ("monkeys.csv", False)],
)
def test_files_of_credentials_are_not_put_into_the_project(name: str, secret: bool) -> None:
    assert may_hold_secrets(Path("/somewhere") / name) is secret
