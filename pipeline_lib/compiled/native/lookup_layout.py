"""Look-ups, choices and tests of text for the core: a table with a value for each word of the plan."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.word_index import texts, word_index
from pipeline_lib.compiled.native.words import WordTable
from pipeline_lib.compiled.operations.lookups import array_of, typed
from pipeline_lib.compiled.operations.registry import Settings

RESULTS = {"float64": "float", "int64": "int", "datetime": "int", "duration": "int", "bool": "bool", "str": "word"}
_MODES = {"default": 0, "keep": 1, "refuse": 2}
_EXACT = 2**53


def cells_of(values: Sequence[Any], gives: str, words: WordTable) -> NDArray[Any]:
    """Typed values of a table as an array of the core."""
    if gives == "str":
        return np.array([words.number(value) for value in values], dtype=np.int32)
    array = array_of(values, gives)
    return array.astype(np.uint8) if gives == "bool" else array


def encode_lookup(settings: Settings, words: WordTable) -> Encoded:
    """`lookup`: the value of every word of the plan, of any other word and of missing."""
    gives, mode = settings["gives"], settings["mode"]
    table = dict(zip(settings["keys"], (typed(value, gives) for value in settings["values"]), strict=True))
    unseen = typed(settings["unseen"], gives)
    missing = typed(settings["missing"], gives)
    keeps = mode == "keep"
    values = [table.get(word, word if keeps else unseen) for word in words.words]
    cells = cells_of([*values, None if keeps else unseen, missing], gives, words)
    if keeps:
        cells[words.other] = words.other
    arrays: list[NDArray[Any]] = [cells]
    if mode == "refuse":
        refused = [word not in table for word in words.words]
        arrays.append(np.array([*refused, True, settings["missing"] is None], dtype=np.uint8))
    return Encoded(f"word_{RESULTS[gives]}", (), arrays)


def encode_lookup_text(settings: Settings) -> Encoded:
    """`lookup` that keeps texts without a key: an index of the keys, a value of each and of missing."""
    values = [typed(value, "str") for value in [*settings["values"], settings["missing"]]]
    missing = np.array([value is None for value in values], dtype=np.uint8)
    return Encoded(
        "lookup_text", (), [*word_index(settings["keys"]), *texts([value or "" for value in values]), missing]
    )


def encode_lookup_number(settings: Settings, dtype: str, words: WordTable) -> Encoded | None:
    """`lookup_number`: ascending keys of the input's type and their values; None for bools and mixed keys."""
    gives, mode = settings["gives"], settings["mode"]
    keys = np.array(settings["keys"]) if settings["keys"] else np.zeros(0, dtype=np.int64)
    whole = dtype != "float64"
    if dtype == "bool" or keys.dtype.kind not in ("i" if whole else "if") or (mode == "keep" and whole):
        return None
    if not whole and keys.dtype.kind == "i" and any(abs(int(key)) > _EXACT for key in keys):
        return None
    keys = keys.astype(np.int64 if whole else np.float64)
    if len(set(keys.tolist())) < len(keys) or np.isnan(keys).any():
        return None  # which of equal keys is found depends on the search
    order = np.argsort(keys, kind="stable")
    values = [typed(settings["values"][index], gives) for index in order]
    ends = [typed(settings["missing"], gives), typed(settings["unseen"], gives)]
    refuses_missing = int(mode == "refuse" and settings["missing"] is None)
    name = f"{'int' if whole else 'float'}_{RESULTS[gives]}"
    return Encoded(name, (_MODES[mode], refuses_missing), [keys[order], cells_of([*values, *ends], gives, words)])


def encode_choose(settings: Settings, words: WordTable) -> Encoded:
    """`choose`: the values of a list."""
    gives = settings["gives"]
    values = [typed(value, gives) for value in settings["values"]]
    return Encoded(f"choose_{RESULTS[gives]}", (), [cells_of(values, gives, words)])


def encode_missing_text(words: WordTable) -> Encoded:
    """`is_missing` of text."""
    cells = np.zeros(words.size, dtype=np.uint8)
    cells[words.missing] = 1
    return Encoded("word_bool", (), [cells])
