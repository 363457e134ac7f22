"""Input columns of a fitted step: checks of their number, names and values; joining and splitting them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value

NULLABLE = ("float64", "str", "datetime")  # dtypes that have a missing value


def numeric_columns(step: Any, columns: Columns, build: Builder, *, missing: bool = False) -> Columns:
    """The columns as float64 or sparse, under the names that the step was fitted with.

    Infinite numbers are refused at predict, and missing ones unless `missing` allows them.
    """
    columns = fitted_columns(step, columns)
    where = type(step).__name__
    return {name: _checked(value, name, where, build, missing=missing) for name, value in columns.items()}


def fitted_columns(step: Any, columns: Columns) -> Columns:
    """The columns under the names that a step was fitted with; another number of columns is refused."""
    check_width(step, list(columns.values()))
    return use_fitted_names(step, columns)


def _checked(value: Value, name: str, where: str, build: Builder, *, missing: bool) -> Value:
    known = value.abs_max < np.inf
    if value.dtype == "bag":
        return value if known else build.sparse_finite(value, name=name, where=where, missing=missing)
    if value.dtype not in ("float64", "int64", "bool"):
        raise NoPlanError(
            f"{where}: found {value.dtype} column {name!r}, expected numbers; encode it before, or select other columns"
        )
    number = build.number(value)
    if known:
        return number
    if missing:
        return build.not_infinite(number, name=name, where=where)
    return build.finite(number, name, where)


def join_columns(values: Sequence[Value], build: Builder) -> Value:
    """Columns side by side: sparse where one of them is, else a vector."""
    if any(value.dtype == "bag" for value in values):
        return values[0] if len(values) == 1 else build.sparse_join(*values)
    if len(values) == 1 and values[0].dtype == "vector":
        return values[0]
    return build.stack(values)


def refuse_sparse(step: Any, columns: Columns) -> None:
    """Refuse sparse columns, for a step whose adapter has no formula for them."""
    for name, value in columns.items():
        if value.dtype in ("bag", "vector"):
            raise NoPlanError(
                f"{type(step).__name__}: found sparse column {name!r}, expected dense ones; make it dense "
                "(ColumnTransformer with sparse_threshold=0)"
            )


def column_slices(columns: Columns) -> list[tuple[str, Value, slice]]:
    """Each column by name, with the slice of its numbers among those of all columns: a sparse column holds several."""
    slices, start = [], 0
    for name, value in columns.items():
        slices.append((name, value, slice(start, start + value.width)))
        start += value.width
    return slices


def check_width(step: Any, values: Sequence[Value]) -> int:
    """The count of numbers in a row of the columns; refused where the step was fitted with another count."""
    width = sum(value.width for value in values)
    expected = getattr(step, "n_features_in_", None)
    if expected not in (None, width):
        raise NoPlanError(f"{type(step).__name__}: found {width} columns, expected the {expected} it was fitted with")
    return width


def column_names(step: Any, values: Sequence[Value]) -> list[str]:
    """The names of a fitted step's columns; x0, x1, … where it was fitted without names."""
    width = check_width(step, values)
    return list(map(str, getattr(step, "feature_names_in_", ()))) or [f"x{index}" for index in range(width)]


def split_columns(values: Iterable[Value], build: Builder) -> list[Value]:
    """The input columns as scalar columns: vectors and sparse columns are split."""
    flat: list[Value] = []
    for value in values:
        dense = build.sparse_to_vector(value) if value.dtype == "bag" else value
        flat += build.items(dense) if dense.dtype == "vector" else [dense]
    return flat


def dense_inputs(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The input columns as float64 scalar columns; numbers that are not finite are refused, as by scikit-learn."""
    where = type(step).__name__
    flat = zip(split_columns(values, build), column_names(step, values), strict=True)
    return [build.finite(value, name, where) for value, name in flat]


def vector_input(step: Any, values: Sequence[Value], build: Builder) -> Value:
    """The input columns as one vector of finite numbers."""
    if any(value.dtype == "bag" for value in values):
        return build.sparse_to_vector(sparse_input(step, values, build))
    return build.stack(dense_inputs(step, values, build))


def sparse_input(step: Any, values: Sequence[Value], build: Builder) -> Value:
    """The input columns as one sparse column of finite numbers; at least one of them is sparse."""
    check_width(step, values)
    bag = join_columns([value if value.dtype in ("vector", "bag") else build.number(value) for value in values], build)
    return bag if math.isfinite(bag.abs_max) else build.sparse_finite(bag, where=type(step).__name__)


def check_condition(
    value: Value, condition: Value, name: str, step: Any, expected: str, advice: str = "correct the row"
) -> Value:
    """The value; a row for which the condition does not hold is refused at predict."""
    where = type(step).__name__
    return value.build.check(value, condition, name=name, where=where, expected=expected, advice=advice)


def check_present(value: Value, name: str, step: Any) -> Value:
    """The value; a row in which it is missing is refused at predict."""
    if value.dtype not in NULLABLE or math.isfinite(value.abs_max):
        return value
    return check_condition(
        value, ~value.missing(), name, step, "one that is present", "correct the row, or impute before"
    )
