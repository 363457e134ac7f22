"""Values that JSON writes as text: dates and times."""

from collections.abc import Sequence
from dataclasses import replace
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
    return [problem for column in columns for problem in _parse(rows, column)]


def _parse(rows: list[dict[str, Any]], column: Column) -> list[Problem]:
    numbers = [number for number, row in enumerate(rows) if isinstance(row.get(column.name), str)]
    if not numbers:
        return []
    try:
        texts = pa.array([rows[number][column.name] for number in numbers], pa.string())
    except UnicodeError:  # half a surrogate pair: `conform` says so
        return []
    values, problems = values_of_text(texts, column)
    for number, value in zip(numbers, values.to_pylist(), strict=True):
        rows[number][column.name] = value
    return [
        replace(problem, rows=tuple(numbers[row] for row in problem.rows or ()), remedy="correct it there")
        for problem in problems
    ]
