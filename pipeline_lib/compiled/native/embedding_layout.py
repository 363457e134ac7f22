"""Embeddings and outlier factors by nearest points, and weights by coordinate descent for the core."""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.operations.registry import Settings

_MOST_SWEEPS = 1 << 20  # as native/embeddings.h has it


def encode_path_lengths(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Ways that are not negative: of 0.0 and -0.0 NumPy does not say which is the smaller one."""
    ways = np.asarray(settings["ways"], dtype=np.float64)
    if ways.ndim != 2 or not ways.size or widths[0] % 2 or np.signbit(ways).any():
        return None
    return Encoded("path_lengths", (), [ways])


def encode_outlier_factor(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The reach and the density of each point."""
    reaches, densities = (np.asarray(settings[name], dtype=np.float64) for name in ("reaches", "densities"))
    if reaches.ndim != 1 or reaches.shape != densities.shape or not reaches.size or widths[0] % 2:
        return None
    return Encoded("outlier_factor", (), [reaches, densities])


def encode_coordinate_descent(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The directions' products."""
    gram = np.asarray(settings["gram"], dtype=np.float64)
    sweeps = int(settings["sweeps"])
    if gram.shape != (widths[0], widths[0]) or not 0 <= sweeps <= _MOST_SWEEPS:
        return None
    return Encoded("coordinate_descent", (sweeps,), [gram])


ENCODERS: Encoders = {
    "path_lengths": encode_path_lengths,
    "outlier_factor": encode_outlier_factor,
    "coordinate_descent": encode_coordinate_descent,
}
"""By operation of a plan."""
