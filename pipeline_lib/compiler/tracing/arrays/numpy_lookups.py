"""NumPy's functions that look numbers up among constants: isin, searchsorted, digitize, interp, take."""

from typing import Any, Literal

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.dtypes import moved
from pipeline_lib.compiler.tracing.arrays.elementwise import apply
from pipeline_lib.compiler.tracing.arrays.numpy_functions import is_finite
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function

_EXACT = 2.0**53  # up to here a float64 holds every integer
_MATCH = ("it looks at all rows", "learn it in `fit`")


@function("numpy.isin", raw=True)
def isin(
    call: Call, element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """Whether a value is one of some constants, as an array."""
    if recorded_in(test_elements) or isinstance(test_elements, set | frozenset | dict):
        refuse("np.isin of something else than a list of constants", *_MATCH)
    items = np.ravel(np.asarray(test_elements)).tolist()

    def formula(build: Builder, value: Value) -> Value:
        found = member(build, value, items)
        return ~found if invert else found

    return apply(
        call,
        lambda array: np.isin(array, test_elements, invert=invert),
        [element],
        formula,
        by_label=False,
        objects=True,
    )


def member(build: Builder, value: Value, items: list[Any]) -> Value:
    """Whether a value equals one of some constants."""
    present = [each for each in items if not is_missing(each)]
    of_text = value.kind == "str"
    if any(isinstance(each, str) is not of_text for each in present) or value.kind not in _MEMBERS:
        refuse(f"np.isin of {value.kind} among values of another kind", "NumPy makes text of both", "cast one of them")
    if not of_text:
        present = [each for each in present if float(each) == each]
        if value.kind == "int64":
            present = [int(each) for each in present if float(each).is_integer()]
        if any(abs(each) >= _EXACT for each in present):
            refuse("np.isin among numbers beyond 2**53", "NumPy may round them", "compare smaller numbers")
        if value.kind == "float64":
            present = [float(each) for each in present]
    if value.kind == "bool":
        value, present = build.integer(value), [int(each) for each in present if each in (0, 1)]
    if not present:
        return build.value(False)
    return build.lookup(value, dict.fromkeys(present, True), "bool", missing=False, unseen=False)


_MEMBERS = ("str", "int64", "float64", "bool")


def _edges(name: str, edges: Any) -> Any:
    """Sorted edges as float64."""
    if recorded_in(edges) or np.ndim(edges) != 1:
        refuse(f"{name} with edges that are no list of constants", *_MATCH)
    numbers = np.asarray(edges, dtype=np.float64)
    if np.isnan(numbers).any() or (np.diff(numbers) < 0).any():
        refuse(f"{name} with edges that are not sorted", "its result has no meaning", "sort the edges in `fit`")
    if np.asarray(edges).dtype.kind in "iu" and (np.abs(numbers) >= _EXACT).any():
        refuse(f"{name} with edges beyond 2**53", "a plan compares float64 numbers", "write smaller edges")
    return numbers


@function("numpy.searchsorted", raw=True)
def searchsorted(call: Call, a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many of some edges lie below a number, as an array of integers."""
    if sorter is not None:
        refuse("np.searchsorted with sorter", "the recorder has no rule for it", "sort the edges in `fit`")
    edges = _edges("np.searchsorted", a)
    way: Literal["left", "right"] = "right" if side == "right" else "left"
    return apply(
        call,
        lambda values: np.searchsorted(a, values, side=way),
        [v],
        lambda build, value: build.search(build.number(value), edges=edges, side=way),
        by_label=False,
    )


@function("numpy.digitize", raw=True)
def digitize(call: Call, x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin that a number lies in, as an array of integers."""
    edges = _edges("np.digitize", bins)
    return apply(
        call,
        lambda values: np.digitize(values, bins, right=right),
        [x],
        lambda build, value: build.search(build.number(value), edges=edges, side="left" if right else "right"),
        by_label=False,
    )


@function("numpy.interp", raw=True)
def interp(call: Call, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The height of a line through points, as an array."""
    if recorded_in([xp, fp]) or period is not None:
        refuse("np.interp of points that are no constants, or with a period", "the recorder has no rule for it", PLAN)
    points, heights = np.asarray(xp, dtype=np.float64), np.asarray(fp, dtype=np.float64)
    if not (np.isfinite(points).all() and np.isfinite(heights).all()) or (np.diff(points) <= 0).any():
        refuse("np.interp of points that do not rise, or are not finite", "its result has no meaning", "sort them")

    def formula(build: Builder, value: Value) -> Value:
        value = build.number(value)
        height = build.interpolate(value, x=points, y=heights)
        if left is not None:
            height = build.where(value < float(points[0]), float(left), height)
        return height if right is None else build.where(value > float(points[-1]), float(right), height)

    return apply(call, lambda values: np.interp(values, xp, fp, left=left, right=right), [x], formula, by_label=False)


@function("numpy.isclose", raw=True)
def isclose(call: Call, a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether two numbers are equal but for a small distance."""

    def formula(build: Builder, first: Value, second: Value) -> Value:
        x, y = build.number(first), build.number(second)
        near = abs(x - y) <= float(atol) + float(rtol) * abs(y)
        close = (near & is_finite(build, y)) | x.equals(y)
        return close | (x.missing() & y.missing()) if equal_nan else close

    return apply(call, lambda x, y: np.isclose(x, y, rtol, atol, equal_nan), [a, b], formula)


@function("numpy.take", raw=True)
def take(call: Call, a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """Fitted values by their positions, such as `np.take(self.classes_, best)`, or columns of an array."""
    if isinstance(a, Recorded):
        if a._kind != "array" or recorded_in(indices):
            refuse(
                "rows taken by their numbers", "which row is at that place depends on the batch", "write X[:, [0, 2]]"
            )
        return a.take(indices, axis=axis)
    table = np.asarray(a)
    if table.ndim == 2 and axis == 0:
        return _rows_taken(call, table, indices)
    if table.ndim != 1 or mode != "raise" or axis not in (None, 0) or not isinstance(indices, Recorded):
        refuse(f"{call.name} of something else than a list of constants", "the recorder has no rule for it", PLAN)
    return apply(
        call,
        lambda places: np.take(table, places),
        [indices],
        lambda build, value: _item(build, table, value),
        by_label=False,
        finish=moved,
    )


def _rows_taken(call: Call, table: Any, indices: Any) -> Any:
    """`table[positions]` of a table of two dimensions: a row of the table for each row."""
    if not isinstance(indices, Recorded) or indices._kind not in ("array", "series") or indices._reals[0].ndim != 1:
        refuse("rows of a fitted table taken by something else than one column", "the recorder has no rule", PLAN)
    return call.recording.perform(
        call.name,
        lambda number: np.take(table, indices._reals[number], axis=0),
        lambda reals: [_item(call.build, column, indices._values[0]) for column in table.T],
        indices._rows,
    )


def _item(build: Builder, items: Any, position: Value) -> Value:
    """The item at a position of a fitted array, from the end if negative; other positions are refused."""
    if position.kind != "int64":
        refuse(f"a fitted array indexed by {position.kind} values", "positions are integers", "write astype(int)")
    gives = {"f": "float64", "i": "int64", "u": "int64", "b": "bool", "U": "str"}.get(items.dtype.kind)
    values = items.tolist()
    if gives is None and all(isinstance(each, str) for each in values):
        gives = "str"
    if gives is None or str(items.dtype) == "uint64":
        refuse(f"a fitted array of {items.dtype} indexed by a column", "the recorder has no rule for it", PLAN)
    table = {place: values[place] for place in range(-len(values), len(values))}
    return build.lookup(position, table, gives, mode="refuse", name="position", where="array[position]")
