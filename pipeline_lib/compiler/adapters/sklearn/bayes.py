"""The naive Bayes classifiers (Gaussian, Multinomial, Complement, Bernoulli, Categorical), discriminant analysis.

LinearDiscriminantAnalysis is an estimator and a transformer, QuadraticDiscriminantAnalysis an estimator.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs
from pipeline_lib.compiler.adapters.outputs import (
    binary_prediction,
    class_labels,
    class_prediction,
    expit,
    float64_of,
    log_softmax,
    maximum,
    softmax,
    to_float64,
    weighted_sums,
)
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, Outputs, estimator, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_DISCRETE = "alpha force_alpha fit_prior class_prior norm binarize min_categories"


def _posterior(step: Any, scores: list[Value], build: Builder) -> Outputs:
    """The class of the largest joint log likelihood; probabilities are exp(likelihood - log of the sum of exps)."""
    classes = class_labels(step.classes_)
    most = maximum(build, scores)
    total = build.log(build.sum([build.exp(score - most) for score in scores])) + most
    total = build.allow_ulps(total, 4.0, abs(most) + 4.0)  # `_logsumexp` uses log1p
    probability = [build.exp(score - total) for score in scores]
    return Outputs([class_prediction(build, scores, classes)], probability, classes=classes)


@estimator("sklearn.naive_bayes.GaussianNB", options="priors var_smoothing")
def gaussian(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Log densities of normal distributions, added over the columns (`GaussianNB._joint_log_likelihood`)."""
    inputs = dense_inputs(step, values, build)
    means, variances, priors = (
        float64_of(step, "theta_"),
        float64_of(step, "var_"),
        float64_of(step, "class_prior_"),
    )
    if not (variances > 0).all():
        raise NoPlanError("GaussianNB: found a variance of 0, expected positive ones; set var_smoothing above 0")
    scores = []
    with np.errstate(divide="ignore"):
        logs = np.log(priors)
    for mean, variance, log in zip(means, variances, logs, strict=True):
        apart = [value - float(centre) for value, centre in zip(inputs, mean, strict=True)]
        parts = [gap * gap / float(spread) for gap, spread in zip(apart, variance, strict=True)]
        density = -0.5 * float(np.sum(np.log(2.0 * np.pi * variance)))
        scores.append(float(log) + (density - 0.5 * build.sum(parts)))
    return _posterior(step, scores, build)


@estimator("sklearn.naive_bayes.MultinomialNB", "sklearn.naive_bayes.ComplementNB", options=_DISCRETE)
def counts(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Inputs times log probabilities, plus the log prior (ComplementNB: for a single class only)."""
    weights = float64_of(step, "feature_log_prob_")
    with_prior = type(step).__name__ == "MultinomialNB" or len(step.classes_) == 1
    starts = float64_of(step, "class_log_prior_") if with_prior else None
    return _posterior(step, weighted_sums(step, values, build, weights, starts), build)


@estimator("sklearn.naive_bayes.BernoulliNB", options=_DISCRETE)
def bernoulli(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Log odds of the inputs that are 1, plus the log probability that none is (`_joint_log_likelihood`)."""
    present = float64_of(step, "feature_log_prob_")
    with np.errstate(divide="ignore"):
        absent = np.log(1 - np.exp(present))
    if step.binarize is not None:
        values = [_above(build, value, float(step.binarize)) for value in _numbers(step, values, build)]
    return _posterior(
        step,
        weighted_sums(step, values, build, present - absent, float64_of(step, "class_log_prior_") + absent.sum(axis=1)),
        build,
    )


def _numbers(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    return list(values) if any(value.dtype == "bag" for value in values) else dense_inputs(step, values, build)


def _above(build: Builder, value: Value, threshold: float) -> Value:
    """1 where a number is above the threshold, else 0."""
    if value.dtype == "bag":
        return build.sparse_above(value, threshold=threshold)
    return build.number(build.number(value) > threshold)


@estimator("sklearn.naive_bayes.CategoricalNB", options=_DISCRETE)
def categorical(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Log probabilities of each column's category, added over the columns, plus the log prior."""
    inputs = [
        value if value.dtype == "int64" else build.truncate_int(build.number(value))
        for value in dense_inputs(step, values, build)
    ]
    names = [str(name) for name in getattr(step, "feature_names_in_", [f"x{i}" for i in range(len(inputs))])]
    scores = []
    for index, prior in enumerate(float64_of(step, "class_log_prior_")):
        terms = []
        for value, table, name in zip(inputs, step.feature_log_prob_, names, strict=True):
            known = dict(enumerate(to_float64(table)[index]))
            terms.append(build.lookup(value, known, "float64", mode="refuse", name=name, where="CategoricalNB"))
        scores.append(build.sum(terms) + float(prior))
    return _posterior(step, scores, build)


_LINEAR_DISCRIMINANT = "solver shrinkage priors n_components store_covariance tol covariance_estimator"


@estimator("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", options=_LINEAR_DISCRIMINANT)
def linear_discriminant(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Weighted sums; their sigmoid for two classes, softmax for more."""
    scores = weighted_sums(step, values, build, float64_of(step, "coef_"), float64_of(step, "intercept_"))
    classes = class_labels(step.classes_)
    if len(classes) == 2:
        share = expit(build, scores[0])
        return Outputs([binary_prediction(build, scores[0], classes)], [1.0 - share, share], scores, classes)
    return Outputs([class_prediction(build, scores, classes)], softmax(build, scores), scores, classes)


@transformer("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", options=_LINEAR_DISCRIMINANT)
def discriminant_axes(step: Any, columns: Columns, build: Builder) -> Columns:
    """Inputs times the discriminant directions; the solver `svd` centres inputs before."""
    if step.solver == "lsqr":
        raise option_error(step, "solver", "svd or eigen, which compute directions")
    inputs = dense_inputs(step, list(columns.values()), build)
    if step.solver == "svd":
        inputs = [value - float(mean) for value, mean in zip(inputs, float64_of(step, "xbar_"), strict=True)]
    axes = float64_of(step, "scalings_")[:, : step._max_components]
    return {f"axis{index}": build.dot(inputs, axis) for index, axis in enumerate(axes.T)}


@estimator(
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
    options="solver shrinkage priors reg_param store_covariance tol covariance_estimator",
)
def quadratic_discriminant(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Log posteriors of normal distributions, one covariance per class (`_decision_function`)."""
    inputs = dense_inputs(step, values, build)
    classes, scores = class_labels(step.classes_), []
    for index, prior in enumerate(float64_of(step, "priors_")):
        scaling = to_float64(step.scalings_[index])
        turned = to_float64(step.rotations_[index]) * scaling ** (-0.5)
        means = to_float64(step.means_[index])
        centred = build.stack([value - float(mean) for value, mean in zip(inputs, means, strict=True)])
        parts = build.items(build.affine(centred, matrix=turned.T, offset=None))
        norm = build.allow_ulps(build.sum([part * part for part in parts]), 4.0)
        scores.append(-0.5 * (norm + float(np.sum(np.log(scaling)))) + float(np.log(prior)))
    probability = [build.exp(share) for share in log_softmax(build, scores)]
    decision = [scores[1] - scores[0]] if len(classes) == 2 else scores
    return Outputs([class_prediction(build, scores, classes)], probability, decision, classes)
