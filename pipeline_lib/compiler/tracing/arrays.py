"""Recorded NumPy arrays: columns side by side, without labels."""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arithmetic import operate
from pipeline_lib.compiler.tracing.assignment import choose, condition_rows, masked_value, select_rows
from pipeline_lib.compiler.tracing.operators import Operators
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow, rule, unwrap
from pipeline_lib.compiler.tracing.recording import PLAN, records
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.row_counts import RowCount
from pipeline_lib.errors import InputError


@records(lambda real: isinstance(real, np.ndarray) and real.ndim in (1, 2))
class RecordedArray(Operators):
    """An array of one or two dimensions, the first one being the rows."""

    __slots__ = ("_shared",)
    _kind = "array"
    _title = "array"

    @property
    def _dimensions(self) -> int:
        return int(self._reals[0].ndim)

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> list[Value]:
        _refuse_narrow(call, self, other)
        left, right = broadcast(call, self, other)
        pairs = zip(left, right, strict=True)
        return [operate(call, name, b, a) if swapped else operate(call, name, a, b) for a, b in pairs]

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if isinstance(key, Recorded):
            return select_rows(self, key)
        chosen = self._columns(key)
        result = self._recording.perform(
            "array[...]", lambda number: self._reals[number][key], lambda reals: chosen, self._rows
        )
        share(self, result)
        return result

    def _columns(self, key: Any) -> list[Value]:
        """The columns that an index chooses, by an array of their numbers."""
        first = key[0] if isinstance(key, tuple) and key else key
        whole = first is Ellipsis or (isinstance(first, slice) and first == slice(None))
        if not whole:
            self._stop(
                f"rows of an array taken by {key!r}",
                "which row stands there depends on the batch",
                "take columns, X[:, 0], or rows by a condition",
            )
        numbers = np.arange(len(self._values)).reshape((1, -1) if self._dimensions == 2 else (1,))
        try:
            chosen = np.asarray(numbers[key])
        except IndexError as error:
            self._stop(f"an index of an array: {error}", "it has no such column", "correct the index")
        if chosen.ndim not in (1, 2) or chosen.shape[0] != 1:
            self._stop(f"an index {key!r} of an array", "the recorder has no rule for it", PLAN)
        return [self._values[number] for number in chosen.ravel()]

    def __setitem__(self, key: Any, value: Any) -> None:
        assign_array(self, unwrap(key), unwrap(value))

    def __iter__(self) -> Any:
        self._stop("a loop over an array's rows", "a plan works on whole columns", "write it with columns: X[:, 0]")


def share(first: Recorded, second: Recorded) -> None:
    """Note that two objects may be views of the same memory: neither is written in place any more."""
    for each in (first, second):
        if each._kind == "array":
            object.__setattr__(each, "_shared", True)


def broadcast(call: Call, array: Recorded, other: Any) -> tuple[list[Value], list[Value]]:
    """Both sides of an operation, column by column, as NumPy broadcasts them."""
    mine = list(array._values)
    two = array._reals[0].ndim == 2
    if isinstance(other, Recorded):
        theirs = list(other._values)
        if not array._rows.same(other._rows, by_position=True):
            call.of(other)  # says why
        if (other._reals[0].ndim == 2) != two:
            refuse(
                "arrays of one and of two dimensions in one operation",
                "NumPy matches rows with columns",
                "write column[:, None] or reshape(-1, 1)",
            )
        if len(mine) == 1:
            mine = mine * len(theirs)
        if len(theirs) == 1:
            theirs = theirs * len(mine)
        return mine, theirs
    if is_constant(other):
        return mine, [call.of(other)] * len(mine)
    shape = np.shape(other)
    if two and shape in ((len(mine),), (1, len(mine))):
        return mine, [call.of(each) for each in np.ravel(other)]
    if shape == (1,) or shape == (1, 1):
        return mine, [call.of(np.ravel(other)[0])] * len(mine)
    refuse(f"an array and values of shape {shape} in one operation", "that is the number of rows or columns", PLAN)


def _refuse_narrow(call: Call, *operands: Any) -> None:
    """Refuse arithmetic in float32 and float16, which rounds otherwise than float64."""
    for each in operands:
        if isinstance(each, Recorded) and str(each._reals[0].dtype) in ("float32", "float16"):
            refuse(f"arithmetic in {each._reals[0].dtype}", "a plan computes in float64", "cast with astype(float)")


def assign_array(array: Recorded, key: Any, value: Any) -> None:
    """`array[:, 0] = value`, `array[condition] = value`."""
    recording = array._recording
    call = Call(recording, array, "array[...] = value", [])
    shared = getattr(array, "_shared", False)

    def real(number: int) -> Any:
        changed = array._reals[number].copy()
        changed[of_shadow(key, number)] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> list[Value]:
        if shared:
            refuse(
                "a value set in an array that others may share (a slice, .values, reshape)",
                "NumPy would write into all of them",
                "make it one's own first, with .copy()",
            )
        if isinstance(key, Recorded) and key._reals[0].ndim == array._reals[0].ndim == 2:
            conditions, filler = list(key._values), call.of(value)
            pairs = zip(conditions, array._values, strict=True)
            return [choose(call.build, condition, filler, old) for condition, old in pairs]
        if isinstance(key, Recorded):
            rows = condition_rows(array, key)
            values = masked_value(call, value, rows, len(array._values))
            pairs = zip(values, array._values, strict=True)
            return [choose(call.build, key._values[0], new, old) for new, old in pairs]
        numbers = np.arange(len(array._values)).reshape((1, -1) if array._reals[0].ndim == 2 else (1,))
        marked = np.zeros(numbers.shape, dtype=bool)
        array._columns(key)  # type: ignore[attr-defined]
        marked[key] = True
        chosen = np.flatnonzero(marked.ravel())
        news = list(value._values) if isinstance(value, Recorded) else [call.of(value)]
        if isinstance(value, Recorded) and not array._rows.same(value._rows, by_position=True):
            call.of(value)
        if len(news) not in (1, len(chosen)):
            refuse(f"{len(news)} columns set in {len(chosen)}", "the recorder has no rule for it", PLAN)
        by_number = dict(zip(chosen.tolist(), news * (len(chosen) // len(news)), strict=True))
        return [by_number.get(number, old) for number, old in enumerate(array._values)]

    try:
        array._replace(recording.perform(call.name, real, write, array._rows))
    except InputError as error:
        recording.refused(error)


@rule("array", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows, and of columns of a two-dimensional array."""
    count = RowCount(call.owner)
    return (count, len(call.values)) if call.owner._dimensions == 2 else (count,)


@rule("array", "ndim", attribute=True, raw=True)
def ndim(call: Call) -> Any:
    """1 or 2."""
    return call.owner._dimensions


@rule("array", "copy")
def copy_array(call: Call, order: str = "C") -> Any:
    """The same columns, in memory of their own."""
    return call.values
