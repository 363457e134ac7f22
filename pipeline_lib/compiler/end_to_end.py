"""The end-to-end comparison: predictions of the compiled pipeline against those of the libraries, and its speed."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.compile_report import CompileReport, StepReport
from pipeline_lib.compiled.operations.kept_results import kept_results
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.library_answers import LibraryAnswers
from pipeline_lib.compiler.output_differences import Differences, LastStep, changed_values, explains_differences
from pipeline_lib.errors import InputError
from pipeline_lib.rows.split_tables import as_rows

_TIMED_ROWS = 200  # predicted one by one
_SLOW_ROWS = 10  # of pipelines whose rows take milliseconds
_FIRST_BULK = 128  # rows predicted at once, then more
_TIMED_BULK = 8192  # a block of the executor
_TIMED_SECONDS = 0.05  # after which nothing is timed again
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
    ours = differences.predictions()
    theirs = theirs.reshape(ours.shape)
    changed = changed_values(ours, theirs)
    ulps = difference = 0.0
    if ours.dtype.kind == theirs.dtype.kind == "f" and changed.any():
        apart = np.abs(ours - theirs)[changed]
        difference, ulps = float(apart.max()), float((apart / np.spacing(np.abs(theirs[changed]))).max())
    if not any(map(explains_differences, steps)):
        _refuse_far(ours, theirs, changed)
    outputs = differences.reports()
    with kept_results(keep=False):  # as production computes them
        one = _seconds_of_a_row(model, rest, context)
        bulk = _seconds_among_many(model, rest, context)
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


def _seconds_of_a_row(model: CompiledPipeline, rest: Any, context: Any) -> float:
    """How long a row takes that comes alone."""
    first, before = as_rows(rest.slice(0, 1), model.row)[0], context and context.to_pylist()
    model.predict_row(first, context=before)
    once = _seconds(partial(model.predict_row, first, context=before))
    count = _SLOW_ROWS if once * _TIMED_ROWS > _TIMED_SECONDS else _TIMED_ROWS
    rows = as_rows(rest.slice(0, 1 if context else count), model.row)  # `context`: the rows before the first one
    return _seconds(lambda: [model.predict_row(row, context=before) for row in rows]) / len(rows)


def _seconds_among_many(model: CompiledPipeline, rest: Any, context: Any) -> float:
    """How long a row takes in a block of the executor, or among as many as are predicted in the time of a trial."""
    most: int = min(_TIMED_BULK, rest.num_rows)
    rows = min(_FIRST_BULK, most)
    while True:
        took = _seconds(partial(model.predict, rest.slice(0, rows), context=context))
        if rows == most or 2 * took > _TIMED_SECONDS:
            return took / rows
        rows = min(most, max(2 * rows, int(rows * _TIMED_SECONDS / took)))


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
