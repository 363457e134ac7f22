"""Batches of raw rows: checked against the schema, appended to their context, evaluated by the column executor."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native.core import is_numpy_alone
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.quick_columns import quick_columns
from pipeline_lib.compiled.time_order import check_order
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa

PART_CHILDREN = 262_144
"""Number of child rows that are joined to their main rows at a time. Measured on the 1,469,307 purchases of
benchmarks/customers.py: half as many take 1.3 times as long; all at once take 0.8 times as long, but need a second copy
of every child row in memory."""


class BatchEvaluator:
    """Evaluates nodes of a plan for many raw rows; the executor of each list of nodes is kept.

    Without `distinct_values` every row is evaluated by itself, with the same bits. The native core spreads large
    batches over `threads`.
    """

    def __init__(self, plan: Plan, row: RowSchema, *, distinct_values: bool = True, threads: int = 1) -> None:
        self._plan = plan
        self._row = row
        self._distinct_values = distinct_values
        self._threads = threads
        self._executors: dict[tuple[bool | int, ...], tuple[RowSchema, ColumnExecutor | CoreExecutor]] = {}

    def schema(self, roots: Sequence[int]) -> RowSchema:
        """The raw columns that `roots` depend on, and the columns of times."""
        read = set(self._plan.columns_read(roots))
        read |= {table.time for table in self._plan.tables if table.time is not None}
        return self._row.keep(read)

    def executor(self, roots: Sequence[int]) -> tuple[RowSchema, ColumnExecutor | CoreExecutor]:
        """The raw columns and the executor of `roots`."""
        key = (is_numpy_alone(), *roots)
        if key not in self._executors:
            make = partial(make_executor, distinct_values=self._distinct_values)
            executor = core_executor(self._plan, roots, make, self._threads) or make(self._plan, roots)
            schema = self.schema(roots)
            if isinstance(executor, CoreExecutor) and not self._plan.context and self._row.key is None:
                executor.read_raw(schema)
            self._executors[key] = (schema, executor)
        return self._executors[key]

    def evaluate(
        self, roots: Sequence[int], data: Any, context: Any, schema: RowSchema | None = None
    ) -> list[PlanColumn]:
        """The columns of `roots` for raw rows, of which the columns of `schema` are checked.

        By default these are the columns that the roots depend on. Several tables are joined and evaluated in parts.
        Raises InputError for rows that are refused.
        """
        read, executor = self.executor(roots)
        if schema is None and context is None and isinstance(executor, CoreExecutor):
            results = executor.run_raw(data)
            if results is not None:
                return results
        return self._evaluate_checked(executor, data, context, schema or read)

    def _evaluate_checked(
        self, executor: ColumnExecutor | CoreExecutor, data: Any, context: Any, schema: RowSchema
    ) -> list[PlanColumn]:
        """The executor's columns after the check of all columns by the quick way or `conform`."""
        from pipeline_lib.compiled.arrow import from_arrow, run_parts
        from pipeline_lib.rows.conform import conform_in_parts
        from pipeline_lib.rows.containers import with_names

        data, context = with_names(data, self._row), with_names(context, self._row)
        if not self._plan.context and context is None:
            quick = quick_columns(data, schema)
            if quick is not None:
                return executor.run(*quick)
        if self._row.key is None or context is not None:
            table, rows = self._after_context(data, context, schema)
            return executor.run(from_arrow(table), rows)
        return run_parts(executor, conform_in_parts(data, schema, PART_CHILDREN, for_executor=True))

    def earlier(self, rows: Any, context: Any) -> "pa.Table | None":
        """The rows of `context` that `rows` need, with every raw column; None where rows need none.

        Raises InputError for what `evaluate` would refuse.
        """
        if not self._plan.context and context is None:
            return None
        table, count = self._after_context(rows, context, self._row)
        return table.slice(0, table.num_rows - count)

    def latest(self, roots: Sequence[int], context: Any, rows: Any) -> "pa.Table":
        """The last rows of a context and the rows after it, as many as the plan's context has."""
        import pyarrow as pa

        from pipeline_lib.rows.conform import conform
        from pipeline_lib.rows.containers import with_names

        schema, _ = self.executor(roots)
        parts = [conform(with_names(part, self._row), schema) for part in (context, rows)]
        table = pa.concat_tables(parts)
        return table.slice(table.num_rows - self._plan.context)

    def _after_context(self, data: Any, context: Any, schema: RowSchema) -> "tuple[pa.Table, int]":
        """The checked rows after as many earlier ones as the plan needs, and how many rows they are."""
        import pyarrow as pa

        from pipeline_lib.rows.conform import conform

        needed = self._plan.context
        if not needed and context is None:
            rows = conform(data, schema, for_executor=True)
            return rows, rows.num_rows
        rows = conform(data, schema)
        earlier = conform([] if context is None else context, schema)
        if earlier.num_rows < needed or not needed:
            expected = f"at least {needed:,}" if needed else "none"
            raise InputError(
                f"found {earlier.num_rows:,} earlier rows, expected {expected} as the pipeline was compiled; "
                "pass context=, the rows just before these in order of time"
            )
        table, declared = pa.concat_tables([earlier, rows]), self._plan.tables[0]
        check_order(table, earlier.num_rows, declared, hidden=declared.time in self._row.sensitive)
        return table.slice(earlier.num_rows - needed).combine_chunks(), rows.num_rows
