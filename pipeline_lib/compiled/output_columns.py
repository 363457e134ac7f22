"""Output columns of a plan as users get them: in the shapes of the library, as tables, as Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Evaluation:
    """A plan's results for some rows: the output columns, and each step's columns by the step's name."""

    outputs: "pa.Table"
    steps: "dict[str, pa.Table]"


def output_nodes(plan: Plan, kind: str) -> dict[str, int]:
    """The nodes of a plan's outputs of one kind, by the outputs' names. Raises InputError where there are none."""
    nodes = {name: node for name, node in plan.outputs.items() if name.partition("[")[0] == kind}
    if not nodes:
        kinds = sorted({name.partition("[")[0] for name in plan.outputs})
        raise InputError(
            f"found a final estimator that gives no {kind}, expected one that does; it gives {', '.join(kinds)}"
        )
    return nodes


def derived_from(plan: Plan, row: Mapping[str, Any], nodes: Mapping[str, int]) -> dict[str, int]:
    """Those of some nodes, by name, that need only raw columns which a row has."""
    return {name: node for name, node in nodes.items() if row.keys() >= set(plan.columns_read([node]))}


def table(plan: Plan, nodes: Mapping[str, int], columns: Sequence[PlanColumn]) -> "pa.Table":
    """The columns of some nodes, by name, as an Arrow table."""
    from pipeline_lib.compiled.arrow import to_table

    dtypes = [plan.nodes[node].dtype for node in nodes.values()]
    return to_table(dict(zip(nodes, zip(columns, dtypes, strict=True), strict=True)))


def by_target(values: Sequence[Any], classes: tuple[Any, ...]) -> list[Sequence[Any]]:
    """The probabilities of each of several targets, whose labels are `classes`; empty where they are not so many."""
    counts = [len(labels) for labels in classes if isinstance(labels, tuple)]
    if sum(counts) != len(values):
        return []
    ends = np.cumsum(counts).tolist()
    return [values[end - count : end] for end, count in zip(ends, counts, strict=True)]


def as_array(column: PlanColumn) -> np.ndarray[Any, Any]:
    """An output column as an array, which the caller may change; texts are objects."""
    if isinstance(column, TextColumn):
        return np.array(column.tolist(), object)
    numbers = np.asarray(column)
    return numbers if numbers.flags.writeable else numbers.copy()


def python_value(value: Any, dtype: str) -> Any:
    """A value of one row as Python has it; missing is None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, SparseColumn):
        return dict(zip(value.indices.tolist(), value.values.tolist(), strict=True))
    return None if value != value or (dtype in ("datetime", "duration") and value == NAT) else value
