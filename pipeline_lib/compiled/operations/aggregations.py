"""What a main row gets from its child rows. Each is exactly rounded, and no order of the child rows changes a bit."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn

_NUMBERS = "float64[]|int64[]|bool[]"
_ANY = f"{_NUMBERS}|str[]|datetime[]"
_PACKED = 2**63


def exact_sum(values: Sequence[float]) -> float:
    """The sum of doubles, rounded once (math.fsum: Shewchuk 1997); 0.0 for none, and infinite beyond the range."""
    try:
        return math.fsum(values) + 0.0  # -0.0 becomes 0.0
    except (OverflowError, ValueError):  # a partial sum beyond the range, or opposite infinities
        special = [value for value in values if not math.isfinite(value)]
        if special:
            return special[0] if len(set(special)) == 1 else math.nan
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


# The child rows for which a condition holds.
operation(
    "list_keep",
    (_ANY, "bool[]"),
    lambda settings, dtypes: dtypes[0],
    column=lambda settings: lambda lists, where: lists.keep(where),
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=lambda settings, inputs, bounds, result: np.broadcast_to(bounds[0], inputs[0].owners.shape)[
        inputs[1].chosen[0]
    ],
)

# How many child rows there are.
operation(
    "list_count", (_ANY,), "int64", column=lambda settings: lambda lists: lists.counts, error_bound=_no_error_bound
)

# The sum of integers, and how many truths hold; beyond 64 bits it wraps as int64 does.
operation(
    "list_sum_int",
    ("int64[]|bool[]",),
    "int64",
    column=lambda settings: lambda lists: lists.total(lists.values),
    abs_max=lambda settings, maxima: 2.0**63,
    error_bound=_no_error_bound,
)

# The sum of numbers, rounded once.
operation("list_sum", ("float64[]",), "float64", column=lambda settings: _sum, error_bound=_summed_error_bound)


def _extreme(name: str, ufunc: Any, last: float) -> None:
    """Enter the smallest or largest value that is not missing; missing where there is none."""

    def of_numbers(lists: ListColumn) -> Any:
        values = lists.values
        absent = np.isnan(values)
        if lists.single:  # a table that is looked up
            values = values + 0.0
            values[absent] = np.nan
            return lists.scattered(values, np.nan)
        found = lists.reduced(ufunc, np.where(absent, last, values), np.nan) + 0.0  # of 0.0 and -0.0 neither is less
        return np.where(lists.total(~absent) > 0, found, np.nan)

    def of_dates(lists: ListColumn) -> Any:
        values = lists.values
        beyond = np.int64(2**63 - 1) if last > 0 else np.int64(NAT)
        found = lists.reduced(ufunc, np.where(values == NAT, beyond, values), NAT)
        return np.where(lists.total(values != NAT) > 0, found, np.int64(NAT))

    def column(settings: Settings) -> Callable[[ListColumn], Any]:
        return of_dates if settings.get("dates") else of_numbers

    def gives(settings: Settings, dtypes: Sequence[str]) -> str:
        return "datetime" if settings.get("dates") else "float64"

    operation(name, ("float64[]|datetime[]",), gives, column=column, error_bound=_largest_error_bound)


def _largest_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    moved = np.broadcast_to(bounds[0], (len(inputs[0].owners),)).astype(np.float64)
    return inputs[0].reduced(np.maximum, moved, 0.0)


_extreme("list_min", np.minimum, math.inf)
_extreme("list_max", np.maximum, -math.inf)


def _distinct(lists: ListColumn) -> Any:
    """How many different values there are, missing ones aside."""
    values, owners = lists.values, lists.owners
    if isinstance(values, TextColumn):
        same: dict[str | None, int] = {}
        places = np.array([same.setdefault(word, len(same)) for word in values.words], dtype=np.int64)
        known, values = ~values.missing(), places[values.codes]
    else:
        known = ~np.isnan(values) if values.dtype == np.float64 else values != NAT
        values = (values + 0.0).view(np.int64) if values.dtype == np.float64 else values.astype(np.int64)
    if not known.all():
        values, owners = values[known], owners[known]
    first = _firsts(values, owners, len(lists))
    return np.bincount(first, minlength=len(lists)).astype(np.int64)


def _firsts(values: NDArray[np.int64], owners: NDArray[np.int64], rows: int) -> Any:
    """The owner of each pair of owner and value that differs from the others."""
    if not len(values):
        return owners
    low, high = int(values.min()), int(values.max())
    span = high - low + 1
    if span * rows < _PACKED:  # one integer for both sorts faster than two
        pairs = _without_runs(owners * span + (values - low))  # what came together often stands together
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
    column=lambda settings: _distinct,
    error_bound=lambda settings, inputs, bounds, result: np.where(
        _largest_error_bound(settings, inputs, bounds, result) > 0, np.inf, 0.0
    ),
)


def _at_largest(values: ListColumn, keys: ListColumn) -> Any:
    """The value of the child row with the largest key, of several the largest value; missing keys do not count."""
    known = keys.values != NAT if keys.values.dtype == np.int64 else ~np.isnan(keys.values)
    plain = keys.values.astype(np.float64) if keys.values.dtype == np.bool_ else keys.values
    lowest = np.int64(NAT) if plain.dtype == np.int64 else -np.inf
    plain = np.where(known, plain, lowest)
    at = known & (plain == keys.spread(keys.reduced(np.maximum, plain, lowest)))
    numbers = np.where(at & ~np.isnan(values.values), values.values, -np.inf)
    found = values.reduced(np.maximum, numbers, np.nan) + 0.0
    return np.where(values.total(at & ~np.isnan(values.values)) > 0, found, np.nan)


def _at_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    unsure = _largest_error_bound(settings, inputs[1:], bounds[1:], result) > 0
    return np.where(unsure, np.inf, _largest_error_bound(settings, inputs, bounds, result))


# The number in the child row whose key (number or date) is the largest.
operation(
    "list_at_largest",
    ("float64[]", "float64[]|int64[]|datetime[]"),
    "float64",
    column=lambda settings: _at_largest,
    error_bound=_at_error_bound,
)


def _bind_sums_by(settings: Settings) -> Callable[[ListColumn, ListColumn], Any]:
    places = int(settings["places"])

    def sums(at: ListColumn, numbers: ListColumn) -> Any:
        inside = (at.values >= 0) & (at.values < places)
        cells = at.owners * places + at.values
        if not inside.all():
            cells, values = cells[inside], numbers.values[inside]
        else:
            values = numbers.values
        size = len(at) * places
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        if max(-low, high) * max(len(values), 1) < 2**53:  # every partial sum is a whole number that doubles hold
            total = np.bincount(cells, weights=values, minlength=size).astype(np.float64, copy=False)  # int of nothing
        else:
            whole = np.zeros(size, dtype=np.int64)
            np.add.at(whole, cells, values)
            total = whole.astype(np.float64)
        return np.ascontiguousarray(total.reshape(len(at), places).T)

    return sums


# The sums of integers by the place (0, 1, ... below `places`) that each child row has; other places do not count.
operation(
    "list_sums_by",
    ("int64[]", "int64[]|bool[]"),
    "vector",
    column=_bind_sums_by,
    abs_max=lambda settings, maxima: 2.0**63,
    error_bound=_no_error_bound,
    width=lambda settings, widths: int(settings["places"]),
)
