"""GaussianProcessRegressor and GaussianProcessClassifier with composed kernels.

The prediction is a weighted sum of the kernel of every training row. Source: sklearn/gaussian_process/kernels.py (each
kernel's `__call__` with training rows as Y, `diag`), _gpr.py and _gpc.py (`predict`, `predict_proba`).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import binary_prediction, class_labels, float64_of, to_float64
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, predict, state_error
from pipeline_lib.compiler.adapters.sklearn.kernels import pairwise_kernels
from pipeline_lib.compiler.builder import Builder, Value

_FITTING = "kernel optimizer n_restarts_optimizer copy_X_train random_state"
_CLASSIFYING = f"{_FITTING} max_iter_predict warm_start"


class _Kernels:
    """The kernel values of the inputs of an estimator with its training rows."""

    def __init__(self, step: Any, values: Sequence[Value], build: Builder) -> None:
        self.step, self.build = step, build
        self.vector = vector_input(step, values, build)
        self.points = float64_of(step, "X_train_")
        self._of_kind: dict[str, Callable[[Any], Value | float]] = {
            "Sum": self._sum,
            "Product": self._product,
            "Exponentiation": self._exponentiation,
            "ConstantKernel": lambda kernel: float(kernel.constant_value),
            "WhiteKernel": lambda kernel: 0.0,
            "RBF": self._rbf,
            "Matern": self._matern,
            "RationalQuadratic": self._rational_quadratic,
            "ExpSineSquared": self._exp_sine_squared,
            "DotProduct": self._dot_product,
            "PairwiseKernel": self._pairwise,
        }

    def all(self, kernel: Any) -> Value:
        """The values of a kernel with all training rows: a vector."""
        result = self.of(kernel)
        if isinstance(result, Value):
            return result
        shape = (len(self.points), self.points.shape[1])
        return self.build.affine(self.vector, matrix=np.zeros(shape), offset=np.full(shape[0], result))

    def of(self, kernel: Any) -> Value | float:
        """The values of a kernel: a vector, or a number if all are equal for every row."""
        name = type(kernel).__name__
        known = self._of_kind.get(name) if type(kernel).__module__ == "sklearn.gaussian_process.kernels" else None
        if known is None:
            raise state_error(self.step, f"a kernel {name}", "those of sklearn.gaussian_process.kernels")
        return known(kernel)

    def _sum(self, kernel: Any) -> Value | float:
        left, right = self.of(kernel.k1), self.of(kernel.k2)
        if isinstance(left, Value) and isinstance(right, Value):
            return self.build.vector_pair(left, right, kind="add")
        if isinstance(left, Value):
            return self._scaled(left, 1.0, right)
        return self._scaled(right, 1.0, left) if isinstance(right, Value) else left + right

    def _product(self, kernel: Any) -> Value | float:
        left, right = self.of(kernel.k1), self.of(kernel.k2)
        if isinstance(left, Value) and isinstance(right, Value):
            return self.build.vector_pair(left, right, kind="multiply")
        if isinstance(left, Value):
            return self._scaled(left, right)
        return self._scaled(right, left) if isinstance(right, Value) else left * right

    def _exponentiation(self, kernel: Any) -> Value | float:
        base, exponent = self.of(kernel.kernel), float(kernel.exponent)
        if isinstance(base, Value):
            return self.build.vector_power(base, exponent=exponent)
        return float(base**exponent)

    def _scaled(self, vector: Value, factor: Any, offset: Any = 0.0) -> Value:
        return self.build.vector_scale(vector, factor=float(factor), offset=float(offset))

    def _exp(self, vector: Value) -> Value:
        return self.build.vector_function(vector, kind="exp")

    def _square(self, vector: Value) -> Value:
        return self.build.vector_pair(vector, vector, kind="multiply")

    def _distances(self, length_scale: Any, metric: Any) -> Value:
        """Distances of the columns divided by a length scale, one for all or one for each."""
        build = self.build
        scales = np.broadcast_to(np.asarray(length_scale, dtype=np.float64), (self.points.shape[1],))
        vector = self.vector
        if (scales != 1.0).any():
            pairs = zip(build.items(vector), scales.tolist(), strict=True)
            vector = build.stack([value / scale for value, scale in pairs])
        return build.point_distances(vector, points=self.points / scales, metric=metric, expanded=False)

    def _rbf(self, kernel: Any) -> Value:
        return self._exp(self._scaled(self._distances(kernel.length_scale, "squared"), -0.5))

    def _matern(self, kernel: Any) -> Value:
        distances = self._distances(kernel.length_scale, "euclidean")
        if kernel.nu == 0.5:
            return self._exp(self._scaled(distances, -1.0))
        if kernel.nu == math.inf:
            return self._exp(self._scaled(self._square(distances), -0.5))
        if kernel.nu not in (1.5, 2.5):
            raise state_error(self.step, f"Matern with nu={kernel.nu!r}", "nu of 0.5, 1.5, 2.5 or inf")
        scaled = self._scaled(distances, math.sqrt(2 * kernel.nu))
        polynomial = self._scaled(scaled, 1.0, 1.0)
        if kernel.nu == 2.5:
            third = self._scaled(self._square(scaled), 1.0 / 3.0)
            polynomial = self.build.vector_pair(polynomial, third, kind="add")
        return self.build.vector_pair(polynomial, self._exp(self._scaled(scaled, -1.0)), kind="multiply")

    def _rational_quadratic(self, kernel: Any) -> Value:
        squared = self.build.point_distances(self.vector, points=self.points, metric="squared", expanded=False)
        base = self._scaled(squared, 1.0 / (2 * kernel.alpha * kernel.length_scale**2), 1.0)
        return self.build.vector_power(base, exponent=-float(kernel.alpha))

    def _exp_sine_squared(self, kernel: Any) -> Value:
        distances = self.build.point_distances(self.vector, points=self.points, metric="euclidean", expanded=False)
        sines = self.build.vector_function(self._scaled(distances, np.pi / kernel.periodicity), kind="sin")
        return self._exp(self._scaled(self._square(self._scaled(sines, 1.0 / kernel.length_scale)), -2.0))

    def _dot_product(self, kernel: Any) -> Value:
        return self.build.affine(
            self.vector, matrix=self.points, offset=np.full(len(self.points), float(kernel.sigma_0) ** 2)
        )

    def _pairwise(self, kernel: Any) -> Value:
        parameters = {"gamma": kernel.gamma} | (kernel.pairwise_kernels_kwargs or {})
        return pairwise_kernels(self.step, [self.vector], self.build, self.points, kernel.metric, parameters)

    def diagonal(self, kernel: Any) -> Value | float:
        """The kernel of the input row with itself, noise included (`Kernel.diag`)."""
        name = type(kernel).__name__
        if name in ("Sum", "Product"):
            left, right = self.diagonal(kernel.k1), self.diagonal(kernel.k2)
            return left + right if name == "Sum" else left * right
        if name == "Exponentiation":
            base = self.diagonal(kernel.kernel)
            exponent = float(kernel.exponent)
            return self.build.pow(base, exponent) if isinstance(base, Value) else float(base**exponent)
        if name == "DotProduct":
            return self.build.sum_of_squares(self.vector) + float(kernel.sigma_0) ** 2
        if name == "PairwiseKernel":
            raise state_error(self.step, "a PairwiseKernel", "other kernels for a classifier")
        constants = {"ConstantKernel": "constant_value", "WhiteKernel": "noise_level"}
        return float(getattr(kernel, constants[name])) if name in constants else 1.0


@estimator(
    "sklearn.gaussian_process._gpr.GaussianProcessRegressor",
    options=f"{_FITTING} alpha normalize_y n_targets",
)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The kernels of the training rows times `alpha_`, in the unit of the target."""
    weights = float64_of(step, "alpha_")
    matrix = weights.T if weights.ndim == 2 else weights[None]
    sums = build.items(build.affine(_Kernels(step, values, build).all(step.kernel_), matrix=matrix, offset=None))
    spread = np.broadcast_to(step._y_train_std, (len(sums),)).tolist()
    means = np.broadcast_to(step._y_train_mean, (len(sums),)).tolist()
    return Outputs([scale * value + mean for value, scale, mean in zip(sums, spread, means, strict=True)])


@estimator("sklearn.gaussian_process._gpc.GaussianProcessClassifier", options=f"{_CLASSIFYING} multi_class n_jobs")
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The binary process of two classes; of more classes one process for each class or each pair."""
    return predict(step.base_estimator_, values, build)


@estimator("sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace", options=_CLASSIFYING)
def binary(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second class where the latent mean is above 0; its probability by five error functions."""
    kernels = _Kernels(step, values, build)
    known, labels = kernels.all(step.kernel_), class_labels(step.classes_)
    apart = np.asarray(step.y_train_, dtype=np.float64) - to_float64(step.pi_)
    mean = build.items(build.affine(known, matrix=apart[None], offset=None))[0]
    chosen = binary_prediction(build, mean, labels)
    share = _share(mean, _variance(step, kernels, known, build), build)
    return Outputs([chosen], [1.0 - share, share], classes=labels)


def _variance(step: Any, kernels: _Kernels, known: Value, build: Builder) -> Value:
    """The latent variance; the library solves with the Cholesky root for each batch, we multiply by its inverse."""
    root = to_float64(step.L_)
    inverse = np.linalg.inv(root) * np.asarray(step.W_sr_, dtype=np.float64)
    length = build.sum_of_squares(build.affine(known, matrix=np.tril(inverse), offset=None))
    if build.checking:
        sizes = build.affine(build.vector_function(known, kind="absolute"), matrix=np.abs(inverse), offset=None)
        ulps = 8.0 * float(np.linalg.cond(root)) * len(root)
        length = build.allow_ulps(length, ulps, build.sum_of_squares(sizes))
    own = kernels.diagonal(step.kernel_)
    return build.value(own) - length


def _share(mean: Value, variance: Value, build: Builder) -> Value:
    """The mean of a sigmoid over a normal distribution, as `predict_proba` approximates it."""
    from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

    alpha = 1.0 / (2.0 * variance)
    first = build.sqrt(math.pi / alpha)
    last = 2.0 * build.sqrt(variance * 2.0 * math.pi)
    integrals = []
    for slope in np.ravel(LAMBDAS).tolist():
        inner = slope * mean * build.sqrt(alpha / (alpha + slope**2))
        integrals.append(first * build.erf(inner) / last)
    return build.dot(integrals, np.ravel(COEFS).tolist()) + 0.5 * float(COEFS.sum())
