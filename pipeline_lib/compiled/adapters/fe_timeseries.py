"""Lags and windows of feature-engine: made of earlier rows, which one row does not have."""

from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, RefusedStepError, transformer
from pipeline_lib.compiled.plan import Builder

_COMMON = "variables periods freq sort_index missing_values drop_original drop_na"


@transformer("feature_engine.timeseries.forecasting.lag_features.LagFeatures", options=f"{_COMMON} fill_value")
@transformer(
    "feature_engine.timeseries.forecasting.window_features.WindowFeatures",
    options=f"{_COMMON} window min_periods functions",
)
@transformer(
    "feature_engine.timeseries.forecasting.expanding_window_features.ExpandingWindowFeatures",
    options=f"{_COMMON} min_periods functions",
)
def earlier_rows(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: the same row would have other features in another batch."""
    raise RefusedStepError(
        f"{type(step).__name__}: found features of earlier rows, expected features of the row itself, as in production "
        "a row comes without the rows before it, and the first rows of a batch would have none; "
        "make lags and windows columns of the raw data in `load`"
    )
