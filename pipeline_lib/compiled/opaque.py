"""Opaque steps: their library evaluates them, as repeatably as it allows.

State is loaded against our own allow-list (`opaque_trust`, `opaque_state`). A library's sums may depend on the shape of
the batch and on the number of threads, so rows are evaluated on one thread, in one of three ways that the compiler
chooses by trying (`compiler.opaque_shapes`):

    no `block`    blocks of 256 rows, the last one padded with its last row: one row alone has the block shape that it
                  has in a million rows
    block=1       row by row: the result also depends on a row's place in its block
    block=n       up to n rows at once, without padding: every shape that was tried gave the same bits

Another CPU or BLAS may still give other bits.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import KINDS, PlanColumn, concat_rows
from pipeline_lib.compiled.opaque_input import broadcast, library_input, no_rows, plan_results, row_count
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.errors import InputError

BLOCK_ROWS = 256  # part of what an artifact computes: another size may give other bits
_SHOWN = 300  # characters of a library's message


class OpaqueRunner:
    """Evaluates one method of a loaded step over blocks of a plan's columns.

    `dtypes` are those of the columns. `settings` are the operation's, see `operations.opaque`.
    """

    def __init__(self, step: Any, settings: Mapping[str, Any], dtypes: Sequence[str]) -> None:
        self._call = getattr(step, settings["method"])
        self._settings, self._dtypes = settings, list(dtypes)
        self._results = list(settings["dtypes"])
        self._block = settings.get("block")

    def __call__(self, *columns: PlanColumn) -> list[PlanColumn]:
        """The step's columns, of as many rows as the input columns have.

        Raises RefusedRowsError for a row for which the library raises an error.
        """
        rows = _rows(columns)
        if rows == 0:
            return [no_rows(dtype, self._settings.get("width", 1)) for dtype in self._results]
        columns = tuple(broadcast(column, dtype, rows) for column, dtype in zip(columns, self._dtypes, strict=True))
        size = self._block or BLOCK_ROWS
        with quiet_libraries():
            blocks = [self._rows_from(columns, start, min(start + size, rows)) for start in range(0, rows, size)]
        return [concat_rows(parts) for parts in zip(*blocks, strict=True)]

    def _rows_from(self, columns: Sequence[PlanColumn], start: int, stop: int) -> list[PlanColumn]:
        """The results for the rows from `start` to `stop`, at most one block."""
        try:
            return self._evaluate(columns, np.arange(start, stop))
        except (InputError, ImportError):  # a package that is missing here is no fault of the row
            raise
        except Exception as error:  # the library's own checks, in whatever words
            row = self._first_refused(columns, start, stop)
            raise RefusedRowsError(row, self._refusal(error)) from error

    def _evaluate(self, columns: Sequence[PlanColumn], rows: Any) -> list[PlanColumn]:
        taken = rows if self._block else np.minimum(np.arange(rows[0], rows[0] + BLOCK_ROWS), rows[-1])
        result = self._call(library_input(self._settings, columns, self._dtypes, taken))
        if row_count(result) != len(taken):
            raise InputError(
                f"step {self._settings['step']}: found {row_count(result)} rows for {len(taken)}, expected one for "
                "one; a step that drops rows cannot serve production"
            )
        return plan_results(result, self._results, len(rows))

    def _first_refused(self, columns: Sequence[PlanColumn], start: int, stop: int) -> int:
        """The first row that the library refuses alone; the block's first where it takes each."""
        for row in range(start, stop):
            try:
                self._evaluate(columns, np.arange(row, row + 1))
            except Exception:
                return row
        return start

    def _refusal(self, error: Exception) -> str:
        name = self._settings["step"]
        if self._settings.get("hidden"):
            return f"step {name}: found a row that its library refuses ({type(error).__name__}; its message is hidden)"
        lines = str(error).strip().splitlines() or [""]
        return (
            f"step {name}: found a row that its library refuses ({type(error).__name__}: {lines[0][:_SHOWN]}), "
            "expected one that it takes; correct the row, or handle such values in a step before"
        )


def _rows(columns: Sequence[PlanColumn]) -> int:
    """How many rows columns have; constants are scalars, and where all are, one row stands for each."""
    lengths = [
        np.shape(column)[-1] if isinstance(column, np.ndarray) else len(column)
        for column in columns
        if isinstance(column, KINDS) or np.ndim(column)
    ]
    return max(lengths, default=1)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """One thread, no optional accelerators of pandas, and no notice of a known change in select_dtypes."""
    import pandas as pd
    import sklearn.utils  # noqa: F401  loads the thread pools that are limited
    from threadpoolctl import threadpool_limits

    options = ("compute.use_bottleneck", False, "compute.use_numexpr", False)
    with threadpool_limits(limits=1), pd.option_context(*options), warnings.catch_warnings():
        quiet_select_dtypes()
        warnings.filterwarnings("ignore", message="'future.no_silent_downcasting' is deprecated")  # category_encoders
        yield


def quiet_select_dtypes() -> None:
    """Silence pandas' notice that a selection of object columns will no longer include str columns.

    feature-engine 1.9 checks its input with select_dtypes of object columns; pandas 3 still includes str columns, so
    no result changes.
    """
    warnings.filterwarnings("ignore", message="For backward compatibility, 'str' dtypes", category=DeprecationWarning)
