"""A hash table from integers to their index in a list, looked up for a whole column at once.

A look-up of a long list (postal codes, product numbers) by binary search reads a key at each of log2(n) steps, and
most of these reads miss the processor's cache. A hash table reads one or two entries.

Open addressing with linear probing: an entry lies at its hash, or in the next free slot behind it.

    keys [20, 12, 41]; their hashes are 5, 6, 5
    slot      ...   4   5   6   7   8   ...  15
    key                41  12  20
    index          -1   2   1   0  -1            -1: the slot is free

    look up 20: slots 5 and 6 hold other keys, slot 7 holds 20, its index is 0
    look up 54 (hash 5): slots 5 to 7 hold other keys, slot 8 is free: 54 is not in the list

NumPy has no loop over rows here: each pass handles all rows that have not found their key or a free slot yet. At most
half of the slots are taken, so the passes are few.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: Fibonacci hashing spreads neighbours (Knuth 6.4)


class IntegerIndex:
    """The index of each of some distinct int64 `keys` in their list.

    >>> IntegerIndex(np.array([20, 12, 41]))(np.array([41, 54]))
    array([ 2, -1])
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        bits = max(4, int(2 * len(keys) - 1).bit_length())  # at most half of the slots are taken
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.zeros(1 << bits, dtype=np.int64)
        self._indices = np.full(1 << bits, -1, dtype=np.int64)
        self._fill(np.asarray(keys, dtype=np.int64))

    def _fill(self, keys: NDArray[np.int64]) -> None:
        slots, left = self._slots(keys), np.arange(len(keys))
        while len(left):
            free = self._indices[slots] < 0
            self._indices[slots[free]] = left[free]  # of several keys for one slot the last one stays
            self._keys[slots[free]] = keys[left[free]]
            lost = self._indices[slots] != left
            slots, left = (slots[lost] + 1) & self._mask, left[lost]

    def __call__(self, numbers: Any) -> NDArray[np.int64]:
        """The index of each number (int64), -1 where it is not in the list."""
        slots = self._slots(numbers)
        indices = self._indices[slots]
        left = np.flatnonzero((indices >= 0) & (self._keys[slots] != numbers))
        slots = slots[left]
        while len(left):
            slots = (slots + 1) & self._mask
            indices[left] = self._indices[slots]
            again = (indices[left] >= 0) & (self._keys[slots] != numbers[left])
            left, slots = left[again], slots[again]
        return indices

    def _slots(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        mixed = np.asarray(numbers).view(np.uint64) * _GOLDEN
        return (mixed >> self._shift).astype(np.int64)
