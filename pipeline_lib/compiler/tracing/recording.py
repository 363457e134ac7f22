"""A recording: own code runs on recorded objects, each of them columns of a plan, together with what the library makes.

    recorded object    values    columns of the plan, written with a Builder
                       reals     the library's own object, one for each shadow
                       rows      which rows of the input it has

A call on a recorded object makes both: the library runs on the shadows, a rule of the table writes the plan, and the
two are compared before the next line runs.
"""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.error_bounds import BoundedEvaluation, distance
from pipeline_lib.compiler.tracing.comparison import check_column, check_labels
from pipeline_lib.compiler.tracing.own_code.scan import only_raised
from pipeline_lib.compiler.tracing.recorded_types import recorded_type
from pipeline_lib.compiler.tracing.refusals import (
    PLAN,
    SourceLine,
    TraceRefusedError,
    current_line,
    line_of,
    own_frame,
    refuse,
)
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.compiler.tracing.shadows import prepare_shadows
from pipeline_lib.errors import InputError


@dataclass(frozen=True)
class RecordedLine:
    """What a line of own code became: the library's name for it, and the nodes that it wrote."""

    line: SourceLine | None
    name: str
    first: int
    end: int


@dataclass
class RowCheck:
    """A condition under which own code raises an error for a row, and its message."""

    condition: Value
    message: str


class UnrecordedTextError(Exception):
    """An error of own code whose text depends on the rows at hand; raised in place of the error itself."""


class Recording:
    """The state of one recording: the plan, the shadows, the lines, and the first refusal."""

    def __init__(self, data: Any, columns: Mapping[str, Value], *, is_trial: bool = False) -> None:
        context = max((value.build.lookback.context for value in columns.values()), default=0)
        self.build = Builder(checking=True, context=context)
        self.inputs = {
            name: self.build.input(name, value.dtype, value.abs_max, width=value.width)
            for name, value in columns.items()
        }
        self.columns = self._columns_of(self.inputs)
        prepared = prepare_shadows(data, columns)
        self.shadows = prepared.tables[:1] if is_trial else prepared.tables
        self.is_trial = is_trial
        self.alive = [True] * len(self.shadows)
        self.answered = [np.ones(shadow.shape[0], dtype=bool) for shadow in self.shadows]
        self._evaluations = [
            BoundedEvaluation(self.build.nodes, converted, shadow.shape[0])
            for shadow, converted in zip(self.shadows, prepared.columns[: len(self.shadows)], strict=True)
        ]
        self.codes: set[CodeType] = set()
        self.lines: list[RecordedLine] = []
        self.checks: list[RowCheck] = []
        self.batch = BatchDecisions()
        self.mixed: set[int] = set()  # columns of float64 that a function of a row makes of integers and others
        self.scope: Any = None  # the branches of a function that is called row by row
        self.substitution: Any = None  # the substitutes of own code, for functions that are called row by row
        self.refusal: TraceRefusedError | None = None
        self.all_rows = Rows()

    def _columns_of(self, inputs: Mapping[str, Value]) -> list[Value]:
        """The columns that own code gets: those of the plan, vectors number by number."""
        columns: list[Value] = []
        for name, value in inputs.items():
            if value.dtype == "bag":
                raise TraceRefusedError(
                    f"found sparse input {name!r}, expected a frame or array; make it dense before the own step"
                )
            columns += self.build.items(value) if value.dtype == "vector" else [value]
        return columns

    def line(self) -> SourceLine | None:
        """The line of own code that is running."""
        return current_line(self.codes)

    def refused(self, error: InputError) -> NoReturn:
        """Raise a refusal with the line of own code; the first one is kept, so that own code cannot swallow it."""
        if isinstance(error, TraceRefusedError) and self.refusal is error:
            raise error
        frame = own_frame(self.codes)
        if frame is not None and only_raised(frame):  # the text of an error: that it is raised counts, not its text
            raise UnrecordedTextError(line_of(frame.f_code, frame.f_lineno).text) from None
        line = None if getattr(error, "located", False) else self.line()
        named = TraceRefusedError(f"{line}: {error}" if line else str(error))
        self.refusal = self.refusal or named
        raise named from None

    def perform(
        self,
        name: str,
        real: Callable[[int], Any],
        write: Callable[[list[Any]], Any],
        rows: Rows | None = None,
        trusted: Sequence[Value] = (),
    ) -> Any:
        """The recorded result of one call: `real` runs the library on a shadow, `write` returns the plan's columns.

        `write` gets the library's results, and returns a Value, a list of them, or a recorded object. Columns that the
        library hands on as they are, `trusted`, are not compared again.
        """
        first = len(self.build.nodes)
        try:
            reals = self.on_shadows(name, real)
            written = write(reals)
            if isinstance(written, Value):
                written = [written]
            if isinstance(written, list):
                written = self.wrap(name, reals, written, rows or self.all_rows, trusted)
        except InputError as error:
            self.refused(error)
        self.lines.append(RecordedLine(self.line(), name, first, len(self.build.nodes)))
        return written

    def hand_on(self, name: str, reals: list[Any], values: Sequence[Value], rows: Rows) -> Any:
        """The recorded object of columns that the library hands on as they are."""
        self.lines.append(RecordedLine(self.line(), name, len(self.build.nodes), len(self.build.nodes)))
        return self.wrap(name, reals, values, rows, trusted=values)

    def on_shadows(self, name: str, real: Callable[[int], Any]) -> list[Any]:
        """What the library makes of each shadow; None for those that are given up."""
        results: list[Any] = [None] * len(self.shadows)
        for number in self.living():
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    results[number] = real(number)
            except TraceRefusedError:
                raise
            except Exception as error:
                if number == 0:
                    refuse(
                        f"{name}, which raises {type(error).__name__}: {str(error)[:200]}",
                        "it must answer for the training rows",
                        "correct the line",
                    )
                self.alive[number] = False
        return results

    def living(self) -> Iterator[int]:
        """The numbers of the shadows on which the library has answered so far."""
        return (number for number, alive in enumerate(self.alive) if alive)

    def wrap(
        self, name: str, reals: list[Any], values: Sequence[Value], rows: Rows, trusted: Sequence[Value] = ()
    ) -> Any:
        """The recorded object of the library's results and the plan's columns, once they were compared."""
        kind = recorded_type(reals[0])
        if kind is None:
            refuse(f"{name}, which gives {type(reals[0]).__name__}", "the recorder has no rule for it", PLAN)
        self.compare(name, reals, values, rows, {value.node for value in trusted})
        return kind(self, reals, list(values), rows)

    def compare(
        self, name: str, reals: list[Any], values: Sequence[Value], rows: Rows, trusted: Collection[int] = ()
    ) -> None:
        """Refuse a rule that writes another result than the library's, on any shadow that answers."""
        if self.is_trial:
            return
        for number in self.living():
            real = reals[number]
            width = 1 if real.ndim == 1 else real.shape[1]
            if width != len(values):
                refuse(
                    f"{name}, which gives {width} columns for some rows and {len(values)} for others",
                    "production needs the same columns for any rows",
                    "name the columns",
                )
            mask = rows.masks[number] if rows.condition is not None else np.ones(len(self.answered[number]), bool)
            if real.shape[0] != int(mask.sum()):
                refuse(
                    f"{name}, which gives {real.shape[0]} rows for {int(mask.sum())}",
                    "production predicts each row that it gets",
                    "drop or add rows before the pipeline, in `load` or `split`",
                )
            if hasattr(real, "index") and hasattr(self.shadows[number], "index"):
                check_labels(name, real.index, self.shadows[number].index, rows, mask)
            if any(value.node not in trusted for value in values) and not self._same_matrix(number, real, values, mask):
                for index, value in enumerate(values):
                    if value.node not in trusted:
                        self._compare_column(name, number, real, index, value, mask)

    def _same_matrix(self, number: int, real: Any, values: Sequence[Value], mask: Any) -> bool:
        """Whether many columns of float64 are the library's on one shadow, all of them compared at once."""
        if len(values) < _MANY or any(value.dtype != "float64" for value in values):
            return False
        dtypes = real.dtypes if hasattr(real, "dtypes") else real.dtype
        if hasattr(real, "toarray") or not np.all(dtypes == np.float64):
            return False
        vector = self.build.vector_of(values)
        try:
            if vector is None:
                found = np.array([self.evaluated(value, number) for value in values])
            else:
                found = self.evaluated(vector, number)
        except InputError:
            return False
        with np.errstate(all="ignore"):
            apart = distance(found[:, mask], np.asarray(real).T)
        if not apart.any():
            return True
        bound = None if vector is None else self.error_bound(vector, number)
        return bound is not None and bool((apart <= np.broadcast_to(bound, found.shape)[:, mask]).all())

    def _compare_column(self, name: str, number: int, real: Any, index: int, value: Value, mask: Any) -> None:
        try:
            column = self.evaluated(value, number)
        except InputError as error:
            if number == 0:
                refuse(f"{name}, where the plan refuses a training row ({error})", "it must answer for them", PLAN)
            self.alive[number] = False
            return
        check_column(
            name, real, index, value, column, lambda: self.error_bound(value, number), mask, self.answered[number]
        )

    def decide_batch(self, condition: Value) -> bool:
        """Whether any row meets a condition, at a branch of own code: as in the training rows, or as `ways` says.

        Shadows on which own code takes the other way are given up.
        """
        batch, node = self.batch, condition.node
        known = [each.node for each in batch.taken]
        if node in known:
            return batch.decided[known.index(node)]
        way = batch.ways.get(len(known), bool(self.evaluated(condition, 0)[self.answered[0]].any()))
        batch.taken.append(condition)
        batch.decided.append(way)
        batch.lines.append(self.line())
        for number in self.living():
            if number and not way and self.evaluated(condition, number).any():
                self.alive[number] = False
        return way

    def decide_value(self, condition: Value) -> bool:
        """The way of any value of a column, as in `[word for word in X["a"].unique() if word not in known]`.

        It is that of all training rows; the rows that would go the other way are asked for by `decide_batch`.
        """
        holds = np.asarray(self.evaluated(condition, 0))[self.answered[0]]
        if holds.any() and not holds.all():
            refuse(
                "a branch that some of a column's values take and others do not",
                "each row may take another branch",
                "write it with methods of the column, such as isin, or with map(f)",
            )
        usual = bool(holds.any())
        other = self.build.logical_not(condition) if usual else condition
        return self.decide_batch(other) is not usual

    def error_bound(self, value: Value, number: int) -> Any:
        """The error bound of a column of the plan on one shadow; None where its bits are the library's."""
        return self._evaluations[number].bound(value.node)

    def evaluated(self, value: Value, number: int) -> Any:
        """A column of the plan on one shadow."""
        return self._evaluations[number].values(value.node)


_MANY = 8
"""Columns that are compared all at once."""


@dataclass
class BatchDecisions:
    """Branches on whether any row meets a condition: `if (X["a"] < 0).any(): raise ...`.

    `taken` are the conditions, in order, `decided` whether own code got the answer that some row meets them; `ways`
    are the answers that are prescribed, by number. `values` is how many values a loop over `unique` sees.
    """

    ways: Mapping[int, bool] = field(default_factory=dict)
    values: int = 1
    taken: list[Value] = field(default_factory=list)
    decided: list[bool] = field(default_factory=list)
    lines: list[SourceLine | None] = field(default_factory=list)
    values_seen: list[SourceLine | None] = field(default_factory=list)
