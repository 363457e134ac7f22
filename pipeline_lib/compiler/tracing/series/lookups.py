"""Look-ups of a Series' values: `isin`, `map` with a dict or Series.

pandas matches values by hash and dtype: True is 1 in a list with text, but no key of an integer column in a dict. What
each dtype finds was measured; keys that some columns would find and others not are refused.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.times import microseconds
from pipeline_lib.compiler.tracing.bounds import EXACT
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, perform, raw_call
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import RULES, Entry, rule
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of, has_fixed_categories, is_object
from pipeline_lib.compiler.tracing.series.times import whole_microseconds

_LISTS: tuple[type, ...] = (
    list,
    tuple,
    set,
    frozenset,
    range,
    np.ndarray,
    pd.Index,
    pd.Series,
    type({}.keys()),
    type({}.values()),
)


def plain(values: Any) -> list[Any]:
    """The items of a list, set, array or Series as Python's and pandas' own scalars."""
    return [each.item() if isinstance(each, np.number | np.bool_) else each for each in values]


@rule("series", "isin")
def isin(call: Call, values: Any) -> Value:
    """Whether a value is one of some constants."""
    if isinstance(values, Recorded) or not isinstance(values, (*_LISTS, dict)):
        call.stop(
            f"isin of a {values._title if isinstance(values, Recorded) else type(values).__name__}",
            "it must be constants: other rows hold others",
            "give a list, or keep it on `self` in `fit`",
        )
    items = plain(values)
    value, has_missing = call.value, _finds_missing(call, items)
    keys = keys_of(call, [each for each in items if not is_missing(each)], lists=True)
    if not keys:
        return value.missing() if has_missing else call.build.value(False)
    return look_up(call.build, value, dict.fromkeys(keys.values(), True), "bool", missing=has_missing, unseen=False)


def look_up(
    build: Builder, value: Value, table: dict[Any, Any], gives: str, *, missing: Any = None, unseen: Any = None
) -> Value:
    """A look-up in a table of the plan's own constants, of dates and durations, too."""
    found = build.lookup(value, table, gives, missing=missing, unseen=unseen)
    if value.kind in ("datetime", "duration") and missing != unseen:
        return build.where(value.missing(), constant_item(build, missing, gives), found)
    return found


def constant_item(build: Builder, item: Any, gives: str) -> Value:
    """A result of a table as a constant."""
    if item is None:
        return build.missing(gives)
    return (
        build.date(item) if gives == "datetime" else build.duration(item) if gives == "duration" else build.value(item)
    )


def _finds_missing(call: Call, items: Sequence[Any]) -> bool:
    """Whether a list finds missing values: any missing one in text and dates, only NaN in numbers."""
    missing = [each for each in items if is_missing(each)]
    if is_object(call.owner) and None in missing:
        call.stop("None in a list for a column of Python objects", "NaN is not None there", "write np.nan")
    if call.value.kind in ("str", "datetime", "duration"):
        return bool(missing)
    if any(each is pd.NaT or each is pd.NA for each in missing):
        call.stop("pd.NA or NaT in a list of numbers", "pandas may find missing values by it", "write np.nan")
    return any(each is not None for each in missing)


def keys_of(call: Call, items: Sequence[Any], *, lists: bool = False) -> dict[int, Any]:
    """The items that values of the column can be equal to, by number, as keys of a look-up of the plan.

    In `lists` a bool is the number 0 or 1, as a key of a dict it is not.
    """
    if any(str(dtype) in ("float32", "float16") for dtype in dtypes_of(call.owner)):
        call.stop("a look-up of float32 values", "0.1 is another number there", "cast with astype(float) first")
    _check_keys(call, items, lists=lists)
    keys = {number: _key_of(call, item, lists=lists) for number, item in enumerate(items)}
    return {number: key for number, key in keys.items() if key is not None}


def _check_keys(call: Call, items: Sequence[Any], *, lists: bool) -> None:
    """Refuse items that pandas finds or not by the other items."""
    kind = call.value.kind
    if kind not in ("int64", "float64", "bool"):
        return
    numbers = [each for each in items if isinstance(each, int | float)]
    bools = [each for each in numbers if isinstance(each, bool)]
    flags = kind == "bool" or is_object(call.owner)
    if not lists and (bools if not flags else len(bools) < len(numbers) and (bools or kind != "bool")):
        call.stop(
            "bools and numbers among the keys of a table, or of the other kind than the column",
            "pandas finds them or not, by the other items",
            "write True and False for bools, 1 and 0 for numbers",
        )
    floats = kind == "float64" or any(isinstance(each, float) for each in numbers)
    if floats and any(abs(each) > EXACT for each in numbers if np.isfinite(each)):
        call.stop("integers beyond 2**53 among numbers", "a float does not hold them", "write them as text, or apart")


def _key_of(call: Call, item: Any, *, lists: bool) -> Any:
    """An item as a key of a look-up; None if no value of the column is equal to it."""
    kind = call.value.kind
    if kind == "str":
        return item if isinstance(item, str) else None
    if kind in ("datetime", "duration"):
        return _time_of(call, item)
    if not isinstance(item, int | float):
        return None
    if kind == "bool":
        found = isinstance(item, bool) or lists or is_object(call.owner)
        return bool(item) if found and item in (0, 1) else None
    if kind == "int64":
        whole = np.isfinite(item) and item == int(item) and -(2**63) <= item < 2**63
        return int(item) if whole else None
    return float(item)


def _time_of(call: Call, item: Any) -> int:
    """A date or duration as microseconds."""
    kind = call.value.kind
    kinds = (datetime, np.datetime64) if kind == "datetime" else (timedelta, np.timedelta64)
    if not isinstance(item, kinds) or getattr(item, "tzinfo", None) is not None:
        call.stop(
            f"{item!r} among {kind} values",
            "pandas finds it or not, by the other items",
            "write pd.Timestamp(...), or pd.to_datetime([...])",
        )
    return int(as_item(item, kind))


@rule("series", "map", raw=True)
def map_series(call: Call, arg: Any, na_action: Any = None, **options: Any) -> Any:
    """Each value's result in a dict or a fitted Series; a function is called row by row."""
    if isinstance(arg, Recorded):
        call.stop("map by a column", "its rows differ from batch to batch", "learn a dict or Series in `fit`")
    if not isinstance(arg, dict | pd.Series):
        entry = RULES.get(("series", "map(function)"))
        if entry is None:
            call.stop(f"map by a {type(arg).__name__}", "the recorder has no rule for it", "give a dict")
        return raw_call(call.recording, call, entry, (arg,), {"na_action": na_action, **options})
    return perform(call.owner, "map", Entry(_mapped), (arg,), {"na_action": na_action, **options})


def _mapped(call: Call, arg: Any, na_action: Any = None) -> Value:
    """`map` with a table: what is not in it is missing, or the default of a defaultdict."""
    if not has_fixed_categories(call.owner):
        call.stop(
            "map of categories that depend on the rows at hand",
            "its result is categories or not, by the rows",
            "cast with astype(str) or astype(float) before it",
        )
    table, default = _table(call, arg)
    missing_keys = [key for key in table if is_missing(key)]
    if None in missing_keys and call.value.kind in ("int64", "float64", "bool"):
        call.stop("None among the keys of a table of numbers", "pandas finds NaN by it or not", "write np.nan")
    missing = table[missing_keys[0]] if missing_keys and na_action is None else default
    if len({repr(table[key]) for key in missing_keys}) > 1:
        call.stop("several results for missing values", "pandas takes one of them", "keep one of None and NaN")
    if na_action is not None and default is not None:
        call.stop("a defaultdict with na_action", "the recorder has no rule for it", PLAN)
    present = [key for key in table if not is_missing(key)]
    results = {key: table[present[number]] for number, key in keys_of(call, present).items()}
    gives = _result_kind(call, results, missing, default)
    return look_up(
        call.build,
        call.value,
        {key: as_item(result, gives) for key, result in results.items()},
        gives,
        missing=as_item(missing, gives),
        unseen=as_item(default, gives),
    )


def _table(call: Call, arg: Any) -> tuple[dict[Any, Any], Any]:
    """A dict or Series as a plain dict, and its default (None: missing)."""
    if isinstance(arg, pd.Series):
        if isinstance(arg.index, pd.MultiIndex):
            call.stop("map by a Series of several index levels", "the recorder has no rule for it", PLAN)
        return dict(zip(plain(arg.index), plain(arg.astype(object)), strict=True)), None
    keys, values = plain(arg.keys()), plain(arg.values())
    if type(arg) is defaultdict and arg.default_factory is not None:
        return dict(zip(keys, values, strict=True)), plain([arg.default_factory()])[0]
    if type(arg) is Counter:
        return dict(zip(keys, values, strict=True)), 0
    if type(arg) not in (dict, OrderedDict, defaultdict):
        call.stop(f"map by a {type(arg).__name__}", "what it does with other keys cannot be seen", "give a dict")
    return dict(zip(keys, values, strict=True)), None


def _result_kind(call: Call, results: dict[Any, Any], missing: Any, default: Any) -> str:
    """The dtype of a column of results."""
    whole = call.value.kind == "bool" and set(results) == {True, False}
    never_missing = call.value.kind in ("int64", "bool") or not is_missing(missing)
    complete = whole or (not is_missing(default) and never_missing)
    possible = [*results.values(), *([] if whole else [missing, default])]
    kinds = {kind_of_item(call, each) for each in possible if not is_missing(each)}
    if not kinds:
        return "float64"
    if kinds == {"int64"} or kinds == {"bool"}:
        gaps = not complete or any(is_missing(each) for each in results.values())
        return "float64" if gaps else kinds.pop()
    if kinds == {"int64", "float64"}:
        return "float64"
    if len(kinds) > 1:
        call.stop(
            f"a table of {' and '.join(sorted(kinds))} values",
            "a column of production has one dtype",
            "make them alike",
        )
    return kinds.pop()


def kind_of_item(call: Call, item: Any) -> str:
    """The plan's dtype of a constant in a table."""
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) > EXACT:
        call.stop(f"the integer {item} in a table", "a missing value beside it would round it", "write it as text")
    for kind, name in ((bool, "bool"), (int, "int64"), (float, "float64"), (str, "str")):
        if isinstance(item, kind):
            return name
    if isinstance(item, datetime | np.datetime64) and getattr(item, "tzinfo", None) is None:
        return "datetime"
    if isinstance(item, timedelta | np.timedelta64):
        return "duration"
    return call.stop(
        f"a {type(item).__name__} in a table", "a plan holds numbers, bools, text and dates", "give one of them"
    )


def as_item(item: Any, gives: str) -> Any:
    """A constant of a table as a look-up of the plan holds it; None is missing."""
    if is_missing(item):
        return None
    if gives in ("datetime", "duration"):
        return microseconds(whole_microseconds((pd.Timestamp if gives == "datetime" else pd.Timedelta)(item)), gives)
    return {"float64": float, "int64": int, "bool": bool, "str": str}[gives](item)
