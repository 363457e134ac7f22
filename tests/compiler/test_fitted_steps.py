"""What may be compiled: whatever was fitted and has `predict`."""

from typing import Any

import numpy as np
import pytest
from estimators import TWO, X, Y
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  makes the halving searches importable
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.fitted_steps import fitted_steps
from pipeline_lib.errors import InputError

SCALED = make_pipeline(StandardScaler(), LogisticRegression())
GRID = {"logisticregression__C": [0.1, 1.0]}
SAMPLER = RandomOverSampler(random_state=0)


class OwnSearch(ClassifierMixin, BaseEstimator):
    """A search of another library: it keeps the best estimator under the usual name."""

    def fit(self, X: Any, y: Any) -> "OwnSearch":
        self.best_estimator_ = clone(SCALED).fit(X, y)
        self.classes_ = self.best_estimator_.classes_
        return self

    def predict(self, X: Any) -> Any:
        return self.best_estimator_.predict(X)


FITTED = {
    "an estimator": DecisionTreeClassifier(max_depth=3),
    "a pipeline": SCALED,
    "a grid search": GridSearchCV(SCALED, GRID, cv=2),
    "a randomized search": RandomizedSearchCV(SCALED, GRID, n_iter=2, cv=2),
    "a halving search": HalvingGridSearchCV(SCALED, GRID, cv=2, min_resources=20),
    "a search of another library": OwnSearch(),
    "a search of an estimator": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    "a search as last step": make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)),
    "a search of a pipeline as only step": Pipeline([("search", GridSearchCV(SCALED, GRID, cv=2))]),
    "a search of a search": GridSearchCV(GridSearchCV(SCALED, GRID, cv=2), {"cv": [2, 3]}, cv=2),
    "a tuned threshold": TunedThresholdClassifierCV(SCALED, cv=2),
    "a fixed threshold": FixedThresholdClassifier(SCALED, threshold=0.3),
    "a sampler": make_imblearn_pipeline(SAMPLER, LogisticRegression()),
    "a sampler in a nested pipeline": make_pipeline(
        StandardScaler(), make_imblearn_pipeline(SAMPLER, LogisticRegression())
    ),
    "a sampler in a vote": VotingClassifier(
        [("sampled", make_imblearn_pipeline(SAMPLER, LogisticRegression())), ("bayes", GaussianNB())], voting="soft"
    ),
}


@pytest.mark.parametrize("unfitted", FITTED.values(), ids=FITTED)
def test_it_predicts_as_the_library(unfitted: Any) -> None:
    fitted = clone(unfitted).fit(X, TWO)
    model = compile_pipeline(fitted, like=X)
    assert model.exact
    assert model.predict(X).tolist() == fitted.predict(X).tolist()
    assert [model.predict_row(row) for row in X.head(5).to_dict("records")] == model.predict(X)[:5].tolist()
    if hasattr(fitted, "predict_proba"):
        assert model.predict_proba(X) == pytest.approx(fitted.predict_proba(X), rel=1e-9)


def test_clusters_are_compiled() -> None:
    fitted = make_pipeline(StandardScaler(), KMeans(3, random_state=0, n_init=1)).fit(X)
    assert compile_pipeline(fitted, like=X).predict(X).tolist() == fitted.predict(X).tolist()


def test_steps_of_two_pipelines_have_distinct_names() -> None:
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    fitted = make_pipeline(StandardScaler(), inner).fit(X, TWO)
    assert [name for name, _ in fitted_steps(fitted)] == ["standardscaler", "standardscaler-2", "logisticregression"]


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        (LogisticRegression(), r"found a pipeline that is not fitted .* call fit\(X_train, y_train\) first"),
        (make_pipeline(StandardScaler(), DBSCAN()).fit(X), "found DBSCAN, which labels the rows .* has no predict"),
        (make_pipeline(StandardScaler()).fit(X), "found a final step StandardScaler without predict"),
        (make_pipeline(StandardScaler(), "passthrough").fit(X), "found a final step 'passthrough' without predict"),
        (np.arange(3), "found ndarray, expected something fitted with predict"),
        (GridSearchCV(SCALED, GRID, cv=2, refit=False).fit(X, TWO), "with refit=False, .*; search with refit=True"),
    ],
)
def test_what_cannot_predict_is_refused(fitted: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compile_pipeline(fitted, like=X)


def test_a_method_that_the_library_refuses_gives_no_output() -> None:
    """ClassifierChain has predict_proba for three classes, and raises an error when it is called."""
    targets = np.column_stack([Y > 0, np.digitize(Y, [-0.5, 1.0])]).astype(int)
    fitted = ClassifierChain(LogisticRegression(max_iter=2000)).fit(X, targets)
    model = compile_pipeline(fitted, like=X)
    assert model.predict(X).tolist() == fitted.predict(X).tolist()
    with pytest.raises(InputError, match="found a final estimator that gives no probability"):
        model.predict_proba(X)
