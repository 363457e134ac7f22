"""AdaBoostRegressor, AdaBoostClassifier.

Source: sklearn/ensemble/_weight_boosting.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs
from pipeline_lib.compiler.adapters.outputs import binary_prediction, class_labels, class_prediction, softmax
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, predict
from pipeline_lib.compiler.adapters.sklearn.trees import tree_nodes
from pipeline_lib.compiler.adapters.tree_nodes import float32_range, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value

_TREES = "sklearn.tree._classes"
_BOOSTING = "estimator n_estimators learning_rate random_state"


def _all_trees(estimators: Sequence[Any]) -> bool:
    return all(type(inner).__module__ == _TREES and inner.n_outputs_ == 1 for inner in estimators)


def _numbers(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The columns; boosting refuses missing and infinite values before it calls its estimators."""
    if any(value.dtype in ("vector", "bag") for value in values):
        return list(values)
    return dense_inputs(step, values, build)


@estimator("sklearn.ensemble._weight_boosting.AdaBoostRegressor", options=f"{_BOOSTING} loss")
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The weighted median of the regressors' predictions."""
    inner = list(step.estimators_)
    values = _numbers(step, values, build)
    if _all_trees(inner):
        check = float32_range(step, values, build, missing=False)
        trees = [tree_nodes(tree.tree_) for tree in inner]
        predictions = sum_of_trees(build, values, trees, check, start=[0.0] * len(trees), outputs=range(len(trees)))
    else:
        predictions = [build.number(predict(model, values, build).prediction[0]) for model in inner]
    weights = np.asarray(step.estimator_weights_, dtype=np.float64)[: len(inner)]
    return Outputs([build.weighted_median(build.stack(predictions), weights=weights)])


@estimator("sklearn.ensemble._weight_boosting.AdaBoostClassifier", options=_BOOSTING)
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Each classifier adds its weight to its predicted class, and subtracts a share of it from the others."""
    classes, values = class_labels(step.classes_), _numbers(step, values, build)
    if len(classes) == 1:
        one = build.value(1.0)
        return Outputs([build.value(classes[0])], [one], [build.value(0.0)], classes)
    total = float(np.asarray(step.estimator_weights_).sum())  # of the whole array, as the library divides
    scores = [score / total for score in _votes(step, values, build)]
    if len(classes) > 2:
        shares = softmax(build, [score / float(len(classes) - 1) for score in scores])
        return Outputs([class_prediction(build, scores, classes)], shares, scores, classes)
    decision = scores[1] - scores[0]
    shares = softmax(build, [-decision / 2.0, decision / 2.0])
    return Outputs([binary_prediction(build, decision, classes)], shares, [decision], classes)


def _votes(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """For each class the sum of the classifiers' votes, in their order."""
    known = class_labels(step.classes_)
    weights = np.asarray(step.estimator_weights_, dtype=np.float64).tolist()
    inner = list(zip(step.estimators_, weights, strict=False))
    others = [-1 / (len(known) - 1) * weight for weight in weights]
    if _all_trees(step.estimators_):
        trees = []
        for (tree, weight), other in zip(inner, others, strict=False):
            best = np.asarray(tree.tree_.value)[:, 0, : int(tree.n_classes_)].argmax(axis=1)
            chosen = np.asarray(tree.classes_)[best]
            trees.append(tree_nodes(tree.tree_, np.where(chosen[:, None] == np.asarray(step.classes_), weight, other)))
        check = float32_range(step, values, build, missing=False)
        return sum_of_trees(build, values, trees, check, start=[0.0] * len(known))
    votes: list[list[Value]] = [[] for _ in known]
    for (model, weight), other in zip(inner, others, strict=False):
        predicted = predict(model, values, build).prediction[0]
        for label, vote in zip(known, votes, strict=True):
            vote.append(build.lookup(predicted, {label: weight}, "float64", unseen=other, missing=other))
    return [build.sum(vote) for vote in votes]
