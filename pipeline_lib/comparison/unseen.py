"""Which labelled rows no model was fitted on: neither on the row itself nor on its entity."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline_lib.comparison.contenders import Contender
from pipeline_lib.comparison.held_out import LabelledRows
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.training_rows import seen_rows

MOST_SEEN = 0.01
"""Share of seen rows past which `strict` refuses; without it the answer says so."""
_LEAK = "; its own run held these rows out: that is a leak, or a split that does not part them"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Unseen:
    """A mask of the rows that no model has seen; of each model how many it has, and what must be said about it.

    `checked` is False where a model keeps no hashes and the rows were given by hand.
    """

    mask: Array
    seen: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    checked: bool = True


def unseen_rows(contenders: Sequence[Contender], given: LabelledRows, key: str, *, strict: bool) -> Unseen:
    """Compare the rows with the hashed training rows of each model.

    Raises InputError where a record keeps no hashes and the rows were not given by hand as fresh ones, and with
    `strict` where a model has seen more than 1 % of the rows.
    """
    mask = np.ones(given.rows.num_rows, dtype=bool)
    seen: dict[str, int] = {}
    notes: list[str] = []
    checked = True
    held_out_by = None if given.fresh else contenders[1]
    for one in sorted(contenders, key=lambda each: each is not held_out_by):  # a leak of its own is told first
        try:
            hashes = seen_rows(one.record, given.rows, given.row, key)
        except InputError as error:
            if not given.fresh:
                raise
            checked = False
            notes.append(f"taken as fresh for {one.reference}, without a check: {error}")
            continue
        count = int(hashes.any.sum())
        if count:
            seen[one.reference] = count
            note = _note(one.reference, count, int(hashes.rows.sum()), given)
            notes.append(note + _LEAK if one is held_out_by and count > MOST_SEEN * len(mask) else note)
        if strict and count > MOST_SEEN * len(mask):
            raise InputError(
                f"found {count:,} of {given.shown} among those that {one.reference} was fitted on, or of their "
                f"{given.row.entity or 'entities'}, expected at most {MOST_SEEN:.0%} with --strict; leave --strict out "
                "to compare on the others, or name fresh labelled rows: --on FILE"
            )
        mask &= ~hashes.any
    return Unseen(mask, seen, tuple(notes), checked)


def _note(reference: str, count: int, rows: int, given: LabelledRows) -> str:
    total = given.rows.num_rows
    parts = [f"{rows:,} as they are"] if rows else []
    parts += [f"{count - rows:,} by another row of the same {given.row.entity}"] if count > rows else []
    return f"{reference} was fitted on {count:,} of {total:,} rows ({', '.join(parts)}): left out"
