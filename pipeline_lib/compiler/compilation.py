"""One compilation: a plan that is written step by step, while the library transforms the same training rows.

    rows ----- step.transform ----> output            the library's own result
      |                                |
      |                            check_step         within the error bounds of the plan
      |                                |
    columns -- adapter, Builder --> columns           the plan, then the input of the next step

A step without a plan runs through its library (`OpaqueStep`) where that is allowed; else compiling is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.compile_report import StepReport
from pipeline_lib.compiled.pipeline import PREDICTION
from pipeline_lib.compiled.plan import Plan, RawTable
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.checked_rows import LEAST, rows_to_check
from pipeline_lib.compiler.column_comparison import Distance, UnfaithfulPlanError
from pipeline_lib.compiler.edge_batches import take
from pipeline_lib.compiler.edge_checks import EdgeChecks
from pipeline_lib.compiler.edge_differences import EdgeCounts
from pipeline_lib.compiler.estimator_outputs import outputs_writer, prediction_writer
from pipeline_lib.compiler.fidelity import StepPlan, Write
from pipeline_lib.compiler.float32_values import as_float32, computes_float32, like_output, note_float32
from pipeline_lib.compiler.known_words import note_words
from pipeline_lib.compiler.library_answers import METHODS, few_rows_output, library_outputs, training_output
from pipeline_lib.compiler.library_input import LibraryColumns
from pipeline_lib.compiler.opaque_parts import inner_steps
from pipeline_lib.compiler.opaque_step import Loading, describe_input
from pipeline_lib.compiler.opaque_way import OpaqueWay, Unplanned
from pipeline_lib.compiler.output_differences import LastStep
from pipeline_lib.compiler.output_names import class_labels, column_names, output_nodes, side_by_side
from pipeline_lib.compiler.own_steps import check_names, check_order_of_rows, refuse_child_columns
from pipeline_lib.compiler.raw_columns import RawColumnReads, input_columns
from pipeline_lib.compiler.raw_input import RawInput
from pipeline_lib.compiler.step_checks import Checks
from pipeline_lib.compiler.tracing.own_code.functions import is_own
from pipeline_lib.compiler.tracing.traces import Traces, own_objects
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import Frames, to_pipeline_input
from pipeline_lib.rows.schema import RowSchema

_SMALL_BATCHES = (1, 7)  # rows: what production sends most often, and more than one row but far from all


@dataclass(frozen=True)
class CompileOptions:
    """Options of a compilation: how raw rows come in, whether steps may be opaque, and what their state may hold.

    `table` is the table of raw rows, with its context of earlier rows; `edge_rows` says whether steps are asked on
    edge rows, too.
    """

    raw: RawInput
    loading: Loading = Loading()  # noqa: RUF009  a frozen dataclass, too
    allow_opaque: bool = False
    edge_rows: bool = True
    table: RawTable = RawTable()  # noqa: RUF009  a frozen dataclass, too

    @property
    def row(self) -> RowSchema:
        """The schema of raw rows."""
        return self.raw.row

    @property
    def context(self) -> int:
        """The count of earlier rows that each row needs."""
        return self.table.context


class Compilation:
    """A plan while it is written, with a report for each step."""

    def __init__(self, options: CompileOptions) -> None:
        self.options = options
        self.build = Builder(context=options.context, collects_lookback=True)
        self.traces = self.build.traces = Traces()
        self.columns = input_columns(options.raw, self.build)  # the input columns of the next step
        self.steps: dict[str, dict[str, int]] = {}
        self.outputs: dict[str, int] = {}
        self.classes: tuple[Any, ...] = ()
        self.reports: list[StepReport] = []
        self.last: LastStep | None = None
        self.rows: NDArray[np.intp] | None = None  # on which the last step was checked; None for all
        self._some_rows: NDArray[np.intp] | None = None  # on which a step before it was
        self.answers: dict[str, Any] = {}  # of the library's last step, by method
        self.skipped = 0  # rows at the beginning that lack earlier ones
        self._reach = 0  # how many earlier rows the last written step reads
        others = [column.name for column in options.raw.placeholders]
        self.opaque = OpaqueWay(options.loading, allowed=options.allow_opaque, left_out=others)
        self.edges = EdgeChecks(options.row, self._raw_tables, enabled=options.edge_rows, left_out=others)

    def plan(self) -> Plan:
        """The plan of all steps written so far."""
        row = self.options.row
        several = tuple(RawTable(part.name, part.key) for part in row.tables) if row.key is not None else ()
        tables = several or (self.options.table,)
        plan = Plan(self.build.nodes, self.outputs, self.steps, tables, self.classes)
        return RawColumnReads(self.options.raw).without_placeholders(plan)

    def run(self, steps: Sequence[tuple[str, Any]], data: Any) -> None:
        """Write the plan of every step, each checked on the rows `data`."""
        for name, step in steps[:-1]:
            if step is None or (isinstance(step, str) and step == "passthrough"):
                continue
            with self.traces.watching(step):
                output = training_output(name, step, data)
            if output.shape[0] != data.shape[0]:
                raise RefusedStepError(
                    f"step {name}: found {output.shape[0]:,} rows for {data.shape[0]:,}, expected one for one; "
                    "a step that drops rows cannot serve production: drop them in `load` or `split`"
                )
            self._add_transformer(name, step, data, output)
            data = self._without_first_rows(output)
        self.build.lookback.check()
        name, final = steps[-1]
        self._add_estimator(name, final, data)

    def _without_first_rows(self, data: Any) -> Any:
        """A step's output without its first rows, in which lags are missing that every row has in production."""
        reach, self._reach = self._reach, 0
        if not reach:
            return data
        self.skipped += reach
        if data.shape[0] <= reach:
            self.build.lookback.check()
            raise InputError(
                f"found {data.shape[0]:,} rows in `like` whose lags reach {reach:,} rows back, expected more; pass "
                "X_train"
            )
        return data.iloc[reach:] if hasattr(data, "iloc") else data[reach:]

    def end_to_end(self) -> tuple[NDArray[np.intp] | None, dict[str, Any]]:
        """The rows on which outputs are compared from end to end, None for all, and the library's answers for them."""
        rows = self._some_rows
        if self.rows is not None or rows is None:
            return self.rows, self.answers
        answers = {
            method: [each[rows] for each in answer] if isinstance(answer, list) else answer[rows]
            for method, answer in self.answers.items()
        }
        return rows, answers

    def compare_traces(self) -> None:
        """Wait for the second recordings of own code. Raises TraceRefusedError for one that differs."""
        self.traces.repeats.compare()

    def _add_transformer(self, name: str, step: Any, data: Any, output: Any) -> None:
        note_float32(self.columns, data)

        def write(columns: Columns, build: Builder) -> Sequence[Value]:
            return list(like_output(transform(step, dict(columns), build), output, build).values())

        try:
            self._write_transformer(name, step, data, output, write)
        except (NoPlanError, UnfaithfulPlanError) as error:
            with self.opaque.through(Unplanned(name, step, data, ["transform"], error, write, self.columns)):
                self._write_transformer(name, step, data, output, write)

    def _write_transformer(self, name: str, step: Any, data: Any, output: Any, write: Write) -> None:
        before = self.columns
        after = like_output(transform(step, dict(before), self.build), output, self.build)
        refuse_child_columns(name, after)
        if self.build.lookback.exceeds_context:  # the message on it comes after the last step, with the count of rows
            self.columns = dict(after)
            self._reach = max(value.lookback for value in after.values())
            return
        if is_own(type(step)):
            check_order_of_rows(name, data, output)
            check_names(name, list(after), output)
        plan = StepPlan.write(write, before)
        self._reach = max((value.lookback for value in plan.roots), default=0)
        rows = None if isinstance(data, Frames) or self.options.context else rows_to_check(plan.plan, data)
        if rows is not None:
            self._some_rows = rows
            data, output = take(data, rows), take(output, rows)
        columns = self._raw_tables(data) or plan.columns(data)
        plan, distance = _checked(step, plan, f"step {name}", data, output, columns)
        if hasattr(type(step), "plan") or own_objects(step):
            self._check_small_batches(name, step, plan, data)
        opaque = self.opaque.reports(name)
        if opaque:
            self.edges.opaque(step)
        edges = EdgeCounts() if opaque else self.edges.transformer(name, step, plan, data, columns)
        self.columns = dict(zip(column_names(step, output, after), after.values(), strict=True))
        self.steps[name] = {column: value.node for column, value in self.columns.items()}
        checks = Checks(distance, edges, rows, float32=plan.float32)
        self._report(name, checks.report(name, step, len(before), len(after)), opaque)

    def _report(self, name: str, report: StepReport, opaque: Sequence[StepReport]) -> None:
        """Add the report of a step, and of what runs through its library inside it, or as a whole."""
        self.reports += opaque if [each.name for each in opaque] == [name] else [report, *opaque]

    def _raw_tables(self, data: Any) -> dict[str, Any] | None:
        """The columns of several raw tables; None for the output of a step, which is a single frame or array."""
        return from_arrow(conform(data, self.options.row)) if isinstance(data, Frames) else None

    def _check_small_batches(self, name: str, step: Any, plan: StepPlan, data: Any) -> None:
        """Check an own step on few rows, as in production: its code may depend on the count of rows."""
        row = self.options.row
        for rows in _SMALL_BATCHES:
            if isinstance(data, Frames):
                part: Any = to_pipeline_input(conform(data, row).slice(0, rows), row)
            else:
                part = data.iloc[:rows] if hasattr(data, "iloc") else data[:rows]
            if not self.options.context and part.shape[0] == rows:
                where = f"step {name}, {rows} rows alone"
                plan.check(where, part, few_rows_output(where, step, part), self._raw_tables(part))

    def _add_estimator(self, name: str, final: Any, data: Any) -> None:
        before = self.columns
        note_float32(before, data)
        self.build.sparse_input = hasattr(data, "tocsr")
        note_words(list(before.values()), data)
        plans = self._lazy_plans(final, data)
        if plans is not None:
            self.rows = rows_to_check(plans[PREDICTION].plan, data)
            data = data if self.rows is None else take(data, self.rows)
        with self.traces.watching(final):
            expected = library_outputs(name, final, data)
        self.last = None if isinstance(data, Frames) else LastStep(final, describe_input(data))
        self.answers = {METHODS[kind]: output for kind, output in expected.items()}
        checked = {kind: side_by_side(output) for kind, output in expected.items()}
        try:
            outputs = self._write_estimator(name, final, data, checked, plans)
        except (NoPlanError, UnfaithfulPlanError) as error:
            write, methods = prediction_writer(final), [METHODS[kind] for kind in checked]
            with self.opaque.through(Unplanned(name, final, data, methods, error, write, before)):
                outputs = self._write_estimator(name, final, data, checked)
        self.classes = class_labels(final)
        for kind, output in expected.items():
            self.outputs |= output_nodes(kind, outputs[kind], output, final)

    def _lazy_plans(self, final: Any, data: Any) -> dict[str, StepPlan] | None:
        """The plans of an estimator's outputs, where some rows may be enough to check it; None else."""
        if self.options.context or isinstance(data, Frames) or is_own(type(final)) or own_objects(final):
            return None
        if data.shape[0] <= LEAST:
            return None
        try:
            return StepPlan.write_outputs(outputs_writer(final), self.columns)
        except InputError:
            return None  # it is raised again once the library's answers are known

    def _write_estimator(
        self,
        name: str,
        final: Any,
        data: Any,
        checked: dict[str, Any],
        written: dict[str, StepPlan] | None = None,
    ) -> dict[str, list[Value]]:
        """The values of the outputs, whose plans agree with the library's answers `checked`, by kind."""
        before, distance = self.columns, Distance()
        outputs = outputs_writer(final)(before, self.build)
        by_kind = written or StepPlan.write_outputs(outputs_writer(final), before)
        plans = {METHODS[kind]: by_kind[kind] for kind in checked}
        columns = LibraryColumns(data, before)
        for kind, output in checked.items():
            method = METHODS[kind]
            where = f"step {name}, {method}"
            plans[method], apart = _checked(final, plans[method], where, data, output, columns)
            distance = distance.worst(apart)
            if output.dtype == np.float32:
                outputs[kind] = [as_float32(value, self.build) for value in outputs[kind]]
        opaque = self.opaque.reports(name)
        edges = EdgeCounts() if opaque else self.edges.estimator(name, final, plans, data, columns)
        checks = Checks(distance, edges, self.rows, float32=any(plan.float32 for plan in plans.values()))
        self._report(name, checks.report(name, final, len(before), len(outputs[PREDICTION])), opaque)
        return outputs


def _holds_xgboost(step: Any) -> bool:
    """Whether an XGBoost model is inside another step, which then computes with its float32 answers."""
    inner = (each for _, each in inner_steps("", step) if each is not step)
    return any(type(each).__module__.startswith("xgboost.") for each in inner)


def _checked(
    step: Any, plan: StepPlan, where: str, data: Any, expected: Any, columns: Mapping[str, PlanColumn]
) -> tuple[StepPlan, Distance]:
    """A step's plan as it passes its check, and its distance: within float32 where the library computes in that."""
    try:
        return plan, plan.check(where, data, expected, columns)
    except UnfaithfulPlanError:
        if not computes_float32(step, data) and not _holds_xgboost(step):
            raise
        plan = plan.in_float32()
        return plan, plan.check(where, data, expected, columns)
