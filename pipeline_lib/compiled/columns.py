"""The column executor: a plan over whole tables, in blocks that stay in the processor's cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations import LIST, OPERATIONS, Lists, RefusedRowsError, Text, over_lists
from pipeline_lib.compiled.operations.bags import Bag
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.errors import InputError

BLOCK_ROWS = 8192
BLOCK_CHILDREN = 65_536
Column = Any  # a NumPy array or Text, see `operations.table`


class ColumnExecutor:
    """Evaluates the nodes that some results of a plan rest upon, block by block.

    What rests upon one text column alone is evaluated once for each distinct word, not once a row: rows are
    independent, so the bits are the same. Without `by_word` all is evaluated row by row, and there is no context.
    """

    def __init__(self, plan: Plan, roots: Sequence[int], *, by_word: bool = True) -> None:
        self.roots = list(roots)
        self._context = plan.context if by_word else 0
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

        self._words = _word_groups(plan, needed, self.roots) if by_word else []

    def run(self, columns: Mapping[str, Column], rows: int, first: int = 0) -> list[Column]:
        """The roots' columns for `rows` rows of raw columns, in order of `roots`.

        Where the plan has a context, as many rows stand before them in `columns`, and have no result. `first` is the
        number of the first row, for messages.
        """
        size = self._block_rows(columns, rows)
        starts = range(0, rows, size) or [0]
        with np.errstate(all="ignore"):
            known, done = self._by_word(columns)
            work = [step for step in self._work if step[0] not in done] if done else self._work
            blocks = [self._block(columns, known, work, start, min(start + size, rows), first) for start in starts]
        return [joined(parts) for parts in zip(*blocks, strict=True)]

    def _block_rows(self, columns: Mapping[str, Column], rows: int) -> int:
        """How many main rows go into a block, so that their child rows stay in the cache too."""
        most = max(
            (len(columns[name].values) for _, name in self._inputs if isinstance(columns[name], Lists)), default=0
        )
        return max(1, min(BLOCK_ROWS, BLOCK_CHILDREN * rows // most)) if most > BLOCK_CHILDREN else BLOCK_ROWS

    def _by_word(self, columns: Mapping[str, Column]) -> tuple[dict[int, tuple[Column, Any]], set[int]]:
        """Nodes that are known for each word of their column, with the rows' words; and all nodes that are done."""
        known: dict[int, tuple[Column, Any]] = {}
        done: set[int] = set()
        for group in self._words:
            text = columns[group.column]
            if 2 * len(text.words) > len(text):
                continue
            count = len(text.words) - (0 if (text.codes < 0).any() else 1)  # the last word is for missing
            try:
                distinct = Text(np.arange(count, dtype=np.int32), text.words)
                values = group.executor.run({group.column: distinct}, count)
            except InputError:  # some word is refused, which need not be in any row: the rows will tell
                continue
            codes = np.where(text.codes < 0, count - 1, text.codes)
            known |= {node: (value, codes) for node, value in zip(group.executor.roots, values, strict=True)}
            done |= group.nodes
        return known, done

    def _block(
        self,
        columns: Mapping[str, Column],
        known: Mapping[int, Any],
        work: Sequence[Any],
        start: int,
        stop: int,
        first: int,
    ) -> list[Column]:
        before = self._context
        slots = list(self._slots)
        for place, name in self._inputs:
            slots[place] = cut(columns[name], start, stop + before)
        for place, (value, codes) in known.items():
            slots[place] = taken_rows(value, codes[start : stop + before])
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
        return [cut(column, before, stop - start + before) for column in columns_found] if before else columns_found


def column_function(node: Node) -> Callable[..., Any]:
    """What evaluates a node over columns."""
    function = OPERATIONS[node.operation].column(node.settings)
    return over_lists(function) if node.dtype.endswith(LIST) and not OPERATIONS[node.operation].of_lists else function


def cut(column: Column, start: int, stop: int) -> Column:
    """Some rows of a column."""
    if isinstance(column, Text):
        return Text(column.codes[start:stop], column.words)
    if isinstance(column, Bag | Lists):
        return column.cut(start, stop)
    return column[..., start:stop]


def taken_rows(column: Column, places: Any) -> Column:
    """The rows at some places, in that order."""
    if isinstance(column, Text):
        return Text(column.codes[places], column.words)
    return column.take(places) if isinstance(column, Bag) else column[..., places]


@dataclass(frozen=True)
class WordGroup:
    """The nodes that rest upon one raw text column and constants, and what evaluates those that others take."""

    column: str
    nodes: frozenset[int]
    executor: ColumnExecutor


_NOT_BY_WORD = ("earlier", "opaque", "opaque_part")  # their rows are not independent, or not quite


def _word_groups(plan: Plan, needed: Sequence[int], roots: Sequence[int]) -> list[WordGroup]:
    sources: dict[int, str | None] = {}  # the text column a node rests upon; "": constants alone; None: anything else
    for place in needed:
        node = plan.nodes[place]
        if node.operation in ("input", "constant"):
            text = node.settings["column"] if node.dtype == "str" and node.operation == "input" else None
            sources[place] = "" if node.operation == "constant" else text
        else:
            below = {sources[taken] for taken in node.inputs} - {""}
            one = below.pop() if len(below) == 1 and node.operation not in _NOT_BY_WORD else None
            sources[place] = one
    groups = []
    for column in sorted({source for source in sources.values() if source}):
        inside = {n for n, source in sources.items() if source == column and plan.nodes[n].operation != "input"}
        taken = {t for n in needed if n not in inside for t in plan.nodes[n].inputs} | set(roots)
        ends = sorted(inside & taken)
        if ends:
            groups.append(WordGroup(column, frozenset(inside), ColumnExecutor(plan, ends, by_word=False)))
    return groups


def whole(column: Column, dtype: str, rows: int) -> Column:
    """A column of as many rows: one that came of constants alone is spread over them."""
    if isinstance(column, Bag):
        return column.spread(rows)
    if dtype == "str":
        text = column if isinstance(column, Text) else Text.of([column])
        return Text(np.broadcast_to(text.codes, (rows,)), text.words) if len(text) != rows else text
    array = np.asarray(column)
    shape = (*array.shape[:-1], rows) if array.ndim else (rows,)
    return np.broadcast_to(array, shape) if array.shape != shape else array


def joined(parts: Sequence[Column]) -> Column:
    """Blocks of one column as one."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Text):
        if all(part.words is parts[0].words for part in parts):
            return Text(np.concatenate([part.codes for part in parts]), parts[0].words)
        return Text.of([word for part in parts for word in part.tolist()])
    if isinstance(parts[0], Bag):
        return Bag.joined(parts)
    return np.concatenate(parts, axis=-1)
