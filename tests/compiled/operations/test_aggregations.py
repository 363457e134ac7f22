"""Aggregations of child rows: what their names say, with the same bits in any order of the child rows."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.operations.aggregations import exact_sum
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

NAN = math.nan
LISTS = {
    "float64": [[0.1, 0.2, 0.3], [], [NAN, 1e300, -1e300, 5e-324], [-0.0], [0.0, -0.0]],
    "int64": [[3, 1, 3], [], [2**62, -(2**62), 7], [0], [-1, 0]],
    "bool": [[True, False, True], [], [False], [True], [True, True]],
    "datetime": [[5, NAT, 5], [], [NAT], [-7], [1, 2]],
    "str": [["a", None, "b", "a"], [], [None], ["z"], ["a", "b"]],
}
MATRIX = [
    ("list_count", ("float64",), {}),
    ("list_count", ("str",), {}),
    ("list_sum_int", ("int64",), {}),
    ("list_sum_int", ("bool",), {}),
    ("list_sum", ("float64",), {}),
    ("list_min", ("float64",), {"dates": False}),
    ("list_max", ("float64",), {"dates": False}),
    ("list_min", ("datetime",), {"dates": True}),
    ("list_max", ("datetime",), {"dates": True}),
    *(("list_distinct", (dtype,), {}) for dtype in LISTS),
    ("list_at_largest", ("float64", "float64"), {}),
    ("list_sums_by", ("int64", "int64"), {"places": 4}),
]


def same_bits(left: Any, right: Any) -> bool:
    return bool(np.asarray(left).tobytes() == np.asarray(right).tobytes())


def lists(dtype: str, rows: list[list[Any]]) -> ListColumn:
    flat = [value for row in rows for value in row]
    starts = np.cumsum([0, *map(len, rows)])
    kinds = {"float64": np.float64, "int64": np.int64, "bool": np.bool_, "datetime": np.int64}
    return ListColumn(TextColumn.of(flat) if dtype == "str" else np.array(flat, dtype=kinds[dtype]), starts)


@pytest.mark.parametrize(("name", "dtypes", "settings"), MATRIX)
def test_no_order_and_no_batch_of_child_rows_changes_an_aggregate(name: str, dtypes: Any, settings: Any) -> None:
    function = OPERATIONS[name].column(settings)
    whole = function(*(lists(dtype, LISTS[dtype]) for dtype in dtypes))
    turned = function(*(lists(dtype, [row[::-1] for row in LISTS[dtype]]) for dtype in dtypes))
    alone = [function(*(lists(dtype, [LISTS[dtype][row]]) for dtype in dtypes)) for row in range(5)]
    assert same_bits(turned, whole)
    assert same_bits(np.concatenate(alone, axis=-1), whole)


def test_aggregates_are_what_their_names_say() -> None:
    numbers, times, words = lists("float64", LISTS["float64"]), lists("datetime", LISTS["datetime"]), LISTS["str"]
    assert OPERATIONS["list_min"].column({"dates": False})(numbers).tolist()[:1] == [0.1]
    assert OPERATIONS["list_max"].column({"dates": True})(times).tolist() == [5, NAT, NAT, -7, 2]
    assert OPERATIONS["list_distinct"].column({})(lists("str", words)).tolist() == [2, 0, 0, 1, 2]
    assert OPERATIONS["list_distinct"].column({})(numbers).tolist() == [3, 0, 3, 1, 1]
    latest = OPERATIONS["list_at_largest"].column({})
    keys = lists("int64", [[1, 9, 9], [], [4, NAT, 3, 1], [0], [0, 0]])
    assert same_bits(latest(numbers, keys), [0.3, NAN, NAN, 0.0, 0.0])
    cents = OPERATIONS["list_sums_by"].column({"places": 2})(
        lists("int64", [[0, 1, 5], [], [1, 1]]), lists("int64", [[7, 8, 9], [], [2**60, 1]])
    )
    assert cents.tolist() == [[7.0, 0.0, 0.0], [8.0, 0.0, float(2**60 + 1)]]


def test_sums_by_index_of_rows_without_children_are_numbers_too() -> None:
    nothing = ListColumn(np.zeros(0, dtype=np.int64), np.zeros(4, dtype=np.int64))
    sums = OPERATIONS["list_sums_by"].column({"places": 2})(nothing, nothing)
    assert sums.dtype == np.float64
    assert sums.tolist() == [[0.0] * 3] * 2


def test_kept_child_rows_are_those_that_the_condition_holds_for() -> None:
    keep = OPERATIONS["list_keep"].column({})
    where = lists("bool", [[True, False, True, False], [], [False], [True], [False, True]])
    kept = keep(lists("str", LISTS["str"]), where)
    assert kept.values.tolist() == ["a", "b", "z", "b"]
    assert kept.starts.tolist() == [0, 2, 2, 2, 3, 4]
    assert keep(lists("str", LISTS["str"][1:3]), lists("bool", [[], [False]])).counts.tolist() == [0, 0]


def test_kept_child_rows_do_not_mix_with_all_child_rows() -> None:
    build = Builder()
    value = build.input("t.x", "float64[]", table="t")
    kept = build.keep(value, value > 0.0)
    assert build.total(kept + build.keep(value * 2.0, value > 0.0)).dtype == "float64"
    with pytest.raises(InputError, match="found values of the tables t, t where"):
        kept + value


def test_values_far_apart_are_counted_by_sorting_pairs() -> None:
    wide = lists("int64", [[2**62, -(2**62), 2**62], [2**62], []])
    assert OPERATIONS["list_distinct"].column({})(wide).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([], 0.0),
        ([-0.0], 0.0),
        ([1e308, 1e308, -1e308], 1e308),
        ([1e308, 1e308], math.inf),
        ([-1e308, -1e308], -math.inf),
        ([math.inf, 1.0], math.inf),
        ([math.inf, -math.inf], NAN),
        ([NAN, 1.0], NAN),
        ([0.1] * 10, 1.0),
    ],
)
def test_an_exact_sum_is_rounded_once(values: list[float], total: float) -> None:
    assert same_bits(exact_sum(values), total)
    if all(map(math.isfinite, values)) and math.isfinite(total):
        assert exact_sum(values[::-1]) == float(sum(map(Fraction, values), Fraction()))
