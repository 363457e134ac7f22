"""A small pipeline over house prices, with missing values and text, and steps of one's own for it."""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
import pandas as pd
from feature_engine.encoding import OrdinalEncoder
from feature_engine.imputation import CategoricalImputer, MeanMedianImputer
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

ROWS = 60
ROW = RowSchema(
    (
        Column("size", "number", nullable=True),
        Column("rooms", "integer", ge=0, le=20),
        Column("town", "string", nullable=True, max_length=10),
        Column("code", "string"),
        Column("heated", "boolean"),
    )
)


class Drop(TransformerMixin, BaseEstimator):
    """Drops columns; the steps of the tests are kinds of it."""

    def __init__(self, columns: Collection[str] = ()) -> None:
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> Self:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X.drop(columns=self.columns)

    def plan(self, columns: Any, build: Any) -> Any:
        return {name: value for name, value in columns.items() if name not in self.columns}


class Logged(Drop):
    """A step of own code that cannot be recorded."""

    def transform(self, X: Any) -> Any:
        return X.assign(size=np.spacing(X["size"]))  # not among the functions that the recorder knows

    plan = None


def houses(rows: int = ROWS) -> tuple[pd.DataFrame, pd.Series]:
    """Raw rows and their prices."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 30, rows),
            "rooms": rng.integers(1, 9, rows),
            "town": rng.choice(["Ames", "Boone", "Nevada"], rows),
            "code": [f"c{i}" for i in range(rows)],
            "heated": rng.random(rows) > 0.5,
        }
    ).astype({"town": "str", "code": "str"})
    frame.loc[::7, "size"] = np.nan
    frame.loc[::5, "town"] = np.nan
    return frame, frame["size"].fillna(90) * 3 + frame["rooms"] * 10


def steps(*more: tuple[str, Any]) -> list[tuple[str, Any]]:
    """The steps of the pipeline, with `more` before the scaler."""
    return [
        ("town", CategoricalImputer(variables=["town"], fill_value="none")),
        ("rank", OrdinalEncoder(encoding_method="ordered", variables=["town"], unseen="encode")),
        ("drop", Drop(["code"])),
        ("size", MeanMedianImputer(variables=["size"])),
        *more,
        ("scale", MinMaxScaler()),
        ("price", Lasso(alpha=0.01)),
    ]


def fit_pipeline(*more: tuple[str, Any]) -> Pipeline:
    """The fitted pipeline."""
    frame, price = houses()
    return Pipeline(steps(*more)).fit(frame, price)


def compiled(*more: tuple[str, Any], **options: Any) -> CompiledPipeline:
    """The compiled pipeline."""
    return compile_pipeline(fit_pipeline(*more), like=houses()[0], row=ROW, **options)


def as_dicts(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as mappings, in which missing is None."""
    return [
        {name: None if value != value else value for name, value in row.items()} for row in frame.to_dict("records")
    ]
