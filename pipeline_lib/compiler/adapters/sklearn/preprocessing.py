"""The scalers, Normalizer, Binarizer, PowerTransformer, QuantileTransformer, FunctionTransformer.

Scalers: MinMax, Standard, Robust, MaxAbs. Formulas: sklearn/preprocessing/_data.py.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.feature_engine.transformation import box_cox_value, yeo_johnson_value
from pipeline_lib.compiler.adapters.inputs import (
    check_condition,
    column_slices,
    join_columns,
    numeric_columns,
    refuse_sparse,
)
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.float32_values import all_float32, rounding

_EPS = 2.220446049250313e-16  # np.finfo(np.float64).eps
_BOUNDS = 1e-7  # sklearn.preprocessing._data.BOUNDS_THRESHOLD


@transformer("sklearn.preprocessing._data.MinMaxScaler", options="feature_range copy clip")
def min_max(step: Any, columns: Columns, build: Builder) -> Columns:
    """`x * scale_ + min_`, with `clip` limited to `feature_range`."""
    refuse_sparse(step, columns)
    rounded = rounding(list(columns.values()), build)
    columns = numeric_columns(step, columns, build, missing=True)
    low, high = step.feature_range
    for (name, value), scale, offset in zip(columns.items(), step.scale_, step.min_, strict=True):
        scaled = rounded(rounded(value * float(scale)) + float(offset))
        columns[name] = build.clip(scaled, float(low), float(high)) if step.clip else scaled
    return columns


@transformer("sklearn.preprocessing._data.StandardScaler", options="copy with_mean with_std")
def standard(step: Any, columns: Columns, build: Builder) -> Columns:
    """`(x - mean_) / scale_`."""
    mean, scale = step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None
    if all_float32(list(columns.values())):  # it casts both to the dtype of its input
        mean, scale = (None if each is None else np.asarray(each, dtype=np.float32) for each in (mean, scale))
    return centred_and_scaled(step, columns, mean, scale, build)


@transformer(
    "sklearn.preprocessing._data.RobustScaler",
    options="with_centering with_scaling quantile_range copy unit_variance",
)
def robust(step: Any, columns: Columns, build: Builder) -> Columns:
    """`(x - center_) / scale_`."""
    centre = step.center_ if step.with_centering else None
    return centred_and_scaled(step, columns, centre, step.scale_ if step.with_scaling else None, build)


@transformer("sklearn.preprocessing._data.MaxAbsScaler", options="copy clip")
def max_abs(step: Any, columns: Columns, build: Builder) -> Columns:
    """`x / scale_`, with `clip` limited to -1 … 1."""
    if step.clip:
        refuse_sparse(step, columns)
    columns = centred_and_scaled(step, columns, None, step.scale_, build)
    return {name: build.clip(value, -1.0, 1.0) for name, value in columns.items()} if step.clip else columns


def centred_and_scaled(step: Any, columns: Columns, centre: Any, scale: Any, build: Builder) -> Columns:
    """`(x - centre) / scale`, both optional; for sparse columns `x * (1 / scale)`, as in scikit-learn.

    A plan cannot tell whether the library gets a dense column as part of a sparse matrix: the two formulas are
    within 2 ULPs, which are allowed.
    """
    rounded = rounding(list(columns.values()), build)
    columns = numeric_columns(step, columns, build, missing=True)
    sparse = any(value.dtype == "bag" for value in columns.values())
    if sparse and centre is not None:
        refuse_sparse(step, columns)
    for name, value, index in column_slices(columns):
        if value.dtype == "bag":
            columns[name] = value if scale is None else build.sparse_scale(value, weights=1 / np.asarray(scale)[index])
            continue
        centred = value if centre is None else rounded(value - float(centre[index.start]))
        if scale is None:
            columns[name] = centred
        elif sparse:
            columns[name] = centred * (1 / float(scale[index.start]))
        else:
            divided = rounded(centred / float(scale[index.start]))
            columns[name] = divided if centre is not None else build.allow_ulps(divided, 2.0)
    return columns


@transformer("sklearn.preprocessing._data.Normalizer", options="norm copy")
def normalizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each row divided by its L1, L2 or maximum norm, unless that is below 10 machine epsilons.

    Of sparse rows only those with norm 0 stay unchanged.
    """
    columns = numeric_columns(step, columns, build)
    values = list(columns.values())
    if any(value.dtype == "bag" for value in values):
        return {"x": build.sparse_normalize(join_columns(values, build), norm=step.norm)}
    if step.norm == "max":
        norm = abs(values[0])
        for value in values[1:]:
            norm = build.larger(norm, abs(value))
    elif step.norm == "l1":
        norm = build.sum([abs(value) for value in values])
    else:
        norm = build.sqrt(build.sum([value * value for value in values]))
    norm = build.where(norm < 10 * _EPS, 1.0, norm)
    return {name: value / norm for name, value in columns.items()}


@transformer("sklearn.preprocessing._data.Binarizer", options="threshold copy")
def binarizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """1 above the threshold, else 0."""
    columns, threshold = numeric_columns(step, columns, build), float(step.threshold)
    return {
        name: build.sparse_above(value, threshold=threshold)
        if value.dtype == "bag"
        else build.where(value > threshold, 1.0, 0.0)
        for name, value in columns.items()
    }


@transformer("sklearn.preprocessing._data.PowerTransformer", options="method standardize copy")
def power(step: Any, columns: Columns, build: Builder) -> Columns:
    """SciPy's Yeo-Johnson or Box-Cox with the fitted lambdas, then standardised with `standardize`."""
    refuse_sparse(step, columns)
    columns = numeric_columns(step, columns, build, missing=True)
    for (name, value), exponent in zip(columns.items(), map(float, step.lambdas_), strict=True):
        if not math.isfinite(exponent):
            raise NoPlanError(
                f"PowerTransformer: found lambda {exponent!r} of column {name!r}, expected a finite one; "
                "fit on rows that hold the column, or drop it before"
            )
        if step.method == "box-cox":
            value = check_condition(value, (value > 0.0) | value.missing(), name, step, "a number above 0")
        columns[name] = (box_cox_value if step.method == "box-cox" else yeo_johnson_value)(value, exponent, build)
    if not step.standardize:
        return columns
    scaler = step._scaler
    return {
        name: (value - float(mean)) / float(scale)
        for (name, value), mean, scale in zip(columns.items(), scaler.mean_, scaler.scale_, strict=True)
    }


@transformer(
    "sklearn.preprocessing._data.QuantileTransformer",
    options="n_quantiles output_distribution ignore_implicit_zeros subsample random_state copy",
)
def quantile(step: Any, columns: Columns, build: Builder) -> Columns:
    """The mean of the interpolations over rising and over falling quantiles, optionally as normal quantiles."""
    refuse_sparse(step, columns)
    rounded = rounding(list(columns.values()), build)
    columns = numeric_columns(step, columns, build, missing=True)
    heights = np.asarray(step.references_, dtype=np.float64)
    for index, (name, value) in enumerate(columns.items()):
        points = np.asarray(step.quantiles_[:, index], dtype=np.float64)
        if not np.isfinite(points).all():
            raise NoPlanError(
                f"QuantileTransformer: found quantiles of column {name!r} that are not finite, expected numbers; "
                "fit on rows that hold the column, or drop it before"
            )
        columns[name] = _quantile(step.output_distribution, value, points, heights, rounded)
    return columns


def _quantile(output: str, value: Value, points: Any, heights: Any, rounded: Callable[[Value], Value]) -> Value:
    build: Builder = value.build
    rising = build.interpolate(value, x=points, y=heights)
    falling = build.interpolate(-value, x=-points[::-1], y=-heights[::-1])
    share = rounded((rising - falling) * 0.5)
    first, last = float(points[0]), float(points[-1])
    if output == "uniform":
        share = build.where(value.equals(last), 1.0, share)
        return build.where(value.equals(first), 0.0, share)
    share = build.where(rounded(value + _BOUNDS) > last, 1.0, share)
    share = build.where(rounded(value - _BOUNDS) < first, 0.0, share)
    lowest = _BOUNDS - _EPS
    ends = [build.ndtri(end) for end in (lowest, 1 - lowest)]
    normal = build.ndtri(share)
    return build.allow_ulps(build.clip(normal, *ends), 8.0)


_UNARY = {  # NumPy's name: name of our operation
    "absolute": "absolute",
    "fabs": "absolute",
    "arccos": "arccos",
    "arcsin": "arcsin",
    "arctan": "arctan",
    "cbrt": "cbrt",
    "ceil": "ceil",
    "cos": "cos",
    "exp": "exp",
    "expm1": "expm1",
    "floor": "floor",
    "log": "log",
    "log10": "log10",
    "log1p": "log1p",
    "log2": "log2",
    "negative": "negative",
    "rint": "rint",
    "sin": "sin",
    "sqrt": "sqrt",
    "tan": "tan",
    "tanh": "tanh",
    "trunc": "trunc",
}


@transformer(
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    options="func inverse_func validate accept_sparse check_inverse feature_names_out kw_args inv_kw_args",
)
def function(step: Any, columns: Columns, build: Builder) -> Columns:
    """A NumPy function of each number, or the columns unchanged."""
    if step.func is None:
        return numeric_columns(step, columns, build) if step.validate else columns
    name = getattr(step.func, "__name__", "")
    if getattr(np, name, None) is not step.func or name not in (*_UNARY, "square", "reciprocal"):
        known = ", np.".join(sorted((*_UNARY, "square", "reciprocal")))
        raise option_error(step, "func", f"one of np.{known}, or a function of your own that calls it and is recorded")
    if step.kw_args:
        raise option_error(step, "kw_args", "none, or a function of your own that takes them and is recorded")
    refuse_sparse(step, columns)
    numbers = {}
    for column, value in columns.items():
        if value.dtype not in ("float64", "int64"):
            raise NoPlanError(
                f"FunctionTransformer: found {value.dtype} column {column!r}, expected numbers for np.{name}; "
                "select other columns, or cast it before"
            )
        if value.dtype == "int64" and name == "reciprocal":
            raise option_error(step, "func", "a function that does not divide integers")
        checked = step.validate and value.dtype == "float64"
        numbers[column] = build.finite(value, column, "FunctionTransformer") if checked else value
    return {column: _called(name, value, build) for column, value in numbers.items()}


def _called(name: str, value: Value, build: Builder) -> Value:
    if value.dtype == "int64" and name in ("absolute", "ceil", "floor", "negative", "square", "trunc"):
        if name == "absolute":
            return build.where(value < 0, 0 - value, value)
        return {"negative": 0 - value, "square": value * value}.get(name, value)
    if name == "square":
        return value * value
    return 1.0 / value if name == "reciprocal" else build.apply(_UNARY[name], build.number(value))
