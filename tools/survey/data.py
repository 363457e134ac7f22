"""Small data of the survey: rows with ties, duplicates, missing, negative and large values; a target of each kind.

`rows("numbers", seed)` makes raw rows, `target("classes", frame, seed)` a target for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

ROWS = 180  # the training rows; a multiple of no block size
NEW_ROWS = 70  # rows that training lacks
DUPLICATES = 20  # training rows that occur twice
_CITIES = ("Lyon", "Graz", "Łódź", "Åre", "Porto")
_WORDS = [
    "good",
    "bad",
    "fine",
    "coffee",
    "tea",
    "sugar",
    "never",
    "again",
    "would",
    "buy",
    "cheap",
    "dear",
    "fresh",
    "stale",
    "box",
    "arrived",
    "late",
    "early",
    "broken",
    "sweet",
    "bitter",
    "strong",
    "weak",
    "the",
    "a",
    "and",
    "of",
    "it",
    "was",
    "not",
]


def rows(kind: str, seed: int) -> Any:
    """Training rows and new rows of a kind, ROWS + NEW_ROWS in all: a DataFrame, a Series of texts, a list of dicts."""
    rng = np.random.default_rng([seed, len(kind), *map(ord, kind)])
    made = _KINDS[kind](rng, ROWS + NEW_ROWS)
    if isinstance(made, list):
        return made
    order = np.arange(len(made))
    order[ROWS - DUPLICATES : ROWS] = np.arange(DUPLICATES)
    return made.iloc[order].reset_index(drop=True)


def _numbers(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rating": rng.integers(1, 6, count),
            "delta": rng.integers(-3, 4, count),
            "price": np.round(rng.normal(0, 40, count) * 2) / 2,
            "income": rng.integers(20, 900, count) * 1000.0,
            "noise": rng.normal(size=count),
            "flag": rng.integers(0, 2, count),
        }
    )


def _float32(rng: Any, count: int) -> pd.DataFrame:
    return _numbers(rng, count).astype("float32")


def _gaps(rng: Any, count: int) -> pd.DataFrame:
    frame = _numbers(rng, count).astype({"rating": "float64"})
    for name in ("rating", "price", "income", "noise"):
        frame.loc[rng.random(count) < 0.12, name] = np.nan
    return frame


def _counts(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame(rng.poisson([1, 3, 0.5, 6, 2], (count, 5)), columns=[*"abcde"])


def _shares(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame(np.round(rng.uniform(0.05, 0.95, (count, 4)), 2), columns=[*"pqrs"])


def _positive(rng: Any, count: int) -> pd.DataFrame:
    frame = pd.DataFrame(np.round(rng.lognormal(1, 1, (count, 4)), 2) + 0.01, columns=["area", "width", "mass", "age"])
    return frame.assign(mass=frame["mass"] * 10_000)


def _column(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame({"x": np.round(rng.normal(0, 30, count))})


def _categories(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "city": rng.choice(_CITIES, count, p=[0.35, 0.25, 0.2, 0.15, 0.05]),
            "size": rng.choice(["S", "M", "L"], count),
            "price": np.round(rng.normal(0, 40, count) * 2) / 2,
            "income": rng.integers(20, 900, count) * 1000.0,
        }
    ).astype({"city": "str", "size": "str"})


def _labels_with_gaps(rng: Any, count: int) -> pd.DataFrame:
    frame = _categories(rng, count)
    for name in ("city", "size", "income"):
        frame.loc[rng.random(count) < 0.1, name] = np.nan
    return frame


def _labels(rng: Any, count: int) -> pd.DataFrame:
    return _categories(rng, count)[["city", "size"]]


def _one_label(rng: Any, count: int) -> pd.DataFrame:
    return _categories(rng, count)[["city", "price"]]


def _category_dtype(rng: Any, count: int) -> pd.DataFrame:
    return _categories(rng, count).astype({"city": "category", "size": "category"})


def _codes(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame(rng.integers(0, 4, (count, 4)), columns=["k0", "k1", "k2", "k3"])


def _days(rng: Any, count: int) -> pd.DataFrame:
    start = np.datetime64("2023-12-28T22:30", "us")
    sold = start + rng.integers(0, 500 * 24, count).astype("timedelta64[h]").astype("timedelta64[us]")
    shipped = sold + rng.integers(0, 90, count).astype("timedelta64[h]").astype("timedelta64[us]")
    return pd.DataFrame({"sold": sold, "shipped": shipped, "price": np.round(rng.normal(0, 40, count))})


def _series(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame({"sales": rng.poisson(20, count).astype(float), "price": np.round(rng.normal(9, 2, count), 1)})


def _wide(rng: Any, count: int) -> pd.DataFrame:
    frame = _numbers(rng, count)
    return frame.assign(
        same=1.0, copy=frame["price"], near=frame["noise"] + rng.normal(0, 0.01, count), late=np.arange(count) * 1.0
    )


def _texts(rng: Any, count: int) -> pd.Series:
    texts = [" ".join(rng.choice(_WORDS, rng.integers(3, 14))).capitalize() + "." for _ in range(count)]
    return pd.Series(texts, name="review", dtype="str")


def _text_frame(rng: Any, count: int) -> pd.DataFrame:
    return pd.DataFrame({"review": _texts(rng, count), "price": np.round(rng.normal(0, 40, count))})


def _mappings(rng: Any, count: int) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in _categories(rng, count).to_dict("records")]


_KINDS: dict[str, Callable[[Any, int], Any]] = {
    "numbers": _numbers,
    "float32": _float32,
    "gaps": _gaps,
    "counts": _counts,
    "shares": _shares,
    "positive": _positive,
    "column": _column,
    "categories": _categories,
    "labels with gaps": _labels_with_gaps,
    "labels": _labels,
    "one label": _one_label,
    "category dtype": _category_dtype,
    "codes": _codes,
    "days": _days,
    "series": _series,
    "wide": _wide,
    "texts": _texts,
    "text frame": _text_frame,
    "mappings": _mappings,
}


def target(kind: str, data: Any, seed: int) -> Any:
    """A target of a kind for training rows; None for estimators that take none."""
    rng = np.random.default_rng([seed, 7])
    signal = _signal(data) + 0.5 * rng.normal(size=len(data))
    return _TARGETS[kind](signal, rng)


def _signal(data: Any) -> Any:
    """One number for each row that depends on all its columns, of about unit size."""
    frame = pd.DataFrame(data)
    total = np.zeros(len(frame))
    for name in frame:
        column = frame[name]
        if column.dtype.kind not in "fiu":
            column = column.astype(str).str.len() if column.dtype.kind != "M" else column.dt.dayofyear
        numbers = column.fillna(column.mean()).to_numpy(float)
        total += (numbers - numbers.mean()) / (numbers.std() or 1.0)
    return total / max(1.0, len(frame.columns) ** 0.5)


def _two_columns(signal: Any, rng: Any) -> Any:
    return np.column_stack([signal, np.abs(signal) + rng.normal(size=len(signal))])


_TARGETS: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda signal, rng: None,
    "value": lambda signal, rng: np.round(100 * signal, 1),
    "positive": lambda signal, rng: np.round(np.exp(signal), 2) + 0.01,
    "count": lambda signal, rng: np.floor(np.exp(signal)),
    "two": lambda signal, rng: (signal > 0).astype(int),
    "words": lambda signal, rng: np.where(signal > 0, "yes", "no").astype(object),
    "classes": lambda signal, rng: np.array(["low", "middle", "top"], dtype=object)[
        np.searchsorted([-0.5, 0.6], signal)
    ],
    "numeric": lambda signal, rng: np.searchsorted([-0.5, 0.6], signal),
    "tens": lambda signal, rng: np.searchsorted([-0.5, 0.6], signal) * 10,
    "grades": lambda signal, rng: np.searchsorted([-1.0, -0.3, 0.3, 1.0], signal),
    "rare": lambda signal, rng: (signal > np.quantile(signal, 0.75)).astype(int),
    "targets": lambda signal, rng: np.round(100 * _two_columns(signal, rng), 1),
    "labels": lambda signal, rng: (_two_columns(signal, rng) > 0.3).astype(int),
    "several": lambda signal, rng: np.searchsorted([-0.5, 0.6], _two_columns(signal, rng)),
}
