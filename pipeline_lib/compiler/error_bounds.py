"""How far a reference may be from a plan: every value with a bound, carried from operation to operation.

The reference (scikit-learn, feature-engine) rounds in another order. Where an operation's result does not depend on
order, the bound is 0 and bits must be equal. A sum allows some ULPs of the sum of its absolute terms, an
elementary function a few ULPs; later operations are evaluated at the ends of their inputs' bounds. Where a
comparison, a look-up or a tree changes its answer within the bound, the row lies on a boundary and its bound is
infinite.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.column_executor import column_function
from pipeline_lib.compiled.columns import PlanColumn, broadcast_rows
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.registry import Operation
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan

_DISCRETE = ("bool", "int64", "str", "datetime")


def with_error_bounds(
    plan: Plan, roots: Sequence[int], columns: Mapping[str, PlanColumn], rows: int
) -> list[tuple[PlanColumn, Any]]:
    """Each root's column and its bound: an array of its shape, or None where bits must be equal."""
    values: dict[int, PlanColumn] = {}
    bounds: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for place in plan.needed(roots):
            node = plan.nodes[place]
            bounds[place] = None
            if node.operation == "constant":
                values[place] = node.settings["value"]
            elif node.operation == "input":
                values[place] = columns[node.settings["column"]]
            else:
                found = OPERATIONS[node.operation]
                inputs = [values[taken] for taken in node.inputs]
                values[place] = column_function(node)(*inputs)
                given = [bounds[taken] for taken in node.inputs]
                bounds[place] = _error_bound(found, node.settings, inputs, given, values[place])
    return [(broadcast_rows(values[root], plan.nodes[root].dtype, rows), bounds[root]) for root in roots]


def _error_bound(found: Operation, settings: dict[str, Any], inputs: list[Any], bounds: list[Any], result: Any) -> Any:
    if isinstance(result, ListColumn) and not found.of_lists:  # each child row by itself
        flat = [given.values if isinstance(given, ListColumn) else result.spread(given) for given in inputs]
        flat_bounds = [
            bound if isinstance(given, ListColumn) else result.spread(bound)
            for given, bound in zip(inputs, bounds, strict=True)
        ]
        return _error_bound(found, settings, flat, flat_bounds, result.values)
    if found.error_bound is None and not found.rounding and all(bound is None for bound in bounds):
        return None
    if found.error_bound is not None:
        filled = [0.0 if bound is None else bound for bound in bounds]
        if found.name in ("affine", "item"):
            filled = [np.broadcast_to(bound, inputs[0].shape) for bound in filled]
        bound = found.error_bound(settings, inputs, filled, result)
        return None if not np.any(bound) else bound
    moved: Any = 0.0
    function = found.column(settings)
    if found.rounding:  # what is not finite is not rounded
        moved = np.where(np.isfinite(result), found.rounding * np.spacing(np.abs(result)), 0.0)
    for place, bound in enumerate(bounds):
        if bound is not None:
            moved = moved + _moved(function, inputs, place, bound, result)
    return np.where(np.isnan(moved), np.inf, moved) if np.any(moved) else None


def _moved(function: Any, inputs: list[Any], place: int, bound: Any, result: Any) -> Any:
    """How far a result moves when one of its inputs does, by its bound, up or down."""
    value = inputs[place]
    unsure = np.isinf(bound)
    unsure = unsure if np.ndim(unsure) < 2 else unsure.any(axis=0)
    most = np.where(unsure, np.inf, 0.0)
    if isinstance(value, TextColumn | str) or np.asarray(value).dtype != np.float64:
        return most  # a category or truth is sure, or it is not
    step = np.where(np.isinf(bound), 0.0, bound)
    for sign in (1.0, -1.0):
        ends = [*inputs[:place], value + sign * step, *inputs[place + 1 :]]
        most = np.maximum(most, distance(function(*ends), result))
    return most


def distance(found: Any, expected: Any) -> Any:
    """How far apart two columns are, row by row: 0 where equal or both missing, infinite where not comparable."""
    if isinstance(found, TextColumn) or isinstance(expected, TextColumn):
        left, right = found.tolist(), expected.tolist()
        return np.array([0.0 if a == b else np.inf for a, b in zip(left, right, strict=True)])
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype != np.float64 or expected.dtype != np.float64:
        return np.where(found == expected, 0.0, np.inf)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    apart = np.where(same, 0.0, np.abs(found - expected))
    return np.where(np.isnan(apart), np.inf, apart)
