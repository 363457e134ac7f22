"""Recorded `.str` accessor of a Series: the methods of text without regular expressions.

pandas has two engines. A column of dtype `str` calls Arrow's kernels, which differ from Python in some characters; a
column of dtype `object`, such as a part of `.str.split()`, calls Python's own methods. `_arrow` says which one it is;
`pandas_text` knows the differences.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.pandas_text import arrow_case, arrow_class
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import Rule, rule
from pipeline_lib.compiler.tracing.series.accessors import Accessor, access


class RecordedText(Accessor):
    """The `.str` of a Series of text; `_arrow` says whether pandas computes with Arrow's kernels."""

    __slots__ = ("_arrow",)
    _kind = "text"
    _title = "Series.str"
    _library_name = "Series.str"
    _arrow: bool

    def __getitem__(self, key: Any) -> Any:
        key, recording = unwrap(key), self._recording
        name = "Series.str[...]"

        def write(reals: list[Any]) -> Value:
            return item(Call(recording, self, name, reals), key)

        return recording.perform(name, lambda number: self._reals[number][key], write, self._rows)


@rule("series", "str", attribute=True, raw=True)
def accessor(call: Call) -> Any:
    """The methods of text."""
    made = access(call, RecordedText, "str")
    object.__setattr__(made, "_arrow", _is_arrow(call, call.owner))
    return made


def _is_arrow(call: Call, series: Recorded) -> bool:
    """Whether pandas computes with Arrow's kernels; a column that is not text of one dtype is refused."""
    reals = [series._reals[number] for number in call.recording.living()]
    dtypes = {str(real.dtype) for real in reals}
    if len(dtypes) > 1 or not dtypes <= {"str", "object"}:
        call.stop(
            f"`.str` of a column of dtype {' or '.join(sorted(dtypes))}",
            "the recorder knows the methods of dtypes str and object",
            'cast it first: column.astype("str").str',
        )
    inferred = {pd.api.types.infer_dtype(real, skipna=True) for real in reals}
    if series._values[0].kind != "str" or not inferred <= {"string", "empty"}:
        call.stop(
            f"`.str` of a column that holds {' or '.join(sorted(inferred - {'string', 'empty'})) or 'no text'}",
            "pandas gives missing for what is no text",
            'cast it first: column.astype("str").str',
        )
    return dtypes == {"str"} and getattr(reals[0].dtype, "storage", "") == "pyarrow"


def truth(call: Call, test: Value, na: Any = None) -> Value:
    """The result of a test; `na` is that of missing text, by default False for dtype str."""
    if not is_missing(na):
        return call.build.logical_or(call.value.missing(), test) if na else test
    if any(call.reals[number].dtype == object for number in call.recording.living()):
        method = call.name.rsplit(".", 1)[1]
        remedy = f'cast it first: column.astype("str").str.{method}'
        call.stop(
            f"{call.name} of an object column, which gives True, False and NaN",
            "a column of production has one dtype",
            f"give na=False, or {remedy}" if method in _TAKES_NA else remedy,
        )
    return test


_TAKES_NA = ("contains", "startswith", "endswith", "match", "fullmatch")


def whole(call: Call, number: Value) -> Value:
    """A count: int64 where pandas gives integers for any rows, float64 where missing text makes NaN."""
    dtypes = [call.reals[each].dtype for each in call.recording.living()]
    if any(dtype.kind != "i" for dtype in dtypes):
        return number
    build, missing = call.build, call.value.missing()
    if build.nodes[missing.node].operation != "constant":
        number = build.check(
            number,
            ~missing,
            name=str(call.reals[0].name),
            where=call.name,
            expected="text, as in the training rows",
            advice="fill missing text first",
        )
    return build.truncate_int(number)


def _case(kind: Any) -> Rule:
    def case(call: Call) -> Value:
        exceptions = arrow_case(kind) if call.owner._arrow and kind != "casefold" else None
        return call.build.text_case(call.value, kind=kind, exceptions=exceptions or None)

    return case


def _is(kind: Any) -> Rule:
    def is_kind(call: Call) -> Value:
        exceptions = arrow_class(kind) if call.owner._arrow else None
        return truth(call, call.build.text_is(call.value, kind=kind, exceptions=exceptions or None))

    return is_kind


def _strip(side: Any) -> Rule:
    def strip(call: Call, to_strip: Any = None) -> Value:
        return call.build.text_strip(call.value, side=side, characters=to_strip)

    return strip


for _name in ("lower", "upper", "title", "capitalize", "swapcase", "casefold"):
    rule("text", _name)(_case(_name))
for _name in ("digit", "alpha", "alnum", "numeric", "decimal", "lower", "upper", "space", "title"):
    rule("text", f"is{_name}")(_is(_name))
for _name, _side in (("strip", "both"), ("lstrip", "left"), ("rstrip", "right")):
    rule("text", _name)(_strip(_side))


@rule("text", "isascii")
def isascii(call: Call) -> Value:
    """Whether every character is one of ASCII."""
    return truth(call, call.build.regex_test(call.value, pattern=r"[\x00-\x7f]*", how="fullmatch"))


@rule("text", "len")
def length(call: Call) -> Value:
    """The number of characters."""
    return whole(call, call.build.text_length(call.value))


@rule("text", "startswith")
def startswith(call: Call, pat: Any, na: Any = None) -> Value:
    """Whether the text begins with a text, or one of several."""
    prefixes = [pat] if isinstance(pat, str) else list(pat)
    return truth(call, call.build.text_starts(call.value, prefixes=prefixes), na)


@rule("text", "endswith")
def endswith(call: Call, pat: Any, na: Any = None) -> Value:
    """Whether the text ends with a text, or one of several."""
    suffixes = [pat] if isinstance(pat, str) else list(pat)
    return truth(call, call.build.text_ends(call.value, suffixes=suffixes), na)


def item(call: Call, key: Any) -> Value:
    """`.str[key]`: one character, or a slice."""
    if isinstance(key, slice):
        start, stop, step = (None if each is None else int(each) for each in (key.start, key.stop, key.step))
        return call.build.text_slice(call.value, start=start, stop=stop, step=step)
    if not isinstance(key, int | np.integer) or isinstance(key, bool):
        refuse(f"{call.name} of {key!r}", "an index or a slice of numbers is expected", "correct the index")
    return call.build.text_item(call.value, index=int(key))


@rule("text", "get")
def get(call: Call, i: Any) -> Value:
    """One character; missing where out of range."""
    return item(call, i)


@rule("text", "slice")
def slice_text(call: Call, start: Any = None, stop: Any = None, step: Any = None) -> Value:
    """A slice of the characters."""
    return item(call, slice(start, stop, step))


@rule("text", "find", "rfind")
def find(call: Call, sub: Any, start: Any = 0, end: Any = None) -> Value:
    """The index of the first or last occurrence of a text; -1 without one."""
    if start or end is not None:
        call.stop(
            f"{call.name} from {start} to {end}", "the recorder finds in whole texts", "slice it first: .str[a:b]"
        )
    from_right = call.name.endswith("rfind")
    return whole(call, call.build.text_find(call.value, part=sub, from_right=from_right or None))


def _pad(side: Any) -> Rule:
    def pad(call: Call, width: Any, fillchar: Any = " ") -> Value:
        return call.build.text_pad(call.value, width=int(width), side=side, fill=fillchar)

    return pad


for _name, _side in (("rjust", "left"), ("ljust", "right"), ("center", "both")):
    rule("text", _name)(_pad(_side))


@rule("text", "pad")
def pad(call: Call, width: Any, side: Any = "left", fillchar: Any = " ") -> Value:
    """The text filled up to a width."""
    return call.build.text_pad(call.value, width=int(width), side=side, fill=fillchar)


@rule("text", "zfill")
def zfill(call: Call, width: Any) -> Value:
    """The text filled up with zeros, behind a sign."""
    return call.build.text_zfill(call.value, width=int(width))
