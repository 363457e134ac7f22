"""A table that is looked up has rows that many main rows share: each is evaluated once, with the same bits."""

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel

from pipeline_lib.compiled import distinct_values
from pipeline_lib.compiled.arrow import from_arrow, run_parts
from pipeline_lib.compiled.distinct_values import distinct_rows, make_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows import join_tables
from pipeline_lib.rows.conform import conform, conform_in_parts
from pipeline_lib.rows.model import Lookup, Tables, schema_of
from pipeline_lib.rows.schema import RowSchema

LONG = 20_000


class Flight(BaseModel):
    flight: int
    origin: str
    hour: datetime
    seats: float


class Weather(BaseModel):
    origin: str
    hour: datetime
    wind: float | None
    sky: str | None
    seen: datetime
    station: int
    clear: bool


class Passenger(BaseModel):
    flight: int
    name: str
    meal: str | None


ROW = schema_of(Tables("flight", flights=Flight, weather=Lookup(Weather, by=("origin", "hour"))))
PEOPLE = schema_of(Tables("flight", flights=Flight, people=Passenger))
HOURS = [datetime(2026, 3, 1) + timedelta(hours=hour) for hour in range(50)]


def frames(rows: int = LONG) -> dict[str, pd.DataFrame]:
    """Flights from three airports in 50 hours; weather of 40 of these, also at an airport without flights."""
    draw = np.random.default_rng(0)
    airports, hours = np.array(["JFK", "EWR", "BOS"], dtype=object), np.array(HOURS, dtype="datetime64[us]")
    flights = pd.DataFrame(
        {
            "flight": np.arange(rows),
            "origin": pd.Series(airports[draw.integers(0, 3, rows)], dtype="str"),
            "hour": hours[draw.integers(0, 50, rows)],
            "seats": draw.normal(size=rows),
        }
    )
    pairs = [(airport, hour) for airport in [*airports, "LGA"] for hour in hours[:40]]
    weather = pd.DataFrame(
        {
            "origin": pd.Series([airport for airport, _ in pairs], dtype="str"),
            "hour": [hour for _, hour in pairs],
            "wind": np.where(draw.random(len(pairs)) < 0.2, np.nan, draw.normal(size=len(pairs))),
            "sky": pd.Series(np.array(["grey", "blue", None], object)[draw.integers(0, 3, len(pairs))], dtype="str"),
            "seen": [hour for _, hour in pairs],
            "station": 2**60 + np.arange(len(pairs)),
            "clear": draw.random(len(pairs)) < 0.5,
        }
    )
    return {"flights": flights, "weather": weather.sample(frac=1, random_state=0)}


def skies(mode: str = "default") -> tuple[Plan, list[int]]:
    """Results of the weather alone, of weather and flight, and lists that two results take."""
    build = Builder()
    seats, hour = build.input("seats", "float64"), build.input("hour", "datetime")
    kinds = {"wind": "float64[]", "sky": "str[]", "seen": "datetime[]", "station": "int64[]", "clear": "bool[]"}
    wind, sky, seen, station, clear = (
        build.input(f"weather.{name}", kind, table="weather") for name, kind in kinds.items()
    )
    filled = build.fill(build.extreme(wind, "max"), -1.0) * 3.0
    known, latest = build.number(build.count(wind)), build.extreme(seen, "max")
    score = build.lookup(sky, {"grey": 1.0, "blue": 2.0}, "float64", mode=mode, unseen=0.5, name="sky", where="Skies")
    bright, windy = build.extreme(score * wind, "max"), build.extreme(score * wind * seats, "min")
    apart = build.apply("elapsed", hour, latest, unit=1000, where="Hours", name="hour")
    whole = [build.total(station), build.count(clear), build.count(build.keep(station, clear))]
    roots = [filled, filled + seats, known, bright, windy, apart, *whole]
    return Plan(build.nodes, {}), [root.node for root in roots]


def results(data: Any, mode: str = "default", *, coded: bool) -> list[bytes]:
    """The bits of the results; without `coded` each row has a list of its own and is evaluated by itself."""
    plan, roots = skies(mode)
    return bits(plan, roots, ROW, data, coded=coded)


def bits(
    plan: Plan, roots: list[int], schema: RowSchema, data: Any, *, coded: bool, distinct: bool | None = None
) -> list[bytes]:
    executor = make_executor(plan, roots, distinct_values=coded if distinct is None else distinct)
    columns = run_parts(executor, conform_in_parts(data, schema, 7_000, for_executor=coded))
    return [column.tobytes() for column in columns]


def test_rows_that_are_looked_up_are_evaluated_once_with_the_bits_that_lists_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, seen = frames(), []
    monkeypatch.setattr(distinct_values, "distinct_rows", lambda given: seen.append(distinct_rows(given)) or seen[-1])
    assert results(data, coded=True) == results(data, coded=False)
    assert [count for _, count, _ in seen] == [len(data["weather"]) + 1]  # once each, and once for none
    assert bits(*skies(), ROW, data, coded=True, distinct=False) == results(data, coded=False)
    few = frames(100)  # fewer flights than hours with weather: lists then
    assert results(few, coded=True) == results(few, coded=False)
    assert seen[1:] == [None]


def test_only_a_row_that_is_looked_up_is_refused_with_the_number_of_its_main_row() -> None:
    data = frames()
    weather = data["weather"].reset_index(drop=True)
    data["weather"] = weather.assign(sky=weather["sky"].where(weather["origin"] != "LGA", "green").fillna("blue"))
    assert results(data, "refuse", coded=True) == results(data, "refuse", coded=False)
    row = int(np.flatnonzero(data["weather"]["origin"] == "JFK")[0])
    data["weather"].loc[row, "sky"] = "green"
    messages = []
    for coded in (True, False):
        with pytest.raises(InputError, match=r"^row \d+: its row 0 of this table: Skies: found 'green'") as refused:
            results(data, "refuse", coded=coded)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


def test_two_rows_of_one_place_are_refused_in_the_same_words() -> None:
    data = frames()
    data["weather"] = pd.concat([data["weather"], data["weather"].iloc[[5, 3, 5]]], ignore_index=True)
    messages = []
    for coded in (True, False):
        with pytest.raises(InputError, match=r"in rows 5 and 160, .* \(3 repeat one\)") as refused:
            list(conform_in_parts(data, ROW, None, for_executor=coded))
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


class Station(BaseModel):
    origin: str
    masts: int | None


def test_a_missing_integer_that_float64_cannot_hold_is_refused_only_where_it_is_looked_up() -> None:
    schema = schema_of(Tables("flight", flights=Flight, stations=Lookup(Station, by=("origin",))))
    build = Builder()
    masts = build.extreme(build.input("stations.masts", "float64[]", table="stations"), "max")
    plan, roots = Plan(build.nodes, {}), [masts.node]
    for origin in ("LGA", "JFK"):
        stations = [
            {"origin": "EWR", "masts": 3},
            {"origin": "BOS", "masts": None},
            {"origin": origin, "masts": 2**60 + 1},
        ]
        data = {"flights": frames()["flights"], "stations": stations}
        if origin == "LGA":
            assert bits(plan, roots, schema, data, coded=True) == bits(plan, roots, schema, data, coded=False)
            continue
        for coded in (True, False):
            with pytest.raises(InputError, match=r"^stations.masts: found \d+ integers beyond 2\*\*53"):
                bits(plan, roots, schema, data, coded=coded)


def test_lists_that_are_dictionary_encoded_are_no_raw_table() -> None:
    (coded,) = conform_in_parts(frames(), ROW, None, for_executor=True)
    with pytest.raises(InputError, match=r"weather.wind: found dictionary<.*>, expected a list for each row"):
        conform(coded, ROW)


@pytest.mark.parametrize("sparse", [0, 8])
def test_rows_are_found_by_keys_that_are_numbered_again(sparse: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_tables, "_MAX_NUMBERS_PER_ROW", sparse)
    data = frames()
    hours = data["weather"].drop_duplicates("hour")  # one airport for each hour: most pairs have no weather
    found = conform(data | {"weather": hours}, ROW)
    wanted = data["flights"].merge(hours, on=["origin", "hour"], how="left")["wind"]
    assert [row[0] if row else None for row in found.column("weather.wind").to_pylist()] == [
        None if math.isnan(wind) else wind for wind in wanted
    ]


@pytest.mark.parametrize("ordered", [True, False])
def test_text_of_child_rows_is_coded_in_any_order_and_in_parts(*, ordered: bool) -> None:
    draw = np.random.default_rng(2)
    flights = frames(3000)["flights"]
    owners = draw.integers(0, 2900, 2 * LONG)
    people = pd.DataFrame(
        {
            "flight": np.sort(owners) if ordered else owners,
            "name": pd.Series([f"name {row}" for row in draw.permutation(2 * LONG)], dtype="str"),
            "meal": pd.Series(np.array(["fish", "rice", None], object)[draw.integers(0, 3, 2 * LONG)], dtype="str"),
        }
    )
    build = Builder()
    meal, name = (build.input(f"people.{column}", "str[]", table="people") for column in ("meal", "name"))
    price = build.lookup(meal, {"fish": 3.0, "rice": 2.5}, "float64", missing=0.0, unseen=1.0)
    first = build.lookup(name, {f"name {row}": float(row) for row in range(500)}, "float64", unseen=-1.0)
    plan, roots = Plan(build.nodes, {}), [build.total(price).node, build.extreme(first, "max").node]
    data = {"flights": flights, "people": people}
    parts = list(conform_in_parts(data, PEOPLE, 7_000, for_executor=True))
    assert len(parts) > 3
    assert pa.types.is_dictionary(parts[0].schema.field("people.meal").type.value_type)
    assert bits(plan, roots, PEOPLE, data, coded=True) == bits(plan, roots, PEOPLE, data, coded=False)


def test_a_table_is_evaluated_for_a_part_only_where_that_has_twice_as_many_rows() -> None:
    data = frames()
    executor, seen = make_executor(*skies()), []
    (part,) = conform_in_parts(data, ROW, None, for_executor=True)
    enough = 2 * (len(data["weather"]) + 1)  # one more for none
    for rows in (enough - 1, enough):
        columns = from_arrow(part.slice(0, rows))
        assert (distinct_rows({"weather.wind": columns["weather.wind"]}) is None) == (rows < enough)
        seen.append([column[: enough - 1].tobytes() for column in executor.run(columns, rows)])
    assert seen[0] == seen[1]
