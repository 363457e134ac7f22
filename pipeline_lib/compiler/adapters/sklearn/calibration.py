"""CalibratedClassifierCV, the threshold classifiers, IsotonicRegression, DummyRegressor, DummyClassifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import split_columns
from pipeline_lib.compiler.adapters.outputs import (
    class_labels,
    class_prediction,
    expit,
    float64_of,
    label_at,
    softmax,
)
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    Outputs,
    RefusedStepError,
    estimator,
    option_error,
    predict,
    transformer,
)
from pipeline_lib.compiler.builder import Builder, Value

_LOG_GUARD = 1e-12  # `eps` of sklearn.calibration._convert_to_logits


@estimator("sklearn.calibration.CalibratedClassifierCV", options="estimator method cv n_jobs ensemble")
def calibrated(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean of the calibrated classifiers' probabilities; the class is the first of the largest."""
    parts = [_calibrated(part, values, build) for part in step.calibrated_classifiers_]
    shares = [build.sum(column) / float(len(parts)) for column in zip(*parts, strict=True)]
    return Outputs([class_prediction(build, shares, step.classes_)], shares, classes=class_labels(step.classes_))


def _calibrated(part: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """One classifier's responses through its calibrators (`_CalibratedClassifier.predict_proba`)."""
    outputs = predict(part.estimator, values, build)
    count = len(part.classes)
    if part.method == "temperature":
        return _tempered(part, outputs, build, count)
    responses = list(outputs.decision) or list(outputs.probability)
    if count == 2:
        share = _calibrate(part.calibrators[0], responses[-1], build)
        return [1.0 - share, _at_most_1(build, share)]
    indices = [class_labels(part.classes).index(label) for label in class_labels(part.estimator.classes_)]
    responses = responses[-1:] if len(indices) == 2 else responses
    shares = [build.value(0.0)] * count
    # strict=False, as the library does
    for index, response, calibrator in zip(indices, responses, part.calibrators, strict=False):
        shares[index] = _calibrate(calibrator, response, build)
    total = build.sum(shares)
    return [_at_most_1(build, build.where(total.equals(0.0), 1.0 / count, share / total)) for share in shares]


def _at_most_1(build: Builder, share: Value) -> Value:
    return build.smaller(share, 1.0)


def _calibrate(calibrator: Any, response: Value, build: Builder) -> Value:
    if type(calibrator).__name__ == "IsotonicRegression":
        return isotonic_value(calibrator, response, build)
    return expit(build, -(response * float(calibrator.a_) + float(calibrator.b_)))


def _tempered(part: Any, outputs: Outputs, build: Builder, count: int) -> list[Value]:
    """Softmax of scaled logits: decisions, (-x, x) of a single decision, or logs of probabilities.

    The library takes decisions for probabilities if, in the whole batch, they lie in 0 … 1 and sum to 1; a plan,
    which knows a single row, never does.
    """
    if len(outputs.decision) == 1 and count == 2:
        logits = [-outputs.decision[0], outputs.decision[0]]
    elif outputs.decision:
        logits = list(outputs.decision)
    else:
        logits = [build.log(share + _LOG_GUARD) for share in outputs.probability]
        if count == 2:  # the library computes the first as 1 - p
            logits[0] = build.log((1.0 - outputs.probability[1]) + _LOG_GUARD)
    beta = float(part.calibrators[0].beta_)
    return [_at_most_1(build, share) for share in softmax(build, [logit * beta for logit in logits])]


_ISOTONIC = "sklearn.isotonic.IsotonicRegression"
_ISOTONIC_OPTIONS = "y_min y_max increasing out_of_bounds"


def isotonic_value(step: Any, value: Value, build: Builder) -> Value:
    """The fitted line at a number; beyond its ends clipped, missing or refused, depending on `out_of_bounds`."""
    points, heights = float64_of(step, "X_thresholds_"), float64_of(step, "y_thresholds_")
    value = build.finite(value, "x", "IsotonicRegression")
    if len(heights) == 1:
        return build.value(float(heights[0]))
    inside = (value >= float(points[0])) & (value <= float(points[-1]))
    if step.out_of_bounds == "raise":
        value = build.check(
            value,
            inside,
            where="IsotonicRegression",
            name="x",
            expected=f"a number from {points[0]!r} to {points[-1]!r}",
            advice="correct the row, or set out_of_bounds='clip'",
        )
    height = build.interpolate(value, x=points, y=heights)
    return build.where(inside, height, float("nan")) if step.out_of_bounds == "nan" else height


@estimator(_ISOTONIC, options=_ISOTONIC_OPTIONS)
def isotonic(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The fitted line at the only column."""
    (value,) = split_columns(values, build)
    return Outputs([isotonic_value(step, value, build)])


@transformer(_ISOTONIC, options=_ISOTONIC_OPTIONS)
def isotonic_column(step: Any, columns: Columns, build: Builder) -> Columns:
    """The fitted line at the only column."""
    return {name: isotonic_value(step, value, build) for name, value in columns.items()}


@estimator("sklearn.dummy.DummyRegressor", options="strategy constant quantile")
def dummy_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The fitted constant of each target."""
    return Outputs([build.value(float(number)) for number in np.ravel(step.constant_)])


@estimator("sklearn.dummy.DummyClassifier", options="strategy random_state constant")
def dummy_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """One class for every row, with the fitted shares or a probability of 1."""
    if step.strategy in ("stratified", "uniform"):
        raise RefusedStepError(
            f"DummyClassifier: found strategy={step.strategy!r}, which draws a class at random for each row, expected "
            "prior, most_frequent or constant; choose one of these"
        )
    if step.n_outputs_ != 1 or step.sparse_output_:
        raise NoPlanError(f"DummyClassifier: found {step.n_outputs_} targets, expected one; fit one for each target")
    classes, prior = class_labels(step.classes_), np.ravel(step.class_prior_)
    index = classes.index(np.ravel(step.constant)[0]) if step.strategy == "constant" else int(np.argmax(prior))
    shares = prior if step.strategy == "prior" else np.eye(len(classes))[index]
    probability = [build.value(float(share)) for share in shares]
    return Outputs([build.value(classes[index])], probability, classes=classes)


_FIXED = "sklearn.model_selection._classification_threshold."


@estimator(f"{_FIXED}FixedThresholdClassifier", options="estimator threshold pos_label response_method")
def fixed_threshold(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The positive label where its response is at least the threshold, else the other."""
    inner = getattr(step, "estimator_", step.estimator)
    return _thresholded(step, inner, step.pos_label, step.threshold, values, build)


@estimator(
    f"{_FIXED}TunedThresholdClassifierCV",
    options="estimator scoring response_method thresholds cv refit n_jobs random_state store_cv_results",
)
def tuned_threshold(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The same with the tuned threshold."""
    positive = step._curve_scorer._get_pos_label()
    return _thresholded(step, step.estimator_, positive, step.best_threshold_, values, build)


def _thresholded(
    step: Any, inner: Any, positive: Any, threshold: Any, values: Sequence[Value], build: Builder
) -> Outputs:
    outputs, classes = predict(inner, values, build), class_labels(step.classes_)
    index = 1 if positive is None else classes.index(positive)
    by_probability = step.response_method != "decision_function" and len(outputs.probability) > 0
    if not by_probability and step.response_method == "predict_proba":
        raise option_error(step, "response_method", "a response that the classifier has")
    if by_probability:
        score = outputs.probability[index]
    else:
        score = outputs.decision[0] if index == 1 else -outputs.decision[0]
    if isinstance(threshold, str):
        threshold = 0.5 if by_probability else 0.0
    above = build.integer(score >= float(threshold))
    chosen = label_at(build, above, [classes[1 - index], classes[index]])
    return Outputs([chosen], outputs.probability, outputs.decision, classes)
