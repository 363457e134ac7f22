"""Recorded NumPy arrays: columns side by side, without labels.

    array[:, 1]          a view: what is set in it is set in `array`, too
    array[:, [1, 2]]     a copy
    array[condition]     a copy of the rows in which a condition holds

Arrays that are views of each other hold one `Memory`. Whether a result is a view is read from the shadows, in which the
library's own arrays are views of each other.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.assignment import operate_in_place, set_items
from pipeline_lib.compiler.tracing.arrays.dtypes import computed, dtype_of
from pipeline_lib.compiler.tracing.frames.assignment import select_rows
from pipeline_lib.compiler.tracing.frames.structure import column
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, call_function, is_constant
from pipeline_lib.compiler.tracing.recorded_types import records
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.series.arithmetic import operate
from pipeline_lib.compiler.tracing.series.dtype_rules import check_operands, dtypes_of, guard
from pipeline_lib.compiler.tracing.series.operators import Operators


class Memory:
    """The columns of an array and of its views; with `frozen` nothing is set in them any more."""

    __slots__ = ("columns", "frozen")

    def __init__(self, columns: list[Value]) -> None:
        self.columns = columns
        self.frozen = False


@records(lambda real: isinstance(real, np.ndarray) and real.ndim in (1, 2))
class RecordedArray(Operators):
    """An array of one or two dimensions, the first one being the rows.

    `_places` are the places of its columns in the memory.
    """

    __slots__ = ("_memory", "_places")
    _kind = "array"
    _title = "array"

    @property
    def _values(self) -> list[Value]:
        return [self._memory.columns[place] for place in self._places]

    @_values.setter
    def _values(self, values: Any) -> None:
        object.__setattr__(self, "_memory", Memory(list(values)))
        object.__setattr__(self, "_places", list(range(len(values))))

    @property
    def _dimensions(self) -> int:
        return int(self._reals[0].ndim)

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> list[Value]:
        check_operands(name, [self, other])
        left, right = broadcast(call, self, other)
        pairs = zip(left, right, strict=True)
        written = [operate(call, name, b, a) if swapped else operate(call, name, a, b) for a, b in pairs]
        return [_finished(call, name, [self, other], index, value) for index, value in enumerate(written)]

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if isinstance(key, Recorded):
            return select_rows(self, key)
        if isinstance(key, tuple) and key and isinstance(key[0], Recorded):
            refuse_pairs(self, key)
            return select_rows(self, key[0])[(slice(None), *key[1:])]
        places = self._chosen(key)
        result = self._recording.perform(
            "array[...]",
            lambda number: self._reals[number][key],
            lambda reals: [self._values[place] for place in places],
            self._rows,
            trusted=self._values,
        )
        link(self, result, places)
        return result

    def _chosen(self, key: Any) -> list[int]:
        """The numbers of the columns that an index chooses."""
        first = key[0] if isinstance(key, tuple) and key else key
        whole = first is Ellipsis or (isinstance(first, slice) and first == slice(None))
        if not whole:
            self._stop(
                f"rows of an array taken by {first!r}",
                "which row is at that place depends on the batch",
                "take columns, X[:, 0], or rows by a condition",
            )
        numbers = np.arange(len(self._values)).reshape((1, -1) if self._dimensions == 2 else (1,))
        try:
            chosen = np.asarray(numbers[key])
        except (IndexError, TypeError, ValueError) as error:
            self._stop(f"an index of an array: {error}", "it chooses no columns", "correct the index")
        if chosen.ndim not in (1, 2) or chosen.shape[0] != 1 or chosen.size == 0:
            self._stop(f"an index {key!r} of an array", "the recorder has no rule for it", PLAN)
        return [int(number) for number in chosen.ravel()]

    def __matmul__(self, other: Any) -> Any:
        return call_function(self._recording, np.matmul, "numpy.matmul", (self, other), {})

    def __rmatmul__(self, other: Any) -> Any:
        return call_function(self._recording, np.matmul, "numpy.matmul", (other, self), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        set_items(self, unwrap(key), unwrap(value))

    def __iter__(self) -> Any:
        self._stop("a loop over an array's rows", "a plan works on whole columns", "write it with columns: X[:, 0]")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self._stop(
            "an array given to a function that the recorder does not know, or used as an index",
            "what it does with the rows cannot be read",
            "to look fitted values up by position write np.take(self.values_, array)",
        )

    __index__ = __array__


def _finished(call: Call, name: str, operands: list[Any], index: int, value: Value) -> Value:
    """A column of an operation's result as the library has it, for any batch."""
    if call.reals:
        value = computed(call, value, dtype_of(call.reals[0], index))
    recorded = [each for each in operands if isinstance(each, Recorded)]
    if all(len(dtypes_of(each)) == 1 for each in recorded):
        return value
    parts = [column(each, min(index, len(each._values) - 1)) for each in recorded]
    return guard(call.recording, name, parts, call.reals, value)


def _in_place_operator(name: str) -> Any:
    def method(self: Any, other: Any) -> Any:
        return operate_in_place(self, name, unwrap(other))

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    setattr(RecordedArray, f"__i{_name}__", _in_place_operator(_name))


def refuse_pairs(array: Recorded, key: tuple[Any, ...]) -> None:
    """Refuse `array[condition, [0, 1]]`, which takes pairs of rows and columns."""
    if len(key) != 2 or not isinstance(key[1], int | np.integer | slice):
        array._stop(
            "rows by a condition and columns by a list in one index",
            "NumPy pairs them",
            "write X[condition][:, [0, 1]]",
        )


def link(owner: Recorded, result: Recorded, places: list[int]) -> None:
    """Note that a result is a view of some columns of an array, where the library's own result is one.

    A check of the result, by which some rows are refused, is then one of the array, too.
    """
    if owner._kind != "array" or result is owner:
        return
    living = [number for number in owner._recording.living() if owner._reals[number].size]
    shared = {bool(np.may_share_memory(owner._reals[number], result._reals[number])) for number in living}
    if shared == {True}:
        taken = [owner._places[place] for place in places]
        for place, value in zip(taken, result._values, strict=True):
            owner._memory.columns[place] = value
        object.__setattr__(result, "_memory", owner._memory)
        object.__setattr__(result, "_places", taken)
    elif len(shared) != 1:  # a view for some numbers of rows; not known where there are no rows
        share(owner, result)


def share(first: Recorded, second: Recorded) -> None:
    """Note that two objects may be views of memory that is not recorded: nothing is set in them any more."""
    for each in (first, second):
        if each._kind == "array":
            each._memory.frozen = True


def is_view(thing: Any) -> bool:
    """Whether a value is an array that may share memory which is not recorded."""
    return isinstance(thing, RecordedArray) and bool(thing._memory.frozen)


def broadcast(call: Call, array: Recorded, other: Any) -> tuple[list[Value], list[Value]]:
    """Both sides of an operation, column by column, as NumPy broadcasts them."""
    mine = list(array._values)
    theirs = side(call, array, other, len(mine))
    if len(mine) == 1:
        mine = mine * len(theirs)
    if len(mine) != len(theirs):
        refuse(f"arrays of {len(mine)} and {len(theirs)} columns in one operation", "NumPy does not match them", PLAN)
    return mine, theirs


def side(call: Call, array: Recorded, other: Any, count: int) -> list[Value]:
    """What is beside an array of `count` columns in an operation, column by column."""
    two = array._reals[0].ndim == 2
    if isinstance(other, Recorded):
        if not array._rows.same(other._rows, by_position=True):
            call.of(other)  # says why
            refuse("arrays of other rows in one operation", "NumPy matches them by position", PLAN)
        if (other._reals[0].ndim == 2) != two:
            refuse(
                "arrays of one and of two dimensions in one operation",
                "NumPy matches rows with columns",
                "write column[:, None] or column.reshape(-1, 1)",
            )
        return list(other._values) * (count if len(other._values) == 1 else 1)
    parts = [call.of(each) for each in _items(other, count, two=two)]
    return parts * (count if len(parts) == 1 else 1)


def _items(other: Any, count: int, *, two: bool) -> list[Any]:
    """The items of a constant, list or plain array, one for each of `count` columns or one for all."""
    if is_constant(other):
        return [other]
    shape = np.shape(other)
    by_column = two and shape and shape in ((shape[-1],), (1, shape[-1])) and (count == 1 or shape[-1] in (1, count))
    if not by_column and shape != (1,):
        refuse(
            f"an array and values of shape {shape} in one operation",
            "they are matched with its rows, and production has other rows",
            "give one value for each column, or one for all",
        )
    return list(np.ravel(np.asarray(other)))
