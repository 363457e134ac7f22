"""Fidelity: a step's plan must compute what its library computes, or compiling is refused.

Each step is checked by itself, so that the message names the step, the column and the row, and an error cannot hide
behind later steps. The plan gets the library's own input to the step, not the plan's earlier result:

    library's input ---> step.transform ---------> expected result ---+
          |                                                           |   distance <= error bound,
          +------------> plan, evaluated with  --> result ------------+   number by number
                         error bounds          --> error bound -------+

With `checking` a builder also writes `allow_ulps`, the operations by which adapters state how far their library's
formula is from ours; the plan of production does not have them. `error_bounds` describes the bounds.
"""

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
    """The distance of a step's plan from its library's own result.

    `ulps` is the largest distance of a number in units in the last place, `share` the largest distance as a part of
    its error bound, `flips` the count of rows on a boundary in which the library chose the other side.
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
    data: Any,
    expected: Any,
    columns: Mapping[str, PlanColumn] | None = None,
) -> Distance:
    """Evaluate a step's plan on `data`, the library's input to it, and compare with `expected`, its output.

    `before` are the plan's columns that are the input of the step; `columns` are their values, where `data` is not a
    single frame, array or sparse matrix. `expected` is compared column by column. Raises InputError where the plan
    is farther away than its error bounds.
    """
    rows = data.shape[0]
    builder = Builder(checking=True, context=max((value.build.context for value in before.values()), default=0))
    inputs = {name: _copy_input(name, value, builder) for name, value in before.items()}
    roots = list(write(inputs, builder))
    columns = _library_columns(data, before) if columns is None else columns
    results = with_error_bounds(Plan(builder.nodes, {}), [value.node for value in roots], columns, rows)
    width = 1 if len(expected.shape) == 1 else expected.shape[1]
    if sum(value.width for value in roots) != width:
        raise InputError(f"{where}: found a plan of {len(roots)} columns, expected the {width} that the step makes")
    worst, index = Distance(), 0
    for value, (column, bound) in zip(roots, results, strict=True):
        reference = library_column(expected, index, value.dtype, value.width)
        label = repr(str(expected.columns[index])) if hasattr(expected, "columns") else str(index)
        worst = worst.worst(_compare(f"{where}, column {label}", column, bound, reference, rows))
        index += value.width
    return worst


def _copy_input(name: str, value: Value, build: Builder) -> Value:
    """An input of another builder, with the properties of a value of the plan."""
    node = value.build.nodes[value.node]
    table = node.settings["table"] if node.operation == "input" else "rows"
    return build.input(name, value.dtype, value.abs_max, width=value.width, table=table)


def _library_columns(data: Any, before: Mapping[str, Value]) -> dict[str, PlanColumn]:
    columns, index = {}, 0
    for name, value in before.items():
        columns[name] = library_column(data, index, value.dtype, value.width)
        index += value.width
    return columns


def _compare(where: str, column: PlanColumn, bound: Any, reference: PlanColumn, rows: int) -> Distance:
    """The distance of one column; raises InputError where it is larger than the bound."""
    sparse_rows = None
    if isinstance(column, SparseColumn) or isinstance(reference, SparseColumn):
        sparse_rows, column, bound, reference = aligned(SparseColumn.of(column), bound, SparseColumn.of(reference))
    with np.errstate(all="ignore"):
        apart = np.broadcast_to(distance(column, reference), np.shape(bound) or None or np.shape(reference) or (rows,))
        allowed = np.broadcast_to(0.0 if bound is None else bound, apart.shape)
        wrong = (apart > 0) & ~(apart <= allowed)  # a bound of NaN allows nothing
        if wrong.any():
            raise InputError(_difference_message(where, column, reference, apart, allowed, wrong, sparse_rows))
        finite = np.isfinite(apart) & (apart > 0)
        if not finite.any():
            return Distance(flips=int(np.isinf(apart).sum()))
        size = np.abs(np.asarray(reference, dtype=np.float64))
        spacing = np.spacing(np.where(size > 0, size, apart))  # terms that cancel to 0 leave no scale but the distance
        flips = int((np.isinf(allowed) & (apart > 0)).sum())
        bounded = finite & np.isfinite(allowed)
        if not bounded.any():
            return Distance(flips=flips)
        return Distance(float((apart / spacing)[bounded].max()), float((apart / allowed)[bounded].max()), flips)


def _difference_message(
    where: str, column: PlanColumn, reference: PlanColumn, apart: Any, allowed: Any, wrong: Any, sparse_rows: Any
) -> str:
    at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    row = at[-1] if sparse_rows is None else sparse_rows[at[-1]]
    if isinstance(column, TextColumn):
        found, expected = column.tolist()[row], reference.tolist()[row]
    else:
        found, expected = column[at].item(), np.asarray(reference)[at].item()
    return (
        f"{where}: found {found!r} from the plan in row {row}, expected {expected!r} as the library computes it "
        f"(within {float(allowed[at]):.3g}; {int(wrong.sum()):,} values differ): the step cannot be compiled "
        "faithfully; correct its plan, or leave the plan out and compile with allow_opaque=True"
    )


def library_column(data: Any, index: int, dtype: str, width: int = 1) -> PlanColumn:
    """Column `index` of a library's frame, array or sparse matrix, converted to a column of a plan."""
    if dtype in ("vector", "bag"):
        part = data[:, index : index + width] if not hasattr(data, "iloc") else data.iloc[:, index : index + width]
        if dtype == "bag":
            return SparseColumn.of(part if hasattr(part, "tocoo") else np.asarray(part, dtype=float).T)
        return np.ascontiguousarray((part.toarray() if hasattr(part, "toarray") else np.asarray(part)).T, dtype=float)
    if hasattr(data, "toarray"):
        data = data[:, [index]].toarray()[:, 0]
    elif hasattr(data, "iloc"):
        data = data.iloc[:, index] if data.ndim == 2 else data
    elif data.ndim == 2:
        data = data[:, index]
    return plan_column(data, dtype)
