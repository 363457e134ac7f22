"""A column of a plan beside the library's own, number by number: the distance, against the error bound."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.sparse import SparseColumn, aligned
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiler.error_bounds import distance
from pipeline_lib.errors import InputError

_ROUNDED = 2.0**20  # ULPs: less is rounding, also where a bound is infinite; a choice between values is more


class UnfaithfulPlanError(InputError):
    """A step whose plan differs from its library by more than rounding explains."""


@dataclass(frozen=True)
class Distance:
    """The distance of a step's plan from its library's own result.

    `ulps` is the largest distance of a number in units in the last place, `share` the largest distance as a part of
    its error bound, `flips` the count of rows on a boundary in which the library chose the other side. `unsure` is the
    count of rows in which the library has no answer of its own, because of `doubt`: on another machine it may differ.
    """

    ulps: float = 0.0
    share: float = 0.0
    flips: int = 0
    unsure: int = 0
    doubt: str = ""

    def worst(self, other: "Distance") -> "Distance":
        """The larger of two distances in each respect."""
        return Distance(
            max(self.ulps, other.ulps),
            max(self.share, other.share),
            max(self.flips, other.flips),
            max(self.unsure, other.unsure),
            self.doubt or other.doubt,
        )


@dataclass(frozen=True)
class Comparison:
    """A column of a plan beside its reference, number by number.

    `apart` is how far apart they are, `allowed` how far they may be, `wrong` where that is exceeded. `sparse_rows` are
    the rows of a sparse column's numbers, of which each has some.
    """

    column: PlanColumn
    reference: PlanColumn
    apart: Any
    allowed: Any
    wrong: Any
    sparse_rows: Any = None

    @classmethod
    def of(cls, column: PlanColumn, bound: Any, reference: PlanColumn, rows: int) -> "Comparison":
        """Compare a column with a reference, within a bound (None: none is allowed)."""
        sparse_rows = None
        if isinstance(column, SparseColumn) or isinstance(reference, SparseColumn):
            sparse_rows, column, bound, reference = aligned(SparseColumn.of(column), bound, SparseColumn.of(reference))
        shape = np.shape(bound) or None or np.shape(reference) or (rows,)
        with np.errstate(all="ignore"):
            apart = np.broadcast_to(distance(column, reference), shape)
            allowed = np.broadcast_to(0.0 if bound is None else bound, apart.shape)
            wrong = (apart > 0) & ~(apart <= allowed)  # a bound of NaN allows nothing
        return cls(column, reference, apart, allowed, wrong, sparse_rows)

    def wrong_rows(self) -> NDArray[np.intp]:
        """The rows with a number that is farther away than its bound, in order."""
        at = np.unique(np.nonzero(self.wrong)[-1])
        return at if self.sparse_rows is None else np.unique(self.sparse_rows[at])

    def unsure_rows(self, rows: int) -> NDArray[np.bool_]:
        """The rows with a number that may be any, as its bound is infinite."""
        unsure = np.isinf(self.allowed)
        if self.sparse_rows is None:
            return np.asarray(unsure if unsure.ndim < 2 else unsure.any(axis=0))
        found = np.zeros(rows, dtype=bool)
        found[self.sparse_rows[unsure]] = True
        return found

    def first(self, row: int | None = None) -> tuple[Any, Any]:
        """The plan's number and the library's, where they first differ: in any row, or in one."""
        at = self._at(row)
        if isinstance(self.column, TextColumn):
            return self.column.tolist()[at[-1]], self.reference.tolist()[at[-1]]
        return self.column[at].item(), np.asarray(self.reference)[at].item()

    def distance(self, where: str) -> Distance:
        """The distance of the column; raises UnfaithfulPlanError where it is larger than the bound."""
        if self.wrong.any():
            raise UnfaithfulPlanError(self._message(where))
        apart, allowed = self.apart, self.allowed
        finite = np.isfinite(apart) & (apart > 0)
        if not finite.any():
            return Distance(flips=int(np.isinf(apart).sum()))
        with np.errstate(all="ignore"):
            size = np.abs(np.asarray(self.reference, dtype=np.float64))
            spacing = np.spacing(np.where(size > 0, size, apart))  # terms that cancel leave no scale but the distance
            chosen_otherwise = np.isinf(allowed) & (apart > _ROUNDED * spacing)
            flips = int(chosen_otherwise.sum())
            bounded = finite & ~chosen_otherwise
            if not bounded.any():
                return Distance(flips=flips)
            return Distance(float((apart / spacing)[bounded].max()), float((apart / allowed)[bounded].max()), flips)

    def _at(self, row: int | None = None) -> tuple[Any, ...]:
        wrong = self.wrong
        if row is not None:
            rows = np.arange(wrong.shape[-1]) if self.sparse_rows is None else self.sparse_rows
            wrong = wrong & (rows == row)
        return np.unravel_index(int(np.argmax(wrong)), wrong.shape)

    def _message(self, where: str) -> str:
        at = self._at()
        row = at[-1] if self.sparse_rows is None else self.sparse_rows[at[-1]]
        found, expected = self.first()
        return (
            f"{where}: found {found!r} from the plan in row {row}, expected {expected!r} as the library computes it "
            f"(within {float(self.allowed[at]):.3g}; {int(self.wrong.sum()):,} values differ): the step cannot be "
            "compiled faithfully"
        )
