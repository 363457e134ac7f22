"""Where integers stand in a long list, by hashing: a search by halves would leave the processor's cache each time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: spreads neighbours (Knuth, vol. 3, 6.4)


class IntegerPlaces:
    """The places of distinct int64 `keys` in their list, looked up for many numbers at once.

    Open addressing with steps of one: an entry stands at its hash, or behind it where that was taken.
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        bits = max(4, int(2 * len(keys) - 1).bit_length())  # at most half of the entries are taken
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.zeros(1 << bits, dtype=np.int64)
        self._places = np.full(1 << bits, -1, dtype=np.int64)
        self._fill(np.asarray(keys, dtype=np.int64))

    def _fill(self, keys: NDArray[np.int64]) -> None:
        at, left = self._slots(keys), np.arange(len(keys))
        while len(left):
            free = self._places[at] < 0
            self._places[at[free]] = left[free]  # of several at one entry the last stays
            self._keys[at[free]] = keys[left[free]]
            lost = self._places[at] != left
            at, left = (at[lost] + 1) & self._mask, left[lost]

    def __call__(self, numbers: Any) -> NDArray[np.int64]:
        """The place of each number (int64), -1 where it is not in the list."""
        at = self._slots(numbers)
        places = self._places[at]
        left = np.flatnonzero((places >= 0) & (self._keys[at] != numbers))
        at = at[left]
        while len(left):
            at = (at + 1) & self._mask
            places[left] = self._places[at]
            again = (places[left] >= 0) & (self._keys[at] != numbers[left])
            left, at = left[again], at[again]
        return places

    def _slots(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        mixed = np.asarray(numbers).view(np.uint64) * _GOLDEN
        return (mixed >> self._shift).astype(np.int64)
