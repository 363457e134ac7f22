import numpy as np
import pandas as pd
import pytest
from fe_plans import checked, fitted
from feature_engine.imputation import (
    AddMissingIndicator,
    ArbitraryNumberImputer,
    CategoricalImputer,
    DropMissingData,
    EndTailImputer,
    MeanMedianImputer,
    RandomSampleImputer,
)
from plans import check_transformer

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import imputation as fe_imputation
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

NUMBERS = pd.DataFrame(
    {
        "whole": [1, 2, 3, 4],
        "gaps": [1.5, np.nan, -0.0, 7.25],
        "infinite": [np.inf, 1.0, np.nan, -np.inf],
        "empty": [np.nan] * 4,
        "single": np.array([0.5, np.nan, 2.0, 3.5], dtype=np.float32),
    }
)
WORDS = pd.DataFrame({"word": ["a", None, "b", "a"], "other": ["x", "x", np.nan, "y"]})


@pytest.mark.parametrize("method", ["mean", "median"])
def test_mean_and_median(method):
    checked(fitted(MeanMedianImputer(method), NUMBERS), NUMBERS)


@pytest.mark.parametrize("method", ["gaussian", "iqr", "max"])
@pytest.mark.parametrize("tail", ["left", "right"])
def test_end_of_tail(method, tail):
    rows = NUMBERS.drop(columns="single")
    checked(fitted(EndTailImputer(method, tail, fold=2), rows), rows)


@pytest.mark.parametrize(
    "options",
    [{}, {"arbitrary_number": -1.5}, {"variables": ["gaps"]}, {"imputer_dict": {"gaps": -9, "infinite": 0.1}}],
)
def test_arbitrary_number(options):
    checked(fitted(ArbitraryNumberImputer(**options), NUMBERS), NUMBERS)


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
@pytest.mark.parametrize(
    "options",
    [{}, {"imputation_method": "frequent"}, {"fill_value": "", "variables": ["word"]}, {"return_object": True}],
)
def test_text_of_every_dtype(dtype, options):
    rows = WORDS.iloc[[0, 1, 0, 3, 2, 0]].reset_index(drop=True).astype(dtype)
    checked(fitted(CategoricalImputer(**options), rows), rows)


def test_numbers_as_categories_take_a_number():
    result = checked(fitted(CategoricalImputer(fill_value=-1, ignore_format=True), NUMBERS), NUMBERS)
    assert result["gaps"].tolist() == [1.5, -1.0, 0.0, 7.25]


def test_a_filler_that_float32_cannot_hold_is_refused():
    step = ArbitraryNumberImputer(0.1, variables=["single"]).fit(NUMBERS)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):  # pandas rounds it to the column's float32
        check_transformer(step, NUMBERS)


def test_columns_that_are_never_missing_ignore_text():
    rows = pd.DataFrame({"whole": [1, 2], "true": [True, False]})
    checked(fitted(CategoricalImputer(ignore_format=True), rows), rows)


@pytest.mark.parametrize("method", ["missing", "frequent"])
def test_nullable_booleans_take_a_boolean(method):
    rows = pd.DataFrame({"true": pd.Series([True, np.nan, True, False], dtype=object)})
    checked(fitted(CategoricalImputer(method, fill_value=False, ignore_format=True), rows), rows)


def test_text_in_a_column_of_numbers_is_refused():
    step = fitted(CategoricalImputer(ignore_format=True), NUMBERS)
    with pytest.raises(
        NoPlanError, match=r"'Missing' for missing values of float64 column 'whole'.*expected text for text"
    ):
        transform(step, _inputs(*NUMBERS), Builder())


def test_a_number_in_a_column_of_text_is_refused():
    step = fitted(CategoricalImputer(fill_value=0), WORDS.astype(object))
    with pytest.raises(NoPlanError, match="found 0 for missing values of str column 'word'"):
        check_transformer(step, WORDS.astype(object))


@pytest.mark.parametrize("missing_only", [True, False])
def test_missing_indicators_stand_behind_the_others(missing_only):
    rows = NUMBERS.join(WORDS).assign(
        true=[True, False, True, False], day=pd.to_datetime(["2001-01-01", None, "2002-03-04", None])
    )
    result = checked(fitted(AddMissingIndicator(missing_only), rows), rows)
    assert result["day_na"].tolist() == [0, 1, 0, 1]
    assert ("whole_na" in result) is not missing_only


def test_an_indicator_named_like_a_column_is_refused():
    rows = pd.DataFrame({"a": [1.0, np.nan], "a_na": [1.0, 2.0]})
    with pytest.raises(NoPlanError, match="second column 'a_na'"):
        transform(AddMissingIndicator().fit(rows), _inputs("a", "a_na"), Builder())


@pytest.mark.parametrize(
    ("step", "match"),
    [(RandomSampleImputer(random_state=1), "draws random numbers"), (DropMissingData(), "drops rows")],
)
def test_steps_that_cannot_serve_rows_are_refused(step, match):
    with pytest.raises(RefusedStepError, match=match):
        transform(step.fit(NUMBERS), _inputs(*NUMBERS), Builder())


def test_a_filler_one_ulp_away_is_found(monkeypatch):
    def wrong(step, name, value, filler, build):
        return build.fill(value, float(np.nextafter(filler, 9e9))) if value.dtype == "float64" else value

    monkeypatch.setattr(fe_imputation, "_filled", wrong)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(MeanMedianImputer(variables=["gaps"]).fit(NUMBERS), NUMBERS)


def _inputs(*names):
    build = Builder()
    return {name: build.input(name, "float64") for name in names}
