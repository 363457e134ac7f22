"""Aggregations: what a main row gets from its child rows, with the same bits in any order of the child rows.

Child rows of all main rows lie in one column, ordered by main row; `starts` says where each main row's begin:

    main row        0        1        2
    values      | 5.0 2.0 |        | 7.0 |
    starts        0         2        2     3      (row 1 has no child rows)
    list_sum      7.0       0.0      7.0
    list_max      5.0       NaN      7.0

Databases return child rows in any order, so nothing here may depend on it. Integers are added modulo 2**64, which
is exact and associative: differences of one running sum. Doubles are not associative, so `list_sum` computes the
true sum and rounds it once (math.fsum). Minimum and maximum add 0.0 to the result: of 0.0 and -0.0 neither is less,
and the sign would depend on which came first.

Distinct values are counted by sorting pairs (owner, value) and counting where a pair differs from the one before.
A pair is packed into one integer, owner * span + value - lowest, where that fits in 63 bits: NumPy sorts integers
faster than pairs, and 32 bits faster than 64.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER
from pipeline_lib.compiled.operations.text_columns import TextColumn

_NUMBERS = "float64[]|int64[]|bool[]"
_ANY = f"{_NUMBERS}|str[]|datetime[]"
_PACKED = 2**63  # pairs below this fit in int64


def exact_sum(values: Sequence[float]) -> float:
    """The sum of doubles, rounded once (math.fsum: Shewchuk 1997); 0.0 for none, and infinite beyond the range."""
    try:
        return math.fsum(values) + 0.0  # -0.0 becomes 0.0
    except (OverflowError, ValueError):  # a partial sum beyond the range, or opposite infinities
        special = [value for value in values if not math.isfinite(value)]
        if special:
            return special[0] if len(set(special)) == 1 else math.nan
        from fractions import Fraction  # only here: with decimal, 2 ms of a service's start

        total = sum(map(Fraction, values), Fraction())
        try:
            return float(total)
        except OverflowError:
            return math.inf if total > 0 else -math.inf


def _no_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    return 0.0


def _sum(lists: ListColumn) -> NDArray[np.float64]:
    values, starts = lists.values.tolist(), lists.starts.tolist()
    return np.array([exact_sum(values[start:stop]) for start, stop in pairwise(starts)], dtype=np.float64)


def _summed_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """The values' own, and what another order of summing rounds: ULPs of the sum of absolute values."""
    lists = inputs[0]
    moved = np.broadcast_to(bounds[0], np.shape(lists.values))
    apart = np.add.reduceat(np.append(moved, 0.0), np.minimum(lists.starts[:-1], len(moved)))
    sizes = np.add.reduceat(np.append(np.abs(lists.values), 0.0), np.minimum(lists.starts[:-1], len(moved)))
    most = apart + lists.counts * 2.0**-52 * sizes
    return np.where(lists.filled, np.where(np.isnan(most), np.inf, most), 0.0)


operation(
    "list_keep",
    (_ANY, "bool[]"),
    lambda settings, dtypes: dtypes[0],
    doc="The child rows for which a condition holds.",
    parameters=("values", "condition"),
    column=lambda settings: lambda lists, where: lists.keep(where),
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=lambda settings, inputs, bounds, result: np.broadcast_to(bounds[0], inputs[0].owners.shape)[
        inputs[1].chosen[0]
    ],
)

operation(
    "list_count",
    (_ANY,),
    "int64",
    doc="How many child rows each main row has.",
    column=lambda settings: lambda lists: lists.counts,
    error_bound=_no_error_bound,
)
operation(
    "list_sum_int",
    ("int64[]|bool[]",),
    "int64",
    doc="The sum over child rows of integers, or of bools how many hold; beyond 64 bits it wraps around.",
    column=lambda settings: lambda lists: lists.total(lists.values),
    abs_max=lambda settings, maxima: 2.0**63,
    error_bound=_no_error_bound,
)
operation(
    "list_sum",
    ("float64[]",),
    "float64",
    doc="The sum over child rows of numbers, rounded once.",
    column=lambda settings: _sum,
    error_bound=_summed_error_bound,
)


def _extreme(name: str, ufunc: Any, last: float, doc: str) -> None:
    """Register the smallest or largest value; `last` is the number that every other one comes before."""

    def of_numbers(lists: ListColumn) -> Any:
        values = lists.values
        absent = np.isnan(values)
        if lists.single:  # a table that is looked up
            values = values + 0.0
            values[absent] = np.nan
            return lists.scattered(values, np.nan)
        extreme = lists.reduced(ufunc, np.where(absent, last, values), np.nan) + 0.0  # -0.0 becomes 0.0
        return np.where(lists.total(~absent) > 0, extreme, np.nan)

    def of_dates(lists: ListColumn) -> Any:
        values = lists.values
        beyond = np.int64(2**63 - 1) if last > 0 else np.int64(NAT)
        extreme = lists.reduced(ufunc, np.where(values == NAT, beyond, values), NAT)
        return np.where(lists.total(values != NAT) > 0, extreme, np.int64(NAT))

    def column(settings: Settings) -> Callable[[ListColumn], Any]:
        return of_dates if settings.get("dates") else of_numbers

    def gives(settings: Settings, dtypes: Sequence[str]) -> str:
        return "datetime" if settings.get("dates") else "float64"

    operation(
        name,
        ("float64[]|datetime[]",),
        gives,
        doc=doc,
        settings={"dates": FLAG},
        column=column,
        error_bound=_largest_error_bound,
    )


def _largest_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    moved = np.broadcast_to(bounds[0], (len(inputs[0].owners),)).astype(np.float64)
    return inputs[0].reduced(np.maximum, moved, 0.0)


_extreme("list_min", np.minimum, math.inf, "The smallest value over child rows; missing if every one is.")
_extreme("list_max", np.maximum, -math.inf, "The largest value over child rows; missing if every one is.")


def text_numbers(values: TextColumn) -> NDArray[np.int64]:
    """A number for each value, the same for equal words."""
    numbers: dict[str | None, int] = {}
    number_of = np.array([numbers.setdefault(word, len(numbers)) for word in values.words], dtype=np.int64)
    result: NDArray[np.int64] = number_of[values.codes]
    return result


def _distinct(lists: ListColumn) -> Any:
    """How many different values each main row has, missing ones not counted."""
    values, owners = lists.values, lists.owners
    if isinstance(values, TextColumn):
        known, values = ~values.missing(), text_numbers(values)
    else:
        known = ~np.isnan(values) if values.dtype == np.float64 else values != NAT
        values = (values + 0.0).view(np.int64) if values.dtype == np.float64 else values.astype(np.int64)
    if not known.all():
        values, owners = values[known], owners[known]
    first = _firsts(values, owners, len(lists))
    return np.bincount(first, minlength=len(lists)).astype(np.int64)


def _firsts(values: NDArray[np.int64], owners: NDArray[np.int64], rows: int) -> Any:
    """The owner of each distinct pair of owner and value."""
    if not len(values):
        return owners
    low, high = int(values.min()), int(values.max())
    span = high - low + 1
    if span * rows < _PACKED:
        pairs = _without_runs(owners * span + (values - low))  # equal values often lie next to each other
        pairs = np.sort(pairs.astype(np.uint32) if span * rows < 2**32 else pairs)
        return _without_runs(pairs) // span
    order = np.lexsort((values, owners))
    values, owners = values[order], owners[order]
    return owners[np.append(True, (values[1:] != values[:-1]) | (owners[1:] != owners[:-1]))]


def _without_runs(numbers: NDArray[Any]) -> Any:
    """The first of each run of equal ones."""
    return numbers[np.append(True, numbers[1:] != numbers[:-1])]


operation(
    "list_distinct",
    (_ANY,),
    "int64",
    doc="How many different values the child rows have; missing ones are not counted.",
    column=lambda settings: _distinct,
    error_bound=lambda settings, inputs, bounds, result: np.where(
        _largest_error_bound(settings, inputs, bounds, result) > 0, np.inf, 0.0
    ),
)


def _at_largest(values: ListColumn, keys: ListColumn) -> Any:
    known = keys.values != NAT if keys.values.dtype == np.int64 else ~np.isnan(keys.values)
    ordered = keys.values.astype(np.float64) if keys.values.dtype == np.bool_ else keys.values
    lowest = np.int64(NAT) if ordered.dtype == np.int64 else -np.inf
    ordered = np.where(known, ordered, lowest)
    has_largest = known & (ordered == keys.spread(keys.reduced(np.maximum, ordered, lowest)))
    numbers = np.where(has_largest & ~np.isnan(values.values), values.values, -np.inf)
    largest = values.reduced(np.maximum, numbers, np.nan) + 0.0
    return np.where(values.total(has_largest & ~np.isnan(values.values)) > 0, largest, np.nan)


def _at_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    unsure = _largest_error_bound(settings, inputs[1:], bounds[1:], result) > 0
    return np.where(unsure, np.inf, _largest_error_bound(settings, inputs, bounds, result))


operation(
    "list_at_largest",
    ("float64[]", "float64[]|int64[]|datetime[]"),
    "float64",
    doc="The number in the child row with the largest key; of several such rows the largest number.",
    parameters=("values", "keys"),
    column=lambda settings: _at_largest,
    error_bound=_at_error_bound,
)


def _bind_sums_by(settings: Settings) -> Callable[[ListColumn, ListColumn], Any]:
    width = int(settings["places"])

    def sums(index: ListColumn, numbers: ListColumn) -> Any:
        inside = (index.values >= 0) & (index.values < width)
        cells = index.owners * width + index.values
        if not inside.all():
            cells, values = cells[inside], numbers.values[inside]
        else:
            values = numbers.values
        size = len(index) * width
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        if max(-low, high) * max(len(values), 1) < 2**53:  # every partial sum is an integer that float64 holds
            total = np.bincount(cells, weights=values, minlength=size)
            total = total.astype(np.float64, copy=False)  # bincount of no values is int64
        else:
            whole = np.zeros(size, dtype=np.int64)
            np.add.at(whole, cells, values)
            total = whole.astype(np.float64)
        return np.ascontiguousarray(total.reshape(len(index), width).T)

    return sums


operation(
    "list_sums_by",
    ("int64[]", "int64[]|bool[]"),
    "vector",
    doc="For each index from 0 on, the sum of child rows' integers with that index, as a vector.",
    parameters=("index", "numbers"),
    settings={"places": INTEGER},
    column=_bind_sums_by,
    abs_max=lambda settings, maxima: 2.0**63,
    error_bound=_no_error_bound,
    width=lambda settings, widths: int(settings["places"]),
)
