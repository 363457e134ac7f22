"""The evidence's rows as doors take them, and whether the bits that come back are those of the evidence."""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.parity.process_settings import AbsentError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows

Answers = dict[str, list[Any]]
"""The outputs of the rows, in their order, by name; a door gives those that its format has."""
MOST_SINGLE = 200
"""So many rows are asked one by one."""


class Asked(Protocol):
    """What is asked: rows of a schema, whose outputs are known by name."""

    @property
    def row(self) -> RowSchema:
        """The schema of the raw rows."""

    @property
    def expected(self) -> Answers:
        """The outputs of the evidence."""


def first_difference(doors: Asked, answers: Answers) -> tuple[int, str] | None:
    """How many answers differ from the evidence, and the first in words; None where every bit is the same."""
    hidden = bool(doors.row.sensitive)
    wrong, first = 0, ""
    for name, found in answers.items():
        if name not in doors.expected:
            return 1, f"found the output {name}, which the evidence does not have"
        expected = doors.expected[name][: len(found)]
        least = min(len(doors.expected[name]), MOST_SINGLE)
        if len(found) < least or len(found) > len(doors.expected[name]):
            return 1, f"{name}: found {len(found):,} answers, expected {len(doors.expected[name]):,}"
        for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
            if not _is_same(ours, theirs):
                shown = "" if hidden else f": found {ours!r}, expected {theirs!r}"
                first = first or f"{name}: row {number}{shown}"
                wrong += 1
    if not set(answers) & set(doors.expected):
        return 1, "found no output, expected predictions"
    return (wrong, first) if wrong else None


def _is_same(ours: Any, theirs: Any) -> bool:
    """Whether two answers have the same bits; what JSON has no number for is null there."""
    if isinstance(theirs, float):
        if not math.isfinite(theirs) and ours is None:
            return True
        if isinstance(ours, int) and not isinstance(ours, bool):
            ours = float(ours)
        return isinstance(ours, float) and (ours.hex() == theirs.hex() or (ours != ours and theirs != theirs))
    theirs = theirs.isoformat() if isinstance(theirs, date) and isinstance(ours, str) else theirs
    return type(ours) is type(theirs) and ours == theirs


def json_rows(doors: Asked, inputs: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows as JSON has them. AbsentError for infinite numbers."""
    for values in inputs.columns:
        if pa.types.is_floating(values.type) and pc.any(pc.is_inf(values)).as_py():
            raise AbsentError("JSON has no infinite numbers, and the rows hold some")
    return map(json_row, as_rows(inputs, doors.row))


def json_row(value: Any) -> Any:
    """A value of a row as JSON has it: null for NaN, text for a date."""
    if isinstance(value, dict):
        return {name: json_row(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(json_row, value))
    if isinstance(value, float) and value != value:
        return None
    return value.isoformat() if isinstance(value, date) else value


def of_table(table: pa.Table, doors: Asked) -> Answers:
    """The outputs in a table."""
    return {name: table[name].to_pylist() for name in doors.expected}


def of_rows(rows: Sequence[dict[str, Any]], doors: Asked) -> Answers:
    """The outputs in rows."""
    return {name: [row[name] for row in rows] for name in doors.expected}


def of_answers(predictions: Sequence[Any], probabilities: Sequence[Any] | None, doors: Asked) -> Answers:
    """Predictions, of several targets lists of them, and probabilities by label, as outputs by name."""
    names = [name for name in doors.expected if name.partition("[")[0] == "prediction"]
    columns = zip(*predictions, strict=True) if len(names) > 1 else [predictions]
    answers = {name: list(values) for name, values in zip(names, columns, strict=True)}
    for name in doors.expected:
        if probabilities is not None and name.startswith("probability["):
            answers[name] = [row[name.partition("[")[2][:-1]] for row in probabilities]
    return answers
