"""The box at the head of a report: what was found, whether to trust it, on which data, and what to ask next."""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline_lib.records.baseline_scores import NO_BASELINE, Distance, RunScores, run_scores, told_apart
from pipeline_lib.records.champion import Champion
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.layout import TRAINING
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import Record
from pipeline_lib.records.report_body import in_short
from pipeline_lib.system.html_page import Markup, element, summary_box
from pipeline_lib.system.number_text import number_text

_CHAMPION_METRICS = 3  # figures of the champion in the box
_WITHOUT_MODEL = {
    "mean": "the mean for every row",
    "median": "the median for every row",
    "majority": "the commonest label for every row",
    "minority": "the rarest label for every row",
    "seasonal naive": "the value a season before",
    "label shares": "the shares of the labels for every row",
}
"""What the baselines answer, in words; others are called by their names."""

Fact = tuple[str, str]


def summary(
    record: Record, manifest: dict[str, Any], cells: Sequence[Any] = (), champion: Champion | None = None
) -> Markup:
    """How the run ended, the first sentences of its conclusion, its headline figures; the error of a failed one."""
    status = str(manifest["status"])
    finished = status == "finished"
    lines: list[object] = [] if finished else [f"{status} in {manifest['times']['seconds']:.1f} s"]
    forgotten = forgotten_in(manifest)
    if manifest.get("error"):
        lines.append(element("span", manifest["error"]["message"], class_="error"))
    if finished:
        scores = run_scores(record, Metric.from_json(manifest.get("metric")))
        lines += [_verdict(scores), *in_short(cells)]
    if forgotten:
        lines.append(f"{forgotten}; outputs of the notebook are gone with them")
    if not finished:
        return summary_box(*lines, kind="bad")
    facts = [*_figures(scores), *_champion(scores, champion, record), *_data(record, manifest)]
    if not forgotten:
        facts.append(("to check", f"pipeline-lib parity {record.reference}"))
    return summary_box(*lines, facts=facts, kind="warn" if scores.worse else "good")


def _verdict(scores: RunScores) -> Markup:
    """Whether the model is better than answers without one, and by which measures it is not."""
    worse = [_measure(distance) for distance in scores.distances if not distance.better]
    if worse:
        by = " and ".join(worse)
        return element("span", f"By {by} the model is NO BETTER THAN the best answer without a model.", class_="worse")
    if scores.distances:
        return element("span", "The model is better than the best answer without a model.")
    return element("span", "Finished." if scores.has_baseline else f"Finished; {NO_BASELINE}")


def _measure(distance: Distance) -> str:
    return distance.measure.replace("_", " ")


def _figures(scores: RunScores) -> Iterator[Fact]:
    """The metric that decides and the value of a row, each beside the best answer without a model; the threshold."""
    for distance in scores.distances:
        without = _WITHOUT_MODEL.get(distance.name, distance.name)
        if distance.unit:
            gain = distance.model - distance.baseline
            change = f"a {'gain' if gain > 0 else 'loss'} of {number_text(abs(gain))}" if gain else "no gain"
            own, other = _signed(distance.model), _signed(distance.baseline)
            yield "value", f"{own} {distance.unit} a row; without a model {other} ({without}): {change}"
        else:
            own, other = number_text(distance.model), number_text(distance.baseline)
            if own == other:
                own, other = told_apart(distance.model, distance.baseline)
            side = "smaller" if distance.better == (distance.model < distance.baseline) else "larger"
            better = f"; {side} is better" if distance.model != distance.baseline else ""
            yield _measure(distance), f"{own}; without a model {other} ({without}){better}"
    if scores.value and not any(distance.unit for distance in scores.distances):
        yield "value", str(scores.value)
    if scores.threshold:
        yield "decision", str(scores.threshold)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number_text(value)}"


def _champion(scores: RunScores, champion: Champion | None, record: Record) -> list[Fact]:
    """The champion with the metrics that this run has, too."""
    if champion is None or champion.record.reference == record.reference:
        return []
    own = [f"{name} {number_text(value)}" for name, value in champion.metrics.items() if name in scores.metrics]
    figures = f": {', '.join(own[:_CHAMPION_METRICS])}, on its own rows" if own else ""
    compared = f"pipeline-lib compare {record.pipeline}@champion {record.reference}"
    return [
        ("in use now", f"the champion {champion.record.reference}{figures}"),
        ("on the same rows", compared),
    ]


def _data(record: Record, manifest: dict[str, Any]) -> list[Fact]:
    """How many rows the run was fitted and judged on, and when; nothing of what a record does not keep."""
    training = record.read_json(TRAINING)
    fitted = f"fitted on {training['rows']:,} rows" if isinstance(training, dict) and "rows" in training else ""
    evidence = record.evidence / "target.parquet"
    judged = f"judged on {_rows_of(evidence):,} others, which the fit did not see" if evidence.is_file() else ""
    parity = (
        "does production give the same answers? That is checked after this page was sealed: "
        f"pipeline-lib report {record.reference} names the page with the verdict"
        if judged
        else ""
    )
    facts = [("data", ", ".join(part for part in (fitted, judged) if part)), ("parity", parity)]
    return [(name, text) for name, text in [*facts, ("date", str(manifest["times"]["started"])[:10])] if text]


def _rows_of(path: Any) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
