"""Values of one row looked up in a dict of own code: `d[value]`, `d.get(value, 0)`, `value in d`, `d[a, b]`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.choices import keys_of, one_of
from pipeline_lib.compiler.tracing.rows.operands import KIND_OF_TYPE, SAMPLES
from pipeline_lib.compiler.tracing.rows.values import RecordedValue, decide, make_value


@rule("dict", "__getitem__", raw=True)
def look_up(call: Call, key: Any) -> Any:
    """`d[value]`: KeyError where it is not there, or what the dict makes for it."""
    if not decide(call.recording, _contained(call, key)):
        return call.owner.__missing__("a key that is not in the dict")  # KeyError, unless it is a defaultdict
    return _found(call, key)


@rule("dict", "get", raw=True)
def get(call: Call, key: Any, default: Any = None) -> Any:
    """`d.get(value, default)`."""
    sample = _common_sample(call, key)
    if type(key) is RecordedValue and sample is not None and type(default) is type(sample) and not is_missing(default):
        column = _column(call, key, default)
        return make_value(call.recording, column, sample=SAMPLES[type(sample)])
    if not decide(call.recording, _contained(call, key)):
        return default
    return _found(call, key)


@rule("dict", "__contains__", raw=True)
def contains(call: Call, key: Any) -> bool:
    """`value in d`."""
    return decide(call.recording, _contained(call, key))


def _parts(call: Call, key: Any) -> list[Any]:
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(each, Recorded) and type(each) is not RecordedValue for each in parts):
        refuse("a dict looked up by a column", "it has a value for each row", "write column.map(dict)")
    return parts


def _contained(call: Call, key: Any) -> Value:
    """Whether a key is in the dict."""
    if type(key) is RecordedValue:
        return one_of(call.build, key._values[0], list(call.owner))
    rows = _rows(call, _parts(call, key))
    return call.build.lookup_rows(
        *_columns(call, key), keys=[list(row) for row in rows], values=[True] * len(rows), gives="bool", unseen=False
    )


def _rows(call: Call, parts: list[Any]) -> dict[tuple[Any, ...], Any]:
    """The keys of several parts that a row's values may equal, in the columns' dtypes, with their values."""
    rows = {}
    for key, value in dict.items(call.owner):
        if isinstance(key, tuple) and len(key) == len(parts):
            fitted = [_fitted(part, each) for part, each in zip(parts, key, strict=True)]
            if all(len(each) == 1 for each in fitted):
                rows[tuple(each[0] for each in fitted)] = value
    return rows


def _fitted(part: Any, key: Any) -> list[Any]:
    if type(part) is RecordedValue:
        return keys_of(part._values[0], [key])
    return [key] if part == key else []


def _columns(call: Call, key: Any) -> list[Value]:
    return [each._values[0] if type(each) is RecordedValue else call.build.value(each) for each in key]


def _common_sample(call: Call, key: Any) -> Any:
    """A value of the type that all values of the dict have which a key may find; None where they differ."""
    kinds = {type(value) for value in _table(call, key).values()}
    kind = kinds.pop() if len(kinds) == 1 else None
    return SAMPLES.get(kind) if kind in KIND_OF_TYPE and kind in (int, float, bool, str, np.int64, np.float64) else None


def _table(call: Call, key: Any) -> Mapping[Any, Any]:
    """The part of the dict that a key may find, by key in the column's dtype."""
    if type(key) is not RecordedValue:
        return _rows(call, _parts(call, key))
    table = {}
    for each, value in dict.items(call.owner):
        for fitted in keys_of(key._values[0], [each] if not is_missing(each) else []):
            table[fitted] = value
    return table


def _column(call: Call, key: RecordedValue, default: Any) -> Value:
    """The values of the dict as one column; `default` where a key is not there."""
    table = _table(call, key)
    return call.build.lookup(key._values[0], dict(table), KIND_OF_TYPE[type(default)], missing=default, unseen=default)


def _found(call: Call, key: Any) -> Any:
    """The value of a key that is there."""
    sample = _common_sample(call, key)
    if sample is None or (type(key) is RecordedValue and key._operand.kind == "datetime"):
        return _one_by_one(call, key)
    default = SAMPLES[type(sample)]
    if type(key) is RecordedValue:
        return make_value(call.recording, _column(call, key, default), sample=default)
    rows = _rows(call, _parts(call, key))
    value = call.build.apply(
        "lookup_rows",
        *_columns(call, key),
        keys=[list(row) for row in rows],
        values=_plain(rows.values()),
        gives=KIND_OF_TYPE[type(sample)],
        unseen=_plain([default])[0],
    )
    return make_value(call.recording, value, sample=default)


def _plain(values: Any) -> Sequence[Any]:
    return [each.item() if isinstance(each, np.generic) else each for each in values]


def _one_by_one(call: Call, key: Any) -> Any:
    """A value of any type: each key is a path of its own."""
    if type(key) is not RecordedValue:
        refuse("a dict of several types looked up by several values", "the recorder has no rule for it", PLAN)
    last = None
    for each, value in _table(call, key).items():
        last = value
        if decide(call.recording, one_of(call.build, key._values[0], [each])):
            return last
    return last
