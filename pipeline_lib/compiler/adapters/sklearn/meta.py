"""Estimators that hold other estimators.

Voting, Stacking and Bagging (Regressor, Classifier), GridSearchCV and the other searches, FrozenEstimator,
SelfTrainingClassifier.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import split_columns
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction, label_at, sum_in_order
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    Outputs,
    estimator,
    option_error,
    predict,
    transform,
    transformer,
)
from pipeline_lib.compiler.builder import Builder, Value

_VOTING = "sklearn.ensemble._voting."


def _weights(step: Any) -> list[float] | None:
    if step.weights is None:
        return None
    pairs = zip(step.estimators, step.weights, strict=True)
    return [float(weight) for (_, inner), weight in pairs if not (isinstance(inner, str) and inner == "drop")]


def _average(build: Builder, values: Sequence[Value], weights: Sequence[float] | None) -> Value:
    """The mean, or the weighted sum over the sum of weights (`numpy.average`)."""
    if weights is None:
        return build.sum(values) / float(len(values))
    return build.dot(values, weights) / float(np.sum(weights))


@estimator(f"{_VOTING}VotingRegressor", options="estimators weights n_jobs verbose")
def voting_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The (weighted) mean of the estimators' predictions."""
    predictions = [predict(inner, values, build).prediction[0] for inner in step.estimators_]
    return Outputs([_average(build, predictions, _weights(step))])


@estimator(f"{_VOTING}VotingClassifier", options="estimators voting weights n_jobs flatten_transform verbose")
def voting_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The class with the largest (weighted) count of votes or mean probability; the first of equal ones."""
    parts, classes = [predict(inner, values, build) for inner in step.estimators_], class_labels(step.le_.classes_)
    if step.voting == "soft":
        shares = [
            _average(build, column, _weights(step))
            for column in zip(*(part.probability for part in parts), strict=True)
        ]
        return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)
    votes = _votes(build, [part.prediction[0] for part in parts], len(classes), _weights(step))
    return Outputs([class_prediction(build, votes, classes)], classes=classes)


def _votes(build: Builder, indices: Sequence[Value], count: int, weights: Sequence[float] | None = None) -> list[Value]:
    """The weight of votes for each class, added in the order of `numpy.bincount`."""
    factors = weights or [1.0] * len(indices)
    pairs = list(zip(indices, factors, strict=True))
    return [
        sum_in_order([build.number(index.equals(label)) * factor for index, factor in pairs]) for label in range(count)
    ]


@transformer(f"{_VOTING}VotingRegressor", options="estimators weights n_jobs verbose")
@transformer(f"{_VOTING}VotingClassifier", options="estimators voting weights n_jobs flatten_transform verbose")
def votes(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each estimator's prediction, or, of soft votes, its probabilities."""
    parts = [predict(inner, list(columns.values()), build) for inner in step.estimators_]
    soft = getattr(step, "voting", "hard") == "soft"
    if soft and not step.flatten_transform:
        raise option_error(step, "flatten_transform", "True, so that a row has columns")
    values = [value for part in parts for value in (part.probability if soft else part.prediction)]
    return {f"vote{index}": value for index, value in enumerate(values)}


_STACKING = "sklearn.ensemble._stacking."
_STACKING_OPTIONS = "estimators final_estimator cv stack_method n_jobs passthrough verbose"


def _stacked(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """Each estimator's responses, then with `passthrough` the inputs (`_concatenate_predictions`)."""
    columns: list[Value] = []
    for inner, method in zip(step.estimators_, step.stack_method_, strict=True):
        outputs = predict(inner, values, build)
        if method == "predict_proba":
            shares = list(outputs.probability)
            columns += shares[1:] if len(step.classes_) == 2 else shares
        else:
            columns += outputs.decision if method == "decision_function" else outputs.prediction
    return [*columns, *values] if step.passthrough else columns


@transformer(f"{_STACKING}StackingRegressor", f"{_STACKING}StackingClassifier", options=_STACKING_OPTIONS)
def stacked(step: Any, columns: Columns, build: Builder) -> Columns:
    """What the final estimator gets."""
    return {f"part{index}": value for index, value in enumerate(_stacked(step, list(columns.values()), build))}


@estimator(f"{_STACKING}StackingRegressor", options=_STACKING_OPTIONS)
def stacking_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The final estimator on the others' predictions."""
    return Outputs(predict(step.final_estimator_, _stacked(step, values, build), build).prediction)


@estimator(f"{_STACKING}StackingClassifier", options=_STACKING_OPTIONS)
def stacking_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The final estimator on the others' responses; its labels are indices of the classes."""
    if isinstance(step._label_encoder, list):
        raise NoPlanError("StackingClassifier: found several labels a row, expected one; stack one for each label")
    final = predict(step.final_estimator_, _stacked(step, values, build), build)
    chosen = label_at(build, build.integer(final.prediction[0]), step.classes_)
    return Outputs([chosen], final.probability, final.decision, class_labels(step.classes_))


_BAGGING = "sklearn.ensemble._bagging."
_BAGGING_OPTIONS = (
    "estimator n_estimators max_samples max_features bootstrap bootstrap_features oob_score warm_start n_jobs "
    "random_state verbose"
)


def _bagged(step: Any, values: Sequence[Value], build: Builder) -> list[Outputs]:
    """The outputs of each estimator on the columns that it was fitted on."""
    everything = list(range(step.n_features_in_))
    parts = []
    for inner, indices in zip(step.estimators_, step.estimators_features_, strict=True):
        if list(indices) == everything:
            parts.append(predict(inner, values, build))
        else:
            flat = split_columns(values, build)
            parts.append(predict(inner, [flat[index] for index in indices], build))
    return parts


@estimator(f"{_BAGGING}BaggingRegressor", options=_BAGGING_OPTIONS)
def bagging_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean of the estimators' predictions, for each target."""
    by_target = zip(*(part.prediction for part in _bagged(step, values, build)), strict=True)
    return Outputs([build.sum(list(each)) / float(len(step.estimators_)) for each in by_target])


@estimator(f"{_BAGGING}BaggingClassifier", options=_BAGGING_OPTIONS)
def bagging_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean probability of each class, or its share of votes; the mean of decisions."""
    parts, classes, count = _bagged(step, values, build), class_labels(step.classes_), float(len(step.estimators_))
    columns: list[list[Value]] = [[] for _ in classes]
    for inner, part in zip(step.estimators_, parts, strict=True):
        if part.probability:
            for index, share in zip(inner.classes_, part.probability, strict=True):
                columns[int(index)].append(share)
        else:
            for index, vote in enumerate(_votes(build, [part.prediction[0]], len(classes))):
                columns[index].append(vote)
    shares = [(build.sum(column) if column else build.value(0.0)) / count for column in columns]
    decision = []
    if all(part.decision for part in parts):
        decision = [build.sum(column) / count for column in zip(*(part.decision for part in parts), strict=True)]
    return Outputs([class_prediction(build, shares, classes)], shares, decision, classes)


_SEARCHES = tuple(
    f"sklearn.model_selection._{name}"
    for name in (
        "search.GridSearchCV",
        "search.RandomizedSearchCV",
        "search_successive_halving.HalvingGridSearchCV",
        "search_successive_halving.HalvingRandomSearchCV",
    )
)
_SEARCH_OPTIONS = (
    "estimator param_grid param_distributions n_iter scoring n_jobs refit cv verbose pre_dispatch random_state "
    "error_score return_train_score n_candidates factor resource max_resources min_resources aggressive_elimination"
)


@estimator(*_SEARCHES, options=_SEARCH_OPTIONS)
def search(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The best estimator of the search."""
    return predict(_best(step), values, build)


@transformer(*_SEARCHES, options=_SEARCH_OPTIONS)
def search_transformer(step: Any, columns: Columns, build: Builder) -> Columns:
    """The best transformer of the search."""
    return transform(_best(step), columns, build)


def _best(step: Any) -> Any:
    if not hasattr(step, "best_estimator_"):
        raise option_error(step, "refit", "True, so that a best estimator is fitted")
    return step.best_estimator_


@estimator("sklearn.frozen._frozen.FrozenEstimator", options="estimator")
def frozen(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The inner estimator."""
    return predict(step.estimator, values, build)


@transformer("sklearn.frozen._frozen.FrozenEstimator", options="estimator")
def frozen_transformer(step: Any, columns: Columns, build: Builder) -> Columns:
    """The inner transformer."""
    return transform(step.estimator, columns, build)


@estimator(
    "sklearn.semi_supervised._self_training.SelfTrainingClassifier",
    options="estimator criterion k_best max_iter threshold verbose",
)
def self_training(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The last fitted classifier."""
    return predict(step.estimator_, values, build)
