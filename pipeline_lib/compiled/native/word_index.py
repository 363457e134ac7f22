"""Words by hash, as native/word_index.h reads them, and other tables of text: sets of characters, maps between them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
_FACTOR, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_NUMBER_BITS, _CELL = 21, 8
_SLOTS_OF_A_WORD = 3  # a third of the slots is taken: a search ends after one or two
MOST_WORDS = 2**_NUMBER_BITS - 2


def word_index(words: Sequence[str]) -> list[Array]:
    """Slots, starts and bytes of distinct words; at most `MOST_WORDS`. Half of a surrogate pair is in no text."""
    starts, data = texts(words)
    hashes, count = _hashes(starts, data), len(words)
    size = 1 << (_SLOTS_OF_A_WORD * count).bit_length()
    slots, pending = np.zeros(size, dtype=np.uint32), np.arange(count)
    entries = (hashes >> np.uint64(64 - 32 + _NUMBER_BITS)).astype(np.uint32) << np.uint32(_NUMBER_BITS)
    entries |= np.arange(1, count + 1, dtype=np.uint32)
    step = 0
    while len(pending):  # each takes the first slot from its hash on that is free
        at = ((hashes[pending] + np.uint64(step)) & np.uint64(size - 1)).astype(np.int64)
        free = np.flatnonzero(slots[at] == 0)
        taken, first = np.unique(at[free], return_index=True)
        slots[taken] = entries[pending[free[first]]]
        pending, step = np.delete(pending, free[first]), step + 1
    return [slots.view(np.int32), starts, data]


def texts(values: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Where each text begins in the bytes of all, with the end of the last, and these bytes."""
    parts = [value.encode("utf-8", "surrogatepass") for value in values]
    starts = np.cumsum([0, *map(len, parts)]).astype(np.int32)
    return starts, np.frombuffer(b"".join(parts), dtype=np.uint8)


def ranges(pairs: Sequence[Sequence[int]]) -> Array | None:
    """A set of characters; None unless its ranges ascend."""
    ends = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    if (ends[:, 0] > ends[:, 1]).any() or (ends[1:, 0] <= ends[:-1, 1]).any():
        return None
    return ends.astype(np.int32).ravel()


def character_map(table: Mapping[str, str]) -> list[Array]:
    """Code points beyond ASCII and what they become; other keys are left out."""
    changed = sorted(char for char in table if len(char) == 1 and char >= "\x80")
    return [np.array([ord(char) for char in changed], dtype=np.int32), *texts([table[char] for char in changed])]


def _hashes(starts: NDArray[np.int32], data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hash of each text, 8 bytes at a time; native/word_index.h has the same function."""
    padded = np.concatenate([data, np.zeros(2 * _CELL, dtype=np.uint8)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _CELL)
    lengths = np.diff(starts).astype(np.int64)
    hashes, at = lengths.astype(np.uint64) * _FACTOR, starts[:-1].astype(np.int64)
    long = np.flatnonzero(lengths >= _CELL)
    while len(long):
        hashes[long] = _mixed(hashes[long], _cells(windows, at[long]))
        at[long] += _CELL
        lengths[long] -= _CELL
        long = long[lengths[long] >= _CELL]
    ones = (np.uint64(1) << (lengths * _CELL).astype(np.uint64)) - np.uint64(1)
    return _mixed(hashes, _cells(windows, at) & ones)


def _cells(windows: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    result: NDArray[np.uint64] = np.ascontiguousarray(windows[at]).view("<u8").ravel().astype(np.uint64)
    return result


def _mixed(hashes: NDArray[np.uint64], parts: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed: NDArray[np.uint64] = hashes ^ parts
    mixed = (mixed ^ mixed >> np.uint64(32)) * _MIX
    return mixed ^ mixed >> np.uint64(32)
