"""The column executor: a plan over whole tables, in blocks that stay in the processor's cache."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn, SharedListColumn, over_lists
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS
from pipeline_lib.errors import InputError

BLOCK_ROWS = 8192
BLOCK_CHILDREN = 131_072
Column = Any  # a NumPy array, TextColumn, SparseColumn, ListColumn or SharedListColumn, see `operations.table`
Known = dict[int, tuple[Column, Any]]  # nodes by place: a column of different values, and which of them each row has


class ColumnExecutor:
    """Evaluates the nodes that some results of a plan rest upon, block by block.

    What rests upon one text column alone is evaluated once for each distinct word, what rests upon one looked-up
    table alone once for each row of that table, and, in tables of a block or more, what costs much and rests upon
    parts of moments, missing flags or several text columns once for each of their combinations, not once a row: rows
    are independent, so the bits are the same. Without `by_value` all is evaluated row by row, and there is no context.
    With `narrow` integers come out in as little memory as they need.
    """

    def __init__(self, plan: Plan, roots: Sequence[int], *, by_value: bool = True, narrow: bool = False) -> None:
        self.roots = list(roots)
        self._narrow = narrow
        self._context = plan.context if by_value else 0
        self.dtypes = [plan.nodes[root].dtype for root in self.roots]
        needed = plan.needed(roots)
        self._slots: list[Any] = [None] * len(plan.nodes)
        self._inputs: list[tuple[int, str]] = []
        self._work: list[tuple[int, Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = []
        last = {taken: place for place in needed for taken in plan.nodes[place].inputs}
        for place in needed:
            node = plan.nodes[place]
            if node.operation == "constant":
                self._slots[place] = node.settings["value"]
            elif node.operation == "input":
                self._inputs.append((place, node.settings["column"]))
            else:
                done = tuple(
                    taken
                    for taken in set(node.inputs)
                    if last[taken] == place and taken not in self.roots and plan.nodes[taken].operation != "constant"
                )
                self._work.append((place, column_function(node), node.inputs, done))
        self._sources = _source_groups(plan, needed, self.roots) if by_value else []
        self._values = _value_groups(plan, needed, self.roots) if by_value and not self._context else []
        leaves = {leaf for group in self._values for leaf in group.leaves}
        self._leaves = ColumnExecutor(plan, sorted(leaves), narrow=True) if leaves else None

    def run(self, columns: Mapping[str, Column], rows: int, first: int = 0) -> list[Column]:
        """The roots' columns for `rows` rows of raw columns, in order of `roots`.

        Where the plan has a context, as many rows stand before them in `columns`, and have no result. `first` is the
        number of the first row, for messages.
        """
        size = self._block_rows(columns, rows)
        starts = range(0, rows, size) or [0]
        with np.errstate(all="ignore"):
            known, raw, work = self._needed(self._by_source(columns) | self._by_value(columns, rows, first))
            given = {place: columns[name] for place, name in raw}
            blocks = [self._block(given, known, work, start, min(start + size, rows), first) for start in starts]
        return [joined(parts) for parts in zip(*blocks, strict=True)]

    def _block_rows(self, columns: Mapping[str, Column], rows: int) -> int:
        """How many main rows go into a block, so that their child rows stay in the cache too."""
        most = max(
            (len(columns[name].values) for _, name in self._inputs if isinstance(columns[name], ListColumn)), default=0
        )
        return max(1, min(BLOCK_ROWS, BLOCK_CHILDREN * rows // most)) if most > BLOCK_CHILDREN else BLOCK_ROWS

    def _needed(self, known: Known) -> tuple[Known, list[tuple[int, str]], list[Any]]:
        """Of the known nodes and of the raw columns those that somebody takes, and the work that is left."""
        if not known:
            return known, self._inputs, self._work
        wanted = set(self.roots)
        for place, _, inputs, _ in reversed(self._work):
            if place in wanted and place not in known:
                wanted.update(inputs)
        work = [step for step in self._work if step[0] in wanted and step[0] not in known]
        raw = [(place, column) for place, column in self._inputs if place in wanted]
        return {place: value for place, value in known.items() if place in wanted}, raw, work

    def _by_source(self, columns: Mapping[str, Column]) -> Known:
        """Nodes that are known for each word of their column or row of their table, with the rows' words or rows."""
        known: Known = {}
        for group in self._sources:
            distinct = _distinct({name: columns[name] for name in group.columns})
            if distinct is None:
                continue
            given, count, codes = distinct
            try:
                values = group.executor.run(given, count)
            except InputError:  # some word is refused, which need not be in any row: the rows will tell
                continue
            known |= {node: (value, codes) for node, value in zip(group.executor.roots, values, strict=True)}
        return known

    def _by_value(self, columns: Mapping[str, Column], rows: int, first: int) -> Known:
        """Nodes that are known for each combination of their leaves' values, with the rows' combinations."""
        if self._leaves is None or rows < BLOCK_ROWS:
            return {}
        known: Known = {}
        try:
            given = dict(zip(self._leaves.roots, self._leaves.run(columns, rows, first), strict=True))
            for group in self._values:
                combined = combinations([given[leaf] for leaf in group.leaves], rows)
                if combined is None:
                    continue
                distinct, places = combined
                named = dict(zip(map(str, group.leaves), distinct, strict=True))
                values = group.executor.run(named, len(distinct[0]))
                known |= {node: (value, places) for node, value in zip(group.executor.roots, values, strict=True)}
        except InputError:  # the rows will tell which
            return {}
        return known

    def _block(
        self,
        given: Mapping[int, Column],
        known: Known,
        work: Sequence[Any],
        start: int,
        stop: int,
        first: int,
    ) -> list[Column]:
        before = self._context
        slots = list(self._slots)
        for place, column in given.items():
            slots[place] = cut(column, start, stop + before)
        codes_by_id = {id(codes): codes[start : stop + before].astype(np.intp) for _, codes in known.values()}
        for place, (value, codes) in known.items():
            slots[place] = taken_rows(value, codes_by_id[id(codes)])
        try:
            for place, function, inputs, done in work:
                slots[place] = function(*[slots[taken] for taken in inputs])
                for taken in done:
                    slots[taken] = None
        except RefusedRowsError as refused:
            row = first + start + refused.row - before
            raise InputError(f"{f'row {row}' if row >= 0 else f'earlier row {row}'}: {refused}") from None
        found = zip(self.roots, self.dtypes, strict=True)
        columns_found = [whole(slots[root], dtype, stop - start + before) for root, dtype in found]
        if self._narrow:
            columns_found = list(map(_narrow, columns_found))
        return [cut(column, before, stop - start + before) for column in columns_found] if before else columns_found


def column_function(node: Node) -> Callable[..., Any]:
    """What evaluates a node over columns."""
    function = OPERATIONS[node.operation].column(node.settings)
    return over_lists(function) if node.dtype.endswith(LIST) and not OPERATIONS[node.operation].of_lists else function


def cut(column: Column, start: int, stop: int) -> Column:
    """Some rows of a column."""
    if isinstance(column, TextColumn):
        return TextColumn(column.codes[start:stop], column.words)
    if isinstance(column, SparseColumn | ListColumn | SharedListColumn):
        return column.cut(start, stop)
    return column[..., start:stop]


def taken_rows(column: Column, places: Any) -> Column:
    """The rows at some places, in that order; these are from 0 to the last row's, so NumPy need not check them."""
    if isinstance(column, TextColumn):
        return TextColumn(column.codes[places], column.words)
    return column.take(places) if isinstance(column, SparseColumn) else column.take(places, axis=-1, mode="clip")


@dataclass(frozen=True)
class SourceGroup:
    """One raw text column, or the columns of one child table, and what evaluates the nodes that rest upon them and
    constants alone and that others take."""

    columns: tuple[str, ...]
    executor: ColumnExecutor


def _distinct(columns: dict[str, Column]) -> tuple[dict[str, Column], int, Any] | None:
    """The columns with each word, or row that is looked up, once, how many these are, and which of them each row has.

    None where rows are seldom alike.
    """
    column = next(iter(columns.values()))
    if isinstance(column, ListColumn):  # of rows of their own
        return None
    shared = isinstance(column, SharedListColumn)
    if 2 * len(column.lists if shared else column.words) > len(column):
        return None
    if shared:
        return {name: each.lists for name, each in columns.items()}, len(column.lists), column.codes
    missing = column.codes < 0
    some = bool(missing.any())
    count = len(column.words) - (not some)  # the last word is for missing
    distinct = TextColumn(np.arange(count, dtype=np.int32), column.words)
    codes = np.where(missing, count - 1, column.codes) if some else column.codes
    return dict.fromkeys(columns, distinct), count, codes


@dataclass(frozen=True)
class ValueGroup:
    """Nodes of few different values, and what evaluates the nodes that rest upon all of them and constants alone and
    that others take."""

    leaves: tuple[int, ...]
    executor: ColumnExecutor


_NOT_BY_VALUE = ("earlier", "opaque", "opaque_part")  # their rows are not independent, or not quite


Source = tuple[str, str]


def _source_groups(plan: Plan, needed: Sequence[int], roots: Sequence[int]) -> list[SourceGroup]:
    sources: dict[int, set[Source | None]] = {}  # what a node rests upon, besides constants; None: anything else
    for place in needed:
        node = plan.nodes[place]
        if node.operation == "input":
            sources[place] = {_source(node)}
        elif node.operation in _NOT_BY_VALUE:
            sources[place] = {None}
        else:
            sources[place] = set().union(*(sources[taken] for taken in node.inputs))
    groups = []
    for source in sorted({one for found in sources.values() for one in found if one is not None}):
        inside = {n for n, found in sources.items() if found == {source}}
        inputs = {n for n in inside if plan.nodes[n].operation == "input"}
        taken = {t for n in needed if n not in inside for t in plan.nodes[n].inputs} | set(roots)
        ends = sorted(n for n in inside & taken - inputs if not plan.nodes[n].dtype.endswith(LIST))
        if ends:
            columns = tuple(plan.nodes[n].settings["column"] for n in sorted(inputs))
            groups.append(SourceGroup(columns, ColumnExecutor(plan, ends, by_value=False)))
    return groups


def _source(node: Node) -> Source | None:
    """The text column or the child table of an input."""
    if node.dtype.endswith(LIST):
        return "table", node.settings["table"]
    return ("text", node.settings["column"]) if node.dtype == "str" else None


_FEW_VALUES = ("calendar", "is_missing")  # whatever they are made from
_MOST_LEAVES = 4
_MOST_VALUES = 4096
_MOST_COMBINATIONS = 1 << 20


def _value_groups(plan: Plan, needed: Sequence[int], roots: Sequence[int]) -> list[ValueGroup]:
    leaves: dict[int, frozenset[int] | None] = {}  # the nodes of few values that a node rests upon; None: others, too
    for place in needed:
        leaves[place] = _leaves_of(place, plan.nodes[place], leaves)
    groups = []
    for chosen in sorted({tuple(sorted(one)) for one in leaves.values() if one}):
        inside = {place for place, one in leaves.items() if one == frozenset(chosen) and place not in chosen}
        one_text = len(chosen) == 1 and plan.nodes[chosen[0]].operation == "input"  # that is a SourceGroup
        if one_text or not any(plan.nodes[place].operation in FUNCTIONS for place in inside):
            continue
        taken = {t for n in needed if n not in inside for t in plan.nodes[n].inputs} | set(roots)
        nodes = list(plan.nodes)
        for leaf in chosen:
            nodes[leaf] = Node("input", (), {"column": str(leaf)}, nodes[leaf].dtype)
        executor = ColumnExecutor(Plan(nodes, {}), sorted(inside & taken), by_value=False)
        groups.append(ValueGroup(chosen, executor))
    return groups


def _leaves_of(place: int, node: Node, leaves: Mapping[int, frozenset[int] | None]) -> frozenset[int] | None:
    """The nodes of few values that a node rests upon, besides constants; None where it rests upon others, too."""
    if node.operation == "constant":
        return frozenset()
    if node.operation == "input":
        return frozenset({place}) if node.dtype == "str" else None
    if node.operation in _NOT_BY_VALUE or node.dtype not in ("float64", "int64", "bool"):
        return None
    below = [leaves[taken] for taken in node.inputs]
    if None in below:
        return frozenset({place}) if node.operation in _FEW_VALUES else None
    union = frozenset().union(*(one for one in below if one))
    return union if len(union) <= _MOST_LEAVES else None


def combinations(columns: Sequence[Column], rows: int) -> tuple[list[Column], Any] | None:
    """The different combinations of text, integer or bool columns, as columns, and which of them each row has.

    None where that is not worth it: a column's values lie too far apart, or rows are seldom alike.
    """
    numbers = [column.codes if isinstance(column, TextColumn) else column for column in columns]
    lows = [int(column.min()) for column in numbers]
    sizes = [int(column.max()) - low + 1 for column, low in zip(numbers, lows, strict=True)]
    if max(sizes) > _MOST_VALUES or math.prod(sizes) > _MOST_COMBINATIONS:
        return None
    combined, seen = np.empty(rows, dtype=np.int32), np.zeros(math.prod(sizes), dtype=np.bool_)
    blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, rows, BLOCK_ROWS)]
    for block in blocks:
        together = numbers[0][block].astype(np.intp) - lows[0]
        for column, low, size in zip(numbers[1:], lows[1:], sizes[1:], strict=True):
            together *= size
            together += column[block].astype(np.intp) - low
        seen[together] = True
        combined[block] = together
    used = np.flatnonzero(seen)
    if 4 * len(used) > rows:
        return None
    places = np.zeros(used[-1] + 1, dtype=np.int32)
    places[used] = np.arange(len(used))
    for block in blocks:
        combined[block] = places[combined[block]]
    parts = zip(columns, np.unravel_index(used, tuple(sizes)), lows, strict=True)
    return [_like(column, part + low) for column, part, low in parts], combined


def _like(column: Column, integers: Any) -> Column:
    """Integers as values of a column's kind."""
    if isinstance(column, TextColumn):
        return TextColumn(integers.astype(np.int32), column.words)
    return integers.astype(np.bool_ if column.dtype == np.bool_ else np.int64)


def _narrow(column: Column) -> Column:
    """Integers in as little memory as they need."""
    if not isinstance(column, np.ndarray) or column.dtype != np.int64 or not column.size:
        return column
    return column.astype(np.min_scalar_type(min(column.min(), ~column.max())))  # signed, and it holds both


def whole(column: Column, dtype: str, rows: int) -> Column:
    """A column of as many rows: one that came of constants alone is spread over them."""
    if isinstance(column, SparseColumn):
        return column.spread(rows)
    if dtype == "str":
        text = column if isinstance(column, TextColumn) else TextColumn.of([column])
        return TextColumn(np.broadcast_to(text.codes, (rows,)), text.words) if len(text) != rows else text
    array = np.asarray(column)
    shape = (*array.shape[:-1], rows) if array.ndim else (rows,)
    return np.broadcast_to(array, shape) if array.shape != shape else array


def joined(parts: Sequence[Column]) -> Column:
    """Blocks of one column as one."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], TextColumn):
        if all(part.words is parts[0].words for part in parts):
            return TextColumn(np.concatenate([part.codes for part in parts]), parts[0].words)
        return TextColumn.of([word for part in parts for word in part.tolist()])
    if isinstance(parts[0], SparseColumn):
        return SparseColumn.joined(parts)
    return np.concatenate(parts, axis=-1)
