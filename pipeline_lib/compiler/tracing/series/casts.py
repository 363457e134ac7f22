"""`astype` of a Series, for each pair of dtypes; what pandas converts otherwise from batch to batch is refused.

to          from                      plan
float       int, bool, text           the number; text that is none is refused
int         float, text               the integer part; missing and infinite numbers are refused, as in pandas
int8 ...    int                       wrapped to so many bits
bool        numbers, text             False for 0 and "", True for others and for missing
str         int, float, bool          the text of the number; missing stays missing
category    any                       the same values; those that fixed categories do not hold are missing
datetime64  dates                     rounded down to the unit
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiled.operations.calendar import EPOCH_ORDINAL
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.bounds import EXACT, LARGEST, value_range
from pipeline_lib.compiler.tracing.integer_batches import mixes_integers
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.checks import checked, input_names
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of, is_object, is_python_bools
from pipeline_lib.compiler.tracing.series.lookups import keys_of, look_up, plain

_NUMBERS = ("int64", "float64", "bool")
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_NANOSECOND_ENDS = ("1677-09-21T00:12:43.145225", "2262-04-11T23:47:16.854775")
"""The first and the last microsecond that a date of nanoseconds holds."""


@rule("series", "astype")
def astype(call: Call, dtype: Any, copy: Any = None, errors: str = "raise") -> Value:
    """The values converted to another dtype."""
    if errors != "raise" or isinstance(dtype, dict):
        call.stop(f"{call.name} with errors or a dict", "the recorder has no rule for it", "give the dtype itself")
    target = pd.api.types.pandas_dtype(dtype)
    return cast(call, target)


def cast(call: Call, target: Any) -> Value:
    """The column converted to a dtype."""
    name = str(target)
    if isinstance(target, pd.CategoricalDtype):
        return _category(call, target)
    if name == "object":
        return call.value
    if name == "str" and target.na_value is np.nan:
        return _text(call)
    if name in ("Int64", "Float64"):
        return _nullable(call, name)
    if isinstance(target, np.dtype) and target.kind in "fiub":
        _check_source(call, name)
        return {"f": _float, "i": _integer, "u": _integer, "b": _bool}[target.kind](call, target)
    if isinstance(target, np.dtype) and target.kind in "mM":
        return _time(call, target)
    return call.stop(
        f"astype({name!r})",
        "its missing values compare otherwise than NaN, and the recorder has no rule for it",
        "write astype(float), astype(int), astype(bool) or astype(str)",
    )


def _check_source(call: Call, name: str) -> None:
    """Refuse text in categories, and objects that hold None, as numbers."""
    reals = [call.owner._reals[number] for number in call.recording.living()]
    if any(str(real.dtype) == "category" for real in reals) and call.value.kind == "str":
        call.stop(
            f"categories of text as {name}", "pandas converts each category, used or not", "write astype(str) first"
        )
    if name == "bool" and any(each is None for real in reals if real.dtype == object for each in real):
        call.stop("None as bool", "it is False where NaN is True", "write fillna(False) first")


def _float(call: Call, target: Any) -> Value:
    build, value = call.build, call.value
    if value.kind == "str":
        number = build.number_of_text(value, how="python", errors="refuse", **_place(call))
    elif value.kind in _NUMBERS:
        number = build.number(value)
        if mixes_integers(build.nodes, number.node, call.recording.mixed):
            number = number - 0.0  # the same number, from here on float64 in any batch
    else:
        call.stop(f"a column of {value.kind} as float", "pandas refuses it", "write .dt.total_seconds() of a duration")
    if target == np.float64:
        return number
    if target != np.float32:
        call.stop(f"astype({target})", "a plan computes in float64", "write astype(float)")
    if value.kind == "int64":
        low, high = value_range(call.recording, value)
        if low < -EXACT or high > EXACT:
            exact = build.less_equal(build.absolute(number), EXACT)
            number = checked(call.recording, number, exact, "an integer up to 2**53, which rounds alike in both")
    return build.round32(number)


def _integer(call: Call, target: Any) -> Value:
    build, value, ends = call.build, call.value, np.iinfo(target)
    if value.kind in ("datetime", "duration"):
        return _count_of_time(call, target)
    if target == np.uint64 or (value.kind == "str" and target != np.int64):
        call.stop(f"{value.kind} as {target}", "the recorder has no rule for it", "write astype(int) first")
    if value.kind == "str":
        return build.int_of_text(value, **_place(call))
    if value.kind == "float64":
        low, high = max(float(ends.min), -(2.0**63)), min(float(ends.max), LARGEST)
        inside = build.logical_and(build.trunc(value) >= low, build.trunc(value) <= high)
        return build.truncate_int(
            checked(call.recording, value, inside, f"a number within {target}, as pandas makes no integers of others")
        )
    number = build.integer(value)
    low, high = value_range(call.recording, number)
    if target == np.int64 or (ends.min <= low and high <= ends.max):
        return number
    return build.remainder_int(number - int(ends.min), int(ends.max) - int(ends.min) + 1) + int(ends.min)


def _count_of_time(call: Call, target: Any) -> Value:
    """A date or duration as an integer: how many of its units, since 1970 for a date; a missing one is -2**63."""
    build, value = call.build, call.value
    units = {str(dtype).rpartition("[")[2].rstrip("]") for dtype in dtypes_of(call.owner)}
    if target != np.int64 or len(units) > 1 or not units <= set(_MICROSECONDS):
        call.stop(
            f"a column of {value.kind} as {target}",
            "its unit is not fixed to microseconds or longer ones",
            "write (column - pd.Timestamp('1970-01-01')) / pd.Timedelta(seconds=1)",
        )
    if value.kind == "datetime":
        days = build.calendar(value, field="ordinal") - EPOCH_ORDINAL
        seconds = build.calendar(value, field="hour") * 3600 + build.calendar(value, field="minute") * 60
        seconds = seconds + build.calendar(value, field="second")
        micros = build.apply("calendar", value, field="microsecond")
    else:
        parts = [build.apply("duration_part", value, part=part) for part in ("days", "seconds", "microseconds")]
        days, seconds, micros = (build.truncate_int(part) for part in parts)
    unit = _MICROSECONDS[units.pop()]
    small = build.floor_divide_int(micros, build.value(unit))
    count = (days * 86_400 + seconds) * (1_000_000 // unit) + small
    return build.where(value.missing(), -(2**63), count)


def _bool(call: Call, target: Any) -> Value:
    build, value = call.build, call.value
    if value.kind == "bool":
        return value
    if value.kind == "str":
        return build.logical_not(build.text_equal(value, ""))
    if value.kind not in _NUMBERS:
        call.stop(
            f"a column of {value.kind} as bool", "the recorder has no rule for it", "compare it, or write notna()"
        )
    return build.logical_not(value == 0)


def _text(call: Call) -> Value:
    build, value, dtypes = call.build, call.value, dtypes_of(call.owner)
    names = sorted(map(str, dtypes))
    if names == ["category"] and not _has_text_categories(dtypes):
        return _text_of_categories(call, dtypes)
    if value.kind == "str":
        return value
    if len(dtypes) > 1:
        call.stop(
            f"astype(str) of a column that is {' or '.join(names)}, by its rows",
            "'1' in one batch is '1.0' in another",
            "cast it with astype(float) or, after fillna, astype(int) first",
        )
    if value.kind == "bool" and names == ["bool"]:
        return build.where(value, "True", "False")
    if names == ["object"] and value.kind == "float64" and is_python_bools(call.owner):
        return build.lookup(value, {1.0: "True", 0.0: "False"}, "str")
    if value.kind == "float64" and mixes_integers(call.build.nodes, value.node, call.recording.mixed):
        call.stop(
            "astype(str) of integers in some rows beside other numbers",
            "pandas keeps integers where all rows of a batch are some: '1' in one batch is '1.0' in another",
            "cast with astype(float) or astype(int) first",
        )
    if value.kind in ("int64", "float64") and dtypes[0].kind in "iuf" and names[0] not in ("float32", "float16"):
        return build.text_of_number(value, how="pandas")
    if value.kind in ("datetime", "duration"):
        call.stop(
            f"astype(str) of a column of {value.kind}",
            "pandas leaves the time out where all rows are at midnight",
            "write .dt.strftime('%Y-%m-%d')",
        )
    return call.stop(
        f"astype(str) of a column of {names[0]}", "the recorder has no rule for it", "cast it with astype(float)"
    )


def _has_text_categories(dtypes: list[Any]) -> bool:
    return all(str(dtype.categories.dtype) in ("str", "object") for dtype in dtypes)


def _text_of_categories(call: Call, dtypes: list[Any]) -> Value:
    """The text that pandas makes of each category, of intervals or numbers, which must be fixed."""
    if any(dtype != dtypes[0] for dtype in dtypes) or len(dtypes) > 1:
        call.stop("categories of numbers as text", "they depend on the rows at hand", "write astype(str) before it")
    categories, count = dtypes[0].categories, len(dtypes[0].categories)
    alone, beside_missing = (
        list(pd.Series(pd.Categorical.from_codes(codes, dtype=dtypes[0])).astype(str))[-count:]
        for codes in ([*range(count)], [-1, *range(count)])
    )
    if alone != beside_missing:
        call.stop(
            f"categories such as {categories[0]} as text",
            f"beside a missing value pandas writes {beside_missing[0]}",
            "give float edges or labels",
        )
    keys = keys_of(call, category_items(categories))
    return look_up(call.build, call.value, {key: alone[number] for number, key in keys.items()}, "str")


def category_items(categories: Any) -> list[Any]:
    """Categories as the plan holds them: intervals as text."""
    return [str(each) if isinstance(each, pd.Interval) else each for each in plain(categories)]


def _nullable(call: Call, name: str) -> Value:
    """pandas' own dtypes, in which a missing value is pd.NA: only to be handed on, filled or cast again."""
    build, value = call.build, call.value
    if value.kind not in _NUMBERS or (value.kind == "float64" and is_object(call.owner)):
        call.stop(
            f"a column of {value.kind} as {name}", "the recorder has no rule for it", "cast it with astype(float)"
        )
    if name == "Float64":
        return build.number(value)
    if value.kind != "float64":
        return build.integer(value)
    whole = build.logical_and(build.trunc(value) == value, build.absolute(value) <= LARGEST)
    whole = build.logical_or(value.missing(), whole)
    return checked(call.recording, value, whole, "an integer or a missing value, as pandas makes no Int64 of others")


def _category(call: Call, target: Any) -> Value:
    """Categories: the same values; those that are none of fixed categories are missing."""
    build, value = call.build, call.value
    if target.categories is None:
        return value
    keys = keys_of(call, plain(target.categories))
    known = look_up(build, value, dict.fromkeys(keys.values(), True), "bool", missing=True, unseen=False)
    if value.kind in ("int64", "bool"):
        value = build.number(value)
    return build.where(known, value, build.missing(value.kind))


def _time(call: Call, target: Any) -> Value:
    """Dates and durations in another unit."""
    build, value = call.build, call.value
    unit = np.datetime_data(target)[0]
    if value.kind != ("datetime" if target.kind == "M" else "duration"):
        call.stop(
            f"a column of {value.kind} as {target}",
            "pandas guesses the format, or the unit",
            "write pd.to_datetime(column, format='%Y-%m-%d')",
        )
    if unit == "us":
        return value
    if target.kind == "M" and unit in ("s", "ms"):
        return build.date_floor(value, unit="second" if unit == "s" else "millisecond")
    if target.kind == "M" and unit == "ns":
        first, last = (build.date(end) for end in _NANOSECOND_ENDS)
        inside = build.logical_and(build.date_less_equal(first, value), build.date_less_equal(value, last))
        inside = build.logical_or(value.missing(), inside)
        return checked(call.recording, value, inside, "a date from 1677 to 2262, as nanoseconds hold no others")
    return call.stop(
        f"astype({str(target)!r})", "the recorder has no rule for it", "leave it out: a plan counts microseconds"
    )


def _place(call: Call) -> dict[str, str]:
    """The column and the line, for the message of a row that is refused."""
    line = call.recording.line()
    names = ", ".join(input_names(call.recording, call.value))
    return {"name": names, "where": str(line) if line else PLAN}
