"""Every model answers the same labelled rows; rows that one has seen or refuses are left out and counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.comparison.contenders import Answers, Contender, answers_of
from pipeline_lib.comparison.held_out import LabelledRows
from pipeline_lib.comparison.judge import Judge
from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.comparison.task import aligned, all_labels, task_of, true_values
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.losses import Kind, losses_of
from pipeline_lib.records.layout import BASELINE
from pipeline_lib.runner.baselines import read_baselines

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Rows:
    """The rows that count, with what judging them needs."""

    table: pa.Table
    target: Array
    kind: Kind
    labels: tuple[Any, ...]
    names: tuple[str, ...]
    judge: Judge | None


def score(
    contenders: Sequence[Contender], given: LabelledRows, judge: Judge | None, unseen: Array
) -> tuple[Scored, dict[str, int]]:
    """The models on the rows of the mask `unseen` that all of them answer, and how many rows each one refuses.

    Raises InputError where no row is left, and where the models do not answer the same question.
    """
    answers = [answers_of(one, given.rows, given.context) for one in contenders]
    refusals = {
        one.reference: int((each.refused & unseen).sum()) for one, each in zip(contenders, answers, strict=True)
    }
    kept = np.flatnonzero(unseen & ~np.logical_or.reduce([each.refused for each in answers]))
    if not len(kept):
        reasons = "; ".join(reason for each in answers for reason in each.reasons)
        raise InputError(
            f"found no row left of {given.shown} that every model answers and none has seen, expected some"
            f"{f' ({reasons})' if reasons else ''}; compare on fresh labelled rows: --on FILE"
        )
    shape = answers[1].predictions.shape
    if shape != given.target.shape and given.target.size == answers[1].predictions.size:  # one target, as a column
        given = replace(given, target=given.target.reshape(shape))
    for one, each in zip(contenders, answers, strict=True):
        if each.predictions.shape[1:] != given.target.shape[1:]:
            raise InputError(
                f"{one.reference}: found {_targets(each.predictions)} that it predicts and {_targets(given.target)} "
                f"with true values in {given.shown}, expected as many; give the true values of what the models predict"
            )
    kind, labels = task_of(contenders, given.target), all_labels(contenders)
    target = true_values(given.target, kind, labels, given.shown)[kept]
    rows = _Rows(given.rows.take(pa.array(kept)), target, kind, labels, given.names, judge)
    sides = [_side(one, each, rows, kept) for one, each in zip(contenders, answers, strict=True)]
    follows = not given.fresh and len(kept) == given.rows.num_rows
    scored = Scored(
        rows.table,
        given.row,
        target,
        kind,
        labels,
        tuple(sides),
        baselines=_baselines(contenders[1], rows, follows_training=follows),
        groups=_groups(rows.table, given),
        order=_order(rows.table, given.row.time or _time_of(contenders[-1])),
        unit=judge.unit if judge and all(side.value is not None for side in sides) else "",
        params=judge.params if judge else None,
    )
    return scored, {name: count for name, count in refusals.items() if count}


def _targets(values: Array) -> str:
    count = values.shape[1] if values.ndim > 1 else 1
    return f"{count} column{'s' if count > 1 else ''}"


def _side(one: Contender, answers: Answers, rows: _Rows, kept: Array) -> Side:
    predictions = answers.predictions[kept]
    chances = aligned(answers, one, rows.labels)
    return side_of(one.reference, predictions, None if chances is None else chances[kept], rows, one)


def side_of(name: str, predictions: Array, chances: Array | None, rows: Any, one: Contender | None = None) -> Side:
    """A model's predictions with their losses and, where the pipeline exports one, their value."""
    losses = losses_of(rows.target, predictions, chances, rows.kind, rows.labels)
    worth = None
    if rows.judge:
        own = rows.table.select([n for n in rows.table.column_names if n in _known(rows.judge)])
        worth = rows.judge.value(target_frame(rows.target, rows.names), predictions, own, chances)
    return Side(name, predictions, chances, losses, worth, one.record if one else None)


def _baselines(challenger: Contender, rows: _Rows, *, follows_training: bool) -> tuple[Side, ...]:
    """The baselines that the challenger's run kept, on the same rows; none where it kept none."""
    if not (challenger.record.folder / BASELINE).is_file():
        return ()
    known = read_baselines(challenger.record)
    answers = known.predictions(len(rows.target), target=rows.target, follows_training=follows_training)
    sides = []
    for name, (predictions, chances) in answers.items():
        if chances is not None and known.labels:
            order = [list(known.labels).index(label) if label in known.labels else -1 for label in rows.labels]
            chances = np.column_stack([chances, np.zeros(len(chances))])[:, order]
        sides.append(side_of(name, predictions, chances, rows))
    return tuple(sides)


def _known(judge: Judge) -> tuple[str, ...]:
    from pipeline_lib.rows.model import schema_of

    return schema_of(judge.module.Row).names


def target_frame(target: Array, names: Sequence[str]) -> Any:
    """True values as `metrics` and `value` get them: a Series, or a DataFrame of several targets."""
    import pandas as pd

    if target.ndim == 1:
        return pd.Series(target)
    return pd.DataFrame(target, columns=list(names) or None)


def _groups(table: pa.Table, given: LabelledRows) -> Array | None:
    """To which entity each row belongs, as numbers; a missing entity is one of its own."""
    name = given.row.entity
    if not name or name not in table.column_names:
        return None
    codes: Array = np.asarray(table[name].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False))
    codes = np.nan_to_num(codes.astype(np.float64), nan=-1.0).astype(np.int64)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=0) + 1 + np.arange(len(alone))
    return codes if len(np.unique(codes)) < len(codes) else None


def _time_of(one: Contender) -> str | None:
    """The column of times that a model over earlier rows has declared."""
    return one.model.plan.tables[0].time if one.model.context else None


def _order(table: pa.Table, name: str | None) -> Array | None:
    if not name or name not in table.column_names:
        return None
    return np.asarray(table[name].to_numpy(zero_copy_only=False))
