"""The best run of a pipeline: finished, with exact parity, by METRIC; members of a sweep count like any run."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.index import summaries
from pipeline_lib.records.metric_direction import METRIC, Metric, declared_metric
from pipeline_lib.records.record import Record

BEST = "best"
"""Sorts by METRIC, instead of a metric's name."""


def metric_of(project: Project, pipeline: str, run_summaries: Sequence[Mapping[str, Any]]) -> Metric | None:
    """METRIC of the pipeline's module, or where it has none of the newest of these runs (oldest first) that had one.

    Raises InputError for a METRIC that is no pair of a name and a direction.
    """
    recorded = (Metric.from_json(run.get("metric")) for run in reversed(run_summaries) if run["pipeline"] == pipeline)
    return declared_metric(project, pipeline) or next((metric for metric in recorded if metric), None)


def best_of(run_summaries: Sequence[dict[str, Any]], metric: Metric) -> dict[str, Any] | None:
    """The best of these runs (oldest first) that finished with exact parity and have the metric; of equals the newest.

    >>> runs = [{"reference": f"boats/{n}", "status": "finished", "parity": "exact", "metrics": {"r2": r2}}
    ...         for n, r2 in ((1, 0.5), (2, 0.75), (3, 0.25))]
    >>> best_of(runs, Metric("r2", "maximize"))["reference"]
    'boats/2'
    """
    sign = 1.0 if metric.direction == "maximize" else -1.0
    able = [run for run in run_summaries if _is_able(run) and _is_number(run["metrics"].get(metric.name))]
    return max(reversed(able), key=lambda run: sign * run["metrics"][metric.name], default=None)


def best_run(project: Project, pipeline: str) -> Record:
    """The best run of a pipeline. Raises InputError without METRIC, and where no run can be compared."""
    run_summaries = summaries(project.runs, pipeline)
    metric = metric_of(project, pipeline, run_summaries)
    if metric is None:
        notebook = project.shown(project.notebooks / "pipelines" / f"{pipeline}.ipynb")
        raise InputError(
            f'{pipeline}@best: found no {METRIC}, expected one such as {METRIC} = ("rmse", "minimize") in an exported '
            f"cell of {notebook}; add it and run `pipeline-lib export`"
        )
    best = best_of(run_summaries, metric)
    if best is None:
        raise InputError(f"{pipeline}@best: {_why_none(run_summaries, pipeline, metric)}")
    return Record(Path(best["folder"]))


def sort_by_metric(
    project: Project, run_summaries: Sequence[Mapping[str, Any]], pipeline: str | None, direction: str | None
) -> tuple[str, str]:
    """The metric and direction that `--sort best` means for these runs. Raises InputError where it means none."""
    names = {pipeline} if pipeline else {str(run["pipeline"]) for run in run_summaries}
    if not names:  # any order will do
        return "started", direction or "minimize"
    if len(names) > 1:
        raise InputError("--sort best: found runs of several pipelines, expected those of one; add --pipeline NAME")
    metric = metric_of(project, names.pop(), run_summaries)
    if metric is None:
        raise InputError(
            f"--sort best: found no {METRIC} in the pipeline's module, expected one; name the metric to sort by"
        )
    return metric.name, direction or metric.direction


def _is_able(run: Mapping[str, Any]) -> bool:
    return (run["status"], run["parity"]) == ("finished", "exact")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _why_none(run_summaries: Sequence[Mapping[str, Any]], pipeline: str, metric: Metric) -> str:
    """Why no run can be the best one, and what to do."""
    finished = [run for run in run_summaries if run["status"] == "finished"]
    with_metric = [run for run in finished if _is_number(run["metrics"].get(metric.name))]
    if not finished:
        return f"found no finished run of {pipeline}, expected one; `pipeline-lib runs --pipeline {pipeline}` lists all"
    if not with_metric:
        known = ", ".join(sorted({name for run in finished for name in run["metrics"]})) or "none"
        return (
            f"found no finished run with the metric {metric.name}, expected one, as {METRIC} names it; runs have: "
            f"{known}; run again, or correct {METRIC}"
        )
    newest = with_metric[-1]["reference"]
    return (
        f"found no run with exact parity, expected one of {len(with_metric):,} finished runs; "
        f"`pipeline-lib parity {newest}` checks the newest"
    )
