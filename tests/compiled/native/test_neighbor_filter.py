"""The filter before exact distances: its bound holds, and with it the nearest points are those of NumPy's executor."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from core_bits import ROWS, differing_levels, table, vector_plan

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native import neighbor_layout
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.neighbor_filter import BLOCKS_OF_A_NEIGHBOUR, filter_arrays
from pipeline_lib.compiled.native.neighbor_layout import encode_nearest
from pipeline_lib.compiled.native.tile_layout import BLOCK

Rng = np.random.Generator
needs_core = pytest.mark.skipif(built() is None, reason="this machine has no core")
POINTS, COLUMNS, LARGEST_ROW = 403, 7, 2.0**60


@pytest.fixture
def rng() -> Rng:
    return np.random.default_rng(41)


def _clustered(rng: Rng, rows: int) -> np.ndarray:
    """Few far groups of near numbers: float32 sees no difference within one."""
    return np.asarray(1e4 * rng.integers(0, 3, size=(rows, 1)) + 1e-4 * rng.normal(size=(rows, COLUMNS)))


def _one_far(rng: Rng, rows: int) -> np.ndarray:
    numbers = rng.normal(size=(rows, COLUMNS))
    numbers[:: rows // 3 + 1] *= 1e12
    return numbers


KINDS: dict[str, Callable[[Rng, int], np.ndarray]] = {
    "normal": lambda rng, rows: rng.normal(size=(rows, COLUMNS)),
    "shifted": lambda rng, rows: 2000.0 + rng.normal(size=(rows, COLUMNS)),
    "clustered": _clustered,
    "duplicated": lambda rng, rows: rng.normal(size=(9, COLUMNS))[rng.integers(0, 9, size=rows)],
    "lattice": lambda rng, rows: rng.integers(0, 3, size=(rows, COLUMNS)).astype(np.float64),
    "one far": _one_far,
    "equal": lambda rng, rows: np.full((rows, COLUMNS), 3.7),
    "large": lambda rng, rows: 1e130 * rng.normal(size=(rows, COLUMNS)),
    "huge": lambda rng, rows: 1e153 * rng.normal(size=(rows, COLUMNS)),
    "beyond": lambda rng, rows: 1e307 * rng.normal(size=(rows, COLUMNS)),
    "small": lambda rng, rows: 1e-130 * rng.normal(size=(rows, COLUMNS)),
    "tiny": lambda rng, rows: 1e-161 * rng.normal(size=(rows, COLUMNS)),
    "subnormal": lambda rng, rows: 5e-324 * rng.integers(-9, 9, size=(rows, COLUMNS)),
    "spread": lambda rng, rows: rng.normal(size=(rows, COLUMNS)) * 10.0 ** rng.integers(-40, 40, size=(rows, 1)),
}


def _settings(points: np.ndarray, count: int, ties: str, metric: str = "sqeuclidean") -> dict[str, Any]:
    return {"points": points, "count": count, "expanded": False, "metric": metric, "ties": ties}


@needs_core
@pytest.mark.parametrize("kind", KINDS)
def test_nearest_points_are_those_of_numpy(rng: Rng, kind: str) -> None:
    points = KINDS[kind](rng, POINTS)
    for count, ties, metric in ((1, "heap", "euclidean"), (5, "index", "sqeuclidean"), (9, "heap", "sqeuclidean")):
        numbers = np.concatenate([KINDS[kind](rng, 400), points[:70], points[:50] * (1 + 1e-13)]).T
        plan, root = vector_plan("nearest", COLUMNS, **_settings(points, count, ties, metric))
        with np.errstate(over="ignore", invalid="ignore"):
            assert differing_levels(plan, [root], np.resize(numbers, (COLUMNS, max(ROWS)))) == []


@needs_core
@pytest.mark.parametrize("kind", ["normal", "shifted", "lattice", "small"])
def test_rows_that_cannot_use_it_are_measured(rng: Rng, kind: str) -> None:
    points, numbers = KINDS[kind](rng, POINTS), KINDS[kind](rng, max(ROWS)).T
    far = np.where(rng.random(numbers.shape) < 0.02, rng.choice([1e30, -1e200, np.inf, np.nan, 1e308]), numbers)
    edges = table(rng, COLUMNS, max(ROWS), edges=0.1)
    plan, root = vector_plan("nearest", COLUMNS, **_settings(points, 4, "heap"))
    for rows in (far, edges, far[:, ::-1]):
        assert differing_levels(plan, [root], rows) == []


@needs_core
@pytest.mark.parametrize("points", [8 * 4 * 2, 8 * 4 * 2 + 1, 8 * 4 * 2 + 7, 4001])
@pytest.mark.parametrize("columns", [1, 2, 33])
def test_any_count_of_points_and_numbers(rng: Rng, points: int, columns: int) -> None:
    plan, root = vector_plan("nearest", columns, **_settings(rng.normal(size=(points, columns)), 1, "index"))
    assert differing_levels(plan, [root], rng.normal(size=(columns, max(ROWS)))) == []


@needs_core
def test_without_the_bound_points_would_be_missed(rng: Rng) -> None:
    """Negative control: float32 alone chooses other points among those that it cannot tell apart."""
    points, numbers = _clustered(rng, POINTS), np.resize(_clustered(rng, 500).T, (COLUMNS, max(ROWS)))
    plan, root = vector_plan("nearest", COLUMNS, **_settings(points, 5, "index"))
    assert differing_levels(plan, [root], numbers) == []

    def no_bounds(points: Any, count: int) -> list[Any]:
        cells, halves, bounds, middle = filter_arrays(points, count)
        return [cells, halves, 0 * bounds, middle]

    with patch.object(neighbor_layout, "filter_arrays", no_bounds):
        assert differing_levels(plan, [root], numbers) != []


def _scores(row: np.ndarray, cells: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """The core's scores of all points for one row (of float32): half of the square, less one product after another."""
    scores = halves.copy()
    for stored, number in zip(cells, row, strict=True):
        scores -= stored * number
    return scores


def _half_distances(row: np.ndarray, points: np.ndarray, scale: float) -> list[Fraction]:
    """Half of the reference's squares, scaled as the points are."""
    total = np.zeros(len(points))
    for stored, number in zip(points.T, row, strict=True):
        total += (stored - number) ** 2
    return [Fraction(float(value)) * Fraction(scale) ** 2 / 2 for value in total]


def _largest_part(rng: Rng, points: np.ndarray, rows: np.ndarray) -> Fraction:
    """The largest part of their bound that scores are off by."""
    cells, halves, bounds, middle = filter_arrays(points, 1)
    columns, scale = points.shape[1], float(middle[-1])
    by_number = cells.reshape(-1, columns, BLOCK).transpose(1, 0, 2).reshape(columns, -1)
    worst = Fraction(0)
    with np.errstate(all="ignore"):
        for row in rows:
            moved = (row - middle[:-1]) * scale
            size = float(np.sqrt((moved * moved).sum())) * (1 + 2.0**-20)
            if not size < LARGEST_ROW:
                continue
            own = sum((Fraction(float(x)) - Fraction(float(m))) ** 2 for x, m in zip(row, middle[:-1], strict=True))
            own *= Fraction(scale) ** 2 / 2
            scores = _scores(moved.astype(np.float32), by_number, np.asarray(halves))
            steady = (columns + 8) * (2.0**-52 * size * size + 2.0**-80)
            for at, half in enumerate(_half_distances(row, points, scale)):
                term, slope = (float(value) for value in bounds[2 * (at // BLOCK) : 2 * (at // BLOCK) + 2])
                bound = Fraction(term) + Fraction(slope) * Fraction(size) + Fraction(steady)
                worst = max(worst, abs(half - own - Fraction(float(scores[at]))) / bound)
    return worst


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"beyond", "huge", "tiny", "subnormal"}))
def test_the_bound_holds(rng: Rng, kind: str) -> None:
    points = KINDS[kind](rng, 96)
    rows = np.concatenate([KINDS[kind](rng, 10), points[:6], 1e3 * points[:3], 1e-9 * points[:3], 1e15 * points[3:6]])
    assert _largest_part(rng, points, rows) <= Fraction(1, 2)  # it is twice what can be


def test_a_smaller_bound_would_not_hold(rng: Rng) -> None:
    """Negative control: equal signs everywhere make roundings add up to a good part of the bound."""
    points = 1 + rng.random(size=(96, 3)) * np.where(np.arange(96) % 2, 1.0, -1.0)[:, None]
    assert _largest_part(rng, points, points[:40] * 1.7) > Fraction(1, 60)


@needs_core
@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_a_filter_of_other_points_is_refused(rng: Rng, wrong: int) -> None:
    plan, root = vector_plan("nearest", COLUMNS, **_settings(rng.normal(size=(POINTS, COLUMNS)), 5, "index"))

    def shorter(points: Any, count: int) -> list[Any]:
        return [array[: len(array) - (at == wrong)] for at, array in enumerate(filter_arrays(points, count))]

    with (
        patch.object(neighbor_layout, "filter_arrays", shorter),
        pytest.warns(UserWarning, match="a filter of other points than the search"),
    ):
        assert core_executor(plan, [root], ColumnExecutor) is None


def test_where_there_is_no_filter(rng: Rng) -> None:
    points = KINDS["normal"](rng, POINTS)
    assert filter_arrays(points, 5)
    few = POINTS // BLOCK // BLOCKS_OF_A_NEIGHBOUR
    assert filter_arrays(points, few + 1) == []
    for factor in (1e-200, 1e200, np.inf, np.nan):
        assert filter_arrays(points * factor, 5) == []
    for metric, filtered in (("euclidean", 1), ("manhattan", 0), ("chebyshev", 0)):
        encoded = encode_nearest(_settings(points, 5, "index", metric), ["vector"], [COLUMNS])
        assert encoded is not None
        assert encoded.ints[-1] == filtered
