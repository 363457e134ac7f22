"""One row with its context as one wide row: straight-line Python in which each earlier value is a column of its own.

The plan is unrolled: every node is copied once for each lookback, the number of rows before the row, at which its
value is needed. A copy of `earlier` is a copy of its input at a larger lookback:

    plan                             unrolled
    sold                             sold@0, sold@1, sold@2
    lag1  = earlier(sold, 1)
    lag2  = earlier(sold, 2)
    total = sold + lag1 + lag2       total = sold@0 + sold@1 + sold@2

`sold@1` is a raw column of the wide row, read from the row before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pipeline_lib.compiled.plan import Node, Plan, RawTable
from pipeline_lib.compiled.row_executor import QuickCheckError, row_function
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

MOST_NODES = 20_000
"""The most operations of a row function. Nested lags and windows multiply them; above this number the column
executor is faster."""

ContextRowFunction = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], tuple[Any, ...] | None]


def context_row_function(
    plan: Plan, roots: Sequence[int], schema: RowSchema, declared: RawTable
) -> ContextRowFunction | None:
    """A function of a row and of as many earlier rows as the context has: the values of `roots`, bit for bit.

    It returns None for rows that do not pass the quick checks or are not in order of time: the column executor
    answers or refuses these. There is no function, but None, where the plan would grow beyond `MOST_NODES`.
    """
    lookbacks = _lookbacks(plan, roots)
    if sum(map(len, lookbacks.values())) > MOST_NODES:
        return None
    nodes, copies = _unrolled(plan, lookbacks)
    rows = range(declared.context, -1, -1)
    # every value that a batch would check is read, the times first
    names = sorted(schema.names, key=lambda name: name != declared.time)
    inputs = [
        Node("input", (), {"table": "rows", "column": _wide_name(name, lookback)}, "float64")
        for name in names
        for lookback in rows
    ]
    ends = [*(copies[root, 0] for root in roots), *range(len(nodes), len(nodes) + len(inputs))]
    columns = tuple(
        replace(column, name=_wide_name(column.name, lookback)) for column in schema.columns for lookback in rows
    )
    function = row_function(Plan([*nodes, *inputs], {}), ends, RowSchema(columns))
    times = slice(len(roots), len(roots) + len(rows)) if declared.time is not None else slice(0)

    def evaluate(row: Mapping[str, Any], context: Sequence[Mapping[str, Any]]) -> tuple[Any, ...] | None:
        try:
            values = function(_wide_row(row, context, names))
        except (QuickCheckError, InputError):
            return None
        return values[: len(roots)] if _in_order(values[times], declared.every) else None

    return evaluate


def _lookbacks(plan: Plan, roots: Sequence[int]) -> dict[int, set[int]]:
    """For each node that `roots` depend on, the lookbacks at which its values are needed."""
    lookbacks: dict[int, set[int]] = {root: {0} for root in roots}
    for number in range(len(plan.nodes) - 1, -1, -1):
        node = plan.nodes[number]
        for taken in node.inputs if number in lookbacks else ():
            lookbacks.setdefault(taken, set()).update(
                _lookback_of(plan, taken, lookback + _shift(node)) for lookback in lookbacks[number]
            )
    return lookbacks


def _unrolled(plan: Plan, lookbacks: Mapping[int, set[int]]) -> tuple[list[Node], dict[tuple[int, int], int]]:
    """Nodes without earlier rows, and the number of each copy by the node and its lookback."""
    nodes: list[Node] = []
    copies: dict[tuple[int, int], int] = {}
    for number in sorted(lookbacks):
        node = plan.nodes[number]
        for lookback in sorted(lookbacks[number]):
            inputs = tuple(copies[taken, _lookback_of(plan, taken, lookback + _shift(node))] for taken in node.inputs)
            if node.operation == "earlier":
                copies[number, lookback] = inputs[0]
                continue
            settings = node.settings
            if node.operation == "input":
                settings = {**settings, "column": _wide_name(settings["column"], lookback)}
            copies[number, lookback] = len(nodes)
            nodes.append(Node(node.operation, inputs, settings, node.dtype))
    return nodes, copies


def _shift(node: Node) -> int:
    return int(node.settings["back"]) if node.operation == "earlier" else 0


def _lookback_of(plan: Plan, number: int, lookback: int) -> int:
    """The lookback of a node's copy: a constant needs only one."""
    return 0 if plan.nodes[number].operation == "constant" else lookback


def _wide_name(name: str, lookback: int) -> str:
    return f"{name}\0{lookback}"


def _wide_row(row: Mapping[str, Any], context: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    wide = {}
    for lookback, values in enumerate((row, *reversed(context))):
        wide.update({_wide_name(name, lookback): values[name] for name in names if name in values})
    return wide


def _in_order(times: Sequence[int], every: int | None) -> bool:
    steps = (after - before for before, after in pairwise(times))
    return all(step > 0 if every is None else step == every for step in steps)
