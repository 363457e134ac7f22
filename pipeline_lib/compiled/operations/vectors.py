"""Several numbers a row: stacked from columns, taken apart again, multiplied by matrices in a fixed order."""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.table import Settings, operation


def _stack(*columns: Any) -> Any:
    return np.array(np.broadcast_arrays(*map(np.atleast_1d, columns)), dtype=np.float64)


operation(
    "stack",
    ("float64", "..."),
    "vector",
    column=lambda settings: _stack,
    row=lambda settings: lambda *numbers: np.array(numbers, dtype=np.float64),
    limit=lambda settings, limits: max(limits),
    radius=lambda settings, inputs, radii, result: np.array([np.broadcast_to(r, result.shape[1:]) for r in radii]),
    width=lambda settings, widths: len(widths),
)
operation(
    "item",
    ("vector",),
    "float64",
    column=lambda settings: lambda vector: vector[settings["place"]],
    row=lambda settings: lambda vector: float(vector[settings["place"]]),
    limit=lambda settings, limits: limits[0],
    radius=lambda settings, inputs, radii, result: radii[0][settings["place"]],
)


def _bind_affine(settings: Settings) -> Any:
    """`matrix` (outputs x inputs) times the vector, added from the first input to the last, then `offset`."""
    columns = np.ascontiguousarray(np.asarray(settings["matrix"], dtype=np.float64).T)
    offset = settings["offset"]

    def affine(vector: Any) -> Any:
        total = columns[0][:, None] * vector[0]
        for weights, numbers in zip(columns[1:], vector[1:], strict=True):
            total += weights[:, None] * numbers
        return total if offset is None else total + np.asarray(offset, dtype=np.float64)[:, None]

    return affine


def _affine_radius(settings: Settings, inputs: Any, radii: Any, result: Any) -> Any:
    matrix = np.abs(np.asarray(settings["matrix"], dtype=np.float64))
    offset = settings["offset"]
    terms = matrix @ np.abs(inputs[0])  # a bound, not a result: any order will do
    terms = terms if offset is None else terms + np.abs(np.asarray(offset, dtype=np.float64))[:, None]
    return matrix @ radii[0] + (matrix.shape[1] + 2) * 2.0**-53 * terms


operation(
    "affine",
    ("vector",),
    "vector",
    column=_bind_affine,
    radius=_affine_radius,
    width=lambda settings, widths: len(settings["matrix"]),
)


def _first_largest(vector: Any) -> Any:
    best = np.zeros(vector.shape[1], dtype=np.int64)
    most = vector[0]
    for place in range(1, len(vector)):
        more = (vector[place] > most) | ((vector[place] != vector[place]) & (most == most))
        best, most = np.where(more, place, best), np.where(more, vector[place], most)
    return best


def _largest_of_row(vector: Any) -> int:
    return int(np.argmax(vector))


def _largest_radius(settings: Settings, inputs: Any, radii: Any, result: Any) -> Any:
    """Infinite where another number may be the largest."""
    radius = np.broadcast_to(radii[0], inputs[0].shape)
    own = np.take_along_axis(radius, result[None], axis=0)
    low = np.take_along_axis(inputs[0], result[None], axis=0) - own
    others = np.arange(len(radius))[:, None] != result
    rivals = others & (inputs[0] + radius >= low) & (radius + own > 0)
    return np.where(rivals.any(axis=0), np.inf, 0.0)


# The place of the largest number, the first of equal ones; NaN counts as the largest, as np.argmax has it.
operation(
    "largest",
    ("vector",),
    "int64",
    column=lambda settings: _first_largest,
    row=lambda settings: _largest_of_row,
    radius=_largest_radius,
)
