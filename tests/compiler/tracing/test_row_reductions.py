"""Statistics of each row beside pandas': the same bits, but for sums of eight and more numbers."""

import numpy as np
import pandas as pd
import pytest

from tests.support.tracing import check, refusal

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # pandas computes inf - inf

MIXED = pd.DataFrame(
    {
        "a": [1, -2, 3, 0, 7, 0],
        "n": [5, 6, -7, 8, 2**40, 0],
        "b": [0.5, np.nan, -1.25, 1e16, 0.1, np.nan],
        "c": [2.0, 3.5, np.nan, -0.5, 0.3, np.nan],
        "f": [np.inf, -1.0, np.nan, 1e-300, -np.inf, np.nan],
        "p": [True, False, True, True, False, False],
        "q": [True, True, False, True, False, False],
        "t": pd.Series(["x", None, "yes", "", "x", None], dtype="str"),
        "u": pd.Series(["x", "x", None, "a", "y", None], dtype="str"),
        "d": pd.to_datetime(["2020-01-01", None, "1999-12-31", "2024-02-29", "2020-01-01", None]),
        "e": pd.to_datetime(["2019-01-01", "1969-12-31", None, "2024-02-28", "2020-01-01", None]),
    }
).set_axis([10, 7, 3, 4, 12, 1], axis=0)
INTEGERS, FLOATS, BOTH, BOOLS = ["a", "n"], ["b", "c", "f"], ["a", "b", "c"], ["p", "q"]


def statistic(name, columns, **options):
    """A step that takes a statistic of the rows of some columns."""
    return lambda self, X: getattr(X[columns], name)(axis=1, **options)


CASES = [
    *((name, columns, {}) for name in ("sum", "mean", "min", "max") for columns in (INTEGERS, FLOATS, BOTH, BOOLS)),
    *(("prod", columns, {}) for columns in (INTEGERS, BOOLS, ["b", "f"], ["a", "b"])),
    *((name, columns, {}) for name in ("median", "std", "var", "sem") for columns in (INTEGERS, FLOATS, BOTH, BOOLS)),
    *((name, columns, {}) for name in ("any", "all") for columns in (INTEGERS, FLOATS, BOTH, BOOLS, ["a", "p"])),
    *((name, columns, {"skipna": False}) for name in ("sum", "mean", "min", "max") for columns in (FLOATS, BOTH)),
    ("prod", ["b", "c"], {"skipna": False}),
    *(
        (name, columns, {"skipna": False})
        for name in ("median", "std", "var", "any", "all")
        for columns in (FLOATS, BOTH)
    ),
    ("sum", ["a", "p"], {}),
    ("sum", ["b", "p"], {}),
    ("min", ["a", "p"], {}),
    ("max", ["b", "p"], {}),
    ("sum", FLOATS, {"min_count": 1}),
    ("sum", BOTH, {"min_count": 2}),
    ("sum", INTEGERS, {"min_count": 1}),
    ("std", FLOATS, {"ddof": 0}),
    ("count", list(MIXED.columns), {}),
    ("count", INTEGERS, {}),
    ("nunique", INTEGERS, {}),
    ("nunique", FLOATS, {}),
    ("nunique", BOTH, {"dropna": False}),
    ("nunique", ["t", "u"], {}),
    ("sum", list(MIXED.columns[:-5]), {"numeric_only": True}),
    ("mean", ["a", "b", "t", "d"], {"numeric_only": True}),
    ("min", ["d", "e"], {}),
    ("max", ["d", "e"], {}),
    ("min", ["d", "e"], {"skipna": False}),
    ("idxmax", INTEGERS, {}),
    ("idxmin", BOTH, {}),
    ("mean", ["a", "p"], {}),
    ("sum", ["b"], {}),
    ("std", ["b"], {}),
]


@pytest.mark.parametrize(("name", "columns", "options"), CASES)
def test_statistics_of_a_row(name, columns, options):
    bounded = name in ("sum", "mean") and len(columns) > 2
    check(statistic(name, columns, **options), MIXED, MIXED.iloc[::-1], bounded=bounded)


CONDITIONS = {
    "agg by name": lambda self, X: X[INTEGERS].agg("sum", axis=1),
    "count of missing": lambda self, X: X.isna().sum(axis=1),
    "any missing": lambda self, X: X.isnull().any(axis=1),
    "mean of missing": lambda self, X: X.isna().mean(axis=1),
    "all positive": lambda self, X: (X[BOTH] > 0).all(axis=1),
    "count of zeros": lambda self, X: (X[BOTH] == 0).sum(axis="columns"),
    "combined": lambda self, X: X.assign(total=X[BOTH].sum(axis=1), share=X["a"] / X[BOTH].sum(axis=1)),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_statistics_of_conditions(name):
    check(CONDITIONS[name], MIXED, MIXED.iloc[::-1], bounded=name == "combined")


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("name", ["sum", "mean", "std", "var", "median", "min", "max"])
def test_up_to_seven_numbers_of_one_block_have_the_same_bits(name, count):
    draw = np.random.RandomState(count)
    values = draw.randn(60, count) * 10.0 ** draw.randint(-8, 9, (60, count))
    values[draw.rand(60, count) < 0.2] = np.nan
    frame = pd.DataFrame(values, columns=[f"x{index}" for index in range(count)])
    check(lambda self, X: getattr(X, name)(axis=1), frame)


@pytest.mark.parametrize("name", ["sum", "mean", "std"])
@pytest.mark.parametrize("count", [8, 9, 20])
def test_sums_of_more_numbers_are_within_their_bound(name, count):
    draw = np.random.RandomState(count)
    values = draw.randn(60, count) * 10.0 ** draw.randint(-3, 4, (60, count))
    values[draw.rand(60, count) < 0.2] = np.nan
    frame = pd.DataFrame(values, columns=[f"x{index}" for index in range(count)])
    check(lambda self, X: getattr(X, name)(axis=1), frame, bounded=True)


ZEROS = pd.DataFrame({"a": [1.0, -0.0, -0.0, np.nan, -0.0], "b": [-0.0, -0.0, np.nan, -0.0, 0.0]})


@pytest.mark.parametrize("name", ["sum", "mean", "median", "std"])
def test_zeros_have_the_sign_that_pandas_gives_them(name):
    check(lambda self, X: getattr(X, name)(axis=1), ZEROS)


@pytest.mark.parametrize("name", ["sum", "mean", "min", "max"])
def test_zeros_of_a_row_have_the_sign_that_pandas_gives_them(name):
    check(lambda self, X: X.apply(lambda row: getattr(row, name)(), axis=1), ZEROS)
    check(lambda self, X: X.apply(lambda row: sum([row["a"], row["b"]]), axis=1), ZEROS)


@pytest.mark.parametrize("name", ["sum", "mean", "median", "nansum", "nanmean", "nanmedian"])
def test_zeros_have_the_sign_that_numpy_gives_them(name):
    check(lambda self, X: getattr(np, name)(X.to_numpy(), axis=1), ZEROS)


class OtherSums(pd.DataFrame):
    """A frame whose sums are off by thousands of ULPs."""

    _constructor = property(lambda self: OtherSums)

    def sum(self, **options):
        return super().sum(**options) * (1 + 1e-12)


def test_the_bound_of_a_sum_does_not_excuse_another_sum():
    frame = pd.DataFrame(np.random.RandomState(0).rand(20, 12), columns=[f"x{index}" for index in range(12)])
    with pytest.raises(AssertionError, match="the plan gives"):
        check(lambda self, X: X.sum(axis=1), frame, OtherSums(frame), bounded=True)


def test_the_order_of_a_sum_follows_the_blocks_of_pandas():
    """Why sums of more than two numbers have a bound: the integer is added last."""
    frame = pd.DataFrame({"a": [7], "b": [0.1], "c": [0.3]})
    assert frame.sum(axis=1).iloc[0] == (0.1 + 0.3) + 7 != (7 + 0.1) + 0.3


def test_a_sum_of_eight_numbers_differs_between_one_row_and_many_in_pandas():
    """Why sums of eight and more numbers have a bound."""
    values = np.random.RandomState(1).randn(500, 9)
    frame = pd.DataFrame(values, columns=[f"x{index}" for index in range(9)])
    alone = [frame.iloc[[row]].sum(axis=1).iloc[0] for row in range(len(frame))]
    assert (np.array(alone) != frame.sum(axis=1).to_numpy()).any()


REFUSED = {
    "mean of columns": (lambda self, X: X[BOTH].mean(), "axis=1"),
    "sum of columns": (lambda self, X: X[BOTH] - X[BOTH].sum(), "axis=1"),
    "max of columns": (lambda self, X: X[BOTH].max(), "axis=1"),
    "std of columns": (lambda self, X: X[BOTH] / X[BOTH].std(), "axis=1"),
    "nunique of columns": (lambda self, X: X.nunique(), "axis=1"),
    "idxmax of columns": (lambda self, X: X[BOTH].idxmax(), "axis=1"),
    "text": (lambda self, X: X[["t", "u"]].sum(axis=1), "columns of numbers"),
    "dates and numbers": (lambda self, X: X[["t", "u"]].max(axis=1), "one kind"),
    "bools beside numbers": (lambda self, X: X[["a", "p"]].median(axis=1), "astype(int)"),
    "product": (lambda self, X: X[FLOATS].prod(axis=1), "X['a'] * X['b'] * X['c']"),
    "quantile": (lambda self, X: X[BOTH].quantile(0.5, axis=1), "write median"),
    "cumsum": (lambda self, X: X[BOTH].cumsum(), "in `load`"),
    "quantile of columns": (lambda self, X: X[BOTH].quantile(0.5), "in `fit`"),
    "several statistics": (lambda self, X: X[BOTH].agg(["sum", "min"], axis=1), "X.sum(axis=1)"),
    "rank": (lambda self, X: X[BOTH].rank(), "searchsorted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_statistics_of_the_rows_at_hand_are_refused(name):
    transform, remedy = REFUSED[name]
    message = refusal(transform, MIXED)
    assert "test_row_reductions.py, line" in message
    assert remedy in message


def test_a_question_about_the_batch_may_guard_it():
    def transform(self, X):
        if X[["a", "b"]].isna().any().any():
            raise ValueError("missing values")
        return X[["a", "b"]]

    frame = MIXED.dropna(subset=["b"])
    check(transform, frame, MIXED)
