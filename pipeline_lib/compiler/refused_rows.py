"""Which rows a plan refuses: all of them, where evaluating it names only the first."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.column_executor import column_function
from pipeline_lib.compiled.columns import KINDS, PlanColumn, take_rows
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.plan import Node, Plan


def answered_rows(plan: Plan, columns: Mapping[str, PlanColumn], rows: int) -> NDArray[np.intp]:
    """The rows that no operation of a plan refuses: a refused row is left out from where it is refused."""
    left = np.arange(rows)
    values: dict[int, tuple[PlanColumn, NDArray[np.intp]]] = {}  # each with the rows that were left then
    with np.errstate(all="ignore"):
        for index in plan.needed([number for number, node in enumerate(plan.nodes) if _may_refuse(node)]):
            while index not in values:
                try:
                    values[index] = (_value(plan.nodes[index], values, columns, left, rows), left)
                except RefusedRowsError as refused:
                    left = np.delete(left, refused.row)
    return left


def _may_refuse(node: Node) -> bool:
    """Whether an operation can refuse a row: those have a setting `where`, and look-ups a mode."""
    return "where" in node.settings and node.settings.get("mode", "refuse") == "refuse"


def _value(
    node: Node,
    values: Mapping[int, tuple[PlanColumn, NDArray[np.intp]]],
    columns: Mapping[str, PlanColumn],
    left: NDArray[np.intp],
    rows: int,
) -> PlanColumn:
    """A node's column in the rows that are left of `rows`. Raises RefusedRowsError."""
    if node.operation == "constant":
        return node.settings["value"]
    if node.operation == "input":
        column = columns[node.settings["column"]]
        return column if len(left) == rows else take_rows(column, left)
    return column_function(node)(*(_rows_of(*values[number], left) for number in node.inputs))


def _rows_of(value: PlanColumn, before: NDArray[np.intp], left: NDArray[np.intp]) -> PlanColumn:
    """The rows of a column that are left of those before; what depends on constants alone is left as it is."""
    if len(before) == len(left):
        return value
    rows, kept = len(before), np.searchsorted(before, left)
    if isinstance(value, np.ndarray):
        return take_rows(value, kept) if value.ndim and value.shape[-1] == rows else value
    return take_rows(value, kept) if isinstance(value, KINDS) and len(value) == rows else value
