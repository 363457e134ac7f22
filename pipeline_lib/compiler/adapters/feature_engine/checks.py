"""What feature-engine's transformers check of their input, and how they name what they add."""

from collections.abc import Mapping
from typing import Any

from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError
from pipeline_lib.compiler.builder import Value

_KINDS: dict[str, Any] = {"str": str, "float64": (int, float), "int64": (int, float), "bool": int}


def plain_table(step: Any, name: str, value: Value, table: Mapping[Any, Any]) -> dict[Any, Any]:
    """A learned mapping with keys as the column holds them; missing keys and missing values are left out.

    Raises NoPlanError where a key is no text for a text column, or no number for a column of numbers.
    """
    plain: dict[Any, Any] = {}
    kinds = _KINDS.get(value.dtype, ())
    for label, found in table.items():
        key: Any = label.item() if hasattr(label, "item") else label
        if _gone(key) or _gone(found):
            continue
        if not isinstance(key, kinds):
            raise NoPlanError(
                f"{type(step).__name__}: found category {key!r} of {value.dtype} column {name!r}, expected text in a "
                "text column and numbers in a column of numbers; compile with allow_opaque=True, or cast the column "
                "in `load`"
            )
        if value.dtype == "str":
            plain[key] = found
        elif value.dtype == "float64":
            plain[float(key)] = found
        elif float(key).is_integer():
            plain[int(key)] = found  # another number is never met in a column of integers
    return plain


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def add(columns: Columns, name: str, value: Value, step: Any, taken: Columns) -> None:
    """Put a column behind the others under a name that neither they nor `taken` have."""
    if name in columns or name in taken:
        raise NoPlanError(
            f"{type(step).__name__}: found a second column {name!r}, expected new names; rename the column in `load`"
        )
    columns[name] = value
