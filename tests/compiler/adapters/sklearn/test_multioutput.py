"""Several targets: one estimator for each, or each in turn on the answers of those before it."""

import numpy as np
import pytest
from estimators import BAYES, LOGISTIC, RIDGE, THREE, TWO, X, Y, refused
from plans import check_estimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.svm import LinearSVC

PAIR = np.column_stack([Y, -Y])
LABELS = np.column_stack([Y > 0, Y > 1, X["count"] > 2]).astype(int)


def test_numbers() -> None:
    check_estimator(MultiOutputRegressor(Ridge()).fit(X, PAIR), X)
    check_estimator(RegressorChain(Ridge(), order=[1, 0]).fit(X, PAIR), X)


@pytest.mark.parametrize("inner", [LOGISTIC, BAYES, RIDGE], ids=["logistic", "bayes", "ridge"])
@pytest.mark.parametrize("labels", [LABELS, np.column_stack([TWO, THREE])], ids=["labels", "text"])
def test_classes(inner, labels) -> None:
    fitted = MultiOutputClassifier(inner).fit(X, labels)
    result = check_estimator(fitted, X)
    names = [f"prediction_{target}" for target in range(labels.shape[1])]
    assert result[names].to_numpy().tolist() == fitted.predict(X).tolist()


@pytest.mark.parametrize(
    ("inner", "method"),
    [(LOGISTIC, "predict"), (LOGISTIC, "predict_proba"), (LinearSVC(), "decision_function"), (LinearSVC(), "predict")],
    ids=["labels", "shares", "decisions", "labels of SVC"],
)
def test_a_chain_of_classifiers(inner, method) -> None:
    chain = ClassifierChain(inner, order=[2, 0, 1], chain_method=method).fit(X, LABELS)
    result = check_estimator(chain, X)
    names = [f"prediction_{target}" for target in range(3)]
    assert result[names].to_numpy().tolist() == chain.predict(X).tolist()


def test_what_a_chain_cannot_say_is_refused() -> None:
    chain = ClassifierChain(LogisticRegression(), chain_method="predict_log_proba").fit(X, LABELS)
    refused(chain, "found chain_method='predict_log_proba', expected predict, predict_proba or decision_function")
