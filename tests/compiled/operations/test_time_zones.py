"""Local time by transitions that the plan holds: the hours at which clocks are set, in columns and in one row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fe_plans import checked
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.errors import InputError
from pipeline_lib.steps.clocks import BlockTime, LocalClock, zone_shifts

HOUR = 3_600_000_000
ZONES = ["America/New_York", "America/Phoenix", "Australia/Lord_Howe", "Asia/Kathmandu"]


def settings(*zones: str) -> dict[str, Any]:
    starts, shifts = zip(*(zone_shifts(zone, (2013, 2014)) for zone in zones), strict=True)
    first, end = (int(np.datetime64(f"{year}-01-01", "us").astype(np.int64)) for year in (2013, 2015))
    known = {"first": first, "end": end, "name": "c", "where": "test"}
    return known | {"starts": list(starts), "shifts": list(shifts)}


def one_row(known: dict[str, Any], timestamp: int, zone_index: int) -> Any:
    code = Code()
    code.line(f"return {OPERATIONS['zone_time'].row(code, known, ['a', 'b'], ['datetime', 'int64'])}")
    return code.function("f", "a, b", "<test>")(timestamp, zone_index)


def test_every_half_hour_of_two_years_is_what_pandas_makes_of_it_in_columns_and_in_one_row() -> None:
    known = settings(*ZONES)
    timestamps = np.arange(known["first"], known["end"], HOUR // 2)
    for zone_index, zone in enumerate(ZONES):
        expected = pd.Series(timestamps.view("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(zone)
        wanted = expected.dt.tz_localize(None).to_numpy().astype("datetime64[us]").view(np.int64)
        local = OPERATIONS["zone_time"].column(known)(timestamps, np.full(len(timestamps), zone_index))
        np.testing.assert_array_equal(local, wanted)
        some = slice(zone_index, None, 997)
        assert [one_row(known, timestamp, zone_index) for timestamp in timestamps[some].tolist()] == wanted[
            some
        ].tolist()


def test_clocks_are_set_forward_and_back_once_a_year_and_never_in_phoenix() -> None:
    starts, shifts = zone_shifts("America/New_York", (2013, 2013))
    at = [str(np.datetime64(timestamp, "us")) for timestamp in starts]
    assert at == ["2013-01-01T00:00:00.000000", "2013-03-10T07:00:00.000000", "2013-11-03T06:00:00.000000"]
    assert [shift // HOUR for shift in shifts] == [-5, -4, -5]
    assert zone_shifts("America/Phoenix", (2013, 2013))[1] == [-7 * HOUR]


def test_a_missing_moment_or_zone_is_missing() -> None:
    known = settings("America/New_York")
    timestamps, zones = np.array([NAT, known["first"]]), np.array([0, -1])
    assert OPERATIONS["zone_time"].column(known)(timestamps, zones).tolist() == [NAT, NAT]
    assert [one_row(known, *pair) for pair in zip(timestamps.tolist(), zones.tolist(), strict=True)] == [NAT, NAT]


def test_any_place_below_zero_is_missing() -> None:
    known = settings("America/New_York", "Europe/London")
    timestamps, zones = np.full(3, known["first"]), np.array([1, -1, -9])
    assert OPERATIONS["zone_time"].column(known)(timestamps, zones).tolist() == [known["first"], NAT, NAT]


def test_moments_in_order_and_in_none_have_the_same_local_time() -> None:
    known = {"first": 0, "end": 1000 * HOUR, "name": "c", "where": "test"}
    known |= {"starts": [[0, 500 * HOUR], [0]], "shifts": [[HOUR, 2 * HOUR], [-HOUR]]}
    local = OPERATIONS["zone_time"].column(known)
    draw = np.random.default_rng(1)
    timestamps = np.sort(draw.integers(0, 1000 * HOUR, 3000))
    zones = draw.integers(-1, 2, 3000)
    timestamps[::50] = NAT
    whole = local(timestamps, zones)
    parts = [local(timestamps[start : start + 10], zones[start : start + 10]) for start in range(0, 3000, 10)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    expected = [
        NAT if at == NAT or zone < 0 else at + (-HOUR if zone else 2 * HOUR if at >= 500 * HOUR else HOUR)
        for at, zone in zip(timestamps.tolist(), zones.tolist(), strict=True)
    ]
    assert whole.tolist() == expected


def test_moments_that_the_transitions_do_not_cover_are_refused_and_the_last_one_that_they_do_is_not() -> None:
    known = settings("America/New_York")
    for beyond in (known["first"] - 1, known["end"]):
        for refused in (
            lambda at=beyond: OPERATIONS["zone_time"].column(known)(np.array([at]), np.array([0])),
            lambda at=beyond: one_row(known, at, 0),
        ):
            with pytest.raises(InputError, match=r"test: found microsecond .* expected one from 2013-01-01 to before"):
                refused()
    assert one_row(known, known["end"] - 1, 0) == known["end"] - 1 - 5 * HOUR


def departures() -> pd.DataFrame:
    """The last minute before New York's clocks go forward, the first one after, the doubled hour, no zone."""
    timestamps = ["2013-03-10T06:59", "2013-03-10T07:00", "2013-11-03T05:30", "2013-11-03T06:30", "2013-07-01T03:00"]
    frame = pd.DataFrame({"at": pd.to_datetime(timestamps).astype("datetime64[us]")})
    frame["zone"] = pd.Series([*["America/New_York"] * 4, None], dtype="str")
    return frame.assign(arrival=[400, 0, 145, 2400, 100])


def clock(**changes: Any) -> LocalClock:
    defaults = {
        "timestamp": "at",
        "zone": "zone",
        "name": "local",
        "zones": ["America/New_York"],
        "years": (2013, 2013),
    }
    return LocalClock(**{**defaults, **changes})


def test_a_clock_is_an_estimator_that_names_what_comes_out_and_changes_nothing_that_goes_in() -> None:
    frame = departures().set_axis([9, 3, 5, 1, 7])
    fitted = clock().fit(frame)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(frame)
    result = fitted.transform(frame)
    assert list(fitted.get_feature_names_out()) == list(result)
    assert list(result.index) == [9, 3, 5, 1, 7]
    pd.testing.assert_frame_equal(result.loc[[5]], fitted.transform(frame.loc[[5]]))
    pd.testing.assert_frame_equal(frame, departures().set_axis([9, 3, 5, 1, 7]))


def test_a_local_clock_skips_an_hour_in_march_and_shows_one_twice_in_november() -> None:
    frame = clock().fit_transform(departures())
    assert frame["local_minute"].to_list()[:4] == [119, 180, 90, 90]
    assert frame["local_weekday"].to_list()[:4] == [6, 6, 6, 6]
    assert frame[["local_minute", "local_weekday"]].iloc[4].isna().all()


def test_the_time_between_two_local_clocks_may_pass_midnight() -> None:
    frame = BlockTime(arrival="arrival", clock="local_minute").fit_transform(clock().fit_transform(departures()))
    assert frame["block"].to_list()[:4] == [121, 1260, 15, 1350]
    assert np.isnan(frame["block"][4])


def test_the_plans_of_clocks_and_block_times_have_the_steps_own_values_and_the_same_bits_everywhere() -> None:
    frame = clock().fit_transform(departures())
    checked(clock().fit(departures()), departures())
    checked(BlockTime(arrival="arrival", clock="local_minute").fit(frame), frame)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zones": ["America/Gotham"]}, "found zone 'America/Gotham', expected a name of the IANA"),
        ({"zones": ["America/Chicago"]}, "found 'America/New_York' in column 'zone', expected one of America/Chicago"),
        ({"years": (2014, 2015)}, "outside of the zones' years in column 'at'"),
        ({"years": (2014, 2013)}, r"found years=\(2014, 2013\)"),
        ({"timestamp": "then"}, "expected also 'then'"),
        ({"timestamp": "arrival"}, "found int64 in column 'arrival', expected dates"),
    ],
)
def test_what_a_clock_cannot_show_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        clock(**changes).fit(departures()).transform(departures())
