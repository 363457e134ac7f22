"""The metric that a sweep sorts its members by: which direction is better, and whether any run has it."""

import re
from pathlib import Path
from typing import Literal

from pipeline_lib.errors import InputError
from pipeline_lib.records.index import summaries

Direction = Literal["minimize", "maximize"]
_LOWER = re.compile(r"(^|_)(rmse|mse|mae|mape|error|loss|cost|brier|deviance|perplexity)($|_)")
_HIGHER = re.compile(r"(^|_)(r2|accuracy|precision|recall|f1|auc|roc|ap|score|gain|saving|savings|profit)($|_)")


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
    lower, higher = _LOWER.search(metric), _HIGHER.search(metric)
    if bool(lower) == bool(higher):
        raise InputError(
            f"found the metric {metric!r}, expected a name that says what is better; "
            "add --direction minimize or maximize"
        )
    return "minimize" if lower else "maximize"


def check_known_metric(runs: Path, pipeline: str, metric: str | None) -> None:
    """InputError when a pipeline has finished runs and none of them has this metric."""
    rows = summaries(runs, pipeline) if metric is not None and (runs / pipeline).is_dir() else []
    known = sorted({name for summary in rows if summary["status"] == "finished" for name in summary["metrics"]})
    if known and metric not in known:
        raise InputError(
            f"--metric {metric}: found no such metric in the finished runs of {pipeline}, expected one of: "
            f"{', '.join(known)}; name one of them, or make a single run first if it is new"
        )
