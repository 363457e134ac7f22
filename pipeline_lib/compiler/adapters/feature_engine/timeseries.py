"""feature-engine: LagFeatures and WindowFeatures, from the earlier rows of a declared context.

ExpandingWindowFeatures is refused.
"""

import math
from typing import Any

from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.feature_engine.statistics import STATISTICS
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    RefusedStepError,
    option_error,
    transformer,
    use_fitted_names,
)
from pipeline_lib.compiler.builder import Builder, Value

_COMMON = "variables periods freq sort_index missing_values drop_original drop_na"
_ROLLING = ("sum", "mean", "median", "min", "max", "std", "var", "sem", "count")
# pandas updates a rolling sum (compensated) or variance from window to window, so that rounding errors of earlier,
# larger windows remain; we compute each window by itself. ULPs of the sum of magnitudes.
_CARRIED = {"sum": 16.0, "mean": 16.0, "std": 4096.0, "sem": 4096.0, "var": 4096.0}


@transformer("feature_engine.timeseries.forecasting.lag_features.LagFeatures", options=f"{_COMMON} fill_value")
def lags(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `NAME_lag_N` for each variable and period: the value N rows before.

    Source: LagFeatures.transform. `fill_value` applies to the first rows, which have no earlier ones; production
    never predicts such rows.
    """
    columns = _prepared(step, columns)
    result: Columns = {}
    for rows in _listed(step.periods):
        for name in map(str, step.variables_):
            lag = build.earlier(columns[name], rows, "LagFeatures")
            if step.fill_value is not None and build.checking:
                lag = build.fill(lag, float(step.fill_value))
            add(result, f"{name}_lag_{rows}", lag, step, columns)
    return _joined(step, columns, result)


@transformer(
    "feature_engine.timeseries.forecasting.window_features.WindowFeatures",
    options=f"{_COMMON} window min_periods functions",
)
def windows(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `NAME_window_W_FUNCTION` for each: a statistic of the W rows that end `periods` rows before.

    Source: WindowFeatures.transform, which calls `rolling(window)` without `min_periods`: a window with a missing
    value gives missing.
    """
    columns = _prepared(step, columns)
    result: Columns = {}
    for window in _listed(step.window):
        if type(window) is not int:
            raise option_error(step, "window", "numbers of rows")
        for name in map(str, step.variables_):
            last = step.periods
            rows = [
                build.earlier(columns[name], back, "WindowFeatures") for back in range(last + window - 1, last - 1, -1)
            ]
            for function in _listed(step.functions):
                if function not in _ROLLING:
                    raise option_error(step, "functions", f"among {', '.join(_ROLLING)}")
                value = _statistic(function, rows, build)
                add(result, f"{name}_window_{window}_{function}", value, step, columns)
    return _joined(step, columns, result)


@transformer(
    "feature_engine.timeseries.forecasting.expanding_window_features.ExpandingWindowFeatures",
    options=f"{_COMMON} min_periods functions",
)
def expanding(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refuse the step: a row's features depend on all earlier rows, but a context holds a fixed count of them."""
    raise RefusedStepError(
        "ExpandingWindowFeatures: found features of all earlier rows, expected at most a fixed number, which a context "
        "can hold; use WindowFeatures, or make such columns in `load`"
    )


def _prepared(step: Any, columns: Columns) -> Columns:
    columns = dict(use_fitted_names(step, columns))
    if step.freq is not None:
        raise option_error(step, "freq", "None: lags are counted in rows, not in time")
    if step.drop_na:
        raise RefusedStepError(
            f"{type(step).__name__}: found drop_na=True, expected a row out for each row in; impute the first rows, or "
            "drop them in `split`"
        )
    if step.missing_values == "raise":
        for name in map(str, step.variables_):
            columns[name] = check_present(columns[name], name, step)
    return columns


def _statistic(function: str, rows: list[Value], build: Builder) -> Value:
    statistic = build.number(STATISTICS[function](rows, build))
    any_missing = rows[0].missing()
    for row in rows[1:]:
        any_missing = any_missing | row.missing()
    magnitude = abs(rows[0])
    for row in rows[1:]:
        magnitude = magnitude + abs(row)
    if function in _CARRIED:
        scale = magnitude * magnitude if function == "var" else magnitude
        statistic = build.allow_ulps(statistic, _CARRIED[function], scale)
    return build.where(any_missing, math.nan, statistic)


def _joined(step: Any, columns: Columns, result: Columns) -> Columns:
    dropped = set(map(str, step.variables_)) if step.drop_original else set()
    return {name: value for name, value in columns.items() if name not in dropped} | result


def _listed(setting: Any) -> list[Any]:
    return list(setting) if isinstance(setting, list) else [setting]
