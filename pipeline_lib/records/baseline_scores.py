"""How far a run is from its baselines: answers without a model, scored by the pipeline's own metrics and value.

`baseline.json` of a record keeps what `run.compile(..., target=y_train)` saw of the training target, and the scores
that `run.metrics` computed on the evidence. Here they are read, and compared with the model's own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import BASELINE, METRICS
from pipeline_lib.records.metric_direction import Metric, direction_of
from pipeline_lib.records.record import REPAIR, Record
from pipeline_lib.records.recorded_threshold import RecordedThreshold, recorded_threshold
from pipeline_lib.records.recorded_value import RecordedValue, amount, recorded_value

NO_BASELINE = "no baseline: pass target=y_train to run.compile"
_WORSE = "NO BETTER THAN"


@dataclass(frozen=True)
class BaselineScore:
    """One baseline on the evidence: its metrics by name, its mean value, and why it has none where it has none."""

    name: str
    metrics: Mapping[str, float]
    value: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values, as `baseline.json` has them."""
        return {"name": self.name, "metrics": dict(self.metrics), "value": self.value, "note": self.note}


@dataclass(frozen=True)
class Distance:
    """The model and its best baseline by one measure; `better` is whether the model is."""

    measure: str
    model: float
    baseline: float
    name: str
    better: bool
    unit: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values, as manifests and `runs --json` have them."""
        return {"measure": self.measure, "baseline": self.name, "score": self.baseline, "better": self.better}

    def __str__(self) -> str:
        verdict = "better than" if self.better else _WORSE
        if self.unit:
            own, other = amount(self.model), amount(self.baseline)
            gain = f" ({amount(self.model - self.baseline)})"
            return f"value {own} {self.unit} a row, {verdict} the best baseline ({self.name}): {other}{gain}"
        own, other = told_apart(self.model, self.baseline)
        return f"{self.measure} {own}, {verdict} the best baseline ({self.name}): {other}"


@dataclass(frozen=True)
class RunScores:
    """What a record says of a run's worth: its metrics, its value, its baselines, the distance to the best of them."""

    metrics: Mapping[str, float]
    value: RecordedValue | None
    baselines: tuple[BaselineScore, ...]
    distances: tuple[Distance, ...]
    has_baseline: bool
    threshold: RecordedThreshold | None = None

    @property
    def worse(self) -> bool:
        """Whether a baseline is as good as the model, or better, by the deciding metric or by value."""
        return any(not distance.better for distance in self.distances)

    @property
    def lines(self) -> tuple[str, ...]:
        """The distances as sentences; the value alone, or the missing baseline, where there is none."""
        lines = [str(distance) for distance in self.distances]
        if self.value and not any(distance.unit for distance in self.distances):
            lines.append(f"value {self.value}")
        lines += [str(self.threshold)] if self.threshold else []
        return (*lines, *(() if self.has_baseline else (NO_BASELINE,)))

    def to_json(self) -> dict[str, Any]:
        """JSON values for a manifest, `show --json` and `runs --json`; a part that the record lacks is None."""
        return {
            "value": self.value.to_json() if self.value else None,
            "baseline": [distance.to_json() for distance in self.distances] if self.has_baseline else None,
            "threshold": self.threshold.to_json() if self.threshold else None,
        }


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with four digits, or with as many as show that they differ."""
    digits = next((each for each in (4, 6, 9) if f"{a:.{each}g}" != f"{b:.{each}g}"), 17 if a != b else 4)
    return f"{a:,.{digits}g}", f"{b:,.{digits}g}"


def is_warning(line: str) -> bool:
    """Whether one of `RunScores.lines` says that the model is no better than a baseline."""
    return _WORSE in line


def run_scores(record: Record, metric: Metric | None) -> RunScores:
    """Read a record's metrics, value and baselines; `metric` is the pipeline's METRIC.

    Without one, the first metric whose name says what is better decides. Raises InputError for damaged files.
    """
    metrics, value = record.read_json(METRICS) or {}, recorded_value(record)
    content = record.read_json(BASELINE)
    scores = () if content is None else _read_scores(content, record)
    distances = _distances(metrics, value, scores, metric or _first_known(metrics))
    return RunScores(metrics, value, scores, tuple(distances), content is not None, recorded_threshold(record))


def _read_scores(content: Any, record: Record) -> tuple[BaselineScore, ...]:
    try:
        return tuple(BaselineScore(**score) for score in content.get("scores", ()))
    except (TypeError, AttributeError) as error:
        raise InputError(
            f"{record.folder / BASELINE}: found {error}, expected scores as `run.metrics` keeps them; "
            f"{REPAIR.format(record.reference)}"
        ) from error


def _first_known(metrics: Mapping[str, float]) -> Metric | None:
    named = ((name, direction_of(name)) for name in metrics)
    return next((Metric(name, direction) for name, direction in named if direction), None)


def _distances(
    metrics: Mapping[str, float],
    value: RecordedValue | None,
    scores: Sequence[BaselineScore],
    metric: Metric | None,
) -> Iterator[Distance]:
    if metric and metric.name in metrics:
        sign = 1.0 if metric.direction == "maximize" else -1.0
        found = _best(scores, lambda score: score.metrics.get(metric.name), sign)
        if found:
            own = metrics[metric.name]
            yield Distance(metric.name, own, found[1], found[0], sign * own > sign * found[1])
    if value:
        found = _best(scores, lambda score: score.value, 1.0)
        if found:
            yield Distance("value", value.mean, found[1], found[0], value.mean > found[1], value.unit)


def _best(
    scores: Sequence[BaselineScore], measured: Callable[[BaselineScore], float | None], sign: float
) -> tuple[str, float] | None:
    """Name and score of the best baseline; None where none has a score."""
    known = [(score.name, number) for score in scores if (number := measured(score)) is not None]
    return max(known, key=lambda pair: sign * pair[1], default=None)
