import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.neural_network import MLPClassifier, MLPRegressor

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(4)
X = pd.DataFrame({"a": _RNG.normal(size=40), "b": _RNG.normal(size=40) * 10, "count": _RNG.integers(0, 5, size=40)})
Y = (X["a"] + X["b"] / 10 + _RNG.normal(size=40)).to_numpy()
BINARY, THREE = np.where(Y > 0, "yes", "no"), np.digitize(Y, [-0.5, 0.5])


def fitted(model, target, rows=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, target)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", [Y, np.column_stack([Y, -Y])], ids=["one", "two"])
def test_layers_of_a_regressor(activation, target):
    model = MLPRegressor(hidden_layer_sizes=(7, 4), activation=activation, max_iter=20, random_state=0)
    check_estimator(fitted(model, target), X)


def test_a_poisson_loss_ends_in_exp():
    check_estimator(
        fitted(MLPRegressor(hidden_layer_sizes=5, loss="poisson", max_iter=20, random_state=0), np.exp(Y / 3)), X
    )


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", [BINARY, THREE, Y > 0], ids=["two", "three", "bool"])
def test_layers_of_a_classifier(activation, target):
    model = MLPClassifier(6, activation=activation, max_iter=20, random_state=0)
    frame = check_estimator(fitted(model, target), X)
    assert frame.filter(like="probability").shape[1] == len(set(target))


def test_several_labels_a_row():
    labels = np.column_stack([Y > 0, X["a"] > 0, X["b"] > 0]).astype(int)
    check_estimator(fitted(MLPClassifier(6, max_iter=20, random_state=0), labels), X)


def test_without_hidden_layers_and_one_row():
    check_estimator(fitted(MLPClassifier((), max_iter=20, random_state=0), THREE), X.iloc[:1])


def test_an_ignored_activation_is_seen(monkeypatch):
    model = fitted(MLPRegressor(hidden_layer_sizes=5, activation="tanh", max_iter=20, random_state=0), Y)
    apply = Builder.apply

    def other(self, operation, *inputs, **settings):
        return apply(self, operation, *inputs, **(settings | {"kind": "relu"} if "kind" in settings else settings))

    monkeypatch.setattr(Builder, "apply", other)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)
