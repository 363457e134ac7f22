"""Settings of operations as keys, by which a builder finds an operation that it has written before."""

from typing import Any

import numpy as np

_HASHED = 64  # numbers of an array


def setting_key(setting: Any) -> Any:
    """A hashable key that tells settings apart by type and bits: 0.0 is not -0.0, and 1 is not 1.0 or True."""
    if type(setting) is str:
        return ("str", setting)
    if isinstance(setting, dict):
        return tuple([(setting_key(name), setting_key(value)) for name, value in setting.items()])
    if isinstance(setting, list | tuple):
        kinds = set(map(type, setting))
        if kinds in ({str}, {int}):  # there may be thousands of words
            return (kinds.pop().__name__, tuple(setting))
        return tuple(map(setting_key, setting))
    if isinstance(setting, np.ndarray):
        return _ArrayKey(setting)
    return (type(setting).__name__, setting.hex() if isinstance(setting, float) else setting)


class _ArrayKey:
    """An array as a key, by its bits; the hash is of its first numbers, since arrays may be large."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array
        self._start = (array.dtype.str, array.shape, array.flat[:_HASHED].tobytes())

    def __hash__(self) -> int:
        return hash(self._start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _ArrayKey) or self._start != other._start:
            return False
        return self._array is other._array or self._array.tobytes() == other._array.tobytes()
