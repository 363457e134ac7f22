"""A table that is looked up: its rows belong to every main row with the same values of some columns."""

from datetime import timedelta

import pandas as pd
import pytest
from flights import NOON, Flight, Weather, Windy, frames, schema
from pydantic import BaseModel, Field

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import to_pipeline_input
from pipeline_lib.rows.model import Lookup, Tables, schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, split_tables


def test_each_main_row_has_the_row_with_its_values_or_none() -> None:
    table = conform(frames(), schema())
    assert table.column_names == ["flight", "origin", "hour", "seats", "weather.wind", "weather.rain"]
    assert table.column("weather.wind").to_pylist() == [[7.5], [None], [7.5], []]
    assert table.column("weather.rain").to_pylist() == [[0.25], [0.0], [0.25], []]


def test_a_row_of_several_main_rows_occurs_once_when_tables_are_split() -> None:
    table = conform(frames(), schema())
    tables = split_tables(table, schema())
    assert tables["weather"].to_pylist() == [
        {"origin": "JFK", "hour": NOON, "wind": 7.5, "rain": 0.25},
        {"origin": "EWR", "hour": NOON + timedelta(hours=1), "wind": None, "rain": 0.0},
    ]
    assert conform(tables, schema()).equals(table)
    assert conform(table, schema()).equals(table)
    rows = as_rows(table, schema())
    assert [len(row["weather"]) for row in rows] == [1, 1, 1, 0]


def test_an_empty_looked_up_table_gives_empty_lists() -> None:
    table = conform(frames() | {"weather": []}, schema())
    assert table.column("weather.wind").to_pylist() == [[], [], [], []]
    assert split_tables(table, schema())["weather"].num_rows == 0
    assert conform(split_tables(table, schema()), schema()).equals(table)
    assert conform({"flights": [], "weather": frames()["weather"]}, schema()).num_rows == 0


def test_text_without_missing_values_is_looked_up() -> None:
    class Place(BaseModel):
        origin: str
        name: str

    tables = schema_of(Tables("flight", flights=Flight, places=Lookup(Place, by=("origin",))))
    places = [{"origin": "JFK", "name": "Kennedy"}, {"origin": "EWR", "name": "Newark"}]
    rows = as_rows(conform({"flights": frames()["flights"], "places": places}, tables), tables)
    assert [[place["name"] for place in row["places"]] for row in rows] == [["Kennedy"], ["Newark"]] * 2


def test_two_rows_with_the_same_values_are_refused_with_their_numbers() -> None:
    data = frames()
    twice = pd.concat([data["weather"], data["weather"].tail(1).assign(wind=1.0)])
    with pytest.raises(InputError, match=r"weather: origin, hour: found 'LGA', .* in rows 2 and 3, expected each once"):
        conform(data | {"weather": twice}, schema())


class Private(BaseModel):
    origin: str = Field(json_schema_extra={"sensitive": True})
    wind: float


def test_a_sensitive_value_of_two_rows_is_not_shown() -> None:
    row = schema_of(Tables("flight", flights=Flight, winds=Lookup(Private, by=("origin",))))
    winds = [{"origin": "secret", "wind": 1.0}, {"origin": "secret", "wind": 2.0}]
    with pytest.raises(
        InputError, match=r"winds: origin: found a value \(hidden: sensitive\) in rows 0 and 1"
    ) as found:
        conform({"flights": frames()["flights"], "winds": winds}, row)
    assert "secret" not in str(found.value)


def test_a_schema_with_looked_up_tables_is_read_from_its_json() -> None:
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


def test_the_main_table_is_not_looked_up() -> None:
    with pytest.raises(InputError, match="the main one first"):
        Tables("flight", weather=Lookup(Weather, by=("origin",)), flights=Flight)


def test_research_gets_only_the_rows_that_are_looked_up() -> None:
    given = to_pipeline_input(conform(frames(), schema()), schema())
    assert Windy().fit_transform(given).equals(Windy().fit_transform(frames()))
