"""What a research notebook calls: start a run, compile, keep evidence, keep metrics."""

from pathlib import Path
from types import ModuleType
from typing import Any

import example
import pandas as pd
import pyarrow.parquet as pq
import pytest
from example import ROOT
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import digests, read_evidence
from pipeline_lib.evidence.training_rows import seen_rows
from pipeline_lib.pipelines import houses
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import TRAINING_ROWS
from pipeline_lib.records.record import RECORD_VARIABLE, all_records, create_record, write_manifest
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.research_run import Run, start_run
from pipeline_lib.runner.start_checks import StaleLibraryWarning
from pipeline_lib.system.files import canonical_json
from pipeline_lib.watching.statistics import read_statistics

GIVEN = example.VALUES
VALUES = {**GIVEN, "unrelated": object()}
Parts = tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The checkout with its runs elsewhere; export is checked in tests of its own."""
    here = find_project(ROOT)
    elsewhere = Project(here.root, here.library, here.notebooks, here.params, tmp_path / "runs")
    monkeypatch.delenv(RECORD_VARIABLE, raising=False)
    monkeypatch.setattr("pipeline_lib.runner.research_run.find_project", lambda start: elsewhere)
    monkeypatch.setattr("pipeline_lib.runner.start_checks.check_export", lambda project: [])
    monkeypatch.setattr("pipeline_lib.runner.research_run.quiet_select_dtypes", lambda: None)
    return elsewhere


@pytest.fixture
def run() -> Run:
    return start_run(houses, VALUES)


@pytest.fixture(scope="module")
def parts() -> Parts:
    split: Parts = houses.split(houses.load(), houses.Params.model_validate(GIVEN))
    return split


@pytest.fixture(scope="module")
def fitted(parts: Parts) -> Any:
    return houses.build(houses.Params.model_validate(GIVEN)).fit(parts[0], parts[2])


@pytest.fixture(scope="module")
def small(parts: Parts) -> Any:
    """A model of one column, which compiles in a moment."""
    scaled = make_column_transformer((StandardScaler(), ["Lot.Area"]))
    return make_pipeline(scaled, LinearRegression()).fit(parts[0], parts[2])


def test_a_run_keeps_artifact_evidence_and_metrics(run: Run, fitted: Any, parts: Parts) -> None:
    X_train, X_test, _, y_test = parts
    model = run.compile(fitted, like=X_train)
    predictions = run.evidence(X_test.head(20), y_test.head(20))
    assert predictions.tobytes() == model.predict(X_test.head(20)).tobytes()
    own = houses.metrics(y_test.head(20), predictions, run.params)
    assert run.metrics({**own, "extra": 1}) == {**own, "extra": 1.0}
    assert run.record.read_json("metrics.json") == {**own, "extra": 1.0}
    assert run.record.read_json("training.json")["rows"] == len(X_train)
    statistics = read_statistics(run.record.artifact)
    assert statistics is not None
    assert (statistics.rows, set(statistics.columns)) == (len(X_train), set(model.reads))
    assert statistics.outputs["prediction"].counts.rows == 20
    assert read_evidence(run.record.evidence).artifact == digests(run.record.artifact)
    wrong = {**own, "rmse": own["rmse"] * (1 + 1e-15)}
    with pytest.raises(InputError, match=r"metrics: rmse: found .* as computed from the evidence"):
        run.metrics(wrong)
    with pytest.raises(InputError, match="metrics: r2: found None"):
        run.metrics({name: value for name, value in own.items() if name != "r2"})


def test_a_run_knows_its_training_rows_and_its_artifact_does_not(
    run: Run, small: Any, parts: Parts, project: Project
) -> None:
    model = run.compile(small, like=parts[0])
    row = schema_of(houses.Row)
    training, test = (conform(rows, row) for rows in parts[:2])
    assert seen_rows(run.record, training, row, project.row_key).rows.all()
    found = seen_rows(run.record, test, row, project.row_key)
    assert (found.any.tolist(), found.columns) == ([False] * test.num_rows, row.names)
    hashes = pq.read_table(run.record.folder / TRAINING_ROWS)
    assert hashes.num_rows == len(parts[0])
    assert not [path for path in run.record.artifact.rglob("*") if TRAINING_ROWS in path.name]
    content = b"".join(path.read_bytes() for path in run.record.artifact.rglob("*") if path.is_file())
    first = hashes.column("row")[0].as_py()
    assert first.to_bytes(8, "little") not in content
    assert str(first).encode() not in content
    run.compile(small, like=parts[0].head(50))
    assert seen_rows(run.record, training, row, project.row_key).rows.sum() == 50
    assert model.row == row


def test_a_pipeline_is_compiled_under_the_librarys_names(run: Run, parts: Parts) -> None:
    fitted = Pipeline([("own", FunctionTransformer(lambda frame: frame))]).fit(parts[0])
    with pytest.raises(InputError, match=r"found .*<lambda> in the fitted pipeline.* in an exported cell"):
        run.compile(fitted, like=parts[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "many", None])
def test_a_metric_that_is_no_finite_number_is_refused(run: Run, value: Any) -> None:
    run.record.evidence.mkdir()
    with pytest.raises(InputError, match=r"metrics: rmse: found .* expected a finite number"):
        run.metrics({"rmse": value})


def test_a_run_keeps_value_and_baselines_of_this_model_alone(run: Run, small: Any, parts: Parts) -> None:
    X_train, X_test, y_train, y_test = parts
    run.compile(small, like=X_train, target=y_train)
    own = houses.metrics(y_test, run.evidence(X_test, y_test), run.params)
    run.metrics(own)
    value, baseline = run.record.read_json("value.json"), run.record.read_json("baseline.json")
    assert value == {"unit": "dollars", "mean": -own["cost"], "total": value["total"], "rows": len(y_test)}
    assert value["total"] == pytest.approx(-own["cost"] * len(y_test))
    assert baseline["median"] == [y_train.median()]
    by_name = {score["name"]: score for score in baseline["scores"]}
    assert by_name["median"]["value"] == -by_name["median"]["metrics"]["cost"]
    run.compile(small, like=X_train)
    assert not (run.record.folder / "value.json").exists()
    assert not (run.record.folder / "baseline.json").exists()


def test_a_training_target_of_other_rows_is_refused(run: Run, small: Any, parts: Parts) -> None:
    with pytest.raises(InputError, match=r"target: found \d+ values and [\d,]+ rows, expected one for each row"):
        run.compile(small, like=parts[0], target=parts[3])


def test_evidence_and_metrics_come_after_the_artifact(run: Run, parts: Parts) -> None:
    with pytest.raises(InputError, match="no compiled pipeline"):
        run.evidence(parts[1], parts[3])
    with pytest.raises(InputError, match=r"found no evidence, expected run\.evidence\(X_test, y_test\) before"):
        run.metrics({"rmse": 1.0})


def test_later_results_take_the_place_of_all_that_followed_from_earlier_ones(
    run: Run, small: Any, parts: Parts
) -> None:
    X_train, X_test, _, y_test = parts
    run.compile(small, like=X_train)
    predictions = run.evidence(X_test.head(20), y_test.head(20))
    run.metrics(houses.metrics(y_test.head(20), predictions, run.params))
    run.evidence(X_test.head(5), y_test.head(5))
    assert run.record.read_json("metrics.json") is None
    run.compile(small, like=X_train)
    assert not run.record.evidence.exists()


def test_outside_the_runner_a_run_is_scratch_and_shows_its_parameters(run: Run) -> None:
    assert run.record.status() == "scratch"
    assert run.params.estimator.alpha == 0.001
    assert run.record.reference in repr(run)
    assert "<td>seed</td><td>0</td>" in run._repr_html_()
    assert run.record.read_json("environment.json")["packages"]


def test_only_the_newest_scratch_records_stay(project: Project) -> None:
    for _ in range(7):
        start_run(houses, VALUES)
    assert len(all_records(project.runs, scratch=True)) == 5


def test_under_the_runner_the_run_writes_into_its_record(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    record = create_record(project.runs, "houses")
    write_manifest(record, {"status": "running", "mode": "run"})
    (record.folder / "params.json").write_bytes(canonical_json(GIVEN))
    monkeypatch.setenv(RECORD_VARIABLE, str(record.folder))
    assert start_run(houses, VALUES).record == record
    with pytest.raises(InputError, match="expected those of the record"):
        start_run(houses, {**VALUES, "seed": 1})


def test_bad_parameters_are_refused(project: Project) -> None:
    with pytest.raises(InputError, match="test_share"):
        start_run(houses, {**VALUES, "test_share": 2})
    with pytest.raises(InputError, match="seed"):
        start_run(houses, {key: value for key, value in VALUES.items() if key != "seed"})
    assert not project.runs.exists()


def test_a_module_that_is_no_pipeline_is_refused() -> None:
    with pytest.raises(InputError, match="without Params, Row, load"):
        start_run(ModuleType("empty"), VALUES)


def test_a_stale_library_is_warned_of_in_jupyter_and_refused_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [
        ExportProblem("pipeline_lib/pipelines/houses.py", "nbs/pipelines/houses.ipynb: cell 4: found a syntax error"),
        ExportProblem("pipeline_lib/pipelines/other.py", "other.py: found stale"),
    ]
    monkeypatch.setattr("pipeline_lib.runner.start_checks.check_export", lambda project: stale)
    with pytest.raises(InputError, match="found a syntax error") as caught:
        start_run(houses, VALUES)
    assert "other.py" not in str(caught.value)
    with pytest.warns(StaleLibraryWarning, match="found a syntax error"):
        start_run(houses, {**VALUES, "__vsc_ipynb_file__": "houses.ipynb"})


def test_functions_that_are_older_than_their_file_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipeline_lib.runner.start_checks.changed_names", lambda module: ["build"] if module is houses else []
    )
    with pytest.raises(InputError, match=r"houses\.py: found build loaded before the file last changed"):
        start_run(houses, VALUES)


@pytest.mark.parametrize(("words", "mode"), [(["jupyter-lab"], "interactive"), (["/bin/papermill"], "papermill")])
def test_who_started_the_kernel_decides_the_mode(monkeypatch: pytest.MonkeyPatch, words: list[str], mode: str) -> None:
    class Parent:
        def parent(self) -> "Parent":
            return self

        def cmdline(self) -> list[str]:
            return words

    monkeypatch.setattr("psutil.Process", Parent)
    assert start_run(houses, VALUES).record.manifest()["mode"] == mode


def test_a_target_of_other_rows_is_refused(run: Run, small: Any, parts: Parts) -> None:
    X_train, X_test, _, y_test = parts
    run.compile(small, like=X_train)
    with pytest.raises(InputError, match="found a target whose index is not that of the rows"):
        run.evidence(X_test.head(5), y_test.head(5)[::-1])


def test_evidence_that_the_fit_has_seen_is_warned_of(run: Run, small: Any, parts: Parts) -> None:
    X_train, X_test, y_train, y_test = parts
    run.compile(small, like=X_train)
    rows, target = pd.concat([X_test.head(3), X_train.head(2)]), pd.concat([y_test.head(3), y_train.head(2)])
    with pytest.warns(UserWarning, match="found 2 evidence rows that are training rows too"):
        run.evidence(rows, target)


@pytest.mark.parametrize("values", [[1], {1: 2.0}, None])
def test_metrics_are_names_and_numbers(run: Run, values: Any) -> None:
    with pytest.raises(InputError, match="metrics: found"):
        run.metrics(values)


def test_training_rows_are_a_frame(run: Run, small: Any, parts: Parts) -> None:
    with pytest.raises(InputError, match="found rows of one column as like=, expected the 82 of Row"):
        run.compile(small, like=parts[2])


def test_load_may_take_the_parameters_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.runner.research_run.check_fresh", lambda project, mode: None)
    monkeypatch.setattr(houses, "load", lambda params, rows=None, *rest, **options: None)
    start_run(houses, VALUES)
    monkeypatch.setattr(houses, "load", lambda params, folder: None)
    message = r"houses\.load: found the arguments params, folder, expected load\(\) or load\(params\); make the others"
    with pytest.raises(InputError, match=message):
        start_run(houses, VALUES)
