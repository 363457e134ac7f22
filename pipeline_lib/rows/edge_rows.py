"""Edge rows: one real row with one value at the edge of one raw column.

Real rows seldom hold every label, a label that was not in the training data, a missing value wherever one is allowed,
or a number on each side of a threshold.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.column import MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.conform_column import conform_column
from pipeline_lib.rows.conform_errors import ColumnError
from pipeline_lib.rows.schema import RowSchema

MAX_OWN_VALUES = 200  # labels and thresholds of one column
ABSENT = "absent"
UNSEEN_LABEL = "a label that no row has"
_TIMESTAMPS = (datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2000, 2, 29), datetime(9999, 12, 31))
_EDGES_OF_KIND: dict[str, tuple[Any, ...]] = {
    "integer": (0, 1, -1, 0.5, 2**53, 2**63 - 1, -(2**63), 2**63),
    "number": (0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, math.inf, -math.inf, math.nan, "text"),
    "string": ("", UNSEEN_LABEL, 1),
    "boolean": (False, True, 1),
    "datetime": _TIMESTAMPS,
    "date": tuple(timestamp.date() for timestamp in _TIMESTAMPS),
}


def edge_values(column: Column, labels_and_thresholds: Sequence[Any]) -> list[str]:
    """Values to try in a column, as JSON text, each once: those of its kind, then the pipeline's own.

    `labels_and_thresholds` are the values of this column that the pipeline compares with or looks up.
    """
    own = labels_and_thresholds[:MAX_OWN_VALUES]
    bounds: list[Any] = [bound for bound in (column.ge, column.gt, column.le, column.lt) if bound is not None]
    values = [None, *_EDGES_OF_KIND[column.kind], *(column.allowed or ())]
    if column.kind in ("integer", "number"):
        bounds += [value for value in own if isinstance(value, int | float)]
        bounds = [_whole(value) if column.kind == "integer" else float(value) for value in bounds]
    elif column.kind == "string":
        values += [value for value in own if isinstance(value, str)]
    values += [neighbor for value in bounds for neighbor in neighbors(value)]
    return list(dict.fromkeys([ABSENT, *map(_to_text, values)]))


def first_row_with_children(inputs: pa.Table, schema: RowSchema) -> int:
    """The index of the first row that has child rows in every table, or 0 where there is none."""
    lists = [inputs.column(f"{child.name}.{child.own[0].name}") for child in schema.children]
    counts = zip(*(pc.list_value_length(each).to_pylist() for each in lists), strict=True)
    return next((index for index, each in enumerate(counts) if all(each)), 0)


def replace_value(row: Mapping[str, Any], schema: RowSchema, column: str, text: str) -> dict[str, Any]:
    """The row with another value in one column, or without it; a child table's column is replaced in its first row."""
    if schema.key is None:
        others = {name: value for name, value in row.items() if name != column or text != ABSENT}
        return others if text == ABSENT else others | {column: _from_text(text)}
    if column in row:
        return dict(row) | {column: _from_text(text)}
    for child in schema.children:
        name = column.removeprefix(f"{child.name}.")
        if name != column and row[child.name]:
            first, *rest = row[child.name]
            own = RowSchema(child.columns)
            return dict(row) | {child.name: [replace_value(first, own, name, text), *rest]}
    main = RowSchema(schema.columns)
    return dict(row) | {schema.name: replace_value(row[schema.name], main, column, text)}


def accepted_values(column: Column, values: Sequence[Any]) -> list[Any]:
    """Those of some values that a raw column may hold, in their order."""
    left = list(values)
    while left and isinstance(error := conform_column(left, column, for_executor=False), ColumnError):
        refused = set(error.rows if error.rows is not None else range(len(left)))
        left = [value for index, value in enumerate(left) if index not in refused]
    return left


def neighbors(value: Any) -> list[Any]:
    """A bound or threshold between its two neighbors."""
    if isinstance(value, date):
        day = timedelta(days=1)
        return [value - day, value, value + day]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value - 1, value, value + 1]
    return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]


def _whole(value: Any) -> Any:
    """A threshold for a column of integers: 2.5 as 2, since it divides 2 from 3."""
    return math.floor(value) if isinstance(value, float) and abs(value) < MAX_EXACT_INTEGER else value


def _to_text(value: Any) -> str:
    if isinstance(value, date):
        return json.dumps({type(value).__name__: value.isoformat()})
    return json.dumps(value)


def _from_text(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        return value
    kind, iso = next(iter(value.items()))
    return (datetime if kind == "datetime" else date).fromisoformat(iso)
