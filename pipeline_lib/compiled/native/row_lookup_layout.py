"""Look-ups by several values of a row for the core: numbers of values and of pairs, for native/row_lookups.h."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.lookup_layout import RESULTS, cells_of
from pipeline_lib.compiled.native.words import WordTable
from pipeline_lib.compiled.operations.lookups import typed
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.row_lookups import KeyValues, keys_of

_KINDS = {"str": 0, "float64": 1, "int64": 2, "bool": 3}
_NONE = -1


def encode_lookup_rows(settings: Settings, dtypes: Sequence[str], words: WordTable) -> Encoded | None:
    """For each input its values, and the pairs with what is before it; None for inputs of other dtypes."""
    keys, gives = keys_of(settings), settings["gives"]
    if not set(dtypes) <= set(_KINDS) or not keys or any(len(key) != len(dtypes) for key in keys):
        return None
    ints, arrays, prefixes = list[int](), list[NDArray[Any]](), [0] * len(keys)
    for position, dtype in enumerate(dtypes):
        values = KeyValues([key[position] for key in keys])
        missing = values.number(None)
        ints += [_KINDS[dtype], len(values), missing if dtype == "float64" else _NONE]
        arrays += _numbers(values, dtype, words)
        pairs = [prefix * len(values) + values[key[position]] for prefix, key in zip(prefixes, keys, strict=True)]
        number = {pair: index for index, pair in enumerate(dict.fromkeys(pairs))}
        prefixes = [number[pair] for pair in pairs]
        if position == len(dtypes) - 1:  # each key has a pair of its own: its number is the key's
            number = {pair: index for index, pair in enumerate(pairs)}
        ordered = sorted(number)
        arrays += [np.array(ordered, dtype=np.int64), np.array([number[pair] for pair in ordered], dtype=np.int64)]
    results = [typed(value, gives) for value in (*settings["values"], settings["unseen"])]
    return Encoded(f"rows_{RESULTS[gives]}", ints, [*arrays, cells_of(results, gives, words)])


def _numbers(values: KeyValues, dtype: str, words: WordTable) -> list[NDArray[Any]]:
    """A number for each word; or the values that a dtype holds, in order, and their numbers."""
    if dtype == "str":
        by_word = [*(values.number(word) for word in words.words), _NONE, values.number(None)]
        return [np.array(by_word, dtype=np.int64), np.zeros(0, dtype=np.int64)]
    held, numbers = values.table(np.dtype(dtype))
    known = numbers != _NONE
    held = held[known].astype(np.float64 if dtype == "float64" else np.int64)
    return [held, numbers[known]]
