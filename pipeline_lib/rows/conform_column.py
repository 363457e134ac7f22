"""One column's values as an Arrow array of its type, each checked against what `Row` says of it."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.arrow_arrays import ARROW_TYPES, arrow_array, arrow_scalar
from pipeline_lib.rows.column import BOUNDS, MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.conform_errors import (
    HIDDEN,
    ColumnError,
    Problem,
    conversion_remedy,
    expected_values,
    refuse_rows,
)
from pipeline_lib.rows.conform_values import conform_values

LONG_COLUMN = 20_000  # rows from which threads and dictionary encoding of text cost less than they save
_FILE = "; of a file, pipeline_lib.read_rows(path, model.row) has the types"
_MIN_DATETIME, _MAX_DATETIME = datetime.min, datetime.max  # predict_row takes datetimes of Python
_COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "ge": (">=", pc.greater_equal),
    "gt": (">", pc.greater),
    "le": ("<=", pc.less_equal),
    "lt": ("<", pc.less),
}
_IS_CONVERTIBLE: dict[str, Callable[[pa.DataType], bool]] = {
    "integer": lambda t: pa.types.is_integer(t) or pa.types.is_floating(t),
    "number": lambda t: pa.types.is_integer(t) or pa.types.is_floating(t),
    "string": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t),
    "boolean": pa.types.is_boolean,
    "datetime": lambda t: pa.types.is_timestamp(t) and t.tz is None,
    "date": pa.types.is_date,
}


def conform_column(values: Any, column: Column, *, for_executor: bool) -> pa.Array | pa.ChunkedArray | ColumnError:
    """Values as their column's array, or the `ColumnError` that says why not."""
    array = None
    if for_executor and len(values) >= LONG_COLUMN and column.kind == "string":
        array = _dictionary_encoded(values, column)
    try:
        if array is None:
            array = _converted(values, column)
            _check(array, column)
    except ColumnError as error:
        return error
    if for_executor and column.kind == "number" and array.null_count:
        return pc.coalesce(array, arrow_scalar(math.nan, "number"))
    return array


def problem_of(error: ColumnError, values: Any, column: Column) -> Problem:
    """What `conform` says of one column."""
    found, value, label = error.found, "", ""
    if error.rows is not None:
        label = _index_label(values, error.rows[0])
        if not column.sensitive:
            value = _shortened(repr(_item(values, error.rows[0])))
        elif not found:
            value = HIDDEN
    rows = None if error.rows is None else tuple(error.rows)
    is_whole = rows is None or len(rows) == len(values) > 1  # the message of a row alone is kept in records
    remedy = error.remedy + _FILE if is_whole and error.remedy.startswith("convert") else error.remedy
    return Problem(column.name, rows, value, found, error.expected, remedy, label)


def _dictionary_encoded(values: Any, column: Column) -> pa.DictionaryArray | None:
    """Text as its distinct words, each checked once, and each row's index among them.

    None for other values, and where a word or a missing one is refused: the check row by row then names the rows.
    """
    array = _as_arrow(values)
    if array is None:
        return None
    try:
        _check_structure(array)
        array = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        words = array.dictionary
        absent = array.null_count and not column.nullable
        if absent or words.null_count or not _IS_CONVERTIBLE["string"](words.type):
            return None
        words = words.cast(ARROW_TYPES["string"])
        _check(words, column)
    except (ColumnError, pa.ArrowException):
        return None
    return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), words)


def _as_arrow(values: Any) -> Any:
    """A column's values in Arrow; None for Python objects, and for types that Arrow does not know."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, list) or values.dtype == object:
        return None
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return None


def _converted(values: Any, column: Column) -> Any:
    if column.kind == "number" and getattr(values, "dtype", None) == np.float64:
        return pa.array(np.asarray(values), from_pandas=True)  # there may be hundreds: nothing else to convert
    array = _as_arrow(values)
    if array is None:
        return conform_values(values if isinstance(values, list) else values.tolist(), column)
    return _converted_arrow(array, column)


def _converted_arrow(array: Any, column: Column) -> Any:
    _check_structure(array)
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string_view(array.type.value_type):  # Arrow cannot decode a dictionary of these
            array = array.cast(pa.dictionary(array.type.index_type, pa.string()))
        array = array.cast(array.type.value_type)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), ARROW_TYPES[column.kind])
    expected = expected_values(column)
    if not _IS_CONVERTIBLE[column.kind](array.type):
        raise ColumnError(expected, None, str(array.type), conversion_remedy(column.kind, str(array.type)))
    if pa.types.is_floating(array.type):
        array = _without_nan(array)
        if column.kind == "integer":
            limit = arrow_scalar(MAX_EXACT_INTEGER, "number")
            exact = pc.and_(pc.equal(pc.floor(array), array), pc.less_equal(pc.abs(array), limit))
            refuse_rows(_false_rows(exact), expected)
    elif column.kind == "number" and array.type in (pa.int64(), pa.uint64()):
        exact = pc.less_equal(array, arrow_scalar(MAX_EXACT_INTEGER).cast(array.type))
        if array.type == pa.int64():
            exact = pc.and_(exact, pc.greater_equal(array, arrow_scalar(-MAX_EXACT_INTEGER)))
        refuse_rows(_false_rows(exact), expected)
    elif array.type == pa.uint64():
        refuse_rows(_false_rows(pc.less_equal(array, arrow_scalar(2**63 - 1).cast(pa.uint64()))), expected)
    elif array.type == pa.timestamp("ns"):
        microseconds = array.cast(pa.timestamp("us"), safe=False)
        refuse_rows(_false_rows(pc.equal(microseconds.cast(array.type, safe=False), array)), expected)
        return microseconds
    try:
        return array.cast(ARROW_TYPES[column.kind])
    except pa.ArrowInvalid as error:
        raise ColumnError(expected, None, f"{array.type} values out of range") from error


def _without_nan(array: Any) -> Any:
    """Floats as float64, with NaN as a missing value."""
    array = array.cast(pa.float64())
    missing = pc.is_nan(array)
    if not pc.any(missing).as_py():  # saves a copy
        return array
    return pc.if_else(missing, pa.nulls(1, pa.float64())[0], array)


def _check_structure(array: Any) -> None:
    """Arrow believes the offsets, codes and lengths of an array that it reads: wrong ones lead beyond its memory."""
    try:
        array.validate(full=not pa.types.is_primitive(array.type))
    except pa.ArrowException as error:
        if "UTF8" in str(error):
            raise ColumnError(
                "text in UTF-8", None, f"bytes that are not UTF-8 ({error})", "decode it first"
            ) from error
        raise ColumnError(
            "a valid Arrow array", None, f"wrong offsets, codes or lengths ({error})", "build the array again"
        ) from error


def _check(array: Any, column: Column) -> None:
    if array.null_count and not column.nullable:
        expected = f"{expected_values(column)} in every row, as Row allows no missing value here"
        remedy = "fill it where the data is loaded, or declare `| None` in Row"
        rows = _false_rows(pc.is_valid(array))
        if not rows:
            found = f"an array that counts {array.null_count} missing values and marks none"
            raise ColumnError("a valid Arrow array", None, found, "build the array again")
        raise ColumnError(expected, rows, remedy=remedy)
    for expected, holds in _checks(array, column):
        refuse_rows(_false_rows(holds), expected)


def _checks(array: Any, column: Column) -> Iterator[tuple[str, Any]]:
    """Everything that `Row` says of the column's values, each with a mask of the rows where it holds."""
    if column.kind in ("datetime", "date"):
        is_date = column.kind == "date"
        first, last = (_MIN_DATETIME.date(), _MAX_DATETIME.date()) if is_date else (_MIN_DATETIME, _MAX_DATETIME)
        after_first = pc.greater_equal(array, arrow_scalar(first, column.kind))
        yield (
            "a date in the years 1 to 9999",
            pc.and_(after_first, pc.less_equal(array, arrow_scalar(last, column.kind))),
        )
    for option in BOUNDS:
        bound = getattr(column, option)
        if bound is not None:
            symbol, compare = _COMPARISONS[option]
            yield f"a value {symbol} {bound}", compare(array, arrow_scalar(bound, column.kind))
    if column.finite:
        yield "a finite number", pc.is_finite(array)
    if column.min_length is not None:
        enough = pc.greater_equal(pc.utf8_length(array), arrow_scalar(column.min_length))
        yield f"at least {column.min_length} characters", enough
    if column.max_length is not None:
        few = pc.less_equal(pc.utf8_length(array), arrow_scalar(column.max_length))
        yield f"at most {column.max_length} characters", few
    if column.pattern is not None:
        yield f"text that matches {column.pattern!r}", pc.match_substring_regex(array, column.pattern)
    if column.allowed is not None:
        values = arrow_array(list(column.allowed), column.kind)
        is_allowed = pc.or_(pc.is_in(array, values), pc.is_null(array))
        yield f"one of {_shortened(', '.join(map(repr, column.allowed)), 200)}", is_allowed


def _false_rows(mask: Any) -> list[int]:
    if not len(mask) or pc.all(mask).as_py():  # pyarrow before 26.0.1 crashes on a chunked array without a chunk
        return []
    rows: list[int] = pc.indices_nonzero(pc.invert(mask)).to_pylist()
    return rows


def _item(values: Any, row: int) -> object:
    if isinstance(values, list):
        return values[row]
    if isinstance(values, pa.Array | pa.ChunkedArray):
        item = values[row]
        try:
            return item if pa.types.is_timestamp(item.type) else item.as_py()
        except OverflowError:  # a date that Python does not have, in days since 1970
            return item.value
    item = values[row] if isinstance(values, np.ndarray) else values.iloc[row]
    return item.item() if isinstance(item, np.number | np.bool_) else item


def _index_label(values: Any, row: int) -> str:
    """The frame's own label of a row, where it is not the row's number."""
    if isinstance(values, list | np.ndarray | pa.Array | pa.ChunkedArray) or values.index[row] == row:
        return ""
    label = values.index[row]
    return f" (the first is {label.item() if isinstance(label, np.generic) else label!r} in the frame's index)"


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
