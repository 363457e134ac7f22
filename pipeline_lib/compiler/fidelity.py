"""Faithful or refused: each step's plan, fed scikit-learn's own input to it, against scikit-learn's own output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.library_columns import plan_column
from pipeline_lib.compiled.operations.sparse import SparseColumn, aligned
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.error_bounds import distance, with_error_bounds
from pipeline_lib.errors import InputError

Write = Callable[[dict[str, Value], Builder], Sequence[Value]]


@dataclass(frozen=True)
class Distance:
    """How far a step's plan is from its library's own result.

    `ulps` is the largest distance of a number in units in the last place, `share` the largest part of what the
    step is allowed, `flips` counts rows on a boundary where another answer was chosen.
    """

    ulps: float = 0.0
    share: float = 0.0
    flips: int = 0

    def worst(self, other: "Distance") -> "Distance":
        """The larger of two distances in each respect."""
        return Distance(max(self.ulps, other.ulps), max(self.share, other.share), max(self.flips, other.flips))


def check_step(
    where: str,
    write: Write,
    before: Mapping[str, Value],
    given: Any,
    expected: Any,
    columns: Mapping[str, PlanColumn] | None = None,
) -> Distance:
    """Evaluate a step's plan on `given`, the library's input to it, and compare with `expected`, its output.

    `before` are the plan's columns that go into the step; `columns` are `given` as a plan has them, where that is
    no single frame. Frames, arrays and sparse matrices are
    compared column by column. Raises InputError where the plan is farther away than it may be.
    """
    rows = given.shape[0]
    builder = Builder(checking=True, context=max((value.build.context for value in before.values()), default=0))
    inputs = {name: _same_input(name, value, builder) for name, value in before.items()}
    made = list(write(inputs, builder))
    columns = _library_columns(given, before) if columns is None else columns
    found = with_error_bounds(Plan(builder.nodes, {}), [value.node for value in made], columns, rows)
    width = 1 if len(expected.shape) == 1 else expected.shape[1]
    if sum(value.width for value in made) != width:
        raise InputError(f"{where}: found a plan of {len(made)} columns, expected the {width} that the step makes")
    worst, place = Distance(), 0
    for value, (column, bound) in zip(made, found, strict=True):
        reference = library_column(expected, place, value.dtype, value.width)
        label = repr(str(expected.columns[place])) if hasattr(expected, "columns") else str(place)
        worst = worst.worst(_compare(f"{where}, column {label}", column, bound, reference, rows))
        place += value.width
    return worst


def _same_input(name: str, value: Value, build: Builder) -> Value:
    known = value.build.nodes[value.node]
    table = known.settings["table"] if known.operation == "input" else "rows"
    return build.input(name, value.dtype, value.abs_max, width=value.width, table=table)


def _library_columns(given: Any, before: Mapping[str, Value]) -> dict[str, PlanColumn]:
    columns, place = {}, 0
    for name, value in before.items():
        columns[name] = library_column(given, place, value.dtype, value.width)
        place += value.width
    return columns


def _compare(where: str, column: PlanColumn, bound: Any, reference: PlanColumn, rows: int) -> Distance:
    places = None
    if isinstance(column, SparseColumn) or isinstance(reference, SparseColumn):
        places, column, bound, reference = aligned(SparseColumn.of(column), bound, SparseColumn.of(reference))
    with np.errstate(all="ignore"):
        apart = np.broadcast_to(distance(column, reference), np.shape(bound) or None or np.shape(reference) or (rows,))
        allowed = np.broadcast_to(0.0 if bound is None else bound, apart.shape)
        wrong = (apart > 0) & ~(apart <= allowed)  # a bound that is NaN allows nothing
        if wrong.any():
            raise InputError(_unfaithful(where, column, reference, apart, allowed, wrong, places))
        finite = np.isfinite(apart) & (apart > 0)
        if not finite.any():
            return Distance(flips=int(np.isinf(apart).sum()))
        size = np.abs(np.asarray(reference, dtype=np.float64))
        spacing = np.spacing(np.where(size > 0, size, apart))  # a 0 that is left of terms which cancel has no scale
        flips = int((np.isinf(allowed) & (apart > 0)).sum())
        sure = finite & np.isfinite(allowed)
        if not sure.any():
            return Distance(flips=flips)
        return Distance(float((apart / spacing)[sure].max()), float((apart / allowed)[sure].max()), flips)


def _unfaithful(where: str, column: PlanColumn, reference: PlanColumn, apart: Any, allowed: Any, wrong: Any, rows: Any) -> str:
    at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    row = at[-1] if rows is None else rows[at[-1]]
    if isinstance(column, TextColumn):
        found, expected = column.tolist()[row], reference.tolist()[row]
    else:
        found, expected = column[at].item(), np.asarray(reference)[at].item()
    return (
        f"{where}: found {found!r} from the plan in row {row}, expected {expected!r} as the library computes it "
        f"(within {float(allowed[at]):.3g}; {int(wrong.sum()):,} values differ): the step cannot be compiled "
        "faithfully; correct its plan, or leave the plan out and compile with allow_opaque=True"
    )


def library_column(data: Any, place: int, dtype: str, width: int = 1) -> PlanColumn:
    """Column `place` of what a library made (frame, array, sparse matrix), as a plan has it."""
    if dtype in ("vector", "bag"):
        part = data[:, place : place + width] if not hasattr(data, "iloc") else data.iloc[:, place : place + width]
        if dtype == "bag":
            return SparseColumn.of(part if hasattr(part, "tocoo") else np.asarray(part, dtype=float).T)
        return np.ascontiguousarray((part.toarray() if hasattr(part, "toarray") else np.asarray(part)).T, dtype=float)
    if hasattr(data, "toarray"):
        data = data[:, [place]].toarray()[:, 0]
    elif hasattr(data, "iloc"):
        data = data.iloc[:, place] if data.ndim == 2 else data
    elif data.ndim == 2:
        data = data[:, place]
    return plan_column(data, dtype)
