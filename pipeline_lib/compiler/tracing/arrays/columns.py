"""Columns as the rows of an array: `np.array([X["a"], X["b"]])` and `X.T`, mostly on the way to `.T`.

np.array([X["a"], X["b"]]).T      an array of two columns
low, high = X.T                   its columns
np.mean([X["a"], X["b"]], axis=0) a mean of each row
"""

from collections.abc import Iterator
from typing import Any

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import rule


class RecordedColumns(Recorded):
    """An array whose rows are recorded columns; `_source` is the recorded array that it is the transpose of."""

    __slots__ = ("_source",)
    _kind = "columns"
    _title = "array of columns"

    def __iter__(self) -> Iterator[Any]:
        return (self._source[:, index] for index in range(len(self._values)))

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], slice) and key[1] == slice(None):
            key = key[0]
        if isinstance(key, slice):
            return transposed(self._source[:, key])
        if not isinstance(key, int):
            self._stop(f"an index {key!r} of an array of columns", "the recorder has no rule for it", PLAN)
        return self._source[:, key]


def transposed(array: Recorded) -> RecordedColumns:
    """The transpose of a recorded array of two dimensions."""
    reals = [None if real is None else real.T for real in array._reals]
    result = RecordedColumns(array._recording, reals, list(array._values), array._rows)
    object.__setattr__(result, "_source", array)
    return result


@rule("columns", "T", attribute=True, raw=True)
def columns_transposed(call: Call) -> Any:
    """The columns side by side."""
    return call.owner._source[:]


@rule("columns", "transpose", raw=True)
def columns_transpose(call: Call) -> Any:
    """The columns side by side."""
    return call.owner._source[:]


@rule("columns", "shape", attribute=True, raw=True)
def columns_shape(call: Call) -> Any:
    """The number of columns, and of rows."""
    return len(call.values), RowCount(call.owner._source)


@rule("columns", "__len__", raw=True)
def columns_length(call: Call) -> Any:
    """The number of columns."""
    return len(call.values)
