"""Recorded sparse matrices, as a fitted encoder gives them: good for `toarray()`, and for handing on."""

from typing import Any

from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recorded_types import records
from pipeline_lib.compiler.tracing.registry import refused, rule


@records(lambda real: hasattr(real, "toarray") and getattr(real, "ndim", 0) == 2)
class RecordedSparse(Recorded):
    """A sparse matrix: what `OneHotEncoder().transform(X)` gives own code."""

    __slots__ = ()
    _kind = "sparse"
    _title = "sparse matrix"


@rule("sparse", "toarray")
def toarray(call: Call) -> Any:
    """The same columns as an array."""
    return call.values


@rule("sparse", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows, and of columns."""
    return RowCount(call.owner), len(call.values)


refused(
    "sparse", "todense A mean sum max min multiply dot tocsc getrow getcol T", "it is sparse", "write toarray() first"
)
