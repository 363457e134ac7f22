"""Evaluates what a plan makes of columns, as a batch and row by row, and asserts that both have the same bits."""

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

KINDS = {"int64": "integer", "float64": "number", "bool": "boolean", "str": "string", "datetime": "datetime"}
Columns = Mapping[str, tuple[str, Sequence[Any]]]
"""Columns by name: the dtype and the values; None is missing, dates are microseconds since 1970."""


def bits(value: Any) -> Any:
    """A value so that it equals another one only with the same type and bits; NaN equals NaN."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return (type(value), value)


def evaluate(write: Callable[..., Value], columns: Columns) -> list[Any]:
    """What `write(build, **values)` gives for each row of columns; a missing date or duration is `NAT`."""
    build = Builder()
    result = write(build, **{name: build.input(name, dtype) for name, (dtype, _) in columns.items()})
    plan = Plan(build.nodes, {"y": result.node})
    rows = [
        dict(zip(columns, row, strict=True)) for row in zip(*(values for _, values in columns.values()), strict=True)
    ]
    whole = make_executor(plan, [result.node]).run(
        {name: _column(dtype, values) for name, (dtype, values) in columns.items()}, len(rows)
    )[0]
    batch = whole.tolist()
    single = row_function(plan, [result.node], _schema(columns))
    alone = [single({name: _raw(columns[name][0], value) for name, value in row.items()})[0] for row in rows]
    assert list(map(bits, alone)) == list(map(bits, batch))
    return batch


def _schema(columns: Columns) -> RowSchema:
    nullable = ("float64", "str", "datetime")
    return RowSchema(
        tuple(Column(name, KINDS[dtype], nullable=dtype in nullable) for name, (dtype, _) in columns.items())
    )


def _column(dtype: str, values: Sequence[Any]) -> Any:
    if dtype == "str":
        return TextColumn.of(values)
    missing = {"float64": np.nan, "datetime": NAT}.get(dtype)
    kept = [missing if value is None else value for value in values]
    return np.array(kept, dtype="int64" if dtype == "datetime" else dtype)


def _raw(dtype: str, value: Any) -> Any:
    if dtype != "datetime" or value is None:
        return value
    return datetime(1970, 1, 1) + timedelta(microseconds=value)
