"""Functions of vectors, number by number, and the sum of a vector's squares."""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBER, one_of
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

_REFERENCE_ULPS = 4.0  # how far NumPy's own functions, which differ by CPU, may be from ours
_KINDS = ("absolute", "cos", "exp", "log", "sigmoid", "sin", "sqrt")


def _same_width(settings: Settings, widths: Any) -> int:
    return int(widths[0])


operation(
    "vector_function",
    ("vector",),
    "vector",
    doc="An elementary function of each number of a vector.",
    parameters=("vector",),
    settings={"kind": one_of(_KINDS)},
    column=lambda settings: np.abs if settings["kind"] == "absolute" else FUNCTIONS[settings["kind"]].vector,
    rounding=_REFERENCE_ULPS,
    width=_same_width,
)
operation(
    "vector_power",
    ("vector",),
    "vector",
    doc="Each number of a vector to the power of `exponent`.",
    parameters=("vector",),
    settings={"exponent": NUMBER},
    column=lambda settings: lambda vector: FUNCTIONS["pow"].vector(vector, float(settings["exponent"])),
    rounding=_REFERENCE_ULPS,
    width=_same_width,
)
operation(
    "vector_scale",
    ("vector",),
    "vector",
    doc="Each number of a vector times `factor`, plus `offset`.",
    parameters=("vector",),
    settings={"factor": NUMBER, "offset": NUMBER},
    column=lambda settings: lambda vector: vector * float(settings["factor"]) + float(settings["offset"]),
    error_bound=lambda settings, inputs, bounds, result: (
        _known(np.abs(float(settings["factor"])) * np.broadcast_to(bounds[0], result.shape))
        + 4 * HALF_ULP * (np.abs(inputs[0] * float(settings["factor"])) + abs(float(settings["offset"])))
    ),
    width=_same_width,
)


def _pair_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    (left, right), (low, high) = inputs, (np.broadcast_to(bound, result.shape) for bound in bounds)
    if settings["kind"] == "add":
        return low + high + 2 * HALF_ULP * np.abs(result)
    return _known(low * np.abs(right) + high * np.abs(left) + low * high + 2 * HALF_ULP * np.abs(result))


def _known(bound: Any) -> Any:
    """The bound; infinite where it is an infinite one times 0."""
    return np.where(np.isnan(bound), np.inf, bound)


operation(
    "vector_pair",
    ("vector", "vector"),
    "vector",
    doc="The sum or product of two vectors of the same width, number by number.",
    parameters=("left", "right"),
    settings={"kind": one_of(("add", "multiply"))},
    column=lambda settings: np.add if settings["kind"] == "add" else np.multiply,
    error_bound=_pair_error_bound,
    width=_same_width,
)


def _sum_of_squares(vector: Any) -> Any:
    total = np.zeros(vector.shape[1])
    for numbers in vector:
        total += numbers * numbers
    return total


def _sum_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    moved = np.broadcast_to(bounds[0], inputs[0].shape)
    apart = (moved * (2 * np.abs(inputs[0]) + moved)).sum(axis=0)
    return _known(apart + (len(moved) + 2) * HALF_ULP * result)


operation(
    "sum_of_squares",
    ("vector",),
    "float64",
    doc="The sum of the squares of a vector's numbers, from the first to the last.",
    parameters=("vector",),
    column=lambda settings: _sum_of_squares,
    error_bound=_sum_error_bound,
)


def _number_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    vector, number = inputs
    moved, other = np.broadcast_to(bounds[0], result.shape), np.broadcast_to(bounds[1], np.shape(number))
    rounding = 2 * HALF_ULP * np.abs(result)
    if settings["kind"] == "add":
        return moved + other + rounding
    if settings["kind"] == "multiply":
        return _known(moved * np.abs(number) + np.abs(vector) * other + moved * other + rounding)
    least = np.abs(number) - other
    apart = (moved + np.abs(result) * other) / np.where(least > 0, least, 1.0) + rounding
    return _known(np.where(least > 0, apart, np.inf))


operation(
    "vector_number",
    ("vector", "float64"),
    "vector",
    doc="A number added to each number of a vector, or multiplied with each, or by which each is divided.",
    parameters=("vector", "number"),
    settings={"kind": one_of(("add", "multiply", "divide"))},
    column=lambda settings: {"add": np.add, "multiply": np.multiply, "divide": np.true_divide}[settings["kind"]],
    error_bound=_number_error_bound,
    width=_same_width,
)


def _circular_convolution(left: Any, right: Any) -> Any:
    width, total = len(left), np.zeros(np.broadcast_shapes(left.shape, right.shape))
    for index, numbers in enumerate(left):
        total += numbers * right[np.arange(width) - index]  # negative indices count from the end
    return total


def _convolution_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """References convolve by Fourier transforms, whose errors are those of the sums of all absolute products."""
    left, right = (np.abs(part) for part in inputs)
    low, high = (np.broadcast_to(bound, part.shape).sum(axis=0) for bound, part in zip(bounds, inputs, strict=True))
    sums = left.sum(axis=0), right.sum(axis=0)
    moved = low * sums[1] + high * sums[0] + low * high
    return np.broadcast_to(_known(moved + 16 * (len(left) + 2) * HALF_ULP * sums[0] * sums[1]), result.shape)


operation(
    "circular_convolution",
    ("vector", "vector"),
    "vector",
    doc="The circular convolution of two vectors of the same width.",
    parameters=("left", "right"),
    column=lambda settings: _circular_convolution,
    error_bound=_convolution_error_bound,
    width=_same_width,
)
