import numpy as np
import pandas as pd
import pytest
from estimators import BAYES, LOGISTIC, RIDGE, TWO, X, Y, by_target, refused
from matrices import slow
from plans import check_estimator, named, same_bits
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)
from sklearn.svm import LinearSVC

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import RefusedStepError
from pipeline_lib.errors import InputError


@by_target
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize(
    ("member", "ensemble"),
    [(RIDGE, True), (BAYES, False), *map(slow, (LOGISTIC, RIDGE, BAYES, LOGISTIC), (True, False, True, False))],
    ids=named,
)
def test_calibration(method, ensemble, member, target):
    check_estimator(CalibratedClassifierCV(member, method=method, ensemble=ensemble, cv=3).fit(X, target), X)


def test_calibration_of_a_classifier_fitted_before():
    check_estimator(CalibratedClassifierCV(FrozenEstimator(LogisticRegression().fit(X, TWO))).fit(X, TWO), X)


@pytest.mark.parametrize("strategy", ["mean", "median", "quantile", "constant"])
def test_a_dummy_regressor(strategy):
    model = DummyRegressor(strategy=strategy, quantile=0.3, constant=[[1.5], [2.0]])
    check_estimator(model.fit(X, np.column_stack([Y, -Y])), X.iloc[:3])


@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
@pytest.mark.parametrize("target", [TWO, Y > 1, Y.round().astype(int)], ids=["str", "bool", "int"])
def test_a_dummy_classifier(strategy, target):
    check_estimator(DummyClassifier(strategy=strategy, constant=[target[0]]).fit(X, target), X.iloc[:3])


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_a_dummy_that_draws_is_refused(strategy):
    refused(DummyClassifier(strategy=strategy).fit(X, TWO), "draws a class at random", RefusedStepError)


@pytest.mark.parametrize(
    "options", [{}, {"threshold": 0.3}, {"threshold": -0.2, "response_method": "decision_function"}]
)
@pytest.mark.parametrize("positive", [None, "no", "yes"])
def test_a_fixed_threshold(options, positive):
    check_estimator(FixedThresholdClassifier(LOGISTIC, pos_label=positive, **options).fit(X, TWO), X)
    check_estimator(FixedThresholdClassifier(LinearSVC(), pos_label=positive).fit(X, TWO), X)


def test_a_tuned_threshold():
    check_estimator(TunedThresholdClassifierCV(LOGISTIC, cv=3).fit(X, TWO), X)
    check_estimator(TunedThresholdClassifierCV(LinearSVC(), cv=3).fit(X, Y > 0), X)


@pytest.mark.parametrize("bounds", ["clip", "nan", "raise"])
def test_isotonic_regression(bounds):
    model = IsotonicRegression(out_of_bounds=bounds).fit(X[["a"]], Y)
    check_estimator(model, X[["a"]] if bounds == "raise" else X[["a"]] * 1.5)
    if bounds == "raise":
        with pytest.raises(InputError, match=r"found 9\.0 in column 'x', expected a number from"):
            same_bits(lambda c, b: {"y": predict(model, list(c.values()), b).prediction[0]}, pd.DataFrame({"a": [9.0]}))


def test_isotonic_regression_of_one_point():
    check_estimator(
        IsotonicRegression().fit([[1.0], [1.0]], [2.0, 4.0]), pd.DataFrame({"a": [1.0, 5.0]}).set_axis([0], axis=1)
    )
