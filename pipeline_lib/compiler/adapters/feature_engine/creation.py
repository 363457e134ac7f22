"""feature-engine: MathFeatures, RelativeFeatures, CyclicalFeatures, GeoDistanceFeatures, DecisionTreeFeatures."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.feature_engine.statistics import STATISTICS
from pipeline_lib.compiler.adapters.inputs import check_condition, check_present
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, predict, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value

_CALLABLES: dict[Any, str] = {
    np.sum: "sum",
    np.prod: "prod",
    np.mean: "mean",
    np.min: "min",
    np.max: "max",
    np.median: "numpy_median",
    np.std: "numpy_std",
    np.var: "numpy_var",
}
# feature_engine.creation.geo_features: the mean radius of the Earth in each unit
EARTH_RADIUS = {"km": 6371.0, "miles": 3958.8, "meters": 6371000.0, "feet": 20902231.0}
_DEGREE_KM = 111.0  # kilometres per degree, in the same module


def finite_columns(step: Any, columns: Columns, names: Sequence[str], build: Builder) -> Columns:
    """The columns; missing and infinite values of the named ones are refused at predict."""
    checked = dict(columns)
    for name in names:
        if checked[name].dtype == "float64":
            checked[name] = build.finite(checked[name], name, type(step).__name__)
    return checked


def without(columns: Columns, dropped: Sequence[str]) -> Columns:
    """The columns without some of them."""
    return {name: value for name, value in columns.items() if name not in dropped}


@transformer(
    "feature_engine.creation.math_features.MathFeatures",
    options="variables func new_variables_names missing_values drop_original",
)
def statistics(step: Any, columns: Columns, build: Builder) -> Columns:
    """Statistics over some columns of a row, as of `DataFrame.agg(func, axis=1)`: missing values are skipped.

    All functions of one step give the same dtype: float64 where one of them does.
    """
    columns = use_fitted_names(step, columns)
    names = list(map(str, step.variables))
    if step.missing_values == "raise":
        columns = finite_columns(step, columns, list(map(str, step.variables_)), build)
    values = [columns[name] for name in names]
    functions = step.func if isinstance(step.func, list) else [step.func]
    results = [STATISTICS[_statistic(function)](values, build) for function in functions]
    dtypes = {value.dtype for value in results}
    if "bool" in dtypes and len(dtypes) > 1:
        raise NoPlanError(
            f"MathFeatures: found func={step.func!r}, expected truths (any, all) by themselves, since together with "
            "numbers the library returns objects; use two steps"
        )
    if len(dtypes) > 1:
        results = [build.number(value) for value in results]
    columns = dict(columns)
    for name, value in zip(step._get_new_features_name(), results, strict=True):
        add(columns, str(name), value, step, {})
    return without(columns, names) if step.drop_original else columns


def _statistic(function: Any) -> str:
    name = function if isinstance(function, str) else _CALLABLES.get(function, "")
    if name not in STATISTICS:
        reason = " (how many columns `mode` gives depends on the other rows)" if name == "mode" else ""
        known = [known for known in STATISTICS if not known.startswith("numpy_")]
        raise NoPlanError(
            f"MathFeatures: found func {function!r}{reason}, expected one of {', '.join(known)} or "
            f"np.{', np.'.join(function.__name__ for function in _CALLABLES)}; choose one"
        )
    return name


@transformer(
    "feature_engine.creation.relative_features.RelativeFeatures",
    options="variables reference func fill_value missing_values drop_original",
)
def relative(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each variable combined with each reference; integers stay integers where pandas keeps them."""
    columns = use_fitted_names(step, columns)
    variables, references = list(map(str, step.variables)), list(map(str, step.reference))
    if step.missing_values == "raise":
        columns = finite_columns(step, columns, [*map(str, step.variables_), *references], build)
    columns = dict(columns)
    inputs = dict(columns)
    for function in step.func:
        for reference in references:
            for variable in variables:
                result = _relation(step, function, inputs[variable], inputs[reference], reference)
                add(columns, f"{variable}_{function}_{reference}", result, step, {})
    return without(columns, [*variables, *references]) if step.drop_original else columns


def _relation(step: Any, function: str, left: Value, right: Value, reference: str) -> Value:
    build = left.build
    if function in _PLAIN:
        return _PLAIN[function](left, right)
    if function == "pow":
        return _power(step, left, right, reference)
    zero = right.equals(0)
    if step.fill_value is None:
        right = check_condition(
            right, ~zero, reference, step, "a number to divide by", "correct it, or set `fill_value`"
        )
    whole = left.dtype == right.dtype == "int64"
    if function in ("div", "truediv"):
        result = left / right
    else:
        operation = "floor_divide" if function == "floordiv" else "remainder"
        if whole:
            result = build.apply(f"{operation}_int", left, right)
        else:
            result = build.apply(operation, build.number(left), build.number(right))
    return result if step.fill_value is None else build.where(zero, float(step.fill_value), build.number(result))


def _power(step: Any, left: Value, right: Value, reference: str) -> Value:
    build = left.build
    if left.dtype == right.dtype == "int64":
        right = check_condition(
            right, right >= 0, reference, step, "0 or more, as integers have no negative integer powers"
        )
        return build.power_int(left, right)
    return build.pow(build.number(left), build.number(right))


_PLAIN: dict[str, Callable[[Value, Value], Value]] = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
}


@transformer("feature_engine.creation.cyclical_features.CyclicalFeatures", options="variables max_values drop_original")
def cyclical(step: Any, columns: Columns, build: Builder) -> Columns:
    """The sine and cosine of `x * (2 pi / max)`."""
    variables = list(map(str, step.variables_))
    columns = finite_columns(step, use_fitted_names(step, columns), variables, build)
    for variable in step.variables_:
        name, largest = str(variable), float(step.max_values_[variable])
        if largest == 0:
            raise NoPlanError(
                f"CyclicalFeatures: found maximum 0 of column {name!r}, expected a length of its cycle; set max_values"
            )
        angle = build.number(columns[name]) * (2.0 * math.pi / largest)
        add(columns, f"{name}_sin", build.sin(angle), step, {})
        add(columns, f"{name}_cos", build.cos(angle), step, {})
    return without(columns, variables) if step.drop_original else columns


@transformer(
    "feature_engine.creation.geo_features.GeoDistanceFeatures",
    options="lat1 lon1 lat2 lon2 method output_unit output_col drop_original validate_ranges",
)
def geo_distance(step: Any, columns: Columns, build: Builder) -> Columns:
    """The distance between two points; their ranges are checked in fit only."""
    columns = dict(use_fitted_names(step, columns))
    names = list(map(str, step.variables_))
    for name in names:
        columns[name] = check_present(columns[name], name, step)
    lat1, lon1, lat2, lon2 = (columns[name] for name in names)
    if step.method == "haversine":
        result = _haversine(lat1, lon1, lat2, lon2, build) * EARTH_RADIUS[step.output_unit]
    else:
        lat, lon = lat2 - lat1, lon2 - lon1
        if step.method == "euclidean":
            north, east = lat * _DEGREE_KM, lon * _DEGREE_KM
            kilometres = build.sqrt(north * north + east * east)
        else:
            kilometres = (abs(lat) + abs(lon)) * _DEGREE_KM
        result = kilometres * (EARTH_RADIUS[step.output_unit] / EARTH_RADIUS["km"])
    add(columns, str(step.output_col), result, step, {})
    return without(columns, names) if step.drop_original else columns


def _haversine(lat1: Value, lon1: Value, lat2: Value, lon2: Value, build: Builder) -> Value:
    """The angle between two points, in radians; a degree is pi / 180, as in np.radians."""
    lat1, lon1, lat2, lon2 = (build.number(value) * (math.pi / 180.0) for value in (lat1, lon1, lat2, lon2))
    north = build.sin((lat2 - lat1) / 2.0)
    east = build.sin((lon2 - lon1) / 2.0)
    chord = north * north + build.cos(lat1) * build.cos(lat2) * (east * east)
    return build.arcsin(build.sqrt(chord)) * 2.0


@transformer(
    "feature_engine.creation.decision_tree_features.DecisionTreeFeatures",
    options="variables features_to_combine precision cv scoring param_grid regression random_state missing_values "
    "drop_original",
)
def tree_features(step: Any, columns: Columns, build: Builder) -> Columns:
    """The prediction of each fitted tree; of two classes the second one's probability. `precision` rounds numbers."""
    variables = list(map(str, step.variables_))
    columns = finite_columns(step, use_fitted_names(step, columns), variables, build)
    inputs = dict(columns)
    for features, search in zip(step.input_features_, step.estimators_, strict=True):
        names = features if isinstance(features, list) else [features]
        outputs = predict(search.best_estimator_, [inputs[str(name)] for name in names], build)
        binary = not step.regression and step._is_binary == "binary"
        result = outputs.probability[1] if binary else outputs.prediction[0]
        if step.precision is not None and (step.regression or binary):
            scale = 10.0**step.precision  # as np.round
            result = build.rint(result * scale) / scale
        add(columns, f"tree({features})", result, step, {})
    return without(columns, variables) if step.drop_original else columns
