"""Parts of a text, and numbers written as text."""

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import TEXT
from pipeline_lib.compiled.operations.text_columns import text_column
from pipeline_lib.errors import InputError

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def extracted(pattern: str, word: str | None) -> str | None:
    """The first group of the first match of `pattern`; None where nothing matches and for missing text."""
    match = None if word is None else re.search(pattern, word, re.ASCII)
    return match[1] if match else None


def parsed_number(word: str | None) -> float | None:
    """The decimal number that is the whole text, rounded once; NaN for missing text, None for other text.

    >>> parsed_number("1.5e3"), parsed_number("1,500"), parsed_number(None)
    (1500.0, None, nan)
    """
    if word is None:
        return math.nan
    number = float(word) if _NUMBER.fullmatch(word) else math.inf
    return number if math.isfinite(number) else None


def _bind_extract(settings: Settings) -> Callable[[Any], Any]:
    pattern, key = settings["pattern"], object()

    def extract(text: Any) -> Any:
        text = text_column(text)
        return text.texts(key, lambda words: [extracted(pattern, word) for word in words])

    return extract


# re.ASCII: the Unicode tables behind \w and \d differ between Pythons.
operation(
    "extract",
    ("str",),
    "str",
    doc="The first group of a regular expression's first match, its classes being ASCII's; else missing.",
    settings={"pattern": TEXT},
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
    numbers_key, good_key = object(), object()  # of this operation in the words' cache

    def number(text: Any) -> Any:
        text = text_column(text)
        good = text.numbers(good_key, lambda words: np.array([parsed_number(word) is not None for word in words]))
        refuse(text, good, partial(_no_number, settings))
        return text.numbers(numbers_key, lambda words: np.array([_or_zero(parsed_number(word)) for word in words]))

    return number


def _bind_number_row(settings: Settings) -> Callable[[str | None], float]:
    def number(word: str | None) -> float:
        value = parsed_number(word)
        if value is None:
            raise InputError(_no_number(settings, word))
        return value

    return number


operation(
    "parse_number",
    ("str",),
    "float64",
    doc="The decimal number written as text; missing is NaN, other text is refused.",
    settings={"name": TEXT, "where": TEXT},
    column=_bind_number,
    row=_bind_number_row,
)
