"""Values that JSON writes as text: dates and times."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform_errors import Problem
from pipeline_lib.scoring.text_values import values_of_text


def is_text(column: Column) -> bool:
    """Whether JSON has only text for the column's values."""
    return column.kind in ("datetime", "date")


def parse_texts(rows: list[dict[str, Any]], columns: Sequence[Column]) -> list[Problem]:
    """Replace the texts of these columns by the values that they say; what is no text stays.

    Returns the problems of texts that say none.
    """
    problems = (_parse(rows, column) for column in columns)
    return [problem for problem in problems if problem]


def _parse(rows: list[dict[str, Any]], column: Column) -> Problem | None:
    numbers = [number for number, row in enumerate(rows) if isinstance(row.get(column.name), str)]
    if not numbers:
        return None
    try:
        texts = pa.array([rows[number][column.name] for number in numbers], pa.string())
    except UnicodeError:  # half a surrogate pair: `conform` says so
        return None
    values, problem = values_of_text(texts, column)
    for number, value in zip(numbers, values.to_pylist(), strict=True):
        rows[number][column.name] = value
    if problem is None or problem.rows is None:
        return None
    refused = tuple(numbers[row] for row in problem.rows)
    return Problem(column.name, refused, problem.value, "", problem.expected, "correct it there")
