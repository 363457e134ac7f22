import numpy as np
import pytest
from estimators import BAYES, CLASSIFIERS, LOGISTIC, RIDGE, THREE, TWO, X, Y, by_target, refused
from plans import check_estimator, check_transformer, named
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.adapters.sklearn import meta as sklearn_meta
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

REGRESSORS = [("ridge", Ridge()), ("near", KNeighborsRegressor(4))]


@pytest.mark.parametrize("weights", [None, [0.3, 2.0]])
def test_votes_of_regressors(weights):
    check_estimator(VotingRegressor(REGRESSORS, weights=weights).fit(X, Y), X)


@by_target
@pytest.mark.parametrize("weights", [None, [2, 1, 1], [0.7, 0.2, 0.2]])
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes_of_classifiers(voting, weights, target):
    check_estimator(VotingClassifier(CLASSIFIERS, voting=voting, weights=weights).fit(X, target), X)


def test_a_dropped_voter_takes_its_weight_along():
    model = VotingClassifier(CLASSIFIERS, voting="soft", weights=[5, 1, 1]).set_params(bayes="drop").fit(X, TWO)
    check_estimator(model, X)


def test_equal_votes_choose_the_first_class():
    voters = [
        ("a", DummyClassifier(strategy="constant", constant=1)),
        ("b", DummyClassifier(strategy="constant", constant=0)),
    ]
    model = VotingClassifier(voters).fit(X, (Y > 0).astype(int))
    assert check_estimator(model, X.iloc[:2])["prediction_0"].tolist() == [0, 0]


@pytest.mark.parametrize("passthrough", [False, True])
def test_stacked_regressors(passthrough):
    check_estimator(StackingRegressor(REGRESSORS, Ridge(), cv=3, passthrough=passthrough).fit(X, Y), X)


@by_target
@pytest.mark.parametrize("options", [{}, {"passthrough": True}, {"stack_method": "predict"}], ids=named)
def test_stacked_classifiers(options, target):
    members = [*CLASSIFIERS[:2], ("ridge", RIDGE)]
    check_estimator(StackingClassifier(members, LogisticRegression(), cv=3, **options).fit(X, target), X)


@by_target
def test_stacked_classifiers_that_were_fitted_before(target):
    members = [(name, model.fit(X, target)) for name, model in CLASSIFIERS]
    check_estimator(StackingClassifier(members, RidgeClassifier(), cv="prefit").fit(X, target), X)


@pytest.mark.parametrize("options", [{}, {"max_features": 2}, {"bootstrap_features": True}], ids=named)
def test_bags_of_regressors(options):
    check_estimator(BaggingRegressor(Ridge(), 4, random_state=0, **options).fit(X, Y), X)
    targets = np.column_stack([Y, -3 * Y])
    check_estimator(BaggingRegressor(Ridge(), 4, random_state=0, **options).fit(X, targets), X)


@by_target
@pytest.mark.parametrize("member", [LOGISTIC, RIDGE, BAYES], ids=named)
@pytest.mark.parametrize("options", [{}, {"max_features": 2}], ids=named)
def test_bags_of_classifiers(member, options, target):
    check_estimator(BaggingClassifier(member, 4, random_state=0, **options).fit(X, target), X)


def test_bags_that_missed_a_class():
    rare = np.where(np.arange(60) < 2, "rare", TWO)
    model = BaggingClassifier(KNeighborsClassifier(2), 6, max_samples=12, random_state=0).fit(X, rare)
    assert len({len(inner.classes_) for inner in model.estimators_}) > 1
    check_estimator(model, X)


def test_searches():
    check_estimator(GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3).fit(X, THREE), X)
    check_estimator(RandomizedSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2, cv=3).fit(X, Y), X)
    refused(GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3, refit=False).fit(X, Y), "found refit=False")


def test_self_training():
    unlabelled = np.where(np.arange(60) % 3 == 0, -1, (Y > 0.5).astype(int))
    check_estimator(SelfTrainingClassifier(LOGISTIC).fit(X, unlabelled), X)


def test_ignored_weights_are_seen(monkeypatch):
    model = VotingClassifier(CLASSIFIERS, voting="soft", weights=[5, 1, 1]).fit(X, TWO)
    monkeypatch.setattr(sklearn_meta, "_weights", lambda step: None)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


def test_swapped_columns_of_a_bag_are_seen(monkeypatch):
    model = BaggingRegressor(Ridge(), 4, max_features=2, random_state=0).fit(X, Y)
    monkeypatch.setattr(sklearn_meta, "split_columns", lambda values, build: list(values)[::-1])
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes_are_columns_of_a_pipeline(voting):
    check_transformer(VotingClassifier(CLASSIFIERS, voting=voting).fit(X, THREE), X)
    check_transformer(VotingRegressor(REGRESSORS).fit(X, Y), X)
    model, build = VotingClassifier(CLASSIFIERS, voting="soft", flatten_transform=False).fit(X, TWO), Builder()
    with pytest.raises(NoPlanError, match="found flatten_transform=False, expected True"):
        transform(model, {name: build.input(name, "float64") for name in X}, build)


@by_target
@pytest.mark.parametrize("passthrough", [False, True])
def test_stacks_are_columns_of_a_pipeline(target, passthrough):
    members = [*CLASSIFIERS[:2], ("ridge", RIDGE)]
    check_transformer(StackingClassifier(members, BAYES, cv=3, passthrough=passthrough).fit(X, target), X)
    check_transformer(StackingRegressor(REGRESSORS, Ridge(), cv=3, passthrough=passthrough).fit(X, Y), X)
