"""Labels that come later: true values in a file of their own, joined to rows by a key.

A row counts once its label is due: its time, and the delay, are not after the date of the comparison. A label that came
early does not count before, since early labels are often of one kind: a claim that was settled at once.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.csv_rows import TextOptions
from pipeline_lib.scoring.input_files import InputFile, input_files
from pipeline_lib.scoring.read_blocks import AbsentColumnError, read_blocks

_DELAY = re.compile(r"(\d+)([dwh])")
_UNITS = {"d": timedelta(days=1), "w": timedelta(weeks=1), "h": timedelta(hours=1)}
_CONFLICT = object()
"""What stands for the label of a key that has two."""


@dataclass(frozen=True)
class LateLabels:
    """A file of labels: the column `key` says to which row one belongs; it is due `delay` after the row's time.

    `as_of` is the date of the comparison.
    """

    file: str
    key: str
    as_of: date
    delay: timedelta = timedelta(0)

    @property
    def last_due(self) -> datetime:
        """Rows before this time have their label by the end of the date of the comparison."""
        return datetime.combine(self.as_of + timedelta(days=1), time()) - self.delay


@dataclass(frozen=True)
class Joined:
    """The label of each row, None for a row that does not count, and what must be said of the others."""

    values: list[Any]
    notes: tuple[str, ...]


def parse_delay(text: str) -> timedelta:
    """A delay such as `30d`, `4w` or `12h`. Raises InputError for other text.

    >>> parse_delay("30d").days, parse_delay("4w").days
    (30, 28)
    """
    parts = _DELAY.fullmatch(text.strip())
    if parts is None:
        raise InputError(f"--label-delay: found {text!r}, expected a time such as 30d, 4w or 12h; write one")
    return int(parts[1]) * _UNITS[parts[2]]


def join_labels(
    late: LateLabels,
    target: str,
    keys: Sequence[Any],
    times: Sequence[Any] | None,
    options: TextOptions,
) -> Joined:
    """The labels of rows, given the key of each row and its time (a date or datetime; None where `Row` has none).

    Raises InputError for a file without the columns `key` and `target`, and for a delay where rows have no time.
    """
    if late.delay and times is None:
        raise InputError(
            "--label-delay: found no column of time in Row, expected one, by which a label is due; mark it: "
            'Field(json_schema_extra={"time": True}), or leave the delay out'
        )
    given = list(_labels(late, target, options))
    by_key: dict[str, Any] = {}
    for key, value in given:
        by_key[key] = value if by_key.get(key, value) == value else _CONFLICT
    due = [True] * len(keys) if times is None or not late.delay else [_is_due(each, late.last_due) for each in times]
    own = [_key_text(key) for key in keys]
    found = [by_key.get(key) if key is not None else None for key in own]
    values = [value if is_due and value is not _CONFLICT else None for value, is_due in zip(found, due, strict=True)]
    return Joined(values, tuple(_notes(late, given, own, found, due)))


def labelled_files(path: str) -> tuple[InputFile, ...]:
    """The files that a path names. Raises InputError for none, and for an ending that names no format.

    What `predict` advises there, `--format` and `--query`, are no options of a comparison.
    """
    try:
        return tuple(input_files(path, None))
    except InputError as error:
        text, said, _ = str(error).partition(", or say --format")
        if not said:
            raise
        raise InputError(text) from None


def labelled_blocks(file: str, row: RowSchema, columns: dict[str, str], options: TextOptions) -> Iterator[Block]:
    """The blocks of a file with these columns besides those of `row`; each column has its option, as `--target`.

    Raises InputError, which names the option, for a file without one of them.
    """
    try:
        yield from read_blocks(labelled_files(file), row, keep=tuple(columns), options=options)
    except AbsentColumnError as error:
        meaning = "true values" if columns[error.column] == "--target" else "keys, by which labels and rows belong"
        raise InputError(
            f"{error.file}: found no column {error.column} of {meaning}, expected it among {error.listed}; add it, or "
            f"name another one: {columns[error.column]} COLUMN"
        ) from None


def _labels(late: LateLabels, target: str, options: TextOptions) -> Iterator[tuple[str, Any]]:
    """Keys and labels of the file, without those that are missing."""
    schema = RowSchema((Column(late.key, "string", nullable=True),))
    for block in labelled_blocks(late.file, schema, {late.key: "--label-key", target: "--target"}, options):
        for key, value in zip(block.raw[late.key].to_pylist(), block.raw[target].to_pylist(), strict=True):
            text = _key_text(key)
            if text is not None and value is not None and value != "" and value == value:
                yield text, value


def _key_text(key: Any) -> str | None:
    """A key as text, so that 7 in one file and "7" in another are the same; None for a missing one."""
    if key is None or key == "" or key != key:
        return None
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def _is_due(moment: Any, last: datetime) -> bool:
    """Whether a row's time is before the last one whose label is due; a row without a time never is."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        return bool(moment < last)
    return isinstance(moment, date) and datetime.combine(moment, time()) < last


def _notes(
    late: LateLabels,
    given: Sequence[tuple[str, Any]],
    own: Sequence[str | None],
    found: Sequence[Any],
    due: Sequence[bool],
) -> Iterator[str]:
    """What does not count, and why, each with its number."""
    rows, labels = set(own), Counter(key for key, _ in given)
    waiting = sum(not is_due for is_due in due)
    absent = sum(value is None and is_due for value, is_due in zip(found, due, strict=True))
    conflicting = sum(value is _CONFLICT and is_due for value, is_due in zip(found, due, strict=True))
    shared = sum(count for count in Counter(key for key in own if key is not None).values() if count > 1)
    twice, alone = sum(count > 1 for count in labels.values()), sum(key not in rows for key in labels)
    if waiting:
        yield f"{waiting:,} rows are left out whose label is due after {late.as_of.isoformat()}"
    if absent:
        yield f"{absent:,} rows whose label is due have none in {late.file}"
    if conflicting:
        yield f"{conflicting:,} rows are left out whose {late.key} has different labels in {late.file}"
    if twice:
        yield f"{twice:,} values of {late.key} are more than once in {late.file}"
    if alone:
        yield f"{alone:,} labels in {late.file} belong to no row"
    if shared:
        yield f"{shared:,} rows share their {late.key} with another row, and its label"
