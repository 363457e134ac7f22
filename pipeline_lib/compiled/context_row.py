"""One row with its context as one wide row: straight-line Python in which earlier values are columns of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pipeline_lib.compiled.plan import Node, Plan, Table
from pipeline_lib.compiled.row_executor import NotPlainError, row_function
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

MOST_NODES = 20_000
"""Lags of windows of lags multiply: beyond so many operations the column executor takes less time."""

WideFunction = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], tuple[Any, ...] | None]


def wide_function(plan: Plan, roots: Sequence[int], schema: RowSchema, declared: Table) -> WideFunction | None:
    """A function of a row and of as many earlier rows as the context has: the values of `roots`, bit for bit.

    It gives None for whatever is not plainly valid and in order, which the column executor then answers or refuses.
    None in its place where the plan would grow beyond `MOST_NODES`.
    """
    wanted = _moments(plan, roots)
    if sum(map(len, wanted.values())) > MOST_NODES:
        return None
    nodes, found = _unrolled(plan, wanted)
    backs = range(declared.context, -1, -1)
    # every value that production would check is read, the times first
    names = sorted(schema.names, key=lambda name: name != declared.time)
    inputs = [
        Node("input", (), {"table": "rows", "column": _at(name, back)}, "float64") for name in names for back in backs
    ]
    ends = [*(found[root, 0] for root in roots), *range(len(nodes), len(nodes) + len(inputs))]
    columns = tuple(replace(column, name=_at(column.name, back)) for column in schema.columns for back in backs)
    function = row_function(Plan([*nodes, *inputs], {}), ends, RowSchema(columns))
    times = slice(len(roots), len(roots) + len(backs)) if declared.time is not None else slice(0)

    def answer(row: Mapping[str, Any], context: Sequence[Mapping[str, Any]]) -> tuple[Any, ...] | None:
        try:
            values = function(_wide(row, context, names))
        except (NotPlainError, InputError):
            return None
        return values[: len(roots)] if _in_order(values[times], declared.every) else None

    return answer


def _moments(plan: Plan, roots: Sequence[int]) -> dict[int, set[int]]:
    """Of each node that `roots` rest upon, from how many rows before the row its values are wanted."""
    wanted: dict[int, set[int]] = {root: {0} for root in roots}
    for place in range(len(plan.nodes) - 1, -1, -1):
        node = plan.nodes[place]
        for taken in node.inputs if place in wanted else ():
            wanted.setdefault(taken, set()).update(_before(plan, taken, back + _shift(node)) for back in wanted[place])
    return wanted


def _unrolled(plan: Plan, wanted: Mapping[int, set[int]]) -> tuple[list[Node], dict[tuple[int, int], int]]:
    """Nodes that know no earlier rows, and where each node of the plan is found, for each number of rows before."""
    nodes: list[Node] = []
    found: dict[tuple[int, int], int] = {}
    for place in sorted(wanted):
        node = plan.nodes[place]
        for back in sorted(wanted[place]):
            taken = tuple(found[each, _before(plan, each, back + _shift(node))] for each in node.inputs)
            if node.operation == "earlier":
                found[place, back] = taken[0]
                continue
            settings = node.settings
            if node.operation == "input":
                settings = {**settings, "column": _at(settings["column"], back)}
            found[place, back] = len(nodes)
            nodes.append(Node(node.operation, taken, settings, node.dtype))
    return nodes, found


def _shift(node: Node) -> int:
    return int(node.settings["back"]) if node.operation == "earlier" else 0


def _before(plan: Plan, place: int, back: int) -> int:
    """How many rows before: a constant is the same in all."""
    return 0 if plan.nodes[place].operation == "constant" else back


def _at(name: str, back: int) -> str:
    return f"{name}\0{back}"


def _wide(row: Mapping[str, Any], context: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    wide = {}
    for back, values in enumerate((row, *reversed(context))):
        wide.update({_at(name, back): values[name] for name in names if name in values})
    return wide


def _in_order(times: Sequence[int], every: int | None) -> bool:
    steps = (after - before for before, after in pairwise(times))
    return all(step > 0 if every is None else step == every for step in steps)
