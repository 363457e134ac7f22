"""Every metric of a challenger against the champion: value, the pipeline's own metrics, losses, each with its test."""

import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline_lib.comparison.answer import Measured
from pipeline_lib.comparison.delong import auc_difference
from pipeline_lib.comparison.judge import Judge
from pipeline_lib.comparison.mcnemar import with_mcnemar
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means, difference_of_metric, identical
from pipeline_lib.comparison.score import target_frame
from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.comparison.task import unknown_labels
from pipeline_lib.errors import InputError

VALUE, _ERROR = "value", "error"
_SAME = 1e-9
"""Relative difference up to which two metrics of the same rows are one."""
_COINCIDENCES = (0.0, 0.5, 1.0)
"""Scores that different metrics share by chance, where both models have them."""
Array = np.ndarray[Any, Any]


def measured(scored: Scored, challenger: Side, judge: Judge | None, names: tuple[str, ...] = ()) -> list[Measured]:
    """All metrics: the value, those of the pipeline's `metrics`, METRIC first, then losses that are means over rows.

    A metric of the pipeline that is such a loss, the AUC, the mean value or its negative, has its test; others are
    resampled. `names` are those of several targets.
    """
    standard = [*_losses(scored, challenger), *_auc(scored, challenger)]
    worth = list(_value(scored, challenger))
    known = [*standard, *(_complement(each) for each in standard if each.name == _ERROR)]
    known += [*worth, *map(_cost, worth)]
    own = list(_own_metrics(scored, challenger, judge, names, known)) if judge else []
    values = {(each.champion, each.challenger) for each in own}
    return [*worth, *own, *(each for each in standard if not _is_known(each, values))]


def _is_known(each: Measured, values: Collection[tuple[float, float]]) -> bool:
    """Whether a metric of the pipeline is the same one under its own name; accuracy is the complement of the error."""
    forms = (each, _complement(each)) if each.name == _ERROR else (each,)
    telling = each.champion != each.challenger or each.champion not in _COINCIDENCES
    return telling and any(_same(form, *pair) for pair in values for form in forms)


def _complement(error: Measured) -> Measured:
    """The accuracy that belongs to an error rate, with the same test."""
    one = error.difference
    if one is None:
        return error
    champion, challenger = 1 - error.champion, 1 - error.challenger
    turned = replace(
        one, champion=champion, challenger=challenger, estimate=-one.estimate, low=-one.high, high=-one.low
    )
    return replace(error, direction="maximize", champion=champion, challenger=challenger, difference=turned)


def _cost(worth: Measured) -> Measured:
    """The cost that is the negative of a value, with the same test."""
    one = worth.difference
    if one is None:
        return worth
    turned = replace(
        one,
        champion=-one.champion,
        challenger=-one.challenger,
        estimate=-one.estimate,
        low=-one.high,
        high=-one.low,
    )
    return _measured("cost", "minimize", turned)


def _same(each: Measured, champion: float, challenger: float) -> bool:
    return math.isclose(each.champion, champion, rel_tol=_SAME) and math.isclose(
        each.challenger, challenger, rel_tol=_SAME
    )


def _value(scored: Scored, challenger: Side) -> Iterator[Measured]:
    if scored.champion.value is None or challenger.value is None:
        return
    difference = _means(scored, scored.champion.value, challenger.value)
    yield _measured(VALUE, "maximize", difference, scored.unit)


def _means(scored: Scored, champion: Array, challenger: Array) -> PairedDifference:
    return difference_of_means(champion, challenger, groups=scored.groups, order=scored.order)


def _measured(name: str, direction: Any, difference: PairedDifference, unit: str = "") -> Measured:
    return Measured(name, direction, difference.champion, difference.challenger, difference, difference.p, unit)


def _losses(scored: Scored, challenger: Side) -> Iterator[Measured]:
    for name, losses in challenger.losses.items():
        if name not in scored.champion.losses:
            continue
        difference = _means(scored, scored.champion.losses[name], losses)
        if name == _ERROR and scored.groups is None and scored.order is None and scored.kind != "several targets":
            difference = with_mcnemar(difference, scored.champion.losses[name] == 0, losses == 0)
        yield _measured(name, "minimize", difference)


def _auc(scored: Scored, challenger: Side) -> Iterator[Measured]:
    chances = (scored.champion.probabilities, challenger.probabilities)
    if scored.kind != "binary" or chances[0] is None or chances[1] is None:
        return
    positive = np.asarray(scored.target == scored.classes[1])
    if positive.all() or not positive.any():
        return
    difference = auc_difference(positive, chances[0][:, 1], chances[1][:, 1], groups=scored.groups, order=scored.order)
    yield _measured("AUC", "maximize", difference)


def _own_metrics(
    scored: Scored, challenger: Side, judge: Judge, names: tuple[str, ...], standard: Sequence[Measured]
) -> Iterator[Measured]:
    """The metrics of the pipeline module; all that are resampled come from one evaluation of each resample."""
    champion = _evaluated(scored, scored.champion, judge, names)
    other = _evaluated(scored, challenger, judge, names)
    whole = np.arange(len(scored.target))
    one, two = champion(whole), other(whole)
    for name in sorted((each for each in one if each in two), key=lambda each: not judge.decides(each)):
        direction = judge.direction(name)
        known = next(
            (each for each in standard if each.champion != each.challenger and _same(each, one[name], two[name])), None
        )
        if _answers_alike(scored.champion, challenger):
            yield _measured(name, direction, identical(one[name], two[name], len(whole), None, "none"))
        elif known and known.difference:
            yield _measured(name, direction or known.direction, known.difference)
        else:

            def pair(rows: Array, name: str = name) -> tuple[float, float]:
                return champion(rows).get(name, np.nan), other(rows).get(name, np.nan)

            difference = difference_of_metric(pair, len(whole), groups=scored.groups, order=scored.order)
            yield _measured(name, direction, difference)


def _answers_alike(champion: Side, challenger: Side) -> bool:
    """Whether two models give the same answers for every row."""
    chances = (champion.probabilities, challenger.probabilities)
    alike = chances[0] is chances[1] or (
        chances[0] is not None and chances[1] is not None and np.array_equal(chances[0], chances[1])
    )
    return alike and np.array_equal(champion.predictions, challenger.predictions)


def _evaluated(scored: Scored, side: Side, judge: Judge, names: tuple[str, ...]) -> Callable[[Array], dict[str, float]]:
    """A side's metrics on some rows, kept, since every metric is asked for on the same resamples.

    Where `metrics` refuses a resample, as one without a class, there are none.
    """
    kept: dict[bytes, dict[str, float]] = {}
    advice = _advice(scored)

    def metrics(rows: Array) -> dict[str, float]:
        key = hashlib.blake2b(rows.tobytes(), digest_size=16).digest()
        if key not in kept:
            chances = None if side.probabilities is None else side.probabilities[rows]
            target = target_frame(scored.target[rows], names)
            try:
                kept[key] = judge.metrics(target, side.predictions[rows], chances, advice)
            except InputError:
                if len(rows) == len(scored.target) and (rows == np.arange(len(rows))).all():
                    raise
                kept[key] = {}
        return kept[key]

    return metrics


def _advice(scored: Scored) -> str:
    """Why `metrics` may refuse the labels of these rows, and what to do; empty where nothing is unusual."""
    if scored.kind not in ("binary", "multiclass"):
        return ""
    values = scored.target.tolist()
    unknown = unknown_labels(values, scored.classes)
    if unknown:
        shown = ", ".join(map(repr, list(dict.fromkeys(unknown))[:5]))
        return f"{len(unknown):,} rows have a true value that no model knows ({shown}): correct them, or leave them out"
    absent = [label for label in scored.classes if label not in set(values)]
    if absent:
        return f"no row has the true value {absent[0]!r}: compare on rows with each label, --on FILE"
    return ""
