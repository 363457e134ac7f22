"""The transformers of seasons and time that nbs/steps exports: their own rules, and plans with the same bits."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fe_plans import checked
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.steps.to_date import YearToDate
from pipeline_lib.steps.waves import SeasonalWaves

NAN = math.nan
FRAME = pd.DataFrame({"sold": [1.0, 2.0, 6.0, 5.0, NAN, 3.0], "year": [1, 1, 1, 2, 2, 2]}, index=[9, 8, 7, 6, 1, 2])


def waves(**changes: Any) -> SeasonalWaves:
    return SeasonalWaves(**{"variable": "sold", "period": 4.0, **changes})


def to_date(**changes: Any) -> YearToDate:
    return YearToDate(**{"variable": "sold", "year": "year", **changes})


def test_waves_are_sine_and_cosine_of_each_multiple() -> None:
    result = SeasonalWaves("day", period=4.0, harmonics=2).fit_transform(pd.DataFrame({"day": [0.0, 1.0, NAN]}))
    expected = {"day_sin_1": [0, 1, NAN], "day_cos_1": [1, 0, NAN], "day_sin_2": [0, 0, NAN], "day_cos_2": [1, -1, NAN]}
    pd.testing.assert_frame_equal(result, pd.DataFrame(expected, dtype="float64"), atol=1e-15)


def test_the_plan_of_waves_gives_the_same_waves() -> None:
    frame = pd.DataFrame({"sold": np.arange(366.0), "other": np.arange(366)})
    columns = checked(waves(period=365.25, harmonics=3).fit(frame), frame)
    assert list(columns) == ["other", *(f"sold_{wave}_{k}" for k in (1, 2, 3) for wave in ("sin", "cos"))]


def test_the_position_is_kept_on_request() -> None:
    assert list(waves(drop_original=False).fit_transform(FRAME)) == ["sold", "year", "sold_sin_1", "sold_cos_1"]


@pytest.mark.parametrize("changes", [{"period": 0}, {"period": math.inf}, {"period": NAN}, {"harmonics": 0}])
def test_a_cycle_without_length_or_waves_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected a positive length and at least one wave"):
        waves(**changes).fit(FRAME)


def test_the_year_to_date_is_the_mean_of_the_rows_of_a_year_up_to_each() -> None:
    means = to_date().fit_transform(FRAME)["sold_to_date"]
    assert means.equals(pd.Series([1.0, 1.5, 3.0, 5.0, NAN, NAN], FRAME.index, name="sold_to_date"))
    assert to_date(rows=1).fit_transform(FRAME)["sold_to_date"].tolist()[:4] == [1, 1.5, 4, 5]


def test_the_plan_of_the_year_to_date_has_the_same_bits_for_a_row_and_its_context() -> None:
    frame = pd.DataFrame({"sold": np.random.default_rng(0).lognormal(size=90), "year": np.arange(90) // 30})
    steps = [("to_date", to_date(rows=29)), ("final", LinearRegression())]
    fitted = Pipeline(steps).fit(frame, frame["sold"])
    model = compile_pipeline(fitted, like=frame, context=29)
    expected = to_date(rows=29).fit_transform(frame)["sold_to_date"]
    for index in (29, 30, 59, 89):
        row = {"sold": float(frame["sold"][index]), "year": int(frame["year"][index])}
        value = model.trace_row(row, context=frame.iloc[:index])["to_date"]["sold_to_date"]
        assert value == expected[index]


def test_a_year_that_is_longer_than_the_context_is_refused() -> None:
    frame = FRAME.assign(sold=1.0)
    fitted = Pipeline([("to_date", to_date(rows=3)), ("final", LinearRegression())]).fit(frame, frame["sold"])
    with pytest.raises(InputError, match=r"YearToDate: found a value that depends on 3 earlier rows, .* context of 2"):
        compile_pipeline(fitted, like=frame, context=2)


@pytest.mark.parametrize("step", [waves(), to_date()], ids=["SeasonalWaves", "YearToDate"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FRAME.to_numpy(), "found ndarray, expected a DataFrame"),
        (FRAME[["year"]], "found the columns year, expected also 'sold'"),
        (FRAME.astype({"sold": "str"}), "found str in column 'sold', expected"),
    ],
)
def test_what_is_no_frame_of_numbers_is_refused(step: Any, data: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(data)


def test_a_window_that_looks_ahead_is_refused() -> None:
    with pytest.raises(InputError, match="found rows=-1, expected 0 or more earlier rows"):
        to_date(rows=-1).fit(FRAME)
