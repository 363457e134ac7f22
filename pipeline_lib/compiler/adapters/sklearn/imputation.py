"""Imputers of scikit-learn. Formulas: sklearn/impute/_base.py, _knn.py and _iterative.py."""

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

_MAY_MISS = ("float64", "str")


def _is_nan(marker: Any) -> bool:
    return isinstance(marker, float) and marker != marker


def gone(step: Any, value: Value, build: Builder) -> Value:
    """Whether a value is what the step takes for missing (bool)."""
    marker = step.missing_values
    if _is_nan(marker):
        return value.missing() if value.dtype in _MAY_MISS else build.value(False)
    if value.dtype == "str":
        known = {marker: True} if isinstance(marker, str) else {}
        return build.lookup(value, known, "bool", missing=False, unseen=False)
    return build.value(False) if isinstance(marker, str) else value.equals(marker)


def checked(step: Any, columns: Columns, build: Builder) -> Columns:
    """The columns as scikit-learn checks them: never infinite, and NaN only where that is what is missing."""
    refuse_sparse(step, columns)
    marker = step.missing_values
    if not (_is_nan(marker) or isinstance(marker, str | int | float)):
        raise option_error(step, "missing_values", "NaN, a number or text")
    made = {}
    for name, value in fitted_columns(step, columns).items():
        if value.dtype not in ("float64", "int64", "bool", "str"):
            raise NoPlanError(
                f"{type(step).__name__}: found {value.dtype} column {name!r}, expected numbers or text; select others"
            )
        if not _is_nan(marker) and value.dtype in _MAY_MISS and not value.abs_max < np.inf:
            value = check_condition(value, ~value.missing(), name, step, "one that is present", "impute it before")
        if value.dtype == "float64" and not value.abs_max < np.inf:
            value = build.apply("not_infinite", value, name=name, where=type(step).__name__)
        made[name] = value
    return made


@transformer(
    "sklearn.impute._base.SimpleImputer",
    options="missing_values strategy fill_value copy add_indicator keep_empty_features",
)
def simple(step: Any, columns: Columns, build: Builder) -> Columns:
    """Missing becomes the learned statistic; columns without one are dropped; indicators come last."""
    given = checked(step, columns, build)
    kept = list(given)
    statistics = np.asarray(step.statistics_)
    if not step.keep_empty_features:
        kept = [name for name, found in zip(given, statistics, strict=True) if not _no_number(found)]
    fillers = {name: _filler(found, step) for name, found in zip(given, statistics, strict=True) if name in kept}
    made: Columns = {}
    for name in kept:
        value = given[name]
        if step.strategy in ("mean", "median"):
            if value.dtype == "str":
                raise NoPlanError(f"SimpleImputer: found str column {name!r}, expected numbers; select other columns")
            value = build.number(value)
        missing = gone(step, given[name], build)
        never = value.dtype in ("int64", "bool") and _is_nan(step.missing_values)
        made[name] = value if never else _filled(step, name, value, missing, fillers[name], build)
    return made | _indicators(step, given, build)


def _filled(step: Any, name: str, value: Value, missing: Value, filler: Scalar, build: Builder) -> Value:
    if (value.dtype == "str") != isinstance(filler, str):
        raise NoPlanError(
            f"SimpleImputer: found {filler!r} for missing values of {value.dtype} column {name!r}, expected text for "
            "text and a number for numbers; impute text and numbers apart"
        )
    if value.dtype == "str" and _is_nan(step.missing_values):
        return build.fill(value, filler)
    return build.where(missing, filler, value)


def _no_number(statistic: Any) -> bool:
    return isinstance(statistic, float | np.floating) and bool(np.isnan(statistic))


def _filler(statistic: Any, step: Any) -> Scalar:
    plain = np.asarray([statistic], dtype=object).astype(step._fill_dtype)[0]
    plain = plain.item() if isinstance(plain, np.generic) else plain
    if not isinstance(plain, bool | int | float | str):
        raise NoPlanError(f"SimpleImputer: found statistic {plain!r}, expected a number or text; change fill_value")
    return plain


def _indicators(step: Any, given: Columns, build: Builder) -> Columns:
    if not step.add_indicator:
        return {}
    names = list(given)
    return {
        f"missingindicator_{names[place]}": build.number(gone(step, given[names[place]], build))
        for place in step.indicator_.features_
    }


@transformer("sklearn.impute._base.MissingIndicator", options="missing_values features sparse error_on_new")
def indicator(step: Any, columns: Columns, build: Builder) -> Columns:
    """Whether each column, or each that had missing values in training, is missing; others must not be."""
    given = checked(step, columns, build)
    if step.features == "all":
        return {name: gone(step, value, build) for name, value in given.items()}
    learned = {int(place) for place in step.features_}
    made: Columns = {}
    for place in sorted(learned):
        name = list(given)[place]
        made[name] = gone(step, given[name], build)
    if step.error_on_new and made:
        for place, (name, value) in enumerate(given.items()):
            missing = build.value(False) if place in learned else gone(step, value, build)
            first = next(iter(made))
            expected = f"one that is present in column {name!r}, as in training"
            made[first] = check_condition(made[first], ~missing, name, step, expected)
    return made


@transformer(
    "sklearn.impute._knn.KNNImputer",
    options="missing_values n_neighbors weights metric copy add_indicator keep_empty_features",
)
def nearest(step: Any, columns: Columns, build: Builder) -> Columns:
    """Missing becomes the mean of the nearest training rows that hold the column, by what both rows hold."""
    if not _is_nan(step.missing_values):
        raise option_error(step, "missing_values", "NaN")
    if step.metric != "nan_euclidean":
        raise option_error(step, "metric", "'nan_euclidean'")
    if step.weights not in ("uniform", "distance", None):
        raise option_error(step, "weights", "'uniform' or 'distance'")
    refuse_sparse(step, columns)
    given = numeric_columns(step, columns, build, missing=True)
    names, points = list(given), np.array(step._fit_X, dtype=np.float64)
    imputed = [
        place for place, name in enumerate(names) if step._valid_mask[place] and not given[name].abs_max < np.inf
    ]
    parts: dict[int, Value] = {}
    if imputed:
        means = [float(np.ma.array(points[:, place], mask=step._mask_fit_X[:, place]).mean()) for place in imputed]
        settings = {"points": points, "count": int(step.n_neighbors), "weights": step.weights or "uniform"}
        found = build.apply("donors", build.stack(list(given.values())), columns=imputed, means=means, **settings)
        parts = dict(zip(imputed, build.items(found), strict=True))
    made: Columns = {}
    for place, (name, value) in enumerate(given.items()):
        if place in parts:
            made[name] = build.where(value.missing(), parts[place], value)
        elif step._valid_mask[place]:
            made[name] = value
        elif step.keep_empty_features:
            made[name] = build.value(0.0)
    return made | _indicators(step, given, build)


@transformer(
    "sklearn.impute._iterative.IterativeImputer",
    options="estimator missing_values sample_posterior max_iter tol n_nearest_features initial_strategy fill_value "
    "imputation_order skip_complete min_value max_value verbose random_state add_indicator keep_empty_features",
)
def iterative(step: Any, columns: Columns, build: Builder) -> Columns:
    """The simple imputer's values, then each learned estimator's prediction of its column, in the learned sequence.

    A row without any value is refused: what the library makes of it depends on the other rows.
    """
    if step.sample_posterior:
        raise RefusedStepError(
            "IterativeImputer: found sample_posterior=True, expected False; drawn numbers cannot serve production"
        )
    given = {name: build.number(value) for name, value in checked(step, columns, build).items()}
    filled = list(transform(step.initial_imputer_, given, build).values())
    keeps = step.keep_empty_features
    kept = [name for name, empty in zip(given, step._is_empty_feature, strict=True) if keeps or not empty]
    empty = dict(zip(given, step._is_empty_feature, strict=True))
    missing = [build.value(False) if empty[name] else gone(step, given[name], build) for name in kept]
    if step.n_iter_ > 0 and filled:
        filled[0] = _some_present(step, filled[0], missing, build)
        for turn in step.imputation_sequence_:
            place = int(turn.feat_idx)
            (made,) = predict(turn.estimator, [filled[int(at)] for at in turn.neighbor_feat_idx], build).prediction
            low, high = float(step._min_value[place]), float(step._max_value[place])
            filled[place] = build.where(missing[place], build.clip(made, low, high), filled[place])
    return dict(zip(kept, filled, strict=True)) | _indicators(step, given, build)


def _some_present(step: Any, value: Value, missing: Sequence[Value], build: Builder) -> Value:
    nothing = missing[0]
    for other in missing[1:]:
        nothing = nothing & other
    return check_condition(value, ~nothing, "any", step, "a row with a value in one column at least")
