"""The metric that a sweep sorts its members by: which direction is better, and whether any run has it."""

from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import project_of
from pipeline_lib.records.index import summaries
from pipeline_lib.records.metric_direction import Direction, Metric, declared_metric, direction_of


def check_direction(metric: str | None, direction: str | None) -> Direction | None:
    """The direction of a metric: as requested, else as its name says. InputError where neither does.

    >>> check_direction("rmse_log", None)
    'minimize'
    """
    if metric is None:
        if direction is not None:
            raise InputError(f"found --direction {direction} without a metric, expected one with it; add --metric NAME")
        return None
    if direction is not None:
        if direction not in ("minimize", "maximize"):
            raise InputError(f"found the direction {direction!r}, expected minimize or maximize; name one of them")
        return "minimize" if direction == "minimize" else "maximize"
    named = direction_of(metric)
    if named is None:
        raise InputError(
            f"found the metric {metric!r}, expected a name that says what is better; "
            "add --direction minimize or maximize"
        )
    return named


def with_default(params_file: Path, metric: str | None, direction: str | None) -> tuple[str | None, str | None]:
    """The metric and direction of a sweep: as requested, else METRIC of the parameters file's pipeline.

    Where the requested metric is METRIC's own, its direction is the default. Raises InputError for a METRIC that is
    no pair of a name and a direction.
    """
    declared = _declared(params_file)
    if declared is None or direction is not None:
        return metric, direction
    if metric in (None, declared.name):
        return declared.name, declared.direction
    return metric, None


def _declared(params_file: Path) -> Metric | None:
    pipeline = params_file.name.partition(".")[0]
    try:
        project = project_of(params_file)
    except InputError:  # the check of the base run says it
        return None
    return declared_metric(project, pipeline) if pipeline else None


def check_earlier_runs(params_file: Path, runs: Path | None, metric: str | None) -> None:
    """InputError when the pipeline of a parameters file has finished runs and none of them has this metric.

    Nothing is known before the first run; `check_metric` looks at the first member then.
    """
    pipeline = params_file.name.partition(".")[0]
    if metric is None or not pipeline:
        return
    try:
        folder = runs or project_of(params_file).runs
    except InputError:  # the check of the base run says it
        return
    rows = summaries(folder.resolve(), pipeline) if (folder / pipeline).is_dir() else []
    known = sorted({name for summary in rows if summary["status"] == "finished" for name in summary["metrics"]})
    if known and metric not in known:
        raise InputError(
            f"--metric {metric}: found no such metric in the finished runs of {pipeline}, expected one of: "
            f"{', '.join(known)}; name one of them, or make a single run first if it is new"
        )
