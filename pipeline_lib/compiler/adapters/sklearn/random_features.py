"""Maps that were drawn at random when fitted, and are fixed since.

RBFSampler, SkewedChi2Sampler, AdditiveChi2Sampler, PolynomialCountSketch of sklearn.kernel_approximation;
GaussianRandomProjection and SparseRandomProjection.
"""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import (
    check_condition,
    numeric_columns,
    refuse_sparse,
    split_columns,
)
from pipeline_lib.compiler.adapters.outputs import affine, float64_of
from pipeline_lib.compiler.adapters.registry import Columns, transformer
from pipeline_lib.compiler.builder import Builder, Value

_APPROXIMATION = "sklearn.kernel_approximation."


def _numbered(values: list[Value]) -> Columns:
    return {f"x{index}": value for index, value in enumerate(values)}


def _cosines(projection: Value, factor: float, build: Builder) -> Columns:
    cosines = build.vector_function(projection, kind="cos")
    return _numbered(build.items(build.vector_scale(cosines, factor=factor, offset=0.0)))


@transformer(f"{_APPROXIMATION}RBFSampler", options="gamma n_components random_state")
def rbf_sampler(step: Any, columns: Columns, build: Builder) -> Columns:
    """Cosines of random projections."""
    values = list(numeric_columns(step, columns, build).values())
    weights, offset = float64_of(step, "random_weights_"), float64_of(step, "random_offset_")
    return _cosines(affine(values, weights.T, offset, build), (2.0 / step.n_components) ** 0.5, build)


@transformer(f"{_APPROXIMATION}SkewedChi2Sampler", options="skewedness n_components random_state")
def skewed_sampler(step: Any, columns: Columns, build: Builder) -> Columns:
    """Cosines of random projections of log(x + skewedness); smaller numbers than that are refused."""
    refuse_sparse(step, columns)
    skewedness = float(step.skewedness)
    logs = []
    for name, value in numeric_columns(step, columns, build).items():
        checked = check_condition(value, value > -skewedness, name, step, f"a number above {-skewedness!r}")
        logs.append(build.log(checked + skewedness))
    weights, offset = float64_of(step, "random_weights_"), float64_of(step, "random_offset_")
    factor = float(np.sqrt(2.0) / np.sqrt(step.n_components))
    return _cosines(affine(logs, weights.T, offset, build), factor, build)


_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}  # `AdditiveChi2Sampler.transform`, where none was set


@transformer(f"{_APPROXIMATION}AdditiveChi2Sampler", options="sample_steps sample_interval")
def additive_sampler(step: Any, columns: Columns, build: Builder) -> Columns:
    """For each column its root, and roots times the cosine and the sine of its log; 0 gives 0."""
    refuse_sparse(step, columns)
    interval = float(_INTERVALS[step.sample_steps] if step.sample_interval is None else step.sample_interval)
    numbers = [
        check_condition(value, value >= 0.0, name, step, "a number that is not negative")
        for name, value in numeric_columns(step, columns, build).items()
    ]
    result = [build.sqrt(value * interval) for value in numbers]
    for turn in range(1, step.sample_steps):
        damping = float(np.cosh(np.pi * turn * interval))
        for function in (build.cos, build.sin):
            for value in numbers:
                factor = build.sqrt(2.0 * value * interval / damping)
                term = factor * function(float(turn) * (interval * build.log(value)))
                result.append(build.where(value.equals(0.0), 0.0, term))
    return _numbered(result)


@transformer(f"{_APPROXIMATION}PolynomialCountSketch", options="gamma degree coef0 n_components random_state")
def count_sketch(step: Any, columns: Columns, build: Builder) -> Columns:
    """Sketches, sums of the columns with random signs, as many as the degree, convolved with each other.

    The library convolves by Fourier transforms.
    """
    values = split_columns(numeric_columns(step, columns, build).values(), build)
    numbers = [value * math.sqrt(step.gamma) for value in values]
    if step.coef0 != 0:
        numbers.append(build.value(math.sqrt(step.coef0)))
    whole = build.stack(numbers)
    sketches = []
    for places, signs in zip(step.indexHash_, step.bitHash_, strict=True):
        matrix = np.zeros((step.n_components, len(numbers)))
        matrix[np.asarray(places), np.arange(len(numbers))] = signs
        sketches.append(build.affine(whole, matrix=matrix, offset=None))
    result = sketches[0]
    for sketch in sketches[1:]:
        result = build.circular_convolution(result, sketch)
    items = build.items(result)
    if build.checking:  # the library transforms and inverts a single sketch, too
        scale = build.sum([abs(item) for item in items])
        items = [build.allow_ulps(item, 16.0, scale) for item in items]
    return _numbered(items)


@transformer(
    "sklearn.random_projection.GaussianRandomProjection",
    "sklearn.random_projection.SparseRandomProjection",
    options="n_components density eps compute_inverse_components dense_output random_state",
)
def random_projection(step: Any, columns: Columns, build: Builder) -> Columns:
    """Random weights times the columns."""
    values = list(numeric_columns(step, columns, build).values())
    return _numbered(build.items(affine(values, float64_of(step, "components_"), None, build)))
