"""Statistics of the numbers of one row, as pandas computes them over the columns of a frame.

Sums go from left to right. pandas goes by the blocks in which it keeps the columns, and pairwise where a single row has
eight or more numbers, so sums of more than two numbers have an error bound; all else has pandas' bits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.refusals import refuse

_ANY_ORDER = 2  # a sum of up to so many numbers has the same bits in any order
_IN_ORDER = 7  # NumPy adds up to so many numbers from left to right


@dataclass(frozen=True)
class Numbers:
    """The columns that a statistic of a row takes, with the builder that writes it."""

    build: Builder
    values: Sequence[Value]
    skipna: bool = True

    def kinds(self) -> set[str]:
        """The dtypes of the columns."""
        return {str(value.kind) for value in self.values}

    def floats(self) -> bool:
        """Whether a column is of floats."""
        return "float64" in self.kinds()

    def filled(self, filler: float) -> list[Value]:
        """The numbers as float64, missing ones as `filler` where they are skipped."""
        build = self.build
        if not self.skipna:
            return [build.number(value) for value in self.values]
        return [build.number(build.where(value.missing(), filler, value)) for value in self.values]

    def integers(self) -> list[Value]:
        """Integers and bools as int64."""
        return [self.build.integer(value) for value in self.values]

    def any_missing(self) -> Value:
        """Whether a number is missing."""
        return reduce(self.build.logical_or, (value.missing() for value in self.values))

    def count(self) -> Value:
        """How many numbers take part (int64)."""
        build = self.build
        if not self.skipna:
            return build.value(len(self.values))
        present = [value.missing() for value in self.values if _may_miss(build, value)]
        total = build.value(len(self.values) - len(present))
        for missing in present:
            total = total + build.integer(build.logical_not(missing))
        return total

    def total(self, terms: Sequence[Value], *, exact: int = _ANY_ORDER) -> Value:
        """The sum of float64 numbers from left to right, as pandas adds up to `exact` numbers; zeros add up to 0."""
        build = self.build
        result = build.sum(terms) + 0.0  # the library adds to 0.0, so that it never gives -0.0
        if len(terms) <= exact:
            return result
        # two orders differ by at most n - 1 roundings each, of half an ULP of the sum of magnitudes
        return build.allow_ulps(result, 2.0 * (len(terms) - 1), build.sum([abs(term) for term in terms]))


def _may_miss(build: Builder, value: Value) -> bool:
    return build.nodes[value.missing().node].operation != "constant"


def sum_(numbers: Numbers) -> Value:
    """The sum; of integers and bools int64."""
    if not numbers.floats():
        return reduce(lambda total, value: total + value, numbers.integers())
    return numbers.total(numbers.filled(0.0))


def product(numbers: Numbers) -> Value:
    """The product; of integers and bools int64."""
    values = numbers.filled(1.0) if numbers.floats() else numbers.integers()
    if numbers.floats() and len(values) > _ANY_ORDER:
        refuse(
            "the product of more than two columns of floats",
            "pandas multiplies in an order of its own, in which a row may overflow",
            "write X['a'] * X['b'] * X['c']",
        )
    return reduce(lambda total, value: total * value, values)


def mean(numbers: Numbers, *, exact: int = _ANY_ORDER) -> Value:
    """The mean of the present numbers."""
    return numbers.total(numbers.filled(0.0), exact=exact) / numbers.build.number(numbers.count())


def variance(numbers: Numbers, ddof: int) -> Value:
    """In two passes, as pandas' nanvar; missing where at most `ddof` numbers are present."""
    build, count, middle = numbers.build, numbers.count(), mean(numbers, exact=_IN_ORDER)
    apart = [middle - filled for filled in numbers.filled(0.0)]
    squares = [each * each for each in apart]
    if numbers.skipna:
        squares = [build.where(v.missing(), 0.0, s) for v, s in zip(numbers.values, squares, strict=True)]
    total = numbers.total(squares, exact=_IN_ORDER)
    return build.where(count > ddof, total / build.number(count - ddof), math.nan)


def median(numbers: Numbers) -> Value:
    """The median of the present numbers."""
    build = numbers.build
    middle = build.median(*(build.number(value) for value in numbers.values), plain=False) + 0.0  # never -0.0
    return middle if numbers.skipna else build.where(numbers.any_missing(), math.nan, middle)


def extreme(numbers: Numbers, *, largest: bool) -> Value:
    """The smallest or largest number or date; of bools whether all or any hold."""
    build = numbers.build
    if numbers.kinds() == {"bool"}:
        return reduce(build.logical_or if largest else build.logical_and, numbers.values)
    dates = bool(numbers.kinds() & {"datetime", "duration"})
    values = list(numbers.values) if dates else numbers.filled(math.nan) if numbers.floats() else numbers.integers()
    best = values[0]
    for value in values[1:]:
        better = value > best if largest else value < best
        best = build.where(build.logical_or(best.missing(), better), value, best)
    missing = build.missing(best.kind) if dates else math.nan
    return best if numbers.skipna else build.where(numbers.any_missing(), missing, best)


def _true(numbers: Numbers, value: Value) -> Value:
    """Whether a value is true: not 0. A missing one is so where it is not skipped."""
    build = numbers.build
    if value.kind == "bool":
        return value
    nonzero = build.logical_not(value == 0)
    return nonzero if not numbers.skipna else build.logical_and(nonzero, build.logical_not(value.missing()))


def any_(numbers: Numbers) -> Value:
    """Whether any value is true."""
    return reduce(numbers.build.logical_or, [_true(numbers, value) for value in numbers.values])


def all_(numbers: Numbers) -> Value:
    """Whether no value is 0 or False."""
    build = numbers.build
    zeros = [build.logical_not(value) if value.kind == "bool" else value == 0 for value in numbers.values]
    return build.logical_not(reduce(build.logical_or, zeros))


def distinct(numbers: Numbers) -> Value:
    """How many different values there are, without missing ones."""
    build = numbers.build
    if numbers.kinds() != {"str"}:
        values = numbers.filled(math.nan) if numbers.floats() else numbers.integers()
        return build.distinct(*values)
    total = build.value(0)
    for index, value in enumerate(numbers.values):
        new = build.logical_not(value.missing())
        for earlier in numbers.values[:index]:
            new = build.logical_and(new, build.logical_not(build.text_equal(value, earlier)))
        total = total + build.integer(new)
    return total
