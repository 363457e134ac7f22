"""Nearest stored points for the core, and the mean of their targets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.neighbor_filter import filter_arrays
from pipeline_lib.compiled.native.tile_layout import fits, tiles
from pipeline_lib.compiled.operations.registry import Settings

_SUMS = {
    "euclidean": "squares",
    "sqeuclidean": "squares",
    "manhattan": "absolutes",
    "chebyshev": "largest",
}
_TIES = ("index", "heap", "tree")
_MOST_NEIGHBOURS = 1 << 16


def encode_nearest(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The nearest points; metrics with weights and those that are no sums stay with NumPy."""
    metric, points, ties = settings["metric"], settings["points"], settings.get("ties") or "index"
    plain = settings.get("column_weights") is None and settings.get("inverse") is None
    if metric not in _SUMS or not plain or not fits(points, widths[0]) or settings["count"] > _MOST_NEIGHBOURS:
        return None
    boxes = settings.get("tree_low") is not None
    arrays: list[NDArray[np.generic]] = [tiles(points)]
    if ties == "tree":
        arrays += [np.asarray(settings[name], dtype=np.int64) for name in ("tree_order", "tree_starts")]
        if boxes:
            arrays += [tiles(settings["tree_low"]), tiles(settings["tree_high"])]
        else:
            arrays += [tiles(settings["tree_centers"]), np.asarray(settings["tree_radii"], dtype=np.float64)]
    filters = filter_arrays(points, settings["count"]) if _SUMS[metric] == "squares" else []
    arrays += filters
    ints = [int(settings["count"]), int(metric == "euclidean"), _TIES.index(ties), int(not boxes), len(points)]
    ints.append(int(bool(filters)))
    return Encoded(f"nearest_{_SUMS[metric]}", ints, arrays)


def encode_neighbour_mean(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The mean of the neighbours' targets."""
    targets = np.ascontiguousarray(settings["targets"], dtype=np.float64)
    if targets.ndim != 2 or not targets.size or widths[0] % 2:
        return None
    return Encoded("neighbour_mean", [int(settings["weights"] == "distance")], [targets.reshape(-1)])


ENCODERS: Encoders = {"nearest": encode_nearest, "neighbour_mean": encode_neighbour_mean}
"""By operation of a plan."""
