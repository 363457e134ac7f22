"""The columns that an XGBoost model reads: numbers, and categories as numbers.

XGBoost 3.2 stores the names of categories as the bytes of all of them, joined, with the end of each counted in
characters. With a letter beyond ASCII the bytes are more than the characters, and those at the end are not stored:

    Åre, Łódź     bytes c3 85 72 65 c5 81 c3 | b3 64 c5 ba     ends 3, 7: the bytes after the seventh are lost

Names that are lost are taken from the step before, where it knows them.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.registry import NoPlanError, state_error
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.known_words import known_words


def coded_inputs(
    step: Any, values: Sequence[Value], encodings: Sequence[dict[str, Any]], build: Builder
) -> list[Value]:
    """The columns as numbers; a category becomes its index among those of the training rows."""
    names = column_names(step, values)
    if len(encodings) != len(values):
        return list(values)
    return [
        _coded(step, build, value, name, encoding) if encoding["values"] else _number(step, value, name)
        for value, encoding, name in zip(values, encodings, names, strict=True)
    ]


def _number(step: Any, value: Value, name: str) -> Value:
    if value.dtype in ("str", "datetime"):
        raise state_error(step, f"{value.dtype} column {name!r}", "numbers, or a category column as in training")
    return value


def _coded(step: Any, build: Builder, value: Value, name: str, encoding: dict[str, Any]) -> Value:
    """Each category's index; an unseen one is refused, where XGBoost raises or takes the next category for it."""
    words = _names(step, value, name, encoding) if "offsets" in encoding else list(encoding["values"])
    indices = {word: float(index) for index, word in enumerate(words)}
    return build.lookup(
        value, indices, "float64", missing=math.nan, mode="refuse", name=name, where=type(step).__name__
    )


def _names(step: Any, value: Value, name: str, encoding: dict[str, Any]) -> list[str]:
    """The names of a column's categories, in the order of their numbers."""
    stored, ends = bytes(number & 255 for number in encoding["values"]), encoding["offsets"]
    text = stored.decode(errors="ignore")
    if len(text) == ends[-1]:
        return [text[start:end] for start, end in pairwise(ends)]
    known = list(known_words(value))
    if "".join(known).startswith(text) and [len(word) for word in known] == [e - s for s, e in pairwise(ends)]:
        return known
    raise NoPlanError(
        f"{type(step).__name__}: found categories of column {name!r} of which the model stores only {text!r}, expected "
        "all their letters: XGBoost loses bytes of letters beyond ASCII; put feature-engine's MatchCategories before "
        "the model"
    )
