"""One raw row: answered by straight-line Python where that can, else by the column executor, with the same bits.

one raw table        the core, where it carries the plan; a row that it does not answer goes to
                     row_executor; one that does not pass its quick checks goes to the column executor
... with a context   context_row, for a list of mappings of the right length; else the column executor
several raw tables   `conform` joins the row's child rows, then row_executor
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pipeline_lib.compiled.batch_evaluator import BatchEvaluator
from pipeline_lib.compiled.context_row import ContextRowFunction, context_row_function
from pipeline_lib.compiled.native.core import is_numpy_alone
from pipeline_lib.compiled.native.row import CoreRow, growing_row
from pipeline_lib.compiled.operations.registry import lower
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import QuickCheckError, RowFunction, row_function
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema


class RowEvaluator:
    """Evaluates nodes of a plan for one raw row; the functions of each list of nodes are kept."""

    def __init__(self, plan: Plan, row: RowSchema, batches: BatchEvaluator, *, exact: bool) -> None:
        self._plan = plan
        self._row = row
        self._batches = batches
        self._exact = exact  # opaque steps take blocks of rows: their wide row would be another block
        self._core: dict[tuple[int, ...], CoreRow | None] = {}
        self._functions: dict[tuple[int, ...], tuple[RowSchema, RowFunction]] = {}
        self._context_functions: dict[tuple[int, ...], ContextRowFunction | None] = {}

    def evaluate(self, roots: Sequence[int], row: Mapping[str, Any], context: Any = None) -> tuple[Any, ...]:
        """The values of `roots` for one raw row. Raises InputError for a row that is refused."""
        key = tuple(roots)
        answer = self._core_answer(key, row) if context is None and not is_numpy_alone() else None
        if answer:
            return answer
        if not isinstance(row, Mapping):
            advice = (
                "row.to_dict()" if hasattr(row, "to_dict") and getattr(row, "ndim", 1) == 1 else "predict for many rows"
            )
            raise InputError(
                f"found {type(row).__name__}, expected one row as a mapping of column names to values; {advice}"
            )
        if self._row.key is not None:
            return self._of_several_tables(roots, row)
        if self._plan.context or context is not None:
            return self._after_context(roots, row, context)
        try:
            return self._function(key)[1](row)  # type: ignore[no-any-return]
        except QuickCheckError:
            return self._as_batch(roots, row, None)

    def _core_answer(self, key: tuple[int, ...], row: Any) -> tuple[Any, ...] | None:
        """The core's answer; None says nothing about the row, which may be anything."""
        try:
            function = self._core[key]
        except KeyError:
            replace = partial(self._core.__setitem__, key)
            function = self._core[key] = growing_row(self._plan, key, self._batches.schema(key), replace)
        return function(row) or None if function else None  # type: ignore[return-value]

    def _as_batch(self, roots: Sequence[int], row: Mapping[str, Any], context: Any) -> tuple[Any, ...]:
        return tuple(map(lower, self._batches.evaluate(roots, row, context)))

    def _after_context(self, roots: Sequence[int], row: Mapping[str, Any], context: Any) -> tuple[Any, ...]:
        if self._exact and type(context) is list and len(context) == self._plan.context:
            key = tuple(roots)
            if key not in self._context_functions:
                schema = self._batches.schema(roots)
                self._context_functions[key] = context_row_function(self._plan, roots, schema, self._plan.tables[0])
            function = self._context_functions[key]
            values = function(row, context) if function else None
            if values is not None:
                return values
        return self._as_batch(roots, row, context)

    def _of_several_tables(self, roots: Sequence[int], row: Mapping[str, Any]) -> tuple[Any, ...]:
        from pipeline_lib.compiled.arrow import from_arrow
        from pipeline_lib.rows.conform import conform

        schema, function = self._function(roots)
        table = conform(row, schema)
        if table.num_rows != 1:
            raise InputError(f"{schema.name}: found {table.num_rows:,} rows, expected one; predict for many")
        return tuple(function({name: lower(column) for name, column in from_arrow(table).items()}))

    def _function(self, roots: Sequence[int]) -> tuple[RowSchema, RowFunction]:
        key = tuple(roots)
        if key not in self._functions:
            schema = self._batches.schema(roots)
            self._functions[key] = (schema, row_function(self._plan, roots, schema))
        return self._functions[key]
