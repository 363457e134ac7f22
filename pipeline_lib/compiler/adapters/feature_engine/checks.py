"""Checks that several feature-engine adapters share: fitted mappings by column dtype, names of new columns."""

from collections.abc import Mapping
from typing import Any

from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError
from pipeline_lib.compiler.builder import Value

_KINDS: dict[str, Any] = {"str": str, "float64": (int, float), "int64": (int, float), "bool": int}


def plain_table(step: Any, name: str, value: Value, table: Mapping[Any, Any]) -> dict[Any, Any]:
    """A fitted mapping with keys of the column's dtype; missing keys and missing values are left out.

    Raises NoPlanError for a key that is not text in a text column, or not a number in a column of numbers.
    """
    plain: dict[Any, Any] = {}
    kinds = _KINDS.get(value.dtype, ())
    for label, fitted in table.items():
        key: Any = label.item() if hasattr(label, "item") else label
        if _is_missing(key) or _is_missing(fitted):
            continue
        if not isinstance(key, kinds):
            raise NoPlanError(
                f"{type(step).__name__}: found category {key!r} of {value.dtype} column {name!r}, expected text in a "
                "text column and numbers in a column of numbers; cast the column "
                "in `load`"
            )
        if value.dtype == "str":
            plain[key] = fitted
        elif value.dtype == "float64":
            plain[float(key)] = fitted
        elif float(key).is_integer():
            plain[int(key)] = fitted  # a column of integers never equals any other number
    return plain


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def add(columns: Columns, name: str, value: Value, step: Any, existing: Columns) -> None:
    """Append a column to `columns`; a name that is in these or in `existing` is refused."""
    if name in columns or name in existing:
        raise NoPlanError(
            f"{type(step).__name__}: found a second column {name!r}, expected new names; rename the column in `load`"
        )
    columns[name] = value
