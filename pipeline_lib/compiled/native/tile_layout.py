"""Stored rows of numbers as the core reads them: blocks of 8 outputs, number after number (see native/tiles.h)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 8
"""Outputs of a block; the last block is filled up with zeros."""
MOST_NUMBERS = 1 << 16
"""Numbers of a row at most: the core copies some rows before it uses them."""

Floats = NDArray[np.float64]


def fits(matrix: Any, numbers: int) -> bool:
    """Whether the core can read a matrix (outputs x numbers)."""
    shape = np.shape(matrix)
    return len(shape) == 2 and shape[0] > 0 and shape[1] == numbers and 0 < numbers <= MOST_NUMBERS


def tiles(matrix: Any) -> Floats:
    """The cells of a matrix (outputs x numbers), one block after another."""
    return np.ascontiguousarray(_blocks(matrix)).reshape(-1)


def listed_tiles(matrix: Any) -> tuple[Floats, NDArray[np.int64], NDArray[np.int32]]:
    """The cells without lines that are 0 in a whole block; where each block starts, and each line's number."""
    blocks = _blocks(matrix)
    used = (blocks != 0).any(axis=2)
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64)
    return blocks[used].reshape(-1), starts, np.nonzero(used)[1].astype(np.int32)


def _blocks(matrix: Any) -> Floats:
    """Blocks x numbers x 8 outputs."""
    rows = np.asarray(matrix, dtype=np.float64)
    outputs, numbers = rows.shape
    count = -(-outputs // BLOCK)
    padded = np.zeros((count * BLOCK, numbers))
    padded[:outputs] = rows
    return padded.reshape(count, BLOCK, numbers).transpose(0, 2, 1)
