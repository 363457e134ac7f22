"""Vectors, several numbers a row: stacked from columns, taken apart, multiplied by matrices in a fixed order.

A vector column is an array of shape (numbers, rows). `affine` adds one input after the other, from 0.0 on, for all
rows and outputs at once:

    matrix [[1.0, 2.0],      total  =  0.0
            [0.0, 3.0]]      total +=  first column * input 0      output 1 has weight 0: it is left out
                             total +=  second column * input 1
                             total +=  offset

So each row has the bits of the same sum in Python. A matrix product by BLAS would choose an order by the shape of the
batch and by the CPU, and it would turn 0 * inf into NaN.
"""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, MATRIX, NUMBERS, one_of, or_none
from pipeline_lib.compiled.portable_math.exponentials import exp_vector, tanh_vector

_CACHED = 1 << 15  # numbers of a working array: a quarter of a megabyte, two of which a core's cache holds


def _stack(*columns: Any) -> Any:
    rows = columns[0].shape if isinstance(columns[0], np.ndarray) else ()
    if len(rows) != 1 or any(np.shape(column) != rows for column in columns):  # a constant is one value for all rows
        columns = np.broadcast_arrays(*map(np.atleast_1d, columns))
    return np.array(columns, dtype=np.float64)


operation(
    "stack",
    ("float64", "..."),
    "vector",
    doc="Numbers as one vector.",
    column=lambda settings: _stack,
    row=lambda settings: lambda *numbers: np.array(numbers, dtype=np.float64),
    abs_max=lambda settings, maxima: max(maxima),
    error_bound=lambda settings, inputs, bounds, result: np.array(
        [np.broadcast_to(r, result.shape[1:]) for r in bounds]
    ),
    width=lambda settings, widths: len(widths),
)
operation(
    "item",
    ("vector",),
    "float64",
    doc="The number at one index of a vector.",
    parameters=("vector",),
    settings={"place": INTEGER},
    column=lambda settings: lambda vector: vector[settings["place"]],
    row=lambda settings: lambda vector: float(vector[settings["place"]]),
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=lambda settings, inputs, bounds, result: bounds[0][settings["place"]],
)


def _bind_affine(settings: Settings) -> Any:
    """Sums from 0.0 over the inputs in order; an input of weight 0 is left out, even if infinite."""
    columns, offset = _affine_parts(settings)
    used = [np.flatnonzero(weights) for weights in columns]
    size = max(1, _CACHED // max(columns.shape[1], 1))  # rows at once

    def sums(vector: Any) -> Any:
        total = np.zeros((columns.shape[1], vector.shape[1]))
        term = np.empty_like(total)
        for weights, numbers, outputs in zip(columns, vector, used, strict=True):
            if len(outputs) == len(weights):
                total += np.multiply(weights[:, None], numbers, out=term)
            else:
                total[outputs] += weights[outputs][:, None] * numbers
        return total if offset is None else np.add(total, offset[:, None], out=total)

    def affine(vector: Any) -> Any:
        if vector.shape[1] <= size:
            return sums(vector)
        parts = [sums(vector[:, at : at + size]) for at in range(0, vector.shape[1], size)]
        return np.concatenate(parts, axis=1)

    return affine


def _bind_affine_row(settings: Settings) -> Any:
    columns, offset = _affine_parts(settings)
    used = columns != 0
    most = int(used.sum(axis=0).max(initial=0))
    if 2 * most > len(columns):
        return _bind_affine_row_of_all(columns, offset)
    # For each output the indices of its own inputs, in order; shorter lists are filled with the index of a 0.0 that is
    # appended to the vector.
    order = np.argsort(~used, axis=0, kind="stable")[:most]
    kept = np.take_along_axis(used, order, axis=0)
    weights = np.where(kept, np.take_along_axis(columns, order, axis=0), 0.0)
    inputs = np.where(kept, order, len(columns))

    def affine(vector: Any) -> Any:
        with np.errstate(all="ignore"):
            return _added(weights * np.append(vector, 0.0)[inputs], offset)

    return affine


def _bind_affine_row_of_all(columns: Any, offset: Any) -> Any:
    unused = columns == 0
    some_unused = bool(unused.any())

    def affine(vector: Any) -> Any:
        with np.errstate(all="ignore"):
            terms = columns * vector[:, None]
            if some_unused:
                terms[unused] = 0.0
            return _added(terms, offset)

    return affine


def _added(terms: Any, offset: Any) -> Any:
    """Sums over the first axis, one after the other; never -0.0."""
    total = (np.add.accumulate(terms, axis=0)[-1] if len(terms) else 0.0) + np.zeros(terms.shape[1])
    return total if offset is None else total + offset


def _affine_parts(settings: Settings) -> tuple[Any, Any]:
    columns = np.ascontiguousarray(np.asarray(settings["matrix"], dtype=np.float64).T)
    return columns, None if settings["offset"] is None else np.asarray(settings["offset"], dtype=np.float64)


def _affine_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    matrix = np.abs(np.asarray(settings["matrix"], dtype=np.float64))
    offset = settings["offset"]
    terms = matrix @ np.abs(inputs[0])  # a bound, not a result: the order of the sum does not matter
    terms = terms if offset is None else terms + np.abs(np.asarray(offset, dtype=np.float64))[:, None]
    known = np.isfinite(bounds[0])
    moved = matrix @ np.where(known, bounds[0], 0.0)
    if not known.all():  # an input of weight 0 moves nothing
        moved = np.where((matrix > 0) * 1.0 @ (~known * 1.0) > 0, np.inf, moved)
    return moved + (matrix.shape[1] + 2) * 2.0**-53 * terms


def _affine_abs_max(settings: Settings, maxima: Any) -> float:
    """The largest sum of the absolute terms, and room for its rounding."""
    matrix, offset = np.asarray(settings["matrix"], dtype=np.float64), settings["offset"]
    finite = np.isfinite(matrix).all() and np.isfinite(0.0 if offset is None else offset).all()
    if not finite or math.isinf(maxima[0]):
        return math.inf
    with np.errstate(over="ignore"):
        sums = np.abs(matrix).sum(axis=1) * maxima[0] + (0.0 if offset is None else np.abs(offset))
        return float(sums.max(initial=0.0) * (1.0 + (matrix.shape[1] + 2) * 2.0**-52))


operation(
    "affine",
    ("vector",),
    "vector",
    doc="`matrix` (outputs x inputs) times a vector, summed over the inputs in order, plus `offset`.",
    parameters=("vector",),
    settings={"matrix": MATRIX, "offset": or_none(NUMBERS)},
    column=_bind_affine,
    row=_bind_affine_row,
    abs_max=_affine_abs_max,
    error_bound=_affine_error_bound,
    width=lambda settings, widths: len(settings["matrix"]),
)


def _first_largest(vector: Any) -> Any:
    best = np.zeros(vector.shape[1], dtype=np.int64)
    most = vector[0]
    for index in range(1, len(vector)):
        more = (vector[index] > most) | ((vector[index] != vector[index]) & (most == most))
        best, most = np.where(more, index, best), np.where(more, vector[index], most)
    return best


def _largest_of_row(vector: Any) -> int:
    return int(np.argmax(vector))


def _largest_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Infinite where another number may be the largest."""
    bound = np.broadcast_to(bounds[0], inputs[0].shape)
    own = np.take_along_axis(bound, result[None], axis=0)
    low = np.take_along_axis(inputs[0], result[None], axis=0) - own
    others = np.arange(len(bound))[:, None] != result
    rivals = others & (inputs[0] + bound >= low) & (bound + own > 0)
    return np.where(rivals.any(axis=0), np.inf, 0.0)


operation(
    "largest",
    ("vector",),
    "int64",
    doc="The index of the largest number, the first of equal ones; NaN is the largest, as in numpy.argmax.",
    parameters=("vector",),
    column=lambda settings: _first_largest,
    row=lambda settings: _largest_of_row,
    error_bound=_largest_error_bound,
)


def _bind_activation(settings: Settings) -> Any:
    kind = settings["kind"]
    if kind == "relu":
        return lambda vector: np.where(vector > 0, vector, 0.0)
    if kind == "tanh":
        return tanh_vector
    return lambda vector: 1.0 / (1.0 + exp_vector(-vector))  # as scipy.special.expit


def _activation_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """No activation is steeper than 1; the elementary functions round."""
    moved = np.broadcast_to(bounds[0], result.shape)
    return moved if settings["kind"] == "relu" else moved + 16 * np.spacing(np.abs(result))


operation(
    "activation",
    ("vector",),
    "vector",
    doc="An activation function of a neural network, of each number of a vector.",
    parameters=("vector",),
    settings={"kind": one_of(("relu", "tanh", "logistic"))},
    column=_bind_activation,
    abs_max=lambda settings, maxima: maxima[0] if settings["kind"] == "relu" else min(maxima[0], 1.0),
    error_bound=_activation_error_bound,
    width=lambda settings, widths: widths[0],
)
