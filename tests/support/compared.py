"""Synthetic comparisons: rows of shops with true values, and two or more models that answer them.

`regression`, `binary`, `multiclass` and `several_targets` give a `Scored` of any number of rows. `skill` says how good
each challenger is: 0 as the champion, larger is better. `hurt` plants a segment, the region `north`, in which every
challenger is worse.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.comparison.answer import Answer, Seen
from pipeline_lib.comparison.differences import differences_by
from pipeline_lib.comparison.measures import measured
from pipeline_lib.comparison.result import Comparison
from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.comparison.sentence import sentence_of, worse_segments_text
from pipeline_lib.comparison.verdict import is_not_worse, verdict_of
from pipeline_lib.evidence.losses import Kind, losses_of
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

REGIONS = ("north", "south", "east", "west")
ROW = RowSchema(
    (
        Column("shop", "integer", entity=True),
        Column("region", "string", allowed=REGIONS),
        Column("size", "number", nullable=True),
        Column("floors", "integer"),
        Column("parking", "boolean"),
        Column("opened", "datetime", time=True),
        Column("owner", "string", sensitive=True),
        Column("sex", "string", sensitive=True, protected=True),
        Column("remark", "string", nullable=True),
    )
)
HTML = '<script>alert("&")</script>'
"""A raw value that a page must escape."""


def rows(count: int, seed: int = 0) -> pa.Table:
    """Raw rows of `ROW`: three rows a shop, some sizes missing or NaN, remarks with HTML in them."""
    draw = np.random.default_rng(seed)
    size = draw.lognormal(5, 0.5, count)
    size[:: max(count // 7, 2)] = np.nan
    columns = {
        "shop": np.arange(count) // 3,
        "region": np.array(REGIONS)[draw.integers(0, 4, count)],
        "size": size,
        "floors": draw.integers(1, 4, count),
        "parking": draw.random(count) < 0.4,
        "opened": np.datetime64("2026-01-01T08:00", "us")
        + draw.integers(0, 300 * 86400, count).astype("timedelta64[s]"),
        "owner": [f"Owner {number}" for number in range(count)],
        "sex": np.where(draw.random(count) < 0.3, "female", "male"),
        "remark": [None if number % 5 else HTML for number in range(count)],
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in ROW.arrow], schema=ROW.arrow)


def regression(count: int = 600, skill: Sequence[float] = (0.3,), hurt: float = 0.0, seed: int = 0) -> Scored:
    """Numbers, with a value in dollars: what a row is worth less what the error costs."""
    draw, table = np.random.default_rng(seed + 1), rows(count, seed)
    target = draw.lognormal(5, 0.6, count)
    shared, north = draw.normal(0, 20, count), np.asarray(table["region"].combine_chunks()) == "north"
    predictions = [target + shared + draw.normal(0, 12, count)]
    predictions += [target + (1 - s) * (shared + draw.normal(0, 12, count)) + hurt * north for s in skill]
    return scored(table, target, predictions, "regression", worth=lambda p: 10.0 - np.abs(p - target) / 10)


def binary(
    count: int = 600,
    skill: Sequence[float] = (0.5,),
    hurt: float = 0.0,
    seed: int = 0,
    labels: tuple[Any, Any] = (0, 1),
) -> Scored:
    """Two labels with probabilities. With `labels` of one's own, the second is the event."""
    draw, table = np.random.default_rng(seed + 1), rows(count, seed)
    signal = draw.normal(0, 1.5, count)
    event = draw.random(count) < 1 / (1 + np.exp(-signal))
    north = np.asarray(table["region"].combine_chunks()) == "north"
    logits = [signal + draw.normal(0, 1.0, count)]
    logits += [signal + draw.normal(0, 1.0, count) / (1 + s) - hurt * north * np.where(event, 1, -1) for s in skill]
    chances = [1 / (1 + np.exp(-each)) for each in logits]
    of_label = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
    return scored(
        table,
        of_label[event.astype(int)],
        [of_label[(chance > 0.5).astype(int)] for chance in chances],
        "binary",
        [np.column_stack([1 - chance, chance]) for chance in chances],
        labels,
    )


def multiclass(count: int = 600, skill: Sequence[float] = (0.5,), seed: int = 0, probable: bool = True) -> Scored:
    """Three labels, one of them with HTML in its name; without probabilities where not `probable`."""
    draw, table = np.random.default_rng(seed + 1), rows(count, seed)
    labels = np.array(["apple", "pear", HTML], dtype=object)
    truth = draw.integers(0, 3, count)
    predictions, probabilities = [], []
    for each in (0.0, *skill):
        scores = (1.0 + each) * np.eye(3)[truth] + draw.normal(0, 1, (count, 3))
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        probabilities.append(chances)
        predictions.append(labels[chances.argmax(axis=1)])
    chosen = probabilities if probable else None
    return scored(table, labels[truth], predictions, "multiclass", chosen, tuple(labels))


def several_targets(count: int = 600, skill: Sequence[float] = (0.5,), seed: int = 0) -> Scored:
    """Two numeric targets of very different size."""
    draw = np.random.default_rng(seed + 1)
    target = np.column_stack([draw.normal(0, 1, count), draw.normal(1e6, 1e5, count)])
    spread = np.array([0.3, 3e4])
    predictions = [target + (1 - s) * spread * draw.normal(0, 1, (count, 2)) for s in (0.0, *skill)]
    return scored(rows(count, seed), target, predictions, "several targets")


def scored(
    table: pa.Table,
    target: np.ndarray[Any, Any],
    predictions: Sequence[np.ndarray[Any, Any]],
    kind: Kind,
    probabilities: Sequence[np.ndarray[Any, Any]] | None = None,
    classes: tuple[Any, ...] = (),
    worth: Any = None,
) -> Scored:
    """Models named shops/champion, shops/challenger-1, ... with their losses, and value where `worth` computes it."""
    sides = []
    for number, prediction in enumerate(predictions):
        chances = probabilities[number] if probabilities is not None else None
        name = "shops/champion" if number == 0 else f"shops/challenger-{number}"
        losses = losses_of(target, prediction, chances, kind, classes)
        sides.append(Side(name, prediction, chances, losses, worth(prediction) if worth else None))
    return Scored(table, ROW, target, kind, classes, tuple(sides), unit="dollars" if worth else "")


def comparison(scored: Scored, margin: float = 0.0, volume: float | None = None) -> Comparison:
    """The comparison of a `Scored`, by value where it has one, else by its first loss."""
    answers = []
    for number, side in enumerate(scored.challengers, 1):
        table = measured(scored, side, None)
        one = table[0]
        assert one.difference is not None
        assert one.direction is not None
        verdict = verdict_of(one.difference, direction=one.direction, margin=margin)
        sentence = sentence_of(
            scored.champion.reference,
            side.reference,
            one,
            verdict,
            rows=len(scored.target),
            margin=margin,
            volume=volume,
        )
        differences = differences_by(scored, number, one.name, margin)
        sentence += worse_segments_text(differences.segments)
        kept = is_not_worse(one.difference, direction=one.direction, margin=margin)
        answers.append(Answer(side.reference, one.name, verdict, sentence, tuple(table), kept, differences))
    seen = Seen(len(scored.target) + 3, 3, {"shops/champion": 3})
    return Comparison(
        "shops/champion",
        tuple(answers),
        scored,
        seen,
        "the held-out rows of shops/challenger-1",
        margin,
        volume,
        "2026-11-30T08:00:00+00:00",
    )
