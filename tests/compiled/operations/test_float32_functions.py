"""exp and weighted sums in float32: equal to the C library's and to XGBoost's order of rounding."""

import ctypes
import sys

import numpy as np
import pytest

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.float32_functions import float32_exp

RNG = np.random.default_rng(0)
NUMBERS = np.concatenate([RNG.normal(size=3000) * 5, RNG.uniform(-104, 88, 3000), RNG.normal(size=500) / 100])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc and musl are libraries of Linux")
def test_exp_has_the_bits_of_the_c_library():
    expf = ctypes.CDLL(None).expf
    expf.restype, expf.argtypes = ctypes.c_float, [ctypes.c_float]
    single = NUMBERS.astype(np.float32).astype(float)
    expected = np.array([expf(number) for number in single])
    assert float32_exp(single).tobytes() == expected.tobytes()
    nearest = np.exp(single).astype(np.float32).astype(float)
    assert (nearest != expected).any()  # the nearest float32 would be another number in some rows


def test_exp_at_the_ends_of_float32():
    x = np.array([-np.inf, -104.0, -103.0, -0.0, 0.0, 88.0, 89.0, np.inf, np.nan])
    expected = [0.0, 0.0, 1.401298464324817e-45, 1.0, 1.0, 1.6516362661361307e38, np.inf, np.inf]
    assert float32_exp(x)[:-1].tolist() == expected
    assert np.isnan(float32_exp(x)[-1])
    vector = float32_exp(np.array([[0.0], [np.nan]]))
    assert vector.shape == (2, 1)
    assert vector[0, 0] == 1.0


def test_a_weighted_sum_rounds_each_step_to_float32_and_leaves_missing_numbers_out():
    columns = [RNG.normal(size=50) for _ in range(4)]
    columns[2][::3] = np.nan
    weights, start = RNG.normal(size=4).astype(np.float32), np.float32(0.1)
    found = OPERATIONS["dot_float32"].column({"weights": weights.astype(float), "start": float(start)})(*columns)
    for row in range(50):
        total = start
        for column, weight in zip(columns, weights, strict=True):
            if not np.isnan(column[row]):
                total = np.float32(total + np.float32(np.float32(column[row]) * weight))
        assert found[row] == total
    in_double = sum(np.nan_to_num(c) * float(w) for c, w in zip(columns, weights, strict=True)) + float(start)
    assert (found != in_double).any()
