"""Operators and Python's functions on the values of one row, over dtypes and edge values, against pandas itself."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from row_functions import of_rows, of_values
from tracing import check, refusal

from pipeline_lib.rows.frames import schema_of_frame

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # dayofweek, dayofyear
ROWS = 12
WHOLE = pd.DataFrame(
    {
        "a": np.arange(1, ROWS + 1),
        "c": np.arange(2, ROWS + 2)[::-1].copy(),
        "b": np.arange(ROWS) * 0.75 + 0.25,
        "e": np.arange(ROWS)[::-1] * 1.5 + 1.0,
        "f": [True, False] * 6,
        "g": [True, True, False] * 4,
        "d": pd.date_range("2020-01-30", periods=ROWS, freq="37h").astype("datetime64[us]"),
        "h": pd.date_range("2019-03-01", periods=ROWS, freq="5D").astype("datetime64[us]"),
        "w": ["ab", "x"] * 6,
    }
)
GAPS = WHOLE.assign(
    b=WHOLE["b"].mask(WHOLE["a"] == 4), e=WHOLE["e"].mask(WHOLE["a"] == 5), d=WHOLE["d"].mask(WHOLE["a"] == 6)
)
_INTEGERS = [0, 1, -1, 2, 3, -3, 7, 100, 2**31, 2**53, -(2**53) - 1, 2**62, 2**63 - 1, -(2**63)]
_FLOATS = [0.0, -0.0, 1.0, -0.5, 1.5, 2.5, 1e300, -1e300, 5e-324, math.inf, -math.inf, math.nan, 2.0**53, 0.1]
_DATES = [None, "1969-12-31T23:59:59.999999", "2000-02-29", "1999-12-31", "2024-12-30T12:00", "2100-03-01T01:02:03"]
_COUNT = 14
EDGES = pd.DataFrame(
    {
        "a": _INTEGERS,
        "c": _INTEGERS[5:] + _INTEGERS[:5],
        "b": _FLOATS,
        "e": _FLOATS[4:] + _FLOATS[:4],
        "f": [True, False] * 7,
        "g": [True, False, False, True, True, False, True] * 2,
        "d": pd.Series((_DATES * 3)[:_COUNT], dtype="datetime64[us]"),
        "h": pd.Series((_DATES * 4)[3 : 3 + _COUNT], dtype="datetime64[us]"),
        "w": ["ab", "", "zz", "x", "a", "b", "AB"] * 2,
    }
)


def check_values(column: str, body: str, *, gaps: bool = False) -> None:
    """Compare a function of each value of a column, `x`."""
    function = of_values(column, body)
    frame = (GAPS if gaps else WHOLE)[[column]]
    schema = schema_of_frame(GAPS[[column]])
    check(function, frame, EDGES[[column]], schema=schema, bounded=True, may_refuse=True)


def check_rows(columns: str, body: str) -> None:
    """Compare a function of each row, `r`, of columns named by letters."""
    function = of_rows(body)
    names = list(columns)
    schema = schema_of_frame(GAPS[names])
    for frame in (WHOLE[names], GAPS[names]):
        check(function, frame, EDGES[names], schema=schema, bounded=True, may_refuse=True)


NUMBERS = (
    *("x + 1", "2 - x", "x * 3", "x * x", "x / 2", "x // 2", "x % 3", "x % -3", "x**2", "x**3", "x**0.5", "-x", "+x"),
    *("abs(x)", "x < 3", "x == 2", "x != 2", "x == 'a'", "x == None", "x is None", "float(x)", "bool(x)", "x + True"),
    *("round(x, 1)", "round(x / 4, 2)", "divmod(x, 3)[1]", "x * 1.5", "x + np.float64(1)", "x / np.float64(0)"),
    *(
        "x * 10**12",
        "(x + 1) / 2",
        "x > 1e18",
        "x == 2.0**53",
        "x // -1",
        "1.5 - x",
        "(x > 1) + (x > 2)",
        "(x > 1) * 5",
    ),
    *("isinstance(x, int)", "isinstance(x, (int, float))", "type(x) == float", "x in (1, 2, 3.0)", "x in {1, 2}"),
    *("x in [1, 2]", "{1: 'p', 2: 'q'}.get(x, 'z')", "x not in (1, 2)", "str(x)", "f'{x}!'", "len(str(x))"),
    *("pd.isna(x)", "pd.notna(x) and x > 2", "np.isnan(x)", "math.isnan(x)", "math.isinf(x)", "np.isfinite(x)"),
    *("math.fabs(x)", "math.radians(x)", "math.atan(x)", "math.atan2(x, 2)", "np.abs(x)", "np.where(x > 1, 1, 0)"),
    *(
        "np.log1p(abs(x))",
        "np.sqrt(abs(x))",
        "np.minimum(x, 3)",
        "np.clip(x, 0, 5)",
        "(x > 1) & (x < 5)",
        "np.float64(x) / 0",
    ),
    *("x if x > 2 else None", "'p' if x > 2 else np.nan", "1 / x if x != 0 else 0.0", "0.5**x if abs(x) < 9 else 0.0"),
)


@pytest.mark.parametrize("body", NUMBERS)
@pytest.mark.parametrize("column", ["a", "b"])
def test_numbers(column: str, body: str) -> None:
    check_values(column, body)


@pytest.mark.parametrize("body", NUMBERS[::3])
def test_numbers_with_missing_ones(body: str) -> None:
    check_values("b", body, gaps=True)


RAISING = (
    *("1 / x", "7 // x", "7 % x", "x**-1", "x**-2", "math.sqrt(x)", "math.log(x)", "math.log(x, 2)", "math.log1p(x)"),
    *("math.exp(x)", "math.sin(x)", "math.asin(x / 1e3)", "math.pow(x, -1)", "int(x)", "round(x)", "math.floor(x / 2)"),
    *(
        "math.ceil(x)",
        "{1: 2, 3: 4}.get(x) is None",
        "int(x // 10)",
        "round(x * 100) / 100",
        "np.int64(x)",
        "math.exp(-x)",
    ),
)


@pytest.mark.parametrize("body", RAISING)
@pytest.mark.parametrize("column", ["a", "b"])
def test_rows_for_which_python_raises_are_refused(column: str, body: str) -> None:
    check_values(column, body)


BOOLS = (
    *("x + 1", "x + x", "x * 2", "-x", "int(x)", "float(x)", "str(x)", "not x", "x == 1", "x & True", "x | False"),
    *("x ^ True", "x in (True, 2)", "'y' if x else 'n'", "1 if x else 0", "x is None", "isinstance(x, int)"),
)


@pytest.mark.parametrize("body", BOOLS)
def test_bools(body: str) -> None:
    check_values("f", body)


ROWS_OF_NUMBERS = (
    *("r.{0} + r.{1}", "r.{0} - r.{1}", "r.{0} * r.{1}", "r.{0} / r.{1}", "r.{0} // r.{1}", "r.{0} % r.{1}", "r.sum()"),
    *("r.{0} < r.{1}", "r.{0} == r.{1}", "max(r.{0}, r.{1})", "r.mean()", "r.max()", "r.min()", "(r > 1).any()"),
    *(
        "(r > 1).sum()",
        "r.isna().sum()",
        "r.{0} if r.{1} > 1 else 0",
        "-r.{0}",
        "abs(r.{0} - r.{1})",
        "round(r.{0} / 2, 1)",
    ),
)


@pytest.mark.parametrize("body", ROWS_OF_NUMBERS)
@pytest.mark.parametrize("columns", ["ac", "be", "ab"])
def test_rows_of_numbers_are_numpys(columns: str, body: str) -> None:
    check_rows(columns, body.format(*columns))


MIXED = (
    *("r.a + r.b", "r.a / r.b", "r.a // r.c", "r.a % r.c", "r.a * r.c", "r.a == r.b", "max(r.a, r.b)"),
    *("r[['a', 'b']].sum()", "r[['a', 'c']].sum()", "r.isna().sum()", "r.w if r.f else str(r.a)"),
    *("r['a'] and r['b']", "str(r.b) + r.w", "isinstance(r.a, float)"),
)


@pytest.mark.parametrize("body", MIXED)
def test_rows_of_several_kinds_are_pythons(body: str) -> None:
    check_rows("abcfw", body)


ROWS_OF_BOOLS = (
    *("r.f + r.g", "r.f * r.g", "r.f & r.g", "r.f | r.g", "r.f ^ r.g", "r.f == r.g", "~r.f", "r.f and r.g"),
    *("r.sum()", "r.any()", "r.all()", "int(r.f) + r.g"),
)


@pytest.mark.parametrize("body", ROWS_OF_BOOLS)
def test_rows_of_bools_are_numpys(body: str) -> None:
    check_rows("fg", body)


DATES = (
    *(
        "x.year",
        "x.month",
        "x.day",
        "x.hour",
        "x.minute",
        "x.second",
        "x.dayofweek",
        "x.weekday()",
        "x.quarter",
        "x.week",
    ),
    *(
        "x.day_name()",
        "x.month_name()",
        "x.is_month_end",
        "x.is_leap_year",
        "x.dayofyear",
        "x.days_in_month",
        "x.microsecond",
    ),
    *(
        "(x - Timestamp('2000-01-01')).days",
        "(Timestamp('2030-01-01') - x).total_seconds()",
        "x > Timestamp('2000-01-01')",
    ),
    *(
        "x == Timestamp('2000-02-29')",
        "x != Timestamp('2000-02-29')",
        "x + pd.Timedelta(days=1)",
        "pd.isna(x)",
        "x == x",
        "x",
    ),
    *("(x - Timestamp('2000-01-01')) / pd.Timedelta(days=1)", "x.year if pd.notna(x) else -1", "x.month in (1, 2, 12)"),
    *(
        "'weekend' if x.weekday() >= 5 else 'week'",
        "isinstance(x, pd.Timestamp)",
        "{2: 'p'}.get(x.month, 'q')",
        "x.toordinal()",
    ),
    *(
        "x.strftime('%Y-%m-%d')",
        "x.normalize()",
        "x.date() == Timestamp('2000-02-29').date()",
        "str(x)",
        "x.isocalendar()[1]",
    ),
    *("x.year * 100 + x.month", "x.isoweekday()", "(x.date() - Timestamp('2000-01-01').date()).days"),
)


@pytest.mark.parametrize("body", DATES)
def test_dates(body: str) -> None:
    check_values("d", body)


@pytest.mark.parametrize("body", DATES[:29])
def test_dates_with_missing_ones(body: str) -> None:
    check_values("d", body, gaps=True)


ROWS_OF_DATES = (
    *("r.d - r.h", "(r.d - r.h).days", "r.d < r.h", "r.d == r.h", "max(r.d, r.h)", "r.d.year - r.h.year"),
    *("abs(r.d.year - r.h.year)", "(r.d - r.h).total_seconds() / 3600", "r.isna().sum()"),
)


@pytest.mark.parametrize("body", ROWS_OF_DATES)
def test_rows_of_dates(body: str) -> None:
    check_rows("dh", body)


REFUSED = [
    ("a", "x is True", "`is` in a function of one row's values", "=="),
    ("d", "x is pd.NaT", "`is` in a function of one row's values", "pd.isna(value)"),
    ("a", "[10, 20][x]", "taken as a number by Python itself", "look it up in a dict"),
    ("a", "'%d' % x", "taken as a number by Python itself", "str(value)"),
    ("b", "f'{x:.2f}'", "formatted", "str(value)"),
    ("b", "f'{x}' == '1.5'", "formatted", "str(value)"),
    ("b", "'{}'.format(x)", "formatted", "str(value)"),
    ("a", "x & 3", "bits of a row's integers", "`and`"),
    ("f", "~x", "`~` of a row's value", "not value"),
    ("a", "2**x", "to the power of a row's integer", "float(base)"),
    ("a", "1 if x > 3 else 'a'", "returns int64 and str", "one kind of value"),
    ("a", "x > 3 if x > 2 else 0", "returns bool and int64", "int(condition)"),
    ("a", "pd.NA if x > 3 else 1", "pd.NA", "np.nan"),
    ("a", "(x, 1)", "returns tuple", "one value"),
    ("a", "{x: 1}[x]", "cannot see", "on `self`"),
    ("a", "math.hypot(x, 1)", "math.hypot", "math.sqrt"),
    ("b", "pd.to_numeric(x)", "pandas.to_numeric", "before"),
    ("d", "x.date()", "returns a date", "normalize()"),
    ("d", "x.timestamp()", "`timestamp` of a row's Timestamp", "subtract"),
    ("w", "x > 'a'", "an order of texts", "=="),
]


@pytest.mark.parametrize(("column", "body", "found", "remedy"), REFUSED)
def test_refusals_name_the_line_and_a_remedy(column: str, body: str, found: str, remedy: str) -> None:
    message = refusal(of_values(column, body), WHOLE)
    assert "<string>, line 1" in message
    assert found in message
    assert remedy in message


def test_a_number_that_is_an_integer_in_some_batches_has_no_text() -> None:
    def transform(self: Any, X: Any) -> Any:
        whole = X["b"].map(lambda b: 1 if b == b else np.nan)  # integers, or floats where one is missing
        return whole.map(lambda x: str(x))

    assert "an integer in some batches" in refusal(transform, GAPS)


def test_a_column_that_holds_none_is_refused() -> None:
    def transform(self: Any, X: Any) -> Any:
        return X["b"].map(lambda b: None if b != b else b > 1).map(lambda x: x is None)

    assert "holds None" in refusal(transform, GAPS)


def test_a_wrong_rule_is_seen_beside_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline_lib.compiler.tracing.rows import python as row_python

    frame = pd.DataFrame({"w": ["1", "2"]})
    check(lambda self, X: X["w"].map(lambda w: int(w)), frame, EDGES[["w"]])
    monkeypatch.setattr(row_python, "_INTEGER", r".*")  # any text counts as an integer
    assert "answers where the library raises" in refusal(lambda self, X: X["w"].map(lambda w: int(w)), frame)
