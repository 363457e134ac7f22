"""Raw rows of Arrow tables and DataFrames as the core reads them: where they are, block by block, without a copy.

`Incoming` says which columns of a schema the core reads itself. It checks each value while it reads it, and what it
does not at once see to be valid it refuses: the answer is None, and `conform` decides. The other columns, which NumPy's
nodes take or whose rules only `conform` checks, go the usual way.

    Arrow table ----- C arrays ------+
    DataFrame: NumPy - buffers ------+--- Reader (rules of the schema) ---> Batch ---> Plan.run
               Arrow - C streams ----+
"""

import math
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.quick_columns import frame_arrays, quick_columns
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.schema import RowSchema

Rule = tuple[str, str, bool, float, float, int, int, tuple[Any, ...] | None]
_LARGEST = 2**63 - 1
_KINDS = {"number": "dd", "integer": "in", "boolean": "bm", "string": "tt", "datetime": "ww", "date": "yy"}
_UNITS = {np.dtype(f"datetime64[{unit}]"): unit[0] for unit in ("s", "ms", "us", "ns")}


def column_rule(column: Column) -> Rule | None:
    """What the core checks of a column's values; None for a rule that `conform` alone checks."""
    if column.pattern is not None:
        return None
    kind = _KINDS[column.kind][column.nullable]
    low, high, least, most = -math.inf, math.inf, -_LARGEST - 1, _LARGEST
    if column.kind == "number":
        low, high = _float_bounds(column)
    elif column.kind == "string":
        least, most = column.min_length or 0, _LARGEST if column.max_length is None else column.max_length
    else:
        least, most = _whole_bounds(column)
    allowed = None if column.allowed is None else tuple(sorted(column.allowed))
    return (column.name, kind, column.nullable, low, high, least, most, allowed)


def _float_bounds(column: Column) -> tuple[float, float]:
    """The least and the largest number: an excluded bound is the next one inside."""
    lows, highs = [-math.inf], [math.inf]
    if column.finite:
        lows, highs = [math.nextafter(-math.inf, 0.0)], [math.nextafter(math.inf, 0.0)]
    lows += [float(bound) for bound in (column.ge,) if bound is not None]  # type: ignore[arg-type]
    lows += [math.nextafter(bound, math.inf) for bound in (column.gt,) if bound is not None]  # type: ignore[arg-type]
    highs += [float(bound) for bound in (column.le,) if bound is not None]  # type: ignore[arg-type]
    highs += [math.nextafter(bound, -math.inf) for bound in (column.lt,) if bound is not None]  # type: ignore[arg-type]
    return max(lows), min(highs)


def _whole_bounds(column: Column) -> tuple[int, int]:
    """The least and the largest integer, or microseconds of a datetime or date, that a column may have."""
    ends = {
        "integer": (-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) if column.nullable else (-_LARGEST - 1, _LARGEST),
        "datetime": (_microseconds(datetime.min), _microseconds(datetime.max)),
        "date": (_microseconds(date.min), _microseconds(date.max)),
    }
    least, most = ends.get(column.kind, (-_LARGEST - 1, _LARGEST))
    lows = [least, *_whole(column.ge, 0), *_whole(column.gt, 1)]
    highs = [most, *_whole(column.le, 0), *_whole(column.lt, -1)]
    return min(max(lows), _LARGEST), max(min(highs), -_LARGEST - 1)


def _whole(bound: Any, more: int) -> list[int]:
    if bound is None:
        return []
    return [(bound if isinstance(bound, int) else _microseconds(bound)) + more]


def _microseconds(moment: date) -> int:
    return int(np.datetime64(moment, "us").astype(np.int64))


class Incoming:
    """The raw columns of a schema, split into those that the core reads itself and the `others`.

    `taken` are the names of the raw columns that the core takes; those in `shared` NumPy's nodes take, too.
    """

    def __init__(self, schema: RowSchema, taken: Collection[str], shared: Collection[str]) -> None:
        known = {column.name: column_rule(column) for column in schema.columns if column.name in taken}
        rules = tuple(rule for rule in known.values() if rule is not None)
        self.numbers = {rule[0]: number for number, rule in enumerate(rules)}
        others = [name for name in schema.names if name not in self.numbers or name in shared]
        self.others = schema.keep(others) if others else None
        self._names = list(self.numbers)
        module = built()
        self._reader = None if module is None or not rules else module.Reader(rules)
        self._known: tuple[Any, Any] = None, None

    def read(self, data: Any) -> Any | None:
        """The batch of a table of Arrow or a DataFrame of pandas; None for what `conform` decides."""
        if self._reader is None:
            return None
        if type(data).__module__.startswith("pyarrow"):
            return self._of_arrow(data)
        if type(data).__module__.startswith("polars") and hasattr(data, "to_arrow"):
            return self._of_arrow(data.to_arrow())
        arrays, _ = frame_arrays(data)
        if arrays is None:
            return None
        sources = [_source(arrays.get(name)) for name in self._names]
        return None if any(source is None for source in sources) else self._reader.columns(sources)

    def _of_arrow(self, data: Any) -> Any | None:
        import pyarrow as pa

        if not isinstance(data, pa.Table | pa.RecordBatch):
            return None
        layout = self._layout_of(data.schema)
        try:
            data.validate()  # the C interface has no lengths: buffers are as long as the arrays say
        except pa.ArrowInvalid:
            return None
        batches = data.to_batches() if isinstance(data, pa.Table) else [data]
        return layout and self._reader.batches(layout, batches)  # type: ignore[union-attr]

    def _layout_of(self, schema: Any) -> Any | None:
        """Where the columns of a schema are. The last one is kept: batch after batch has the same."""
        known, layout = self._known
        if known is None or not known.equals(schema, check_metadata=True):
            plain = "\0" not in "".join(schema.names)  # the C interface ends names at a zero
            layout = self._reader.layout(schema.__arrow_c_schema__()) if plain else None  # type: ignore[union-attr]
            self._known = schema, layout  # in one step: other threads read it
        return layout

    def other_columns(self, data: Any, rows: int) -> dict[str, PlanColumn] | None:
        """The other columns; None where one of them is refused, or has other rows."""
        if self.others is None:
            return {}
        quick = quick_columns(data, self.others)
        if quick is None:
            from pipeline_lib.compiled.arrow import from_arrow
            from pipeline_lib.rows.conform import conform

            try:
                table = conform(data, self.others, for_executor=True)
            except InputError:  # not all problems: the check of all columns names them
                return None
            quick = from_arrow(table), table.num_rows
        return quick[0] if quick[1] == rows else None


def _source(values: Any) -> Any | None:
    """What the core reads of a column of a DataFrame: a buffer, integers with their unit of time, an Arrow stream."""
    if isinstance(values, np.ndarray):
        unit = _UNITS.get(values.dtype)
        return values if unit is None else (values.view(np.int64), unit)
    arrow = getattr(values, "_pa_array", None)
    if arrow is not None:
        import pyarrow as pa

        try:
            arrow.validate()
        except pa.ArrowInvalid:
            return None
        return arrow.__arrow_c_stream__()
    kind = type(values).__name__  # pandas wraps arrays of NumPy and datetimes in its own
    if kind == "NumpyExtensionArray" or (kind == "DatetimeArray" and values.tz is None):
        return _source(values._ndarray)
    return None
