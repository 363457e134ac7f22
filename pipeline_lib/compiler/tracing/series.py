"""Recorded Series: operators and methods of one column."""

from typing import Any

import pandas as pd

from pipeline_lib.compiler.tracing.arithmetic import operate
from pipeline_lib.compiler.tracing.assignment import assign_series, select_rows
from pipeline_lib.compiler.tracing.operators import Operators
from pipeline_lib.compiler.tracing.recorded import Call, rule
from pipeline_lib.compiler.tracing.recording import records


@records(lambda real: isinstance(real, pd.Series))
class RecordedSeries(Operators):
    """A column with an index: what `X["age"]` gives own code."""

    __slots__ = ()
    _kind = "series"
    _title = "Series"

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> Any:
        left, right = self._values[0], call.of(other, rows=self._rows)
        return operate(call, name, right, left) if swapped else operate(call, name, left, right)

    def __setitem__(self, key: Any, value: Any) -> None:
        assign_series(self, key, value)

    def __getitem__(self, key: Any) -> Any:
        return select_rows(self, key)


@rule("series", "fillna")
def fillna(call: Call, value: Any) -> Any:
    """The value, another where it is missing."""
    return call.build.fill(call.value, call.of(value))


@rule("series", "isna", "isnull")
def isna(call: Call) -> Any:
    """Whether a value is missing."""
    return call.value.missing()


@rule("series", "name", attribute=True, raw=True)
def name(call: Call) -> Any:
    """The column's name."""
    return call.owner._reals[0].name


@rule("series", "dtype", attribute=True, raw=True)
def dtype(call: Call) -> Any:
    """The library's dtype; it must be the same for any rows."""
    dtypes = {str(call.owner._reals[number].dtype) for number in call.recording.living()}
    if len(dtypes) > 1:
        call.stop(
            f"the dtype of a column that is {' or '.join(sorted(dtypes))}, by its rows",
            "it depends on the batch",
            "cast it first",
        )
    return call.owner._reals[0].dtype
