"""`replace` of a Series: values by values, all at once, and matches of patterns in text."""

import re
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.bounds import EXACT
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.frames.assignment import choose
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.rows.checks import checked
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of, is_object, is_python_bools
from pipeline_lib.compiler.tracing.series.lookups import (
    as_item,
    constant_item,
    keys_of,
    kind_of_item,
    look_up,
    plain,
)
from pipeline_lib.compiler.tracing.series.series import method

_NO_VALUE = type("_NoValue", (), {})()


@method("replace")
def replace(call: Call, to_replace: Any = None, value: Any = _NO_VALUE, *, regex: Any = False) -> Value:
    """Some values replaced by others, all at once."""
    if isinstance(to_replace, Recorded) or isinstance(value, Recorded):
        call.stop(
            "replace with a column", "its rows differ from batch to batch", "write np.where(condition, then, other)"
        )
    if str(dtypes_of(call.owner)[0]) == "category":
        call.stop(
            "replace of categories", "the categories depend on the rows at hand", "cast it with astype(str) first"
        )
    pairs = _pairs(call, to_replace, value)
    if regex is not False:
        return _replaced_by_pattern(call, pairs, regex)
    return _replaced(call, pairs)


def _pairs(call: Call, to_replace: Any, value: Any) -> list[tuple[Any, Any]]:
    """What is replaced, and by what."""
    if isinstance(to_replace, dict):
        if value is not _NO_VALUE or any(isinstance(each, dict) for each in to_replace.values()):
            call.stop("replace with a dict and a value", "pandas takes the keys as columns", "write {old: new}")
        return list(zip(plain(to_replace), plain(to_replace.values()), strict=True))
    if value is _NO_VALUE:
        call.stop("replace without a value", "the recorder has no rule for it", "write {old: new}")
    if isinstance(to_replace, list | tuple | np.ndarray | pd.Index):
        olds = plain(to_replace)
        news = plain(value) if isinstance(value, list | tuple | np.ndarray) else plain([value]) * len(olds)
        return list(zip(olds, news, strict=True))
    if isinstance(value, dict | list | tuple | pd.Series):
        call.stop(f"replace by a {type(value).__name__}", "pandas takes it by row", "write {old: new}")
    return [(plain([to_replace])[0], plain([value])[0])]


def _replaced(call: Call, pairs: list[tuple[Any, Any]]) -> Value:
    """The look-up of what is replaced; values without a pair stay."""
    value = call.value
    objects = is_object(call.owner) and value.kind != "str"
    flags = value.kind == "bool" or objects
    other_keys = any(not isinstance(old, bool) and not is_missing(old) for old, _ in pairs)
    if objects and (other_keys or not is_python_bools(call.owner)):
        call.stop("replace in a column of Python objects", "True is 1 there or not", "cast it with astype(float) first")
    if any(isinstance(new, int | float) and EXACT < abs(new) < np.inf for _, new in pairs):
        call.stop("replace by a number beyond 2**53", "narrow integers do not take it", "cast with astype(float) first")
    pairs = [
        (old, new) for old, new in pairs if is_missing(old) or isinstance(old, bool) is flags or value.kind == "str"
    ]
    fillers = [new for old, new in pairs if is_missing(old)]
    present = [(old, new) for old, new in pairs if not is_missing(old)]
    found = {key: present[number][1] for number, key in keys_of(call, [old for old, _ in present]).items()}
    news = [*found.values(), *(fillers if value.kind not in ("int64", "bool") else [])]
    if not news:
        return value
    if any(new is None for new in news) and value.kind != "str":
        call.stop("replace by None", "pandas makes Python objects of the column", "write np.nan")
    kinds = {kind_of_item(call, new) for new in news if not is_missing(new)}
    filled = fillers[:1] if value.kind not in ("int64", "bool") else []
    if kinds <= {value.kind} or (value.kind in ("int64", "float64") and kinds <= {"int64", "float64"} and not flags):
        return _kept(call, found, filled, kinds)
    if len(kinds) != 1 or not found or any(map(is_missing, news)):
        call.stop(
            f"{value.kind} replaced by {' and '.join(sorted(kinds))}", "a column of production has one dtype", "use map"
        )
    return _all_replaced(call, found, filled, kinds.pop())


def _kept(call: Call, found: dict[Any, Any], filled: list[Any], kinds: set[str]) -> Value:
    """Values of the column's own dtype: those that are not replaced stay."""
    build, value = call.build, call.value
    gaps = any(map(is_missing, found.values()))
    if value.kind == "bool" and gaps:
        call.stop("bools replaced by missing values", "pandas makes Python objects of the column", "use map")
    if value.kind == "int64" and (gaps or "float64" in kinds):
        value, found = build.number(value), {float(key): new for key, new in found.items()}
    gives = value.kind
    table = {key: as_item(new, gives) for key, new in found.items()}
    if gives in ("str", "float64"):
        return build.lookup(value, table, gives, missing=as_item(filled[0], gives) if filled else None, mode="keep")
    result = value
    if table:
        seen = build.lookup(value, dict.fromkeys(table, True), "bool", missing=False, unseen=False)
        new = build.lookup(value, table, gives, unseen=next(iter(table.values())))
        result = build.where(seen, new, value)
    if not filled:
        return result
    return build.where(value.missing(), constant_item(build, as_item(filled[0], gives), gives), result)


def _all_replaced(call: Call, found: dict[Any, Any], filled: list[Any], kind: str) -> Value:
    """Values of another dtype: pandas makes objects of the column, so rows with other values are refused."""
    build, value = call.build, call.value
    never_missing = value.kind in ("int64", "bool") or bool(filled)
    gives = kind if never_missing or kind not in ("int64", "bool") else "float64"
    missing = as_item(filled[0], gives) if filled else None
    table = {key: as_item(new, gives) for key, new in found.items()}
    result = look_up(build, value, table, gives, missing=missing, unseen=next(iter(table.values())))
    seen = look_up(build, value, dict.fromkeys(table, True), "bool", missing=True, unseen=False)
    return checked(
        call.recording,
        result,
        seen,
        f"one of the {len(table)} values that `replace` replaces: others would stay {value.kind} beside {kind}",
        "write column.map({old: new}) in the step",
    )


def _replaced_by_pattern(call: Call, pairs: list[tuple[Any, Any]], regex: Any) -> Value:
    """Text in which the matches of patterns are replaced, one pattern after the other."""
    build, original = call.build, call.value
    if regex is not True or original.kind != "str":
        call.stop("replace with regex in a column that is no text", "the recorder has no rule for it", "leave it out")
    result = original
    for pattern, new in pairs:
        if not isinstance(pattern, str | re.Pattern) or not (isinstance(new, str) or is_missing(new)):
            call.stop(f"{pattern!r} as a pattern", "the recorder has no rule for it", "give texts")
        text, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, pattern.flags & ~re.UNICODE)
        found = build.regex_test(original, pattern=text, how="search", flags=flags)
        if is_missing(new):
            result = choose(build, found, build.missing("str"), result)
        else:
            changed = build.regex_replace(result, pattern=text, replacement=new, flags=flags)
            result = changed if result is original else build.where(found, changed, result)
    return result
