"""A tiny daily series with a fitted pipeline of lags and windows, for tests of declared contexts."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from feature_engine.imputation import ArbitraryNumberImputer
from feature_engine.selection import DropFeatures
from feature_engine.timeseries.forecasting import LagFeatures
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

ROWS = 60
CONTEXT = Context(rows=3, time="day", every=timedelta(days=1), feeds="sold")
SCHEMA = RowSchema((Column("day", "datetime"), Column("sold", "number", finite=True)))


def days(rows: int = ROWS, start: int = 0) -> pd.DataFrame:
    """So many days, from a Monday on, with what was sold."""
    drawn = np.random.default_rng(0).normal(size=start + rows)[start:]
    times = pd.date_range(datetime(2024, 1, 1) + timedelta(days=start), periods=rows, freq="D", unit="us")
    return pd.DataFrame({"day": times, "sold": 10 + 3 * np.sin(np.arange(start, start + rows) / 3) + drawn})


def fit(frame: pd.DataFrame) -> Pipeline:
    """What is sold on the next day, by this one and the three before."""
    steps: list[tuple[str, Any]] = [
        ("lags", LagFeatures(variables=["sold"], periods=[1, 2, 3], sort_index=False)),
        ("times", DropFeatures(["day"])),
        ("fill", ArbitraryNumberImputer(arbitrary_number=10)),
        ("final", LinearRegression()),
    ]
    return Pipeline(steps).fit(frame, frame["sold"].shift(-1).fillna(10.0))


@cache
def compiled(context: Context | int = CONTEXT) -> CompiledPipeline:
    """The compiled pipeline under a context."""
    return compile_pipeline(fit(days()), like=days(), row=SCHEMA, context=context)
