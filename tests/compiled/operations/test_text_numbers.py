"""Numbers in texts and texts of numbers: one row as a batch, as Python and pandas read and write them."""

import math

import numpy as np
import pytest
from evaluation import bits, evaluate

from pipeline_lib.errors import InputError

pd = pytest.importorskip("pandas")

_DRAWN = np.random.default_rng(11)
CORES = [
    "1",
    "-2.5e3",
    "inf",
    "-Infinity",
    "nan",
    "1e5",
    "+.5",
    "5.",
    "1_000",
    "0x10",
    "1e400",
    "1,5",
    "9" * 25,
    "-0.0",
]
CHARACTERS = [
    "",
    " ",
    "\t",
    "\n",
    "\x0b",
    "\x1c",
    "\x00",
    "\x85",
    "\u00a0",
    "\u2003",
    "\u0663",
    "\uff11",
    "x",
    "_",
    "-",
]
WORDS = [before + core + after for core in CORES for before in CHARACTERS for after in CHARACTERS]
WORDS += ["", "None", "True", "½", "1 2", *map(repr, _DRAWN.uniform(-1e3, 1e3, 2000).tolist())]
WORDS += [f"{number}e{power}" for number, power in zip(_DRAWN.integers(0, 2**62, 800), range(-400, 400), strict=True)]


def _number(word, read=float):
    try:
        return read(word)
    except ValueError:
        return math.nan


def test_numbers_are_read_as_python_reads_them():
    results = evaluate(lambda build, t: build.number_of_text(t, how="python"), {"t": ("str", [None, *WORDS])})
    assert list(map(bits, results)) == ["nan", *(bits(_number(word)) for word in WORDS)]


@pytest.mark.parametrize("dtype", ["str", object])
def test_numbers_are_read_as_pandas_reads_them(dtype):
    words = [None, "0.5", *WORDS]  # a number that is no integer: the column is float64
    results = evaluate(lambda build, t: build.number_of_text(t, how="pandas"), {"t": ("str", words)})
    expected = pd.to_numeric(pd.Series(words, dtype=dtype), errors="coerce").astype(float).tolist()
    assert list(map(bits, results)) == list(map(bits, expected))


def test_text_that_is_no_number_is_refused_on_demand():
    def write(build, t):
        return build.number_of_text(t, how="python", errors="refuse", name="t", where="Step")

    assert evaluate(write, {"t": ("str", ["1", " 2 "])}) == [1.0, 2.0]
    with pytest.raises(InputError, match="row 1: Step: found 'x' in column 't', expected a number as text"):
        evaluate(write, {"t": ("str", ["1", "x"])})


def test_digits_that_not_every_python_knows_are_no_number():
    columns = {"t": ("str", ["\U0001e950", "\U0001e4f0"])}  # Unicode has them since versions 9 and 15
    results = evaluate(lambda build, t: build.number_of_text(t, how="python"), columns)
    assert list(map(bits, results)) == [bits(0.0), "nan"]
    with pytest.raises(InputError, match="row 1: found text that is no number"):
        evaluate(lambda build, t: build.int_of_text(t), columns)


def test_integers_are_read_as_python_reads_them():
    words = ["0", " -7\n", "+1_000", "\u0663", "9223372036854775807", "-9223372036854775808", "007"]
    assert evaluate(lambda build, t: build.int_of_text(t), {"t": ("str", words)}) == [*map(int, words)]


@pytest.mark.parametrize("word", [None, "", "1.0", "x", "9223372036854775808", "1__0", "9" * 5000])
def test_text_that_is_no_integer_of_64_bits_is_refused(word):
    with pytest.raises(InputError, match=r"row 0: Step: found .* in column 't', expected a number as text; correct"):
        evaluate(lambda build, t: build.int_of_text(t, name="t", where="Step"), {"t": ("str", [word])})


NUMBERS = {
    "float64": [1.0, -0.0, 0.0, 1e16, 1e22, 1.5e-7, 0.1, math.nan, math.inf, -math.inf, 5e-324, 123456789.12345678],
    "int64": [0, -1, 2**63 - 1, -(2**63), 1000],
    "bool": [True, False, True],
}


@pytest.mark.parametrize("dtype", NUMBERS)
def test_numbers_are_written_as_python_and_pandas_write_them(dtype):
    numbers = NUMBERS[dtype]
    columns = {"x": (dtype, numbers)}
    assert evaluate(lambda build, x: build.text_of_number(x, how="python"), columns) == [*map(str, numbers)]
    results = evaluate(lambda build, x: build.text_of_number(x, how="pandas"), columns)
    expected = pd.Series(numbers, dtype=dtype).astype("str").tolist()
    assert results == [None if text != text else text for text in expected]
