"""The executor that lets the core run: NumPy evaluates what the core cannot carry, and words every refusal."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pipeline_lib.compiled.column_executor import BLOCK_ROWS, ColumnExecutor
from pipeline_lib.compiled.columns import PlanColumn, concat_rows, slice_rows
from pipeline_lib.compiled.native.core import level, load_plan
from pipeline_lib.compiled.native.core_turn import CoreTurn
from pipeline_lib.compiled.native.distinct_texts import SharedNumbers
from pipeline_lib.compiled.native.incoming import Incoming
from pipeline_lib.compiled.native.list_functions import core_list_function
from pipeline_lib.compiled.native.segments import LEAST_NODES, Turn, turns
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

MakeExecutor = Callable[[Plan, Sequence[int]], ColumnExecutor]
Known = dict[int, PlanColumn]
PART_ROWS = 65_536
"""Rows whose columns NumPy hands to the core at a time: a vector of a hundred numbers takes 50 MiB."""
SHORT_PART_ROWS = BLOCK_ROWS
"""The same where NumPy takes columns back: they should still be in the cache. Longer ones take up to twice the time."""
MANY_ROWS = 1024
"""From so many rows on, distinct texts are looked for: fewer cost less than one more call of the core."""


class CoreExecutor:
    """Evaluates the nodes that `roots` depend on, as `ColumnExecutor` does, with the same bits.

    NumPy and the core take turns, as `segments` has them; `natives` are the core's plans of its turns. `make` makes the
    executor of NumPy for roots: it also evaluates all of a batch in which a turn refuses a row, as only its messages
    say why. Rows are spread over `threads` where they are much work.
    """

    def __init__(
        self,
        plan: Plan,
        roots: Sequence[int],
        order: Sequence[Turn],
        natives: Sequence[Any],
        make: MakeExecutor,
        threads: int = 1,
        make_bulk: "Callable[[], CoreExecutor | None] | None" = None,
    ) -> None:
        self.roots = list(roots)
        self._make, self._plan, self._make_bulk = make, plan, make_bulk
        self._turns: list[CoreTurn | _NumpyTurn] = []
        loaded = iter(natives)
        self._text_turns: list[tuple[CoreTurn, str]] = []
        for turn in order:
            if turn.core is not None and turn.text is not None:
                self._text_turns.append((CoreTurn(turn.core, next(loaded), threads), turn.text))
            elif turn.core is not None:
                self._turns.append(CoreTurn(turn.core, next(loaded), threads))
            else:
                self._turns.append(_NumpyTurn(turn, make))
        taken = dict.fromkeys(each for turn in order if turn.core is not None for each in turn.core.taken)
        self._inputs = {node: plan.nodes[node].settings["column"] for node in taken if _is_raw(plan, node)}
        self._part_rows = _part_rows(order)
        self.alone = all(turn.core is not None for turn in order)  # NumPy evaluates nothing
        self._numpys_raw = {name for turn in order if turn.core is None for name in _raw_names(turn)}
        self._context = plan.context
        self._incoming: Incoming | None = None
        self._numbers: Known = {}  # of the columns of a batch, by node
        self._only: tuple[CoreTurn, list[Any]] | None = None  # a turn that gives all, and its columns of a batch

    @cached_property
    def reference(self) -> ColumnExecutor:
        """The executor of NumPy for the same roots."""
        return self._make(self._plan, self.roots)

    @cached_property
    def bulk(self) -> "CoreExecutor | None":
        """The executor that computes once for each distinct text, for many rows; None where nothing takes text."""
        bulk = None if self._make_bulk is None else self._make_bulk()
        if bulk is None or not bulk._text_turns:
            return None
        bulk._incoming, bulk._numbers = self._incoming, self._numbers
        return bulk

    def read_raw(self, schema: RowSchema) -> None:
        """From now on `run_raw` reads raw columns of this schema. The plan may have no context."""
        self._incoming = Incoming(schema, set(self._inputs.values()), self._numpys_raw)
        self.__dict__.pop("bulk", None)  # one that was made before reads no raw columns
        numbers = self._incoming.numbers
        self._numbers = {node: numbers[name] for node, name in self._inputs.items() if name in numbers}
        turn = self._turns[0] if len(self._turns) == 1 else None
        known = len(self._numbers) == len(self._inputs)
        if isinstance(turn, CoreTurn) and "s" not in turn.core.taken_kinds and known:
            numbers_taken = [self._numbers[node] for node in turn.core.taken]
            self._only = (turn, numbers_taken) if turn.core.given == tuple(self.roots) else None

    def run_raw(self, data: Any) -> list[PlanColumn] | None:
        """The roots' columns for raw rows; None for rows that are not at once seen to be valid."""
        incoming = self._incoming
        batch = None if incoming is None else incoming.read(data)
        if incoming is None or batch is None:
            return None
        rows = len(batch)
        if self._only is not None and rows and incoming.others is None and (rows < MANY_ROWS or self.bulk is None):
            turn, numbers = self._only
            return turn.results(numbers, rows, batch, 0)
        columns = incoming.other_columns(data, rows) if rows else None
        return None if columns is None else self.quick(columns, rows, batch)

    def run(self, columns: Mapping[str, PlanColumn], rows: int, first: int = 0) -> list[PlanColumn]:
        """The roots' columns, as `ColumnExecutor.run` gives them."""
        results = self.quick(columns, rows)
        return self.reference.run(columns, rows, first) if results is None else results

    def quick(self, columns: Mapping[str, PlanColumn], rows: int, batch: Any = None) -> list[PlanColumn] | None:
        """The roots' columns; None where a row is refused, or there is none. A `batch` has the core's raw columns."""
        if rows >= MANY_ROWS and self.bulk is not None:
            return self.bulk.quick(columns, rows, batch)
        most = self._part_rows or rows
        texts = self._of_texts(columns, rows, batch) if self._text_turns and rows else {}
        if texts is None:
            return None
        if 0 < rows <= most:
            return self._part(columns, rows, batch, 0, texts)
        parts = []
        for start in range(0, rows, most or 1):
            stop = min(start + most, rows)
            own = {name: slice_rows(column, start, stop + self._context) for name, column in columns.items()}
            results = self._part(own, stop - start, batch, start, texts)
            if results is None:
                return None
            parts.append(results)
        return [concat_rows(column) for column in zip(*parts, strict=True)] if parts else None

    def _of_texts(self, columns: Mapping[str, PlanColumn], rows: int, batch: Any) -> Known | None:
        """What depends on one text alone, computed once for each; None where a text is refused."""
        known: Known = {}
        for turn, name in self._text_turns:
            number = None if batch is None or self._incoming is None else self._incoming.numbers.get(name)
            column = columns[name].slice(self._context, len(columns[name])) if number is None else None
            results = turn.of_words(number, column) if turn.takes_words else turn.of_texts(batch, number, column)
            if results is None:
                return None
            known.update(zip(turn.core.given, results, strict=True))
        return known

    def _part(
        self, columns: Mapping[str, PlanColumn], rows: int, batch: Any, first: int, texts: Known
    ) -> list[PlanColumn] | None:
        earlier, own = self._context, columns
        if earlier:
            own = {name: slice_rows(each, earlier, earlier + rows) for name, each in columns.items()}
        if batch is None:
            known: Known = {node: own[name] for node, name in self._inputs.items()}
        else:
            known = self._numbers | {
                node: own[name] for node, name in self._inputs.items() if node not in self._numbers
            }
        known |= {node: each.rows(first, first + rows) for node, each in texts.items()}
        for number, turn in enumerate(self._turns):
            if not turn.run(known, own if number else columns, rows, batch, first):
                return None
        return [_for_each_row(known[root]) for root in self.roots]


class _NumpyTurn:
    def __init__(self, turn: Turn, make: MakeExecutor) -> None:
        self._executor, nodes = make(turn.plan, turn.given), turn.plan.nodes
        self._executor.replace_functions(
            lambda number, function: core_list_function(nodes[number].operation, nodes[number].settings, function)
        )
        self._taken = turn.taken

    def run(self, known: Known, columns: Mapping[str, PlanColumn], rows: int, batch: Any, first: int) -> bool:
        """Add what NumPy gives to `known`; False where it refuses a row, which may not be the first one."""
        if self._taken:
            columns = {**columns, **{name: _as_raw(_for_each_row(known[node])) for node, name in self._taken.items()}}
        try:
            results = self._executor.run(columns, rows)
        except InputError:
            return False
        known.update(zip(self._executor.roots, results, strict=True))
        return True


def _for_each_row(column: PlanColumn) -> PlanColumn:
    return column.column() if isinstance(column, SharedNumbers) else column


def _raw_names(turn: Turn) -> set[str]:
    """The raw columns that a turn of NumPy takes."""
    return set(turn.plan.columns_read(turn.given)) - set(turn.taken.values())


def _as_raw(column: PlanColumn) -> PlanColumn:
    """A column as raw ones are: missing text has the code -1 alone."""
    if not isinstance(column, TextColumn):
        return column
    return TextColumn(np.where(column.missing(), np.int32(-1), column.codes), column.words)


def _part_rows(order: Sequence[Turn]) -> int:
    """Rows of a part; 0 for all of them."""
    if all(turn.core is not None for turn in order):
        return 0
    return SHORT_PART_ROWS if any(turn.taken for turn in order) else PART_ROWS


def _is_raw(plan: Plan, node: int) -> bool:
    return plan.nodes[node].operation == "input"


def core_executor(
    plan: Plan, roots: Sequence[int], make: MakeExecutor, threads: int = 1, least: int = LEAST_NODES
) -> CoreExecutor | None:
    """The executor with the core; None where none is built or wanted, or it carries nothing of this plan.

    `least` is how many nodes an early turn of the core has to have.
    """

    def made(distinct: bool, make_bulk: Callable[[], CoreExecutor | None] | None) -> CoreExecutor | None:
        order = [] if level() is None else turns(plan, roots, least, distinct=distinct)
        natives = [load_plan(turn.core.data) for turn in order if turn.core is not None]
        if not natives or None in natives:
            return None
        return CoreExecutor(plan, roots, order, natives, make, threads, make_bulk)

    return made(False, lambda: made(True, None))
