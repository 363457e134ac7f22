"""SimpleImputer, MissingIndicator, KNNImputer, IterativeImputer.

Formulas: sklearn/impute/_base.py, _knn.py and _iterative.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.plan import Scalar
from pipeline_lib.compiler.adapters.inputs import check_condition, fitted_columns, numeric_columns, refuse_sparse
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    RefusedStepError,
    option_error,
    predict,
    transform,
    transformer,
)
from pipeline_lib.compiler.builder import Builder, Value

_NULLABLE = ("float64", "str")  # dates are refused, as by scikit-learn


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def is_missing(step: Any, value: Value, build: Builder) -> Value:
    """Whether a value is one that the step takes for missing (bool)."""
    marker = step.missing_values
    if _is_nan(marker):
        return value.missing() if value.dtype in _NULLABLE else build.value(False)
    if value.dtype == "str":
        known = {marker: True} if isinstance(marker, str) else {}
        return build.lookup(value, known, "bool", missing=False, unseen=False)
    return build.value(False) if isinstance(marker, str) else value.equals(marker)


def checked_columns(step: Any, columns: Columns, build: Builder) -> Columns:
    """The columns, checked as by scikit-learn: never infinite, and NaN only where `missing_values` is NaN."""
    refuse_sparse(step, columns)
    marker = step.missing_values
    if not (_is_nan(marker) or isinstance(marker, str | int | float)):
        raise option_error(step, "missing_values", "NaN, a number or text")
    result = {}
    for name, value in fitted_columns(step, columns).items():
        if value.dtype not in ("float64", "int64", "bool", "str"):
            raise NoPlanError(
                f"{type(step).__name__}: found {value.dtype} column {name!r}, expected numbers or text; select others"
            )
        if not _is_nan(marker) and value.dtype in _NULLABLE and not value.abs_max < np.inf:
            value = check_condition(value, ~value.missing(), name, step, "one that is present", "impute it before")
        if value.dtype == "float64" and not value.abs_max < np.inf:
            value = build.not_infinite(value, name=name, where=type(step).__name__)
        result[name] = value
    return result


@transformer(
    "sklearn.impute._base.SimpleImputer",
    options="missing_values strategy fill_value copy add_indicator keep_empty_features",
)
def simple(step: Any, columns: Columns, build: Builder) -> Columns:
    """The fitted statistic replaces missing values; columns without one are dropped; indicators come last."""
    columns = checked_columns(step, columns, build)
    kept = list(columns)
    statistics = np.asarray(step.statistics_)
    if not step.keep_empty_features:
        kept = [name for name, statistic in zip(columns, statistics, strict=True) if not _is_empty(statistic)]
    pairs = zip(columns, statistics, strict=True)
    fillers = {name: _filler(statistic, step) for name, statistic in pairs if name in kept}
    result: Columns = {}
    for name in kept:
        value = columns[name]
        if step.strategy in ("mean", "median"):
            if value.dtype == "str":
                raise NoPlanError(f"SimpleImputer: found str column {name!r}, expected numbers; select other columns")
            value = build.number(value)
        missing = is_missing(step, columns[name], build)
        never = value.dtype in ("int64", "bool") and _is_nan(step.missing_values)
        result[name] = value if never else _filled(step, name, value, missing, fillers[name], build)
    return result | _indicators(step, columns, build)


def _filled(step: Any, name: str, value: Value, missing: Value, filler: Scalar, build: Builder) -> Value:
    if (value.dtype == "str") != isinstance(filler, str):
        raise NoPlanError(
            f"SimpleImputer: found {filler!r} for missing values of {value.dtype} column {name!r}, expected text for "
            "text and a number for numbers; impute text and numbers in separate steps"
        )
    if value.dtype == "str" and _is_nan(step.missing_values):
        return build.fill(value, filler)
    return build.where(missing, filler, value)


def _is_empty(statistic: Any) -> bool:
    """Whether a column had no value in training, so that its statistic is NaN."""
    return isinstance(statistic, float | np.floating) and bool(np.isnan(statistic))


def _filler(statistic: Any, step: Any) -> Scalar:
    plain = np.asarray([statistic], dtype=object).astype(step._fill_dtype)[0]
    plain = plain.item() if isinstance(plain, np.generic) else plain
    if not isinstance(plain, bool | int | float | str):
        raise NoPlanError(f"SimpleImputer: found statistic {plain!r}, expected a number or text; change fill_value")
    return plain


def _indicators(step: Any, columns: Columns, build: Builder) -> Columns:
    if not step.add_indicator:
        return {}
    names = list(columns)
    return {
        f"missingindicator_{names[index]}": build.number(is_missing(step, columns[names[index]], build))
        for index in step.indicator_.features_
    }


@transformer("sklearn.impute._base.MissingIndicator", options="missing_values features sparse error_on_new")
def indicator(step: Any, columns: Columns, build: Builder) -> Columns:
    """Whether each column, or each that had missing values in training, is missing; `error_on_new` refuses others."""
    columns = checked_columns(step, columns, build)
    if step.features == "all":
        return {name: is_missing(step, value, build) for name, value in columns.items()}
    fitted = {int(index) for index in step.features_}
    result: Columns = {}
    for index in sorted(fitted):
        name = list(columns)[index]
        result[name] = is_missing(step, columns[name], build)
    if step.error_on_new and result:
        for index, (name, value) in enumerate(columns.items()):
            missing = build.value(False) if index in fitted else is_missing(step, value, build)
            first = next(iter(result))
            expected = f"one that is present in column {name!r}, as in training"
            result[first] = check_condition(result[first], ~missing, name, step, expected)
    return result


@transformer(
    "sklearn.impute._knn.KNNImputer",
    options="missing_values n_neighbors weights metric copy add_indicator keep_empty_features",
)
def nearest(step: Any, columns: Columns, build: Builder) -> Columns:
    """The mean of the nearest training rows that hold the column; distances use the columns that both rows hold."""
    if not _is_nan(step.missing_values):
        raise option_error(step, "missing_values", "NaN")
    if step.metric != "nan_euclidean":
        raise option_error(step, "metric", "'nan_euclidean'")
    if step.weights not in ("uniform", "distance", None):
        raise option_error(step, "weights", "'uniform' or 'distance'")
    refuse_sparse(step, columns)
    columns = numeric_columns(step, columns, build, missing=True)
    names, points = list(columns), np.array(step._fit_X, dtype=np.float64)
    imputed = [
        index for index, name in enumerate(names) if step._valid_mask[index] and not columns[name].abs_max < np.inf
    ]
    parts: dict[int, Value] = {}
    if imputed:
        means = [float(np.ma.array(points[:, index], mask=step._mask_fit_X[:, index]).mean()) for index in imputed]
        means_of_nearest = build.knn_imputation(
            build.stack(list(columns.values())),
            columns=imputed,
            means=means,
            points=points,
            count=int(step.n_neighbors),
            weights=step.weights or "uniform",
        )
        parts = dict(zip(imputed, build.items(means_of_nearest), strict=True))
    result: Columns = {}
    for index, (name, value) in enumerate(columns.items()):
        if index in parts:
            result[name] = build.where(value.missing(), parts[index], value)
        elif step._valid_mask[index]:
            result[name] = value
        elif step.keep_empty_features:
            result[name] = build.value(0.0)
    return result | _indicators(step, columns, build)


@transformer(
    "sklearn.impute._iterative.IterativeImputer",
    options="estimator missing_values sample_posterior max_iter tol n_nearest_features initial_strategy fill_value "
    "imputation_order skip_complete min_value max_value verbose random_state add_indicator keep_empty_features",
)
def iterative(step: Any, columns: Columns, build: Builder) -> Columns:
    """The simple imputer's values, then each fitted estimator's prediction of its column, in the order of the fit.

    A row without any value is refused: its result in the library depends on the other rows.
    """
    if step.sample_posterior:
        raise RefusedStepError(
            "IterativeImputer: found sample_posterior=True, expected False; drawn numbers cannot serve production"
        )
    columns = {name: build.number(value) for name, value in checked_columns(step, columns, build).items()}
    filled = list(transform(step.initial_imputer_, columns, build).values())
    keeps = step.keep_empty_features
    kept = [name for name, empty in zip(columns, step._is_empty_feature, strict=True) if keeps or not empty]
    empty = dict(zip(columns, step._is_empty_feature, strict=True))
    missing = [build.value(False) if empty[name] else is_missing(step, columns[name], build) for name in kept]
    if step.n_iter_ > 0 and filled:
        filled[0] = _some_present(step, kept, columns[kept[0]], filled[0], missing)
        for turn in step.imputation_sequence_:
            index = int(turn.feat_idx)
            (predicted,) = predict(turn.estimator, [filled[int(at)] for at in turn.neighbor_feat_idx], build).prediction
            low, high = float(step._min_value[index]), float(step._max_value[index])
            filled[index] = build.where(missing[index], build.clip(predicted, low, high), filled[index])
    return dict(zip(kept, filled, strict=True)) | _indicators(step, columns, build)


def _some_present(step: Any, names: Sequence[str], raw: Value, filled: Value, missing: Sequence[Value]) -> Value:
    """The first filled column, of rows that have a value in one column at least; `raw` is it before."""
    all_missing = missing[0]
    for other in missing[1:]:
        all_missing = all_missing & other
    listed = ", ".join(names)
    expected, advice = "a value in one of these columns at least", "correct the row, or drop it in `load`"
    present = check_condition(raw, ~all_missing, listed, step, expected, advice)
    return raw.build.where(missing[0], filled, present)
