"""The result of a sweep: each member with its record and metrics, best first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.metric_direction import Direction
from pipeline_lib.sweeps.member_result import MemberResult, SweepResults
from pipeline_lib.sweeps.page import as_html, summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Sweep(SweepResults):
    """The results of a sweep, which a notebook shows as its page does, also as a frame and as JSON."""

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each member that ran: its varied parameters as in `params.json`, metrics, record, status, parity.

        Parameters and metrics keep their JSON types; `seconds` is float64, `parity` bool or None.
        """
        import pandas as pd

        return pd.DataFrame([_frame_row(result) for result in self.results])

    def to_json(self) -> dict[str, Any]:
        """The content of `sweep.json`."""
        best = self.best
        return {
            "sweep": self.name,
            "pipeline": self.pipeline,
            "metric": self.metric,
            "direction": self.direction,
            "best": best.reference if best else None,
            "asked": self.requested,
            "interrupted": self.interrupted,
            "page": str(self.page),
            "members": [result.to_json() for result in self.results],
        }

    def __repr__(self) -> str:
        return "\n".join([*summary(self), f"page: {self.page}"])

    def _repr_html_(self) -> str:
        return as_html(self)


def ordered(
    results: Sequence[MemberResult], metric: str | None, direction: Direction | None
) -> tuple[MemberResult, ...]:
    """Best first, failed members last; without a metric, in the members' own order. Ties keep that order."""
    own = sorted(results, key=lambda result: result.member.number)
    if metric is None:
        return tuple(own)
    sign = -1.0 if direction == "maximize" else 1.0
    return tuple(sorted(own, key=lambda one: (one.error is not None, sign * one.metrics.get(metric, 0.0))))


def check_metric(result: MemberResult, metric: str | None) -> None:
    """InputError when a finished member has no such metric."""
    if metric is not None and result.error is None and metric not in result.metrics:
        known = ", ".join(sorted(result.metrics)) or "none"
        raise InputError(
            f"--metric {metric}: found no such metric in {result.reference}, expected one of: {known}; name one of "
            "them; finished members are not run again"
        )


def with_parity(results: Sequence[MemberResult], checked: MemberResult, exact: bool) -> tuple[MemberResult, ...]:
    """The results with the parity of one of them."""
    return tuple(replace(one, parity=exact) if one is checked else one for one in results)


def _frame_row(result: MemberResult) -> dict[str, Any]:
    status = "failed" if result.error is not None else "finished"
    return {**result.member.typed, **result.metrics, "run": result.reference, "status": status} | {
        "parity": result.parity,
        "seconds": result.seconds,
    }
