"""Estimators of several targets: MultiOutputRegressor, MultiOutputClassifier, RegressorChain, ClassifierChain.

Sources: sklearn/multioutput.py, `_BaseChain._get_predictions` for the chains.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.outputs import class_labels
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs, estimator, option_error, predict
from pipeline_lib.compiler.builder import Builder, Value

_TARGETS = "sklearn.multioutput."


@estimator(f"{_TARGETS}MultiOutputRegressor", options="estimator n_jobs")
def regressors(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """One estimator for each target."""
    return Outputs([predict(inner, values, build).prediction[0] for inner in step.estimators_])


@estimator(f"{_TARGETS}MultiOutputClassifier", options="estimator n_jobs")
def classifiers(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """One classifier for each target; the probabilities of one target after the other."""
    parts = [predict(inner, values, build) for inner in step.estimators_]
    shares = [share for part in parts for share in part.probability]
    classes = [class_labels(inner.classes_) for inner in step.estimators_]
    probability = shares if all(part.probability for part in parts) else []
    return Outputs([part.prediction[0] for part in parts], probability, classes=classes)


@estimator(f"{_TARGETS}RegressorChain", options="estimator order cv random_state verbose")
def regressor_chain(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Each estimator on the inputs and the predictions of those before it; outputs in the order of the targets."""
    result: list[Value] = []
    for inner in step.estimators_:
        result.append(build.number(predict(inner, [*values, *result], build).prediction[0]))
    return Outputs(_by_target(step, result))


@estimator(f"{_TARGETS}ClassifierChain", options="estimator order cv chain_method random_state verbose")
def classifier_chain(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Each classifier on the inputs and the responses of those before it (`chain_method`), as float64.

    Probabilities are those of the last class, decision values those of classifiers of two classes.
    """
    responses: list[Value] = []
    parts: list[Outputs] = []
    for inner in step.estimators_:
        parts.append(predict(inner, [*values, *responses], build))
        responses.append(build.number(_response(step, parts[-1], len(inner.classes_))))
    predictions = [build.number(part.prediction[0]) for part in parts]
    two = all(len(inner.classes_) == 2 for inner in step.estimators_)
    shares = [part.probability[-1] for part in parts if part.probability]
    decisions = [part.decision[0] for part in parts if part.decision]
    return Outputs(
        _by_target(step, predictions),
        _by_target(step, shares) if two and len(shares) == len(parts) else [],
        _by_target(step, decisions) if two and len(decisions) == len(parts) else [],
    )


def _response(step: Any, part: Outputs, classes: int) -> Value:
    """What a classifier of a chain gives to those after it."""
    if step.chain_method_ == "predict":
        return part.prediction[0]
    if classes == 2 and step.chain_method_ == "predict_proba":
        return part.probability[-1]
    if classes == 2 and step.chain_method_ == "decision_function":
        return part.decision[0]
    if classes != 2:
        raise NoPlanError(
            f"{type(step).__name__}: found a target of {classes} classes with chain_method={step.chain_method_!r}, "
            "expected two; use chain_method='predict'"
        )
    raise option_error(step, "chain_method", "predict, predict_proba or decision_function")


def _by_target(step: Any, values: Sequence[Value]) -> list[Value]:
    """Values in the order of the chain, in that of the targets."""
    return [values[index] for index in np.argsort(step.order_).tolist()]
