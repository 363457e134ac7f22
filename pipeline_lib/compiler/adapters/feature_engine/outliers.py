"""feature-engine: Winsorizer and ArbitraryOutlierCapper; OutlierTrimmer is refused."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.registry import Columns, RefusedStepError, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value

_EXACT = 2**53  # float64 represents every integer below exactly


@transformer(
    "feature_engine.outliers.winsorizer.Winsorizer",
    options="capping_method tail fold add_indicators variables missing_values",
)
def winsorizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Values capped at the fitted limits; `add_indicators` appends for each variable whether it was capped."""
    columns = use_fitted_names(step, columns)
    result = _capped(step, columns, build)
    if step.add_indicators:
        for name in map(str, step.variables_):
            if step.tail in ("left", "both"):
                add(result, f"{name}_left", build.number(result[name] > columns[name]), step, columns)
            if step.tail in ("right", "both"):
                add(result, f"{name}_right", build.number(result[name] < columns[name]), step, columns)
    return result


@transformer(
    "feature_engine.outliers.artbitrary.ArbitraryOutlierCapper",
    options="max_capping_dict min_capping_dict missing_values",
)
def arbitrary_capper(step: Any, columns: Columns, build: Builder) -> Columns:
    """Values capped at the limits of the constructor."""
    return _capped(step, use_fitted_names(step, columns), build)


def _capped(step: Any, columns: Columns, build: Builder) -> Columns:
    """`Series.clip` at the right caps, then at the left; missing stays missing, or is refused, as are infinities."""
    columns = dict(columns)
    if step.missing_values == "raise":
        for name in map(str, step.variables_):
            if columns[name].dtype == "float64":
                columns[name] = build.finite(columns[name], name, type(step).__name__)
    _clip("smaller", step.right_tail_caps_, columns, build)
    _clip("larger", step.left_tail_caps_, columns, build)
    return columns


def _clip(operation: str, caps: Mapping[Any, Any], columns: Columns, build: Builder) -> None:
    for name, cap in caps.items():
        if not math.isnan(cap):  # for pandas NaN is no cap
            columns[str(name)] = _clipped(operation, columns[str(name)], float(cap), build)


def _clipped(operation: str, value: Value, cap: float, build: Builder) -> Value:
    if value.dtype == "int64" and cap.is_integer() and abs(cap) < _EXACT:
        beyond = value > int(cap) if operation == "smaller" else value < int(cap)
        return build.where(beyond, int(cap), value)
    return build.apply(operation, build.number(value), cap)


@transformer(
    "feature_engine.outliers.trimmer.OutlierTrimmer", options="capping_method tail fold variables missing_values"
)
def trimmer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: a dropped row would have no prediction."""
    raise RefusedStepError(
        "OutlierTrimmer: found a step that drops rows, expected one row out for each row in; drop rows in `load`, or "
        "cap them with Winsorizer"
    )
