"""A table that is looked up: its rows belong to every main row with the same values of some columns."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import to_pipeline_input
from pipeline_lib.rows.model import Lookup, Tables, schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, split_tables

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
    """Two flights of one hour, one of the next, one that no weather is known for; an hour that no flight asks for."""
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
    """Seats, wind (-1 where it is not known) and how many rows of weather there are."""

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


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    pipeline = Pipeline([("windy", Windy()), ("linear", LinearRegression())]).fit(frames(), [1.0, 2.0, 4.0, 3.0])
    return compile_pipeline(pipeline, like=frames(), row=schema())


def test_each_main_row_has_the_row_of_its_place_or_none() -> None:
    table = conform(frames(), schema())
    assert table.column_names == ["flight", "origin", "hour", "seats", "weather.wind", "weather.rain"]
    assert table.column("weather.wind").to_pylist() == [[7.5], [None], [7.5], []]
    assert table.column("weather.rain").to_pylist() == [[0.25], [0.0], [0.25], []]


def test_a_row_that_several_ask_for_stands_once_when_tables_are_taken_apart_and_comes_back() -> None:
    table = conform(frames(), schema())
    apart = split_tables(table, schema())
    assert apart["weather"].to_pylist() == [
        {"origin": "JFK", "hour": NOON, "wind": 7.5, "rain": 0.25},
        {"origin": "EWR", "hour": NOON + timedelta(hours=1), "wind": None, "rain": 0.0},
    ]
    assert conform(apart, schema()).equals(table)
    assert conform(table, schema()).equals(table)
    rows = as_rows(table, schema())
    assert [len(row["weather"]) for row in rows] == [1, 1, 1, 0]


def test_no_rows_to_look_up_are_an_answer_for_every_main_row() -> None:
    table = conform(frames() | {"weather": []}, schema())
    assert table.column("weather.wind").to_pylist() == [[], [], [], []]
    assert split_tables(table, schema())["weather"].num_rows == 0
    assert conform(split_tables(table, schema()), schema()).equals(table)
    assert conform({"flights": [], "weather": frames()["weather"]}, schema()).num_rows == 0


def test_complete_texts_are_looked_up() -> None:
    class Place(BaseModel):
        origin: str
        name: str

    tables = schema_of(Tables("flight", flights=Flight, places=Lookup(Place, by=("origin",))))
    places = [{"origin": "JFK", "name": "Kennedy"}, {"origin": "EWR", "name": "Newark"}]
    rows = as_rows(conform({"flights": frames()["flights"], "places": places}, tables), tables)
    assert [[place["name"] for place in row["places"]] for row in rows] == [["Kennedy"], ["Newark"]] * 2


def test_two_rows_of_one_place_are_refused_with_their_numbers() -> None:
    data = frames()
    twice = pd.concat([data["weather"], data["weather"].tail(1).assign(wind=1.0)])
    with pytest.raises(InputError, match=r"weather: origin, hour: found 'LGA', .* in rows 2 and 3, expected each once"):
        conform(data | {"weather": twice}, schema())


class Private(BaseModel):
    origin: str = Field(json_schema_extra={"sensitive": True})
    wind: float


def test_a_sensitive_value_that_stands_twice_is_not_shown() -> None:
    row = schema_of(Tables("flight", flights=Flight, winds=Lookup(Private, by=("origin",))))
    winds = [{"origin": "secret", "wind": 1.0}, {"origin": "secret", "wind": 2.0}]
    with pytest.raises(
        InputError, match=r"winds: origin: found a value \(hidden: sensitive\) in rows 0 and 1"
    ) as found:
        conform({"flights": frames()["flights"], "winds": winds}, row)
    assert "secret" not in str(found.value)


def test_a_schema_of_tables_to_look_up_is_read_from_its_json() -> None:
    assert RowSchema.from_json(schema().to_json()) == schema()
    assert schema().keep(["seats"]).children == ()
    assert schema().keep(["seats"]).names == ("flight", "seats")
    assert schema().keep(["weather.rain"]).names == ("flight", "origin", "hour", "weather.rain")


class NoHour(BaseModel):
    origin: str
    wind: float


class Degrees(BaseModel):
    seats: float
    wind: float


class OnlyPlaces(BaseModel):
    origin: str


@pytest.mark.parametrize(
    ("other", "by", "message"),
    [
        (NoHour, ("origin", "hour"), "weather: found no column 'hour'"),
        (Degrees, ("seats",), "weather.seats: found a column of kind number to look up by"),
        (OnlyPlaces, ("origin",), "found only the columns origin"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(other: type[BaseModel], by: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        schema_of(Tables("flight", flights=Flight, weather=Lookup(other, by=by)))


def test_the_main_table_is_never_one_to_look_up() -> None:
    with pytest.raises(InputError, match="the main one first"):
        Tables("flight", weather=Lookup(Weather, by=("origin",)), flights=Flight)


def test_a_pipeline_over_a_table_to_look_up_has_the_same_bits_alone_and_in_a_batch(
    model: CompiledPipeline, tmp_path: Any
) -> None:
    data = frames()
    assert model.exact
    batch = model.predict(data)
    rows = as_rows(conform(data, schema()), schema())
    assert [model.predict_row(row) for row in rows] == batch.tolist()
    assert model.trace_row(rows[3])["windy"] == {"seats": 90.0, "wind": -1.0, "known": 0}
    other = data | {"weather": data["weather"].iloc[::-1]}
    assert first_difference(model.evaluate(conform(other, schema())).outputs, model.evaluate(data).outputs) is None
    model.save(tmp_path / "artifact")
    assert load_model(tmp_path / "artifact").predict(data).tobytes() == batch.tobytes()


class Becalmed(Windy):
    """A plan that takes no wind for a missing hour, which the step itself does not."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        right = super().plan(tables, build)
        return right | {"wind": build.fill(build.extreme(tables["weather"]["wind"], "max"), 0.0)}


def test_a_plan_that_takes_a_missing_row_for_another_than_its_step_does_is_refused() -> None:
    pipeline = Pipeline([("windy", Becalmed()), ("linear", LinearRegression())]).fit(frames(), [1.0, 2.0, 4.0, 3.0])
    with pytest.raises(InputError, match="step windy"):
        compile_pipeline(pipeline, like=frames(), row=schema())


def test_research_sees_the_tables_of_which_only_what_is_asked_for_came_through() -> None:
    given = to_pipeline_input(conform(frames(), schema()), schema())
    assert Windy().fit_transform(given).equals(Windy().fit_transform(frames()))
