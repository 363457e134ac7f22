"""Kernels of stored points as `sklearn.metrics.pairwise.pairwise_kernels` has them, and what is made of them.

KernelPCA, Nystroem, KernelCenterer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_condition, column_names, dense_inputs, sparse_input
from pipeline_lib.compiler.adapters.outputs import affine, float64_of
from pipeline_lib.compiler.adapters.registry import Columns, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_NAMES = ("additive_chi2", "chi2", "cosine", "laplacian", "linear", "poly", "polynomial", "rbf", "sigmoid")


def pairwise_kernels(
    step: Any, values: Sequence[Value], build: Builder, points: Any, name: Any, parameters: Mapping[str, Any]
) -> Value:
    """The kernel values of the inputs with each of the points: a vector.

    `parameters` are gamma, degree and coef0, by default the library's.
    """
    if callable(name) or name not in _NAMES:
        raise option_error(step, "kernel", f"one of {', '.join(_NAMES)}")
    default = 1.0 if name == "chi2" else 1.0 / points.shape[1]
    gamma = default if parameters.get("gamma") is None else float(parameters["gamma"])
    if any(value.dtype == "bag" for value in values):
        return _of_sparse(step, sparse_input(step, values, build), build, points, name, parameters, gamma)
    vector = build.stack(dense_inputs(step, values, build))
    if name in ("linear", "rbf"):
        return _kernel(vector, build, points, name, gamma)
    if name == "laplacian":
        apart = build.point_distances(vector, points=points, metric="manhattan", expanded=False)
        return _exp(build.vector_scale(apart, factor=-gamma, offset=0.0), build)
    if "chi2" in name:
        return _chi_squared(step, vector, build, points, name, gamma)
    return _of_products(step, _products(vector, build, points, name), build, name, parameters, gamma)


def _kernel(vector: Value, build: Builder, points: Any, name: Any, gamma: float) -> Value:
    return build.kernel(vector, points=points, kernel=name, gamma=gamma, coef0=0.0, degree=1, expanded=True)


def _exp(vector: Value, build: Builder) -> Value:
    return build.vector_function(vector, kind="exp")


def _products(vector: Value, build: Builder, points: Any, name: str) -> Value:
    """The products with each point; for `cosine` of both divided by their lengths."""
    if name != "cosine":
        return _kernel(vector, build, points, "linear", 1.0)
    return _kernel(_by_length(vector, build.sum_of_squares(vector), build), build, _of_length_1(points), "linear", 1.0)


def _of_length_1(points: Any) -> Any:
    lengths = np.sqrt((points * points).sum(axis=1))
    return points / np.where(lengths == 0, 1.0, lengths)[:, None]


def _by_length(vector: Value, squared: Value, build: Builder) -> Value:
    length = build.sqrt(squared)
    return build.vector_number(vector, build.where(length.equals(0.0), 1.0, length), kind="divide")


def _of_products(
    step: Any, products: Value, build: Builder, name: str, parameters: Mapping[str, Any], gamma: float
) -> Value:
    """A kernel that is a function of the products with the points."""
    if name in ("linear", "cosine"):
        return products
    coef0 = 1.0 if parameters.get("coef0") is None else float(parameters["coef0"])
    scaled = build.vector_scale(products, factor=gamma, offset=coef0)
    if name == "sigmoid":
        return build.activation(scaled, kind="tanh")
    degree = 3 if parameters.get("degree") is None else float(parameters["degree"])
    return build.vector_power(scaled, exponent=float(degree))


def _of_sparse(
    step: Any, bag: Value, build: Builder, points: Any, name: str, parameters: Mapping[str, Any], gamma: float
) -> Value:
    """The same of a sparse column, which stays sparse; squared distances are `x*x - 2*x*p + p*p`."""
    if name == "rbf":
        parts = affine([bag], -2.0 * points, (points * points).sum(axis=1), build)
        squared = build.vector_number(parts, build.sparse_sum_of_squares(bag), kind="add")
        return _exp(build.vector_scale(build.activation(squared, kind="relu"), factor=-gamma, offset=0.0), build)
    if name in ("laplacian", "chi2", "additive_chi2"):
        raise option_error(step, "kernel", "a kernel of products or rbf for sparse columns")
    products = affine([bag], _of_length_1(points) if name == "cosine" else points, None, build)
    if name == "cosine":
        products = _by_length(products, build.sparse_sum_of_squares(bag), build)
    return _of_products(step, products, build, name, parameters, gamma)


def _chi_squared(step: Any, vector: Value, build: Builder, points: Any, name: str, gamma: float) -> Value:
    """Minus the sum of `(x - p)**2 / (x + p)`, or exp of gamma times it; numbers below 0 are refused."""
    names = column_names(step, [vector])
    numbers = [
        check_condition(value, value >= 0.0, column, step, "a number that is not negative")
        for value, column in zip(build.items(vector), names, strict=True)
    ]
    apart = build.point_distances(build.stack(numbers), points=points, metric="chi_squared", expanded=False)
    if name == "additive_chi2":
        return build.vector_scale(apart, factor=-1.0, offset=0.0)
    return _exp(build.vector_scale(apart, factor=-gamma, offset=0.0), build)


def _columns(vector: Value, build: Builder) -> Columns:
    return {f"x{index}": value for index, value in enumerate(build.items(vector))}


@transformer(
    "sklearn.decomposition._kernel_pca.KernelPCA",
    options="n_components kernel gamma degree coef0 kernel_params alpha fit_inverse_transform eigen_solver tol "
    "max_iter iterated_power remove_zero_eig random_state copy_X n_jobs",
)
def kernel_pca(step: Any, columns: Columns, build: Builder) -> Columns:
    """The centred kernels of the training rows, weighted by the eigenvectors."""
    values = list(columns.values())
    if isinstance(step.kernel, str) and step.kernel == "precomputed":
        return projected_kernels(step, build.stack(dense_inputs(step, values, build)), build)
    parameters = {"gamma": step.gamma_, "degree": step.degree, "coef0": step.coef0}
    kernels = pairwise_kernels(step, values, build, float64_of(step, "X_fit_"), step.kernel, parameters)
    return projected_kernels(step, kernels, build)


def projected_kernels(step: Any, kernels: Value, build: Builder) -> Columns:
    """Kernel values of the training rows, projected by a fitted KernelPCA."""
    weights = float64_of(step, "eigenvectors_")
    used = np.flatnonzero(step.eigenvalues_)
    scaled = np.zeros_like(weights)
    scaled[:, used] = weights[:, used] / np.sqrt(np.asarray(step.eigenvalues_)[used])
    centre = step._centerer
    return _columns(_centred_sums(kernels, scaled, centre.K_fit_rows_, float(centre.K_fit_all_), build), build)


def _centred_sums(kernels: Value, weights: Any, means: Any, mean: float, build: Builder) -> Value:
    """`(k - means - mean(k) + mean) weights`, with the means taken into the weights and an offset.

    sum of (k_j - means_j - mean(k) + mean) w_j  =  sum of k_j (w_j - mean(w))  +  sum of (mean - means_j) w_j
    """
    apart = weights - weights.mean(axis=0)
    result = build.affine(kernels, matrix=apart.T, offset=(mean - means) @ weights)
    if not build.checking:
        return result
    sizes = np.abs(weights) + np.abs(weights).mean(axis=0)
    scale = build.affine(
        build.vector_function(kernels, kind="absolute"),
        matrix=sizes.T,
        offset=(np.abs(means) + abs(mean)) @ np.abs(weights),
    )
    pairs = zip(build.items(result), build.items(scale), strict=True)
    return build.stack([build.allow_ulps(value, 2.0 * (len(weights) + 8), size) for value, size in pairs])


@transformer("sklearn.preprocessing._data.KernelCenterer", options="")
def kernel_centerer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each kernel value, less its column's mean and the row's mean, plus the mean of all."""
    values = dense_inputs(step, list(columns.values()), build)
    mean = build.sum(values) / float(len(values))
    rows = float64_of(step, "K_fit_rows_").tolist()
    result: Columns = {}
    for name, value, row in zip(columns, values, rows, strict=True):
        centred = value - row - mean + float(step.K_fit_all_)
        if build.checking:
            scale = abs(value) + abs(mean) + (abs(row) + abs(float(step.K_fit_all_)))
            centred = build.allow_ulps(centred, 4.0, scale)
        result[name] = centred
    return result


@transformer(
    "sklearn.kernel_approximation.Nystroem",
    options="kernel gamma coef0 degree kernel_params n_components random_state n_jobs",
)
def nystroem(step: Any, columns: Columns, build: Builder) -> Columns:
    """The kernels of some training rows, times the root of the inverse of their own kernel matrix."""
    own = {name: getattr(step, name) for name in ("gamma", "coef0", "degree")}
    parameters = (step.kernel_params or {}) | {name: value for name, value in own.items() if value is not None}
    points = float64_of(step, "components_")
    kernels = pairwise_kernels(step, list(columns.values()), build, points, step.kernel, parameters)
    return _columns(build.affine(kernels, matrix=float64_of(step, "normalization_"), offset=None), build)
