"""The columns of a small DataFrame or Arrow table as columns of a plan, without Arrow's functions in between.

`conform` takes about a tenth of a millisecond for each column whatever its length. Here a column of the expected dtype
is checked in a few microseconds and taken as it is. What is not at once seen to be valid is no error: the answer is
None, and `conform` decides. Nothing passes here that `conform` refuses, and both give the same columns.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.rows.column import BOUNDS, MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.schema import RowSchema

MOST_ROWS = 20_000  # longer columns of text are faster in Arrow
_HOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
}
_FIRST, _LAST = (
    int(np.datetime64(text, "us").astype(np.int64)) for text in ("0001-01-01", "9999-12-31T23:59:59.999999")
)


def quick_columns(data: Any, schema: RowSchema) -> tuple[dict[str, PlanColumn], int] | None:
    """The plan's columns of a DataFrame of pandas or an Arrow table, and its rows; None for what `conform` decides."""
    if schema.key is not None:
        return None
    if type(data).__module__.startswith("pyarrow"):
        arrays, rows = _of_arrow(data)
    else:
        arrays, rows = frame_arrays(data)
    if arrays is None or not 0 < rows < MOST_ROWS:
        return None
    columns: dict[str, PlanColumn] = {}
    for column in schema.columns:
        values = arrays.get(column.name)
        own = None if values is None else _CHECKS[column.kind](values, column)
        if own is None:
            return None
        columns[column.name] = own
    return columns, rows


def _are_names(names: Sequence[Any]) -> bool:
    return all(type(name) is str for name in names) and len(set(names)) == len(names)


def _of_arrow(data: Any) -> tuple[dict[str, Any] | None, int]:
    """Each column's array of a table in one piece by name, and its rows."""
    import pyarrow as pa

    if not isinstance(data, pa.Table | pa.RecordBatch) or not _are_names(data.schema.names):
        return None, 0
    batches = data.to_batches() if isinstance(data, pa.Table) else [data]
    if len(batches) != 1:
        return None, 0
    return dict(zip(data.schema.names, batches[0].columns, strict=True)), data.num_rows


def frame_arrays(frame: Any) -> tuple[dict[str, Any] | None, int]:
    """Each column's array by name, and the rows.

    pandas gives a column at a time, as a Series, in about ten microseconds. Its blocks have all of them at once, but
    are private: where they are not as they were known, the columns are asked for one by one.
    """
    from pipeline_lib.rows.containers import is_instance  # only here: one row alone needs no Arrow

    if not is_instance(frame, "pandas", "DataFrame"):
        return None, 0
    names, rows = frame.columns.tolist(), len(frame)
    if not _are_names(names):
        return None, 0
    try:
        found = _of_blocks(frame, names)
    except (AttributeError, IndexError, TypeError, ValueError):
        found = {}
    if len(found) == len(names) and all(len(values) == rows for values in found.values()):
        return found, rows
    return {name: column.array for name, column in frame.items()}, rows


def _of_blocks(frame: Any, names: Sequence[str]) -> dict[str, Any]:
    manager = frame._mgr
    blocks = [block.values for block in manager.blocks]
    places = zip(names, manager.blknos.tolist(), manager.blklocs.tolist(), strict=True)
    return {name: blocks[block] if blocks[block].ndim == 1 else blocks[block][place] for name, block, place in places}


def _copied(values: Any, *dtypes: Any) -> Any:
    """A copy of an array of one of these dtypes, None for any other: results must not share memory with the frame."""
    kind = type(values).__name__  # pandas wraps arrays of NumPy and datetimes in its own
    if kind in ("DoubleArray", "BooleanArray", "Int64Array", "TimestampArray") and hasattr(values, "null_count"):
        from pipeline_lib.compiled.arrow import plain_values

        if not _is_valid(values):
            return None
        values = plain_values(values)
    elif kind == "NumpyExtensionArray" or (kind == "DatetimeArray" and values.tz is None):
        values = values._ndarray
    return values.copy() if isinstance(values, np.ndarray) and values.dtype in dtypes else None


def _number(values: Any, column: Column) -> PlanColumn | None:
    values = _copied(values, np.float64, np.int64)
    if values is None:
        return None
    if values.dtype == np.int64:
        if values.max() > MAX_EXACT_INTEGER or values.min() < -MAX_EXACT_INTEGER:
            return None
        values = values.astype(np.float64)
    if column.nullable and not column.finite and all(getattr(column, option) is None for option in BOUNDS):
        return values
    missing = np.isnan(values)
    any_missing = bool(missing.any())
    if (any_missing and not column.nullable) or (column.finite and np.isinf(values).any()):
        return None
    return values if _within(values, column, missing if any_missing else None) else None


def _integer(values: Any, column: Column) -> PlanColumn | None:
    values = _copied(values, np.int64)
    if values is None or column.allowed is not None or not _within(values, column, None):
        return None
    if not column.nullable:
        return values
    beyond = values.max() > MAX_EXACT_INTEGER or values.min() < -MAX_EXACT_INTEGER
    return None if beyond else values.astype(np.float64)


def _within(values: np.ndarray[Any, Any], column: Column, missing: Any) -> bool:
    """Whether the column's bounds hold in every row that is not missing."""
    for option in BOUNDS:
        bound = getattr(column, option)
        if bound is not None:
            holds = _HOLDS[option](values, bound)
            if not (holds if missing is None else holds | missing).all():
                return False
    return True


def _boolean(values: Any, column: Column) -> PlanColumn | None:
    values = _copied(values, np.bool_)
    return values if values is None or not column.nullable else values.astype(np.float64)


def _string(values: Any, column: Column) -> PlanColumn | None:
    rules = (column.pattern, column.min_length, column.max_length, column.allowed)
    if any(rule is not None for rule in rules):
        return None
    texts = _texts(values)
    if texts is None or (None in texts and not column.nullable):
        return None
    text = TextColumn.of(texts)
    try:
        "".join(word for word in text.words if word).encode()
    except UnicodeError:  # half of a surrogate pair
        return None
    return text


def _is_text(values: Any) -> bool:
    """Whether an array is of text or of objects; one of another type is none, even where every value is missing."""
    if not hasattr(values, "null_count"):
        categories = getattr(values.dtype, "categories", None)
        return getattr(values if categories is None else categories, "dtype", None) in ("object", "str", "string")
    import pyarrow.types as types

    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_valid(array: Any) -> bool:
    """Whether no offset or code of an Arrow array leads beyond its memory, where Arrow would read."""
    import pyarrow as pa

    try:
        array.validate(full=True)
    except pa.ArrowException:
        return False
    return True


def _texts(values: Any) -> list[str | None] | None:
    """Texts and None, of an array of objects or of pandas' text; None where a value is another object."""
    arrow = getattr(values, "_pa_array", values)
    if not _is_text(arrow) or (hasattr(arrow, "null_count") and not _is_valid(arrow)):
        return None
    try:
        texts: list[Any] = arrow.to_pylist() if hasattr(arrow, "null_count") else values.tolist()
    except UnicodeError:  # an Arrow array of bytes that are no UTF-8
        return None
    kinds = set(map(type, texts))
    if kinds <= {str, type(None)}:
        whole = texts
    elif kinds <= {str, type(None), float}:
        if not all(math.isnan(value) for value in texts if type(value) is float):
            return None
        whole = [None if type(value) is float else value for value in texts]
    else:
        return None
    return whole


def _datetime(values: Any, column: Column) -> PlanColumn | None:
    nulls = getattr(values, "null_count", None)  # of Arrow, where the number that is NaT in NumPy is a date
    values = _copied(values, np.dtype("datetime64[us]"))
    if values is None or any(getattr(column, option) is not None for option in BOUNDS):
        return None
    moments = values.view(np.int64)
    missing = moments == NAT
    if nulls is not None and np.count_nonzero(missing) != nulls:
        return None
    known = moments[~missing]
    if (missing.any() and not column.nullable) or (len(known) and not _FIRST <= known.min() <= known.max() <= _LAST):
        return None
    return moments


_CHECKS: dict[str, Callable[[Any, Column], PlanColumn | None]] = {
    "number": _number,
    "integer": _integer,
    "string": _string,
    "boolean": _boolean,
    "datetime": _datetime,
    "date": lambda values, column: None,
}
