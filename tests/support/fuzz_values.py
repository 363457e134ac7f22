"""Random values of the fuzz: the rows of its tables, and the arguments of its calls."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 7.0, 10.0, 0.1, 1e-3, -12.25, 99.99, 12345.678, 1e15)
INTEGERS = (0, 1, -1, 2, 3, -3, 5, 7, 10, 12, 100, -45, 1999, 2010, 12345)
_FAR_FLOATS = (math.inf, -math.inf, 1e300, -1e300, 5e-324, 2.0**53, -(2.0**53), 1e16, 0.30000000000000004)
TEXTS = (
    *(
        "",
        " ",
        "a",
        "A",
        "b",
        "ab",
        "A b",
        "Mr. Smith",
        "Braund, Mr. Owen",
        "C85",
        "C85 C87",
        "x1y22z",
        "one two  three",
    ),
    *(
        "ß",
        "é",
        "Straße",
        "İ",
        "0",
        "7",
        "-7",
        "007",
        "1.5",
        " 12 ",
        "1e3",
        "1,5",
        "nan",
        "None",
        "True",
        "N/A",
        "a,b,c",
    ),
    *("2020-01-31", "2021-12-01", "low", "mid", "high", "yes", "no", "a-b_c", "tab\tend", "UPPER lower"),
)
_DATES = (
    *("1970-01-01", "2000-02-29", "1999-12-31T23:59:59", "2000-01-01", "2001-01-01", "2004-12-31", "2009-01-01"),
    *("2010-01-03", "2021-03-28T02:30:00", "1900-03-01", "2100-12-31T12:00:00", "2019-06-30T06:07:08", "1969-12-31"),
    *("1969-12-31T23:59:59.999999", "2000-12-31T23:59:59.5"),
)
_DAYS = ("2020-01-31", "2021-12-01", "1999-02-28", "2000-02-29", "1970-01-01", "2021-02-30", "unknown", "", "N/A")
_PATTERNS = (r"([A-Za-z]+)\.", r"(\d+)", r"[aeiou]", r"^([A-Z])", r"\d", r"\s+", r"(\w+)\s(\w+)", r"a|b", r"[,;]\s*")
COLUMNS = "fgpqijknbcstuvwdeh"


class Drawn(dict[str, str]):
    """The arguments of a call as code, drawn when its template asks for them: `{float}`, `{word}`, `{words}`, ...

    A name with a number is another draw: `{float}`, `{float2}`.
    """

    def __init__(self, random: np.random.RandomState) -> None:
        super().__init__()
        self.random = random

    def __missing__(self, name: str) -> str:
        self[name] = code = repr(DRAWS[name.rstrip("0123456789")](self))
        return code

    def one(self, pool: Sequence[Any]) -> Any:
        """One of a pool."""
        return pool[self.random.randint(len(pool))]

    def some(self, pool: Sequence[Any]) -> list[Any]:
        """One to four of a pool."""
        return list(dict.fromkeys(self.one(pool) for _ in range(self.random.randint(1, 5))))

    def whole(self, low: int, high: int) -> int:
        """An integer in a range, without its end."""
        return int(self.random.randint(low, high))


_GROUPS = tuple(each for each in _PATTERNS if each.count("(") == 1)
DRAWS: dict[str, Callable[[Drawn], Any]] = {
    "float": lambda draw: draw.one(FLOATS),
    "positive": lambda draw: abs(draw.one(FLOATS)) + 0.5,
    "low": lambda draw: draw.one((-12.5, -1.0, -0.0, 0, 1)),
    "high": lambda draw: draw.one((1, 1.5, 7.0, 99.5)),
    "int": lambda draw: draw.one(INTEGERS),
    "count": lambda draw: draw.whole(1, 5),
    "index": lambda draw: draw.whole(-4, 5),
    "decimals": lambda draw: draw.whole(-1, 4),
    "nonzero": lambda draw: draw.one(INTEGERS[1:]),
    "bool": lambda draw: draw.random.rand() < 0.5,
    "word": lambda draw: draw.one(TEXTS),
    "part": lambda draw: draw.one(TEXTS[1:21]),
    "letter": lambda draw: draw.one("abcxyz 0_"),
    "separator": lambda draw: draw.one((" ", ",", ", ", "-", "a", "1", "b", ".")),
    "pattern": lambda draw: draw.one(_PATTERNS),
    "group": lambda draw: draw.one(_GROUPS),
    "words": lambda draw: draw.some(TEXTS),
    "floats": lambda draw: draw.some(FLOATS),
    "ints": lambda draw: draw.some(INTEGERS),
    "edges": lambda draw: sorted({*map(abs, draw.some(FLOATS)), -1e9, 1e9}),
    "wordtofloat": lambda draw: {word: draw.one(FLOATS) for word in draw.some(TEXTS)},
    "wordtoword": lambda draw: {word: draw.one(TEXTS) for word in draw.some(TEXTS)},
    "wordtoint": lambda draw: {word: draw.one(INTEGERS) for word in draw.some(TEXTS)},
    "inttofloat": lambda draw: {number: draw.one(FLOATS) for number in draw.some(INTEGERS)},
    "inttoword": lambda draw: {number: draw.one(TEXTS) for number in draw.some(INTEGERS)},
    "date": lambda draw: draw.one(_DATES),
    "inclusive": lambda draw: draw.one(("both", "neither", "left", "right")),
    "side": lambda draw: draw.one(("left", "right")),
    "unit": lambda draw: draw.one(("D", "h", "min", "s", "ms")),
    "frequency": lambda draw: draw.one(("D", "h", "15min", "s", "2h")),
    "format": lambda draw: draw.one(("%Y-%m-%d", "%d.%m.%y", "%H:%M:%S", "%j", "%Y%m", "on %d")),
}


def table(random: np.random.RandomState, rows: int, *, far: bool = False) -> pd.DataFrame:
    """Random rows of every dtype.

    f, g float64 with missing; p, q positive float64; i, j int64; k small int64; n int64 unlike 0; b, c bool;
    s, t text with missing; u text; v digits as text; w days as text with
    missing and others; d, e datetime64 with missing; h datetime64. With `far` floats
    may be infinite.
    """
    floats = FLOATS + (_FAR_FLOATS if far else ())
    text = pd.StringDtype(na_value=np.nan)
    return pd.DataFrame(
        {
            "f": np.where(random.rand(rows) < 0.2, np.nan, _numbers(random, floats, rows)),
            "g": np.where(random.rand(rows) < 0.2, np.nan, _numbers(random, floats, rows)),
            "p": np.abs(_numbers(random, floats, rows)) + 0.25,
            "q": np.abs(_numbers(random, FLOATS, rows)) + 0.25,
            "i": np.array(_draw(random, INTEGERS, rows), dtype="int64"),
            "j": np.array(_draw(random, INTEGERS, rows), dtype="int64"),
            "k": random.randint(0, 4, rows).astype("int64"),
            "n": np.array(_draw(random, INTEGERS[1:], rows), dtype="int64"),
            "b": random.rand(rows) < 0.5,
            "c": random.rand(rows) < 0.5,
            "s": pd.array(_with_gaps(random, _draw(random, TEXTS, rows)), dtype=text),
            "t": pd.array(_with_gaps(random, _draw(random, TEXTS, rows)), dtype=text),
            "u": pd.array(_draw(random, TEXTS, rows), dtype=text),
            "v": pd.array([str(each) for each in _draw(random, INTEGERS, rows)], dtype=text),
            "w": pd.array(_with_gaps(random, _draw(random, _DAYS, rows)), dtype=text),
            "d": pd.array(_with_gaps(random, _dates(random, rows)), dtype="datetime64[us]"),
            "e": pd.array(_with_gaps(random, _dates(random, rows)), dtype="datetime64[us]"),
            "h": pd.array(_dates(random, rows), dtype="datetime64[us]"),
        }
    )


def _draw(random: np.random.RandomState, pool: Sequence[Any], rows: int) -> list[Any]:
    return [pool[index] for index in random.randint(0, len(pool), rows)]


def _numbers(random: np.random.RandomState, pool: Sequence[float], rows: int) -> Any:
    return np.where(random.rand(rows) < 0.5, _draw(random, pool, rows), random.normal(0, 9, rows).round(3))


def _dates(random: np.random.RandomState, rows: int) -> list[pd.Timestamp]:
    """Dates at the edges of years and clocks, and as many drawn from 1900 to 2100 to the microsecond."""
    first, last = (pd.Timestamp(text).value // 1000 for text in ("1900-01-01", "2100-01-01"))
    drawn = random.randint(first, last, rows, dtype=np.int64)
    edges = [pd.Timestamp(each) for each in _draw(random, _DATES, rows)]
    return [pd.Timestamp(int(d), unit="us") if random.rand() < 0.5 else e for d, e in zip(drawn, edges, strict=True)]


def _with_gaps(random: np.random.RandomState, values: list[Any]) -> list[Any]:
    return [None if random.rand() < 0.2 else each for each in values]
