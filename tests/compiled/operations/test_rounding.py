"""Rounding to decimals: one row as a batch, as NumPy, pandas and Python round."""

import math

import numpy as np
import pytest
from evaluation import bits, evaluate

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pd = pytest.importorskip("pandas")

_DRAWN = np.random.default_rng(7)
NUMBERS = [0.5, 1.5, 2.5, -0.5, 0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1.7976931348623157e308, 5e-324]
NUMBERS += [2.675, 1.005, 0.285, 1234567.891, 2.0**53 + 1, *_DRAWN.uniform(-1e3, 1e3, 800).tolist()]
NUMBERS += (_DRAWN.uniform(-1, 1, 400) * 10.0 ** _DRAWN.integers(-200, 200, 400)).tolist()
COLUMNS = {"x": ("float64", NUMBERS)}


@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 8, 9, 15, 22, -1, -2, -9, -22])
def test_numbers_are_rounded_as_numpy_and_pandas_round_them(decimals):
    results = list(map(bits, evaluate(lambda build, x: build.round_decimals(x, decimals=decimals), COLUMNS)))
    with np.errstate(all="ignore"):
        assert results == list(map(bits, np.round(np.array(NUMBERS), decimals).tolist()))
        assert results == list(map(bits, pd.Series(NUMBERS).round(decimals).tolist()))


@pytest.mark.parametrize("decimals", [0, 1, 2, 15, 22, -1, -22])
def test_numbers_are_rounded_as_python_rounds_them(decimals):
    results = evaluate(lambda build, x: build.round_python(x, decimals=decimals), COLUMNS)
    assert list(map(bits, results)) == list(map(bits, [round(number, decimals) for number in NUMBERS]))


def test_numpy_and_python_round_in_two_ways():
    columns = {"x": ("float64", [2.675])}
    assert evaluate(lambda build, x: build.round_decimals(x, decimals=2), columns) == [2.68]
    assert evaluate(lambda build, x: build.round_python(x, decimals=2), columns) == [2.67]


def test_bounds_of_rounded_numbers_hold():
    build = Builder()
    number = build.input("x", "float64", 100.0)
    assert build.round_decimals(number, decimals=2).abs_max == 100.01
    assert build.round_decimals(number, decimals=-3).abs_max == 1100.0
    assert build.round_decimals(build.input("y", "float64", 1e300), decimals=20).abs_max == math.inf


@pytest.mark.parametrize("decimals", [23, -23, 1.0, True])
def test_decimals_that_no_double_holds_are_refused(decimals):
    build = Builder()
    with pytest.raises(InputError, match="expected an integer from -22 to 22"):
        build.round_decimals(build.input("x", "float64"), decimals=decimals)


def test_a_number_beyond_the_largest_double_cannot_arise():
    with pytest.raises(OverflowError):
        round(1.7976931348623157e308, -308)  # so far beyond the decimals that are allowed
    largest = 1.7976931348623157e308
    assert evaluate(lambda build, x: build.round_python(x, decimals=-22), {"x": ("float64", [largest])}) == [largest]
