"""Values set in arrays: `a[:, 0] = value`, `a[condition] = value`, `a += 1`.

The library sets them in its own arrays, the shadows; the plan's columns are set in the memory that views share.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arrays.dtypes import check_stable, computed, kind_of, set_item
from pipeline_lib.compiler.tracing.frames.assignment import choose, condition_rows
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.compiler.tracing.series.dtype_rules import SYMBOLS


def set_items(array: Recorded, key: Any, value: Any) -> None:
    """`array[key] = value`, where the key chooses columns, or rows by a condition, or both."""
    call = Call(array._recording, array, "array[...] = value", [])

    def real(number: int) -> Any:
        array._reals[number][of_shadow(key, number)] = of_shadow(value, number)
        return array._reals[number]

    def write(reals: list[Any]) -> list[Value]:
        conditions, places, rows, two = _target(call, array, key)
        dtype, columns = array._reals[0].dtype, array._values
        if kind_of(dtype) == "U":
            check_stable(call, array)
        news = _news(call, value, rows, len(places), two=two)
        for condition, place, new in zip(conditions, places, news, strict=True):
            new = set_item(call, new, dtype)
            columns[place] = new if condition is None else choose(call.build, condition, new, columns[place])
        return columns

    change(array, call.name, real, write)


def operate_in_place(array: Recorded, name: str, other: Any) -> Recorded:
    """`array OPERATOR= other`, seen by all views of the array."""
    function = getattr(operator, f"i{name}")
    title = f"`{SYMBOLS[name]}=`"

    def real(number: int) -> Any:
        return function(array._reals[number], of_shadow(other, number))

    def write(reals: list[Any]) -> list[Value]:
        call = Call(array._recording, array, title, reals)
        written = array._operate(call, name, other, swapped=False)
        return [computed(call, value, array._reals[0].dtype) for value in written]

    change(array, title, real, write)
    return array


def change(array: Recorded, name: str, real: Callable[[int], Any], write: Callable[[list[Any]], list[Value]]) -> None:
    """Set columns of an array in its memory; `real` sets them in the library's own array, and returns it."""

    def checked(reals: list[Any]) -> list[Value]:
        if array._memory.frozen:
            refuse(
                "a value set in an array that may be a view of other memory (.values, a reshape)",
                "NumPy would set it there, too, or raise an error",
                "make it one's own first, with .copy()",
            )
        return write(reals)

    result = array._recording.perform(name, real, checked, array._rows, trusted=array._values)
    for place, value in zip(array._places, result._values, strict=True):
        array._memory.columns[place] = value


def _target(call: Call, array: Recorded, key: Any) -> tuple[list[Value | None], list[int], Rows, bool]:
    """What a key chooses: a condition for each column (None for all rows), the columns, the rows, and whether the part
    has two dimensions."""
    whole = list(range(len(array._values)))
    two = array._reals[0].ndim == 2
    if isinstance(key, Recorded):
        if key._reals[0].ndim == 2 and two:
            return _each_value(call, array, key)
        rows = condition_rows(array, key)
        return [key._values[0]] * len(whole), whole, rows, two
    if isinstance(key, tuple) and key and isinstance(key[0], Recorded):
        if len(key) != 2 or not isinstance(key[1], int | np.integer | slice):
            refuse("rows by a condition and columns by a list in one index", "NumPy pairs them", "set column by column")
        places, part_two = _columns(array, (slice(None), key[1]))
        return [key[0]._values[0]] * len(places), places, condition_rows(array, key[0]), part_two
    places, part_two = _columns(array, key)
    return [None] * len(places), places, array._rows, part_two


def _each_value(call: Call, array: Recorded, key: Recorded) -> tuple[list[Value | None], list[int], Rows, bool]:
    """`array[array > 3] = value`: a condition for each value."""
    if any(value.kind != "bool" for value in key._values) or len(key._values) != len(array._values):
        refuse("a value set where something is no condition", "the recorder has no rule for it", PLAN)
    if not array._rows.same(key._rows, by_position=True):
        refuse("values chosen by a condition of other rows", "the recorder has no rule for it", PLAN)
    return list(key._values), list(range(len(array._values))), _no_rows(call), False


def _no_rows(call: Call) -> Rows:
    """Rows that no recorded value has: the values of several columns at once are no column."""
    return Rows("values", call.build.value(False), [None] * len(call.recording.shadows))


def _columns(array: Recorded, key: Any) -> tuple[list[int], bool]:
    """The numbers of the columns that a key without conditions chooses, and whether the part has two dimensions."""
    places = array._chosen(key)
    part = np.zeros((1, len(array._values)) if array._reals[0].ndim == 2 else (1,))[key]
    if len(set(places)) < len(places):
        refuse("a column set twice in one line", "the recorder has no rule for it", "name each column once")
    return places, part.ndim == 2


def _news(call: Call, value: Any, rows: Rows, count: int, *, two: bool) -> list[Value]:
    """The values that are set, one for each of `count` columns."""
    if isinstance(value, Recorded):
        news = list(value._values)
        if not rows.same(value._rows, by_position=True):
            refuse(
                "values of other rows set in an array",
                "NumPy takes them by position",
                "choose both sides by the same condition: a[mask] = b[mask]",
            )
        if two and value._reals[0].ndim == 1:
            refuse("one column set in several", "NumPy matches rows with columns", "write column[:, None]")
        if len(news) not in (1, count):
            refuse(f"{len(news)} columns set in {count}", "NumPy does not match them", PLAN)
        return news * (count if len(news) == 1 else 1)
    if is_constant(value):
        return [call.of(value)] * count
    items = np.asarray(value, dtype=object)
    if items.size != 1 and not (two and items.shape in ((count,), (1, count))):
        refuse(
            f"values of shape {items.shape} set in an array",
            "they are matched with its rows, and production has other rows",
            "give one value for each column, or one for all",
        )
    return [call.of(each) for each in items.ravel()] * (count if items.size == 1 else 1)
