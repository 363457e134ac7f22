"""The column executor: a plan over whole tables, in blocks of rows whose columns stay in the processor's cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import KINDS, PlanColumn, broadcast_rows, concat_rows, slice_rows, take_rows
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn, over_lists
from pipeline_lib.compiled.operations.refusals import RefusedRowError, RefusedRowsError
from pipeline_lib.compiled.plan import Node, Plan

BLOCK_ROWS = 8192
"""64 KiB a float64 column. Of the powers of two from 1,024 on, 8,192 is fastest on benchmarks/pipelines.py and 7 %
from the fastest on benchmarks/flights.py; 2,048 and 65,536 take 1.2 to 1.4 times as long."""
BLOCK_CHILDREN = 131_072
"""1 MiB a list column of float64. Half as many take 4 % longer on benchmarks/customers.py, all at once 4 % less."""

Known = dict[int, tuple[PlanColumn, NDArray[Any]]]
"""Nodes by number: a column of distinct values, and for each row the index of its value."""
Precompute = Callable[[Mapping[str, PlanColumn], int, int], Known]


class _Call(NamedTuple):
    """One evaluation: the node, its function, the nodes it takes, and those that no later call takes.

    It is evaluated for `earlier` rows before those of the block, and `gives` as many of its own.
    """

    node: int
    function: Callable[..., Any]
    inputs: tuple[int, ...]
    released: tuple[int, ...]
    earlier: int
    gives: int


@dataclass(frozen=True)
class _Work:
    """What the blocks of one run evaluate: columns and known nodes to begin with, and the calls that are left."""

    columns: dict[int, PlanColumn]
    known: Known
    calls: list[_Call]


class ColumnExecutor:
    """Evaluates the nodes that `roots` depend on, block by block.

    `precompute(columns, rows, first)` gives nodes that need not be evaluated for each row, see `distinct_values`.
    With `narrow` integers come out in as little memory as they need.
    """

    def __init__(
        self, plan: Plan, roots: Sequence[int], *, precompute: Precompute | None = None, narrow: bool = False
    ) -> None:
        self.roots = list(roots)
        self._dtypes = [plan.nodes[root].dtype for root in self.roots]
        self._context = plan.context
        self._precompute = precompute
        self._narrow = narrow
        self._constants: list[Any] = [None] * len(plan.nodes)  # by node; None for what each block fills in
        self._inputs: dict[int, str] = {}
        self._calls: list[_Call] = []
        needed = plan.needed(roots)
        reach = earlier_rows(plan, self.roots)
        last_use = {taken: number for number in needed for taken in plan.nodes[number].inputs}
        for number in needed:
            node = plan.nodes[number]
            if node.operation == "constant":
                self._constants[number] = node.settings["value"]
            elif node.operation == "input":
                self._inputs[number] = node.settings["column"]
            else:
                released = tuple(
                    taken
                    for taken in set(node.inputs)
                    if last_use[taken] == number
                    and taken not in self.roots
                    and plan.nodes[taken].operation != "constant"
                )
                gives = reach[number]
                taken_from = gives + lookback_of(node)
                self._calls.append(_Call(number, column_function(node), node.inputs, released, taken_from, gives))

    def replace_functions(self, function_of: Callable[[int, Callable[..., Any]], Callable[..., Any]]) -> None:
        """Evaluate nodes by functions with the same bits: by the one of `function_of(node, its function)`."""
        self._calls = [call._replace(function=function_of(call.node, call.function)) for call in self._calls]

    def run(self, columns: Mapping[str, PlanColumn], rows: int, first: int = 0) -> list[PlanColumn]:
        """The roots' columns, of `rows` rows each, in order of `roots`.

        Where the plan has a context, `columns` hold as many rows more, before the `rows`: they get no result.
        `first` is the number of the first row in messages. Raises InputError for a row that an operation refuses.
        """
        size = self._block_rows(columns, rows)
        starts = range(0, rows, size) or [0]
        with np.errstate(all="ignore"):
            work = self._work(columns, self._precompute(columns, rows, first) if self._precompute else {})
            blocks = [self._block(work, start, min(start + size, rows), first) for start in starts]
        return [concat_rows(parts) for parts in zip(*blocks, strict=True)]

    def _block_rows(self, columns: Mapping[str, PlanColumn], rows: int) -> int:
        """How many main rows go into a block, so that their child rows stay in the cache too."""
        lists = [columns[name] for name in self._inputs.values() if isinstance(columns[name], ListColumn)]
        most = max((len(column.values) for column in lists), default=0)
        return max(1, min(BLOCK_ROWS, BLOCK_CHILDREN * rows // most)) if most > BLOCK_CHILDREN else BLOCK_ROWS

    def _work(self, columns: Mapping[str, PlanColumn], known: Known) -> _Work:
        """The calls that known nodes leave, and the columns and known nodes that these and the roots take."""
        if not known:
            return _Work({number: columns[name] for number, name in self._inputs.items()}, known, self._calls)
        wanted = set(self.roots)
        for call in reversed(self._calls):
            if call.node in wanted and call.node not in known:
                wanted.update(call.inputs)
        return _Work(
            {number: columns[name] for number, name in self._inputs.items() if number in wanted},
            {number: value for number, value in known.items() if number in wanted},
            [call for call in self._calls if call.node in wanted and call.node not in known],
        )

    def _block(self, work: _Work, start: int, stop: int, first: int) -> list[PlanColumn]:
        """The roots' columns for the rows from `start` to `stop`; the context's rows go before them.

        Of the context each node is evaluated for the rows that its result is needed in: an operation that refuses a
        missing lag does not see the first rows, which have none.
        """
        context, rows, earlier = self._context, stop - start, self._context
        end = stop + context
        slots = list(self._constants)
        for number, column in work.columns.items():
            slots[number] = slice_rows(column, start, end)
        # known nodes share their codes: each array of codes is converted once a block
        indices = {id(codes): codes[start:end].astype(np.intp) for _, codes in work.known.values()}
        for number, (values, codes) in work.known.items():
            slots[number] = take_rows(values, indices[id(codes)])
        try:
            for number, function, inputs, released, earlier, gives in work.calls:
                if context:
                    part = function(*[last_rows(slots[taken], rows + earlier) for taken in inputs])
                    slots[number] = last_rows(part, rows + gives)
                else:
                    slots[number] = function(*[slots[taken] for taken in inputs])
                for taken in released:
                    slots[taken] = None
        except RefusedRowsError as refused:
            raise RefusedRowError(first + start + refused.row - earlier, str(refused)) from None
        results = [
            broadcast_rows(last_rows(slots[root], rows) if context else slots[root], dtype, rows)
            for root, dtype in zip(self.roots, self._dtypes, strict=True)
        ]
        return list(map(_narrow, results)) if self._narrow else results


def earlier_rows(plan: Plan, roots: Sequence[int]) -> dict[int, int]:
    """For each node that `roots` depend on, in how many rows before a row its value is needed."""
    reach = dict.fromkeys(roots, 0)
    for number in reversed(plan.needed(roots)):
        node = plan.nodes[number]
        for taken in node.inputs:
            reach[taken] = max(reach.get(taken, 0), reach[number] + lookback_of(node))
    return reach


def lookback_of(node: Node) -> int:
    """How many rows before its own an operation reads."""
    return int(node.settings["back"]) if node.operation == "earlier" else 0


def last_rows(column: PlanColumn, rows: int) -> PlanColumn:
    """The last rows of a column that has as many, or more; a constant, which has one row or none, as it is."""
    if isinstance(column, np.ndarray):
        return column[..., column.shape[-1] - rows :] if column.ndim and column.shape[-1] > rows else column
    return column.slice(len(column) - rows, len(column)) if isinstance(column, KINDS) and len(column) > rows else column


def column_function(node: Node) -> Callable[..., Any]:
    """The function that evaluates a node over columns; over the values of lists where it is of single child rows."""
    operation = OPERATIONS[node.operation]
    function = operation.column(node.settings)
    return over_lists(function) if node.dtype.endswith(LIST) and not operation.of_lists else function


def _narrow(column: PlanColumn) -> PlanColumn:
    """An integer column in the smallest signed dtype that holds it; other columns as they are."""
    if not isinstance(column, np.ndarray) or column.dtype != np.int64 or not column.size:
        return column
    return column.astype(np.min_scalar_type(min(column.min(), ~column.max())))  # ~max is negative: a signed dtype
