"""Fidelity: a step's plan must compute what its library computes, or compiling is refused.

Each step is checked by itself, so that the message names the step, the column and the row, and an error cannot hide
behind later steps. The plan gets the library's own input to the step, not the plan's earlier result:

    library's input ---> step.transform ---------> expected result ---+
          |                                                           |   distance <= error bound,
          +------------> plan, evaluated with  --> result ------------+   number by number
                         error bounds          --> error bound -------+

With `checking` a builder also writes `allow_ulps`, the operations by which adapters state how far their library's
formula is from ours; the plan of production does not have them. `error_bounds` describes the bounds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.column_comparison import Comparison, Distance
from pipeline_lib.compiler.error_bounds import BoundedEvaluation
from pipeline_lib.compiler.float32_bounds import Float32Evaluation
from pipeline_lib.compiler.known_words import known_words
from pipeline_lib.compiler.library_input import LibraryColumns, library_column
from pipeline_lib.errors import InputError

Write = Callable[[dict[str, Value], Builder], Sequence[Value]]


def check_step(
    where: str,
    write: Write,
    before: Mapping[str, Value],
    data: Any,
    expected: Any,
    columns: Mapping[str, PlanColumn] | None = None,
) -> Distance:
    """Evaluate a step's plan on `data`, the library's input to it, and compare with `expected`, its output.

    `before` are the plan's columns that are the input of the step; `columns` are their values, where `data` is not a
    single frame, array or sparse matrix. `expected` is compared column by column. Raises InputError where the plan
    is farther away than its error bounds.
    """
    return StepPlan.write(write, before).check(where, data, expected, columns)


class SharedEvaluation:
    """The last evaluation of a plan, for outputs that are compared one after the other on the same columns."""

    def __init__(self) -> None:
        self._columns: Mapping[str, PlanColumn] | None = None
        self._evaluation: BoundedEvaluation | None = None

    def of(
        self, plan: Plan, columns: Mapping[str, PlanColumn], rows: int, *, float32: bool = False
    ) -> BoundedEvaluation:
        """The evaluation of a plan over columns; nodes that an output before has evaluated are known."""
        if self._evaluation is None or self._columns is not columns:
            kind = Float32Evaluation if float32 else BoundedEvaluation
            self._columns, self._evaluation = columns, kind(plan.nodes, columns, rows)
        return self._evaluation


@dataclass(frozen=True)
class StepPlan:
    """A step's plan as it is checked, with what its adapter allows the library; written once, for any rows.

    `before` are the plan's columns that are the input of the step, `roots` its output. With `float32` the library may
    differ by the rounding of float32, in which it computes.
    """

    before: Mapping[str, Value]
    plan: Plan
    roots: tuple[Value, ...]
    shared: SharedEvaluation = field(default_factory=SharedEvaluation, compare=False)
    float32: bool = False

    def in_float32(self) -> "StepPlan":
        """The plan beside a library that computes in float32."""
        return replace(self, shared=SharedEvaluation(), float32=True)

    @classmethod
    def write_outputs(
        cls, write: Callable[[dict[str, Value], Builder], Mapping[str, Sequence[Value]]], before: Mapping[str, Value]
    ) -> dict[str, "StepPlan"]:
        """Write a plan of several outputs, by name; what they share is evaluated once."""
        outputs: dict[str, Sequence[Value]] = {}

        def write_all(columns: dict[str, Value], build: Builder) -> Sequence[Value]:
            outputs.update(write(columns, build))
            return []

        whole = cls.write(write_all, before)
        return {name: replace(whole, roots=tuple(values)) for name, values in outputs.items()}

    @classmethod
    def write(cls, write: Write, before: Mapping[str, Value]) -> "StepPlan":
        """Write the plan of a step over copies of its input columns."""
        builder = Builder(
            checking=True, context=max((value.build.lookback.context for value in before.values()), default=0)
        )
        builder.traces = next((value.build.traces for value in before.values()), None)
        builder.opaque = next((value.build.opaque for value in before.values()), None)
        builder.sparse_input = next((value.build.sparse_input for value in before.values()), False)
        inputs = {name: _copy_input(name, value, builder) for name, value in before.items()}
        roots = tuple(write(inputs, builder))
        nodes = builder.nodes if builder.opaque is None else builder.opaque.nodes(builder.nodes)
        return cls(before, Plan(nodes, {}), roots)

    def columns(self, data: Any) -> "LibraryColumns":
        """The library's input to the step, a frame, array or sparse matrix, as columns of the plan."""
        return LibraryColumns(data, self.before)

    def check(self, where: str, data: Any, expected: Any, columns: Mapping[str, PlanColumn] | None = None) -> Distance:
        """Compare with the library's output for `data`, as `check_step` does."""
        columns = self.columns(data) if columns is None else columns
        worst = Distance()
        doubt = self.doubt
        unsure = np.zeros(data.shape[0], dtype=bool)
        for label, comparison in self.compare(where, data, expected, columns):
            worst = worst.worst(comparison.distance(f"{where}, column {label}"))
            if doubt:
                unsure |= comparison.unsure_rows(len(unsure))
        return replace(worst, unsure=int(unsure.sum()), doubt=doubt) if unsure.any() else worst

    @property
    def doubt(self) -> str:
        """Why the library may have no answer of its own in some rows, "" where it has one in all."""
        doubts = (OPERATIONS[node.operation].doubt(node.settings) for node in self.plan.nodes if node.inputs)
        return next((doubt for doubt in doubts if doubt), "")

    def compare(
        self, where: str, data: Any, expected: Any, columns: Mapping[str, PlanColumn]
    ) -> Iterator[tuple[str, "Comparison"]]:
        """The output columns, as a message shows them, each compared with the library's output for `data`.

        Columns that pass through are left out where they are equal. Raises RefusedRowsError for a row that the plan
        refuses.
        """
        width = 1 if len(expected.shape) == 1 else expected.shape[1]
        if sum(value.width for value in self.roots) != width:
            raise InputError(
                f"{where}: found a plan of {len(self.roots)} columns, expected the {width} that the step makes"
            )
        rows, equal = data.shape[0], self._passed_through(data, expected)
        compared = [value for number, value in enumerate(self.roots) if number not in equal]
        evaluation = self.shared.of(self.plan, columns, rows, float32=self.float32)
        results = iter([evaluation.column(value.node) for value in compared])
        index = 0
        for number, value in enumerate(self.roots):
            if number not in equal:
                column, bound = next(results)
                reference = library_column(expected, index, value.dtype, value.width)
                label = repr(str(expected.columns[index])) if hasattr(expected, "columns") else str(index)
                yield label, Comparison.of(column, bound, reference, rows)
            index += value.width

    def _passed_through(self, data: Any, expected: Any) -> set[int]:
        """The outputs that are an input column, in the plan and in the library's frames; none where one differs."""
        if not hasattr(data, "iloc") or not hasattr(expected, "iloc") or expected.ndim == 1:
            return set()
        places = {name: place for place, name in enumerate(self.before)}
        nodes = [self.plan.nodes[value.node] for value in self.roots]
        passed = {
            number: places[node.settings["column"]] for number, node in enumerate(nodes) if node.operation == "input"
        }
        same = data.iloc[:, list(passed.values())].equals(expected.iloc[:, list(passed)])
        return set(passed) if same else set()


def _copy_input(name: str, value: Value, build: Builder) -> Value:
    """An input of another builder, with the properties of a value of the plan."""
    node = value.build.nodes[value.node]
    table = node.settings["table"] if node.operation == "input" else "rows"
    copied = build.input(name, value.dtype, value.abs_max, width=value.width, table=table)
    build.known_words[copied.node] = known_words(value)
    if value.node in value.build.float32_nodes:
        build.float32_nodes.add(copied.node)
    return copied
