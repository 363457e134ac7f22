"""Imputers of scikit-learn: their own results, the same bits everywhere."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import imputation as sklearn_imputation
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

NAN = math.nan
RNG = np.random.default_rng(11)
FIT = pd.DataFrame(RNG.normal(size=(40, 4)), columns=list("abcd")).mask(RNG.random((40, 4)) < 0.25)
FIT["whole"] = RNG.integers(0, 5, 40)
ROWS = pd.concat([FIT.head(12), pd.DataFrame({"a": [NAN, 1.0], "b": [NAN, 2.0], "c": NAN, "d": NAN, "whole": 3})])
EMPTY = FIT.assign(void=NAN)
WORDS = pd.DataFrame({"w": ["x", None, "y", "x", "?"], "n": [1.0, NAN, 2.0, 2.0, 5.0], "i": [1, 1, 2, 2, 3]})


def written(step, rows):
    """The plan's columns for `rows`, without the library."""
    return same_bits(lambda columns, build: transform(step, dict(columns), build), rows)


@pytest.mark.filterwarnings("ignore:Skipping features without")
@pytest.mark.parametrize(
    "strategy", ["mean", "median", "most_frequent", "constant", lambda held: max(held, default=NAN)]
)
@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_simple_imputer(strategy, keep_empty_features, add_indicator):
    imputer = SimpleImputer(
        strategy=strategy, keep_empty_features=keep_empty_features, add_indicator=add_indicator
    ).fit(EMPTY)
    rows = ROWS.assign(void=[*[NAN] * 13, 2.5])
    check_transformer(imputer, rows)
    check_transformer(imputer, rows.head(1))


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_simple_imputer_of_text(strategy, add_indicator):
    words = WORDS[["w"]]
    check_transformer(
        SimpleImputer(strategy=strategy, add_indicator=add_indicator, missing_values=NAN).fit(words), words
    )
    filled = words.fillna("x")
    check_transformer(SimpleImputer(strategy="most_frequent", missing_values="?").fit(filled), filled)


def test_simple_imputer_of_text_and_numbers_at_once():
    imputer = SimpleImputer(strategy="most_frequent", add_indicator=True).fit(WORDS)
    check_transformer(imputer, WORDS)


@pytest.mark.parametrize("marker", [-1, -1.0, 0])
def test_another_marker_of_missing_numbers(marker):
    rows = pd.DataFrame({"a": [1.5, -1.0, 0.0, 4.0, -0.0], "i": [3, -1, 0, 2, 2]})
    imputer = SimpleImputer(missing_values=marker, strategy="median", add_indicator=True).fit(rows)
    check_transformer(imputer, rows)
    with pytest.raises(ValueError, match="NaN"):
        imputer.transform(rows.assign(a=NAN))
    with pytest.raises(InputError, match="SimpleImputer: found a missing value in column 'a', expected one that is"):
        written(imputer, rows.assign(a=NAN))


def test_infinite_numbers_and_unknown_markers_are_refused():
    imputer = SimpleImputer().fit(FIT)
    with pytest.raises(InputError, match="SimpleImputer: found inf in column 'a'"):
        written(imputer, FIT.assign(a=math.inf))
    build = Builder()
    with pytest.raises(NoPlanError, match="found missing_values=None, expected NaN, a number or text"):
        transform(
            SimpleImputer(missing_values=None).set_params(strategy="constant"), {"a": build.input("a", "str")}, build
        )
    with pytest.raises(NoPlanError, match="found str column 'a', expected numbers"):
        transform(SimpleImputer().fit(FIT[["a"]]), {"a": build.input("a", "str")}, build)


@pytest.mark.parametrize("features", ["missing-only", "all"])
def test_missing_indicator(features):
    known = FIT.assign(d=1.0)
    indicator = MissingIndicator(features=features, error_on_new=features != "all").fit(known)
    check_transformer(indicator, known)
    if features == "all":
        check_transformer(indicator, ROWS)
        return
    with pytest.raises(ValueError, match="have missing values in transform"):
        indicator.transform(ROWS)
    with pytest.raises(InputError, match="expected one that is present in column 'd', as in training"):
        written(indicator, ROWS)
    check_transformer(MissingIndicator(error_on_new=False).fit(known), ROWS)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("neighbours", [1, 3, 100])
@pytest.mark.parametrize("options", [{}, {"add_indicator": True}, {"keep_empty_features": True}])
def test_nearest_donors(weights, neighbours, options):
    imputer = KNNImputer(n_neighbors=neighbours, weights=weights, **options).fit(EMPTY)
    rows = pd.concat(
        [ROWS, pd.DataFrame(RNG.normal(size=(60, 5)), columns=FIT.columns).mask(RNG.random((60, 5)) < 0.4)]
    )
    check_transformer(imputer, rows.assign(void=NAN))


def test_rows_that_share_nothing_with_donors_get_the_mean():
    rows = pd.DataFrame({"a": [1.0, 2.0, NAN, NAN], "b": [NAN, NAN, 5.0, 7.0]})
    result = check_transformer(KNNImputer().fit(rows), rows)
    assert result["a"].tolist() == [1.0, 2.0, 1.5, 1.5]


def test_ties_between_donors_go_to_the_first():
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, NAN], "b": [0.0, 2.0, 0.0, 1.0]})
    result = check_transformer(KNNImputer(n_neighbors=1).fit(rows), rows)
    assert result["a"].tolist() == [1.0, 2.0, 3.0, 1.0]


def test_other_distances_are_refused():
    build = Builder()
    columns = {name: build.input(name, "float64") for name in FIT}
    with pytest.raises(NoPlanError, match="found metric="):
        transform(KNNImputer(metric=lambda x, y, **_: 0.0).fit(FIT), columns, build)
    with pytest.raises(NoPlanError, match="found weights="):
        transform(KNNImputer(weights=lambda d: d).fit(FIT), columns, build)
    with pytest.raises(NoPlanError, match="found missing_values=-1, expected NaN"):
        transform(KNNImputer(missing_values=-1).fit(FIT.fillna(-1)), columns, build)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Skipping features without")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_iter": 2, "initial_strategy": "median", "imputation_order": "random", "add_indicator": True},
        {"n_nearest_features": 2, "min_value": -0.5, "max_value": 0.5},
        {"keep_empty_features": True, "skip_complete": True},
        {"max_iter": 0},
        {"estimator": RandomForestRegressor(3, random_state=0), "max_iter": 2},
    ],
    ids=str,
)
def test_iterated_predictions(options):
    imputer = IterativeImputer(random_state=0, **options).fit(EMPTY)
    check_transformer(imputer, ROWS.assign(void=NAN))


def test_rows_without_any_value_and_drawn_numbers_are_refused():
    numbers = FIT[["a", "b"]]
    imputer = IterativeImputer(random_state=0).fit(numbers)
    with pytest.raises(InputError, match="in column 'a, b', expected a value in one of these columns at least"):
        written(imputer, numbers * NAN)
    build = Builder()
    with pytest.raises(RefusedStepError, match="drawn numbers cannot serve production"):
        transform(IterativeImputer(sample_posterior=True), {"a": build.input("a", "float64")}, build)


def test_an_adapter_that_ignores_the_indicator_is_refused(monkeypatch):
    imputer = SimpleImputer(add_indicator=True).fit(FIT)
    monkeypatch.setattr(sklearn_imputation, "_indicators", lambda step, columns, build: {})
    with pytest.raises(InputError, match="found a plan of 5 columns, expected the 9 that the step makes"):
        check_transformer(imputer, ROWS)


def test_rows_with_equally_near_donors_are_counted():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(rng.integers(0, 4, (120, 4)).astype(float), columns=list("abcd"))
    gaps = rows.mask(rng.random(rows.shape) < 0.15)
    model = make_pipeline(KNNImputer(n_neighbors=3), Ridge()).fit(gaps, rows.sum(axis=1))
    compiled = compile_pipeline(model, like=gaps)
    differ = int((np.abs(model.predict(gaps) - compiled.predict(gaps)) > 1e-9).sum())
    (output,) = compiled.report.outputs
    assert 0 < differ <= output.changed
    assert output.detail == "ties at the k-th neighbour"
    assert compiled.report.steps[0].unsure >= differ
    assert "where scikit-learn's choice depends on the batch, the threads or the CPU" in str(compiled.report)
