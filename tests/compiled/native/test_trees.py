"""Trees in the core: walks and scores have the bits of NumPy's executor, and hostile trees are refused."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from core_bits import ROWS, differing_levels
from random_trees import INPUTS, ensemble

from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.plan_bytes import PlanWriter
from pipeline_lib.compiled.native.tree_layout import encode_trees
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
SCORER_WIDTH = 9  # the integer that says how many columns of ranks there are
STEPS = 10  # the array of tests
SCORER_ROWS = 8  # the integer that says from how many rows on trees are scored by rows
EDGES = (np.nan, np.nan, np.inf, -np.inf, 5e-324, -5e-324, 1e-50, -1e-50, 1e300, -1e300, 3.4028236e38, -0.99, 6.9, 7.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(19)


def numbers_of(rng: np.random.Generator, settings: dict[str, Any], *, single: bool = False) -> np.ndarray:
    """Numbers (inputs x rows), many of them thresholds or next to one."""
    known = rng.choice(settings["threshold"], 50)
    pool = np.concatenate([known, np.nextafter(known, np.inf), np.nextafter(known, -np.inf), EDGES])
    shape = (INPUTS, max(ROWS))
    numbers: np.ndarray = np.where(rng.random(shape) < 0.7, rng.choice(pool, shape), rng.normal(size=shape))
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).astype(float) if single else numbers


def tree_plan(settings: dict[str, Any]) -> tuple[Plan, int]:
    build = Builder()
    root = build.apply("trees", *(build.input(f"c{number}", "float64") for number in range(INPUTS)), **settings)
    return Plan(build.nodes, {}), root.node


SHAPES = {
    "leaves alone": [1, 1],
    "stumps": [2] * 40,
    "small": [1, 3, 8, 9, 31, 2, 30],
    "medium": [64, 40, 63, 33],
    "bytes": [256, 100, 65],
    "more than a block for one row": [4, 5] * 80,
    "mixed": [3, 300, 20],
    "large": [1500],
}


@pytest.mark.parametrize("sizes", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("fine", [False, True])
def test_every_shape_of_tree(rng: np.random.Generator, sizes: list[int], fine: bool) -> None:
    for sets, single in ((False, False), (True, False), (False, True)):
        settings = ensemble(rng, sizes, sets=sets, fine=fine, single=single)
        plan, root = tree_plan(settings)
        assert differing_levels(plan, [root], numbers_of(rng, settings, single=single)) == []


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("start", [None, [0.1, -0.0, 3.0]])
@pytest.mark.parametrize("sizes", [[9, 31, 20, 3], [9, 700, 3]])
def test_several_outputs(rng: np.random.Generator, sizes: list[int], start: list[float] | None, single: bool) -> None:
    for outputs in (None, [2, 0, 2, 1][: len(sizes)]):
        settings = ensemble(rng, sizes, width=3, outputs=outputs, start=start, single=single)
        plan, root = tree_plan(settings)
        assert differing_levels(plan, [root], numbers_of(rng, settings)) == []


def test_more_thresholds_than_ranks_are_scored_in_parts(rng: np.random.Generator) -> None:
    settings = ensemble(rng, [60] * 40, fine=True)
    encoded = encode_trees(settings, ["float64"] * INPUTS, [1] * INPUTS)
    assert encoded is not None
    assert encoded.ints[SCORER_ROWS] > 0
    plan, root = tree_plan(settings)
    assert differing_levels(plan, [root], numbers_of(rng, settings)) == []


def test_another_threshold_is_noticed(rng: np.random.Generator) -> None:
    """Negative control: the comparison sees one threshold that is off by one bit."""
    settings = ensemble(rng, [31] * 4)
    moved = settings | {"threshold": np.nextafter(settings["threshold"], np.inf)}
    (plan, root), (other, _) = tree_plan(settings), tree_plan(moved)
    numbers = np.broadcast_to(settings["threshold"][0] + np.zeros((INPUTS, 1)), (INPUTS, max(ROWS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core_bits.ColumnExecutor", _Other(other))
        assert differing_levels(plan, [root], np.nextafter(numbers, np.inf)) != []


class _Other:
    """NumPy's executor of another plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __call__(self, plan: Plan, roots: list[int]) -> Any:
        from pipeline_lib.compiled.column_executor import ColumnExecutor

        return ColumnExecutor(self.plan, roots)


def test_trees_that_numpy_keeps(rng: np.random.Generator) -> None:
    settings = ensemble(rng, [5, 5])
    dtypes, widths = ["float64"] * INPUTS, [1] * INPUTS
    assert encode_trees(settings, dtypes, widths) is not None
    assert encode_trees(settings | {"roots": settings["roots"][:0]}, dtypes, widths) is None
    assert encode_trees(settings | {"roots": settings["roots"][[0, 0]]}, dtypes, widths) is None  # a tree twice
    assert encode_trees(settings | {"threshold": settings["threshold"] * math.nan}, dtypes, widths) is None
    assert encode_trees(settings | {"width": 2}, dtypes, widths) is None


def test_a_test_on_a_column_that_nothing_fills_is_refused(rng: np.random.Generator) -> None:
    """Such a column holds what the memory held before."""
    encoded = encode_trees(ensemble(rng, [8] * 4), ["float64"] * INPUTS, [1] * INPUTS)
    assert encoded is not None
    ints, arrays = list(encoded.ints), list(encoded.arrays)
    load(encoded)
    filled = ints[SCORER_WIDTH]
    ints[SCORER_WIDTH] = filled + 9
    load(replace(encoded, ints=ints))
    arrays[STEPS] = arrays[STEPS] | np.uint64(filled + 8)  # the low 16 bits are the test's column
    with pytest.raises(ValueError, match="found tests of trees that lead out of their arrays"):
        load(replace(encoded, ints=ints, arrays=arrays))


def load(encoded: Encoded) -> None:
    """Load a plan of these trees alone."""
    writer, module = PlanWriter(), built()
    assert module is not None
    inputs = [writer.register("d") for _ in range(INPUTS)]
    writer.inputs = INPUTS
    result = writer.register("d")
    writer.instruction(encoded, inputs, result)
    module.Plan(writer.to_bytes([result]), 0)


@pytest.mark.parametrize("width", [1, 2])
def test_oblivious_trees(rng: np.random.Generator, width: int) -> None:
    """Shorter trees are filled up with splits that no number is above."""
    splits = np.array([6, 2, 0, 5])
    used = np.arange(6) < splits[:, None]
    settings = {
        "split_columns": np.where(used, rng.integers(0, INPUTS, used.shape), 0),
        "thresholds": np.where(used, rng.choice([-1.0, -0.0, 0.5, 2.0, 0.1], used.shape), np.inf),
        "first": np.cumsum([0, *(1 << splits[:-1])]),
        "values": rng.normal(size=(int((1 << splits).sum()), width)),
    }
    build = Builder()
    root = build.apply("oblivious_trees", *(build.input(f"c{n}", "float64") for n in range(INPUTS)), **settings)
    numbers = numbers_of(rng, {"threshold": settings["thresholds"].ravel()})
    assert differing_levels(Plan(build.nodes, {}), [root.node], numbers) == []
