"""Flights with their weather and airports: few literal rows by hand, then some of the real ones."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.pipelines import flights
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.split_tables import as_rows
from pipeline_lib.steps.weather import FlightRows

Frames = dict[str, pd.DataFrame]
NAN = np.nan
PARAMS: dict[str, Any] = {
    "test_from": "2013-11-01",
    "seed": 0,
    "sample": {"training": 2_000, "test": 400},
    "features": {"harmonics": 2, "smoothing": 50.0},
    "estimator": {"strength": 0.1, "max_iter": 1000},
    "business": {"earlier": 60.0, "late": 240.0},
}
GIVEN = flights.Params.model_validate(PARAMS)


def small() -> Frames:
    """Two flights of one hour's weather, one of an hour without, one to an unknown airport."""
    hours = pd.to_datetime(["2013-03-01T10", "2013-03-01T10", "2013-03-01T11", "2013-03-01T10"])
    scheduled = pd.DataFrame(
        {"origin": ["JFK", "JFK", "JFK", "EWR"], "dest": ["PHX", "HNL", "PHX", "SJU"], "weather_hour": hours}
    )
    measured = {"temp": [30.5, NAN], "visib": [10.0, 0.25]}
    weather = pd.DataFrame({"origin": ["JFK", "EWR"], "weather_hour": hours[:2], **measured})
    locations = {"lat": [40.6, 40.7, 33.4, 21.3], "lon": [-73.8, -74.2, -112.0, -157.9], "zone": ["E", "E", "M", None]}
    airports = pd.DataFrame({"airport": ["JFK", "EWR", "PHX", "HNL"], **locations})
    return {"flights": scheduled.set_axis([4, 9, 2, 7]), "weather": weather, "airports": airports}


def step(**changes: Any) -> FlightRows:
    return FlightRows(**{"keep": ["dest"], "measured": ["temp", "visib"], **changes})


def test_each_flight_has_the_weather_of_its_place_and_hour_and_keeps_its_index() -> None:
    rows = step().fit_transform(small())
    assert rows.index.to_list() == [4, 9, 2, 7]
    np.testing.assert_array_equal(rows["temp"], [30.5, 30.5, NAN, NAN])
    np.testing.assert_array_equal(rows["visib"], [10.0, 10.0, NAN, 0.25])
    assert rows["weather_known"].to_list() == [1, 1, 0, 1]


def test_an_airport_that_the_table_lacks_has_no_place_and_no_zone() -> None:
    rows = step().fit_transform(small())
    np.testing.assert_array_equal(rows["dest_lat"], [33.4, 21.3, 33.4, NAN])
    assert rows["dest_zone"].isna().to_list() == [False, True, False, True]
    assert str(rows["dest_zone"].dtype) == "str"


def test_airports_are_fitted_state_and_nothing_that_goes_in_is_changed() -> None:
    tables = small()
    fitted = step().fit(tables)
    whole = fitted.transform(tables)
    del tables["airports"]
    assert fitted.transform(tables).equals(whole)
    assert all(tables[name].equals(small()[name]) for name in tables)
    assert list(fitted.get_feature_names_out()) == list(whole)


def test_a_clone_has_the_same_parameters_and_is_not_fitted() -> None:
    copy = clone(step().fit(small()))
    assert copy.get_params() == {"keep": ["dest"], "measured": ["temp", "visib"]}
    with pytest.raises(NotFittedError):
        copy.transform(small())


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("airports", None, "expected a mapping of the frames flights, weather, airports"),
        ("weather", small()["weather"].drop(columns="visib"), "weather: found no visib"),
        ("weather", pd.concat([small()["weather"]] * 2), r"weather: found JFK, 2013-03-01 10:00:00 twice"),
        ("airports", pd.concat([small()["airports"]] * 2), "airports: found JFK twice"),
    ],
)
def test_tables_that_cannot_be_joined_are_refused(name: str, change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step().fit(small() | {name: change})


@pytest.fixture(scope="module")
def tables() -> Frames:
    return flights.load()


@pytest.fixture(scope="module")
def parts(tables: Frames) -> Any:
    return flights.split(tables, GIVEN)


@pytest.fixture(scope="module")
def fitted(parts: Any) -> Pipeline:
    return flights.build(GIVEN).fit(parts[0], parts[2])


@pytest.fixture(scope="module")
def model(parts: Any, fitted: Pipeline) -> CompiledPipeline:
    return compile_pipeline(fitted, like=parts[0], row=schema_of(flights.Row))


def test_cancelled_and_diverted_flights_are_late(tables: Frames) -> None:
    late = tables["flights"].set_index("flight_id")["late"]
    assert [late[each] for each in (1, 86, 15, 839, 472)] == [0, 0, 1, 1, 1]  # 11, 30, 31 minutes; cancelled; diverted
    assert len(late) == 336_776


def test_the_test_flights_are_the_later_ones_and_their_number_is_that_of_the_parameters(parts: Any) -> None:
    before, after = (part["flights"]["departure"] for part in parts[:2])
    assert before.max() < pd.Timestamp("2013-11-01") <= after.min()
    assert (len(before), len(after)) == (2_000, 400)
    assert parts[0]["flights"].index.equals(parts[2].index)


def test_a_split_without_flights_on_one_side_is_refused(tables: Frames) -> None:
    for day in ("2012-12-31", "2014-02-01"):
        with pytest.raises(InputError, match=f"test_from={day}, expected some on both sides"):
            flights.split(tables, flights.Params.model_validate(PARAMS | {"test_from": day}))


def test_the_pipeline_is_exact_and_reads_no_weather_that_it_does_not_use(model: CompiledPipeline) -> None:
    assert model.report is not None
    assert all(each.exact for each in model.report.steps)
    ulps = {each.name: each.ulps for each in model.report.steps}
    assert [ulps[name] for name in ("rows", "here", "there", "block")] == [0.0] * 4
    assert "weather.wind_dir" not in model.reads


def test_one_flight_alone_gets_the_bits_of_the_batch(parts: Any, model: CompiledPipeline) -> None:
    batch = model.predict_proba(parts[1])
    rows = as_rows(conform(parts[1], model.row).slice(0, 12), model.row)
    assert all(len(row["weather"]) <= 1 for row in rows)
    assert [model.predict_proba_row(row) for row in rows] == [tuple(row) for row in batch[:12].tolist()]
    shuffled = parts[1] | {"weather": parts[1]["weather"].sample(frac=1, random_state=1)}
    first, second = (model.evaluate(each, steps=True) for each in (parts[1], shuffled))
    assert first_difference(first.steps["rows"], second.steps["rows"]) is None
    assert first_difference(first.outputs, second.outputs) is None


def test_a_flight_without_weather_to_an_unknown_airport_is_answered(parts: Any, model: CompiledPipeline) -> None:
    flight = parts[1]["flights"].iloc[0].to_dict() | {"dest": "SJU"}
    answered = model.trace_row({"flights": flight, "weather": []})
    assert answered["rows"]["weather_known"] == 0
    assert answered["indicators"]["dest_lat_na"] == 1
    assert 0 < answered["outputs"]["probability[1]"] < 1


def test_weather_that_is_measured_after_the_question_changes_nothing(parts: Any, model: CompiledPipeline) -> None:
    few = parts[1] | {"flights": parts[1]["flights"].head(50)}
    cutoff = few["flights"]["departure"].max().floor("h") - pd.Timedelta(hours=1)
    known = few["weather"][few["weather"]["weather_hour"] < cutoff]
    assert len(known) < len(few["weather"])
    assert (model.predict_proba(few | {"weather": known}) == model.predict_proba(few)).all()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("origin", "BOS", "origin: found 'BOS'"),
        ("dest", "Boston", "dest: found 'Boston'"),
        ("sched_arr_time", 2500, "sched_arr_time: found 2500"),
        ("departure", pd.Timestamp("1999-12-31"), "departure: found"),
    ],
)
def test_flights_that_cannot_be_are_refused(
    parts: Any, model: CompiledPipeline, field: str, value: Any, message: str
) -> None:
    flight = parts[1]["flights"].iloc[0].to_dict() | {field: value}
    with pytest.raises(InputError, match=f"flights: .*{message}"):
        model.predict_row({"flights": flight, "weather": []})


def test_metrics_count_minutes() -> None:
    chances = [[0.2, 0.8], [0.7, 0.3], [0.1, 0.9], [0.8, 0.2]]
    values = flights.metrics([1, 1, 0, 0], [1, 0, 1, 0], GIVEN, chances)
    assert (values["minutes"], values["minutes_never"], values["minutes_always"]) == (90.0, 120.0, 60.0)
    assert (values["saved"], values["recall"]) == (-30.0, 0.5)
    with pytest.raises(InputError, match="expected each of the classes 0, 1"):
        flights.metrics([1, 1], [1, 1], GIVEN, np.ones((2, 2)))
