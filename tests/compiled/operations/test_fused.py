"""The fused multiply-add against exact fractions: rounded once, to the nearest, ties to even."""

from fractions import Fraction

import numpy as np

from pipeline_lib.compiled.operations.fused import fused_multiply_add

RNG = np.random.default_rng(0)


def exact(a, b, c):
    return [float(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in zip(a, b, c, strict=True)]


def test_random_numbers():
    a, b = RNG.normal(size=(2, 20_000)) * 10.0 ** RNG.integers(-20, 20, size=(2, 20_000))
    c = -a * b * (1 + RNG.choice([0.0, 2.0**-52, -(2.0**-53), 1e-9, 1.0], 20_000))
    fused = fused_multiply_add(a, b, c)
    assert fused.tolist() == exact(a, b, c)
    assert (fused != a * b + c).any()  # which rounds twice


def test_sums_in_the_middle_of_two_numbers():
    """The exact sum is in the middle of two doubles, or next to it by less than a double can say."""
    a = np.array([1.0 + 2.0**-52, 1.0 + 2.0**-30, 1.0, 1.0 + 2.0**-27, 3.0, 2.0**-53])
    b = np.array([1.0 - 2.0**-53, 1.0 + 2.0**-30, 2.0**-53, 1.0 - 2.0**-27, 2.0**-54, 1.0 + 2.0**-52])
    for c in (1.0, -1.0, 2.0**-60, 1.0 + 2.0**-52, -(2.0**-53)):
        assert fused_multiply_add(a, b, np.full(6, c)).tolist() == exact(a, b, np.full(6, c))


def test_shapes_broadcast():
    assert fused_multiply_add(np.array([[2.0], [3.0]]), np.array([5.0, 7.0]), np.ones((2, 2))).tolist() == [
        [11.0, 15.0],
        [16.0, 22.0],
    ]
