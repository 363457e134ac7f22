"""Recorded objects: what own code gets in place of frames, series, arrays and the values of one row.

They are closed by default: an attribute, method or operator that the table of rules does not have is refused by name,
and none of them becomes a Python bool, number, string, list, array or iterator.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.constants import constant
from pipeline_lib.compiler.tracing.own_code.guards import OWN_MARK
from pipeline_lib.compiler.tracing.own_code.names import public_name
from pipeline_lib.compiler.tracing.own_code.scan import only_shown
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, own_frame, refuse
from pipeline_lib.compiler.tracing.registry import REFUSED, RULES, Entry
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.errors import InputError


class Recorded:
    """The base of recorded objects; subclasses say their `_kind` and add operators."""

    __slots__ = ("_reals", "_recording", "_rows", "_values")
    _recording: Recording
    _reals: list[Any]
    _values: list[Value]
    _rows: Rows
    __pandas_priority__ = 10_000
    _kind = ""
    _title = ""
    _library_name = ""  # in messages; by default that of the library's class

    def __init__(self, recording: Recording, reals: list[Any], values: Sequence[Value], rows: Rows) -> None:
        object.__setattr__(self, "_recording", recording)
        object.__setattr__(self, "_reals", reals)
        object.__setattr__(self, "_values", list(values))
        object.__setattr__(self, "_rows", rows)

    def _replace(self, other: "Recorded") -> None:
        """Become another object, as after an operation in place."""
        for name in Recorded.__slots__:
            object.__setattr__(self, name, getattr(other, name))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The library's class to own code, as `type` gives it there; to all others the recorder's."""
        builtins = sys._getframe(1).f_builtins
        return builtins["type"](self) if OWN_MARK in builtins else type(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        entry = RULES.get((self._kind, name))
        if entry is None:
            return self._unknown(name)
        return perform(self, name, entry, (), {}) if entry.attribute else Method(self, name, entry)

    def _unknown(self, name: str) -> Any:
        """Refuse an attribute that has no rule; AttributeError where the library has none either."""
        reason = REFUSED.get((self._kind, name))
        if reason is None and not hasattr(self._reals[0], name):
            raise AttributeError(f"{type(self._reals[0]).__name__!r} object has no attribute {name!r}")
        self._stop(f"`{name}` of a {self._title}", *(reason or ("the recorder has no rule for it", PLAN)))

    def __setattr__(self, name: str, value: Any) -> None:
        self._stop(f"an attribute {name!r} set on a {self._title}", "the recorder has no rule for it", PLAN)

    def _stop(self, found: str, why: str, remedy: str) -> NoReturn:
        try:
            refuse(found, why, remedy)
        except InputError as error:
            self._recording.refused(error)

    def __bool__(self) -> bool:
        self._stop(
            f"a branch on a {self._title} (`if`, `and`, `or`, `not`, `in`, max, min)",
            "each row may take another branch",
            "write np.where(condition, then, other), and & | ~ for and, or, not",
        )

    def __iter__(self) -> Any:
        self._stop(
            f"a loop over a {self._title}",
            "a plan works on whole columns",
            "write it with methods of the column, or column.map(function)",
        )

    def __float__(self) -> float:
        self._stop(
            f"a {self._title} taken as one Python value (float, int, math functions, f-string)",
            "it has a value for each row",
            "write it with methods of the column, such as astype or round",
        )

    __int__ = __index__ = __trunc__ = __floor__ = __ceil__ = __complex__ = __float__

    def __repr__(self) -> str:
        frame = own_frame(self._recording.codes)
        if frame is not None and not only_shown(frame):
            self._stop(
                f"a {self._title} written into a text (f-string, str.format, %, join)",
                "it has a value for each row",
                "write 'text' + column.astype(str); inside `raise` and `print` it may stay",
            )
        return f"<recorded {self._title}>" if frame is None else "..."

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __hash__(self) -> int:
        self._stop(
            f"a {self._title} looked up in a dict or set", "it has a value for each row", "write column.map(dict)"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._stop(f"a copy or pickle of a {self._title}", "the recorder has no rule for it", "write X.copy()")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self._stop(
            f"a {self._title} given to a function that the recorder does not know",
            "what it does with the rows cannot be read",
            PLAN,
        )

    def __divmod__(self, other: Any) -> Any:
        self._stop(f"divmod of a {self._title}", "the recorder has no rule for it", "write // and %")

    def __matmul__(self, other: Any) -> Any:
        self._stop(f"`@` of a {self._title}", "the recorder has no rule for it", "write the sum of products")

    __rdivmod__, __rmatmul__ = __divmod__, __matmul__

    def __len__(self) -> int:
        self._stop(f"the length of a {self._title} as a number", ONE_ROW, "use len(X) only to make columns")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            self._stop(f"np.{ufunc.__name__}.{method}", ONE_ROW, PLAN)
        return call_function(self._recording, ufunc, public_name(ufunc), inputs, options)

    def __array_function__(self, func: Any, types: Any, inputs: Any, options: Any) -> Any:
        return call_function(self._recording, func, public_name(func), inputs, options)


class Method:
    """A method of a recorded object, before it is called."""

    __slots__ = ("entry", "name", "owner")

    def __init__(self, owner: Recorded, name: str, entry: Entry) -> None:
        self.owner, self.name, self.entry = owner, name, entry

    def __call__(self, *args: Any, **options: Any) -> Any:
        return perform(self.owner, self.name, self.entry, args, options)


@dataclass
class Call:
    """One call: what a rule gets to write the plan."""

    recording: Recording
    owner: Any
    name: str
    reals: list[Any]

    @property
    def build(self) -> Builder:
        """The builder of the plan."""
        return self.recording.build

    @property
    def value(self) -> Value:
        """The only column of the object whose method is called."""
        return self.owner._values[0]  # type: ignore[no-any-return]

    @property
    def values(self) -> list[Value]:
        """The columns of the object whose method is called."""
        return list(self.owner._values)

    def of(self, argument: Any, *, rows: Rows | None = None) -> Value:
        """An argument as one column: a recorded column with the same rows, or a constant."""
        if isinstance(argument, Recorded):
            mine = rows or (self.owner._rows if isinstance(self.owner, Recorded) else argument._rows)
            by_position = "series" not in (argument._kind, getattr(self.owner, "_kind", ""))
            if argument._kind == "index":
                refuse(
                    "the labels of the rows used as values",
                    "production has other rows under other labels",
                    "make what the step needs a column of its own, in `load`",
                )
            if len(argument._values) != 1:
                refuse(f"{len(argument._values)} columns", "one is expected here", "select a column")
            if not mine.same(argument._rows, by_position=by_position or argument._kind != "series"):
                refuse(
                    f"{self.name} of objects with other rows or another index",
                    "pandas aligns them by label, and production's labels are others",
                    "give both the same index: pd.Series(values, index=X.index)",
                )
            return argument._values[0]
        return constant(self.build, argument)

    def stop(self, found: str, why: str, remedy: str = PLAN) -> NoReturn:
        """Refuse the call."""
        refuse(found, why, remedy)


def perform(owner: Recorded, name: str, entry: Entry, args: Any, options: Any) -> Any:
    """Call a method or read an attribute of a recorded object."""
    recording = owner._recording
    args, options = unwrap(args), unwrap(options)
    kind = owner._library_name or type(owner._reals[0]).__name__
    title = f"{kind}.{name}" if owner._reals[0] is not None else name

    def real(number: int) -> Any:
        attribute = getattr(owner._reals[number], name)
        return attribute if entry.attribute else attribute(*of_shadow(args, number), **of_shadow(options, number))

    if entry.raw:
        return raw_call(recording, Call(recording, owner, title, []), entry, args, options)

    def write(reals: list[Any]) -> Any:
        return apply_rule(entry, Call(recording, owner, title, reals), args, options)

    return recording.perform(title, real, write, owner._rows)


def raw_call(recording: Recording, call: Call, entry: Entry, args: Any, options: Any) -> Any:
    """Call a rule that returns the result itself."""
    try:
        return apply_rule(entry, call, args, options)
    except InputError as error:
        recording.refused(error)


def apply_rule(entry: Entry, call: Call, args: Any, options: Any) -> Any:
    """What a rule writes; arguments that it does not know are refused."""
    try:
        return entry.write(call, *args, **options)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # an error inside the rule
        refuse(f"arguments of {call.name} that the recorder has no rule for ({error})", "its result may differ", PLAN)


def call_function(recording: Recording, func: Any, name: str, args: Any, options: Any) -> Any:
    """Call a library's function with recorded arguments."""
    args, options = unwrap(args), unwrap(options)
    of_row = any(each._kind == "value" for each in recorded_in((args, options)))
    kind = "row function" if of_row else "function"
    entry = RULES.get((kind, name))
    if entry is None and name.startswith(("numpy.", "scipy.special.")):  # value by value, as for columns
        entry = RULES.get(("function", name))
    if entry is None:
        why, remedy = REFUSED.get((kind, name), ("the recorder has no rule for it", PLAN))
        try:
            refuse(f"{name} of a {'value of a row' if of_row else 'recorded column'}", why, remedy)
        except InputError as error:
            recording.refused(error)
    owner = next(iter(recorded_in((args, options))), None)
    call = Call(recording, owner, name, [])
    if entry.raw:
        return raw_call(recording, call, entry, args, options)

    def write(reals: list[Any]) -> Any:
        call.reals = reals
        return apply_rule(entry, call, args, options)

    rows = owner._rows if owner is not None else None
    return recording.perform(
        name, lambda number: func(*of_shadow(args, number), **of_shadow(options, number)), write, rows
    )


def of_shadow(argument: Any, number: int) -> Any:
    """An argument with the library's objects of one shadow in place of the recorded ones."""
    if isinstance(argument, Recorded):
        if argument._kind == "batch":
            refuse(
                "an answer about all rows used as a value", ONE_ROW, "learn it in `fit`, or use it to raise an error"
            )
        return argument._reals[number]
    if type(argument) in (list, tuple):
        return type(argument)(of_shadow(each, number) for each in argument)
    if type(argument) is dict:
        return {key: of_shadow(each, number) for key, each in argument.items()}
    if type(argument) is slice:
        return slice(*(of_shadow(each, number) for each in (argument.start, argument.stop, argument.step)))
    return argument


def recorded_in(argument: Any) -> list[Recorded]:
    """The recorded objects among arguments."""
    if isinstance(argument, Recorded):
        return [argument]
    if type(argument) is dict:
        argument = list(argument.values())
    if type(argument) in (list, tuple):
        return [found for each in argument for found in recorded_in(each)]
    return []


def is_constant(argument: Any) -> bool:
    """Whether an argument is one value: a number, text, date or missing."""
    return np.ndim(argument) == 0 and not isinstance(argument, Recorded | dict | set | frozenset)
