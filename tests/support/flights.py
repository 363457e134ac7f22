"""Flights and a table of weather that is looked up by airport and hour, and a step over both."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel
from sklearn.base import BaseEstimator, TransformerMixin

from pipeline_lib.rows.model import Lookup, Tables, schema_of
from pipeline_lib.rows.schema import RowSchema

NOON = datetime(2026, 3, 1, 12)


class Flight(BaseModel):
    flight: int
    origin: str
    hour: datetime
    seats: float


class Weather(BaseModel):
    origin: str
    hour: datetime
    wind: float | None
    rain: float | None


ROW = Tables("flight", flights=Flight, weather=Lookup(Weather, by=("origin", "hour")))


def schema() -> RowSchema:
    return schema_of(ROW)


def frames() -> dict[str, pd.DataFrame]:
    """Two flights in one hour, one in the next, one without weather; and weather of an airport without flights."""
    hours = [NOON, NOON + timedelta(hours=1)]
    flights = pd.DataFrame(
        {
            "flight": [4, 1, 3, 2],
            "origin": pd.Series(["JFK", "EWR", "JFK", "EWR"], dtype="str"),
            "hour": [hours[0], hours[1], hours[0], hours[0]],
            "seats": [150.0, 80.0, 160.0, 90.0],
        }
    )
    weather = pd.DataFrame(
        {
            "origin": pd.Series(["EWR", "JFK", "LGA"], dtype="str"),
            "hour": [hours[1], hours[0], hours[0]],
            "wind": [np.nan, 7.5, 99.0],
            "rain": [0.0, 0.25, 9.0],
        }
    )
    dates = {"hour": "datetime64[us]"}
    return {"flights": flights.astype(dates), "weather": weather.astype(dates)}


class Windy(TransformerMixin, BaseEstimator):
    """Seats, wind (-1 where it is not known) and the count of weather rows."""

    def fit(self, X: Mapping[str, pd.DataFrame], y: object = None) -> Self:
        self.fitted_ = True
        return self

    def transform(self, X: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        both = X["flights"].merge(X["weather"], on=["origin", "hour"], how="left", indicator="known")
        known = (both["known"] == "both").astype("int64")
        return both[["seats"]].assign(wind=both["wind"].fillna(-1.0), known=known)

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        wind = build.extreme(tables["weather"]["wind"], "max")
        known = build.count(tables["weather"]["wind"])
        return {"seats": tables["flights"]["seats"], "wind": build.fill(wind, -1.0), "known": known}

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]:
        return np.array(["seats", "wind", "known"], dtype=object)
