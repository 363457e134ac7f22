"""Raw rows against a row schema: the same table from a frame, an Arrow table or a mapping, or a refusal."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError
from pipeline_lib.rows.arrow_types import ARROW
from pipeline_lib.rows.schema import BOUNDS, EXACT, Column, RowSchema
from pipeline_lib.rows.values import Refused, built, conversion, demand, from_python, refuse_rows, scalar

if TYPE_CHECKING:
    import pandas as pd

_ABSENT = object()
_FIRST, _LAST = datetime.min, datetime.max  # what one row, in Python, can hold
_LONG = 20_000  # rows from which on columns are made in threads, and text is dictionary-encoded
_THREADS = 2  # more would hold more columns that are half made
_SYMBOLS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "ge": (">=", pc.greater_equal),
    "gt": (">", pc.greater),
    "le": ("<=", pc.less_equal),
    "lt": ("<", pc.less),
}


def conform(
    data: "pd.DataFrame | pa.Table | Mapping[str, object] | Sequence[Mapping[str, object]]",
    schema: RowSchema,
    *,
    coded: bool = False,
) -> pa.Table:
    """Return `data` as a table with exactly the columns, order and, without `coded`, Arrow types of `schema`.

    `data` is a DataFrame, an Arrow table, one row as a mapping, or a list of such rows. Rows are never
    dropped or reordered. None, NaN, NA and NaT are missing; other columns are ignored; an absent column
    or key takes its declared default. Nothing is converted but what stays exact: whole floats to
    integers, integers up to 2**53 to numbers, categories and dictionaries to their values. With `coded`, for whoever
    evaluates the table, long text columns are dictionary-encoded (int32 to string), and a missing number is NaN.

    Raises `InputError` with one line per problem: column, found, row numbers (from 0), expected.
    Values of sensitive columns are not shown.
    """
    sources, problems = _sources(data, schema)
    columns = [column for column in schema.columns if column.name in sources]
    values = [sources[column.name] for column in columns]
    with ThreadPoolExecutor(_THREADS) as pool:  # starts no thread before it is asked; Arrow lets others run meanwhile
        each = pool.map if max(map(len, values), default=0) >= _LONG else map
        arrays = list(each(partial(_checked, coded=coded), values, columns))
    found = zip(arrays, values, columns, strict=True)
    problems += [_message(array, given, column) for array, given, column in found if isinstance(array, Refused)]
    if problems:
        raise InputError("\n".join(problems))
    return table_of(arrays, schema, coded=coded)


def table_of(arrays: Sequence[Any], schema: RowSchema, *, coded: bool) -> pa.Table:
    """The table of a schema; with `coded` its columns have the types that their arrays have."""
    arrow = schema.arrow
    if coded:
        arrow = pa.schema([field.with_type(array.type) for field, array in zip(arrow, arrays, strict=True)])
    return pa.Table.from_arrays(arrays, schema=arrow)


def is_dataframe(data: object) -> bool:
    """Whether `data` is a pandas DataFrame, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _sources(data: Any, schema: RowSchema) -> tuple[dict[str, Any], list[str]]:
    if isinstance(data, Mapping):
        data = [data]
    if (
        isinstance(data, Sequence)
        and not isinstance(data, str | bytes | bytearray)
        and all(issubclass(kind, Mapping) for kind in set(map(type, data)))
    ):
        return _row_sources(data, schema)
    if is_dataframe(data):
        names, length = list(data.columns), len(data)
    elif isinstance(data, pa.Table | pa.RecordBatch):
        names, length = data.schema.names, data.num_rows
    else:
        raise InputError(
            f"found {type(data).__name__}, expected rows as a DataFrame, an Arrow table, a mapping of column "
            "names to values, or a list of such mappings; pass one of these"
        )
    present = set(names)
    twice = [name for name in schema.names if name in present and names.count(name) > 1]
    problems = [
        f"{name}: found {names.count(name)} columns of this name, expected one; rename the others" for name in twice
    ]
    absent = [c.name for c in schema.columns if c.required and c.name not in present]
    if absent:
        problems.append(_absent(absent, schema, ""))
    sources = {
        c.name: data[c.name] if c.name in present else [c.default] * length
        for c in schema.columns
        if c.name not in twice and c.name not in absent
    }
    return sources, problems


def _row_sources(rows: Sequence[Mapping[str, object]], schema: RowSchema) -> tuple[dict[str, Any], list[str]]:
    sources: dict[str, Any] = {}
    absent: dict[tuple[int, ...], list[str]] = {}
    for column in schema.columns:
        try:
            sources[column.name] = [row[column.name] for row in rows]
            continue
        except KeyError:
            default = _ABSENT if column.required else column.default
        values = [row.get(column.name, default) for row in rows]
        without = tuple(i for i, value in enumerate(values) if value is _ABSENT)
        if without:
            absent.setdefault(without, []).append(column.name)
        else:
            sources[column.name] = values
    return sources, [_absent(names, schema, f" in {_numbers(where)}") for where, names in absent.items()]


def _absent(names: Sequence[str], schema: RowSchema, where: str) -> str:
    return (
        f"found no {', '.join(names)}{where}, expected all {len(schema.columns)} columns of Row; "
        "add them, with a missing value where Row allows one"
    )


def _checked(values: Any, column: Column, *, coded: bool) -> pa.Array | pa.ChunkedArray | Refused:
    """Values as their column's array, or the `Refused` that says why not."""
    array = _coded(values, column) if coded and len(values) >= _LONG and column.kind == "string" else None
    try:
        if array is None:
            array = _array(values, column)
            _check(array, column)
    except Refused as refused:
        return refused
    if coded and column.kind == "number" and array.null_count:
        return array.fill_null(math.nan)
    return array


def _coded(values: Any, column: Column) -> pa.DictionaryArray | None:
    """Text as different words, which are checked, and each row's place among them.

    None for what is no text, and where a word, or that one is missing, is refused: then the rows say which.
    """
    array = _as_arrow(values)
    if array is None:
        return None
    try:
        array = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        words = array.dictionary
        absent = array.null_count and not column.nullable
        if absent or words.null_count or not _FITS["string"](words.type):
            return None
        _check_utf8(words)
        words = words.cast(ARROW["string"])
        _check(words, column)
    except (Refused, pa.ArrowException):
        return None
    return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), words)


def _as_arrow(values: Any) -> Any:
    """A column's values in Arrow; None for Python objects, and for what Arrow does not know."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, list) or values.dtype == object:
        return None
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return None


def _array(values: Any, column: Column) -> Any:
    array = _as_arrow(values)
    if array is None:
        return from_python(values if isinstance(values, list) else values.tolist(), column)
    return _from_arrow(array, column)


def _from_arrow(array: Any, column: Column) -> Any:
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string_view(array.type.value_type):  # which Arrow does not decode
            array = array.cast(pa.dictionary(array.type.index_type, pa.string()))
        array = array.cast(array.type.value_type)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), ARROW[column.kind])
    if not _FITS[column.kind](array.type):
        raise Refused(demand(column), None, str(array.type), conversion(column.kind, str(array.type)))
    if column.kind == "string":
        _check_utf8(array)
    if pa.types.is_floating(array.type):
        array = array.cast(pa.float64())
        missing = pc.is_nan(array)
        if pc.any(missing).as_py():  # else a copy for nothing
            array = pc.if_else(missing, pa.nulls(1, pa.float64())[0], array)
        if column.kind == "integer":
            exact = pc.and_(pc.equal(pc.floor(array), array), pc.less_equal(pc.abs(array), scalar(EXACT, "number")))
            refuse_rows(_false(exact), demand(column))
    elif column.kind == "number" and array.type in (pa.int64(), pa.uint64()):
        exact = pc.less_equal(array, scalar(EXACT).cast(array.type))
        if array.type == pa.int64():
            exact = pc.and_(exact, pc.greater_equal(array, scalar(-EXACT)))
        refuse_rows(_false(exact), demand(column))
    elif array.type == pa.uint64():
        refuse_rows(_false(pc.less_equal(array, scalar(2**63 - 1).cast(pa.uint64()))), demand(column))
    elif array.type == pa.timestamp("ns"):
        back = array.cast(pa.timestamp("us"), safe=False).cast(array.type, safe=False)
        refuse_rows(_false(pc.equal(back, array)), demand(column))
        return array.cast(pa.timestamp("us"), safe=False)
    try:
        return array.cast(ARROW[column.kind])
    except pa.ArrowInvalid as error:
        raise Refused(demand(column), None, f"{array.type} values out of range") from error


def _check_utf8(array: Any) -> None:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise Refused("text in UTF-8", None, f"bytes that are none ({error})", "decode it first") from error


_FITS: dict[str, Callable[[pa.DataType], bool]] = {
    "integer": lambda t: pa.types.is_integer(t) or pa.types.is_floating(t),
    "number": lambda t: pa.types.is_integer(t) or pa.types.is_floating(t),
    "string": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t),
    "boolean": pa.types.is_boolean,
    "datetime": lambda t: pa.types.is_timestamp(t) and t.tz is None,
    "date": pa.types.is_date,
}


def _check(array: Any, column: Column) -> None:
    if array.null_count and not column.nullable:
        expected = f"{demand(column)} in every row, as Row allows no missing value here"
        remedy = "fill it where the data is loaded, or declare `| None` in Row"
        raise Refused(expected, _false(pc.is_valid(array)), remedy=remedy)
    for expected, holds in _demands(array, column):
        refuse_rows(_false(holds), expected)


def _demands(array: Any, column: Column) -> Iterator[tuple[str, Any]]:
    if column.kind in ("datetime", "date"):
        first, last = (_FIRST, _LAST) if column.kind == "datetime" else (_FIRST.date(), _LAST.date())
        inside = pc.and_(
            pc.greater_equal(array, scalar(first, column.kind)), pc.less_equal(array, scalar(last, column.kind))
        )
        yield "a date in the years 1 to 9999", inside
    for option in BOUNDS:
        bound = getattr(column, option)
        if bound is not None:
            symbol, compare = _SYMBOLS[option]
            yield f"a value {symbol} {bound}", compare(array, scalar(bound, column.kind))
    if column.finite:
        yield "a finite number", pc.is_finite(array)
    if column.min_length is not None:
        yield (
            f"at least {column.min_length} characters",
            pc.greater_equal(pc.utf8_length(array), scalar(column.min_length)),
        )
    if column.max_length is not None:
        yield (
            f"at most {column.max_length} characters",
            pc.less_equal(pc.utf8_length(array), scalar(column.max_length)),
        )
    if column.pattern is not None:
        yield f"text that matches {column.pattern!r}", pc.match_substring_regex(array, column.pattern)
    if column.allowed is not None:
        among = pc.or_(pc.is_in(array, built(list(column.allowed), column.kind)), pc.is_null(array))
        yield f"one of {_cut(', '.join(map(repr, column.allowed)), 200)}", among


def _false(mask: Any) -> list[int]:
    if pc.all(mask).as_py():
        return []
    found: list[int] = pc.indices_nonzero(pc.invert(mask)).to_pylist()
    return found


def _message(refused: Refused, values: Any, column: Column) -> str:
    found, where = refused.found, ""
    if refused.rows is not None:
        where = f" in {_numbers(refused.rows)}{_label(values, refused.rows[0])}"
        if column.sensitive:
            found = found or "a value (hidden: sensitive)"
        else:
            shown = _cut(repr(_item(values, refused.rows[0])))
            found = f"{shown} ({found})" if found else shown
    return f"{column.name}: found {found}{where}, expected {refused.expected}; {refused.remedy}"


def _item(values: Any, row: int) -> object:
    if isinstance(values, list):
        return values[row]
    if isinstance(values, pa.Array | pa.ChunkedArray):
        item = values[row]
        return item if pa.types.is_timestamp(item.type) else item.as_py()
    item = values.iloc[row]
    return item.item() if isinstance(item, np.number | np.bool_) else item


def _label(values: Any, row: int) -> str:
    """How a frame itself names the row that messages count from 0."""
    if isinstance(values, list | pa.Array | pa.ChunkedArray) or values.index[row] == row:
        return ""
    label = values.index[row]
    return f" (the first is {label.item() if isinstance(label, np.generic) else label!r} in the frame's index)"


def _numbers(rows: Sequence[int], shown: int = 5) -> str:
    first = ", ".join(str(row) for row in rows[:shown])
    more = f" and {len(rows) - shown:,} more" if len(rows) > shown else ""
    return f"row{'s' if len(rows) > 1 else ''} {first}{more}"


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
