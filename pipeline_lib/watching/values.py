"""Raw values of any form as what can be counted: numbers, texts, how many are of another type.

Values are a column of an Arrow table or a list of Python values. Nothing is refused here: what is no value of the
column's kind is invalid, and counted as that. None, NaN, NA and NaT are missing.
"""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline_lib.rows.arrow_arrays import ARROW_TYPES, arrow_scalar

Floats = NDArray[np.float64]
_EPOCH = datetime(1970, 1, 1)
_DAY = 86_400_000_000
_MICROSECONDS = {"s": 1e6, "ms": 1e3, "ns": 1e-3}
_NUMBERS, _TEXTS = {int, float, type(None)}, {str, type(None)}
_TIMES = {datetime, type(None)}
_TRUTHS = {bool, type(None)}
_NAN = math.nan


def numbers_of(values: Any) -> tuple[Floats, int]:
    """Numbers as float64, NaN where missing or invalid; and how many are invalid."""
    if isinstance(values, pa.Array):
        kind = values.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return _floats(values), 0
        return _none_valid(values)
    if set(map(type, values)) <= _NUMBERS:
        try:
            return np.array(values, np.float64), 0
        except OverflowError:  # a whole number beyond float64
            pass
    return _each(values, _number)


def dates_of(values: Any) -> tuple[Floats, int]:
    """Dates and times as microseconds since 1970, as float64; otherwise as `numbers_of`."""
    if isinstance(values, pa.Array):
        if pa.types.is_date(values.type):
            return _floats(values.cast(pa.date32()).cast(pa.int32())) * _DAY, 0
        if pa.types.is_timestamp(values.type):
            numbers = _floats(values.cast(pa.int64()))
            return numbers if values.type.unit == "us" else numbers * _MICROSECONDS[values.type.unit], 0
        return _none_valid(values)
    if set(map(type, values)) <= _TIMES and not any(value is not None and value.tzinfo for value in values):
        return np.array([_NAN if value is None else _since_epoch(value) for value in values], np.float64), 0
    return _each(values, _microseconds)


def lengths_of(values: Any) -> tuple[Floats, int]:
    """How many characters texts have; otherwise as `numbers_of`."""
    if isinstance(values, pa.Array):
        if _is_text(values.type):
            return _floats(pc.utf8_length(values)), 0
        return _none_valid(values)
    if set(map(type, values)) <= _TEXTS:
        return np.array([_NAN if value is None else len(value) for value in values], np.float64), 0
    return _each(values, lambda value: len(value) if isinstance(value, str) else None)


def texts_of(values: Any) -> tuple[dict[str, int], int, int]:
    """How often each text is there, how many values are missing, how many are invalid."""
    if isinstance(values, pa.Array):
        if not _is_text(values.type):
            numbers, invalid = _none_valid(values)
            return {}, len(numbers) - invalid, invalid
        counted = pc.value_counts(values.drop_null())
        names, counts = counted.field(0).to_pylist(), counted.field(1).to_pylist()
        return dict(zip(names, counts, strict=True)), values.null_count, 0
    try:
        distinct: Counter[Any] = Counter(values)
    except TypeError:  # a value that cannot be hashed is no text
        distinct = Counter(value if isinstance(value, str) or _is_missing(value) else _Invalid for value in values)
    texts: dict[str, int] = {}
    missing = invalid = 0
    for value, count in distinct.items():
        if isinstance(value, str):
            texts[str(value)] = texts.get(str(value), 0) + count
        elif _is_missing(value):
            missing += count
        else:
            invalid += count
    return texts, missing, invalid


def booleans_of(values: Any) -> tuple[dict[str, int], int, int]:
    """As `texts_of`, of truth values called false and true."""
    if isinstance(values, pa.Array):
        if not pa.types.is_boolean(values.type):
            numbers, invalid = _none_valid(values)
            return {}, len(numbers) - invalid, invalid
        yes = values.true_count
        return {"false": len(values) - values.null_count - yes, "true": yes}, values.null_count, 0
    if set(map(type, values)) <= _TRUTHS:
        return {"false": values.count(False), "true": values.count(True)}, values.count(None), 0
    yes = sum(value is True or (isinstance(value, np.bool_) and bool(value)) for value in values)
    no = sum(value is False or (isinstance(value, np.bool_) and not value) for value in values)
    missing = sum(map(_is_missing, values)) if yes + no < len(values) else 0
    return {"false": no, "true": yes}, missing, len(values) - yes - no - missing


def labels_of(values: Any) -> tuple[dict[str, int], int, int]:
    """As `texts_of`, of predicted classes of any type, by their text."""
    if isinstance(values, pa.Array):
        counted = pc.value_counts(values.drop_null())
        names = map(str, counted.field(0).to_pylist())
        return dict(zip(names, counted.field(1).to_pylist(), strict=True)), values.null_count, 0
    return texts_of([None if _is_missing(value) else str(value) for value in values])


def column_values(rows: Any, name: str, default: Any = None) -> Any:
    """The values of a column in a table or in a list of mappings, as an Arrow array or a list.

    Rows without it have its default. Of child rows, which are lists, all values in their order.
    """
    if isinstance(rows, pa.Table | pa.RecordBatch):
        if name not in rows.schema.names:
            return [default] * rows.num_rows
        values = rows.column(name)
        if isinstance(values, pa.ChunkedArray):
            values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
        while pa.types.is_dictionary(values.type) or _is_list(values.type):
            values = values.flatten() if _is_list(values.type) else values.dictionary_decode()
        return values
    return [row.get(name, default) for row in rows]


class _Invalid:
    """Stands for a value that cannot be hashed."""


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _none_valid(values: pa.Array) -> tuple[Floats, int]:
    """A column of another type: all that is there is invalid. Text that is nothing but missing is missing."""
    return np.full(len(values), _NAN), len(values) - values.null_count


def _floats(values: pa.Array) -> Floats:
    """An Arrow array of numbers as float64, NaN where it is null; through its buffers, which needs no pandas."""
    cast = values.cast(ARROW_TYPES["number"], safe=False)
    if cast.null_count:
        cast = pc.fill_null(cast, arrow_scalar(_NAN, "number"))
    if not len(cast):
        return np.zeros(0)
    return np.frombuffer(cast.buffers()[1], np.float64, len(cast), 8 * cast.offset)


def _each(values: Sequence[Any], convert: Any) -> tuple[Floats, int]:
    """Values one by one; what has no number is invalid unless it is missing."""
    result = np.full(len(values), _NAN)
    invalid = 0
    for number, value in enumerate(values):
        if _is_missing(value):
            continue
        try:
            converted = convert(value)
        except (ArithmeticError, TypeError, ValueError):
            converted = None
        if converted is None:
            invalid += 1
        else:
            result[number] = converted
    return result, invalid


def _number(value: Any) -> float | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral | Real | Decimal):
        return None
    return float(value)


def _microseconds(value: Any) -> float | None:
    if isinstance(value, datetime):
        return _since_epoch(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    return float((value - _EPOCH.date()).days * _DAY) if isinstance(value, date) else None


def _since_epoch(value: datetime) -> float:
    passed = value - _EPOCH
    return passed.days * 86_400e6 + passed.seconds * 1e6 + passed.microseconds  # a third of the time of a division


def _is_missing(value: Any) -> bool:
    """None, or a value that is not equal to itself; NA of pandas answers with itself."""
    if value is None:
        return True
    if isinstance(value, str | int | list | dict):
        return False
    try:
        different = value != value
        return different is True or different is value or (isinstance(different, np.bool_) and bool(different))
    except Exception:  # an object may answer a comparison with anything
        return False
