"""The result of a sweep: each member with its record and metrics, as a table and as one page."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import REPORT
from pipeline_lib.sweeps.members import Member
from pipeline_lib.sweeps.metric import Direction
from pipeline_lib.sweeps.plot import metric_by_parameters
from pipeline_lib.system.html_page import Kind, Markup, bullets, element, folded, joined, summary_box, table, write_page

if TYPE_CHECKING:
    import pandas as pd

_BEST_SHOWN = 10
"""Members in the open table of a page; all of them are in the folded one."""


@dataclass(frozen=True)
class MemberResult:
    """One member's record and metrics, or the error that ended it.

    `known` means that a finished run was returned; `parity` is None where it was not checked; `error` is None where
    the member finished.
    """

    member: Member
    reference: str | None
    folder: Path | None
    metrics: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    parity: bool | None = None
    known: bool = False
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "number": self.member.number,
            "values": dict(self.member.values),
            "reference": self.reference,
            "folder": str(self.folder) if self.folder else None,
            "metrics": self.metrics,
            "error": self.error,
            "parity": self.parity,
            "known": self.known,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, repr=False)
class Sweep:
    """The results of a sweep, best first where a metric was named, and the page that shows them.

    `requested` counts the members of the request; `interrupted` is True when the sweep ended before all of them had
    run: the same call continues it.
    """

    name: str
    pipeline: str
    results: tuple[MemberResult, ...]
    metric: str | None
    direction: Direction | None
    page: Path
    requested: int
    interrupted: bool = False

    @property
    def finished(self) -> list[MemberResult]:
        """The members that finished, best first."""
        return [result for result in self.results if result.error is None]

    @property
    def failed(self) -> list[MemberResult]:
        """The members that failed."""
        return [result for result in self.results if result.error is not None]

    @property
    def best(self) -> MemberResult | None:
        """The finished member with the best metric; None without a metric."""
        return self.finished[0] if self.metric and self.finished else None

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


def summary(sweep: Sweep) -> list[str]:
    """The sweep in sentences: how many members ran, the best, failures, whose parity was checked."""
    finished, failed = len(sweep.finished), len(sweep.failed)
    known = sum(result.known for result in sweep.results)
    missing = sweep.requested - len(sweep.results)
    counts = [f"{finished} of {sweep.requested} members finished"]
    counts += [f"{known} of them known from before"] if known else []
    counts += [f"{failed} failed"] if failed else []
    counts += [f"{missing} not run: interrupted, the same command continues"] if sweep.interrupted else []
    counts += [f"{missing} drawn twice"] if missing and not sweep.interrupted else []
    lines = [f"{sweep.pipeline}: {', '.join(counts)}."]
    best = sweep.best
    if best and sweep.metric:
        lines.append(
            f"Best by {sweep.metric} ({sweep.direction}): {best.reference} with {best.member.label}, "
            f"{sweep.metric} {best.metrics[sweep.metric]:,.6g}."
        )
    checked = [result for result in sweep.results if result.parity is not None]
    different = [str(result.reference) for result in checked if not result.parity]
    verdict = f"DIFFERENT: {', '.join(different)}" if different else "exact"
    lines.append(
        f"Parity checked for {len(checked)} of {finished}: {verdict}. `pipeline-lib parity REF` checks another."
        if checked
        else "Parity was not checked; `pipeline-lib parity REF` checks a member."
    )
    return lines


def as_html(sweep: Sweep) -> Markup:
    """The sweep as a fragment of HTML: summary, plot, the best members, failures, all members folded."""
    bad = sweep.failed or any(result.parity is False for result in sweep.results)
    box = summary_box(*summary(sweep), kind="bad" if bad else "warn" if sweep.interrupted else "good")
    failures = [f"{result.member.label}: {result.error}" for result in sweep.failed]
    failed = joined(element("h2", "Failed members"), bullets(failures)) if failures else Markup()
    everything = folded(f"All {len(sweep.results)} members", _members(sweep, sweep.results, technical=True))
    return joined(box, _plot(sweep), _members(sweep, sweep.finished[:_BEST_SHOWN]), failed, everything)


def write_sweep_page(sweep: Sweep) -> None:
    """Write the sweep's page, with links to the members' reports."""
    keys = " and ".join(_parameters(sweep.results)) or "parameters"
    extreme = "highest" if sweep.direction == "maximize" else "lowest"
    question = f"which values of {keys} give the {extreme} {sweep.metric}?"
    if not sweep.metric:
        question = f"what do the values of {keys} change?"
    write_page(sweep.page, f"{sweep.pipeline}: {question}", as_html(sweep))


def _frame_row(result: MemberResult) -> dict[str, Any]:
    status = "failed" if result.error is not None else "finished"
    return {**result.member.typed, **result.metrics, "run": result.reference, "status": status} | {
        "parity": result.parity,
        "seconds": result.seconds,
    }


def _parameters(results: Sequence[MemberResult]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.member.values))


def _members(sweep: Sweep, results: Sequence[MemberResult], *, technical: bool = False) -> Markup:
    """Members as a table: parameters and metrics, with `technical` parity and seconds too."""
    if not results:
        return Markup()
    parameters = _parameters(results)
    metrics = list(dict.fromkeys(name for result in results for name in result.metrics))
    rows = [
        [*_cells(result, parameters, metrics), *(_technical(result) if technical else ()), _link(result, sweep)]
        for result in results
    ]
    head = [*parameters, *metrics, *(("parity", "seconds") if technical else ()), "run"]
    kinds = [_kind(result, sweep) for result in results]
    return table(head, rows, numbers=[*_numeric(parameters, results), *metrics, "seconds"], kinds=kinds)


def _cells(result: MemberResult, parameters: Sequence[str], metrics: Sequence[str]) -> Iterator[str]:
    yield from (result.member.values.get(key, "") for key in parameters)
    yield from (f"{result.metrics[name]:,.6g}" if name in result.metrics else "" for name in metrics)


def _technical(result: MemberResult) -> tuple[str, str]:
    parity = {None: "", True: "exact", False: "DIFFERENT"}[result.parity]
    return parity, "known" if result.known else f"{result.seconds:,.1f}"


def _kind(result: MemberResult, sweep: Sweep) -> Kind:
    if result.error is not None or result.parity is False:
        return "bad"
    return "good" if result is sweep.best else ""


def _numeric(parameters: Sequence[str], results: Sequence[MemberResult]) -> list[str]:
    """The parameters whose values are all numbers."""
    typed = {key: [result.member.typed.get(key) for result in results] for key in parameters}
    return [key for key, values in typed.items() if all(type(value) in (int, float) for value in values)]


def _link(result: MemberResult, sweep: Sweep) -> object:
    """The id of a member's record, linked to its report where there is one."""
    name = (result.reference or "no record").rpartition("/")[2]
    if result.folder is None or not (result.folder / REPORT).is_file():
        return name
    return element("a", name, href=quote(os.path.relpath(result.folder / REPORT, sweep.page.parent)))


def _plot(sweep: Sweep) -> Markup:
    """The metric over each parameter that the sweep varies, as an image inside the page."""
    metric = sweep.metric or next(iter(sweep.finished[0].metrics), None) if sweep.finished else None
    points = [result for result in sweep.finished if metric in result.metrics]
    if metric is None or not any(result.member.values for result in points):
        return Markup()
    best = points.index(sweep.best) if sweep.best is not None else None
    return metric_by_parameters(metric, [(one.member.values, one.metrics[metric]) for one in points], best)
