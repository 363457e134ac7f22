import datetime

import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.datetime import DatetimeFeatures, DatetimeOrdinal, DatetimeSubtraction
from plans import check_transformer, plan_dtype

from pipeline_lib.compiled.operations import calendar
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.fidelity import check_step
from pipeline_lib.errors import InputError

DATES = pd.DataFrame(
    {
        "x": [1.5, 2.0, -1.0, 0.0, 4.0, 5.0],
        "sold": np.array(
            [
                "2020-02-29T23:59:59.999999",
                "2021-01-01",
                "1969-12-31T01:02:03",
                "2024-12-30",
                "1900-03-31",
                "2000-06-30",
            ],
            dtype="datetime64[us]",
        ),
        "built": np.array(
            ["2019-02-28", "2021-01-01", "1970-01-01T00:00:00.000001", "1999-12-31", "1899-01-01", "2000-07-01T12"],
            dtype="datetime64[us]",
        ),
    }
)
GAPS = DATES.assign(sold=DATES["sold"].mask([False, True, False, False, True, False]))
TEXT = pd.DataFrame({"x": [1, 2, 3], "when": ["29.02.2020 23:59", "1.1.1999 0:05", "31.12.2021 12:30"]})
FORM = "%d.%m.%Y %H:%M"
NEVER_OF_MISSING = ["week", "days_in_month"]


def inputs(rows):
    build = Builder()
    return {name: build.input(name, plan_dtype(rows[name])) for name in rows}


def sorts(columns):
    return [str(dtype) for dtype in columns.dtypes]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"features_to_extract": "all"},
        {"features_to_extract": ["week", "month_end"], "variables": "sold"},
        {"drop_original": False},
        {"utc": True},
        {"utc": False, "dayfirst": True, "yearfirst": True},
        {"format": "%d/%m/%Y"},
    ],
)
def test_fields_of_dates(options):
    result = checked(fitted(DatetimeFeatures(**options), DATES), DATES)
    assert set(sorts(result)) <= {"int64", "float64", "datetime64[us]"}


@pytest.mark.parametrize("rows", [slice(0, 1), slice(1, 2), slice(0, 6)])
def test_fields_where_dates_may_be_missing(rows):
    of_others = (*NEVER_OF_MISSING, "ordinal", "microsecond", "iso_year")
    features = [feature for feature in calendar.FIELDS if feature not in of_others]
    step = fitted(DatetimeFeatures(["sold"], features_to_extract=features, missing_values="ignore"), GAPS)
    checked(step, GAPS.iloc[rows].reset_index(drop=True))


@pytest.mark.parametrize("feature", NEVER_OF_MISSING)
def test_fields_that_a_missing_date_cannot_have(feature):
    step = fitted(DatetimeFeatures(["sold"], features_to_extract=[feature], missing_values="ignore"), DATES)
    checked(step, DATES)
    check_refused(step, GAPS.iloc[:2], "DatetimeFeatures: found a missing value in column 'sold'")


@pytest.mark.parametrize(
    "step",
    [
        DatetimeFeatures(["sold"]),
        DatetimeSubtraction(["sold"], ["built"], missing_values="raise"),
        DatetimeSubtraction(["built"], ["sold"], missing_values="raise"),
        DatetimeOrdinal(["sold"]),
    ],
)
def test_missing_dates_are_refused_where_the_library_raises(step):
    check_refused(fitted(step, DATES), GAPS.iloc[:2], "found a missing value in column 'sold'")


@pytest.mark.parametrize("missing_values", ["raise", "ignore"])
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_text_with_a_format(missing_values, dtype):
    rows = TEXT.astype({"when": dtype})
    step = DatetimeFeatures(["when"], format=FORM, missing_values=missing_values, features_to_extract="all")
    checked(fitted(step, rows), rows)


def test_text_that_says_missing_is_missing():
    rows = TEXT.assign(when=["29.02.2020 23:59", "", "NaT"])
    step = fitted(DatetimeFeatures(["when"], format=FORM, missing_values="ignore"), TEXT)
    assert checked(step, rows)["when_year"].tolist()[0] == 2020.0
    checked(step, rows.assign(when=["29.02.2020 23:59", None, "nan"]))


def test_text_that_is_no_date_is_refused():
    step = fitted(DatetimeFeatures(["when"], format=FORM), TEXT)
    check_refused(step, TEXT.assign(when=["29.02.2020 23:59", "1.1.2000 0:00", "30.02.2020 1:00"]), "found '30.02.2020")


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize("last", [datetime.date(1999, 12, 31), np.nan])
def test_objects_of_dates(last):
    rows = pd.DataFrame({"day": pd.Series([datetime.date(2020, 2, 29), last], dtype=object)})
    step = fitted(DatetimeFeatures(["day"], missing_values="ignore"), rows)
    before = {"day": Builder().input("day", "datetime")}
    distance = check_step("test", lambda c, b: list(transform(step, c, b).values()), before, rows, step.transform(rows))
    assert distance.ulps == distance.flips == 0


@pytest.mark.parametrize("unit", ["D", "Y", "M", "W", "h", "m", "s", "ms", "us", "μs", "ns"])
def test_time_between_dates_in_every_unit(unit):
    step = fitted(DatetimeSubtraction(["sold"], ["built"], output_unit=unit), DATES)
    for rows in (DATES, GAPS):
        checked(step, rows)


@pytest.mark.parametrize(
    "options",
    [
        {"variables": ["sold", "built"], "reference": ["built"], "drop_original": True},
        {"variables": None, "reference": None},
        {"variables": ["sold"], "reference": ["built"], "new_variables_names": ["age"], "utc": True},
    ],
)
def test_time_between_several_dates(options):
    checked(fitted(DatetimeSubtraction(**options), DATES), DATES)


def test_time_between_texts():
    rows = pd.DataFrame({"a": ["2020-01-05", "2021-1-5", None], "b": ["1999-12-31", "2022-02-01", "2020-01-01"]})
    checked(fitted(DatetimeSubtraction(["a"], ["b"], format="%Y-%m-%d"), rows), rows)


def test_time_beyond_nanoseconds_is_refused_where_pandas_wraps_around():
    step = fitted(DatetimeSubtraction(["sold"], ["built"]), DATES)
    rows = DATES.assign(built=DATES["built"].mask(DATES["x"] == 2.0, np.datetime64("1500-01-01", "us")))
    with pytest.raises(InputError, match="found dates more than 292 years apart"):
        check_transformer(step, rows)


@pytest.mark.parametrize("start", [None, "2000-01-01", datetime.datetime(1970, 1, 1, 5)])
@pytest.mark.parametrize("missing_values", ["raise", "ignore"])
def test_day_numbers(start, missing_values):
    step = DatetimeOrdinal(["sold"], start_date=start, missing_values=missing_values, drop_original=False)
    result = checked(fitted(step, DATES), DATES)
    assert sorts(result)[-1] == ("int64" if missing_values == "raise" else "float64")
    if missing_values == "ignore":
        checked(step, GAPS)


@pytest.mark.parametrize(
    ("step", "rows", "message"),
    [
        (DatetimeFeatures(["when"]), TEXT.assign(when="2020-01-05"), "expected an explicit format"),
        (DatetimeFeatures(["when"], format="mixed"), TEXT.assign(when="2020-01-05"), "expected an explicit format"),
        (DatetimeOrdinal(["when"]), TEXT.assign(when="2020-01-05"), "expected an explicit format"),
        (DatetimeFeatures(["when"], format="%d %b %Y"), TEXT.assign(when="2020-01-05"), "found %b in format"),
        (DatetimeFeatures(["when"], format="%Y-%m-%d %z"), TEXT.assign(when="2020-01-05"), "found %z in format"),
        (DatetimeFeatures(["when"], format="%Y %j %d"), TEXT.assign(when="2020-01-05"), "each part of a date once"),
        (DatetimeSubtraction(["sold"], ["built"], output_unit="ps"), DATES, "found output_unit='ps'"),
    ],
)
def test_what_no_plan_carries_out_is_refused_by_name(step, rows, message):
    with pytest.raises(NoPlanError, match=message):
        transform(fitted(step, rows), inputs(rows), Builder())


def test_dates_of_the_index_are_refused():
    rows = DATES.set_index("sold")
    with pytest.raises(RefusedStepError, match="raw rows have no index in production"):
        transform(fitted(DatetimeFeatures("index"), rows), {}, Builder())


def test_a_wrong_formula_is_found(monkeypatch):
    monkeypatch.setitem(calendar.FIELDS, "day_of_week", lambda moment: calendar.FIELDS["day_of_month"](moment) % 7)
    with pytest.raises(InputError, match="as the library computes it"):
        checked(fitted(DatetimeFeatures(["sold"]), DATES), DATES)


def test_an_ignored_unit_is_found(monkeypatch):
    operation = OPERATIONS["elapsed"]

    def ignoring(settings):
        return operation.column({**settings, "unit": 1})

    monkeypatch.setitem(OPERATIONS, "elapsed", operation.__class__(**{**vars(operation), "column": ignoring}))
    with pytest.raises(InputError, match="as the library computes it"):
        checked(fitted(DatetimeSubtraction(["sold"], ["built"]), DATES), DATES)
