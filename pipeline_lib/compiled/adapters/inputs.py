"""What adapters of scikit-learn share: columns checked as scikit-learn checks its matrix, and joined as one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.adapters.registry import Columns, NoPlanError, by_fitted_names
from pipeline_lib.compiled.builder import Builder, Value


def numeric(step: Any, columns: Columns, build: Builder, *, missing: bool = False) -> Columns:
    """The columns as float64 numbers or bags; infinite ones, and missing ones unless allowed, are refused.

    Names are those that the step was fitted with.
    """
    columns = named(step, columns)
    where = type(step).__name__
    return {name: _checked(value, name, where, build, missing=missing) for name, value in columns.items()}


def named(step: Any, columns: Columns) -> Columns:
    """The columns under the names that a step was fitted with; refused where their number is another."""
    expected = getattr(step, "n_features_in_", None)
    found = sum(value.width for value in columns.values())
    if expected is not None and expected != found:
        raise NoPlanError(f"{type(step).__name__}: found {found} columns, expected the {expected} it was fitted with")
    return by_fitted_names(step, columns)


def _checked(value: Value, name: str, where: str, build: Builder, *, missing: bool) -> Value:
    known = value.limit < np.inf
    if value.dtype == "bag":
        return value if known else build.apply("bag_finite", value, name=name, where=where, missing=missing)
    if value.dtype not in ("float64", "int64", "bool"):
        raise NoPlanError(
            f"{where}: found {value.dtype} column {name!r}, expected numbers; encode it before, or select other columns"
        )
    number = build.number(value)
    if known:
        return number
    if missing:
        return build.apply("not_infinite", number, name=name, where=where)
    return build.finite(number, name, where)


def joined(values: Sequence[Value], build: Builder) -> Value:
    """Columns side by side: a bag where one of them is, else a vector."""
    if any(value.dtype == "bag" for value in values):
        return values[0] if len(values) == 1 else build.apply("bag_join", *values)
    if len(values) == 1 and values[0].dtype == "vector":
        return values[0]
    return build.stack(values)


def affine(values: Sequence[Value], matrix: Any, offset: Any, build: Builder) -> Value:
    """`matrix` (outputs x inputs) times the columns, from the first to the last, then `offset` (or None): a vector."""
    whole = joined(values, build)
    operation = "bag_affine" if whole.dtype == "bag" else "affine"
    start = None if offset is None else np.array(offset, dtype=np.float64)
    return build.apply(operation, whole, matrix=np.array(matrix, dtype=np.float64), offset=start)


def refuse_bags(step: Any, columns: Columns) -> None:
    """Refuse sparse columns, for a step whose formula for them is not written."""
    for name, value in columns.items():
        if value.dtype in ("bag", "vector"):
            raise NoPlanError(
                f"{type(step).__name__}: found sparse column {name!r}, expected dense ones; make it dense "
                "(ColumnTransformer with sparse_threshold=0), or compile with allow_opaque=True"
            )


def places(columns: Columns) -> list[tuple[str, Value, slice]]:
    """Each column with where its numbers lie among the numbers of all, of which a bag holds many."""
    found, start = [], 0
    for name, value in columns.items():
        found.append((name, value, slice(start, start + value.width)))
        start += value.width
    return found
