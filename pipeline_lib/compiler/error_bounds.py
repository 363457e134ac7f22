"""Error bounds: how far a library's result may be from a plan's, carried from operation to operation.

scikit-learn and feature-engine add in another order than a plan does, call other elementary functions and so round
otherwise. A fixed tolerance would hide errors in some steps and refuse others. Instead every value carries a bound of
its own, in the value's unit:

    operation                            bound of the result
    copy, look-up, comparison            0: bits must be equal
    sum of terms                         some ULPs of the sum of the absolute terms
    elementary function                  some ULPs of the result
    function of inputs with bounds       how far the result moves at the ends of the inputs' bounds

The last line evaluates the operation three times; the larger of both movements is added to the result's own rounding:

    input     x - b       x       x + b
                |         |         |
    result   f(x - b)    f(x)    f(x + b)      bound = max(|f(x - b) - f(x)|, |f(x + b) - f(x)|) + rounding

Where a comparison, a look-up or a tree gives another answer within the bound of its input, the row lies on a boundary:
its bound is infinite, and any result is allowed. Operations for which ends are too coarse or too narrow bring an
`error_bound` of their own (`operations.registry`).
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
from pipeline_lib.compiled.plan import Node, Plan


def with_error_bounds(
    plan: Plan, roots: Sequence[int], columns: Mapping[str, PlanColumn], rows: int
) -> list[tuple[PlanColumn, Any]]:
    """The column of each root node and its bound: an array of its shape, or None where bits must be equal."""
    evaluation = BoundedEvaluation(plan.nodes, columns, rows)
    return [evaluation.column(root) for root in roots]


_COSTLY = ("trees", "linear_trees", "oblivious_trees")
_last: tuple[Any, list[Any], Any] | None = None


def _remembered(function: Any, inputs: list[Any]) -> Any:
    """The function of the inputs; the last result is kept, since each output of an estimator asks for the same trees.

    The function of equal trees is the same one (`trees_vectorized`), so it is compared by identity.
    """
    global _last
    known = _last
    if known is None or known[0] is not function or list(map(_bits, known[1])) != list(map(_bits, inputs)):
        known = _last = (function, inputs, function(*inputs))
    return known[2]


def _bits(column: Any) -> bytes:
    return np.asarray(column).tobytes()


class BoundedEvaluation:
    """Evaluates nodes, and their error bounds where they are asked for, each once; `nodes` may grow meanwhile."""

    def __init__(self, nodes: list[Node], columns: Mapping[str, PlanColumn], rows: int) -> None:
        self._plan = Plan(nodes, {})
        self._columns = columns
        self._rows = rows
        self._values: dict[int, PlanColumn] = {}
        self._bounds: dict[int, Any] = {}

    def column(self, root: int) -> tuple[PlanColumn, Any]:
        """The column of a node, and its bound: an array of its shape, or None where bits must be equal."""
        return self.values(root), self.bound(root)

    def values(self, root: int) -> PlanColumn:
        """The column of a node."""
        if root not in self._values:
            with np.errstate(all="ignore"):
                for index in self._needed(root, self._values):
                    self._evaluate(index)
        return broadcast_rows(self._values[root], self._plan.nodes[root].dtype, self._rows)

    def bound(self, root: int) -> Any:
        """The bound of a node: an array of its column's shape, or None where bits must be equal."""
        if root not in self._bounds:
            self.values(root)
            with np.errstate(all="ignore"):
                for index in self._needed(root, self._bounds):
                    self._bounds[index] = self._error_bound(index)
        return self._bounds[root]

    def _needed(self, root: int, known: Mapping[int, Any]) -> list[int]:
        """A node and those it depends on that are not known yet, in order."""
        found, waiting = set[int](), [root]
        while waiting:
            index = waiting.pop()
            if index not in found and index not in known:
                found.add(index)
                waiting += self._plan.nodes[index].inputs
        return sorted(found)

    def _evaluate(self, index: int) -> None:
        node = self._plan.nodes[index]
        if node.operation == "constant":
            value = node.settings["value"]
        elif node.operation == "input":
            value = self._columns[node.settings["column"]]
        elif node.operation in _COSTLY:
            value = _remembered(column_function(node), [self._values[number] for number in node.inputs])
        else:
            value = column_function(node)(*(self._values[number] for number in node.inputs))
        self._values[index] = value

    def _error_bound(self, index: int) -> Any:
        node = self._plan.nodes[index]
        if node.operation in ("constant", "input"):
            return None
        inputs = [self._values[number] for number in node.inputs]
        bounds = [self._bounds[number] for number in node.inputs]
        return error_bound_of(OPERATIONS[node.operation], node.settings, inputs, bounds, self._values[index])


def error_bound_of(
    operation: Operation, settings: dict[str, Any], inputs: list[Any], bounds: list[Any], result: Any
) -> Any:
    """The bound of an operation's result whose inputs have bounds; None where bits must be equal."""
    if isinstance(result, ListColumn) and not operation.of_lists:  # evaluated for each child row
        lists = [isinstance(value, ListColumn) for value in inputs]
        flat = [value.values if of_list else result.spread(value) for value, of_list in zip(inputs, lists, strict=True)]
        flat_bounds = [bound if of_list else result.spread(bound) for bound, of_list in zip(bounds, lists, strict=True)]
        return error_bound_of(operation, settings, flat, flat_bounds, result.values)
    if operation.error_bound is None and not operation.rounding and all(bound is None for bound in bounds):
        return None
    if operation.error_bound is not None:
        bounds = [0.0 if bound is None else bound for bound in bounds]
        if operation.name in ("affine", "item"):
            bounds = [np.broadcast_to(bound, inputs[0].shape) for bound in bounds]
        own = operation.error_bound(settings, inputs, bounds, result)
        return None if not np.any(own) else own
    total: Any = 0.0
    function = operation.column(settings)
    if operation.rounding:  # NaN and infinity are not rounded
        total = np.where(np.isfinite(result), operation.rounding * np.spacing(np.abs(result)), 0.0)
    for index, bound in enumerate(bounds):
        if bound is not None:
            total = total + _movement(function, inputs, index, bound, result)
    if operation.name == "divide" and bounds[1] is not None:  # a divisor that may be 0 or of either sign
        total = np.where(np.abs(inputs[1]) <= bounds[1], np.inf, total)
    if operation.name == "multiply" and bounds[0] is not None and bounds[1] is not None:  # both move at once
        total = total + np.where((bounds[0] > 0) & (bounds[1] > 0), bounds[0] * bounds[1], 0.0)
    return np.where(np.isnan(total), np.inf, total) if np.any(total) else None


def _movement(function: Any, inputs: list[Any], index: int, bound: Any, result: Any) -> Any:
    """How far a result moves when one input moves by its bound, up or down."""
    value = inputs[index]
    unsure = np.isinf(bound)
    unsure = unsure if np.ndim(unsure) < 2 else unsure.any(axis=0)
    largest = np.where(unsure, np.inf, 0.0)
    if isinstance(value, TextColumn | str) or np.asarray(value).dtype != np.float64:
        return largest  # text, integers and truths do not move: their bound is 0 or infinite
    step = np.where(np.isinf(bound), 0.0, bound)
    for sign in (1.0, -1.0):
        ends = [*inputs[:index], value + sign * step, *inputs[index + 1 :]]
        largest = np.maximum(largest, distance(function(*ends), result))
    return largest


def distance(left: Any, right: Any) -> Any:
    """The distance of two columns, row by row: 0 where equal or both missing, infinite where not comparable."""
    if isinstance(left, TextColumn) or isinstance(right, TextColumn):
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([0.0 if a == b else np.inf for a, b in pairs])
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype != np.float64 or right.dtype != np.float64:
        return np.where(left == right, 0.0, np.inf)
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    apart = np.where(same, 0.0, np.abs(left - right))
    return np.where(np.isnan(apart), np.inf, apart)
