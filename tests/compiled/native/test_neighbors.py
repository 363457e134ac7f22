"""Nearest points in the core: distances, and the choice among points that are as near, have the bits of NumPy's."""

from typing import Any

import numpy as np
import pytest
from core_bits import ROWS, differing_levels, table, vector_plan

from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.neighbor_layout import encode_nearest
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
METRICS = ("euclidean", "sqeuclidean", "manhattan", "chebyshev")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(19)


def tree_of(points: np.ndarray, kind: str, metric: str) -> dict[str, Any]:
    """The ties of a tree of scikit-learn."""
    from sklearn.neighbors import BallTree, KDTree

    tree = {"boxes": KDTree, "balls": BallTree}[kind](points, leaf_size=4, metric=metric)
    _, order, nodes, (first, *second) = tree.get_arrays()
    starts = [node["idx_start"] for node in nodes if node["is_leaf"]] + [len(points)]
    settings = {"ties": "tree", "tree_order": np.asarray(order), "tree_starts": np.array(starts)}
    if kind == "boxes":
        return settings | {"tree_low": np.asarray(first), "tree_high": np.asarray(second[0])}
    return settings | {"tree_centers": np.asarray(first), "tree_radii": np.array([node["radius"] for node in nodes])}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("columns", [2, 7])
def test_nearest_points_and_ties(rng: np.random.Generator, metric: str, columns: int) -> None:
    for whole, count, edges in ((True, 1, 0.0), (True, 5, 0.02), (False, 3, 0.02), (True, 80, 0.0)):
        points = table(rng, 100, columns, whole=whole)
        numbers = table(rng, columns, max(ROWS), whole=whole, edges=edges)
        for ties in ({"ties": "index"}, {"ties": "heap"}):
            settings = {"points": points, "count": count, "expanded": False, "metric": metric} | ties
            plan, root = vector_plan("nearest", columns, **settings)
            assert differing_levels(plan, [root], numbers) == []


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("kind", ["boxes", "balls"])
def test_ties_of_a_tree(rng: np.random.Generator, metric: str, kind: str) -> None:
    points, numbers = table(rng, 200, 3, whole=True), table(rng, 3, max(ROWS), whole=True)
    settings = {"points": points, "count": 4, "expanded": False, "metric": metric}
    plan, root = vector_plan("nearest", 3, **settings, **tree_of(points, kind, metric))
    assert differing_levels(plan, [root], numbers) == []
    plain, other = vector_plan("nearest", 3, **settings, ties="index")
    assert _run(plain, other, numbers) != _run(plan, root, numbers), "no tie that the tree decides"


def _run(plan: Plan, root: int, numbers: np.ndarray) -> list[list[float]]:
    from pipeline_lib.compiled.column_executor import ColumnExecutor

    columns = {f"c{index}": own for index, own in enumerate(numbers)}
    (result,) = ColumnExecutor(plan, [root]).run(columns, numbers.shape[1])
    return [[float(number) for number in row] for row in result]  # type: ignore[union-attr]


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_means_of_targets(rng: np.random.Generator, weights: str) -> None:
    build = Builder()
    vector = build.stack([build.input(f"c{number}", "float64") for number in range(3)])
    settings = {"points": table(rng, 50, 3, whole=True), "count": 4, "expanded": False, "metric": "euclidean"}
    near = build.apply("nearest", vector, **settings, ties="heap")
    root = build.apply("neighbour_mean", near, targets=rng.normal(size=(50, 2)), weights=weights)
    assert differing_levels(Plan(build.nodes, {}), [root.node], table(rng, 3, max(ROWS), whole=True)) == []


def test_metrics_that_are_no_sums_stay_with_numpy() -> None:
    settings = {"points": np.ones((4, 2)), "count": 1, "expanded": False, "ties": "index"}
    assert encode_nearest(settings | {"metric": "cosine"}, ["vector"], [2]) is None
    weighted = settings | {"metric": "seuclidean", "column_weights": [1.0, 2.0]}
    assert encode_nearest(weighted, ["vector"], [2]) is None
    assert encode_nearest(settings | {"metric": "euclidean"}, ["vector"], [2]) is not None
