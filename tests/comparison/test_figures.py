"""Numbers on a page: an estimate and its limits share their decimals."""

import math

import pytest

from pipeline_lib.comparison.figures import alike, count, unbroken
from pipeline_lib.comparison.svg import Scale, ticks


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.62, 0.5222, 0.717], ["0.620", "0.522", "0.717"]),
        ([1290.4, -3.0], ["1,290", "-3"]),
        ([0.0, 0.0], ["0", "0"]),
        ([-0.0001, 5.0], ["0.00", "5.00"]),
        ([math.nan, 2.0], ["not known", "2.00"]),
        ([-math.inf, 2.0], ["not known", "2.00"]),
        ([3e-7, 1e-9], ["3e-07", "1e-09"]),
        ([2.5e9, 1e6], ["2.50 billion", "0.00 billion"]),
    ],
)
def test_numbers_that_stand_together(values: list[float], texts: list[str]) -> None:
    assert alike(values) == texts


def test_a_sign_is_shown_where_asked_but_not_of_zero() -> None:
    assert alike([2.0, 0.0, -1.0], sign=True) == ["+2.00", "0.00", "-1.00"]


def test_nouns_and_lines() -> None:
    assert [count(number, "row") for number in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
    assert " " not in unbroken("1 to 2")


def test_ticks_are_few_round_and_inside() -> None:
    for low, high in [(-0.7, 2.2), (0.0, 1e-9), (-3e7, 1e3), (99.0, 101.0)]:
        found = ticks(low, high)
        assert 2 <= len(found) <= 6
        assert all(low - 1e-9 * (high - low) <= tick <= high + 1e-9 * (high - low) for tick in found)
    assert ticks(1.0, 1.0) == [1.0]


def test_a_scale_keeps_values_on_the_picture() -> None:
    scale = Scale(0.0, 10.0, 100.0, 200.0)
    assert [scale(value) for value in (-5.0, 0.0, 5.0, 50.0)] == [100.0, 100.0, 150.0, 200.0]
    assert Scale(1.0, 1.0, 0.0, 8.0)(1.0) == 4.0
