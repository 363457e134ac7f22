import numpy as np
import pytest
from estimators import BAYES, LOGISTIC, THREE, X, Y, by_target
from plans import check_estimator, named
from sklearn.linear_model import Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.svm import LinearSVC


@by_target
@pytest.mark.parametrize("member", [LOGISTIC, BAYES, Ridge(), LinearSVC()], ids=named)
def test_one_against_the_rest(member, target):
    check_estimator(OneVsRestClassifier(member).fit(X, target), X)


def test_one_against_the_rest_of_several_labels():
    labels = np.column_stack([Y > 0, Y > 1, X["a"] > 0]).astype(int)
    check_estimator(OneVsRestClassifier(LOGISTIC).fit(X, labels), X)
    with pytest.warns(UserWarning, match="Label 3 is present in all"):
        model = OneVsRestClassifier(LOGISTIC).fit(X, np.column_stack([labels, np.ones(60, dtype=int)]))
    check_estimator(model, X)


@by_target
@pytest.mark.parametrize("member", [LOGISTIC, BAYES, LinearSVC()], ids=named)
def test_one_against_one(member, target):
    check_estimator(OneVsOneClassifier(member).fit(X, target), X)


@pytest.mark.parametrize("member", [LOGISTIC, BAYES], ids=named)
def test_codes(member):
    check_estimator(OutputCodeClassifier(member, random_state=0).fit(X, THREE), X)
