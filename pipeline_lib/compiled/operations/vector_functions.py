"""Functions of vectors, number by number, and the sum of a vector's squares."""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBER, one_of
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

_HALF_ULP = 2.0**-53
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
        np.abs(float(settings["factor"])) * np.broadcast_to(bounds[0], result.shape)
        + 4 * _HALF_ULP * (np.abs(inputs[0] * float(settings["factor"])) + abs(float(settings["offset"])))
    ),
    width=_same_width,
)


def _pair_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    (left, right), (low, high) = inputs, (np.broadcast_to(bound, result.shape) for bound in bounds)
    if settings["kind"] == "add":
        return low + high + 2 * _HALF_ULP * np.abs(result)
    return low * np.abs(right) + high * np.abs(left) + low * high + 2 * _HALF_ULP * np.abs(result)


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
    return (moved * (2 * np.abs(inputs[0]) + moved)).sum(axis=0) + (len(moved) + 2) * _HALF_ULP * result


operation(
    "sum_of_squares",
    ("vector",),
    "float64",
    doc="The sum of the squares of a vector's numbers, from the first to the last.",
    parameters=("vector",),
    column=lambda settings: _sum_of_squares,
    error_bound=_sum_error_bound,
)
