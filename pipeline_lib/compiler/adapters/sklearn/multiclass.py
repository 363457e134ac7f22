"""OneVsRestClassifier, OneVsOneClassifier, OutputCodeClassifier. Source: sklearn/multiclass.py."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.outputs import (
    binary_prediction,
    class_labels,
    class_prediction,
    nearest_label,
    votes_and_confidences,
)
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs, estimator, predict
from pipeline_lib.compiler.builder import Builder, Value

_MODULE = "sklearn.multiclass."


@estimator(f"{_MODULE}_ConstantPredictor", options="")
def constant(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """One class for every row: training rows had no other."""
    label = np.ravel(step.y_)[0]
    share = build.value(float(label))
    return Outputs([build.value(label)], [build.value(1.0 - float(label)), share], [share])


def _score(inner: Any, outputs: Outputs) -> Value:
    """A binary classifier's decision or second probability, or a regressor's prediction (`_predict_binary`)."""
    if outputs.decision:
        return outputs.decision[0]
    return outputs.probability[1] if outputs.probability else outputs.prediction[0]


def _threshold(inner: Any) -> float:
    """`_threshold_for_binary_predict`."""
    return 0.0 if hasattr(inner, "decision_function") and hasattr(inner, "classes_") else 0.5


@estimator(f"{_MODULE}OneVsRestClassifier", options="estimator n_jobs verbose")
def one_against_rest(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """A score for each class; the first of the largest decides. Probabilities are divided by their sum."""
    parts = [predict(inner, values, build) for inner in step.estimators_]
    scores = [_score(inner, part) for inner, part in zip(step.estimators_, parts, strict=True)]
    shares = [part.probability[1] for part in parts if part.probability]
    decision = [part.decision[0] for part in parts if part.decision]
    decision = decision if len(decision) == len(parts) else []
    threshold = _threshold(step.estimators_[0])
    if step.multilabel_:
        return Outputs([build.integer(score > threshold) for score in scores], shares, decision)
    shares = [1.0 - shares[0], shares[0]] if len(parts) == 1 and shares else shares
    if shares:
        total = build.sum(shares)
        shares = [build.where(total.equals(0.0), share, share / total) for share in shares]
    classes = class_labels(step.classes_)
    if len(parts) == 1:
        chosen = binary_prediction(build, scores[0], classes, above=threshold)
    else:
        chosen = class_prediction(build, scores, classes)
    return Outputs([chosen], shares, decision, classes)


@estimator(f"{_MODULE}OneVsOneClassifier", options="estimator n_jobs")
def one_against_one(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """A vote for each pair of classes, plus confidences in (-1/3, 1/3) (`_ovr_decision_function`)."""
    if step.pairwise_indices_ is not None:
        raise NoPlanError("OneVsOneClassifier: found a precomputed kernel, expected columns")
    classes = class_labels(step.classes_)
    votes, confidences = [], []
    for inner in step.estimators_:
        outputs = predict(inner, values, build)
        second, confidence = build.number(outputs.prediction[0]), build.number(_score(inner, outputs))
        votes.append((build.number(second.equals(0.0)), build.number(second.equals(1.0))))
        confidences.append((-confidence, confidence))
    scores = votes_and_confidences(votes, confidences, len(classes))
    if len(classes) == 2:
        chosen = binary_prediction(build, scores[1], classes, above=_threshold(step.estimators_[0]))
        return Outputs([chosen], decision=[scores[1]], classes=classes)
    return Outputs([class_prediction(build, scores, classes)], decision=scores, classes=classes)


@estimator(f"{_MODULE}OutputCodeClassifier", options="estimator code_size random_state n_jobs")
def output_code(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The class whose code is nearest to the scores, the first of equal ones."""
    scores = [build.number(_score(inner, predict(inner, values, build))) for inner in step.estimators_]
    points = np.asarray(step.code_book_, dtype=np.float64)
    chosen = nearest_label(build, build.stack(scores), points, step.classes_, metric="euclidean")
    return Outputs([chosen], classes=class_labels(step.classes_))
