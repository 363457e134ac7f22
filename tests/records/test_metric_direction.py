"""Which metric decides, and which direction of it is better: as METRIC or its name says."""

from collections.abc import Callable

import pytest
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.metric_direction import Metric, check_returned, declared_metric, direction_of

Declare = Callable[[str], Metric | None]
pytestmark = pytest.mark.core


@pytest.mark.parametrize("name", ["rmse", "rmse_log", "log_loss", "brier", "mean_absolute_error", "test_mae", "cost"])
def test_smaller_errors_are_better(name: str) -> None:
    assert direction_of(name) == "minimize"


@pytest.mark.parametrize("name", ["r2", "roc_auc", "acc", "f1_macro", "precision_at_10", "neg_log_loss", "neg_rmse"])
def test_larger_scores_are_better(name: str) -> None:
    assert direction_of(name) == "maximize"


@pytest.mark.parametrize("name", ["lift", "seconds", "accuracy_loss", "cost_per_saving", "neg_lift", "", "costly"])
def test_a_name_that_says_neither_or_both_decides_nothing(name: str) -> None:
    assert direction_of(name) is None


RETURNS = "def metrics(target, predictions, params):\n    return {'auc_pr': 0.5, 'lift': 2.0}\n"


@pytest.fixture
def declare(project: Project) -> Declare:
    """Writes the exported module of the pipeline `boats`, and returns its METRIC."""

    def write(text: str) -> Metric | None:
        (project.package / "pipelines").mkdir(parents=True, exist_ok=True)
        (project.package / "pipelines" / "boats.py").write_text(f'"""Boats."""\n{text}')
        return declared_metric(project, "boats")

    return write


def test_the_metric_of_a_module_is_read_from_its_text(declare: Declare, project: Project) -> None:
    assert declared_metric(project, "boats") is None
    assert declare("METRICS = 1\n") is None
    assert declare(f'METRIC = ("lift", "maximize")\n{RETURNS}') == Metric("lift", "maximize")
    assert declare(f"METRIC: tuple[str, str] = ['lift', 'minimize']\n{RETURNS}") == Metric("lift", "minimize")
    assert declare("METRIC = (\n") is None  # whatever imports the module says it


@pytest.mark.parametrize(
    "value", ['"lift"', '("lift", "most")', '("", "minimize")', "NAME, DIRECTION", "()", "None", "1"]
)
def test_what_is_no_name_with_a_direction_is_refused(declare: Declare, value: str) -> None:
    with pytest.raises(InputError, match=r"nbs/pipelines/boats\.ipynb: METRIC: found .*, expected a metric's name and"):
        declare(f"METRIC = {value}\n")


def test_a_metric_that_is_not_returned_is_refused_where_the_names_are_written_out(declare: Declare) -> None:
    declared = 'METRIC = ("rmse", "minimize")\n'
    with pytest.raises(InputError, match=r"found 'rmse', which `metrics` does not return, .* one of: auc_pr, lift;"):
        declare(declared + RETURNS)
    inner = "    def other():\n        return {'no': 1}\n"
    elsewhere = RETURNS.replace("    return", f"{inner}    if 1:\n        return {{'rmse': 1.0}}\n    return")
    assert declare(declared + elsewhere) == Metric("rmse", "minimize")
    assert declare(declared + RETURNS.replace("{", "{**params, ")) == Metric("rmse", "minimize")
    assert declare(declared + RETURNS.replace("{", "dict({").replace("}", "})")) == Metric("rmse", "minimize")


def test_names_that_are_not_written_out_are_compared_once_metrics_has_returned() -> None:
    check_returned(Metric("rmse", "minimize"), {"rmse": 1.0})
    check_returned(None, {"rmse": 1.0})
    with pytest.raises(
        InputError, match="METRIC: found 'lift', which `metrics` does not return, expected one of: rmse;"
    ):
        check_returned(Metric("lift", "maximize"), {"rmse": 1.0})


def test_shipped_pipelines_name_a_metric() -> None:
    project = find_project(ROOT)
    declared = {name: declared_metric(project, name) for name in project.pipelines()}
    assert declared["titanic"] == Metric("log_loss", "minimize")
    assert declared["customers"] == Metric("profit", "maximize")


def test_a_manifest_without_a_metric_or_with_another_value_has_none() -> None:
    metric = Metric("lift", "maximize")
    assert Metric.from_json(metric.to_json()) == metric
    for values in (
        None,
        "lift",
        {},
        {"name": "lift"},
        {"name": 1, "direction": "minimize"},
        {"name": "a", "direction": 1},
    ):
        assert Metric.from_json(values) is None
