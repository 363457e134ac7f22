"""What a sweep found: each member with its record and metrics, as a table and as one page."""

import html
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pipeline_lib.errors import InputError
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import REPORT
from pipeline_lib.sweeps.members import Member
from pipeline_lib.sweeps.plot import metric_by_parameters
from pipeline_lib.system.html_page import write_page

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["minimize", "maximize"]
_LOWER = re.compile(r"(^|_)(rmse|mse|mae|mape|error|loss|cost|brier|deviance|perplexity)($|_)")
_HIGHER = re.compile(r"(^|_)(r2|accuracy|precision|recall|f1|auc|roc|ap|score|gain|saving|savings|profit)($|_)")
_STYLE = """
table{font-size:.92em;display:block;overflow-x:auto}
th,td{padding:.25em .7em;border-bottom:1px solid #d9dee5;text-align:right;font-variant-numeric:tabular-nums;
white-space:nowrap}
th.text,td.text{text-align:left}td.error{white-space:normal;text-align:left}
tr.best{background:#d3f0d8}tr.failed{background:#f7c5c5}
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one member. `known` means that a finished run answered for it; `parity` is None when not
    checked; `error` is None when it finished."""

    member: Member
    reference: str | None
    folder: Path | None
    metrics: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    parity: bool | None = None
    known: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, repr=False)
class Sweep:
    """A sweep's outcomes, best first where a metric was named, and the page that shows them.

    `interrupted` is True when somebody ended it before all members had run: the same call continues it.
    """

    name: str
    pipeline: str
    outcomes: tuple[Outcome, ...]
    metric: str | None
    direction: Direction | None
    page: Path
    asked: int
    interrupted: bool = False

    @property
    def finished(self) -> list[Outcome]:
        """The members that finished, best first."""
        return [outcome for outcome in self.outcomes if outcome.error is None]

    @property
    def failed(self) -> list[Outcome]:
        """The members that failed."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    @property
    def best(self) -> Outcome | None:
        """The finished member with the best metric; None without a metric."""
        return self.finished[0] if self.metric and self.finished else None

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each member that ran: what it varied as `params.json` has it, metrics, record, status, parity."""
        import pandas as pd

        return pd.DataFrame([_row(outcome) for outcome in self.outcomes])

    def to_json(self) -> dict[str, Any]:
        """The sweep as JSON values."""
        best = self.best
        return {
            "sweep": self.name,
            "pipeline": self.pipeline,
            "metric": self.metric,
            "direction": self.direction,
            "best": best.reference if best else None,
            "asked": self.asked,
            "interrupted": self.interrupted,
            "page": str(self.page),
            "members": [_json(outcome) for outcome in self.outcomes],
        }

    def __repr__(self) -> str:
        return "\n".join([*summary(self), f"page: {self.page}"])

    def _repr_html_(self) -> str:
        return as_html(self)


def ordered(outcomes: Sequence[Outcome], metric: str | None, direction: Direction | None) -> tuple[Outcome, ...]:
    """Best first, failed members last; without a metric, in the members' own order. Ties keep that order."""
    own = sorted(outcomes, key=lambda outcome: outcome.member.number)
    if metric is None:
        return tuple(own)
    sign = -1.0 if direction == "maximize" else 1.0
    return tuple(sorted(own, key=lambda one: (one.error is not None, sign * one.metrics.get(metric, 0.0))))


def check_direction(metric: str | None, direction: str | None) -> Direction | None:
    """The direction of a metric: as told, else as its name says. InputError where neither does."""
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
    """InputError when a pipeline has finished runs and none has such a metric."""
    found = summaries(runs, pipeline) if metric is not None and (runs / pipeline).is_dir() else []
    known = sorted({name for summary in found if summary["status"] == "finished" for name in summary["metrics"]})
    if known and metric not in known:
        raise InputError(
            f"--metric {metric}: found no such metric in the finished runs of {pipeline}, expected one of: "
            f"{', '.join(known)}; name one of them, or make a single run first if it is new"
        )


def check_metric(outcome: Outcome, metric: str | None) -> None:
    """InputError when a finished member has no such metric."""
    if metric is not None and outcome.error is None and metric not in outcome.metrics:
        known = ", ".join(sorted(outcome.metrics)) or "none"
        raise InputError(
            f"--metric {metric}: found no such metric in {outcome.reference}, expected one of: {known}; name one of "
            "them, and what has run is not run again"
        )


def with_parity(outcomes: Sequence[Outcome], checked: Outcome, exact: bool) -> tuple[Outcome, ...]:
    """Outcomes with the verdict of one of them."""
    return tuple(replace(one, parity=exact) if one is checked else one for one in outcomes)


def _row(outcome: Outcome) -> dict[str, Any]:
    status = "failed" if outcome.error is not None else "finished"
    return {**outcome.member.typed, **outcome.metrics, "run": outcome.reference, "status": status} | {
        "parity": outcome.parity,
        "seconds": outcome.seconds,
    }


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "number": outcome.member.number,
        "values": dict(outcome.member.values),
        "reference": outcome.reference,
        "folder": str(outcome.folder) if outcome.folder else None,
        "metrics": outcome.metrics,
        "error": outcome.error,
        "parity": outcome.parity,
        "known": outcome.known,
        "seconds": outcome.seconds,
    }


def write_sweep_page(sweep: Sweep) -> None:
    """Write the page beside the sweep's JSON; its links go to the members' reports."""
    write_page(sweep.page, f"Sweep {sweep.name}", as_html(sweep), _STYLE)


def as_html(sweep: Sweep) -> str:
    """The sweep as a fragment of HTML."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in summary(sweep))
    return f"{lines}{_plot(sweep)}{_table(sweep)}"


def summary(sweep: Sweep) -> list[str]:
    """What there is to say in words: how many, the best, what failed, whose parity was checked."""
    finished, failed = len(sweep.finished), len(sweep.failed)
    known = sum(outcome.known for outcome in sweep.outcomes)
    missing = sweep.asked - len(sweep.outcomes)
    counts = [f"{finished} of {sweep.asked} members finished"]
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
    checked = [outcome for outcome in sweep.outcomes if outcome.parity is not None]
    different = [str(outcome.reference) for outcome in checked if not outcome.parity]
    verdict = f"DIFFERENT: {', '.join(different)}" if different else "exact"
    lines.append(
        f"Parity checked for {len(checked)} of {finished}: {verdict}. `pipeline-lib parity REF` checks another."
        if checked
        else "Parity was not checked; `pipeline-lib parity REF` checks a member."
    )
    return lines


def _table(sweep: Sweep) -> str:
    keys = list(dict.fromkeys(key for outcome in sweep.outcomes for key in outcome.member.values))
    metrics = list(dict.fromkeys(name for outcome in sweep.outcomes for name in outcome.metrics))
    heads = [("run", True), *((key, False) for key in keys), *((name, False) for name in metrics)]
    heads += [("parity", True), ("seconds", False)]
    head = "".join(f"<th{' class=text' if text else ''}>{html.escape(name)}</th>" for name, text in heads)
    rows = "".join(_table_row(outcome, sweep, keys, metrics) for outcome in sweep.outcomes)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _table_row(outcome: Outcome, sweep: Sweep, keys: Sequence[str], metrics: Sequence[str]) -> str:
    kind = "failed" if outcome.error is not None else "best" if outcome is sweep.best else ""
    cells = [f"<td class=text>{_link(outcome, sweep)}</td>"]
    cells += [f"<td>{html.escape(outcome.member.values.get(key, ''))}</td>" for key in keys]
    if outcome.error is not None:
        cells.append(f"<td class=error colspan={len(metrics) + 1}>{html.escape(outcome.error)}</td>")
    else:
        cells += [
            f"<td>{outcome.metrics[name]:,.6g}</td>" if name in outcome.metrics else "<td></td>" for name in metrics
        ]
        verdict = "" if outcome.parity is None else "exact" if outcome.parity else "DIFFERENT"
        cells.append(f"<td class=text>{verdict}</td>")
    cells.append(f"<td>{'known' if outcome.known else f'{outcome.seconds:,.1f}'}</td>")
    return f"<tr class='{kind}'>{''.join(cells)}</tr>"


def _link(outcome: Outcome, sweep: Sweep) -> str:
    name = html.escape(outcome.reference or "no record")
    if outcome.folder is None or not (outcome.folder / REPORT).is_file():
        return name
    target = quote(os.path.relpath(outcome.folder / REPORT, sweep.page.parent))
    return f'<a href="{target}">{name}</a>'


def _plot(sweep: Sweep) -> str:
    """The metric over each parameter that the sweep varies, as an image inside the page."""
    metric = sweep.metric or next(iter(sweep.finished[0].metrics), None) if sweep.finished else None
    points = [outcome for outcome in sweep.finished if metric in outcome.metrics]
    if metric is None or not any(outcome.member.values for outcome in points):
        return ""
    best = points.index(sweep.best) if sweep.best is not None else None
    return metric_by_parameters(metric, [(one.member.values, one.metrics[metric]) for one in points], best)
