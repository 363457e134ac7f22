"""Remainders, powers, roundings, lines, splines and weighted medians in the core: the bits of NumPy's executor."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from core_search import differing, one_operation, wrong_settings
from operation_search import FLOATS, INTS

from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.plan import Node, Plan

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
ROWS = 700


def any_bits(draw: np.random.Generator) -> np.ndarray:
    return draw.integers(-(2**63), 2**63, ROWS).view(np.float64)


def floats(seed: int) -> np.ndarray:
    """Edges, any bits, small multiples of an eighth, numbers of every size."""
    draw = np.random.default_rng(seed)
    kinds = [
        draw.choice(FLOATS, ROWS),
        any_bits(draw),
        draw.integers(-40, 41, ROWS) / 8.0,
        draw.normal(size=ROWS) * 10.0 ** draw.integers(-12, 13, ROWS),
    ]
    result: np.ndarray = np.choose(draw.choice(4, ROWS, p=[0.25, 0.15, 0.3, 0.3]), kinds)
    return result


@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
def test_remainders(name: str) -> None:
    for seed in range(0, 12, 2):
        columns = [floats(seed), floats(seed + 1)]
        with np.errstate(all="ignore"):
            columns[0][::9] = columns[1][::9] * np.random.default_rng(seed).integers(-9, 10, len(columns[1][::9]))
        assert differing(one_operation(name, ["float64"] * 2, {}), columns) == []
    for constant in (0.0, -0.0, 1.0, -3.0, 0.1, np.inf, -np.inf, np.nan, 5e-324, 2.0**60):
        assert differing(one_operation(name, ["float64"] * 2, {}, {1: constant}), columns) == []
        assert differing(one_operation(name, ["float64"] * 2, {}, {0: constant}), columns) == []


def test_integer_powers() -> None:
    draw = np.random.default_rng(3)
    columns = [np.array(draw.choice(INTS, ROWS)), draw.integers(-2, 70, ROWS)]
    columns[1][::9] = draw.choice(INTS, len(columns[1][::9]))
    assert differing(one_operation("power_int", ["int64"] * 2, {}), columns) == []
    for constant in (-1, 0, 1, 2, 63, 2**63 - 1):
        assert differing(one_operation("power_int", ["int64"] * 2, {}, {1: constant}), columns) == []


@pytest.mark.parametrize("name", ["round_decimals", "round_python"])
@pytest.mark.parametrize("decimals", range(-22, 23))
def test_decimals(name: str, decimals: int) -> None:
    """Halves, their neighbours, and numbers of about 2**53 units, where doubles have no decimals any more."""
    draw, plan = np.random.default_rng(decimals + 30), one_operation(name, ["float64"], {"decimals": decimals})
    halves = (draw.integers(0, 2 ** draw.integers(1, 54, ROWS)) + 0.5) * draw.choice([1, -1], ROWS)
    near = halves / 10.0**decimals if decimals >= 0 else halves * 10.0**-decimals
    binary = draw.integers(0, 2**53, ROWS) * 2.0 ** draw.integers(-60, 30, ROWS)
    moved = np.nextafter(near, draw.choice([np.inf, -np.inf], ROWS))
    units = 2.0**53 * 10.0**-decimals * (1 + draw.integers(-9, 10, ROWS) * 2.0**-52)
    for column in (floats(decimals + 50), near, moved, binary, units, units / 2, units / 4):
        assert differing(plan, [column]) == []


def test_lines_through_points() -> None:
    x = np.array([-3.0, -1.0, -0.0, 0.0, 0.5, 0.5, 2.0, 1e300, np.inf])
    y = np.array([1.0, -0.0, 2.0, 3.0, -1.0, 7.0, 0.1, -5.0, 4.0])
    for count in (1, 2, len(x) - 1, len(x)):
        plan = one_operation("interpolate", ["float64"], {"x": x[:count], "y": y[:count]})
        column = floats(count)
        column[::3] = np.random.default_rng(count).choice(x, len(column[::3]))
        assert differing(plan, [column]) == []
    assert encode(one_operation("interpolate", ["float64"], {"x": x[::-1], "y": y}), [1]) is None


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 5])
def test_splines(degree: int) -> None:
    draw = np.random.default_rng(degree)
    inner = np.sort(np.append(draw.normal(size=6), [0.5, 0.5, 0.5]))
    knots = np.concatenate([[inner[0]] * degree, inner, np.arange(degree) + inner[-1]])
    coefficients = draw.normal(size=(len(knots) - degree - 1, 4))
    settings = {"knots": knots, "coefficients": coefficients, "degree": degree}
    column = floats(degree)
    column[::3] = draw.choice(knots, len(column[::3]))
    column[1::3] = draw.normal(size=len(column[1::3]))
    assert differing(one_operation("splines", ["float64"], settings), [column]) == []
    assert encode(one_operation("splines", ["float64"], settings | {"knots": knots[::-1]}), [1]) is None


@pytest.mark.parametrize("width", [1, 2, 3, 7, 60])
def test_weighted_medians(width: int) -> None:
    draw = np.random.default_rng(width)
    inputs = [Node("input", (), {"column": f"c{at}"}, "float64") for at in range(width)]
    stack = Node("stack", tuple(range(width)), {}, "vector")
    for weights in (
        draw.random(width),
        np.ones(width),
        np.zeros(width),
        np.full(width, np.nan),
        draw.normal(size=width),
    ):
        median = Node("weighted_median", (width,), {"weights": weights}, "float64")
        plan = Plan([*inputs, stack, median], {})
        assert differing(plan, [floats(seed) for seed in range(width)]) == []
        few = [draw.choice([0.0, -0.0, 1.0, np.nan], ROWS) for _ in range(width)]
        assert differing(plan, few) == []


ONES = np.ones(4)


@pytest.mark.parametrize(
    ("operation", "kinds", "widths", "ints", "arrays"),
    [
        ("round_decimals", "d:d", [1, 1], (23,), []),
        ("round_python", "d:d", [1, 1], (-23,), []),
        ("round_python", "d:d", [1, 1], (), []),
        ("interpolate", "d:d", [1, 1], (), [ONES, ONES, ONES[:3]]),
        ("interpolate", "d:d", [1, 1], (), [ONES[:0], ONES[:0], ONES[:0]]),
        ("interpolate", "d:d", [1, 1], (), [ONES, ONES, np.ones(4, dtype=np.int64)]),
        ("splines", "d:v", [1, 2], (1,), [ONES, ONES[:3]]),
        ("splines", "d:v", [1, 2], (2,), [ONES, ONES[:2]]),
        ("splines", "d:v", [1, 2], (-1,), [ONES, np.ones(8)]),
        ("splines", "d:v", [1, 1], (16,), [np.ones(40), np.ones(23)]),
        ("weighted_median", "v:d", [3, 1], (), [ONES]),
        ("weighted_median", "v:d", [4, 1], (0,), [ONES]),
    ],
)
def test_settings_that_would_reach_other_memory_are_refused(
    operation: str, kinds: str, widths: list[int], ints: Sequence[int], arrays: list[Any]
) -> None:
    assert wrong_settings(Encoded(operation, ints, arrays), kinds, widths) != ""


def test_settings_that_fit_are_taken() -> None:
    assert wrong_settings(Encoded("splines", (1,), [ONES, ONES]), "d:v", [1, 2]) == ""
    assert wrong_settings(Encoded("weighted_median", (), [ONES]), "v:d", [4, 1]) == ""
    assert wrong_settings(Encoded("round_python", (-22,)), "d:d", [1, 1]) == ""
