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
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.library_columns import plan_column
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.sparse import SparseColumn, aligned
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.error_bounds import BoundedEvaluation, distance
from pipeline_lib.compiler.float32_bounds import Float32Evaluation
from pipeline_lib.compiler.known_words import known_words
from pipeline_lib.errors import InputError

_ROUNDED = 2.0**20  # ULPs: less is rounding, also where a bound is infinite; a choice between values is more


class UnfaithfulPlanError(InputError):
    """A step whose plan differs from its library by more than rounding explains."""


Write = Callable[[dict[str, Value], Builder], Sequence[Value]]


@dataclass(frozen=True)
class Distance:
    """The distance of a step's plan from its library's own result.

    `ulps` is the largest distance of a number in units in the last place, `share` the largest distance as a part of
    its error bound, `flips` the count of rows on a boundary in which the library chose the other side. `unsure` is the
    count of rows in which the library has no answer of its own, because of `doubt`: on another machine it may differ.
    """

    ulps: float = 0.0
    share: float = 0.0
    flips: int = 0
    unsure: int = 0
    doubt: str = ""

    def worst(self, other: "Distance") -> "Distance":
        """The larger of two distances in each respect."""
        return Distance(
            max(self.ulps, other.ulps),
            max(self.share, other.share),
            max(self.flips, other.flips),
            max(self.unsure, other.unsure),
            self.doubt or other.doubt,
        )


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


class LibraryColumns(Mapping[str, PlanColumn]):
    """A library's frame, array or sparse matrix as columns of a plan, converted when they are first read.

    `before` are the columns' values in the plan, in order.
    """

    def __init__(self, data: Any, before: Mapping[str, Value]) -> None:
        self._data = data
        self._values: dict[str, tuple[int, Value]] = {}
        self._columns: dict[str, PlanColumn] = {}
        self._series: list[Any] = []  # of a frame: faster than one by one
        index = 0
        for name, value in before.items():
            self._values[name] = (index, value)
            index += value.width

    def __getitem__(self, name: str) -> PlanColumn:
        """A column of the plan."""
        if name not in self._columns:
            index, value = self._values[name]
            if value.dtype == "float64" and self._numbers is not None:
                self._columns[name] = self._numbers[index]
            elif value.dtype not in ("vector", "bag") and hasattr(self._data, "columns"):
                self._series = self._series or [column for _, column in self._data.items()]
                self._columns[name] = plan_column(self._series[index], value.dtype)
            else:
                self._columns[name] = library_column(self._data, index, value.dtype, value.width)
        return self._columns[name]

    @cached_property
    def _numbers(self) -> NDArray[np.float64] | None:
        """A frame or array of float64 alone, (columns, rows): faster than column by column. None for others."""
        dtypes = list(self._data.dtypes) if hasattr(self._data, "columns") else [getattr(self._data, "dtype", None)]
        if self._data.ndim != 2 or hasattr(self._data, "tocsr") or any(dtype != np.float64 for dtype in dtypes):
            return None
        return np.array(np.asarray(self._data).T, order="C")

    def __iter__(self) -> Iterator[str]:
        """The names of the columns, in order."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._values)


def _copy_input(name: str, value: Value, build: Builder) -> Value:
    """An input of another builder, with the properties of a value of the plan."""
    node = value.build.nodes[value.node]
    table = node.settings["table"] if node.operation == "input" else "rows"
    copied = build.input(name, value.dtype, value.abs_max, width=value.width, table=table)
    build.known_words[copied.node] = known_words(value)
    if value.node in value.build.float32_nodes:
        build.float32_nodes.add(copied.node)
    return copied


@dataclass(frozen=True)
class Comparison:
    """A column of a plan beside its reference, number by number.

    `apart` is how far apart they are, `allowed` how far they may be, `wrong` where that is exceeded. `sparse_rows` are
    the rows of a sparse column's numbers, of which each has some.
    """

    column: PlanColumn
    reference: PlanColumn
    apart: Any
    allowed: Any
    wrong: Any
    sparse_rows: Any = None

    @classmethod
    def of(cls, column: PlanColumn, bound: Any, reference: PlanColumn, rows: int) -> "Comparison":
        """Compare a column with a reference, within a bound (None: none is allowed)."""
        sparse_rows = None
        if isinstance(column, SparseColumn) or isinstance(reference, SparseColumn):
            sparse_rows, column, bound, reference = aligned(SparseColumn.of(column), bound, SparseColumn.of(reference))
        shape = np.shape(bound) or None or np.shape(reference) or (rows,)
        with np.errstate(all="ignore"):
            apart = np.broadcast_to(distance(column, reference), shape)
            allowed = np.broadcast_to(0.0 if bound is None else bound, apart.shape)
            wrong = (apart > 0) & ~(apart <= allowed)  # a bound of NaN allows nothing
        return cls(column, reference, apart, allowed, wrong, sparse_rows)

    def wrong_rows(self) -> NDArray[np.intp]:
        """The rows with a number that is farther away than its bound, in order."""
        at = np.unique(np.nonzero(self.wrong)[-1])
        return at if self.sparse_rows is None else np.unique(self.sparse_rows[at])

    def unsure_rows(self, rows: int) -> NDArray[np.bool_]:
        """The rows with a number that may be any, as its bound is infinite."""
        unsure = np.isinf(self.allowed)
        if self.sparse_rows is None:
            return np.asarray(unsure if unsure.ndim < 2 else unsure.any(axis=0))
        found = np.zeros(rows, dtype=bool)
        found[self.sparse_rows[unsure]] = True
        return found

    def first(self, row: int | None = None) -> tuple[Any, Any]:
        """The plan's number and the library's, where they first differ: in any row, or in one."""
        at = self._at(row)
        if isinstance(self.column, TextColumn):
            return self.column.tolist()[at[-1]], self.reference.tolist()[at[-1]]
        return self.column[at].item(), np.asarray(self.reference)[at].item()

    def distance(self, where: str) -> Distance:
        """The distance of the column; raises UnfaithfulPlanError where it is larger than the bound."""
        if self.wrong.any():
            raise UnfaithfulPlanError(self._message(where))
        apart, allowed = self.apart, self.allowed
        finite = np.isfinite(apart) & (apart > 0)
        if not finite.any():
            return Distance(flips=int(np.isinf(apart).sum()))
        with np.errstate(all="ignore"):
            size = np.abs(np.asarray(self.reference, dtype=np.float64))
            spacing = np.spacing(np.where(size > 0, size, apart))  # terms that cancel leave no scale but the distance
            chosen_otherwise = np.isinf(allowed) & (apart > _ROUNDED * spacing)
            flips = int(chosen_otherwise.sum())
            bounded = finite & ~chosen_otherwise
            if not bounded.any():
                return Distance(flips=flips)
            return Distance(float((apart / spacing)[bounded].max()), float((apart / allowed)[bounded].max()), flips)

    def _at(self, row: int | None = None) -> tuple[Any, ...]:
        wrong = self.wrong
        if row is not None:
            rows = np.arange(wrong.shape[-1]) if self.sparse_rows is None else self.sparse_rows
            wrong = wrong & (rows == row)
        return np.unravel_index(int(np.argmax(wrong)), wrong.shape)

    def _message(self, where: str) -> str:
        at = self._at()
        row = at[-1] if self.sparse_rows is None else self.sparse_rows[at[-1]]
        found, expected = self.first()
        return (
            f"{where}: found {found!r} from the plan in row {row}, expected {expected!r} as the library computes it "
            f"(within {float(self.allowed[at]):.3g}; {int(self.wrong.sum()):,} values differ): the step cannot be "
            "compiled faithfully"
        )


def library_column(data: Any, index: int, dtype: str, width: int = 1) -> PlanColumn:
    """Column `index` of a library's frame, array or sparse matrix, converted to a column of a plan."""
    if dtype in ("vector", "bag"):
        part = data[:, index : index + width] if not hasattr(data, "iloc") else data.iloc[:, index : index + width]
        if dtype == "bag":
            return SparseColumn.of(part if hasattr(part, "tocoo") else np.asarray(part, dtype=float).T)
        return np.ascontiguousarray((part.toarray() if hasattr(part, "toarray") else np.asarray(part)).T, dtype=float)
    if hasattr(data, "toarray"):
        data = data[:, [index]].toarray()[:, 0]
    elif hasattr(data, "iloc"):
        data = data.iloc[:, index] if data.ndim == 2 else data
    elif data.ndim == 2:
        data = data[:, index]
    return plan_column(data, dtype)
