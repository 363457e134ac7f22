"""PCA, IncrementalPCA, TruncatedSVD, FastICA, FactorAnalysis, SparsePCA, MiniBatchSparsePCA, LatentDirichletAllocation.

All but the last are affine, and so is NeighborhoodComponentsAnalysis; formulas: sklearn/decomposition. BernoulliRBM
has the sigmoids of weighted sums.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import join_columns, numeric_columns, refuse_sparse
from pipeline_lib.compiler.adapters.outputs import affine, to_float64
from pipeline_lib.compiler.adapters.registry import Columns, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_DECOMPOSITION = "sklearn.decomposition."


def _parts(value: Value, build: Builder) -> Columns:
    return {f"x{index}": part for index, part in enumerate(build.items(value))}


@transformer(
    f"{_DECOMPOSITION}_pca.PCA",
    options="n_components copy whiten svd_solver tol iterated_power n_oversamples power_iteration_normalizer "
    "random_state",
)
@transformer(f"{_DECOMPOSITION}_incremental_pca.IncrementalPCA", options="n_components whiten copy batch_size")
def principal(step: Any, columns: Columns, build: Builder) -> Columns:
    """`components_ x - components_ mean_`, divided by the standard deviations where whitened.

    Source: sklearn/decomposition/_base.py, `_BasePCA._transform`: centred after the projection.
    """
    values = list(numeric_columns(step, columns, build).values())
    components, mean = np.array(step.components_, dtype=np.float64), np.asarray(step.mean_, dtype=np.float64)
    result = _parts(affine(values, components, -_projected(components, mean), build), build)
    sizes = _projected(np.abs(components), np.abs(mean))  # scale of the library's rounding of its centre
    result = {
        name: build.allow_ulps(value, len(mean) + 2, build.value(float(size)))
        for (name, value), size in zip(result.items(), sizes, strict=True)
    }
    if not step.whiten:
        return result
    scale = np.sqrt(np.asarray(step.explained_variance_, dtype=np.float64))
    scale = np.where(scale < np.finfo(np.float64).eps, np.finfo(np.float64).eps, scale)
    return {name: value / float(size) for (name, value), size in zip(result.items(), scale, strict=True)}


def _projected(matrix: Any, vector: Any) -> Any:
    """`matrix @ vector`, added from left to right, so that bits are equal on every machine."""
    total = np.zeros(len(matrix))
    for weights, number in zip(matrix.T, vector, strict=True):
        total += weights * number
    return total


@transformer(
    f"{_DECOMPOSITION}_truncated_svd.TruncatedSVD",
    options="n_components algorithm n_iter n_oversamples power_iteration_normalizer random_state tol",
)
@transformer(
    "sklearn.neighbors._nca.NeighborhoodComponentsAnalysis",
    options="n_components init warm_start max_iter tol callback verbose random_state",
)
def truncated(step: Any, columns: Columns, build: Builder) -> Columns:
    """`components_ x`."""
    values = list(numeric_columns(step, columns, build).values())
    return _parts(affine(values, step.components_, None, build), build)


@transformer(
    "sklearn.neural_network._rbm.BernoulliRBM",
    options="n_components learning_rate batch_size n_iter verbose random_state",
)
def boltzmann(step: Any, columns: Columns, build: Builder) -> Columns:
    """The sigmoids of weighted sums plus intercepts."""
    values = list(numeric_columns(step, columns, build).values())
    offset = to_float64(step.intercept_hidden_)
    sums = affine(values, to_float64(step.components_), offset, build)
    return _parts(build.vector_function(sums, kind="sigmoid"), build)


@transformer(
    f"{_DECOMPOSITION}_fastica.FastICA",
    options="n_components algorithm whiten fun fun_args max_iter tol w_init whiten_solver random_state",
)
def independent(step: Any, columns: Columns, build: Builder) -> Columns:
    """`components_ (x - mean_)`, without a mean where nothing was whitened."""
    refuse_sparse(step, columns)
    values = list(numeric_columns(step, columns, build).values())
    if step.whiten:
        values = [value - float(mean) for value, mean in zip(values, step.mean_, strict=True)]
    return _parts(affine(values, step.components_, None, build), build)


@transformer(
    f"{_DECOMPOSITION}_factor_analysis.FactorAnalysis",
    options="n_components tol copy max_iter noise_variance_init svd_method iterated_power rotation random_state",
)
def factors(step: Any, columns: Columns, build: Builder) -> Columns:
    """The expected latent variables: `inverse(I + W c') W (x - mean_)`, W being components_ / noise_variance_.

    The inverse is computed once, here; the two products stay separate, as in the library.
    """
    components = np.asarray(step.components_, dtype=np.float64)
    weights = components / step.noise_variance_
    return _through(step, columns, weights, np.eye(len(components)) + weights @ components.T, build)


@transformer(
    f"{_DECOMPOSITION}_sparse_pca.SparsePCA",
    options="n_components alpha ridge_alpha max_iter tol method n_jobs U_init V_init verbose random_state",
)
@transformer(
    f"{_DECOMPOSITION}_sparse_pca.MiniBatchSparsePCA",
    options="n_components alpha ridge_alpha max_iter callback batch_size verbose shuffle n_jobs method random_state "
    "tol max_no_improvement",
)
def sparse_principal(step: Any, columns: Columns, build: Builder) -> Columns:
    """Ridge regression on the components: `inverse(c c' + ridge_alpha I) c (x - mean_)`.

    Source: sklearn/linear_model/_ridge.py, `_solve_cholesky`.
    """
    components = np.asarray(step.components_, dtype=np.float64)
    if len(components) > components.shape[1]:
        raise option_error(step, "n_components", "no more components than columns")
    return _through(
        step, columns, components, components @ components.T + step.ridge_alpha * np.eye(len(components)), build
    )


def _through(step: Any, columns: Columns, weights: Any, inverted: Any, build: Builder) -> Columns:
    """`inverse(inverted) weights (x - mean_)`.

    The library inverts or solves at each call: the error bound grows with the condition number of the matrix.
    """
    refuse_sparse(step, columns)
    numbers = numeric_columns(step, columns, build).values()
    values = [value - float(mean) for value, mean in zip(numbers, step.mean_, strict=True)]
    inverse = np.linalg.inv(inverted)
    latent = affine(values, weights, None, build)
    result = build.items(affine([latent], inverse, None, build))
    sizes = build.items(affine([_sizes(latent, build)], np.abs(inverse), None, build))
    ulps = 8 * float(np.linalg.cond(inverted)) * len(inverted)
    return {
        f"x{index}": build.allow_ulps(part, ulps, size)
        for index, (part, size) in enumerate(zip(result, sizes, strict=True))
    }


def _sizes(vector: Value, build: Builder) -> Value:
    return build.stack([abs(part) for part in build.items(vector)])


@transformer(
    f"{_DECOMPOSITION}_lda.LatentDirichletAllocation",
    options="n_components doc_topic_prior topic_word_prior learning_method learning_decay learning_offset max_iter "
    "batch_size evaluate_every total_samples perp_tol mean_change_tol max_doc_update_iter n_jobs verbose random_state",
)
def topics(step: Any, columns: Columns, build: Builder) -> Columns:
    """The shares of the topics; numbers below 0 are refused."""
    counts = join_columns(list(numeric_columns(step, columns, build).values()), build)
    shares = build.document_topics(
        counts,
        words=to_float64(step.exp_dirichlet_component_),
        prior=float(step.doc_topic_prior_),
        iterations=int(step.max_doc_update_iter),
        tolerance=float(step.mean_change_tol),
        where=type(step).__name__,
    )
    return _parts(shares, build)
