"""Vectors for the core: stacked, taken apart, multiplied by matrices; sums of weighted numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.tile_layout import fits, listed_tiles, tiles
from pipeline_lib.compiled.operations.registry import Settings

_FEW_LINES = 0.9  # of all lines: so few are listed


def encode_stack(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Numbers as one vector."""
    return Encoded("stack")


def encode_item(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A vector's number; from the end with a negative place."""
    place, width = int(settings["place"]), widths[0]
    return Encoded("item", [place % width]) if -width <= place < width else None


def encode_affine(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A matrix; where some weights are 0, lines of zeros are left out."""
    matrix = np.asarray(settings["matrix"], dtype=np.float64)
    if not fits(matrix, widths[0]):
        return None
    some_zero, plain, lines = bool((matrix == 0).any()), tiles(matrix), listed_tiles(matrix)
    listed = len(lines[0]) < _FEW_LINES * len(plain)
    arrays: list[NDArray[np.generic]] = list(lines) if listed else [plain]
    if settings["offset"] is not None:
        offset = np.asarray(settings["offset"], dtype=np.float64)
        if offset.shape != (len(matrix),):
            return None
        arrays.append(offset)
    return Encoded("affine", [int(some_zero), int(listed), int(settings["offset"] is not None)], arrays)


def encode_largest(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The index of the largest number."""
    return Encoded("largest") if widths[0] else None


def encode_vector_scale(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Times a factor, plus an offset."""
    numbers = np.array([settings["factor"], settings["offset"]], dtype=np.float64)
    return Encoded("vector_scale", arrays=[numbers])


def encode_vector_pair(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Two vectors, number by number."""
    return Encoded(f"vector_{settings['kind']}") if widths[0] == widths[1] else None


def encode_vector_number(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A vector and a number."""
    return Encoded(f"vector_{settings['kind']}_number")


def encode_circular_convolution(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The circular convolution of two vectors."""
    return Encoded("circular_convolution") if widths[0] == widths[1] else None


def encode_sum_of_squares(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The sum of a vector's squares."""
    return Encoded("sum_of_squares")


def encode_dot(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Numbers times weights."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    return Encoded("dot", arrays=[weights]) if weights.shape == (len(dtypes),) else None


def encode_dot_float32(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The start, then the weights, in float32."""
    weights = np.asarray(settings["weights"], dtype=np.float32)
    if weights.shape != (len(dtypes),):
        return None
    return Encoded("dot_float32", arrays=[np.concatenate([np.array([settings["start"]], dtype=np.float32), weights])])


def encode_median(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The median of a row's numbers."""
    return Encoded("median", [int(bool(settings["plain"]))])


def encode_distinct(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """How many different numbers; integers stay with NumPy."""
    return Encoded("distinct") if set(dtypes) == {"float64"} else None


ENCODERS: Encoders = {
    "stack": encode_stack,
    "item": encode_item,
    "affine": encode_affine,
    "largest": encode_largest,
    "vector_scale": encode_vector_scale,
    "vector_pair": encode_vector_pair,
    "vector_number": encode_vector_number,
    "circular_convolution": encode_circular_convolution,
    "sum_of_squares": encode_sum_of_squares,
    "dot": encode_dot,
    "dot_float32": encode_dot_float32,
    "median": encode_median,
    "distinct": encode_distinct,
}
"""By operation of a plan."""
