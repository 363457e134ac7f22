"""Stored points for the core: kernels, distances, the nearest centre; probabilities from pairwise decisions."""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.tile_layout import fits, tiles
from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings

_MOST_CLASSES = 1000


def encode_kernel(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Kernel values with stored points."""
    degree = int(settings["degree"])
    if not fits(settings["points"], widths[0]) or not -(2**62) < degree < 2**62:
        return None
    numbers = np.array([settings["gamma"], settings["coef0"]], dtype=np.float64)
    return Encoded(f"kernel_{settings['kernel']}", [degree], [tiles(settings["points"]), numbers])


def encode_point_distances(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Distances from stored points."""
    if not fits(settings["points"], widths[0]):
        return None
    return Encoded(f"distances_{settings['metric']}", arrays=[tiles(settings["points"])])


def encode_nearest_centre(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The nearest centre, with the numbers that say how far sums may be off."""
    centres, squares = (np.asarray(settings[name], dtype=np.float64) for name in ("centres", "squares"))
    if not fits(centres, widths[0]) or squares.shape != (len(centres),):
        return None
    columns = np.ascontiguousarray(centres.T)
    rounding = 8 * (len(columns) + 3) * HALF_ULP
    numbers = [rounding, 2 * np.abs(columns).sum(axis=0).max(), np.abs(squares).max()]
    return Encoded("nearest_centre", arrays=[tiles(centres), squares, np.array(numbers, dtype=np.float64)])


def encode_couple(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Probabilities of the classes of all pairs."""
    classes = int(settings["classes"])
    slopes, offsets = (np.asarray(settings[name], dtype=np.float64) for name in ("slopes", "offsets"))
    pairs = classes * (classes - 1) // 2
    if not 1 < classes <= _MOST_CLASSES or widths[0] != pairs or slopes.shape != (pairs,) or offsets.shape != (pairs,):
        return None
    return Encoded("couple", arrays=[slopes, offsets])


ENCODERS: Encoders = {
    "kernel": encode_kernel,
    "point_distances": encode_point_distances,
    "nearest_centre": encode_nearest_centre,
    "couple": encode_couple,
}
"""By operation of a plan."""
