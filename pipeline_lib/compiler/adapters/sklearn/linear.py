"""Linear models: the regressors and classifiers of sklearn.linear_model, LinearSVR, LinearSVC, partial least squares.

Each is a sum of inputs times weights, through a link or a choice of the largest.
"""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiler.adapters.inputs import dense_inputs
from pipeline_lib.compiler.adapters.outputs import (
    binary_prediction,
    class_prediction,
    expit,
    float64_of,
    softmax,
    weighted_sums,
)
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, Outputs, estimator, predict, transformer
from pipeline_lib.compiler.builder import Builder, Value

# Options that matter in fit alone, and `link`, `power` and `loss`, which the adapters below read from the step.
_FIT = (
    "C Cs alpha alpha_1 alpha_2 alpha_init alpha_per_target alphas average class_weight compute_score copy copy_X cv "
    "dual early_stopping eps epsilon eta0 fit_intercept fit_path gcv_mode intercept_scaling jitter l1_ratio l1_ratios "
    "lambda_1 lambda_2 lambda_init learning_rate link loss max_iter max_n_alphas max_subpopulation multi_class "
    "n_iter_no_change n_jobs n_nonzero_coefs n_subsamples noise_variance nu penalty positive power power_t precompute "
    "quantile random_state refit scoring selection shuffle solver solver_options store_cv_results threshold_lambda tol "
    "use_legacy_attributes validation_fraction verbose warm_start criterion"
)
_LINEAR = "sklearn.linear_model."


@estimator(
    *(f"{_LINEAR}_base.{name}" for name in ("LinearRegression",)),
    *(f"{_LINEAR}_ridge.{name}" for name in ("Ridge", "RidgeCV")),
    *(
        f"{_LINEAR}_coordinate_descent.{multi}{name}{cv}"
        for multi in ("", "MultiTask")
        for name in ("Lasso", "ElasticNet")
        for cv in ("", "CV")
    ),
    *(f"{_LINEAR}_least_angle.{name}" for name in ("Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC")),
    *(f"{_LINEAR}_omp.OrthogonalMatchingPursuit{cv}" for cv in ("", "CV")),
    *(f"{_LINEAR}_bayes.{name}" for name in ("BayesianRidge", "ARDRegression")),
    f"{_LINEAR}_huber.HuberRegressor",
    f"{_LINEAR}_theil_sen.TheilSenRegressor",
    f"{_LINEAR}_quantile.QuantileRegressor",
    f"{_LINEAR}_stochastic_gradient.SGDRegressor",
    f"{_LINEAR}_passive_aggressive.PassiveAggressiveRegressor",
    "sklearn.svm._classes.LinearSVR",
    options=_FIT,
)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Weights times inputs, left to right, plus the intercept, for each target."""
    return Outputs(weighted_sums(step, values, build, float64_of(step, "coef_"), float64_of(step, "intercept_")))


@estimator(
    *(f"{_LINEAR}_glm.glm.{name}Regressor" for name in ("Poisson", "Gamma", "Tweedie")),
    options=_FIT,
)
def generalized(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The linear predictor through the inverse of its link: exp, or itself (`TweedieRegressor._get_loss`)."""
    sums = weighted_sums(step, values, build, float64_of(step, "coef_"), float64_of(step, "intercept_"))
    link = getattr(step, "link", "log")
    if link == "auto":
        link = "identity" if step.power <= 0 else "log"
    return Outputs(sums if link == "identity" else [build.exp(value) for value in sums])


_PARTIAL = tuple(f"sklearn.cross_decomposition._pls.{name}" for name in ("PLSRegression", "PLSCanonical", "CCA"))
_PARTIAL_OPTIONS = "n_components scale algorithm max_iter tol copy"


@estimator(*_PARTIAL, options=_PARTIAL_OPTIONS)
def partial_least_squares(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Weights times centred inputs, plus the intercept (`_PLS.predict`)."""
    centred = [
        value - float(mean)
        for value, mean in zip(dense_inputs(step, values, build), float64_of(step, "_x_mean"), strict=True)
    ]
    return Outputs(weighted_sums(step, centred, build, float64_of(step, "coef_"), float64_of(step, "intercept_")))


@transformer(*_PARTIAL, options=_PARTIAL_OPTIONS)
@transformer("sklearn.cross_decomposition._pls.PLSSVD", options="n_components scale copy")
def partial_scores(step: Any, columns: Columns, build: Builder) -> Columns:
    """Standardised inputs times the rotations, for PLSSVD times the weights (`transform`)."""
    parts = zip(
        dense_inputs(step, list(columns.values()), build),
        float64_of(step, "_x_mean"),
        float64_of(step, "_x_std"),
        strict=True,
    )
    inputs = [(value - float(mean)) / float(spread) for value, mean, spread in parts]
    rotations = float64_of(step, "x_weights_" if type(step).__name__ == "PLSSVD" else "x_rotations_")
    return {f"score{index}": build.dot(inputs, axis) for index, axis in enumerate(rotations.T)}


@estimator(
    f"{_LINEAR}_ransac.RANSACRegressor",
    options="estimator min_samples residual_threshold is_data_valid is_model_valid max_trials max_skips stop_n_inliers "
    "stop_score stop_probability loss random_state",
)
def ransac(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The estimator that was fitted on the inliers."""
    return Outputs(predict(step.estimator_, values, build).prediction)


@estimator(
    *(f"{_LINEAR}_ridge.RidgeClassifier{cv}" for cv in ("", "CV")),
    *(f"{_LINEAR}_logistic.LogisticRegression{cv}" for cv in ("", "CV")),
    f"{_LINEAR}_stochastic_gradient.SGDClassifier",
    f"{_LINEAR}_perceptron.Perceptron",
    f"{_LINEAR}_passive_aggressive.PassiveAggressiveClassifier",
    "sklearn.svm._classes.LinearSVC",
    options=_FIT,
)
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """A score for each class; the largest score decides. Two classes have one score, above 0 for the second."""
    scores = weighted_sums(step, values, build, float64_of(step, "coef_"), float64_of(step, "intercept_"))
    binarizer = getattr(step, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        return Outputs([build.integer(score > 0.0) for score in scores], decision=scores)
    classes = step.classes_
    if len(scores) != (1 if len(classes) == 2 else len(classes)):
        raise NoPlanError(
            f"{type(step).__name__}: found {len(scores)} rows of weights for {len(classes)} classes, expected one for "
            "each class, or one for two; fit again on at least two classes"
        )
    two = len(scores) == 1
    chosen = binary_prediction(build, scores[0], classes) if two else class_prediction(build, scores, classes)
    return Outputs([chosen], _probability(step, scores, build), scores, list(classes))


def _probability(step: Any, scores: list[Value], build: Builder) -> list[Value]:
    if type(step).__name__ == "SGDClassifier":
        if step.loss == "modified_huber":
            return _modified_huber(scores, build)
        return one_against_rest(scores, build) if step.loss == "log_loss" else []
    if type(step).__name__ not in ("LogisticRegression", "LogisticRegressionCV"):
        return []
    return one_against_rest(scores, build) if len(scores) == 1 else softmax(build, scores)


def one_against_rest(scores: Sequence[Value], build: Builder) -> list[Value]:
    """Sigmoids, divided by their sum where there are several (`LinearClassifierMixin._predict_proba_lr`)."""
    return _normalised([expit(build, score) for score in scores], build)


def _modified_huber(scores: list[Value], build: Builder) -> list[Value]:
    """(clip(score, -1, 1) + 1) / 2, as in `SGDClassifier.predict_proba`."""
    clipped = [build.clip(score, -1.0, 1.0) for score in scores]
    return _normalised([(value + 1.0) / 2.0 for value in clipped], build)


def _normalised(shares: list[Value], build: Builder) -> list[Value]:
    """(1 - p, p) of a single share; several are divided by their sum, or equal where all are 0."""
    if len(shares) == 1:
        return [1.0 - shares[0], shares[0]]
    total = build.sum(shares)
    return [build.where(total.equals(0.0), 1.0 / len(shares), share / total) for share in shares]


@estimator(f"{_LINEAR}_stochastic_gradient.SGDOneClassSVM", options=_FIT)
def one_class(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """1 where the weighted sum is at least the offset, else -1."""
    decision = weighted_sums(step, values, build, float64_of(step, "coef_"), -float64_of(step, "offset_"))[0]
    return Outputs([build.where(decision >= 0.0, 1, -1)], decision=[decision])
