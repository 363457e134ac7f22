"""Edge rows: one real row with one value at the edge of one raw column.

Real rows seldom hold every label, a label that the fit never saw, a gap wherever one may be, or a number on both
sides of a threshold.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.schema import Column, RowSchema

MOST_OWN_VALUES = 200  # labels and thresholds of one column
ABSENT = "absent"
_UNSEEN = "a label that no row has"
_DATES = (datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2000, 2, 29), datetime(9999, 12, 31))


def edge_values(column: Column, labels_and_thresholds: Sequence[Any]) -> list[str]:
    """Values to try in a column, as JSON text, each once: those of its dtype, then the pipeline's own.

    `labels_and_thresholds` are the values of this column that the pipeline compares with or looks up.
    """
    own = labels_and_thresholds[:MOST_OWN_VALUES]
    bounds: list[Any] = [bound for bound in (column.ge, column.gt, column.le, column.lt) if bound is not None]
    values = [None, *_GENERAL[column.kind], *(column.allowed or ())]
    if column.kind in ("integer", "number"):
        bounds += [value for value in own if isinstance(value, int | float)]
        bounds = [_whole(value) if column.kind == "integer" else float(value) for value in bounds]
    elif column.kind == "string":
        values += [value for value in own if isinstance(value, str)]
    values += [near for value in bounds for near in _near(value)]
    return list(dict.fromkeys([ABSENT, *map(_text, values)]))


_GENERAL: dict[str, tuple[Any, ...]] = {
    "integer": (0, 1, -1, 0.5, 2**53, 2**63 - 1, -(2**63), 2**63),
    "number": (0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, math.inf, -math.inf, math.nan, "text"),
    "string": ("", _UNSEEN, 1),
    "boolean": (False, True, 1),
    "datetime": _DATES,
    "date": tuple(moment.date() for moment in _DATES),
}


def first_row_with_children(inputs: pa.Table, schema: RowSchema) -> int:
    """The first row that has child rows in every table; else the first."""
    lists = [inputs.column(f"{child.name}.{child.own[0].name}") for child in schema.children]
    counts = zip(*(pc.list_value_length(each).to_pylist() for each in lists), strict=True)
    return next((place for place, each in enumerate(counts) if all(each)), 0)


def replace_value(base: Mapping[str, Any], schema: RowSchema, column: str, text: str) -> dict[str, Any]:
    """A row with another value in one column, or without it: of a child table in its first row."""
    if schema.key is None:
        row = {name: value for name, value in base.items() if name != column or text != ABSENT}
        return row if text == ABSENT else row | {column: _value(text)}
    if column in base:
        return dict(base) | {column: _value(text)}
    for child in schema.children:
        name = column.removeprefix(f"{child.name}.")
        if name != column and base[child.name]:
            first, *others = base[child.name]
            single = RowSchema(child.columns)
            return dict(base) | {child.name: [replace_value(first, single, name, text), *others]}
    main = RowSchema(schema.columns)
    return dict(base) | {schema.name: replace_value(base[schema.name], main, column, text)}


def _near(value: Any) -> list[Any]:
    """A bound or threshold, and its neighbours on both sides."""
    if isinstance(value, date):
        day = timedelta(days=1)
        return [value - day, value, value + day]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value - 1, value, value + 1]
    return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]


def _whole(value: Any) -> Any:
    """A threshold as a column of integers meets it: 2.5 as 2, between which and 3 it lies."""
    return math.floor(value) if isinstance(value, float) and abs(value) < 2**53 else value


def _text(value: Any) -> str:
    if isinstance(value, date):
        return json.dumps({type(value).__name__: value.isoformat()})
    return json.dumps(value)


def _value(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        return value
    kind, iso = next(iter(value.items()))
    return (datetime if kind == "datetime" else date).fromisoformat(iso)
