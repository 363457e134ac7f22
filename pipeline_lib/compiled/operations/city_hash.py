"""The hash by which CatBoost knows a category: the lower 32 bits of CityHash64, version 1.0, of its UTF-8 bytes.

CityHash is Google's; the formulas are those of city.cc of that version. Numbers are unsigned and wrap at 64 bits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import operation
from pipeline_lib.compiled.operations.text_columns import text_column

_K0, _K1, _K2, _K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
_PAIR = 0x9DDFEA08EB382D69
_ALL = 2**64 - 1
Pair = tuple[int, int]


def category_hash(text: str) -> int:
    """The hash of a text as a signed integer of 32 bits."""
    low = _city(text.encode("utf-8", "surrogatepass")) & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def _city(data: bytes) -> int:
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    return _up_to_64(data, size) if size <= 64 else _longer(data, size)


def _eight(data: bytes, at: int = 0) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _four(data: bytes, at: int = 0) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotated(value: int, bits: int) -> int:
    value &= _ALL
    return (value >> bits | value << (64 - bits)) & _ALL


def _mixed(value: int) -> int:
    value &= _ALL
    return value ^ value >> 47


def _of_pair(low: int, high: int) -> int:
    first = _mixed(((low ^ high) & _ALL) * _PAIR)
    return _mixed((high ^ first) * _PAIR) * _PAIR & _ALL


def _up_to_16(data: bytes, size: int) -> int:
    if size > 8:
        last = _eight(data, size - 8)
        return _of_pair(_eight(data), _rotated(last + size, size)) ^ last
    if size >= 4:
        return _of_pair(size + (_four(data) << 3), _four(data, size - 4))
    if size == 0:
        return _K2
    first, second = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
    return _mixed((first * _K2 & _ALL) ^ (second * _K3 & _ALL)) * _K2 & _ALL


def _up_to_32(data: bytes, size: int) -> int:
    first, second = _eight(data) * _K1 & _ALL, _eight(data, 8)
    last, before = _eight(data, size - 8) * _K2 & _ALL, _eight(data, size - 16) * _K0 & _ALL
    low = _rotated(first - second, 43) + _rotated(last, 30) + before
    return _of_pair(low & _ALL, first + _rotated(second ^ _K3, 20) - last + size & _ALL)


def _half(data: bytes, at: int, start: int) -> Pair:
    """What 32 bytes add up to."""
    total = start + _eight(data, at)
    low = _rotated(total + _eight(data, at + 24), 52)
    turned = _rotated(total, 37)
    total += _eight(data, at + 8)
    turned += _rotated(total, 7)
    total += _eight(data, at + 16)
    return total + _eight(data, at + 24) & _ALL, low + _rotated(total, 31) + turned & _ALL


def _up_to_64(data: bytes, size: int) -> int:
    first, second = _half(data, 0, (size + _eight(data, size - 16)) * _K0)
    third, fourth = _half(data, size - 32, _eight(data, 16))
    mixed = _mixed((first + fourth) * _K2 + (third + second) * _K0)
    return _mixed(mixed * _K0 + second) * _K2 & _ALL


def _weak(data: bytes, at: int, first: int, second: int) -> Pair:
    """A weak hash of 32 bytes with two seeds."""
    first += _eight(data, at)
    second = _rotated(second + first + _eight(data, at + 24), 21)
    kept = first
    first += _eight(data, at + 8) + _eight(data, at + 16)
    second += _rotated(first, 44)
    return first + _eight(data, at + 24) & _ALL, second + kept & _ALL


def _longer(data: bytes, size: int) -> int:
    x, y, z = _eight(data), _eight(data, size - 16) ^ _K1, _eight(data, size - 56) ^ _K0
    v, w = _weak(data, size - 64, size, y), _weak(data, size - 32, size * _K1 & _ALL, _K0)
    z += _mixed(v[1]) * _K1
    x, y = _rotated(z + x, 39) * _K1 & _ALL, _rotated(y, 33) * _K1 & _ALL
    for at in range(0, size - 1 & ~63, 64):
        x = _rotated(x + y + v[0] + _eight(data, at + 16), 37) * _K1 & _ALL
        y = _rotated(y + v[1] + _eight(data, at + 48), 42) * _K1 & _ALL
        x, y, z = x ^ w[1], y ^ v[0], _rotated(z ^ w[0], 33)
        v, w = _weak(data, at, v[1] * _K1 & _ALL, x + w[0]), _weak(data, at + 32, z + w[1], y)
        x, z = z, x
    return _of_pair(_of_pair(v[0], w[0]) + _mixed(y) * _K1 + z & _ALL, _of_pair(v[1], w[1]) + x & _ALL)


def _hashes(words: Sequence[str | None]) -> NDArray[np.float64]:
    return np.array([np.nan if word is None else float(category_hash(word)) for word in words])


def _column(text: Any) -> NDArray[np.float64]:
    return text_column(text).numbers("city_hash", _hashes)


operation(
    "city_hash",
    ("str",),
    "float64",
    doc="The lower 32 bits of the CityHash64 of a text, signed: how CatBoost knows a category. Of missing text NaN.",
    parameters=("text",),
    column=lambda settings: _column,
)
