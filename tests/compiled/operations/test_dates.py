"""Dates and durations: one row as a batch, and as pandas has them; dates that pandas may read otherwise are refused."""

import doctest
import itertools
import math
import operator
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from evaluation import bits, evaluate

from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiler import times
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pd = pytest.importorskip("pandas")

DAY = 86_400_000_000
DATES = [None, 0, 1, -1, DAY // 2, -DAY // 2, 1_577_836_800_000_000, 1_709_164_799_999_999, -2_208_988_800_000_000]
SPANS = [None, 0, 1, -1, 999_999, -999_999, 1_000_000, DAY, -DAY - 1, 1_234_567_890_123_456, 2**53, -(2**53)]
PAIRS = list(itertools.product(DATES, DATES))
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


def _moments(values):
    return pd.Series(np.array([NAT if value is None else value for value in values], dtype="datetime64[us]"))


def _spans(values):
    return pd.Series(np.array([NAT if value is None else value for value in values], dtype="timedelta64[us]"))


def _span_columns(*columns):
    """Raw columns are no durations: dates that are as far from 1970 as the durations are."""
    return {name: ("datetime", values) for name, values in zip("ab", columns, strict=False)}


def _as_span(build, value):
    return build.subtract_dates(value, build.date(0))


def _integers(series):
    return series.astype("int64").tolist()


@pytest.mark.parametrize("compare", COMPARISONS)
def test_dates_compare_as_in_pandas(compare):
    left, right = zip(*PAIRS, strict=True)
    results = evaluate(lambda build, a, b: compare(a, b), {"a": ("datetime", left), "b": ("datetime", right)})
    assert results == compare(_moments(left), _moments(right)).tolist()
    constant = datetime(2020, 1, 1)
    results = evaluate(lambda build, a: compare(a, constant), {"a": ("datetime", DATES)})
    assert results == compare(_moments(DATES), pd.Timestamp(constant)).tolist()
    assert results == evaluate(lambda build, a: compare(a, np.datetime64(constant)), {"a": ("datetime", DATES)})
    spans = evaluate(lambda build, a, b: compare(_as_span(build, a), _as_span(build, b)), _span_columns(left, right))
    assert spans == compare(_spans(left), _spans(right)).tolist()


def test_a_date_constant_on_the_left_compares():
    results = evaluate(lambda build, a: np.datetime64("2020-01-01", "ns") <= a, {"a": ("datetime", DATES)})
    assert results == (pd.Timestamp("2020-01-01") <= _moments(DATES)).tolist()
    assert (
        evaluate(lambda build, a: timedelta(1) > _as_span(build, a), _span_columns(SPANS))
        == (pd.Timedelta(days=1) > _spans(SPANS)).tolist()
    )


def test_sums_and_differences_are_those_of_pandas():
    left, right = zip(*PAIRS, strict=True)
    columns = {"a": ("datetime", left), "b": ("datetime", right)}
    assert evaluate(lambda build, a, b: a - b, columns) == _integers(_moments(left) - _moments(right))
    for build_result, expected in (
        (lambda build, a, b: a + _as_span(build, b), _moments(left) + _spans(right)),
        (lambda build, a, b: _as_span(build, a) + b, _spans(left) + _moments(right)),
        (lambda build, a, b: a - _as_span(build, b), _moments(left) - _spans(right)),
        (lambda build, a, b: _as_span(build, a) + _as_span(build, b), _spans(left) + _spans(right)),
        (lambda build, a, b: _as_span(build, a) - _as_span(build, b), _spans(left) - _spans(right)),
        (lambda build, a, b: -_as_span(build, a), -_spans(left)),
        (lambda build, a, b: abs(_as_span(build, a)), _spans(left).abs()),
        (lambda build, a, b: _as_span(build, a) * 3, _spans(left) * 3),
        (lambda build, a, b: -2 * _as_span(build, a), -2 * _spans(left)),
        (lambda build, a, b: a + timedelta(days=1), _moments(left) + pd.Timedelta(days=1)),
        (lambda build, a, b: np.timedelta64(1, "h") + a, _moments(left) + pd.Timedelta(hours=1)),
        (lambda build, a, b: pd.Timestamp("2024-02-29") - a, pd.Timestamp("2024-02-29") - _moments(left)),
    ):
        assert evaluate(build_result, columns) == _integers(expected)


def test_quotients_of_durations_are_those_of_pandas():
    left, right = zip(*itertools.product(SPANS, SPANS), strict=True)
    columns = _span_columns(left, right)
    for symbol in (operator.truediv, operator.floordiv):
        results = evaluate(lambda build, a, b, s=symbol: s(_as_span(build, a), _as_span(build, b)), columns)
        expected = symbol(_spans(left), _spans(right)).astype(float).tolist()
        assert list(map(bits, results)) == list(map(bits, expected))
    results = evaluate(lambda build, a, b: _as_span(build, a) % _as_span(build, b), columns)
    assert results == _integers(_spans(left) % _spans(right))
    hours = evaluate(lambda build, a: _as_span(build, a) / np.timedelta64(1, "h"), _span_columns(SPANS))
    assert list(map(bits, hours)) == list(map(bits, (_spans(SPANS) / np.timedelta64(1, "h")).tolist()))


@pytest.mark.parametrize("part", ["days", "seconds", "microseconds"])
def test_parts_of_durations_are_those_of_pandas(part):
    results = evaluate(lambda build, a: build.duration_part(_as_span(build, a), part=part), _span_columns(SPANS))
    assert list(map(bits, results)) == list(map(bits, getattr(_spans(SPANS).dt, part).astype(float).tolist()))


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_seconds_of_durations_are_those_of_pandas(unit):
    drawn = np.random.default_rng(3).integers(-(2**53), 2**53, 3000).tolist()
    spans = [span for span in [*SPANS, *drawn] if span is None or unit == "us" or abs(span) < 2**63 // 1000]
    results = evaluate(lambda build, a: build.duration_seconds(_as_span(build, a)), _span_columns(spans))
    expected = _spans(spans).astype(f"timedelta64[{unit}]").dt.total_seconds().tolist()
    assert list(map(bits, results)) == list(map(bits, expected))
    assert bits(-1e-06) not in list(map(bits, results))  # pandas has -1 + 0.999999


def test_what_64_bits_do_not_hold_is_refused():
    far = {"a": ("datetime", [0, 200_000_000_000_000_000])}
    with pytest.raises(InputError, match=r"row 1: found dates or durations whose result 64 bits do not hold"):
        evaluate(lambda build, a: (a - build.date(0)) * 100, far)
    with pytest.raises(InputError, match="row 1: found a duration of more than 285 years"):
        evaluate(lambda build, a: build.duration_seconds(a - build.date(0)), far)


@pytest.mark.parametrize(("unit", "alias"), [("day", "D"), ("hour", "h"), ("minute", "min"), ("second", "s")])
@pytest.mark.parametrize("count", [1, 15])
def test_dates_are_rounded_as_in_pandas(unit, alias, count):
    dates = [*DATES, *(half * DAY // 2 for half in range(-7, 8)), 90_000_001, -90_000_001]
    for method in ("floor", "ceil", "round"):
        write = f"date_{method}"
        results = evaluate(
            lambda build, a, w=write: getattr(build, w)(a, unit=unit, count=count), {"a": ("datetime", dates)}
        )
        assert results == _integers(getattr(_moments(dates).dt, method)(f"{count}{alias}"))
    spans = evaluate(lambda build, a: build.date_floor(_as_span(build, a), unit=unit), _span_columns(dates))
    assert spans == _integers(_spans(dates).dt.floor(alias))


@pytest.mark.parametrize("unit", ["day", "millisecond"])
def test_a_unit_that_is_too_long_to_round_to_is_refused(unit):
    build = Builder()
    most = 2**62 // {"day": DAY, "millisecond": 1000}[unit]
    build.date_round(build.input("a", "datetime"), unit=unit, count=most)
    with pytest.raises(InputError, match=f"found count={most + 1} of unit '{unit}', expected from 1 to {most}"):
        build.date_round(build.input("a", "datetime"), unit=unit, count=most + 1)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%y %H:%M:%S.%f", "%j%%", "", "100%%Y", "%%%Y"])
def test_dates_as_text_are_those_of_pandas(form):
    results = evaluate(lambda build, a: build.date_text(a, format=form), {"a": ("datetime", DATES)})
    expected = [None if pd.isna(moment) else moment.strftime(form) for moment in _moments(DATES)]
    assert results == expected
    if form:
        series = _moments(DATES).dt.strftime(form).tolist()
        assert results == [None if text != text else text for text in series]


@pytest.mark.parametrize("form", ["%B", "%", "%-d", "é", "%p", 5])
def test_a_format_whose_text_depends_on_the_system_is_refused(form):
    build = Builder()
    with pytest.raises(InputError, match="expected ASCII text with the directives %Y, %y"):
        build.date_text(build.input("a", "datetime"), format=form)


def test_a_year_of_three_digits_is_refused_as_text():
    with pytest.raises(InputError, match="row 0: found a date outside of the years 1000 to 9999"):
        evaluate(lambda build, a: build.date_text(a, format="%Y"), {"a": ("datetime", [-40_000_000_000_000_000])})


def test_fields_of_dates_are_those_of_pandas():
    dates = [value for value in [*DATES, *(DAY * day for day in range(-800, 800, 7))] if value is not None]
    calendar = _moments(dates).dt.isocalendar()
    for field, expected in (
        ("iso_year", calendar.year),
        ("week", calendar.week),
        ("microsecond", _moments(dates).dt.microsecond),
    ):
        results = evaluate(lambda build, a, f=field: build.calendar(a, field=f), {"a": ("datetime", dates)})
        assert results == expected.tolist()


def test_dates_that_pandas_coerces_are_missing():
    words = [None, "", "nan", "2020-01-31", "2020-02-30", "31.01.2020", "é", "2020-1-5", "x"]
    settings = {"format": "%Y-%m-%d", "name": "t", "where": "Step", "errors": "missing"}
    results = evaluate(lambda build, t: build.parse_date(t, **settings), {"t": ("str", words)})
    expected = pd.to_datetime(pd.Series(words, dtype="str"), format="%Y-%m-%d", errors="coerce")
    assert results == _integers(expected.astype("datetime64[us]"))


@pytest.mark.parametrize("word", ["now", " Today", "-2020-01-01", "0000-01-01", "\u0662020-01-01", "2020-01-\u00a01"])
def test_text_that_pandas_may_read_otherwise_is_refused(word):
    settings = {"format": "%Y-%m-%d", "name": "t", "where": "Step", "errors": "missing"}
    with pytest.raises(InputError, match=r"row 0: Step: found .* in column 't', expected a date"):
        evaluate(lambda build, t: build.parse_date(t, **settings), {"t": ("str", [word])})


def test_constants_are_dates_and_durations():
    build = Builder()
    wanted = 1_577_836_800_000_000
    for value in ("2020-01-01", datetime(2020, 1, 1), date(2020, 1, 1), np.datetime64("2020-01-01"), wanted):
        assert build.nodes[build.date(value).node].settings == {"value": wanted}
    assert build.nodes[build.date(pd.Timestamp("2020-01-01")).node].settings == {"value": wanted}
    for value in (timedelta(hours=1), np.timedelta64(1, "h"), 3_600_000_000, pd.Timedelta("1h")):
        assert build.nodes[build.duration(value).node].settings == {"value": 3_600_000_000}
    for value in (
        build.date(None),
        build.date(pd.NaT),
        build.duration(np.timedelta64("NaT")),
        build.missing("duration"),
    ):
        assert build.nodes[value.node].settings == {"value": NAT}
        assert value.abs_max == math.inf


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yesterday", "expected ISO text"),
        (pd.Timestamp("2020-01-01", tz="UTC"), "with a time zone"),
        (pd.Timestamp(1), "with nanoseconds"),
        (np.datetime64(1, "ns"), "with parts of microseconds"),
        (1.5, "found float as a datetime"),
        (timedelta(1), "found timedelta as a datetime"),
    ],
)
def test_a_constant_that_is_no_date_is_refused(value, message):
    with pytest.raises(InputError, match=message):
        Builder().date(value)


def test_missing_dates_are_filled_chosen_and_looked_up():
    columns = {"a": ("datetime", [None, 0, DAY, 2 * DAY])}
    assert evaluate(lambda build, a: build.fill(a, build.date(5)), columns) == [5, 0, DAY, 2 * DAY]
    assert evaluate(lambda build, a: build.where(a > build.date(0), a, build.missing("datetime")), columns) == [
        NAT, NAT, DAY, 2 * DAY,
    ]  # fmt: skip
    results = evaluate(
        lambda build, a: build.lookup(a, {datetime(1970, 1, 1): "x", DAY: "y"}, "str", missing="m", unseen="u"), columns
    )
    assert results == ["m", "x", "y", "u"]
    text = {"t": ("str", ["x", "y", None])}
    looked_up = evaluate(
        lambda build, t: build.lookup(t, {"x": date(1970, 1, 2), "y": None}, "datetime", missing=datetime(1970, 1, 3)),
        text,
    )
    assert looked_up == [DAY, NAT, 2 * DAY]
    assert evaluate(lambda build, t: build.lookup(t, {"x": timedelta(1)}, "duration"), text) == [DAY, NAT, NAT]
    chosen = evaluate(
        lambda build, a: build.choose(
            build.calendar(a, field="day_of_week"), ["a", "b", "c", "d", "e", "f", "g"], "str"
        ),
        {"a": ("datetime", [0, DAY])},
    )
    assert chosen == ["d", "e"]


def test_missing_text_is_a_constant():
    columns = {"t": ("str", ["x", None, "y"])}
    results = evaluate(lambda build, t: build.where(build.text_equal(t, "x"), build.missing("str"), t), columns)
    assert results == [None, None, "y"]
    both = evaluate(lambda build, t: build.where(t.missing(), build.missing("str"), build.missing("str")), columns)
    assert both == [None, None, None]
    with pytest.raises(InputError, match="found a missing value of int64"):
        Builder().missing("int64")


@pytest.mark.parametrize(
    "write",
    [
        lambda a: a + a,
        lambda a: a * 2,
        lambda a: (a - a) * 1.5,
        lambda a: a < 5,
        lambda a: a == "2020-01-01",
        lambda a: 1 - a,
        lambda a: (a - a) + 1.0,
    ],
)
def test_dates_are_not_combined_with_what_has_no_meaning(write):
    build = Builder()
    with pytest.raises(InputError):
        write(build.input("a", "datetime"))


def test_the_example_of_constants_prints_what_it_shows():
    assert doctest.testmod(times) == (0, 1)
