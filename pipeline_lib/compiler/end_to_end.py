"""The end-to-end comparison: predictions of the compiled pipeline against those of the libraries, and its speed."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.compile_report import CompileReport, StepReport
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.library_answers import LibraryAnswers
from pipeline_lib.compiler.output_differences import Differences, LastStep
from pipeline_lib.errors import InputError
from pipeline_lib.rows.split_tables import as_rows

_TIMED_ROWS = 200  # predicted one by one
_SLOW_ROWS = 10  # of pipelines whose rows take milliseconds
_TIMED_BULK = 8192  # rows predicted at once: a block of the executor
_TIMED_SECONDS = 0.1  # after which nothing is timed again
_FAR = 1e-6  # relative difference of a prediction that rounding cannot explain in most rows


def compile_report(
    model: CompiledPipeline,
    library: LibraryAnswers,
    table: Any,
    steps: Sequence[StepReport],
    last: LastStep | None = None,
) -> CompileReport:
    """The compile report of a model whose steps passed their checks: differences of outputs, speed on this machine.

    Raises InputError where most predictions differ, though each step alone agrees.
    """
    context, rest = (table.slice(0, library.context), table.slice(library.context)) if model.context else (None, table)
    theirs = np.asarray(library.answer("predict"))

    def answer(method: str) -> Any:
        return theirs if method == "predict" else library.last_answer(method)

    differences = Differences(model, rest, context, answer, steps, last)
    start = time.perf_counter()
    ours = differences.predictions()
    took = time.perf_counter() - start
    theirs = theirs.reshape(ours.shape)
    changed = ~((ours == theirs) | ((ours != ours) & (theirs != theirs)))
    ulps = difference = 0.0
    if ours.dtype.kind == theirs.dtype.kind == "f" and changed.any():
        apart = np.abs(ours - theirs)[changed]
        difference, ulps = float(apart.max()), float((apart / np.spacing(np.abs(theirs[changed]))).max())
    if not any(step.flips or step.float32 for step in steps):  # these explain any difference
        _refuse_far(ours, theirs, changed)
    outputs = differences.reports()
    rows = as_rows(rest.slice(0, 1 if context else _TIMED_ROWS), model.row)  # `context`: the rows before the first one
    before = context and context.to_pylist()
    model.predict_row(rows[0], context=before)
    once = _seconds(lambda: model.predict_row(rows[0], context=before))
    rows = rows[: _SLOW_ROWS if once * _TIMED_ROWS > _TIMED_SECONDS else _TIMED_ROWS]
    one = _seconds(lambda: [model.predict_row(row, context=before) for row in rows]) / len(rows)
    block = rest.slice(0, _TIMED_BULK)
    bulk = took / rest.num_rows
    if took < _TIMED_SECONDS:
        bulk = _seconds(lambda: model.predict(block, context=context)) / block.num_rows
    return CompileReport(
        rows=rest.num_rows,
        raw=len(model.row.names),
        steps=tuple(steps),
        unread=tuple(name for name in model.row.names if name not in set(model.reads)),
        ulps=ulps,
        difference=difference,
        changed=int(np.count_nonzero(changed if changed.ndim == 1 else changed.any(axis=1))),
        row_microseconds=one * 1e6,
        rows_per_second=1 / bulk,
        outputs=outputs,
    )


def _refuse_far(ours: Any, theirs: Any, changed: Any) -> None:
    """Refuse a plan whose predictions differ in most rows, though each of its steps passed its check."""
    far = changed
    if ours.dtype.kind == theirs.dtype.kind == "f":
        with np.errstate(all="ignore"):
            far = changed & ~(np.abs(ours - theirs) <= _FAR * np.abs(theirs))
    far = far if far.ndim == 1 else far.any(axis=1)
    if 2 * np.count_nonzero(far) > len(far):
        raise InputError(
            f"found predictions that differ from the pipeline's own in {np.count_nonzero(far):,} of {len(far):,} rows, "
            f"such as {ours[far][0]} for {theirs[far][0]}, though each step alone agrees, expected the same; "
            "does a step write into its input, or change between calls?"
        )


def _seconds(work: Callable[[], object]) -> float:
    times: list[float] = []
    while len(times) < 3 and sum(times) < _TIMED_SECONDS:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
