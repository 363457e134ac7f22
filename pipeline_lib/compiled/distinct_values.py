"""Evaluation once per distinct value, not once per row: a pass that runs before the column executor's blocks.

Rows are independent, so a node that depends on one text column alone has the same bits in all rows with the same
word. It is evaluated for the column of words and taken from there for each row, by the row's code:

    words             lookup(words)                 codes of the rows          lookup of the rows
    0  "JFK"    ->    0.61              take by     0, 1, 0, 0, 1, ...   ->    0.61, 0.24, 0.61, 0.61, 0.24, ...
    1  "EWR"          0.24

Nodes are grouped by what they depend on, constants aside:

    text "origin" ------- lookup ------+                          source group of "origin": lookup
                                       +-- + -- (row by row)
    number "seats" --------------------+
    datetime "hour" ----- calendar ----+
                          (few values) +-- - -- sin               combination group of (calendar, lookup): -, sin
    text "origin" ------- lookup ------+

- A source group depends on one raw text column, or on one table that is looked up: its nodes are evaluated once for
  each word, or each row of that table.
- A combination group depends on several nodes of few values (parts of datetimes, missing flags, text columns): in
  tables of a block or more its nodes are evaluated once for each combination of these values that occurs. This pays
  only where the group holds an elementary function.

What is refused for a distinct value is no refusal: no row may have that value. The group is then left to the blocks,
which evaluate row by row and name the row.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.column_executor import BLOCK_ROWS, ColumnExecutor, Known
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn, SharedListColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS
from pipeline_lib.errors import InputError

_NOT_ROW_BY_ROW = ("earlier", "opaque", "opaque_part")  # other rows, or a library's block, may change their bits
_FEW_VALUES = ("calendar", "is_missing")  # operations whose results are few whatever they take
_MOST_LEAVES = 4  # nodes of few values that a combination group depends on
_MOST_VALUES = 4096  # from a leaf's smallest to its largest
_MOST_COMBINATIONS = 1 << 20  # a table of one bool for each: 1 MiB

Source = tuple[str, str]  # ("text", column) or ("table", name)


def make_executor(
    plan: Plan, roots: Sequence[int], *, distinct_values: bool = True, narrow: bool = False
) -> ColumnExecutor:
    """The executor of a plan's `roots`; without `distinct_values` every row is evaluated, with the same bits."""
    precompute = DistinctValues(plan, roots).evaluate if distinct_values else None
    return ColumnExecutor(plan, roots, precompute=precompute, narrow=narrow)


@dataclass(frozen=True)
class SourceGroup:
    """The raw columns of one source, and the executor of the nodes that depend on it alone and that others take."""

    columns: tuple[str, ...]
    executor: ColumnExecutor


@dataclass(frozen=True)
class CombinationGroup:
    """Nodes of few values, and the executor of the nodes that depend on all of them alone and that others take."""

    leaves: tuple[int, ...]
    executor: ColumnExecutor


class DistinctValues:
    """The pass for the nodes that `roots` depend on."""

    def __init__(self, plan: Plan, roots: Sequence[int]) -> None:
        needed = plan.needed(roots)
        self._sources = _source_groups(plan, needed, roots)
        # with a context, rows come in groups that begin with earlier ones, which have no result
        self._combinations = [] if plan.context else _combination_groups(plan, needed, roots)
        leaves = sorted({leaf for group in self._combinations for leaf in group.leaves})
        self._leaves = make_executor(plan, leaves, narrow=True) if leaves else None

    def evaluate(self, columns: Mapping[str, PlanColumn], rows: int, first: int) -> Known:
        """The nodes of all groups that are worth it, for `rows` rows of raw columns, numbered from `first`."""
        return self._by_source(columns) | self._by_combination(columns, rows, first)

    def _by_source(self, columns: Mapping[str, PlanColumn]) -> Known:
        known: Known = {}
        for group in self._sources:
            distinct = distinct_rows({name: columns[name] for name in group.columns})
            if distinct is None:
                continue
            values, count, codes = distinct
            try:
                results = group.executor.run(values, count)
            except InputError:  # a word or looked-up row is refused: the blocks refuse it if a row has it
                continue
            known |= {node: (column, codes) for node, column in zip(group.executor.roots, results, strict=True)}
        return known

    def _by_combination(self, columns: Mapping[str, PlanColumn], rows: int, first: int) -> Known:
        if self._leaves is None or rows < BLOCK_ROWS:
            return {}
        known: Known = {}
        try:
            leaves = dict(zip(self._leaves.roots, self._leaves.run(columns, rows, first), strict=True))
            for group in self._combinations:
                combined = combinations([leaves[leaf] for leaf in group.leaves], rows)
                if combined is None:
                    continue
                values, codes = combined
                named = dict(zip(map(str, group.leaves), values, strict=True))
                results = group.executor.run(named, len(values[0]))
                known |= {node: (column, codes) for node, column in zip(group.executor.roots, results, strict=True)}
        except InputError:  # the blocks refuse the row
            return {}
        return known


def distinct_rows(columns: Mapping[str, PlanColumn]) -> tuple[dict[str, PlanColumn], int, NDArray[Any]] | None:
    """A source's columns with each word or looked-up row once, how many these are, and for each row which it has.

    None where that saves nothing: fewer than two rows for each, or lists that rows do not share.
    """
    column = next(iter(columns.values()))
    if isinstance(column, ListColumn):
        return None
    if isinstance(column, SharedListColumn):
        if 2 * len(column.lists) > len(column):
            return None
        return {name: each.lists for name, each in columns.items()}, len(column.lists), column.codes
    if 2 * len(column.words) > len(column):
        return None
    missing = column.codes < 0
    any_missing = bool(missing.any())
    count = len(column.words) - (not any_missing)  # the last word is None, for missing
    words = TextColumn(np.arange(count, dtype=np.int32), column.words)
    codes = np.where(missing, count - 1, column.codes) if any_missing else column.codes
    return dict.fromkeys(columns, words), count, codes


def _source_groups(plan: Plan, needed: Sequence[int], roots: Sequence[int]) -> list[SourceGroup]:
    sources: dict[int, set[Source | None]] = {}  # of each node, constants aside; None is any other dependency
    for number in needed:
        node = plan.nodes[number]
        if node.operation == "input":
            sources[number] = {_source(node)}
        elif node.operation in _NOT_ROW_BY_ROW:
            sources[number] = {None}
        else:
            sources[number] = set().union(*(sources[taken] for taken in node.inputs))
    groups = []
    for source in sorted({one for each in sources.values() for one in each if one is not None}):
        inside = {number for number, each in sources.items() if each == {source}}
        inputs = {number for number in inside if plan.nodes[number].operation == "input"}
        ends = sorted(
            number
            for number in inside & _taken_outside(plan, needed, roots, inside) - inputs
            if not plan.nodes[number].dtype.endswith(LIST)
        )
        if ends:
            columns = tuple(plan.nodes[number].settings["column"] for number in sorted(inputs))
            groups.append(SourceGroup(columns, ColumnExecutor(Plan(plan.nodes, {}), ends)))
    return groups


def _source(node: Node) -> Source | None:
    """The text column or the child table of an input."""
    if node.dtype.endswith(LIST):
        return "table", node.settings["table"]
    return ("text", node.settings["column"]) if node.dtype == "str" else None


def _taken_outside(plan: Plan, needed: Sequence[int], roots: Sequence[int], inside: set[int]) -> set[int]:
    """The nodes that `roots` or nodes outside a group take."""
    return {taken for number in needed if number not in inside for taken in plan.nodes[number].inputs} | set(roots)


def _combination_groups(plan: Plan, needed: Sequence[int], roots: Sequence[int]) -> list[CombinationGroup]:
    leaves: dict[int, frozenset[int] | None] = {}
    for number in needed:
        leaves[number] = _leaves_of(number, plan.nodes[number], leaves)
    members: dict[tuple[int, ...], set[int]] = {}
    for number, each in leaves.items():
        if each:
            members.setdefault(tuple(sorted(each)), set()).add(number)
    groups = []
    for chosen, alike in sorted(members.items()):
        inside = alike - set(chosen)
        one_text = len(chosen) == 1 and plan.nodes[chosen[0]].operation == "input"  # that is a source group
        if one_text or not any(plan.nodes[number].operation in FUNCTIONS for number in inside):
            continue
        nodes = list(plan.nodes)
        for leaf in chosen:
            nodes[leaf] = Node("input", (), {"column": str(leaf)}, nodes[leaf].dtype)
        ends = sorted(inside & _taken_outside(plan, needed, roots, inside))
        groups.append(CombinationGroup(chosen, ColumnExecutor(Plan(nodes, {}), ends)))
    return groups


def _leaves_of(number: int, node: Node, leaves: Mapping[int, frozenset[int] | None]) -> frozenset[int] | None:
    """The nodes of few values that a node depends on, constants aside; None where it depends on others, too."""
    if node.operation == "constant":
        return frozenset()
    if node.operation == "input":
        return frozenset({number}) if node.dtype == "str" else None
    if node.operation in _NOT_ROW_BY_ROW or node.dtype not in ("float64", "int64", "bool"):
        return None
    below = [leaves[taken] for taken in node.inputs]
    if None in below:
        return frozenset({number}) if node.operation in _FEW_VALUES else None
    union = frozenset().union(*(each for each in below if each))
    return union if len(union) <= _MOST_LEAVES else None


def combinations(columns: Sequence[PlanColumn], rows: int) -> tuple[list[PlanColumn], NDArray[np.int32]] | None:
    """The combinations of text, integer or bool columns that occur, as columns, and for each row which it has.

    Each combination is a number in a mixed radix, of the columns' values above their smallest. None where that saves
    nothing: a column's values are too far apart, or there are fewer than four rows for each combination.
    """
    numbers = [column.codes if isinstance(column, TextColumn) else column for column in columns]
    lows = [int(column.min()) for column in numbers]
    sizes = [int(column.max()) - low + 1 for column, low in zip(numbers, lows, strict=True)]
    if max(sizes) > _MOST_VALUES or math.prod(sizes) > _MOST_COMBINATIONS:
        return None
    combined, occurs = np.empty(rows, dtype=np.int32), np.zeros(math.prod(sizes), dtype=np.bool_)
    blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, rows, BLOCK_ROWS)]
    for block in blocks:
        together = numbers[0][block].astype(np.intp) - lows[0]
        for column, low, size in zip(numbers[1:], lows[1:], sizes[1:], strict=True):
            together *= size
            together += column[block].astype(np.intp) - low
        occurs[together] = True
        combined[block] = together
    used = np.flatnonzero(occurs)
    if 4 * len(used) > rows:
        return None
    codes = np.zeros(used[-1] + 1, dtype=np.int32)
    codes[used] = np.arange(len(used))
    for block in blocks:
        combined[block] = codes[combined[block]]
    parts = zip(columns, np.unravel_index(used, tuple(sizes)), lows, strict=True)
    return [_of_kind(column, part + low) for column, part, low in parts], combined


def _of_kind(column: PlanColumn, integers: NDArray[Any]) -> PlanColumn:
    """Integers as values of a column's kind."""
    if isinstance(column, TextColumn):
        return TextColumn(integers.astype(np.int32), column.words)
    return integers.astype(np.bool_ if column.dtype == np.bool_ else np.int64)
