"""What the core needs to exclude points by float32 scores before it measures distances (native/neighbors_filter.h).

Points are moved by their mean and scaled by a power of two, so that no number reaches 1. Each block of 8 points has the
two terms of its bound, (n + 8) * 2**-24 * M**2 and (n + 8) * 2**-23 * M for n numbers and points of a length up to M.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.tile_layout import BLOCK, tiles

BLOCKS_OF_A_NEIGHBOUR = 4
"""With fewer blocks for each of the nearest points, too many blocks are left to measure."""
_LARGEST_SCALE = 450  # exponent: squares of scaled and of unscaled numbers stay in range
_ABOVE = 1 + 2.0**-20  # more than a length loses by rounding


def filter_arrays(points: Any, count: int) -> list[NDArray[np.generic]]:
    """The arrays of a filter for `count` neighbours of `points` (points x numbers); none where it cannot be used."""
    rows = np.asarray(points, dtype=np.float64)
    blocks = -(-len(rows) // BLOCK)
    if blocks < BLOCKS_OF_A_NEIGHBOUR * (count + 1):
        return []
    with np.errstate(all="ignore"):
        middle = rows.mean(axis=0)
        moved = rows - middle
        largest = float(np.abs(moved).max())
    exponent = int(np.frexp(largest)[1])
    if not np.isfinite(largest) or abs(exponent) > _LARGEST_SCALE:
        return []
    moved = np.ldexp(moved, -exponent)
    lengths, halves = _by_block(moved)
    digits = moved.shape[1] + 8
    bounds = np.stack([digits * 2.0**-24 * lengths**2, digits * 2.0**-23 * lengths], axis=1)
    shift = np.append(middle, 2.0**-exponent)
    return [tiles(moved).astype(np.float32), halves.astype(np.float32), bounds.astype(np.float32).reshape(-1), shift]


def _by_block(moved: Any) -> tuple[Any, Any]:
    """The length of each block's longest point, and half of each point's squared length, infinite for no point."""
    squares = (moved * moved).sum(axis=1)
    padded = np.full(-(-len(squares) // BLOCK) * BLOCK, np.inf)
    padded[: len(squares)] = squares
    blocks = padded.reshape(-1, BLOCK)
    return np.sqrt(np.where(np.isinf(blocks), 0.0, blocks).max(axis=1)) * _ABOVE, padded / 2
