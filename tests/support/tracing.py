"""Own code recorded and compared with itself: the recorder's plan must give what the library gives, bit for bit.

    check(lambda self, X: X["a"] + 1, frame, other)       recorded on `frame`, compared on all frames
    message = refusal(lambda self, X: X["a"].mean(), frame)

Each frame is compared as a batch and row by row, and each row with what the library gives for that row alone: where
the library raises an error for a row, the plan must refuse it, and no other.
"""

import datetime
import struct
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from pipeline_lib.compiled.columns import take_rows
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.error_bounds import BoundedEvaluation, distance
from pipeline_lib.compiler.library_input import library_column
from pipeline_lib.compiler.raw_columns import raw_columns
from pipeline_lib.compiler.tracing.trace import Trace, record, run_method
from pipeline_lib.errors import InputError
from pipeline_lib.rows.frames import schema_of_frame
from pipeline_lib.rows.schema import RowSchema

Transform = Callable[[Any, Any], Any]


def own_step(transform: Transform, fit: Transform | None = None, state: Mapping[str, Any] | None = None) -> Any:
    """A step of own code: `transform(self, X)`, fitted by `fit(self, X)`, with the attributes `state`."""

    def fit_step(self: Any, X: Any, y: Any = None) -> Any:
        if fit is not None:
            fit(self, X)
        return self

    kind = type("OwnStep", (TransformerMixin, BaseEstimator), {"fit": fit_step, "transform": transform})
    step = kind()
    vars(step).update(state or {})
    return step


def record_step(step: Any, data: Any, schema: RowSchema | None = None) -> Trace:
    """The trace of a step's `transform` on a frame or array."""
    columns = raw_columns(schema or schema_of_frame(as_frame(data)), Builder())
    return record("step OwnStep", run_method(step, "transform"), data, columns)


def check(
    transform: Transform,
    data: Any,
    *others: Any,
    fit: Transform | None = None,
    state: Mapping[str, Any] | None = None,
    schema: RowSchema | None = None,
    bounded: bool = False,
    may_refuse: bool = False,
    may_raise: bool = False,
    zeros: bool = False,
    least: int = 0,
    alone: int | None = None,
) -> Trace:
    """Record own code on `data`, and compare its plan with the library's results for `data` and `others`.

    With `bounded` numbers may differ within the plan's own error bounds, else by no bit. With `may_refuse` the plan
    may refuse rows that the library answers. With `may_raise` the library may raise an error for a row alone that it
    answers among others, as for the second part of a text that has one. With `zeros` 0.0 and -0.0 are the same, where
    the library itself gives one or the other by the number of rows. The plan must answer at least `least` rows. With
    `alone` the library gets only so many rows of each frame one by one, for it is slow; the plan gets each.
    """
    step = own_step(transform, fit, state).fit(data)
    trace = record_step(step, data, schema)
    schema = schema or schema_of_frame(as_frame(data))
    build = Builder()
    outputs = trace.write(raw_columns(schema, build), build)
    comparison = _Comparison(step, trace, outputs, Plan(build.nodes, {}), schema, bounded, may_refuse, may_raise, zeros)
    for frame in (data, *others):
        comparison.frame(frame, len(frame) if alone is None else alone)
    assert comparison.answered >= least, f"the plan answers {comparison.answered} rows, expected {least}"
    return trace


def refusal(
    transform: Transform,
    data: Any,
    *,
    fit: Transform | None = None,
    state: Mapping[str, Any] | None = None,
    schema: RowSchema | None = None,
) -> str:
    """The message by which the recorder refuses own code; fails where it does not."""
    step = own_step(transform, fit, state).fit(data)
    try:
        trace = record_step(step, data, schema)
    except NoPlanError as error:
        return str(error)
    raise AssertionError(f"found a plan, expected a refusal: {[line.name for line in trace.lines]}")


def as_frame(data: Any) -> pd.DataFrame:
    """A step's input as a frame; the columns of an array are x0, x1, ..."""
    if isinstance(data, pd.DataFrame):
        return data
    return pd.DataFrame({f"x{index}": data[:, index] for index in range(data.shape[1])})


def own_code(text: str) -> Transform:
    """A `transform` of one expression, such as `X["a"] + 1`, for tables of cases."""
    names = {"np": np, "pd": pd, "datetime": datetime, "__name__": "own_code_of_a_test"}
    return eval(f"lambda self, X: {text}", names)  # noqa: S307  the table's own text


class _Comparison:
    """A trace, written and ready to be evaluated, beside the step that was recorded."""

    def __init__(
        self,
        step: Any,
        trace: Trace,
        outputs: Mapping[str, Value],
        plan: Plan,
        schema: RowSchema,
        bounded: bool,
        may_refuse: bool,
        may_raise: bool,
        zeros: bool,
    ) -> None:
        self.step, self.trace, self.outputs, self.schema = step, trace, outputs, schema
        self.roots = [value.node for value in outputs.values()]
        self.batch = make_executor(plan, self.roots)
        self.single = row_function(plan, self.roots, schema)
        self.dtypes = {name: value.dtype for name, value in raw_columns(schema, Builder()).items()}
        self.answered = 0  # rows, so far
        self.bounded, self.may_refuse, self.may_raise, self.zeros = bounded, may_refuse, may_raise, zeros

    def frame(self, data: Any, alone: int) -> None:
        """Compare each row of a frame alone, the first `alone` with the library's, and all answered rows as a batch."""
        answered, singles = [], []
        raws, columns = self._raw_rows(data), self._columns(data)
        for row in range(len(data)):
            part = _rows(data, [row])
            found = self._plan_of_row(raws[row], {name: take_rows(columns[name], np.array([row])) for name in columns})
            if row >= alone and found is not None:
                answered.append(row)
                singles.append(found)
                continue
            expected, error = self._library_or_error(part)
            if expected is None and found is not None and self.may_raise:
                answered.append(row)
                singles.append(found)
                continue
            if expected is None:
                assert found is None, f"row {row}: the plan gives {found} where the library raises {error!r}"
                continue
            if found is None and self.may_refuse:
                continue
            assert found is not None, f"row {row}: the plan refuses what the library answers, {expected}"
            self._same(part, [[value] for value in found], expected, f"row {row} alone")
            answered.append(row)
            singles.append(found)
        whole = _rows(data, answered)
        expected, error = self._library_or_error(whole) if answered else ([], None)
        if error is not None and alone < len(data):  # a row that the library refuses: which one?
            self.frame(data, len(data))
            return
        if error is not None:
            raise error
        if answered:
            found = [_listed(column) for column in self.batch.run(self._columns(whole), len(whole))]
            together = [list(map(bits, row)) for row in zip(*found, strict=True)]
            assert together == [list(map(bits, row)) for row in singles], "a row alone and among others differ"
            self._same(whole, found, expected, f"{len(whole)} rows")
        self.answered += len(answered)

    def _library_or_error(self, data: Any) -> tuple[Any, Exception | None]:
        try:
            return self._library(data), None
        except Exception as error:
            return None, error

    def _raw_rows(self, data: Any) -> list[dict[str, Any]]:
        """The rows of a frame as production gets them."""
        frame = as_frame(data)
        columns = {
            name: [_raw(each, self.dtypes[str(name)]) for each in frame[name].tolist()] for name in frame.columns
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _plan_of_row(self, raw: dict[str, Any], columns: dict[str, Any]) -> list[Any] | None:
        """What the plan gives for one row; None where it refuses the row, in both executors."""
        try:
            found = list(self.single(raw))
        except InputError:
            found = None
        try:
            column = [_listed(each)[0] for each in self.batch.run(columns, 1)]
        except InputError:
            column = None
        assert (found is None) == (column is None), "one executor refuses the row, the other does not"
        assert found is None or list(map(bits, found)) == list(map(bits, column or [])), "the executors differ"
        return found

    def _library(self, data: Any) -> list[Any]:
        """What the library gives, as columns of the plan."""
        with warnings.catch_warnings():  # the tests make errors of warnings
            warnings.simplefilter("ignore")
            result = self.step.transform(data.copy())
            assert len(result) == len(data)
            width = 1 if result.ndim == 1 else result.shape[1]
            assert width == len(self.outputs), f"{width} columns, {len(self.outputs)} in the plan"
            if isinstance(result, pd.DataFrame):
                assert list(map(str, result.columns)) == list(self.outputs)
            values = list(self.outputs.values())
            return [_listed(library_column(result, index, value.dtype)) for index, value in enumerate(values)]

    def _same(self, data: Any, found: Sequence[list[Any]], expected: Sequence[list[Any]], how: str) -> None:
        for index, (name, ours, theirs) in enumerate(zip(self.outputs, found, expected, strict=True)):
            if [bits(value) for value in ours] == [bits(value) for value in theirs]:
                continue
            if self.zeros and all(bits(a) == bits(b) or a == b for a, b in zip(ours, theirs, strict=True)):
                continue
            if self.bounded:
                root = list(self.trace.outputs.values())[index]
                _, bound = BoundedEvaluation(list(self.trace.nodes), self._columns(data), len(data)).column(root)
                with np.errstate(all="ignore"):
                    apart = distance(np.asarray(ours), np.asarray(theirs))
                if bound is not None and ((apart == 0) | (apart <= np.broadcast_to(bound, apart.shape))).all():
                    continue
            at = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if bits(a) != bits(b))
            row = _rows(as_frame(data), [at]).to_dict("records")[0]
            raise AssertionError(f"{how}, {name}: the plan gives {ours[at]!r}, the library {theirs[at]!r} for {row}")

    def _columns(self, data: Any) -> dict[str, Any]:
        return {name: library_column(data, index, dtype) for index, (name, dtype) in enumerate(self.dtypes.items())}


def bits(value: Any) -> Any:
    """A value that equals another one only with the same type and bits; NaN equals NaN."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return (type(value), value)


def _rows(data: Any, rows: list[int]) -> Any:
    return data.iloc[rows] if hasattr(data, "iloc") else data[rows]


def _listed(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, TextColumn) else np.atleast_1d(column).tolist()


def _raw(value: Any, dtype: str) -> Any:
    """A value of a frame as a raw row has it: Python's own, None where missing."""
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    value = value.item() if isinstance(value, np.generic) else value
    return float(value) if dtype == "float64" and not isinstance(value, bool) else value
