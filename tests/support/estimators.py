"""Rows, targets and small estimators for tests of estimators that hold others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(2)
X = pd.DataFrame({"a": _RNG.normal(size=60), "b": _RNG.normal(size=60), "count": _RNG.integers(0, 5, size=60)})
Y = (X["a"] * 2 + X["b"] + X["count"] / 4 + _RNG.normal(size=60) / 3).to_numpy()
TWO, THREE = np.where(Y > 0.5, "yes", "no"), np.array(["x", "y", "z"])[np.digitize(Y, [-0.5, 1.0])]
LOGISTIC, BAYES, RIDGE = LogisticRegression(), GaussianNB(), RidgeClassifier()
CLASSIFIERS = [("logistic", LOGISTIC), ("bayes", BAYES), ("near", KNeighborsClassifier(3))]
by_target = pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])


def refused(model: Any, match: str, kind: type[InputError] = NoPlanError) -> None:
    """Compiling a fitted estimator over the columns of `X` is refused with a message that matches."""
    build = Builder()
    with pytest.raises(kind, match=match):
        predict(model, [build.input(name, "float64") for name in X], build)
