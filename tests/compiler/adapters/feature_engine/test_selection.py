"""Selectors, and what of feature-engine holds other steps: the wrapper and the pipeline."""

import numpy as np
import pandas as pd
import pytest
from fe_plans import checked, fitted
from feature_engine import selection
from feature_engine.imputation import DropMissingData, MeanMedianImputer
from feature_engine.pipeline import Pipeline
from feature_engine.wrappers import SklearnTransformerWrapper
from plans import check_estimator, plan_dtype
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from pipeline_lib.compiler.adapters import composites
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import selection as fe_selection
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

RANDOM = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "a": np.arange(60.0),
        "copy": np.arange(60.0),
        "constant": 1,
        "noise": RANDOM.normal(size=60),
        "word": ["x", "y", "z"] * 20,
        "step": np.arange(60) // 10,
    }
)
NUMBERS = X[["a", "noise", "step"]]
Y = pd.Series(X["a"] + X["noise"] * 3)
CLASS = (X["a"] % 4 > X["step"] / 3).astype(int)
LINEAR = {"estimator": LinearRegression(), "scoring": "r2", "cv": 2}

SELECTORS = [
    (selection.DropFeatures(["noise"]), X, None),
    (selection.DropConstantFeatures(), X, None),
    (selection.DropConstantFeatures(tol=0.3, variables=["constant", "word"]), X, None),
    (selection.DropDuplicateFeatures(), X, None),
    (selection.DropCorrelatedFeatures(threshold=0.7), X, None),
    (selection.SmartCorrelatedSelection(selection_method="variance"), X, None),
    (selection.DropHighPSIFeatures(split_frac=0.5, bins=3), NUMBERS, None),
    (selection.SelectByInformationValue(bins=3, threshold=0.0001), NUMBERS, CLASS),
    (selection.SelectByShuffling(**LINEAR, random_state=0), NUMBERS, Y),
    (selection.SelectBySingleFeaturePerformance(**LINEAR, threshold=0.1), NUMBERS, Y),
    (selection.RecursiveFeatureAddition(**LINEAR), NUMBERS, Y),
    (selection.RecursiveFeatureElimination(**LINEAR), NUMBERS, Y),
    (selection.SelectByTargetMeanPerformance(bins=3, scoring="r2", cv=2, regression=True), NUMBERS, Y),
    (selection.ProbeFeatureSelection(**LINEAR, n_probes=2), NUMBERS, Y),
    (selection.MRMR(method="FCQ", regression=True, max_features=2), NUMBERS, Y),
]


@pytest.mark.parametrize(("step", "rows", "y"), SELECTORS, ids=lambda value: type(value).__name__)
def test_columns_that_stay(step, rows, y):
    step = fitted(step, rows, y)
    result = checked(step, rows.iloc[:9])
    assert list(result) == list(step.get_feature_names_out())


def test_every_selector_of_the_library_is_tested():
    assert {type(step).__name__ for step, _, _ in SELECTORS} == set(selection.__all__)
    assert len(fe_selection._SELECTORS) == len(selection.__all__)


def test_a_column_more_or_less_is_found():
    step = fitted(selection.DropFeatures(["noise"]), X)
    expected = step.transform(X)
    step.features_to_drop_ = ["a"]
    step.transform = lambda rows: expected
    with pytest.raises(InputError, match="as the library computes it"):
        checked(step, X)
    step.features_to_drop_ = []
    with pytest.raises(InputError, match="found a plan of 6 columns, expected the 5"):
        checked(step, X)


WORDS = ["word"]
WRAPPED = [
    SklearnTransformerWrapper(StandardScaler()),
    SklearnTransformerWrapper(MinMaxScaler(), ["noise", "a"]),
    SklearnTransformerWrapper(Binarizer(threshold=0.1), ["noise"]),
    SklearnTransformerWrapper(SimpleImputer(strategy="most_frequent"), ["word", "a"]),
    SklearnTransformerWrapper(OrdinalEncoder(), WORDS),
    SklearnTransformerWrapper(OneHotEncoder(sparse_output=False), WORDS),
    SklearnTransformerWrapper(OneHotEncoder(sparse_output=False, drop="first"), ["word", "step"]),
    SklearnTransformerWrapper(PolynomialFeatures(2), ["a", "noise"]),
    SklearnTransformerWrapper(KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), ["a"]),
    SklearnTransformerWrapper(SelectKBest(k=1), ["a", "noise", "step"]),
    SklearnTransformerWrapper(VarianceThreshold(), ["constant", "a"]),
]


@pytest.mark.parametrize("step", WRAPPED, ids=lambda step: type(step.transformer).__name__)
def test_wrapped_transformers(step):
    checked(fitted(step, X, CLASS), X.iloc[:9])


def test_a_wrapped_transformer_without_a_plan_is_refused():
    step = fitted(SklearnTransformerWrapper(FunctionTransformer(lambda x: x + 1), ["a"]), X)
    with pytest.raises(NoPlanError, match="FunctionTransformer"):
        transform(step, inputs(X), Builder())


def test_a_wrapped_transformer_on_the_wrong_columns_is_found():
    step = fitted(SklearnTransformerWrapper(MinMaxScaler(), ["noise", "a"]), X)
    expected = step.transform(X)
    step.variables_ = ["noise", "step"]
    step.transform = lambda rows: expected
    with pytest.raises(InputError, match="as the library computes it"):
        checked(step, X)


def inputs(rows):
    build = Builder()
    return {name: build.input(name, plan_dtype(rows[name])) for name in rows}


@pytest.mark.parametrize("kind", [Pipeline, SklearnPipeline])
def test_pipelines_predict_and_transform(kind, tmp_path):
    rows = NUMBERS.assign(a=NUMBERS["a"].mask(NUMBERS["step"] == 1))
    steps = [("impute", MeanMedianImputer()), ("none", "passthrough"), ("drop", selection.DropFeatures(["step"]))]
    model = kind([*steps, ("lasso", Lasso(alpha=0.01))], memory=str(tmp_path)).fit(rows, Y)
    check_estimator(model, rows)
    inner = kind([("inside", kind(steps)), ("scale", SklearnTransformerWrapper(MinMaxScaler()))], verbose=False)
    checked(fitted(inner, rows), rows)


def test_pipelines_that_drop_rows_are_refused():
    rows = NUMBERS.assign(a=NUMBERS["a"].mask(NUMBERS["step"] == 1))
    model = fitted(Pipeline([("drop", DropMissingData()), ("lasso", Lasso())]), rows, Y)
    with pytest.raises(RefusedStepError, match="DropMissingData"):
        composites.pipeline_estimator(model, list(inputs(rows).values()), Builder())
