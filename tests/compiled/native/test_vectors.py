"""Vectors, matrices, kernels and centres in the core: the bits of NumPy's executor at every level."""

from typing import Any

import numpy as np
import pytest
from core_bits import ROWS, differing_levels, table, vector_plan
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.tile_layout import BLOCK, listed_tiles, tiles
from pipeline_lib.compiled.native.vector_layout import encode_affine, encode_item
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(19)


def assert_same_bits(operation: str, numbers: np.ndarray, **settings: Any) -> None:
    plan, root = vector_plan(operation, len(numbers), **settings)
    assert differing_levels(plan, [root], numbers) == []


@pytest.mark.parametrize("zeros", [0.0, 0.05, 0.95])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 4), (13, 9), (100, 33)])
def test_matrices_add_in_order_and_leave_weights_of_0_out(
    rng: np.random.Generator, inputs: int, outputs: int, zeros: float
) -> None:
    matrix = table(rng, outputs, inputs, edges=0.02)
    matrix = np.where(rng.random(matrix.shape) < zeros, rng.choice([0.0, -0.0], size=matrix.shape), matrix)
    for edges, offset in ((0.0, None), (0.02, table(rng, 1, outputs, edges=0.1)[0])):
        assert_same_bits("affine", table(rng, inputs, max(ROWS), edges=edges), matrix=matrix, offset=offset)


def test_another_order_of_sums_is_seen(rng: np.random.Generator) -> None:
    numbers, matrix = table(rng, 13, max(ROWS)), table(rng, 9, 13)
    plan, root = vector_plan("affine", 13, matrix=matrix, offset=None)
    turned, other = vector_plan("affine", 13, matrix=matrix[:, ::-1].copy(), offset=None)
    core = core_executor(turned, [other], ColumnExecutor)
    assert core is not None
    (found,) = core.run({f"c{index}": own for index, own in enumerate(numbers[::-1])}, max(ROWS))
    columns = {f"c{index}": own for index, own in enumerate(numbers)}
    (expected,) = ColumnExecutor(plan, [root]).run(columns, max(ROWS))
    assert not same_bits(found, expected, max(ROWS))


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid"])
@pytest.mark.parametrize("whole", [False, True])
def test_kernels(rng: np.random.Generator, kernel: str, whole: bool) -> None:
    points = table(rng, 37, 7, edges=0.01, whole=whole)
    for gamma, coef0, degree in ((0.1, 0.0, 3), (2.0, -1.5, 2), (0.5, 1.0, 0)):
        own = {"gamma": gamma, "coef0": coef0, "degree": degree, "expanded": True, "kernel": kernel}
        assert_same_bits("kernel", table(rng, 7, max(ROWS), edges=0.01, whole=whole), points=points, **own)


@pytest.mark.parametrize("metric", ["euclidean", "squared", "manhattan", "chi_squared"])
def test_distances_from_points(rng: np.random.Generator, metric: str) -> None:
    points = table(rng, 11, 5, whole=True)
    numbers = table(rng, 5, max(ROWS), edges=0.05, whole=True)
    assert_same_bits("point_distances", numbers, points=points, metric=metric, expanded=False)


def test_centres_that_are_as_near_are_decided_by_fused_sums(rng: np.random.Generator) -> None:
    centres = table(rng, 9, 5)
    chosen = rng.integers(0, 9, size=(2, max(ROWS)))
    halfway = (centres[chosen[0]] + centres[chosen[1]]).T / 2
    squares = (centres * centres).sum(axis=1)
    for numbers in (halfway, table(rng, 5, max(ROWS), edges=0.05)):
        assert_same_bits("nearest_centre", numbers, centres=centres, squares=squares)


def test_probabilities_of_pairs_are_coupled(rng: np.random.Generator) -> None:
    for classes in (2, 3, 7):
        pairs = classes * (classes - 1) // 2
        own = {"slopes": -1.0 - rng.random(pairs), "offsets": rng.normal(size=pairs) / 10, "classes": classes}
        assert_same_bits("couple", rng.normal(size=(pairs, max(ROWS))) * 3, **own)


def test_numbers_of_vectors(rng: np.random.Generator) -> None:
    numbers = table(rng, 9, max(ROWS), edges=0.1)
    for operation, settings in (
        ("largest", {}),
        ("sum_of_squares", {}),
        ("item", {"place": -2}),
        ("vector_scale", {"factor": 0.1, "offset": -0.0}),
    ):
        assert_same_bits(operation, numbers, **settings)
    build = Builder()
    values = [build.input(f"c{number}", "float64") for number in range(9)]
    left, right = build.stack(values[:4]), build.stack(values[4:8])
    roots = [build.apply("vector_pair", left, right, kind=kind) for kind in ("add", "multiply")]
    roots += [build.apply("vector_number", left, values[8], kind=kind) for kind in ("add", "multiply", "divide")]
    roots += [build.apply("circular_convolution", left, right)]
    roots += [build.apply("median", *values, plain=plain) for plain in (True, False)]
    roots += [build.apply("distinct", *values), build.apply("dot", *values, weights=np.arange(9) / 7)]
    roots += [build.apply("dot_float32", *values, weights=np.arange(9) / 7, start=0.3)]
    assert differing_levels(Plan(build.nodes, {}), [root.node for root in roots], numbers) == []


def test_layouts_hold_each_weight_once() -> None:
    matrix = np.arange(1.0, 31.0).reshape(10, 3)
    cells = tiles(matrix).reshape(-1, 3, BLOCK)
    assert cells.shape == (2, 3, BLOCK)
    assert np.array_equal(cells.transpose(0, 2, 1).reshape(-1, 3)[:10], matrix)
    assert not cells[1, :, 2:].any()
    matrix[:8, 1] = 0.0
    lines, starts, listed = listed_tiles(matrix)
    assert starts.tolist() == [0, 2, 5]
    assert listed.tolist() == [0, 2, 0, 1, 2]
    assert len(lines) == 5 * BLOCK


def test_what_does_not_fit_stays_with_numpy() -> None:
    assert encode_affine({"matrix": np.ones((2, 3)), "offset": None}, ["vector"], [4]) is None
    assert encode_affine({"matrix": np.ones((2, 3)), "offset": np.ones(3)}, ["vector"], [3]) is None
    assert encode_item({"place": 3}, ["vector"], [3]) is None
