"""Into which bins the values of a column fall, and how many do.

numbers, dates, lengths    a bin below the smallest value of training, bins from one quantile to the next, and a bin
                           beyond the largest: the first and the last hold what is out of range
texts, booleans, labels    a bin for each frequent value of training, one for its other values, one for unseen ones
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from heapq import nsmallest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline_lib.rows.arrow_arrays import arrow_array, to_numpy
from pipeline_lib.watching.values import booleans_of, dates_of, labels_of, lengths_of, numbers_of, texts_of

NUMBER, DATE, LENGTH, TEXT, BOOLEAN, LABEL = "number", "date", "length", "text", "boolean", "label"
QUANTILES = 20
"""Bins of a column of numbers, where its quantiles are all different."""
MOST_NAMES = 30
"""Categories with a bin of their own."""
MOST_DISTINCT = 200
"""Distinct texts up to which a column holds categories; of others the length is counted."""
_LONGEST_NAME = 200
_MANY = 1000
_SHOWN_NAMES, _SHOWN_CHARACTERS = 5, 60
_NUMERIC = {NUMBER: numbers_of, DATE: dates_of, LENGTH: lengths_of}
_NAMED: dict[str, Callable[[Any], tuple[dict[str, int], int, int]]] = {
    TEXT: texts_of,
    BOOLEAN: booleans_of,
    LABEL: labels_of,
}
KINDS = (*_NUMERIC, *_NAMED)
OF_COLUMN = {
    "integer": NUMBER,
    "number": NUMBER,
    "string": TEXT,
    "boolean": BOOLEAN,
    "datetime": DATE,
    "date": DATE,
}
"""What is counted of each kind of raw column."""


@dataclass
class Counts:
    """How many values fall into each bin, are missing, and are of another type; unseen names, the first by alphabet."""

    bins: NDArray[np.int64]
    missing: int = 0
    invalid: int = 0
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All values."""
        return int(self.bins.sum()) + self.missing + self.invalid

    def add(self, other: "Counts") -> None:
        """Add the counts of other rows; in any order and grouping the sums are the same."""
        self.bins = self.bins + other.bins
        self.missing += other.missing
        self.invalid += other.invalid
        if other.unseen:
            names = {name: self.unseen.get(name, 0) + other.unseen.get(name, 0) for name in self.unseen | other.unseen}
            self.unseen = {name: names[name] for name in nsmallest(_SHOWN_NAMES, names)}

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        values: dict[str, Any] = {"counts": self.bins.tolist(), "missing": self.missing, "invalid": self.invalid}
        return {**values, "unseen": self.unseen} if self.unseen else values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Counts":
        """Read what `to_json` wrote."""
        bins = np.array(values["counts"], np.int64)
        return cls(bins, values["missing"], values["invalid"], dict(values.get("unseen", {})))


@dataclass(frozen=True)
class Bins:
    """The bins of one column: `edges` of numbers, or `names` with a bin each and the `others` that share one.

    `exact` says that each bin of numbers between the first and the last holds a single value.
    """

    kind: str
    edges: tuple[float, ...] = ()
    exact: bool = False
    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether the bins are ranges."""
        return self.kind in _NUMERIC

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1 if self.numeric else len(self.names) + 2

    @property
    def smallest(self) -> float | None:
        """The smallest finite value of training."""
        return self.edges[0] if self.edges else None

    @property
    def largest(self) -> float | None:
        """The largest finite value of training."""
        return math.nextafter(self.edges[-1], -math.inf) if self.edges else None

    def count(self, values: Any) -> Counts:
        """Count values: an Arrow array or a list of Python values."""
        if self.numeric:
            numbers, invalid = _NUMERIC[self.kind](values)
            unknown = int(np.count_nonzero(np.isnan(numbers)))
            return Counts(self._count_numbers(numbers, unknown), unknown - invalid, invalid)
        if self.kind == TEXT and isinstance(values, pa.Array) and pa.types.is_string(values.type):
            return self._count_array(values)
        texts, missing, invalid = _NAMED[self.kind](values)
        counts = np.zeros(self.size, np.int64)
        unseen: dict[str, int] = {}
        for name, count in texts.items():
            position = self._positions.get(name)
            if position is None:
                unseen[name] = count
            else:
                counts[position] += count
        counts[-1] = sum(unseen.values())
        return Counts(counts, missing, invalid, _shown(unseen))

    def outside(self, counts: Counts) -> int:
        """How many values are out of the range of training."""
        if not self.numeric:
            return 0
        return int(counts.bins[0] + counts.bins[-1]) if self.edges else int(counts.bins[0])

    def new(self, counts: Counts) -> int:
        """How many values are categories that training has not seen."""
        return 0 if self.numeric else int(counts.bins[-1])

    def _count_numbers(self, numbers: NDArray[np.float64], unknown: int) -> NDArray[np.int64]:
        """How many numbers are in each bin; NaN, of which there are so many, is in none."""
        if len(numbers) < _MANY:
            counts = np.bincount(np.searchsorted(self._edges, numbers, side="right"), minlength=self.size)
            counts[-1] -= unknown  # NaN sorts behind all numbers
            return counts.astype(np.int64)
        # a comparison of the whole column with each edge takes a fifth of the time of a search for each number
        from_edge = [int(np.count_nonzero(numbers >= edge)) for edge in self.edges]
        return -np.diff([len(numbers) - unknown, *from_edge, 0])

    def _count_array(self, values: pa.Array) -> Counts:
        """As `count`, of a large block: only unseen texts become Python values."""
        found = pc.index_in(values, value_set=self._known)
        known = to_numpy(pc.fill_null(found, _minus_one()), np.int64)
        by_name = np.bincount(known + 1, minlength=len(self.names) + len(self.others) + 1)
        names = len(self.names)
        new = int(by_name[0]) - values.null_count
        unseen = texts_of(values.filter(pc.is_null(found)))[0] if new else {}
        counts = [*by_name[1 : names + 1].tolist(), int(by_name[names + 1 :].sum()), new]
        return Counts(np.array(counts, np.int64), values.null_count, 0, _shown(unseen))

    @cached_property
    def _edges(self) -> NDArray[np.float64]:
        return np.array(self.edges, np.float64)

    @cached_property
    def _positions(self) -> dict[str, int]:
        others = dict.fromkeys(self.others, len(self.names))
        return {**others, **{name: number for number, name in enumerate(self.names)}}

    @cached_property
    def _known(self) -> Any:
        return arrow_array([*self.names, *self.others], "string")


def bins_of(values: Any, kind: str) -> Bins:
    """Bins for the values of training: an Arrow array or a list.

    >>> bins_of([1, 2, 2, 5, None], NUMBER).edges[:3]
    (1.0, 2.0, 5.0)
    >>> bins_of(["a", "b", "a"], TEXT).names
    ('a', 'b')
    """
    if kind in _NUMERIC:
        return _numeric_bins(values, kind)
    if kind == BOOLEAN:
        return Bins(kind, names=("false", "true"))
    texts, _, _ = _NAMED[kind](values)
    if kind == TEXT and (len(texts) > MOST_DISTINCT or any(len(name) > _LONGEST_NAME for name in texts)):
        return _numeric_bins(values, LENGTH)
    ordered = sorted(texts, key=lambda name: (-texts[name], name))
    return Bins(kind, names=tuple(ordered[:MOST_NAMES]), others=tuple(sorted(ordered[MOST_NAMES:])))


def _numeric_bins(values: Any, kind: str) -> Bins:
    numbers, _ = _NUMERIC[kind](values)
    finite = np.sort(numbers[np.isfinite(numbers)])
    if not len(finite):
        return Bins(kind)
    distinct = np.unique(finite)
    exact = len(distinct) <= QUANTILES
    at = [len(finite) * number // QUANTILES for number in range(QUANTILES)]
    edges = (distinct if exact else np.unique(finite[at])) + 0.0  # no edge is -0.0
    return Bins(kind, (*edges.tolist(), math.nextafter(float(finite[-1]), math.inf)), exact)


def _shown(unseen: Mapping[str, int]) -> dict[str, int]:
    """The first few names by alphabet, none of them long."""
    short: dict[str, int] = {}
    for name, count in unseen.items():
        text = _short(name)
        short[text] = short.get(text, 0) + count
    return {name: short[name] for name in nsmallest(_SHOWN_NAMES, short)}


def _short(name: str) -> str:
    text = name.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


@cache
def _minus_one() -> Any:
    return arrow_array([-1], "integer").cast(pa.int32())[0]


def labels(bins: Bins, text: Callable[[float], str]) -> Sequence[str]:
    """What each bin is called; `text` writes a number."""
    if not bins.numeric:
        return [*bins.names, "other", "unseen"]
    if not bins.edges:
        return ["any"]
    inner = list(zip(bins.edges[:-1], bins.edges[1:], strict=True))
    last = bins.largest if bins.largest is not None else bins.edges[-1]
    ends = [*(end for _, end in inner[:-1]), last]
    shown = [
        text(start) if bins.exact or start == end else f"{text(start)} to {text(end)}"
        for (start, _), end in zip(inner, ends, strict=True)
    ]
    return [f"below {text(bins.edges[0])}", *shown, f"above {text(last)}"]
