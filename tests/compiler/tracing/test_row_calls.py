"""How pandas and NumPy call functions row by row: which values they get, what becomes of the results."""

import functools
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tracing import check, refusal

from pipeline_lib.rows.frames import schema_of_frame

WHOLE = pd.DataFrame(
    {
        "a": np.arange(1, 13),
        "b": np.arange(12) * 0.75 + 0.25,
        "f": [True, False, False] * 4,
        "t": ["Braund, Mr. Owen", "Allen, Miss. Elisabeth", "Moran, Mr. James", "Berg, Dr. Anna"] * 3,
        "w": ["x1", "y2", "z3"] * 4,
        "d": pd.date_range("2020-01-30", periods=12, freq="37h").astype("datetime64[us]"),
    }
).astype({"t": "str", "w": "str"})
OTHERS = pd.DataFrame(
    {
        "a": [0, -5, 3, 2**33, 12, 7],
        "b": [math.nan, 0.0, -2.5, math.inf, 1e300, 4.0],
        "f": [True, True, False, False, True, False],
        "t": ["", "Mr. X", "a, b. c", None, "Zed, Rev. Q", ","],
        "w": ["x1", "", "unseen", "z3", None, "y2"],
        "d": ["2000-02-29", None, "1969-12-31T23:59:59", "2024-12-30", "1999-12-31", "2100-03-01"],
    }
).astype({"t": "str", "w": "str", "d": "datetime64[us]"})
SCHEMA = schema_of_frame(pd.concat([OTHERS, WHOLE.astype(OTHERS.dtypes)], ignore_index=True))
STATE = {
    "means": {"x1": 1.5, "y2": 2.5},
    "overall": 9.0,
    "words": ["x1", "z3"],
    "series": pd.Series({"x1": 1.0, "y2": 2.0, "z3": 3.0}),
    "pairs": {("x1", True): 1, ("y2", False): 2},
    "lists": {"x1": [1, 2], "y2": [3, 4]},
}
BANDS = {"low": 2, "mid": 5}


def _recorded(transform: Any, *, bounded: bool = False) -> None:
    check(transform, WHOLE, OTHERS, schema=SCHEMA, state=STATE, bounded=bounded, may_refuse=True)


def band(value: float, edges: dict[str, int] = BANDS, *, shift: float = 0.0) -> str:
    """A band of a value."""
    for name, edge in edges.items():
        if value + shift < edge:
            return name
    return "high"


def title(text: Any) -> str:
    """The title in a name."""
    if not isinstance(text, str):
        return "none"
    match = re.search(r"([A-Za-z]+)\.", text)
    return match.group(1) if match is not None else "none"


def risk(row: Any) -> int:
    """Points by rules."""
    if row["w"] == "x1" and row["b"] > 3:
        return 3
    if row.f or row["a"] > 9:
        return 2
    return 1 if pd.isna(row.get("d")) else 0


def encode(word: str) -> str:
    """A word by a table of its own."""
    table = {"x1": "A", "y2": "B"}
    return table.get(word, "?")


SERIES = {
    "map of a function": lambda self, X: X["b"].map(band),
    "apply with arguments": lambda self, X: X["b"].apply(band, args=({"p": 1, "q": 4},), shift=1.5),
    "map with keywords": lambda self, X: X["b"].map(band, shift=-1.0),
    "transform": lambda self, X: X["a"].transform(lambda a: a + 1),
    "map ignoring missing": lambda self, X: X["t"].map(lambda t: t.upper(), na_action="ignore"),
    "str.lower": lambda self, X: X["w"].fillna("Q").map(str.lower),
    "len": lambda self, X: X["w"].fillna("").map(len),
    "int": lambda self, X: X["f"].map(int),
    "str": lambda self, X: X["a"].map(str),
    "float": lambda self, X: X["a"].apply(float),
    "math": lambda self, X: X["a"].abs().map(math.log1p),
    "NumPy": lambda self, X: X["b"].map(np.abs),
    "apply of a NumPy function": lambda self, X: X["b"].apply(np.abs),
    "partial": lambda self, X: X["b"].map(functools.partial(band, shift=2.0)),
    "regular expression": lambda self, X: X["t"].apply(title),
    "dates": lambda self, X: X["d"].map(lambda d: d.year if pd.notna(d) else 0),
    "state": lambda self, X: X["w"].map(lambda w: self.means.get(w, self.overall)),
    "state of a Series": lambda self, X: X["w"].map(lambda w: self.series[w]),
    "get of a Series": lambda self, X: X["w"].map(lambda w: self.series.get(w, -1.0)),
    "loc of a Series": lambda self, X: X["w"].map(lambda w: self.series.loc[w] if w in self.series else 0.0),
    "get": lambda self, X: X["w"].map(self.means.get).fillna(-1.0),
    "get of a local dict": lambda self, X: X["w"].map({"x1": "p", "y2": "q"}.get).fillna("r"),
    "several columns": lambda self, X: X["w"].fillna("").apply(lambda w: pd.Series([len(w), w + "!"])),
    "a category": lambda self, X: X["w"].astype("category").map(lambda w: str(w) + "?"),
    "list of the state": lambda self, X: X["w"].map(lambda w: w in self.words),
    "lists in a dict": lambda self, X: X["w"].map(lambda w: self.lists[w][1] if w in self.lists else 0),
    "keys": lambda self, X: X["w"].map(lambda w: w in self.means.keys()),  # noqa: SIM118
    "a dict of the function": lambda self, X: X["w"].map(encode),
    "a dict where it is used": lambda self, X: X["w"].map(lambda w: {"x1": 1, "y2": 2}.get(w, 0)),
    "a default": lambda self, X: X["w"].map(lambda w, words=("x1", "q"): w in words),
    "KeyError": lambda self, X: X["w"].map(lambda w: {"x1": 1, "y2": 2, "z3": 3}[w]),
    "a result of the method": lambda self, X: X["a"].map(lambda a: a * 2).map(lambda a: a + 1 if a > 6 else a),
    "chosen rows": lambda self, X: X.assign(n=X.loc[X["a"] > 3, "t"].map(title))["n"].fillna("few"),
    "missing results": lambda self, X: X["b"].map(lambda b: np.nan if b < 2 else b > 5).fillna(0.0).astype(float),
}
ROWS = {
    "function of a row": lambda self, X: X.apply(risk, axis=1),
    "lambda": lambda self, X: X.apply(lambda r: r["a"] * 2 if r["f"] else r["a"], axis=1),
    "columns": lambda self, X: X[["a", "b"]].apply(lambda r: r.a / r.b, axis="columns"),
    "a loop over columns": lambda self, X: X.apply(lambda r: sum(r[c] for c in ["a", "b"]), axis=1),
    "arguments": lambda self, X: X.apply(lambda r, k, m=1: r["a"] * k + m, axis=1, args=(3,), m=5),
    "a Series": lambda self, X: X.apply(lambda r: pd.Series([r["a"], r["b"]], index=["p", "q"]), axis=1),
    "a Series of a dict": lambda self, X: X.apply(lambda r: pd.Series({"p": r["w"], "q": r["b"]}), axis=1),
    "expanded": lambda self, X: X.apply(lambda r: (r["a"], r["w"]), axis=1, result_type="expand"),
    "the row itself": lambda self, X: X[["a", "w"]].apply(_with_size, axis=1),
    "several keys": lambda self, X: X.apply(lambda r: self.pairs.get((r["w"], r["f"]), 0), axis=1),
    "text": lambda self, X: X.apply(lambda r: f"{r['w']}_{r['a']}", axis=1),
    "missing values": lambda self, X: X.apply(lambda r: r.isnull().sum(), axis=1),
    "any": lambda self, X: X[["a", "b"]].apply(lambda r: (r > 3).any(), axis=1),
    "a sum of some": lambda self, X: X.apply(lambda r: r[["a", "b"]].sum(), axis=1),
    "names and values": lambda self, X: X[["a", "b"]].apply(lambda r: max(v for _, v in r.items()), axis=1),
    "chosen rows": lambda self, X: X.assign(n=X[X["a"] > 3].apply(lambda r: r["a"] * 2.0, axis=1))["n"].fillna(0.0),
    "every column": lambda self, X: X[["a", "b"]].apply(lambda column: column.fillna(0) * 2),
    "every value": lambda self, X: X[["a", "b"]].map(lambda v: v * 2 if v > 3 else -v),
    "vectorize": lambda self, X: np.vectorize(lambda a, b: a if b > 1 else -a)(X["a"], X["b"]).reshape(-1, 1),
    "vectorize of text": lambda self, X: np.vectorize(lambda w: str(w).upper())(X["w"])[:, None],
    "vectorize with a type": lambda self, X: np.vectorize(lambda a: a if a > 3 else 0.5, otypes=[float])(X["a"])[
        :, None
    ],
}


def _with_size(row: Any) -> Any:
    row["size"] = "large" if row["a"] > 3 else "small"
    return row


@pytest.mark.parametrize("name", SERIES)
def test_functions_of_a_value(name: str) -> None:
    _recorded(SERIES[name], bounded=name == "math")


@pytest.mark.parametrize("name", ROWS)
def test_functions_of_a_row(name: str) -> None:
    _recorded(ROWS[name])


def test_functions_of_missing_values() -> None:
    gaps = OTHERS[["t", "b"]]
    check(lambda self, X: X["t"].map(title), gaps, WHOLE[["t", "b"]], schema=schema_of_frame(gaps))
    check(lambda self, X: X["b"].map(lambda b: "none" if pd.isna(b) else "some"), gaps, WHOLE[["t", "b"]])


def test_narrow_integers_are_pythons_integers() -> None:
    frame = WHOLE[["d"]]
    check(lambda self, X: X["d"].dt.year.map(lambda year: year * 10**9), frame, OTHERS[["d"]].dropna())


def test_a_long_list_is_one_branch() -> None:
    names = [f"w{number}" for number in range(300)]
    trace = check(
        lambda self, X: X["w"].map(lambda w: w in names),
        WHOLE[["w"]],
        OTHERS[["w"]],
        schema=schema_of_frame(OTHERS[["w"]]),
    )
    assert len(trace.nodes) < 20


def test_a_branch_is_recorded_under_the_line_of_the_call() -> None:
    trace = check(SERIES["map of a function"], WHOLE, schema=SCHEMA)
    assert "Series.map" in [line.name for line in trace.lines]


def _counting(self: Any, X: Any) -> Any:
    seen = 0

    def count(a: Any) -> Any:
        nonlocal seen
        seen += 1
        return a + seen

    return X["a"].map(count)


def _listing(self: Any, X: Any) -> Any:
    seen: list[Any] = []

    def count(a: Any) -> int:
        seen.append(a)
        return len(seen)

    return X["a"].map(count)


def _capturing(self: Any, X: Any) -> Any:
    column = X["b"]
    return X["a"].map(lambda a: a + column)


def _identity(value: Any) -> int:
    if value is np.nan:
        return 0
    return 1


def _in_a_helper(self: Any, X: Any) -> Any:
    def outer(row: Any) -> int:
        return _identity(row["t"])

    return X.apply(outer, axis=1)


REFUSED = [
    (_counting, "a variable 'seen' that a function of one row changes", "from the row alone"),
    (_listing, "a list, dict or set that a function of one row's values changes", "from the row alone"),
    (_capturing, "a Series used inside a function of one row's values", "apply(f, axis=1)"),
    (lambda self, X: X["t"].map(_identity), "`is` in a function of one row's values", "pd.isna(value)"),
    (_in_a_helper, "`is` in a function of one row's values", "pd.isna(value)"),
    (lambda self, X: X.apply(lambda r: [r["a"], r["b"]], axis=1), "returns a list", "result_type='expand'"),
    (lambda self, X: X["w"].map(lambda w: pd.Series([w, 1])), "returns a row", "one value"),
    (lambda self, X: X.apply(lambda r: r, axis=1, result_type="reduce"), "result_type='reduce'", "'expand'"),
    (lambda self, X: X["a"].apply(lambda a: X["b"].mean() + a), "a DataFrame used inside", "apply(f, axis=1)"),
    (lambda self, X: X["a"].apply(band, by_row=False), "by_row=False", "on the column"),
    (lambda self, X: X["a"].apply(["sum"]), "apply of list", "a function"),
    (lambda self, X: X[["a", "b"]].apply(lambda column: column.mean()), "mean", "fit"),
    (lambda self, X: X.apply(lambda r: r.name, axis=1), "`name` of a row", "plan"),
    (lambda self, X: X.apply(lambda r: r[0], axis=1), "a part of a row by int", "row['name']"),
    (lambda self, X: X["a"].map(lambda a: np.random.rand() + a), "random", "fit"),
    (lambda self, X: X.apply(lambda r: {"p": r["a"]}, axis=1), "returns dict", "one value"),
    (
        lambda self, X: np.vectorize(lambda a: a if a > 3 else 0.5)(X["a"])[:, None],
        "np.vectorize of a function that returns float64 and int64",
        "otypes=[float]",
    ),
    (
        lambda self, X: X.apply(lambda r: pd.Series([1]) if r["f"] else pd.Series([1, 2]), axis=1),
        "other columns on other paths",
        "plan",
    ),
]


@pytest.mark.parametrize(("transform", "found", "remedy"), REFUSED)
def test_refusals_name_the_line_and_a_remedy(transform: Any, found: str, remedy: str) -> None:
    message = refusal(transform, WHOLE, schema=SCHEMA)
    assert "test_row_calls.py, line" in message
    assert found in message
    assert remedy in message


@pytest.mark.parametrize("other", ["v", "0.5", "nan"])
def test_integers_on_some_paths_are_no_text(other: str) -> None:
    """pandas keeps integers where a batch has no other number: '1' in one batch is '1.0' in another."""
    frame = pd.DataFrame({"f": [0.5, 7.5, 2.25]})
    names = {"nan": float("nan")}
    function = eval(f"lambda v: 1 if v > 7.0 else {other}", names)  # noqa: S307  the table's own text
    message = refusal(lambda self, X: X["f"].map(function).astype(str), frame)
    assert "integers in some rows beside other numbers" in message
    check(lambda self, X: X["f"].map(function).astype(float).astype(str), frame, frame[1:2])
    check(lambda self, X: X["f"].map(function) + 0.5, frame, frame[1:2])
