"""Parts of a text, and numbers written in it."""

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def extracted(pattern: str, word: str | None) -> str | None:
    """The first group of the first place where `pattern` matches; None where it matches nowhere, or no text is."""
    found = None if word is None else re.search(pattern, word, re.ASCII)
    return found[1] if found else None


def parsed_number(word: str | None) -> float | None:
    """The decimal number that is the whole text, rounded once; NaN for no text, None for any other text."""
    if word is None:
        return math.nan
    number = float(word) if _NUMBER.fullmatch(word) else math.inf
    return number if math.isfinite(number) else None


def _bind_extract(settings: Settings) -> Callable[[Any], Any]:
    pattern, key = settings["pattern"], object()

    def extract(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        return text.texts(key, lambda words: [extracted(pattern, word) for word in words])

    return extract


# A part of a text: the first group of `pattern`, a regular expression whose classes (\w, \d, ...) are ASCII's, as
# Unicode's differ between Pythons.
operation(
    "extract",
    ("str",),
    "str",
    column=_bind_extract,
    row=lambda settings: partial(extracted, settings["pattern"]),
)


def _no_number(settings: Settings, word: str | None) -> str:
    return (
        f"{settings['where']}: found {shown(settings, word)} in column {settings['name']!r}, "
        "expected a decimal number; correct the row, or name the text as a mark of missing"
    )


def _or_zero(number: float | None) -> float:
    return 0.0 if number is None else number


def _bind_number(settings: Settings) -> Callable[[Any], Any]:
    key, readable = object(), object()

    def number(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        good = text.numbers(readable, lambda words: np.array([parsed_number(word) is not None for word in words]))
        refuse(text, good, partial(_no_number, settings))
        return text.numbers(key, lambda words: np.array([_or_zero(parsed_number(word)) for word in words]))

    return number


def _bind_number_row(settings: Settings) -> Callable[[str | None], float]:
    def number(word: str | None) -> float:
        found = parsed_number(word)
        if found is None:
            raise InputError(_no_number(settings, word))
        return found

    return number


# The number that a text holds; missing is NaN, any other text is refused.
operation("parse_number", ("str",), "float64", column=_bind_number, row=_bind_number_row)
