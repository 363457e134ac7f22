"""SVR, NuSVR, SVC, NuSVC, OneClassSVM (libsvm), and KernelRidge."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import (
    class_labels,
    class_pairs,
    class_prediction,
    float64_of,
    label_at,
    sums_of_pairs,
    votes_and_confidences,
)
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs, estimator, option_error
from pipeline_lib.compiler.adapters.sklearn.kernels import pairwise_kernels
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (
    "C nu epsilon kernel degree gamma coef0 shrinking probability tol cache_size class_weight verbose max_iter "
    "decision_function_shape break_ties random_state"
)
_KERNELS = ("linear", "poly", "rbf", "sigmoid")


def kernel_values(step: Any, values: Sequence[Value], build: Builder, points: Any, *, gamma: float) -> Value:
    """Kernel values between the input row and each of the points."""
    if step.kernel not in _KERNELS:
        raise option_error(step, "kernel", "linear, poly, rbf or sigmoid")
    if step.kernel == "poly" and step.degree != int(step.degree):
        raise option_error(step, "degree", "a whole number")
    return build.kernel(
        vector_input(step, values, build),
        points=points,
        kernel=step.kernel,
        gamma=float(gamma),
        coef0=float(step.coef0),
        degree=int(step.degree),
        expanded=type(step).__name__ == "KernelRidge",
    )


def _decisions(step: Any, values: Sequence[Value], build: Builder, matrix: Any, starts: Any) -> Value:
    kernels = kernel_values(step, values, build, float64_of(step, "support_vectors_"), gamma=step._gamma)
    return build.affine(kernels, matrix=np.atleast_2d(matrix), offset=np.ravel(starts))


@estimator("sklearn.svm._classes.SVR", "sklearn.svm._classes.NuSVR", options=_OPTIONS)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The kernel values of the support vectors, weighted, plus the intercept."""
    return Outputs(
        build.items(_decisions(step, values, build, float64_of(step, "dual_coef_"), float64_of(step, "intercept_")))
    )


@estimator("sklearn.svm._classes.OneClassSVM", options=_OPTIONS)
def one_class(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """1 where the decision is above 0, else -1 (`svm_predict_values` of libsvm)."""
    decision = build.items(
        _decisions(step, values, build, float64_of(step, "dual_coef_"), float64_of(step, "intercept_"))
    )[0]
    return Outputs([build.where(decision > 0.0, 1, -1)], decision=[decision])


@estimator("sklearn.svm._classes.SVC", "sklearn.svm._classes.NuSVC", options=_OPTIONS)
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """One decision, and so one vote, for each pair of classes; the first class with most votes (libsvm's svm.cpp)."""
    classes = class_labels(step.classes_)
    if len(classes) == 2:
        return _binary(step, values, build, classes)
    vector = _decisions(step, values, build, _pair_weights(step, len(classes)), float64_of(step, "_intercept_"))
    pairs = build.items(vector)
    votes = sums_of_pairs([_vote(build, pair > 0.0) for pair in pairs], len(classes))
    shaped = _one_against_rest(build, pairs, len(classes))
    chosen = class_prediction(build, shaped if step.break_ties else votes, classes)
    decision = pairs if step.decision_function_shape == "ovo" else shaped
    return Outputs([chosen], _probability(step, vector, build), decision, classes)


def _binary(step: Any, values: Sequence[Value], build: Builder, classes: list[Any]) -> Outputs:
    """scikit-learn negates libsvm's decision, for which only numbers above 0 are the first class."""
    vector = _decisions(step, values, build, float64_of(step, "dual_coef_"), float64_of(step, "intercept_"))
    decision = build.items(vector)[0]
    chosen = label_at(build, build.integer(~(decision < 0.0)), classes)
    return Outputs([chosen], _probability(step, build.stack([-decision]), build), [decision], classes)


def _pair_weights(step: Any, classes: int) -> Any:
    """One row of weights for each pair of classes: weights of the first's support vectors, then of the second's."""
    coefficients, ends = float64_of(step, "_dual_coef_"), np.cumsum([0, *step.n_support_])
    rows = []
    for i, j in class_pairs(classes):
        row = np.zeros(coefficients.shape[1])
        row[ends[i] : ends[i + 1]] = coefficients[j - 1, ends[i] : ends[i + 1]]
        row[ends[j] : ends[j + 1]] = coefficients[i, ends[j] : ends[j + 1]]
        rows.append(row)
    return np.array(rows)


def _vote(build: Builder, first: Value) -> tuple[Value, Value]:
    """1 for the winning class of a pair, 0 for the other."""
    return build.number(first), build.number(~first)


def _one_against_rest(build: Builder, pairs: Sequence[Value], classes: int) -> list[Value]:
    """One decision for each class, from the decisions of the pairs."""
    votes = [_vote(build, ~(pair < 0.0)) for pair in pairs]
    return votes_and_confidences(votes, [(pair, -pair) for pair in pairs], classes)


def _probability(step: Any, vector: Value, build: Builder) -> list[Value]:
    """Platt's sigmoid of each pair's decision, coupled to one probability per class."""
    if not hasattr(step, "predict_proba") or step._probA.size == 0:
        return []
    slopes, offsets = float64_of(step, "_probA"), float64_of(step, "_probB")
    if len(slopes) != vector.width:
        raise NoPlanError(
            f"{type(step).__name__}: found {len(slopes)} sigmoids for {vector.width} pairs, expected one each"
        )
    coupled = build.pairwise_probabilities(vector, slopes=slopes, offsets=offsets, classes=len(step.classes_))
    return build.items(coupled)


@estimator("sklearn.kernel_ridge.KernelRidge", options="alpha kernel gamma degree coef0 kernel_params")
def kernel_ridge(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The kernel values of the training rows, weighted (`sklearn.metrics.pairwise.pairwise_kernels`)."""
    points = float64_of(step, "X_fit_")
    if callable(step.kernel):
        raise NoPlanError(
            f"KernelRidge: found kernel={step.kernel!r}, expected the name of a kernel; a function of one's own is "
            "code, which a plan cannot hold"
        )
    if step.kernel in _KERNELS and step.degree == int(step.degree):
        gamma = 1.0 / points.shape[1] if step.gamma is None else step.gamma
        kernels = kernel_values(step, values, build, points, gamma=gamma)
    else:
        parameters = {name: getattr(step, name) for name in ("gamma", "degree", "coef0")}
        kernels = pairwise_kernels(step, values, build, points, step.kernel, parameters)
    weights = np.atleast_2d(float64_of(step, "dual_coef_").T)
    return Outputs(build.items(build.affine(kernels, matrix=weights, offset=None)))
