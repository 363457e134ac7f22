"""The executor that lets the core run: NumPy evaluates what the core cannot carry, and words every refusal."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import PlanColumn, concat_rows, slice_rows
from pipeline_lib.compiled.native.core import level, load_plan
from pipeline_lib.compiled.native.encode import CorePlan, encode
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.errors import InputError

MakeExecutor = Callable[[Plan, Sequence[int]], ColumnExecutor]
PART_ROWS = 65_536
"""Rows whose columns NumPy hands to the core at a time: a vector of a hundred numbers takes 50 MiB."""
ROWS_OF_A_THREAD = 4096
"""Rows from which on another thread saves more than it costs to start."""
_DTYPES: dict[str, Any] = {"d": np.float64, "i": np.int64, "b": np.bool_, "t": np.int32, "v": np.float64}


class CoreExecutor:
    """Evaluates the nodes that `roots` depend on, as `ColumnExecutor` does, with the same bits.

    `native` is the core's plan; `make` makes the executor of NumPy for roots. That one evaluates all of a batch in
    which the core refuses a row: only its messages say why. Rows are spread over `threads` where there are many.
    """

    def __init__(
        self, plan: Plan, roots: Sequence[int], core: CorePlan, native: Any, make: MakeExecutor, threads: int = 1
    ) -> None:
        self.roots, self._threads = list(roots), threads
        self._make, self._plan, self._core, self._native = make, plan, core, native
        self._inputs = {
            node: plan.nodes[node].settings["column"] for node in core.taken if plan.nodes[node].operation == "input"
        }
        rest = [node for node in core.taken if node not in self._inputs]
        rest += [root for root in roots if root not in core.given]
        self._rest = make(plan, list(dict.fromkeys(rest))) if rest else None
        self._words = core.words.column_words()

    @cached_property
    def reference(self) -> ColumnExecutor:
        """The executor of NumPy for the same roots."""
        return self._make(self._plan, self.roots)

    def run(self, columns: Mapping[str, PlanColumn], rows: int, first: int = 0) -> list[PlanColumn]:
        """The roots' columns, as `ColumnExecutor.run` gives them."""
        most = rows if self._rest is None else PART_ROWS
        whole = 0 < rows <= most
        results = self._part(columns, rows, first) if whole else self._in_parts(columns, rows, first, most)
        return self.reference.run(columns, rows, first) if results is None else results

    def _in_parts(self, columns: Mapping[str, PlanColumn], rows: int, first: int, most: int) -> list[PlanColumn] | None:
        parts = []
        for start in range(0, rows, most or 1):
            stop = min(start + most, rows)
            own = {name: slice_rows(column, start, stop + self._plan.context) for name, column in columns.items()}
            results = self._part(own, stop - start, first + start)
            if results is None:
                return None
            parts.append(results)
        return [concat_rows(column) for column in zip(*parts, strict=True)] if parts else None

    def _part(self, columns: Mapping[str, PlanColumn], rows: int, first: int) -> list[PlanColumn] | None:
        """The roots' columns; None where a row is refused."""
        try:
            known = self.rest_columns(columns, rows, first)
        except InputError:  # the first refused row may be one that the core would find
            return None
        results = self.core_columns(columns, known, rows)
        if results is None:
            return None
        given = dict(zip(self._core.given, results, strict=True))
        return [given[root] if root in given else known[root] for root in self.roots]

    def rest_columns(self, columns: Mapping[str, PlanColumn], rows: int, first: int) -> dict[int, PlanColumn]:
        """What NumPy evaluates of a batch, by node."""
        if self._rest is None:
            return {}
        return dict(zip(self._rest.roots, self._rest.run(columns, rows, first), strict=True))

    def core_columns(
        self, columns: Mapping[str, PlanColumn], known: Mapping[int, PlanColumn], rows: int
    ) -> list[PlanColumn] | None:
        """The columns of the nodes that the core gives; None where it refuses a row."""
        earlier = self._plan.context
        taken = [
            self._buffer(
                known[node] if node in known else slice_rows(columns[self._inputs[node]], earlier, earlier + rows)
            )
            for node in self._core.taken
        ]
        results = [
            self._empty(kind, width, rows) for kind, width in zip(self._core.kinds, self._core.widths, strict=True)
        ]
        if not self._run(taken, results, rows):
            return None
        return [
            TextColumn(result, self._words) if kind == "t" else result
            for kind, result in zip(self._core.kinds, results, strict=True)
        ]

    def _run(self, taken: list[Any], results: list[Any], rows: int) -> bool:
        """Fill `results`; False where a row is refused. Each thread has rows that follow one another."""
        shares = min(self._threads, rows // ROWS_OF_A_THREAD)
        if shares <= 1:
            return bool(self._native.run(taken, results, 0, rows))
        ends = [rows * share // shares for share in range(shares + 1)]
        with ThreadPoolExecutor(shares) as pool:
            return all(pool.map(lambda start, stop: self._native.run(taken, results, start, stop), ends[:-1], ends[1:]))

    def _buffer(self, column: PlanColumn) -> Any:
        if isinstance(column, TextColumn):
            return np.ascontiguousarray(column.codes), self._core.words.of_batch(column.words)
        return np.ascontiguousarray(column)

    @staticmethod
    def _empty(kind: str, width: int, rows: int) -> np.ndarray[Any, Any]:
        return np.empty((width, rows) if kind == "v" else rows, dtype=_DTYPES[kind])


def core_executor(plan: Plan, roots: Sequence[int], make: MakeExecutor, threads: int = 1) -> CoreExecutor | None:
    """The executor with the core; None where none is built or wanted, or it carries nothing of this plan."""
    core = None if level() is None else encode(plan, roots)
    native = None if core is None else load_plan(core.data)
    return None if core is None or native is None else CoreExecutor(plan, roots, core, native, make, threads)
