"""The values of one row, as functions get them that pandas calls row by row: `map(f)`, `apply(f, axis=1)`."""

import dis
import functools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.own_code.scan import only_returned, only_shown
from pipeline_lib.compiler.tracing.recorded import Call, Method, Recorded, perform
from pipeline_lib.compiler.tracing.recording import Recording, RowCheck
from pipeline_lib.compiler.tracing.refusals import PLAN, own_frame, refuse
from pipeline_lib.compiler.tracing.registry import REFUSED, RULES, Entry
from pipeline_lib.compiler.tracing.rows.choices import one_of
from pipeline_lib.compiler.tracing.rows.hashes import calling_frame, items_looked_up, keys_looked_up
from pipeline_lib.compiler.tracing.rows.operands import (
    MOST,
    NUMPY,
    PYTHON,
    Operand,
    guard,
    sample_of,
    settle,
)
from pipeline_lib.compiler.tracing.rows.operators import operate
from pipeline_lib.compiler.tracing.rows.paths import GUARD, MARK, constant_condition
from pipeline_lib.compiler.tracing.series.operators import Operators
from pipeline_lib.errors import InputError


class RecordedValue(Operators):
    """One value of any row; its `Operand` says which column of the plan it is, and its Python type.

    Missing text, dates and durations are NaN and NaT to Python: what treats them otherwise splits the path first.
    """

    __slots__ = ("_operand",)
    __array_ufunc__ = None  # type: ignore[assignment]  # operators of NumPy's scalars leave the work to this class
    _kind = "value"
    _title = "value of a row"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = self._settled()
        if value is not self:
            return getattr(value, name)
        entry = self._entry(name)
        return perform(self, name, entry, (), {}) if entry.attribute else Method(self, name, entry)

    def _entry(self, name: str) -> Entry:
        """The rule of an attribute of the value's type."""
        kind, sample = f"value {self._operand.kind}", self._operand.sample
        getattr(sample, name)  # raises what own code would raise
        entry = RULES.get((kind, name))
        if entry is None:
            why, remedy = REFUSED.get((kind, name), ("the recorder has no rule for it", PLAN))
            self._stop(f"`{name}` of a row's {type(sample).__name__}", why, remedy)
        return entry

    def __bool__(self) -> bool:
        try:
            return decide(self._recording, truth(self))
        except InputError as error:
            self._recording.refused(error)

    def _settled(self) -> Any:
        """The value itself, or NaN or NaT on the path on which it is missing."""
        try:
            settled = settle(scope_of(self._recording), self._operand)
        except InputError as error:
            self._recording.refused(error)
        return self if isinstance(settled, Operand) else settled

    def _of_row(self, name: str, other: Any, *, swapped: bool) -> Any:
        """An operator of a row's value."""
        recording = self._recording
        try:
            sides = [each._operand if type(each) is RecordedValue else each for each in (self, other)]
            if isinstance(sides[1], Recorded):
                self._stop_column(sides[1])
            if name == "eq" and (items := self._items_compared()) is not None:
                return decide(recording, one_of(recording.build, self._values[0], items))
            result = operate(scope_of(recording), name, *(reversed(sides) if swapped else sides))
        except InputError as error:
            recording.refused(error)
        return of_operand(recording, result)

    def _items_compared(self) -> list[Any] | None:
        """The constants of a list or tuple that Python compares the value with, one by one: `value in names`.

        All of them are one branch, whose answer each comparison gives.
        """
        frame = calling_frame(self._recording.codes, 5)
        items = None if frame is None else items_looked_up(frame)
        if items is None or any(not isinstance(each, str | bool | int | float) or each != each for each in items):
            return None
        return items

    def _stop_column(self, other: Recorded) -> NoReturn:
        refuse(
            f"a {other._title} in a function of one row's values",
            "it has a value for each row",
            "compute the column before, and call the function on a frame that has it: apply(f, axis=1)",
        )

    def _unary(self, name: str, write: Any) -> Any:
        recording, operand = self._recording, self._operand
        try:
            settled = settle(scope_of(recording), operand) if operand.kind != "datetime" else operand
            if not isinstance(settled, Operand):
                return getattr(settled, name)()
            return of_operand(recording, _unary(recording, name, operand))
        except InputError as error:
            recording.refused(error)

    def __round__(self, ndigits: Any = None) -> Any:
        return call_rule(self, "round", ndigits)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __contains__(self, item: object) -> bool:
        return bool(call_rule(self, "contains", item))

    def __getitem__(self, key: Any) -> Any:
        return call_rule(self, "getitem", unwrap(key))

    def __float__(self) -> float:
        self._stop(
            "a row's value taken as a number by Python itself (an index of a list, range, '%d' % value)",
            "each row has another one",
            "look it up in a dict, or write str(value)",
        )

    __int__ = __index__ = __trunc__ = __floor__ = __ceil__ = __complex__ = __float__

    def __str__(self) -> str:
        return self.__format__("")

    def __format__(self, specification: str) -> str:
        """A mark in a text that a function returns; it is replaced by the value as text."""
        frame = calling_frame(self._recording.codes)
        scope = self._recording.scope
        if frame is None or scope is None or specification or not only_returned(frame):
            return self._shown()
        scope.formatted.append(self)
        return f"{MARK}{len(scope.formatted) - 1}{MARK}"

    def __repr__(self) -> str:
        return self._shown()

    def _shown(self) -> str:
        """The text of the value in an error's message; refused where it is used otherwise."""
        frame = own_frame(self._recording.codes)
        if frame is not None and not only_shown(frame):
            self._stop(
                "a row's value formatted (f-string, str.format, %, join)",
                "the recorder knows such a text only where it is returned as it is, without a format such as :.2f",
                "write 'text' + str(value), or return f'text {value}'",
            )
        return "..."

    def __hash__(self) -> int:
        """The hash of the key that the value equals on this path, in a dict or set that own code builds itself."""
        frame = calling_frame(self._recording.codes)
        keys = None if frame is None else keys_looked_up(frame)
        if keys is None:
            self._stop(
                "a row's value looked up in a dict or set that the recorder cannot see",
                "which keys it has is not known",
                "keep the dict in a variable, on `self`, or write column.map(dict)",
            )
        for key in keys:
            if isinstance(key, Recorded | tuple):
                self._stop("a row's values among the keys", "the recorder has no rule for it", PLAN)
            if self._is_in([key]):
                return hash(key)
        return id(self)

    def __len__(self) -> int:
        self._stop("a length taken as a number", "each row has another one", "use it as len(value)")

    def __iter__(self) -> Any:
        self._stop("a loop over a row's value", "it has no fixed number of parts", "write it with methods of the value")

    def _is_in(self, choices: Any) -> bool:
        """Whether the value is one of some constants, as `value in {...}`."""
        try:
            return decide(self._recording, one_of(self._recording.build, self._values[0], list(choices)))
        except InputError as error:
            self._recording.refused(error)


def call_rule(value: RecordedValue, name: str, *args: Any) -> Any:
    """What a rule makes of a value, by the value's dtype; missing text raises what NaN raises."""
    recording = value._recording
    settled = value._settled()
    if settled is not value:
        return _ON_MISSING[name](settled, *args)
    sample = value._operand.sample
    entry = RULES.get((f"value {value._operand.kind}", f"{name}()"))
    try:
        if entry is None:
            _ON_MISSING[name](sample, *args)  # raises what own code would raise
            refuse(f"`{name}` of a row's {type(sample).__name__}", "the recorder has no rule for it", PLAN)
        return entry.write(Call(recording, value, name, []), *args)
    except InputError as error:
        recording.refused(error)


_ON_MISSING: dict[str, Any] = {
    "round": lambda value, digits: round(value, digits),
    "contains": lambda value, item: item in value,
    "getitem": lambda value, key: value[key],
    "len": len,
    "float": float,
    "int": int,
}
"""What rules are named for, as Python does it; for values that are missing on this path."""


def _unary(recording: Recording, name: str, operand: Operand) -> Operand:
    """`-x`, `+x`, `abs(x)`, `~x`."""
    build, sample = recording.build, sample_of(getattr(operand.sample, name)(), f"`{name}`")
    value = operand.value
    if name == "__invert__":
        if type(sample) is not np.bool_:
            refuse("`~` of a row's value", "Python inverts bits: ~True is -2", "write `not value`")
        return Operand(build.logical_not(value), sample)
    if name == "__pos__" or type(sample) is np.bool_:
        return Operand(build.integer(value) if type(sample) is int else value, sample, operand.bound, operand.stable)
    if operand.kind in ("int64", "bool"):
        if type(sample) is int:
            guard(scope_of(recording), operand, MOST)
        whole = build.integer(value)
        negative = build.subtract_int(0, whole)
        result = negative if name == "__neg__" else build.where(whole < 0, negative, whole)
        return Operand(result, sample, operand.bound, operand.stable)
    return Operand(-value if name == "__neg__" else abs(value), sample, stable=operand.stable)


class BatchScope:
    """The branches on a value outside a function of one row: the value stands for those of all rows."""

    def __init__(self, recording: Recording) -> None:
        self.build = recording.build
        self._recording = recording

    def decide(self, condition: Value) -> bool:
        """The way that the values of all training rows take."""
        known = constant_condition(self.build, condition)
        return self._recording.decide_value(condition) if known is None else known

    def guard(self, condition: Value) -> None:
        """Refuse the rows that meet a condition."""
        self._recording.checks.append(RowCheck(condition, GUARD))


def scope_of(recording: Recording) -> Any:
    """What decides branches on a row's value."""
    return recording.scope or BatchScope(recording)


def latched(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a recorded object whose refusals own code cannot swallow."""

    @functools.wraps(method)
    def call(self: Recorded, *args: Any, **options: Any) -> Any:
        try:
            return method(self, *args, **options)
        except InputError as error:
            self._recording.refused(error)

    return call


def decide(recording: Recording, condition: Value) -> bool:
    """Which way to take at a branch on a row's value, or on whether any row meets a condition."""
    return bool(scope_of(recording).decide(condition))


def raise_when(recording: Recording, condition: Value, error: Exception) -> None:
    """End the path of the rows that meet a condition by an error of Python's."""
    if decide(recording, condition):
        raise error


def make_value(
    recording: Recording,
    value: Value,
    flavour: str = "python",
    *,
    sample: Any = None,
    bound: float = np.inf,
    stable: bool = True,
) -> RecordedValue:
    """A row's value of a column of the plan, of Python's own type or of NumPy's; `sample` is one of another type."""
    if sample is None:
        sample = (NUMPY if flavour == "numpy" else PYTHON)[value.kind]
    made = RecordedValue(recording, [sample] * len(recording.shadows), [value], recording.all_rows)
    object.__setattr__(made, "_operand", Operand(value, sample, bound, stable))
    return made


def of_operand(recording: Recording, result: Any) -> Any:
    """A row's value of an operand; constants as they are."""
    if not isinstance(result, Operand):
        return result
    return make_value(recording, result.value, sample=result.sample, bound=result.bound, stable=result.stable)


def truth(value: RecordedValue) -> Value:
    """The truth of a value, as Python's `bool`: NaN is true, empty text is not; missing text is NaN."""
    build, column = value._recording.build, value._values[0]
    if column.kind == "bool":
        return column
    if column.kind in ("int64", "float64"):
        return build.logical_not(column == 0)
    if column.kind == "str":
        return build.logical_not(build.text_equal(column, ""))
    if column.kind != "datetime":
        refuse(f"a branch on a value of {column.kind}", "the recorder has no rule for it", "compare it")
    return build.value(True)


def unpacked(recording: Recording) -> int | None:
    """How many names own code assigns at once, as in `a, b = text.split(",")`; None where it does something else."""
    frame = own_frame(recording.codes)
    if frame is None:
        return None
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti and instruction.opname == "UNPACK_SEQUENCE":
            return int(instruction.argval)
    return None
