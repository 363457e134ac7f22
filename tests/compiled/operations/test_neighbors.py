"""Searches for near points: with and without matrix products, the heap's choice among ties, damaged trees."""

import heapq
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.distances import COUNTS, METRICS, Metric, at, between
from pipeline_lib.compiled.operations.kept_results import kept_of, kept_results
from pipeline_lib.compiled.operations.neighbor_search import Search
from pipeline_lib.compiled.operations.neighbor_ties import on_heap
from pipeline_lib.compiled.operations.stored_points import (
    Products,
    stored_points,
)
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(2)
POINTS = {
    "integers": _RNG.integers(-3, 4, (200, 8)).astype(float),
    "halves": _RNG.integers(0, 9, (200, 8)) / 2,
    "decimals": np.round(_RNG.normal(size=(200, 8)), 1),
    "far": _RNG.normal(size=(200, 8)) + 1e6,
    "huge": _RNG.normal(size=(200, 8)) * 1e200,
}


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize("count", [1, 4, 12])
@pytest.mark.parametrize("ties", ["index", "heap"])
def test_a_matrix_product_only_saves_work(kind: str, count: int, ties: str) -> None:
    points = POINTS[kind]
    settings = {"points": points, "metric": "euclidean", "count": count, "ties": ties}
    rows = np.concatenate([points[:40], points[40:80, ::-1], points[80:90] + 0.1]).T
    with np.errstate(all="ignore"):
        assert Search(settings)._products is not None
        fast = Search(settings).nearest(rows)
        assert fast.tobytes() == Search(settings, products=False).nearest(rows).tobytes()
        ones = [Search(settings).nearest(rows[:, [row]]) for row in range(rows.shape[1])]
    assert np.concatenate(ones, axis=1).tobytes() == fast.tobytes()


def test_points_within_a_radius_are_those_of_all_distances() -> None:
    points, rows = POINTS["integers"], POINTS["halves"][:30].T
    search = Search({"points": points, "metric": "euclidean"})
    found = search.within(np.ascontiguousarray(rows), np.full(30, 60.0))
    row, point = np.nonzero(search.all(rows) <= 60.0)
    assert np.array_equal(found.rows, row)
    assert np.array_equal(found.chosen, point)


@pytest.mark.parametrize("metric", METRICS)
def test_one_pair_has_the_bits_of_many(metric: str) -> None:
    columns = 2 if metric == "haversine" else 5
    points = np.abs(POINTS["decimals"][:30, :columns])
    points = (points > 0.5) * 1.0 if metric in COUNTS else points
    inverse = np.eye(columns) + 0.1 if metric == "mahalanobis" else None
    measure = Metric(metric, p=3.0, inverse=inverse)
    vector = np.ascontiguousarray(points[:7].T)
    stored = np.ascontiguousarray(points.T)
    with np.errstate(all="ignore"):
        many = measure.reduced(between(stored, vector))
        rows, chosen = np.divmod(np.arange(7 * 30), 30)
        some = measure.reduced(at(stored, vector, chosen, rows))
    assert many.T.ravel().tobytes() == some.tobytes()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_heap_keeps_the_nearest(count: int) -> None:
    for _ in range(20):
        values = _RNG.integers(0, 6, 300).astype(float)
        kept = values[on_heap(values, count)]
        assert sorted(kept) == heapq.nsmallest(count, values)


def test_a_nearer_point_replaces_the_root() -> None:
    assert sorted(on_heap(np.array([4.0, 4.0, 1.0]), 2)) == [0, 2]
    assert sorted(on_heap(np.array([4.0, 1.0, 4.0]), 2)) == [0, 1]


def test_kept_products_are_those_of_the_same_rows_and_points(monkeypatch: pytest.MonkeyPatch) -> None:
    points, others, rows = POINTS["decimals"], POINTS["decimals"] * 2.0, POINTS["far"][:40].T
    computed: list[int] = []
    compute = Products._rough
    monkeypatch.setattr(Products, "_rough", lambda self, vector: computed.append(1) or compute(self, vector))

    def answers() -> list[bytes]:
        searches = [Search({"points": each, "metric": "euclidean", "count": 3}) for each in (points, others)]
        return [search.nearest(each).tobytes() for search in searches for each in (rows, rows + 1.0)]

    expected = answers()
    assert (len(computed), len(set(expected))) == (4, 4)
    with kept_results():
        assert answers() == expected
        assert answers() == expected
        assert len(computed) == 8
        with kept_results(keep=False):
            assert answers() == expected
        assert len(computed) == 12
    answers()
    assert len(computed) == 16  # nothing is kept any more


def test_products_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.compiled.operations.stored_points._MOST_KEPT", 1000)
    search = Search({"points": POINTS["decimals"], "metric": "euclidean", "count": 3})
    with kept_results():
        kept = kept_of("products")
        for row in range(40):
            search.nearest(POINTS["far"][[row]].T)
            assert sum(rough.values.size for _, rough in kept.values()) <= 1200
        assert kept
        kept.clear()
        wide = _RNG.normal(size=(100, 120))
        search = Search({"points": wide, "metric": "euclidean", "count": 3})
        assert search.nearest(wide[:5].T)[3].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert not kept  # more columns than points: rows would take more memory than their products


def test_points_are_prepared_once_and_forgotten_with_their_array() -> None:
    points = POINTS["integers"].copy()
    assert stored_points(points) is stored_points(points)
    other = points.copy()
    assert stored_points(other) is not stored_points(points)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 9}, "found 9 neighbours of 4 points, expected from 1 to as many as there are points"),
        ({"tree_order": [0, 1, 2, 2]}, "found a tree of 4 points, 3 nodes and 2 leaves for 4 points"),
        ({"tree_starts": [0, 1, 2, 4]}, "3 nodes and 3 leaves"),
        ({"metric": "other"}, "found metric='other'|expected one of"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    build = Builder()
    vector = build.stack([build.input("x", "float64")])
    tree = {"ties": "tree", "tree_order": [0, 1, 2, 3], "tree_starts": [0, 2, 4], "tree_low": [[0.0], [0.0], [2.0]]}
    settings = {"points": [[0.0], [1.0], [2.0], [3.0]], "count": 1, "metric": "euclidean", "expanded": False} | tree
    settings["tree_high"] = [[3.0], [1.0], [3.0]]
    build.apply("nearest", vector, **settings)
    with pytest.raises(InputError, match=message):
        build.apply("nearest", vector, **settings | change)


def test_a_radius_without_points_gives_nan_and_no_count() -> None:
    settings = {"points": [[0.0], [1.0]], "radius": 1.0, "expanded": False, "metric": "euclidean"}
    function = OPERATIONS["within_radius"].column(settings | {"targets": [[3.0], [5.0]], "weights": "distance"})
    with np.errstate(all="ignore"):
        result = function(np.array([[0.0, 0.25, 9.0]]))
    assert result[1].tolist() == [2.0, 2.0, 0.0]
    assert result[0, :2].tolist() == [3.0, (3.0 * (1 / 0.25) + 5.0 * (1 / 0.75)) / (1 / 0.25 + 1 / 0.75)]
    assert np.isnan(result[0, 2])
