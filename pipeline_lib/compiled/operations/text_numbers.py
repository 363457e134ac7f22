"""Numbers written as text: read as Python and pandas read them, and written."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.integers import INT
from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import TEXT, one_of, optional
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words, text_column
from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.errors import InputError

_INFINITE = ("inf", "infinity")
Reader = Callable[[str | None], Any]


def python_number(word: str | None) -> float | None:
    """`float(word)`; NaN for a missing text, None where Python raises an error.

    Digits and spaces beyond ASCII count, as far as every supported Python knows them.

    >>> python_number(" 1_000 "), python_number("1,5")
    (1000.0, None)
    """
    if word is None:
        return math.nan
    try:
        return float(word) if is_known(word) else None
    except ValueError:
        return None


def pandas_number(word: str | None) -> float | None:
    """The number that `pandas.to_numeric` reads; NaN for a missing text, None where it reads none.

    It takes what `float` takes but for characters beyond ASCII, underscores, and spaces around an infinity.
    """
    number = python_number(word)
    if word is None or number is None:
        return number
    body = word.strip()
    surrounded = body != word and body.lstrip("+-").lower() in _INFINITE
    return None if surrounded or not word.isascii() or "_" in word else number


def python_integer(word: str | None) -> int | None:
    """`int(word)`; None where Python raises an error, and beyond 64 bits."""
    try:
        number = int(word) if word is not None and is_known(word) else INT
    except ValueError:
        return None
    return number if -INT <= number < INT else None


_READERS: dict[str, Reader] = {"python": python_number, "pandas": pandas_number}


def _message(settings: Settings, word: str | None) -> str:
    if "where" not in settings:  # then a plan cannot say that the value is sensitive
        return "found text that is no number, expected a number as text; correct the row"
    column = f" in column {settings['name']!r}" if "name" in settings else ""
    return f"{settings['where']}: found {shown(settings, word)}{column}, expected a number as text; correct the row"


def _bind(read: Reader, settings: Settings, otherwise: Any, dtype: str) -> Callable[[Any], Any]:
    """The function of a column; texts that are no numbers become `otherwise`, or are refused if that is None."""
    numbers_key, good_key = object(), object()  # of this operation in the words' cache

    def value(word: str | None) -> Any:
        number = read(word)
        return number if number is not None else 0 if otherwise is None else otherwise

    def numbers(text: Any) -> Any:
        text = text_column(text)
        if otherwise is None:
            good = text.numbers(good_key, lambda words: np.array([read(word) is not None for word in words]))
            refuse(text, good, partial(_message, settings))
        return text.numbers(numbers_key, lambda words: np.array([value(word) for word in words], dtype=dtype))

    return numbers


def _bind_row(read: Reader, settings: Settings, otherwise: Any) -> Callable[[str | None], Any]:
    def number(word: str | None) -> Any:
        value = read(word)
        if value is not None:
            return value
        if otherwise is None:
            raise InputError(_message(settings, word))
        return otherwise

    return number


def _otherwise(settings: Settings) -> float | None:
    return None if settings.get("errors") == "refuse" else math.nan


_OWNER = {"name": optional(TEXT), "where": optional(TEXT)}  # the column's name and the step's, for the message
operation(
    "number_of_text",
    ("str",),
    "float64",
    doc="The number in a text, as `float` or pandas.to_numeric; other text is NaN, or refused by `errors`.",
    parameters=("text",),
    settings={"how": one_of(tuple(_READERS)), "errors": optional(one_of(("missing", "refuse"))), **_OWNER},
    column=lambda settings: _bind(_READERS[settings["how"]], settings, _otherwise(settings), "float64"),
    row=lambda settings: _bind_row(_READERS[settings["how"]], settings, _otherwise(settings)),
)
operation(
    "int_of_text",
    ("str",),
    "int64",
    doc="The integer in a text, as `int`; missing and other text, and what 64 bits do not hold, is refused.",
    parameters=("text",),
    settings=_OWNER,
    column=lambda settings: _bind(python_integer, settings, None, "int64"),
    row=lambda settings: _bind_row(python_integer, settings, None),
    abs_max=lambda settings, maxima: float(INT),
)


def _bind_text(settings: Settings) -> Callable[[Any], Any]:
    python = settings["how"] == "python"

    def texts(numbers: Any) -> TextColumn:
        numbers = np.atleast_1d(np.asarray(numbers))
        distinct, codes = np.unique(_bits(numbers), return_inverse=True)
        words: list[str | None] = [str(number) for number in distinct.view(numbers.dtype).tolist()]
        if not python:
            words = [None if word == "nan" else word for word in words]
        return TextColumn(codes.astype(np.int32), Words([*words, None]))

    return texts


def _bits(numbers: NDArray[Any]) -> NDArray[Any]:
    """Floats as integers: 0.0 and -0.0 are two texts."""
    return np.ascontiguousarray(numbers).view(np.int64) if numbers.dtype == np.float64 else numbers


def _bind_text_row(settings: Settings) -> Callable[[Any], str | None]:
    if settings["how"] == "python":
        return str
    return lambda number: None if number != number else str(number)


operation(
    "text_of_number",
    ("float64|int64|bool",),
    "str",
    doc="The number as text, as Python's `str`, or as pandas' astype(str), which keeps missing ones missing.",
    settings={"how": one_of(("python", "pandas"))},
    column=_bind_text,
    row=_bind_text_row,
)
