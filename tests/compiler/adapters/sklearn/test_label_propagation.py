"""LabelPropagation and LabelSpreading: the votes of the training rows, the same bits everywhere."""

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.adapters.sklearn import label_propagation
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(6)
X = pd.DataFrame({"a": _RNG.normal(size=80), "b": _RNG.normal(size=80), "c": _RNG.integers(0, 3, 80)})
KNOWN = np.digitize(X["a"] + X["b"], [-0.7, 0.7])
KERNELS = [{}, {"gamma": 2.0}, {"kernel": "knn"}, {"kernel": "knn", "n_neighbors": 3}]
LABELS = np.where(_RNG.random(80) < 0.4, -1, KNOWN)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # of neighbours without a label
@pytest.mark.parametrize("kind", [LabelPropagation, LabelSpreading])
@pytest.mark.parametrize("options", KERNELS, ids=str)
def test_votes_of_the_training_rows(kind, options):
    model = kind(**options).fit(X, LABELS)
    frame = check_estimator(model, X * 0.9)
    assert set(frame["prediction_0"]) == {0, 1, 2}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_kernel_of_ones_own_is_refused():
    build = Builder()
    model = LabelPropagation(kernel=lambda a, b: np.exp(-np.abs(a[:, :1] - b[:, 0]))).fit(X.to_numpy(), LABELS)
    with pytest.raises(NoPlanError, match="a function of one's own is code, which a plan cannot hold"):
        predict(model, [build.input(name, "float64") for name in X], build)


def test_labels_of_other_rows_are_seen(monkeypatch):
    model = LabelSpreading(gamma=2.0).fit(X, LABELS)
    monkeypatch.setattr(
        label_propagation, "float64_of", lambda s, n: np.roll(getattr(s, n), n == "label_distributions_", axis=0) * 1.0
    )
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)
