"""Profiles of raw tables: per column what can be said without its rows; and the changes between two profiles."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MOST_CATEGORIES = 30
"""Distinct texts up to which they are listed; with more, a column is text and not categories."""
_SHOWN = 5
"""New or gone categories that a line lists."""
Profile = Mapping[str, Any]


def profile_of(table: pa.Table, hidden: Collection[str] = ()) -> dict[str, Any]:
    """The number of rows, and for each column type, missing values, range or categories, as JSON values.

    Of `hidden` columns, which are sensitive, only the type is kept.

        >>> profile_of(pa.table({"x": [1, None, 3]}))["columns"]["x"]
        {'type': 'int64', 'missing': 1, 'smallest': 1, 'largest': 3}
    """
    columns = {
        field.name: {"type": str(field.type)} if field.name in hidden else _column(field.type, table.column(number))
        for number, field in enumerate(table.schema)
    }
    return {"rows": table.num_rows, "columns": columns}


def _column(type_: pa.DataType, column: pa.ChunkedArray) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": str(type_)}
    if pa.types.is_dictionary(type_):
        column, type_ = column.cast(type_.value_type), type_.value_type
    if pa.types.is_floating(type_):
        column = pc.if_else(pc.is_nan(column), None, column)
    facts["missing"] = column.null_count
    if pa.types.is_boolean(type_) or pa.types.is_string(type_) or pa.types.is_large_string(type_):
        counts = {str(part["values"]): part["counts"] for part in pc.value_counts(column.drop_null()).to_pylist()}
        facts |= {"distinct": len(counts)}
        facts |= {"categories": dict(sorted(counts.items()))} if len(counts) <= MOST_CATEGORIES else {}
    elif pa.types.is_primitive(type_) or pa.types.is_decimal(type_):
        limits = pc.min_max(column).as_py()
        if limits["min"] is not None:
            facts |= {"smallest": _plain(limits["min"]), "largest": _plain(limits["max"])}
    return facts


def _plain(value: Any) -> Any:
    """A value of JSON: infinite numbers, dates and decimals as text."""
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def profile_changes(old: Profile, new: Profile) -> list[str]:
    """What changed from one profile to another, one a line: rows, columns, types, missing values, ranges, categories.

    >>> profile_changes(profile_of(pa.table({"x": [1, 2]})), profile_of(pa.table({"x": [1, 2, 9]})))
    ['rows: 2 → 3', 'x: largest 2 → 9']
    """
    lines = [f"rows: {old['rows']:,} → {new['rows']:,}"] if old["rows"] != new["rows"] else []
    before, after = old["columns"], new["columns"]
    lines += [f"{name}: new column" for name in after if name not in before]
    lines += [f"{name}: column gone" for name in before if name not in after]
    if list(before) != list(after) and sorted(before) == sorted(after):
        lines.append("the order of the columns")
    return lines + [line for name in before if name in after for line in _changes(name, before[name], after[name])]


def _changes(name: str, old: Profile, new: Profile) -> Iterator[str]:
    if old["type"] != new["type"]:
        yield f"{name}: type {old['type']} → {new['type']}"
    for fact in ("missing", "smallest", "largest"):
        if old.get(fact) != new.get(fact):
            yield f"{name}: {fact} {_shown(old.get(fact))} → {_shown(new.get(fact))}"
    before, after = old.get("categories"), new.get("categories")
    if before is not None and after is not None:
        for what, names in (
            ("new", [key for key in after if key not in before]),
            ("gone", [k for k in before if k not in after]),
        ):
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                yield f"{name}: {what} {', '.join(map(repr, names[:_SHOWN]))}{more}"
        counts = sum(before[key] != after[key] for key in before if key in after)
        if counts:
            yield f"{name}: other counts of {counts} categor{'ies' if counts > 1 else 'y'}"
    elif old.get("distinct") != new.get("distinct"):
        yield f"{name}: distinct values {_shown(old.get('distinct'))} → {_shown(new.get('distinct'))}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
