"""Text: what is counted in it, and dates written in it."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.calendar import DAY, HOUR, MINUTE, SECOND, days_from_civil, days_in_month
from pipeline_lib.compiled.operations.refusals import NAT, refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_tables import lower, members
from pipeline_lib.errors import InputError

_SENTENCE_END = re.compile("[.!?]+")
_ENDS_SENTENCE = re.compile(r".*[.!?]$")
_UPPER, _LOWER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), frozenset("abcdefghijklmnopqrstuvwxyz")
_LETTERS = _UPPER | _LOWER
_PLAIN = _LETTERS | frozenset("0123456789")


class _Counts:
    """What is counted in one text, by frozen tables; each method is a feature of feature-engine's TextFeatures."""

    def __init__(self, settings: Settings) -> None:
        self.spaces = members(settings["spaces"])
        self.digits = members(settings["digits"])
        self.table = dict(zip(settings["capitals"], settings["small"], strict=True))

    def words(self, text: str) -> list[str]:
        for space in self.spaces:
            text = text.replace(space, " ")
        return [word for word in text.split(" ") if word]

    def number(self, text: str, characters: frozenset[str]) -> int:
        return sum([char in characters for char in text])

    def char_count(self, text: str) -> int:
        return len(text) - self.whitespace_count(text)

    def word_count(self, text: str) -> int:
        return len(self.words(text))

    def sentence_count(self, text: str) -> int:
        return len(_SENTENCE_END.findall(text))

    def avg_word_length(self, text: str) -> float:
        words = self.word_count(text)
        if not words:
            return 0.0
        solid = [place for place, char in enumerate(text) if char not in self.spaces]
        return (solid[-1] + 1 - solid[0]) / words

    def digit_count(self, text: str) -> int:
        return self.number(text, self.digits)

    def letter_count(self, text: str) -> int:
        return self.number(text, _LETTERS)

    def uppercase_count(self, text: str) -> int:
        return self.number(text, _UPPER)

    def lowercase_count(self, text: str) -> int:
        return self.number(text, _LOWER)

    def special_char_count(self, text: str) -> int:
        return len(text) - self.number(text, _PLAIN | self.spaces)

    def whitespace_count(self, text: str) -> int:
        return self.number(text, self.spaces)

    def whitespace_ratio(self, text: str) -> float:
        return self.whitespace_count(text) / (len(text) or 1)

    def digit_ratio(self, text: str) -> float:
        return self.digit_count(text) / (self.char_count(text) or 1)

    def uppercase_ratio(self, text: str) -> float:
        return self.uppercase_count(text) / (self.char_count(text) or 1)

    def has_digits(self, text: str) -> int:
        return int(self.digit_count(text) > 0)

    def has_uppercase(self, text: str) -> int:
        return int(self.uppercase_count(text) > 0)

    def is_empty(self, text: str) -> int:
        return int(not text)

    def starts_with_uppercase(self, text: str) -> int:
        return int(text[:1] in _UPPER)

    def ends_with_punctuation(self, text: str) -> int:
        return int(_ENDS_SENTENCE.match(text) is not None)

    def unique_word_count(self, text: str) -> int:
        return len(set(self.words(lower(text, self.table))))

    def lexical_diversity(self, text: str) -> float:
        unique = self.unique_word_count(text)
        return self.word_count(text) / unique if unique else 0.0


TEXT_FEATURES = tuple(name for name in vars(_Counts) if name not in ("words", "number") and name[0] != "_")
_FRACTIONS = ("avg_word_length", "whitespace_ratio", "digit_ratio", "uppercase_ratio", "lexical_diversity")


def _dtype(settings: Settings, dtypes: Sequence[str] = ()) -> str:
    return "float64" if settings["feature"] in _FRACTIONS else "int64"


def _bind_feature_row(settings: Settings) -> Callable[[str | None], Any]:
    count = getattr(_Counts(settings), settings["feature"])
    return lambda text: count(text or "")


def _bind_feature(settings: Settings) -> Callable[[Any], Any]:
    count, key, dtype = _bind_feature_row(settings), object(), _dtype(settings)

    def feature(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        return text.numbers(key, lambda words: np.array([count(word) for word in words], dtype=dtype))

    return feature


# One of `TEXT_FEATURES` of a text, missing as ""; settings: spaces and digits as `characters` freezes them, and the
# lower case of `capitals`.
operation("text_feature", ("str",), _dtype, column=_bind_feature, row=_bind_feature_row)


# Source of the patterns: pandas/_libs/tslibs/strptime.pyx (TimeRE), with digits of ASCII only.
_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "1[0-2]|0[1-9]|[1-9]",
    "d": "3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]",
    "j": "36[0-6]|3[0-5][0-9]|[1-2][0-9][0-9]|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9]",
    "H": "2[0-3]|[0-1][0-9]|[0-9]",
    "M": "[0-5][0-9]|[0-9]",
    "S": "6[0-1]|[0-5][0-9]|[0-9]",
    "f": "[0-9]{1,6}",
}
DATE_DIRECTIVES = frozenset(_DIRECTIVES)
_EMPTY_DATES = frozenset({"", "NaT", "nat", "NAT", "nan", "NaN", "NAN"})  # missing for pandas
_PART = re.compile(r"%(.)|(\s+)|([^%\s]+)", re.DOTALL)


def _pattern(form: str) -> re.Pattern[str]:
    parts = []
    for directive, space, literal in _PART.findall(form):
        if directive and directive != "%":
            parts.append(f"(?P<{directive}>{_DIRECTIVES[directive]})")
        else:
            parts.append(r"\s+" if space else re.escape(literal or "%"))
    return re.compile("".join(parts), re.ASCII | re.IGNORECASE)


def _moment(found: dict[str, str]) -> int | None:
    """Microseconds of the parts of a date; seconds and days of the year past the last count on, as in pandas."""
    year = int(found.get("Y", 1900))
    if "y" in found:
        year = int(found["y"]) + (2000 if int(found["y"]) <= 68 else 1900)
    month, day = int(found.get("m", 1)), int(found.get("d", 1))
    if year == 0 or day > days_in_month(year, month):
        return None
    days = days_from_civil(year, month, day) + int(found.get("j", 1)) - 1
    clock = int(found.get("H", 0)) * HOUR + int(found.get("M", 0)) * MINUTE + int(found.get("S", 0)) * SECOND
    return int(days * DAY + clock + int(found.get("f", "0").ljust(6, "0")))


def _bind_reading(settings: Settings) -> Callable[[str | None], int | None]:
    pattern = _pattern(settings["format"])

    def read(word: str | None) -> int | None:
        if word is None or word in _EMPTY_DATES:
            return NAT
        found = pattern.match(word)
        # as pandas: no other way to match is tried to reach the end of the text
        return _moment(found.groupdict()) if found is not None and found.end() == len(word) else None

    return read


def _undated(settings: Settings, word: str | None) -> str:
    return (
        f"{settings['where']}: found {shown(settings, word)} in column {settings['name']!r}, "
        f"expected a date written as {settings['format']!r}; correct the row, or the step's format"
    )


def _bind_date(settings: Settings) -> Callable[[Any], Any]:
    read, key, dated = _bind_reading(settings), object(), object()

    def date(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        good = text.numbers(dated, lambda words: np.array([read(word) is not None for word in words]))
        refuse(text, good, partial(_undated, settings))
        return text.numbers(key, lambda words: np.array([read(word) or 0 for word in words], dtype=np.int64))

    return date


def _bind_date_row(settings: Settings) -> Callable[[str | None], int]:
    read = _bind_reading(settings)

    def date(word: str | None) -> int:
        moment = read(word)
        if moment is None:
            raise InputError(_undated(settings, word))
        return moment

    return date


# The date that a text holds, written in a strptime format of `DATE_DIRECTIVES`; other text is refused.
operation("parse_date", ("str",), "datetime", column=_bind_date, row=_bind_date_row)
