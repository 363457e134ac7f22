"""Sparse vectors for the core: weights by index, places as a table by index."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.operations.registry import Settings

_NORMS = {"l1": 0, "l2": 1, "max": 2}
_WIDEST_DENSE = 1 << 14  # numbers of a dense vector: 16 MiB in a block
MOST_WEIGHTS = 1 << 24


def encode_scale(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Times the weight of each index."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    return Encoded("bag_scale", arrays=[weights]) if weights.shape == (widths[0],) else None


def encode_divide(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Divided by the weight of each index."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    return Encoded("bag_divide", arrays=[weights]) if weights.shape == (widths[0],) else None


def encode_log_plus_one(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """`log(x) + 1`."""
    return Encoded("bag_log_plus_one")


def encode_normalize(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Divided by a norm."""
    return Encoded("bag_normalize", [_NORMS[settings["norm"]]])


def encode_above(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """1 above a threshold."""
    return Encoded("bag_above", arrays=[np.array([settings["threshold"]], dtype=np.float64)])


def encode_select(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A narrower sparse vector."""
    places = _places(settings, widths[0])
    return None if places is None else Encoded("bag_select", arrays=[places])


def encode_join(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Side by side; numbers and vectors become sparse first."""
    return Encoded("bag_join")


def encode_vector(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """As a dense vector, if it is not too wide."""
    return Encoded("bag_vector") if widths[0] <= _WIDEST_DENSE else None


def encode_numbers(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Some numbers, and one for those that are not stored."""
    places = _places(settings, widths[0])
    if places is None or not 0 < len(settings["places"]) <= _WIDEST_DENSE:
        return None
    return Encoded("bag_numbers", arrays=[places, np.array([settings["absent"]], dtype=np.float64)])


def encode_item(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """One number."""
    place = int(settings["place"])
    return Encoded("bag_item", [place]) if 0 <= place < widths[0] else None


def encode_sum_of_squares(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The sum of the squares."""
    return Encoded("bag_sum_of_squares")


def encode_finite(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Refuses what is not finite."""
    return Encoded("bag_finite", [int(bool(settings.get("missing")))])


def encode_dot(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Times weights, plus the start's bits."""
    weights, start = np.asarray(settings["weights"], dtype=np.float64), settings.get("start")
    if weights.shape != (widths[0],):
        return None
    bits = [] if start is None else [int(np.float64(start).view(np.int64))]
    return Encoded("bag_dot", bits, [weights])


def encode_affine(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A matrix, turned: the weights of an index lie side by side."""
    matrix = np.asarray(settings["matrix"], dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != widths[0] or not 0 < matrix.size <= MOST_WEIGHTS:
        return None
    arrays: list[NDArray[np.generic]] = [np.ascontiguousarray(matrix.T)]
    if settings["offset"] is not None:
        arrays.append(np.asarray(settings["offset"], dtype=np.float64))
        if arrays[1].shape != (len(matrix),):
            return None
    return Encoded("bag_affine", arrays=arrays)


def _places(settings: Settings, width: int) -> NDArray[np.int32] | None:
    """The new index of each old one, or -1; None unless the places ascend."""
    places = np.asarray(settings["places"], dtype=np.int64)
    if (np.diff(places) <= 0).any() or (len(places) and not 0 <= places[0] <= places[-1] < width):
        return None
    table = np.full(width, -1, dtype=np.int32)
    table[places] = np.arange(len(places))
    return table


ENCODERS: Encoders = {
    "bag_scale": encode_scale,
    "bag_divide": encode_divide,
    "bag_log_plus_one": encode_log_plus_one,
    "bag_normalize": encode_normalize,
    "bag_above": encode_above,
    "bag_select": encode_select,
    "bag_join": encode_join,
    "bag_vector": encode_vector,
    "bag_numbers": encode_numbers,
    "bag_item": encode_item,
    "bag_sum_of_squares": encode_sum_of_squares,
    "bag_finite": encode_finite,
    "bag_dot": encode_dot,
    "bag_affine": encode_affine,
}
"""By operation of a plan."""
