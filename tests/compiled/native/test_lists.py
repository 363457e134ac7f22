"""Child rows in the core: every aggregation has the bits of NumPy's function, and columns that lie are refused."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from operation_search import FLOATS, INTS, LARGE, TINY
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.list_functions import core_list_function
from pipeline_lib.compiled.operations import aggregations
from pipeline_lib.compiled.operations.aggregations import exact_sum
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
COUNTS = ([0], [1], [5, 0, 0, 3], [0, 700, 1, 2, 0], [1] * 50, list(range(60)))
PLAIN: dict[str, Any] = {}


def starts_of(counts: list[int]) -> np.ndarray:
    return np.append(0, np.cumsum(counts)).astype(np.int64)


def floats(draw: np.random.Generator, count: int) -> np.ndarray:
    kinds = [
        draw.choice(FLOATS, count),
        draw.integers(-(2**63), 2**63, count).view(np.float64),
        draw.integers(-3, 4, count) / 2.0,
        draw.normal(size=count) * 10.0 ** draw.integers(-9, 10, count),
        draw.choice([0.0, -0.0, np.nan, 1.0], count),
    ]
    result: np.ndarray = np.choose(draw.integers(0, 5, count) if draw.random() < 0.5 else draw.integers(5), kinds)
    return result


def integers(draw: np.random.Generator, count: int) -> np.ndarray:
    small = draw.integers(-2, 6, count)
    return (
        np.where(draw.random(count) < 0.5, np.array(draw.choice(INTS, count)), small) if draw.random() < 0.5 else small
    )


def bools(draw: np.random.Generator, count: int) -> np.ndarray:
    return draw.random(count) < 0.4


def texts(draw: np.random.Generator, count: int) -> TextColumn:
    words = [None, "", "a", "b", "long word", "a"]
    return TextColumn.of([words[number] for number in draw.integers(0, len(words), count)])


def both(name: str, settings: dict[str, Any], *lists: ListColumn) -> tuple[Any, Any]:
    """The core's result and NumPy's; NumPy's function must not be what the core falls back to."""

    def never(*columns: Any) -> Any:
        raise AssertionError("found NumPy's function, expected the core's")

    with np.errstate(all="ignore"):
        expected = OPERATIONS[name].column(settings)(*lists)
        return core_list_function(name, settings, never)(*lists), expected


@pytest.mark.parametrize(
    ("name", "settings", "makes"),
    [
        ("list_sum", PLAIN, [floats]),
        ("list_min", {"dates": False}, [floats]),
        ("list_max", {"dates": False}, [floats]),
        ("list_min", {"dates": True}, [integers]),
        ("list_max", {"dates": True}, [integers]),
        ("list_distinct", PLAIN, [floats]),
        ("list_distinct", PLAIN, [integers]),
        ("list_distinct", PLAIN, [bools]),
        ("list_distinct", PLAIN, [texts]),
        ("list_at_largest", PLAIN, [floats, floats]),
        ("list_at_largest", PLAIN, [floats, integers]),
        ("list_sums_by", {"places": 1}, [integers, integers]),
        ("list_sums_by", {"places": 5}, [integers, integers]),
        ("list_sums_by", {"places": 5}, [integers, bools]),
    ],
)
def test_aggregations_of_random_child_rows(name: str, settings: dict[str, Any], makes: list[Any]) -> None:
    for seed in range(40):
        draw = np.random.default_rng(seed)
        counts = COUNTS[seed % len(COUNTS)]
        lists = [ListColumn(make(draw, sum(counts)), starts_of(counts)) for make in makes]
        found, expected = both(name, settings, *lists)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert same_bits(found, expected, len(counts)), (seed, found, expected)


SUMS = {
    "a half up, by a number far below": [2.0**53, 1.0, 2.0**-1000],
    "a half stays, by a number far below": [2.0**53, 1.0, -(2.0**-1000)],
    "a tie to even": [2.0**53, 1.0, 2.0, -2.0],
    "all cancels": [1e300, 1.0, -1e300, -1.0],
    "negative zero": [-0.0, -0.0, -0.0],
    "beyond the range and back": [LARGE, LARGE, -LARGE, -LARGE, TINY],
    "beyond the range": [LARGE, LARGE, 1.0],
    "below the range": [-LARGE, -LARGE, 1.0],
    "the last number that does not round to infinity": [LARGE, 2.0**969, 2.0**968],
    "half an ULP above the largest": [LARGE, 2.0**969, 2.0**969],
    "subnormal": [TINY, TINY, -3 * TINY],
    "from subnormal to normal": [2.0**-1022, -TINY, TINY],
    "infinities": [math.inf, -math.inf, 1.0],
    "one infinity": [math.inf, LARGE, LARGE],
    "another": [-math.inf, 1.0, 2.0],
    "not a number": [math.nan, math.inf, 1.0],
}


@pytest.mark.parametrize("values", SUMS.values(), ids=SUMS.keys())
def test_sums_are_rounded_once(values: list[float]) -> None:
    for own in (values, values[::-1], [-value for value in values]):
        lists = ListColumn(np.array(own), starts_of([len(own)]))
        found, expected = both("list_sum", PLAIN, lists)
        assert same_bits(found, expected, 1), (found, expected)
        if all(map(math.isfinite, own)) and math.isfinite(expected[0]):
            assert found[0] == float(sum(map(Fraction, own), Fraction()))


def test_sums_of_numbers_of_every_size_in_any_order() -> None:
    draw = np.random.default_rng(1)
    for _ in range(300):
        count = int(draw.integers(3, 40))
        values = draw.normal(size=count) * 2.0 ** draw.integers(-1070, 1020, count)
        values = np.append(values, -values[: draw.integers(count)])
        draw.shuffle(values)
        found, _ = both("list_sum", PLAIN, ListColumn(values, starts_of([len(values)])))
        assert found[0] == exact_sum(values.tolist()), values.tolist()


def test_a_wrong_sum_is_noticed() -> None:
    """Negative control: a sum from left to right is another one."""
    values = np.array([1e16, 1.0, 1.0, -1e16])
    found, expected = both("list_sum", PLAIN, ListColumn(values, starts_of([4])))
    assert found.tolist() == [2.0]
    assert not same_bits(np.array([((1e16 + 1.0) + 1.0) - 1e16]), expected, 1)


def test_values_that_meet_in_a_slot_are_told_apart() -> None:
    values = np.arange(5000, dtype=np.int64) << 40
    found, expected = both("list_distinct", PLAIN, ListColumn(np.append(values, values), starts_of([4000, 6000])))
    assert found.tolist() == expected.tolist() == [4000, 5000]


def test_what_the_core_does_not_take_goes_to_numpy() -> None:
    lists = ListColumn(np.array([1.0, 2.0]), starts_of([2]))
    assert core_list_function("list_keep", PLAIN, "NumPy's") == "NumPy's"  # type: ignore[arg-type]
    assert core_list_function("list_sums_by", {"places": 1 << 21}, "NumPy's") == "NumPy's"  # type: ignore[arg-type]
    assert core_list_function("list_min", {"dates": True}, lambda column: "NumPy's")(lists) == "NumPy's"
    assert (
        core_list_function("list_distinct", PLAIN, lambda column: "NumPy's")(ListColumn([1.0], starts_of([1])))
        == "NumPy's"
    )


def wrong(**changes: Any) -> str:
    """What the core says of columns of which one is changed."""
    module = built()
    assert module is not None
    names = module.list_operations()
    number = names.index(("list_sums_by", "ii:d"))
    own = {
        "operation": number,
        "values": np.zeros(4, dtype=np.int64),
        "keys": np.zeros(4, dtype=np.int64),
        "starts": starts_of([1, 3]),
        "result": np.zeros((3, 2)),
        "width": 3,
    } | changes
    try:
        module.reduce_lists(*own.values(), 7)
    except (ValueError, BufferError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "changes",
    [
        {"starts": np.array([0, 1, 5])},
        {"starts": np.array([-1, 1, 4])},
        {"starts": np.array([0, 4, 1])},
        {"starts": np.array([0, 2**62, 4])},
        {"starts": np.array([0, 1, 4, 4])},
        {"starts": np.zeros(0, dtype=np.int64)},
        {"starts": np.zeros(17, dtype=np.int8)},
        {"keys": np.zeros(3, dtype=np.int64)},
        {"values": np.zeros(3, dtype=np.int64)},
        {"result": np.zeros((2, 2))},
        {"result": np.zeros((3, 4))[:, ::2]},
        {"width": 0},
        {"width": 2**63},
        {"operation": 1000},
    ],
)
def test_columns_that_would_reach_other_memory_are_refused(changes: dict[str, Any]) -> None:
    assert wrong() == ""
    assert wrong(**changes) != ""


def test_indices_beyond_the_places_are_left_out() -> None:
    index = np.array([0, 2, -1, 3, 2**62, NAT, 1])
    found, expected = both(
        "list_sums_by", {"places": 3}, ListColumn(index, starts_of([7])), ListColumn(np.arange(7), starts_of([7]))
    )
    assert found.tolist() == expected.tolist() == [[0.0], [6.0], [1.0]]


def test_a_plan_of_two_tables_lets_the_core_aggregate(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy evaluates what belongs to child rows, and the core adds them up."""
    build = Builder()
    price, shop = build.input("price", "float64[]"), build.input("shop", "str[]")
    spent = build.apply("list_sum", price * 2.0)
    mean = spent / build.number(build.apply("list_count", price))
    plan = Plan(build.nodes, {"mean": (mean + build.number(build.apply("list_distinct", shop))).node})
    roots, counts = list(plan.outputs.values()), [0, 3, 200, 1]
    draw = np.random.default_rng(5)
    columns = {
        name: ListColumn(make(draw, sum(counts)), starts_of(counts))
        for name, make in (("price", floats), ("shop", texts))
    }
    expected = ColumnExecutor(plan, roots).run(columns, len(counts))[0]
    core = core_executor(plan, roots, ColumnExecutor)
    assert core is not None
    monkeypatch.setattr(aggregations, "exact_sum", None)  # NumPy's function calls it
    monkeypatch.setattr(aggregations, "_firsts", None)
    assert same_bits(core.run(columns, len(counts))[0], expected, len(counts))
    with pytest.raises(TypeError):
        ColumnExecutor(plan, roots).run(columns, len(counts))
