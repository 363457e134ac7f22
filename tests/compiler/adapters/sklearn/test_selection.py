"""Feature selectors of scikit-learn: the columns that stay, untouched."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, check_transformer, named, same_bits
from sklearn import feature_selection as selection
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(2)
FIT = pd.DataFrame(RNG.normal(size=(30, 5)), columns=list("abcde"))
FIT["f"] = RNG.integers(0, 4, 30)
FIT["same"] = 1.0
FIT["flag"] = FIT["a"] > 0
Y = FIT["a"] * 3 - FIT["c"] + RNG.normal(size=30) * 0.1
LINE, TREE = LinearRegression(), DecisionTreeRegressor(random_state=0)
SELECTORS = [
    selection.SelectKBest(selection.f_regression, k=2),
    selection.SelectPercentile(selection.r_regression, percentile=40),
    selection.SelectFdr(selection.f_regression, alpha=0.2),
    selection.SelectFpr(selection.f_regression),
    selection.SelectFwe(selection.f_regression),
    selection.GenericUnivariateSelect(selection.f_regression, mode="k_best", param=3),
    selection.VarianceThreshold(0.5),
    selection.VarianceThreshold(),
    selection.SelectFromModel(LINE, threshold="1.25*median"),
    selection.SelectFromModel(TREE, max_features=2, threshold=-math.inf),
    selection.RFE(LINE, n_features_to_select=3),
    selection.RFECV(TREE, min_features_to_select=2, cv=2),
    selection.SequentialFeatureSelector(TREE, n_features_to_select=2, cv=2),
]


@pytest.mark.filterwarnings(
    "ignore:invalid value encountered", "ignore:divide by zero", "ignore:Features .* are constant"
)
@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("selector", SELECTORS, ids=named)
def test_selected_columns_keep_their_bits(selector, output):
    selector.set_output(transform=output).fit(FIT, Y)
    check_transformer(selector, FIT)
    check_transformer(selector, FIT.head(1))


def test_missing_values_pass_where_the_selector_lets_them():
    gaps = FIT.assign(a=math.nan, e=math.inf)
    check_transformer(selection.VarianceThreshold(0.1).fit(FIT), gaps)
    check_transformer(selection.SelectFromModel(TREE, threshold=-1).fit(FIT, Y), gaps)
    strict = selection.SelectKBest(selection.r_regression, k="all").fit(FIT.drop(columns="same"), Y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        strict.transform(gaps.drop(columns="same"))
    with pytest.raises(InputError, match="SelectKBest: found a missing value in column 'a'"):
        same_bits(lambda columns, build: transform(strict, dict(columns), build), gaps.drop(columns="same"))


def test_words_are_selected_from_a_bag():
    rows = pd.DataFrame({"t": ["one two two", "", "three one", "two zero"], "n": [1.0, 0.0, 2.0, 5.0]})
    words = ColumnTransformer([("t", CountVectorizer(), "t"), ("n", "passthrough", ["n"])], sparse_threshold=1.0)
    pipeline = Pipeline([("words", words), ("best", selection.SelectKBest(selection.chi2, k=3))])
    check_transformer(pipeline.fit(rows, [0, 1, 1, 0]), rows)


def test_a_selector_of_nothing_is_refused():
    build = Builder()
    selector = selection.SelectFpr(selection.f_regression, alpha=0.0).fit(FIT[["a", "b"]], RNG.normal(size=30))
    with pytest.raises(NoPlanError, match="SelectFpr: found no column that it selects"):
        transform(selector, {"a": build.input("a", "float64"), "b": build.input("b", "float64")}, build)


def test_a_swapped_column_is_seen(monkeypatch):
    selector = selection.VarianceThreshold(0.5).fit(FIT)
    first = selector.get_support()
    rows = FIT.head(6)
    expected = selector.transform(rows)
    monkeypatch.setattr(selector, "get_support", lambda: np.roll(first, 1))
    monkeypatch.setattr(selector, "transform", lambda rows: expected)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(selector, rows)


LABELS = np.array(["low", "mid", "high"])[np.digitize(Y, [-1.0, 1.0])]


@pytest.mark.parametrize(
    ("selector", "target"),
    [
        (selection.RFE(LINE, n_features_to_select=3), Y),
        (selection.RFECV(TREE, min_features_to_select=2, cv=2), Y),
        (selection.RFE(LogisticRegression(), n_features_to_select=2, step=2), LABELS),
        (selection.RFECV(LinearSVC(), cv=2), LABELS),
        (selection.RFE(DecisionTreeClassifier(random_state=0)), LABELS),
    ],
    ids=named,
)
def test_recursive_elimination_predicts_by_the_selected_columns(selector, target):
    rows = FIT.drop(columns=["same", "flag"])
    result, expected = check_estimator(selector.fit(rows, target), rows)["prediction_0"], selector.predict(rows)
    if target is LABELS:
        assert result.tolist() == expected.tolist()
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_recursive_elimination_of_words_predicts():
    rows = pd.DataFrame({"t": ["one two two", "", "three one", "two zero nine", "nine nine one", "zero"]})
    words = ColumnTransformer([("t", CountVectorizer(), "t")], sparse_threshold=1.0)
    pipeline = Pipeline([("words", words), ("rfe", selection.RFE(LINE, n_features_to_select=3))])
    pipeline.fit(rows, [1.0, 2.0, -3.0, 4.0, 0.0, 0.5])
    check_estimator(pipeline, rows)
