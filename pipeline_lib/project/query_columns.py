"""The columns of a query's result: which Arrow type each has, and which dtype in a DataFrame.

database               Arrow                 DataFrame
integer                int64                 int64; Int64 where values are missing
floating point         double                float64
decimal, numeric       decimal128, 256       object: decimal.Decimal
text, uuid, enum       string                str
boolean                bool                  bool; boolean where values are missing
date                   date32                object: datetime.date
time of day            time64[us]            object: datetime.time
timestamp              timestamp[us]         datetime64[us]
timestamp with zone    timestamp[us, UTC]    datetime64[us, UTC]
interval of days       duration[us]          timedelta64[us]
bytes                  binary                object: bytes
only missing values    null                  object: None, where the database does not tell the type

Anything else is refused: the query says by a cast what it should be.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_ZONED, _PLAIN = pa.timestamp("us", "UTC"), pa.timestamp("us")
_CAST = "cast it in the query"
_EXACT = 2**53
"""The largest integer up to which every one is a float64."""
_MOST_DIGITS = 76
"""Digits of Arrow's widest decimal."""
_POSTGRESQL: dict[int, Any] = {
    16: pa.bool_(),
    **dict.fromkeys((20, 21, 23), pa.int64()),  # int8, int2, int4
    **dict.fromkeys((700, 701), pa.float64()),
    1700: Decimal,
    **dict.fromkeys((18, 19, 25, 1042, 1043, 2950), pa.string()),  # char, name, text, bpchar, varchar, uuid
    17: pa.binary(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: _PLAIN,
    1184: _ZONED,
    1186: pa.duration("us"),
}
"""Arrow types by PostgreSQL's numbers of types, pg_type.oid, which every driver reports."""


def column_of_type(name: str, column: pa.ChunkedArray, database_type: str) -> pa.ChunkedArray:
    """A column that came in Arrow, in the type of the table above; DuckDB's HUGEINT, that of a sum, is an integer."""
    found = column.type
    if pa.types.is_dictionary(found):
        column = column.cast(found.value_type)
        found = column.type
    target = _target(found, database_type)
    if target is None:
        raise InputError(f"column {name!r}: found the type {database_type}, expected one with a rule; {_CAST}")
    try:
        return column.cast(target)
    except pa.ArrowException:
        raise InputError(
            f"column {name!r}: found a {database_type} that is no {target}, expected smaller values; {_CAST}"
        ) from None


def _target(found: pa.DataType, database_type: str) -> pa.DataType | None:
    rules: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...] = (
        (lambda type_: database_type in ("HUGEINT", "UHUGEINT"), pa.int64()),
        (pa.types.is_integer, pa.int64()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_decimal, found),
        (pa.types.is_boolean, pa.bool_()),
        (lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_), pa.string()),
        (lambda type_: pa.types.is_string_view(type_), pa.string()),
        (lambda type_: pa.types.is_binary(type_) or pa.types.is_large_binary(type_), pa.binary()),
        (pa.types.is_date, pa.date32()),
        (pa.types.is_time, pa.time64("us")),
        (lambda type_: pa.types.is_timestamp(type_), _ZONED if getattr(found, "tz", None) else _PLAIN),
        (pa.types.is_duration, pa.duration("us")),
        (pa.types.is_null, pa.null()),
    )
    return next((target for matches, target in rules if matches(found)), None)


def column_of_values(name: str, values: list[Any], code: int | None = None) -> pa.Array:
    """A column that came as Python values; `code` is PostgreSQL's number of its type, where the driver tells it.

    Raises InputError for values of several types, such as SQLite may hold in one column, or of a type without a rule.
    """
    kinds = {type(value) for value in values if value is not None}
    wanted = _POSTGRESQL.get(code) if code is not None else None
    if code is not None and wanted is None and kinds and kinds - {str}:
        raise InputError(f"column {name!r}: found PostgreSQL's type {code}, expected one with a rule; {_CAST}")
    if wanted is Decimal or (wanted is None and kinds == {Decimal}):
        return _decimals(name, values)
    if UUID in kinds:
        values, kinds = [value if value is None else str(value) for value in values], {str}
    target = wanted or _type_of(name, values, kinds)
    if pa.types.is_binary(target):
        values = [bytes(value) if isinstance(value, memoryview | bytearray) else value for value in values]
    _check_infinite(name, values, target)
    try:
        return pa.array(values, target)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"column {name!r}: found {error}, expected values of {target}; {_CAST}") from None


def _check_infinite(name: str, values: Sequence[Any], target: pa.DataType) -> None:
    """Refuse the texts that a driver returns for infinite times."""
    if pa.types.is_temporal(target) and any(isinstance(value, str) for value in values):
        text = next(value for value in values if isinstance(value, str))
        raise InputError(f"column {name!r}: found {text!r}, expected a {target}; leave it out, or {_CAST}")


def _type_of(name: str, values: Sequence[Any], kinds: set[type]) -> pa.DataType:
    """The Arrow type of values whose type the database does not tell."""
    if not kinds:
        return pa.null()
    if kinds == {datetime}:
        zoned = {value.tzinfo is not None for value in values if value is not None}
        if len(zoned) == 1:
            return _ZONED if zoned.pop() else _PLAIN
    if kinds == {int, float}:  # as SQLite returns a NUMERIC column, where 2.0 is kept as 2
        large = next((value for value in values if isinstance(value, int) and abs(value) > _EXACT), None)
        if large is None:
            return pa.float64()
        raise InputError(f"column {name!r}: found {large} among floating-point numbers, expected one type; {_CAST}")
    if len(kinds) == 1 and (type_ := _TYPES.get(next(iter(kinds)))) is not None:
        return type_
    row, odd = (
        next((row, value) for row, value in enumerate(values) if type(value) not in (type(None), _first(values)))
        if len(kinds) > 1
        else (0, _first_value(values))
    )
    found = f"{_first(values).__name__} and in row {row} {type(odd).__name__}" if len(kinds) > 1 else type(odd).__name__
    raise InputError(f"column {name!r}: found {found}, expected values of one type that has a rule; {_CAST}")


_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    memoryview: pa.binary(),
    date: pa.date32(),
    time: pa.time64("us"),
    timedelta: pa.duration("us"),
}


def _first_value(values: Sequence[Any]) -> Any:
    return next(value for value in values if value is not None)


def _first(values: Sequence[Any]) -> type:
    return type(_first_value(values))


def _decimals(name: str, values: Sequence[Any]) -> pa.Array:
    """Decimals with as many places as the one with the most; never rounded."""
    odd = next((value for value in values if value is not None and not _is_finite(value)), None)
    if odd is not None:
        raise InputError(f"column {name!r}: found {odd}, expected finite decimals; cast it to double precision")
    exponents = [value.as_tuple() for value in values if value is not None]
    places = max((max(-int(parts.exponent), 0) for parts in exponents), default=0)
    whole = max((max(len(parts.digits) + int(parts.exponent), 1) for parts in exponents), default=1)
    if whole + places > _MOST_DIGITS:
        raise InputError(
            f"column {name!r}: found decimals of {whole + places} digits, expected {_MOST_DIGITS}; {_CAST}"
        )
    return pa.array(values, pa.decimal128(38, places) if whole + places <= 38 else pa.decimal256(_MOST_DIGITS, places))


def _is_finite(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def frame_of(table: pa.Table) -> "pd.DataFrame":
    """The DataFrame of a result, with the dtypes of the table above and a RangeIndex."""
    import numpy as np
    import pandas as pd

    types = {
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(na_value=np.nan),
    }
    columns = {}
    for number, column in enumerate(table.columns):
        extended = column.null_count > 0 or pa.types.is_string(column.type)
        columns[number] = column.to_pandas(types_mapper=types.get if extended else None)
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    frame.columns = pd.Index(table.column_names, dtype=pd.StringDtype(na_value=np.nan))
    return frame
