"""MLPRegressor and MLPClassifier."""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import (
    binary_prediction,
    class_labels,
    class_prediction,
    expit,
    softmax,
    to_float64,
)
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, option_error
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (
    "activation alpha batch_size beta_1 beta_2 early_stopping epsilon hidden_layer_sizes learning_rate loss "
    "learning_rate_init max_fun max_iter momentum n_iter_no_change nesterovs_momentum power_t random_state shuffle "
    "solver tol validation_fraction verbose warm_start"
)


def _last_layer(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """Each layer's weights times the previous layer, plus intercepts; the activation applies between layers."""
    if step.activation not in ("identity", "relu", "tanh", "logistic"):
        raise option_error(step, "activation", "identity, relu, tanh or logistic")
    layer = vector_input(step, values, build)
    for index, (weights, starts) in enumerate(zip(step.coefs_, step.intercepts_, strict=True)):
        if index and step.activation != "identity":
            layer = build.activation(layer, kind=step.activation)
        matrix, offset = to_float64(weights).T, to_float64(starts)
        layer = build.affine(layer, matrix=matrix, offset=offset)
    return build.items(layer)


@estimator("sklearn.neural_network._multilayer_perceptron.MLPRegressor", options=_OPTIONS)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The last layer, or exp of it for the loss 'poisson'."""
    outputs = _last_layer(step, values, build)
    if step.out_activation_ not in ("identity", "exp"):
        raise option_error(step, "out_activation_", "identity or exp")
    return Outputs(outputs if step.out_activation_ == "identity" else [build.exp(v) for v in outputs])


@estimator("sklearn.neural_network._multilayer_perceptron.MLPClassifier", options=_OPTIONS)
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The softmax of the last layer, the sigmoid of a single number, or for several labels a sigmoid each."""
    outputs = _last_layer(step, values, build)
    kind = step._label_binarizer.y_type_
    if step.out_activation_ == "softmax":
        shares = softmax(build, outputs)
    else:
        shares = [expit(build, value) for value in outputs]
    if kind.startswith("multilabel"):
        shares = [1.0 - shares[0], *shares] if len(shares) == 1 else shares
        return Outputs([build.integer(share > 0.5) for share in shares], shares)
    classes = class_labels(step.classes_)
    if len(shares) == 1:
        chosen = binary_prediction(build, shares[0], classes, above=0.5)
        return Outputs([chosen], [1.0 - shares[0], shares[0]], classes=classes)
    return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)
