"""What every output of a compiled pipeline differs in from its library's own, and why.

Each step alone agrees with its library within its error bounds, or compiling was refused. So a difference from end to
end has one of these reasons, tried in this order:

    rounding       numbers within 1e-9 of their size
    float32        the library answers in float32, or a step of it computes in float32
    ties           a step chose between equal values, or a value within rounding of a boundary (the step's flips); the
                   library's two highest scores are equal within rounding
    cancellation   a step subtracts large terms, and the library's rounding is left (the step's distance in ULPs)
    rounding, ties of earlier steps: the library's last step gives our answers for our input to it

What remains has no reason, and the report's headline says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.compile_report import OutputReport, StepReport
from pipeline_lib.compiled.opaque_input import library_input
from pipeline_lib.compiled.pipeline import DECISION, PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.compiler.library_answers import METHODS
from pipeline_lib.compiler.output_names import side_by_side

OUTPUTS = {PREDICTION: "predictions", PROBABILITY: "probabilities", DECISION: "decision values"}
_ROUNDING = 1e-9  # relative
_SINGLE = 1e-5  # relative: some hundred ULPs of float32
_CANCELLED = _ROUNDING / np.finfo(np.float64).eps  # ULPs
_LARGE = 1e-3  # relative: digits that a person reads
_SCALE = "; its columns are far from 0 beside their spread: put StandardScaler before it, and fit again"


def explains_differences(step: StepReport) -> bool:
    """Whether the check of a step alone found what any difference may come from: a boundary, float32, cancellation."""
    return step.flips > 0 or step.float32 or bool(step.ulps >= _CANCELLED)


@dataclass(frozen=True)
class LastStep:
    """The fitted last step of a pipeline: `given` describes its input (`opaque_step.describe_input`)."""

    final: Any
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Differences:
    """The outputs of a model beside the library's own, on the rows `table` after their `context`.

    `answer` gives the library's answer by method. `last` is None where no step comes before the last one.
    """

    model: CompiledPipeline
    table: Any
    context: Any
    answer: Callable[[str], Any]
    steps: Sequence[StepReport]
    last: LastStep | None

    def reports(self) -> tuple[OutputReport, ...]:
        """A report of each kind of output."""
        return tuple(self._report(kind) for kind in METHODS if kind in self._ours)

    def predictions(self) -> Any:
        """Our predictions: one for each row, or one for each target (rows, targets)."""
        ours = self._ours[PREDICTION]
        return ours[:, 0] if ours.shape[1] == 1 else ours

    @cached_property
    def _ours(self) -> dict[str, Any]:
        """Our outputs by kind: (rows, columns)."""
        outputs = from_arrow(_without_missing(self.model.evaluate(self.table, context=self.context).outputs))
        kinds: dict[str, list[Any]] = {}
        for name, column in outputs.items():
            values = column.tolist() if not isinstance(column, np.ndarray) else column
            kinds.setdefault(name.partition("[")[0], []).append(np.asarray(values))
        return {kind: np.column_stack(columns) for kind, columns in kinds.items()}

    def _theirs(self, kind: str) -> Any:
        answer = np.asarray(side_by_side(self.answer(METHODS[kind])))
        return answer.reshape(len(answer), -1)

    def _report(self, kind: str) -> OutputReport:
        ours, theirs = self._ours[kind], self._theirs(kind)
        changed = changed_values(ours, theirs)
        rows = np.flatnonzero(changed.any(axis=1))
        labels = kind == PREDICTION and (bool(self.model.classes) or ours.dtype.kind != "f")
        name = "labels" if labels else OUTPUTS[kind]
        if not len(rows):
            return OutputReport(name, len(ours))
        if labels:
            reason, detail = self._reason_of_labels(ours, theirs, rows)
            return OutputReport(name, len(ours), len(rows), reason=reason, detail=detail)
        apart, relative, ulps = _distances(ours, theirs.astype(np.float64), changed)
        reason, detail = self._reason_of_numbers(kind, ours, theirs, relative)
        return OutputReport(name, len(ours), len(rows), apart, relative, ulps, reason, detail)

    def _reason_of_numbers(self, kind: str, ours: Any, theirs: Any, relative: float) -> tuple[str, str]:
        if relative <= _ROUNDING:
            return "rounding", ""
        if theirs.dtype == np.float32 and relative <= _SINGLE:
            return "float32", ""
        return self._reason_of_steps(relative) or self._reason_before(kind, ours)

    def _reason_of_labels(self, ours: Any, theirs: Any, rows: Any) -> tuple[str, str]:
        for kind in (PROBABILITY, DECISION):
            scores = self._theirs(kind)[rows] if kind in self._ours else np.empty((0, 0))
            if scores.shape[1] and _highest_are_equal(scores.astype(np.float64), kind):
                return "ties", f"ties: the library's two highest {OUTPUTS[kind]} are equal within rounding"
        return self._reason_of_steps(np.inf) or self._reason_before(PREDICTION, ours)

    def _reason_of_steps(self, relative: float) -> tuple[str, str] | None:
        """The reason that the check of a step alone has found, for outputs that differ by so much."""
        for step in self.steps:
            if step.flips and not step.float32:
                ties = "points at the radius" if ".Radius" in step.kind else "ties at the k-th neighbour"
                at_neighbor = step.doubt.partition(",")[0] or ties
                is_near = bool(step.doubt) or ".neighbors." in step.kind
                return "ties", at_neighbor if is_near else f"ties: boundaries of step {step.name}"
        single = next((step for step in self.steps if step.float32), None)
        if single is not None:
            return "float32", f"float32 in the library, in step {single.name}"
        cancelled = next((step for step in self.steps if step.ulps >= _CANCELLED), None)
        if cancelled is None:
            return None
        advice = _SCALE if relative > _LARGE and ".cluster." in cancelled.kind else ""
        return "cancellation", f"large terms cancel in step {cancelled.name}{advice}"

    def _reason_before(self, kind: str, ours: Any) -> tuple[str, str]:
        """The last step enlarges the rounding of those before: for our input its library gives our answers."""
        if self.last is None or not self.model.plan.steps:
            return "", ""
        theirs = np.asarray(side_by_side(getattr(self.last.final, METHODS[kind])(self._our_input())))
        theirs = theirs.reshape(len(theirs), -1)[-len(ours) :]
        changed = changed_values(ours, theirs)
        numbers = ours.dtype.kind == theirs.dtype.kind == "f"
        if changed.any() and not (numbers and _distances(ours, theirs.astype(np.float64), changed)[1] <= _ROUNDING):
            return "", ""
        if numbers:
            return "rounding", "rounding of the steps before, which the last one enlarges"
        return "ties", "ties: values within the rounding of the steps before of a boundary of the last one"

    def _our_input(self) -> Any:
        """The plan's columns that reach the last step, as its library takes them."""
        assert self.last is not None  # noqa: S101  checked by the caller
        steps = self.model.evaluate(self.table, context=self.context, steps=True).steps
        columns = from_arrow(list(steps.values())[-1])
        nodes = list(self.model.plan.steps.values())[-1].values()
        dtypes = [self.model.plan.nodes[node].dtype for node in nodes]
        return library_input(self.last.given, list(columns.values()), dtypes, np.arange(self.table.num_rows))


def changed_values(ours: Any, theirs: Any) -> Any:
    """Where values differ; NaN is as good as NaN."""
    if ours.dtype.kind in "OUS" or theirs.dtype.kind in "OUS":
        ours, theirs = ours.astype(object), theirs.astype(object)
    return ~((ours == theirs) | ((ours != ours) & (theirs != theirs)))


def _distances(ours: Any, theirs: Any, changed: Any) -> tuple[float, float, float]:
    """The largest distance of values that differ: absolute, relative and in ULPs.

    Relative to the value, but not to less than the median of its column: a sum near 0 leaves no scale of its own.
    """
    with np.errstate(all="ignore"):
        apart = np.abs(ours - theirs)
        size = np.abs(theirs)
        scale = np.maximum(size, np.nanmedian(np.where(np.isfinite(size), size, np.nan), axis=0))
        relative = np.where(apart > 0, apart / np.where(scale > 0, scale, apart), 0.0)
        ulps = apart / np.spacing(np.where(size > 0, size, apart))
    values = [np.nan_to_num(each[changed], nan=np.inf).max() for each in (apart, relative, ulps)]
    return float(values[0]), float(values[1]), float(values[2])


def _without_missing(outputs: Any) -> Any:
    """Output columns whose integers stay integers: of labels none is missing."""
    fields = [field.with_nullable(field.nullable and not pa.types.is_integer(field.type)) for field in outputs.schema]
    return outputs.cast(pa.schema(fields))


def _highest_are_equal(scores: Any, kind: str) -> bool:
    """Whether the two highest scores of each row are equal within rounding; of one decision value, whether it is 0."""
    if scores.shape[1] == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores]) if kind == DECISION else scores
    if scores.shape[1] < 2:
        return False
    highest = np.sort(scores, axis=1)[:, -2:]
    return bool((highest[:, 1] - highest[:, 0] <= _ROUNDING * np.maximum(1.0, np.abs(highest[:, 1]))).all())
