"""The page of a sweep: its summary in sentences, the plot, the best members, all members folded."""

import os
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from pipeline_lib.records.layout import REPORT
from pipeline_lib.sweeps.member_result import MemberResult, SweepResults
from pipeline_lib.sweeps.plot import metric_by_parameters
from pipeline_lib.system.html_page import Kind, Markup, bullets, element, folded, joined, summary_box, table, write_page

_BEST_SHOWN = 10
"""Members in the open table of a page; all of them are in the folded one."""


def summary(sweep: SweepResults) -> list[str]:
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


def as_html(sweep: SweepResults) -> Markup:
    """The sweep as a fragment of HTML: summary, plot, the best members, failures, all members folded."""
    bad = sweep.failed or any(result.parity is False for result in sweep.results)
    box = summary_box(*summary(sweep), kind="bad" if bad else "warn" if sweep.interrupted else "good")
    failures = [f"{result.member.label}: {result.error}" for result in sweep.failed]
    failed = joined(element("h2", "Failed members"), bullets(failures)) if failures else Markup()
    everything = folded(f"All {len(sweep.results)} members", _members(sweep, sweep.results, technical=True))
    return joined(box, _plot(sweep), _members(sweep, sweep.finished[:_BEST_SHOWN]), failed, everything)


def write_sweep_page(sweep: SweepResults) -> None:
    """Write the sweep's page, with links to the members' reports."""
    keys = " and ".join(_parameters(sweep.results)) or "parameters"
    extreme = "highest" if sweep.direction == "maximize" else "lowest"
    question = f"which values of {keys} give the {extreme} {sweep.metric}?"
    if not sweep.metric:
        question = f"what do the values of {keys} change?"
    write_page(sweep.page, f"{sweep.pipeline}: {question}", as_html(sweep))


def _parameters(results: Sequence[MemberResult]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.member.values))


def _members(sweep: SweepResults, results: Sequence[MemberResult], *, technical: bool = False) -> Markup:
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


def _kind(result: MemberResult, sweep: SweepResults) -> Kind:
    if result.error is not None or result.parity is False:
        return "bad"
    return "good" if result is sweep.best else ""


def _numeric(parameters: Sequence[str], results: Sequence[MemberResult]) -> list[str]:
    """The parameters whose values are all numbers."""
    typed = {key: [result.member.typed.get(key) for result in results] for key in parameters}
    return [key for key, values in typed.items() if all(type(value) in (int, float) for value in values)]


def _link(result: MemberResult, sweep: SweepResults) -> object:
    """The id of a member's record, linked to its report where there is one."""
    name = (result.reference or "no record").rpartition("/")[2]
    if result.folder is None or not (result.folder / REPORT).is_file():
        return name
    return element("a", name, href=quote(os.path.relpath(result.folder / REPORT, sweep.page.parent)))


def _plot(sweep: SweepResults) -> Markup:
    """The metric over each parameter that the sweep varies, as an image inside the page."""
    metric = sweep.metric or next(iter(sweep.finished[0].metrics), None) if sweep.finished else None
    points = [result for result in sweep.finished if metric in result.metrics]
    if metric is None or not any(result.member.values for result in points):
        return Markup()
    best = points.index(sweep.best) if sweep.best is not None else None
    return metric_by_parameters(metric, [(one.member.values, one.metrics[metric]) for one in points], best)
