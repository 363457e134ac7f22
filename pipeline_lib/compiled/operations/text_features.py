"""Features of a text, as feature-engine's TextFeatures computes them, and dates written as text."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.calendar import DAY, HOUR, MINUTE, SECOND, days_from_civil, days_in_month
from pipeline_lib.compiled.operations.refusals import NAT, refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import TEXT, one_of, optional
from pipeline_lib.compiled.operations.text_columns import column_of_words, text_column
from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.compiled.operations.unicode_tables import lower, members
from pipeline_lib.errors import InputError

_SENTENCE_END = re.compile("[.!?]+")
_ENDS_SENTENCE = re.compile(r".*[.!?]$")
_UPPER, _LOWER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), frozenset("abcdefghijklmnopqrstuvwxyz")
_LETTERS = _UPPER | _LOWER
_PLAIN = _LETTERS | frozenset("0123456789")


class _Counts:
    """Features of one text by frozen tables of characters; each public method is one of TextFeatures'.

    `words` and `number` are helpers and no features.
    """

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
        visible = [index for index, char in enumerate(text) if char not in self.spaces]
        return (visible[-1] + 1 - visible[0]) / words

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


# `spaces` and `digits` are sets of characters, frozen by `unicode_tables`; `small` is the lower case of `capitals`.
operation(
    "text_feature",
    ("str",),
    _dtype,
    doc="A count or ratio over a text's characters and words; missing text counts as empty.",
    settings={"feature": one_of(TEXT_FEATURES), "spaces": TEXT, "digits": TEXT, "capitals": TEXT, "small": TEXT},
    column=lambda settings: column_of_words(_bind_feature_row(settings), _dtype(settings)),
    row=_bind_feature_row,
)


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
_EMPTY_DATES = frozenset({"", "NaT", "nat", "NAT", "nan", "NaN", "NAN"})  # pandas reads these as missing
_OTHER_DATE = re.compile(r"^\s*(now|today)\s*$|^\s*[-+]|(?<![0-9])0000", re.IGNORECASE | re.ASCII)
_MICROSECONDS = re.compile(r"[0-9]{7}|\.$")  # more digits than six, or none after the point
_LIKE_ASCII = "\u017f\u212a\u0130\u0131"  # characters that match s, k and i where case is ignored
_PART = re.compile(r"%(.)|(\s+)|([^%\s]+)", re.DOTALL)


def _pattern(form: str) -> re.Pattern[str]:
    parts = []
    for directive, space, literal in _PART.findall(form):
        if directive and directive != "%":
            parts.append(f"(?P<{directive}>{_DIRECTIVES[directive]})")
        else:
            parts.append(r"\s+" if space else re.escape(literal or "%"))
    return re.compile("".join(parts), re.ASCII | re.IGNORECASE)


def _timestamp(parts: dict[str, str]) -> int | None:
    """Microseconds of a date's parts, None where there is no such date.

    As in pandas, second 60 runs into the next minute, and a day of the year past the last into the next year.
    """
    year = int(parts.get("Y", 1900))
    if "y" in parts:
        year = int(parts["y"]) + (2000 if int(parts["y"]) <= 68 else 1900)
    month, day = int(parts.get("m", 1)), int(parts.get("d", 1))
    if year == 0 or day > days_in_month(year, month):
        return None
    days = days_from_civil(year, month, day) + int(parts.get("j", 1)) - 1
    clock = int(parts.get("H", 0)) * HOUR + int(parts.get("M", 0)) * MINUTE + int(parts.get("S", 0)) * SECOND
    return int(days * DAY + clock + int(parts.get("f", "0").ljust(6, "0")))


def _bind_reading(settings: Settings) -> Callable[[str | None], int | None]:
    pattern = _pattern(settings["format"])
    to_missing = settings.get("errors") == "missing"

    def read(word: str | None) -> int | None:
        if word is None or word in _EMPTY_DATES:
            return NAT
        match = pattern.match(word)
        # as pandas: the first match must reach the end of the text, other ways to match are not tried
        timestamp = _timestamp(match.groupdict()) if match is not None and match.end() == len(word) else None
        return NAT if timestamp is None and to_missing and not _may_be_date(word, settings["format"]) else timestamp

    return read


def _may_be_date(word: str, form: str) -> bool:
    """Whether pandas may read a date in a text in which `_pattern` finds none.

    It knows "now" and "today", years before 1, parts of microseconds, a point without digits, and digits and spaces
    beyond ASCII.
    """
    if word.isascii():
        return bool(_OTHER_DATE.search(word) or ("%f" in form and _MICROSECONDS.search(word)))
    return not is_known(word) or any(char.isdecimal() or char.isspace() or char in _LIKE_ASCII for char in word)


def _undated(settings: Settings, word: str | None) -> str:
    return (
        f"{settings['where']}: found {shown(settings, word)} in column {settings['name']!r}, "
        f"expected a date written as {settings['format']!r}; correct the row, or the step's format"
    )


def _bind_date(settings: Settings) -> Callable[[Any], Any]:
    read = _bind_reading(settings)
    dates_key, good_key = object(), object()  # of this operation in the words' cache

    def date(text: Any) -> Any:
        text = text_column(text)
        good = text.numbers(good_key, lambda words: np.array([read(word) is not None for word in words]))
        refuse(text, good, partial(_undated, settings))
        return text.numbers(dates_key, lambda words: np.array([read(word) or 0 for word in words], dtype=np.int64))

    return date


def _bind_date_row(settings: Settings) -> Callable[[str | None], int]:
    read = _bind_reading(settings)

    def date(word: str | None) -> int:
        timestamp = read(word)
        if timestamp is None:
            raise InputError(_undated(settings, word))
        return timestamp

    return date


operation(
    "parse_date",
    ("str",),
    "datetime",
    doc="The date written as text in a strptime `format`; other text is refused, or missing by `errors`.",
    settings={"format": TEXT, "name": TEXT, "where": TEXT, "errors": optional(one_of(("refuse", "missing")))},
    column=_bind_date,
    row=_bind_date_row,
)
