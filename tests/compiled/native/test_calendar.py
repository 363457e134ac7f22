"""Dates, durations and local time in the core: the bits and the refusals of NumPy's executor for any 64 bits."""

from collections.abc import Sequence
from typing import Any

import core_search
import numpy as np
import pytest
from core_search import differing, one_operation, wrong_settings

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.operations.calendar import DAY, FIELDS, HOUR, SECOND, days_from_civil
from pipeline_lib.compiled.operations.dates import ROUNDINGS, UNITS
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.steps.clocks import zone_shifts

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
HIGHEST = 2**63 - 1
NAMES = {"name": "c", "where": "test"}
_DATES = [(1, 1, 1), (9999, 12, 31), (2000, 2, 29), (1900, 2, 28), (2024, 2, 29), (2024, 12, 30), (2021, 1, 3)]
_NEAR = [days_from_civil(*each) * DAY + more for each in _DATES for more in (-1, 0, 1, DAY - 1, DAY, 12 * HOUR)]
EDGES = [NAT, NAT + 1, HIGHEST, HIGHEST - 1, 0, 1, -1, DAY, -DAY, -DAY - 1, 2**53, 2**53 + 1, -(2**53), *_NEAR]
TWO = {
    "subtract_dates": ("datetime", "datetime"),
    "add_duration": ("datetime", "duration"),
    "subtract_duration": ("datetime", "duration"),
    "add_durations": ("duration", "duration"),
    "subtract_durations": ("duration", "duration"),
    "scale_duration": ("duration", "int64"),
    "date_equal": ("datetime", "datetime"),
    "divide_durations": ("duration", "duration"),
    "floor_divide_durations": ("duration", "duration"),
    "remainder_durations": ("duration", "duration"),
}


def moments(seed: int, rows: int = 700) -> np.ndarray:
    """Edges, any 64 bits, dates of the years 1 to 9999, small numbers."""
    draw = np.random.default_rng(seed)
    years = draw.integers(days_from_civil(1, 1, 1), days_from_civil(10_000, 1, 1), rows) * DAY
    kinds = [
        draw.choice(EDGES, rows),
        draw.integers(NAT, HIGHEST, rows),
        years + draw.integers(0, DAY, rows) * draw.integers(0, 2, rows),
        draw.integers(-5, 6, rows),
    ]
    result: np.ndarray = np.choose(draw.choice(4, rows, p=[0.3, 0.05, 0.6, 0.05]), kinds)
    return result


@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_dates(field: str) -> None:
    plan = one_operation("calendar", ["datetime"], {"field": field})
    assert differing(plan, [moments(1)]) == []
    days = np.arange(days_from_civil(1899, 12, 1), days_from_civil(1901, 3, 3)) * DAY
    assert differing(plan, [days[-700:]]) == []


def test_another_field_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the comparison sees answers of another operation, and refusals of one that refuses more."""
    other = one_operation("calendar", ["datetime"], {"field": "year"})
    monkeypatch.setattr(
        core_search, "core_executor", lambda plan, roots, make: core_executor(other, roots, ColumnExecutor)
    )
    assert differing(one_operation("calendar", ["datetime"], {"field": "iso_year"}), [moments(1)]) != []
    rounded = one_operation("date_ceil", ["datetime"], {"unit": "day"})
    lines = differing(rounded, [moments(1)])
    assert any("expected a refusal" in line for line in lines)


@pytest.mark.parametrize("name", TWO)
def test_two_dates_or_durations(name: str) -> None:
    columns = [moments(2), moments(3)]
    columns[1][::7] = columns[0][::7]
    columns[1][1::5] = np.random.default_rng(4).integers(-9, 9, 140)
    assert differing(one_operation(name, TWO[name], {}), columns) == []
    for value in (NAT, 0, -1, 3, DAY, HIGHEST):
        assert differing(one_operation(name, TWO[name], {}, {1: value}), columns) == []
        assert differing(one_operation(name, TWO[name], {}, {0: value}), columns) == []


@pytest.mark.parametrize("unit", [1, 1000, 86_400_000_000_000, 0.1])
def test_time_elapsed(unit: float) -> None:
    plan = one_operation("elapsed", ["datetime", "datetime"], {"unit": unit, **NAMES})
    left, right = moments(5), moments(6)
    right[::2] = left[::2] - np.random.default_rng(7).integers(-(2**62) // 1000, 2**62 // 1000, 350)
    assert differing(plan, [left, right]) == []


def test_time_elapsed_that_64_bits_do_not_hold_is_refused_in_every_form() -> None:
    plan = one_operation("elapsed", ["datetime", "datetime"], {"unit": 1, **NAMES})
    far = [np.array([HIGHEST, NAT + 1, 0, 2**62]), np.array([NAT + 1, HIGHEST, NAT, -(2**62)])]
    assert differing(plan, [np.resize(column, 700) for column in far]) == []


@pytest.mark.parametrize("name", ["negate_duration", "absolute_duration", "duration_seconds"])
def test_one_duration(name: str) -> None:
    assert differing(one_operation(name, ["duration"], {}), [moments(8)]) == []


@pytest.mark.parametrize("part", ["days", "seconds", "microseconds"])
def test_parts_of_durations(part: str) -> None:
    assert differing(one_operation("duration_part", ["duration"], {"part": part}), [moments(9)]) == []


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("unit", UNITS)
def test_roundings(name: str, unit: str) -> None:
    draw = np.random.default_rng(10)
    for count in (None, 1, 15, 2**62 // UNITS[unit]):
        settings = {"unit": unit} | ({} if count is None else {"count": count})
        dates = moments(11)
        step = UNITS[unit] * (count or 1)
        dates[::3] = draw.integers(-3, 4, 234) * step // 2 + draw.integers(-1, 2, 234)
        assert differing(one_operation(name, ["datetime"], settings), [dates]) == []


def clocks(*zones: str) -> dict[str, Any]:
    starts, shifts = zip(*(zone_shifts(zone, (2013, 2014)) for zone in zones), strict=True)
    first, end = (days_from_civil(year, 1, 1) * DAY for year in (2013, 2015))
    return {"first": first, "end": end, "starts": list(starts), "shifts": list(shifts), **NAMES}


def test_local_time_around_every_gap_and_fold() -> None:
    zones = ["America/New_York", "America/Phoenix", "Australia/Lord_Howe", "Asia/Kathmandu"]
    known, draw = clocks(*zones), np.random.default_rng(12)
    near = [start + more for starts in known["starts"] for start in starts for more in (-1, 0, 1, HOUR)]
    dates = draw.choice([*near, known["end"] - 1, known["end"], NAT, 0], 700)
    dates[::4] = draw.integers(known["first"], known["end"], 175)
    plan = one_operation("zone_time", ["datetime", "int64"], known)
    assert differing(plan, [dates, draw.integers(-2, len(zones), 700)]) == []
    assert differing(one_operation("zone_time", ["datetime", "int64"], known, {1: 2}), [dates]) == []


def test_a_zone_that_is_not_there_is_not_answered() -> None:
    known = clocks("America/New_York")
    plan = one_operation("zone_time", ["datetime", "int64"], known)
    core = core_executor(plan, [2], ColumnExecutor)
    assert core is not None
    for zone in (1, HIGHEST):
        assert core.quick({"c0": np.array([known["first"]]), "c1": np.array([zone])}, 1) is None
    assert core.quick({"c0": np.array([known["first"]]), "c1": np.array([0])}, 1) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"starts": [[5, 3]], "shifts": [[0, 0]]},
        {"starts": [[0, 3]], "shifts": [[0]]},
        {"starts": [[1, 3]], "shifts": [[0, 0]]},
        {"starts": [[0, 10]], "shifts": [[0, 0]]},
        {"starts": [[0], []], "shifts": [[0], []]},
    ],
)
def test_transitions_in_no_order_stay_in_numpy(changes: dict[str, Any]) -> None:
    known = {"first": 0, "end": 10, "starts": [[0]], "shifts": [[SECOND]], **NAMES}
    assert encode(one_operation("zone_time", ["datetime", "int64"], known), [2]) is not None
    assert encode(one_operation("zone_time", ["datetime", "int64"], known | changes), [2]) is None


def integers(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("operation", "kinds", "ints", "arrays"),
    [
        ("date_floor", "i:i", (0,), []),
        ("date_round", "i:i", (2**62 + 1,), []),
        ("date_ceil", "i:i", (1, 1), []),
        ("elapsed", "ii:d", (), [np.ones(2)]),
        ("elapsed", "ii:d", (), [integers(1)]),
        ("calendar_year", "i:i", (1,), []),
        ("zone_time", "ii:i", (0, 9), [integers(0, 2), integers(0, 5)]),
        ("zone_time", "ii:i", (0, 9), [integers(0, 3), integers(0, 5), integers(1, 2)]),
        ("zone_time", "ii:i", (0, 9), [integers(0, 2), integers(0, 5), integers(1)]),
        ("zone_time", "ii:i", (0, 9), [integers(0, 2, 2), integers(0, 5), integers(1, 2)]),
        ("zone_time", "ii:i", (0, 9), [integers(0, 4, 2), integers(0, 5), integers(1, 2)]),
        ("zone_time", "ii:i", (0, 9), [integers(-1, 2), integers(0, 5), integers(1, 2)]),
        ("zone_time", "ii:i", (-3, 9), [integers(0, 2), integers(0, 5), integers(1, 2)]),
        ("zone_time", "ii:i", (0, 9), [integers(), integers(), integers()]),
        ("zone_time", "ii:i", (0, 9), [np.zeros(2), integers(0, 5), integers(1, 2)]),
    ],
)
def test_settings_that_would_reach_other_memory_are_refused(
    operation: str, kinds: str, ints: Sequence[int], arrays: list[Any]
) -> None:
    assert wrong_settings(Encoded(operation, ints, arrays), kinds, [1, 1, 1][: len(kinds) - 1]) != ""


def test_settings_that_fit_are_taken() -> None:
    arrays: list[Any] = [integers(0, 2), integers(0, 5), integers(1, 2)]
    assert wrong_settings(Encoded("zone_time", (0, 9), arrays), "ii:i", [1, 1, 1]) == ""
    assert wrong_settings(Encoded("date_floor", (2**62,)), "i:i", [1, 1]) == ""
