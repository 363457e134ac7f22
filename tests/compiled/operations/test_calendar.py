"""Dates as integers: every day of the years 1 to 9999 as Python and pandas have it, in columns and in one row."""

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.calendar import DAY, FIELDS, civil, days_from_civil, days_in_month, is_leap
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

FIRST, LAST = -719_162, 2_932_896  # days from 1970-01-01 to 0001-01-01 and 9999-12-31
MOMENTS = np.arange(FIRST, LAST + 1) * DAY + np.arange(LAST - FIRST + 1) * 7_654_321_987 % DAY
OF_PANDAS = {
    "year": lambda dates: dates.dt.year,
    "month": lambda dates: dates.dt.month,
    "day_of_month": lambda dates: dates.dt.day,
    "quarter": lambda dates: dates.dt.quarter,
    "semester": lambda dates: 1 + (dates.dt.month > 6),
    "day_of_week": lambda dates: dates.dt.day_of_week,
    "day_of_year": lambda dates: dates.dt.day_of_year,
    "week": lambda dates: dates.dt.isocalendar().week,
    "weekend": lambda dates: dates.dt.day_of_week > 4,
    "month_start": lambda dates: dates.dt.is_month_start,
    "month_end": lambda dates: dates.dt.is_month_end,
    "quarter_start": lambda dates: dates.dt.is_quarter_start,
    "quarter_end": lambda dates: dates.dt.is_quarter_end,
    "year_start": lambda dates: dates.dt.is_year_start,
    "year_end": lambda dates: dates.dt.is_year_end,
    "leap_year": lambda dates: dates.dt.is_leap_year,
    "days_in_month": lambda dates: dates.dt.days_in_month,
    "hour": lambda dates: dates.dt.hour,
    "minute": lambda dates: dates.dt.minute,
    "second": lambda dates: dates.dt.second,
    "microsecond": lambda dates: dates.dt.microsecond,
    "iso_year": lambda dates: dates.dt.isocalendar().year,
    "ordinal": lambda dates: pd.Series(np.arange(1, len(dates) + 1)),
}


def column(name, settings, *inputs):
    return OPERATIONS[name].column(settings)(*inputs)


def one_row(name, settings, dtypes, *inputs):
    code = Code()
    arguments = [f"x{index}" for index in range(len(inputs))]
    expression = OPERATIONS[name].row(code, settings, arguments, dtypes)
    code.line(f"return {expression}")
    return code.function("f", ", ".join(arguments), "<test>")(*inputs)


def test_every_field_is_tested():
    assert set(FIELDS) == set(OF_PANDAS)


@pytest.mark.parametrize("field", FIELDS)
def test_every_day_of_ten_thousand_years(field):
    result = column("calendar", {"field": field}, MOMENTS)
    assert result.dtype == np.int64
    expected = OF_PANDAS[field](pd.Series(MOMENTS.view("datetime64[us]")))
    np.testing.assert_array_equal(result, np.asarray(expected).astype(np.int64))


@pytest.mark.parametrize("field", FIELDS)
def test_one_row_is_the_column(field):
    some = np.array([*MOMENTS[::9973], 0, -1, 1, DAY - 1, -DAY, NAT])
    result = [one_row("calendar", {"field": field}, ["datetime"], timestamp) for timestamp in some.tolist()]
    assert {type(value) for value in result} == {int}
    assert result == column("calendar", {"field": field}, some).tolist()


def test_a_date_is_its_day_again():
    days = np.arange(FIRST, LAST + 1)
    np.testing.assert_array_equal(days_from_civil(*civil(days)), days)
    assert civil(0) == (1970, 1, 1)
    assert civil(FIRST - 1) == (0, 12, 31)
    assert days_from_civil(2021, 2, 29) == days_from_civil(2021, 3, 1)


def test_centuries_are_leap_years_every_fourth_time():
    assert [year for year in range(1, 10000) if is_leap(year)] == [
        year for year in range(1, 10000) if pd.Timestamp(year=year, month=1, day=1).is_leap_year
    ]
    assert [days_in_month(2023, month) for month in range(1, 13)] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(
    ("left", "right", "unit", "expected"),
    [
        (DAY, 0, 86_400_000_000_000, 1.0),
        (1, 0, 3, 1000 / 3),
        (0, 1, 86_400_000_000_000, -1000 / 86_400_000_000_000),
        (NAT, 0, 1, None),
        (0, NAT, 1, None),
    ],
)
def test_time_elapsed(left, right, unit, expected):
    settings = {"unit": unit, "name": "c", "where": "test"}
    result = column("elapsed", settings, np.array([left]), np.array([right])).tolist()
    result.append(one_row("elapsed", settings, ["datetime"] * 2, left, right))
    assert [None if value != value else value for value in result] == [expected, expected]


def test_time_that_nanoseconds_cannot_hold_is_refused():
    settings = {"unit": 1, "name": "c", "where": "test"}
    message = "test: found dates more than 292 years apart for column 'c'"
    with pytest.raises(InputError, match=message):
        column("elapsed", settings, np.array([0, 300 * 366 * DAY]), np.array([0, 0]))
    with pytest.raises(InputError, match=message):
        one_row("elapsed", settings, ["datetime"] * 2, 0, 300 * 366 * DAY)


FORMATS = {
    "%Y-%m-%d": [
        "2020-01-05",
        "2020-1-5",
        "2020-02-29",
        "2020-12-31",
        "9999-12-31",
        "0001-01-01",
        "",
        "NaT",
        "nan",
        None,
    ],
    "%d/%m/%Y": ["05/01/2020", "5/1/2020", " 5/1/2020", "31/12/1999", "29/02/2000"],
    "%Y%m%d": ["20200105", "2020015", "202015", "20201231"],
    "%H:%M:%S %d.%m.%y": ["23:59:60 01.01.69", "23:59:61 31.12.68", "3:5:7  1.1.00", "00:00:00 01.12.99"],
    "%Y-%m-%d %H:%M:%S.%f": ["2020-01-05 01:02:03.123456", "2020-01-05 1:2:3.1", "1969-12-31  23:59:59.000001"],
    "%Y-%m-%dT%H:%M": ["2020-01-05T01:02", "1900-02-28T23:59"],
    "%j %Y": ["366 2020", "366 2021", "1 2021", "060 2020", "61 1900"],
    "day %d of %m, %Y": ["day 1 of 2, 2020", "DAY 31 of 12, 2021"],
    "%m%%%Y": ["3%2020"],
    "%H": ["5", "05", "23"],
    "(%Y)": ["(2020)"],
}


@pytest.mark.parametrize("form", FORMATS)
def test_text_is_read_as_pandas_reads_it(form):
    settings = {"format": form, "name": "c", "where": "test"}
    expected = [pd.to_datetime(pd.Series([text], dtype="str"), format=form)[0] for text in FORMATS[form]]
    expected_dates = [
        NAT if date is pd.NaT else int(date.as_unit("us").to_datetime64().astype(np.int64)) for date in expected
    ]
    assert column("parse_date", settings, TextColumn.of(FORMATS[form])).tolist() == expected_dates
    assert [one_row("parse_date", settings, ["str"], text) for text in FORMATS[form]] == expected_dates


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d", "2020-02-30"),
        ("%Y-%m-%d", "2020-13-01"),
        ("%Y-%m-%d", "2020-01-05 "),
        ("%Y-%m-%d", " 2020-01-05"),
        ("%Y-%m-%d", "20-01-05"),
        ("%Y-%m-%d", "now"),
        ("%Y-%m-%d", "today"),
        ("%Y-%m-%d", "٢٠٢٠-01-05"),
        ("%d/%m", "29/02"),
        ("%d/%m/%Y", "1/1/0000"),
        ("%H:%M", "24:00"),
        ("%f", "1234567"),
        ("(%Y", "2020"),
        ("%Y", "2020x"),
    ],
)
def test_other_text_is_refused(form, text):
    """What pandas refuses, and what it would not read alike: the time of the call, other scripts, nanoseconds."""
    settings = {"format": form, "name": "c", "where": "test"}
    build = Builder()
    date = build.apply("parse_date", build.input("c", "str"), **settings)
    executor = make_executor(Plan(build.nodes, {}), [date.node])
    good = {"%d/%m": "28/02", "%H:%M": "23:59", "%f": "1", "(%Y": "(2020", "%Y": "2020"}.get(form, "")
    with pytest.raises(InputError, match=r"row 1: test: found .* in column 'c', expected a date written as"):
        executor.run({"c": TextColumn.of([good, text])}, 2)
    with pytest.raises(InputError, match="expected a date written as"):
        one_row("parse_date", settings, ["str"], text)
    executor.run(
        {"c": TextColumn(np.array([0], dtype=np.int32), TextColumn.of([good, text]).words)}, 1
    )  # a word of no row
