"""Ways over near points, outlier factors and coordinate descent in the core: the bits of NumPy's executor."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from core_search import differing, wrong_settings

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.embedding_layout import encode_path_lengths
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.plan import Node, Plan

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
ROWS, POINTS = 700, 9


def plan_of(operation: str, width: int, gives: str, **settings: Any) -> Plan:
    """One operation of the vector of `width` raw columns."""
    inputs = [Node("input", (), {"column": f"c{at}"}, "float64") for at in range(width)]
    stack = Node("stack", tuple(range(width)), {}, "vector")
    return Plan([*inputs, stack, Node(operation, (width,), settings, gives)], {})


def near(draw: np.random.Generator, count: int) -> list[np.ndarray]:
    """Distances, some infinite or missing, and indices."""
    distances = np.abs(draw.normal(size=(count, ROWS)))
    edges = draw.random((count, ROWS)) < 0.1
    distances[edges] = draw.choice([0.0, np.inf, np.nan, 1e308], int(edges.sum()))
    return [*distances, *draw.integers(0, POINTS, (count, ROWS)).astype(float)]


@pytest.mark.parametrize("count", [1, 4])
def test_shortest_ways(count: int) -> None:
    draw = np.random.default_rng(count)
    ways = draw.choice([0.0, 1.0, np.inf, np.nan, 0.1, 1e308], (POINTS, 5), p=[0.3, 0.3, 0.05, 0.05, 0.2, 0.1])
    assert differing(plan_of("path_lengths", 2 * count, "vector", ways=ways), near(draw, count)) == []
    assert encode_path_lengths({"ways": -ways}, ["vector"], [2 * count]) is None


@pytest.mark.parametrize("count", [1, 5])
def test_outlier_factors(count: int) -> None:
    draw = np.random.default_rng(count)
    reaches, densities = np.abs(draw.normal(size=POINTS)), np.abs(draw.normal(size=POINTS)) * 1e3
    for own in (reaches, np.zeros(POINTS), np.where(reaches < 0.5, np.nan, reaches)):
        plan = plan_of("outlier_factor", 2 * count, "float64", reaches=own, densities=densities)
        assert differing(plan, near(draw, count)) == []


@pytest.mark.parametrize("sweeps", [0, 1, 3, 200])
def test_coordinate_descent(sweeps: int) -> None:
    draw = np.random.default_rng(sweeps)
    parts = draw.normal(size=(4, 6))
    gram = parts @ parts.T
    gram[2, 2] = 0.0
    products = draw.normal(size=(4, ROWS))
    products[draw.random((4, ROWS)) < 0.2] = 0.0
    products[0, ::50], products[1, ::70] = np.nan, -np.inf
    assert differing(plan_of("coordinate_descent", 4, "vector", gram=gram, sweeps=sweeps), list(products)) == []


@pytest.mark.parametrize("index", [float(POINTS), -1.0, np.nan, 1e300, -np.inf])
@pytest.mark.parametrize("name", ["path_lengths", "outlier_factor"])
def test_an_index_of_no_point_is_not_answered(name: str, index: float) -> None:
    ones = np.ones(POINTS)
    settings = {"ways": np.ones((POINTS, 2))} if name == "path_lengths" else {"reaches": ones, "densities": ones}
    core = core_executor(
        plan_of(name, 2, "vector" if "ways" in settings else "float64", **settings), [3], ColumnExecutor
    )
    assert core is not None
    assert core.quick({"c0": np.ones(1), "c1": np.array([index])}, 1) is None
    assert core.quick({"c0": np.ones(1), "c1": np.zeros(1)}, 1) is not None


ONES = np.ones(4)


@pytest.mark.parametrize(
    ("operation", "kinds", "widths", "ints", "arrays"),
    [
        ("path_lengths", "v:v", [3, 2], (), [ONES]),
        ("path_lengths", "v:v", [2, 3], (), [ONES]),
        ("path_lengths", "v:v", [2, 2], (), [ONES[:0]]),
        ("outlier_factor", "v:d", [2, 1], (), [ONES, ONES[:3]]),
        ("outlier_factor", "v:d", [1, 1], (), [ONES, ONES]),
        ("outlier_factor", "v:d", [2, 1], (), [ONES[:0], ONES[:0]]),
        ("coordinate_descent", "v:v", [2, 2], (-1,), [ONES]),
        ("coordinate_descent", "v:v", [2, 2], (2**20 + 1,), [ONES]),
        ("coordinate_descent", "v:v", [2, 2], (2**63 - 1,), [ONES]),
        ("coordinate_descent", "v:v", [2, 2], (1,), [ONES[:3]]),
        ("coordinate_descent", "v:v", [2, 1], (1,), [ONES]),
    ],
)
def test_settings_that_would_reach_other_memory_are_refused(
    operation: str, kinds: str, widths: list[int], ints: Sequence[int], arrays: list[Any]
) -> None:
    assert wrong_settings(Encoded(operation, ints, arrays), kinds, widths) != ""


def test_settings_that_fit_are_taken() -> None:
    assert wrong_settings(Encoded("path_lengths", (), [ONES]), "v:v", [2, 2]) == ""
    assert wrong_settings(Encoded("outlier_factor", (), [ONES, ONES]), "v:d", [2, 1]) == ""
    assert wrong_settings(Encoded("coordinate_descent", (1,), [ONES]), "v:v", [2, 2]) == ""
