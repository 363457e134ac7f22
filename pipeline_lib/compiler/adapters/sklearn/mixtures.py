"""GaussianMixture and BayesianGaussianMixture.

A score for each component: its log weight plus the log density of a normal distribution. The largest decides. Source:
sklearn/mixture/_gaussian_mixture.py, `_estimate_log_gaussian_prob`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import float64_of, maximum
from pipeline_lib.compiler.adapters.registry import Outputs, estimator
from pipeline_lib.compiler.builder import Builder, Value

_FITTING = "tol reg_covar max_iter n_init init_params random_state warm_start verbose verbose_interval"


@estimator(
    "sklearn.mixture._gaussian_mixture.GaussianMixture",
    options=f"n_components covariance_type weights_init means_init precisions_init {_FITTING}",
)
def gaussian(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The component of the largest log weight plus log density, and each component's probability."""
    with np.errstate(divide="ignore"):
        logs = np.log(float64_of(step, "weights_"))
    return _outputs([score + log for score, log in zip(_densities(step, values, build), logs.tolist(), strict=True)])


@estimator(
    "sklearn.mixture._bayesian_mixture.BayesianGaussianMixture",
    options="n_components covariance_type weight_concentration_prior_type weight_concentration_prior "
    f"mean_precision_prior mean_prior degrees_of_freedom_prior covariance_prior {_FITTING}",
)
def bayesian(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """As `gaussian`, with the expected logs of weights and of precisions (`_estimate_log_prob`)."""
    from sklearn.mixture._bayesian_mixture import digamma

    freedom, columns = float64_of(step, "degrees_of_freedom_"), float64_of(step, "means_").shape[1]
    spread = columns * np.log(2.0) + np.sum(digamma(0.5 * (freedom - np.arange(columns)[:, None])), 0)
    shift = 0.5 * (spread - columns / float64_of(step, "mean_precision_"))
    norm, logs = 0.5 * columns * np.log(freedom), step._estimate_log_weights()
    scores = _densities(step, values, build)
    constants = [np.broadcast_to(part, (len(scores),)).tolist() for part in (norm, shift, logs)]
    return _outputs(
        [score - first + second + log for score, first, second, log in zip(scores, *constants, strict=True)]
    )


def _outputs(scores: Sequence[Value]) -> Outputs:
    """The index of the largest score; exp of each score less the log of the sum of their exps."""
    build = scores[0].build
    most = maximum(build, scores)
    total = build.log(build.sum([build.exp(score - most) for score in scores])) + most
    total = build.allow_ulps(total, 4.0, abs(most) + 4.0)  # `_logsumexp` uses log1p
    return Outputs([build.argmax(build.stack(scores))], [build.exp(score - total) for score in scores])


def _densities(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The log density of each component."""
    from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky

    vector, means = vector_input(step, values, build), float64_of(step, "means_")
    roots, columns = float64_of(step, "precisions_cholesky_"), means.shape[1]
    dets = np.broadcast_to(_compute_log_det_cholesky(roots, step.covariance_type, columns), len(means)).tolist()
    start = columns * math.log(2 * math.pi)
    expanded = step.covariance_type in ("diag", "spherical")
    return [
        -0.5 * (start + _length(vector, mean, _root(step, roots, index), build, expanded=expanded)) + dets[index]
        for index, mean in enumerate(means)
    ]


def _root(step: Any, roots: Any, component: int) -> Any:
    """The Cholesky root of a component's precision, a matrix."""
    if step.covariance_type == "tied":
        return roots
    if step.covariance_type == "spherical":
        return np.eye(step.means_.shape[1]) * roots[component]
    return roots[component] if step.covariance_type == "full" else np.diag(roots[component])


def _length(vector: Value, mean: Any, root: Any, build: Builder, *, expanded: bool) -> Value:
    """The squared length of `(x - mean) root`.

    The library computes `x root - mean root`, whose terms may cancel, or, `expanded`, the squares
    `x*x - 2*x*mean + mean*mean` times the precision.
    """
    centred = build.affine(vector, matrix=np.eye(len(mean)), offset=-mean)
    turned = build.affine(centred, matrix=root.T, offset=None)
    squared = build.sum_of_squares(turned)
    if not build.checking:
        return squared
    ulps, steep = 4.0 * (len(mean) + 4), np.abs(root)
    sizes = build.affine(build.vector_function(vector, kind="absolute"), matrix=steep.T, offset=np.abs(mean) @ steep)
    if expanded:
        return build.allow_ulps(squared, ulps, build.sum_of_squares(sizes))
    terms = build.vector_pair(build.vector_function(turned, kind="absolute"), sizes, kind="multiply")
    total = build.items(build.affine(terms, matrix=np.ones((1, len(mean))), offset=None))[0]
    squared = build.allow_ulps(squared, 2.0 * ulps, total)
    return build.allow_ulps(squared, ulps * ulps * np.finfo(np.float64).eps, build.sum_of_squares(sizes))
