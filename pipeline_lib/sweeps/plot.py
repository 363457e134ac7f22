"""A sweep for people: one plot, one table, one offline page without scripts."""

import base64
import html
import importlib
import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline_lib.system.html_page import write_page

if TYPE_CHECKING:
    from pipeline_lib.sweeps.result import Outcome, Sweep

_MOST_PANELS = 4
_WIDE = 30.0  # positive values that span more than this factor are drawn by orders of magnitude
_STYLE = """
table{font-size:.92em;display:block;overflow-x:auto}
th,td{padding:.25em .7em;border-bottom:1px solid #d9dee5;text-align:right;font-variant-numeric:tabular-nums;
white-space:nowrap}
th.text,td.text{text-align:left}td.error{white-space:normal;text-align:left}
tr.best{background:#d3f0d8}tr.failed{background:#f7c5c5}
"""


def import_plotting() -> None:
    """Import what a page is drawn with, which takes longer than to draw it."""
    importlib.import_module("matplotlib.figure")
    importlib.import_module("matplotlib.backends.backend_agg")


def write_sweep_page(sweep: "Sweep") -> None:
    """Write the page beside the sweep's JSON; its links go to the members' reports."""
    write_page(sweep.page, f"Sweep {sweep.name}", as_html(sweep), _STYLE)


def as_html(sweep: "Sweep") -> str:
    """The sweep as a fragment of HTML."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in summary(sweep))
    return f"{lines}{_plot(sweep)}{_table(sweep)}"


def summary(sweep: "Sweep") -> list[str]:
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


def _table(sweep: "Sweep") -> str:
    keys = list(dict.fromkeys(key for outcome in sweep.outcomes for key in outcome.member.values))
    metrics = list(dict.fromkeys(name for outcome in sweep.outcomes for name in outcome.metrics))
    heads = [("run", True), *((key, False) for key in keys), *((name, False) for name in metrics)]
    heads += [("parity", True), ("seconds", False)]
    head = "".join(f"<th{' class=text' if text else ''}>{html.escape(name)}</th>" for name, text in heads)
    rows = "".join(_row(outcome, sweep, keys, metrics) for outcome in sweep.outcomes)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(outcome: "Outcome", sweep: "Sweep", keys: Sequence[str], metrics: Sequence[str]) -> str:
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


def _link(outcome: "Outcome", sweep: "Sweep") -> str:
    name = html.escape(outcome.reference or "no record")
    if outcome.folder is None or not (outcome.folder / "report.html").is_file():
        return name
    target = quote(os.path.relpath(outcome.folder / "report.html", sweep.page.parent))
    return f'<a href="{target}">{name}</a>'


def _plot(sweep: "Sweep") -> str:
    """The metric over each parameter that the sweep varies, as an image inside the page."""
    metric = sweep.metric or next(iter(sweep.finished[0].metrics), None) if sweep.finished else None
    keys = list(dict.fromkeys(key for outcome in sweep.finished for key in outcome.member.values))[:_MOST_PANELS]
    if metric is None or not keys:
        return ""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(min(4.0 * len(keys) + 1.0, 14.0), 3.6), dpi=110, layout="constrained")
    axes = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
    points = [outcome for outcome in sweep.finished if metric in outcome.metrics]
    for axis, key in zip(axes, keys, strict=True):
        _panel(axis, key, [(outcome.member.values[key], outcome.metrics[metric]) for outcome in points])
        if sweep.best is not None:
            place = _places([outcome.member.values[key] for outcome in points])[0][points.index(sweep.best)]
            axis.plot([place], [sweep.best.metrics[metric]], "o", color="tab:green", label="best")
    axes[0].set_ylabel(metric)
    if sweep.best is not None:
        axes[-1].legend()
    image = io.BytesIO()
    figure.savefig(image, format="png")
    coded = base64.b64encode(image.getvalue()).decode()
    told = html.escape(f"{metric} of {len(points)} members by {', '.join(keys)}", quote=True)
    return f'<p><img alt="{told}" src="data:image/png;base64,{coded}"></p>'


def _panel(axis: Any, key: str, points: Sequence[tuple[str, float]]) -> None:
    places, labels = _places([text for text, _ in points])
    axis.plot(places, [value for _, value in points], "o", alpha=0.6)
    axis.set_xlabel(key)
    axis.grid(alpha=0.3)
    if labels:
        axis.set_xticks(range(len(labels)), [label[:16] for label in labels])
    elif min(places) > 0 and max(places) / min(places) > _WIDE:
        axis.set_xscale("log")
    elif all(place.is_integer() for place in places):
        axis.locator_params(axis="x", integer=True)


def _places(texts: Sequence[str]) -> tuple[list[float], list[str]]:
    """Where values stand on an axis, and its labels: numbers at themselves, other texts one beside the other."""
    try:
        return [float(text) for text in texts], []
    except ValueError:
        labels = list(dict.fromkeys(texts))
        return [float(labels.index(text)) for text in texts], labels
