"""What operations do at the edges, as docs/compiled.md says it: for whole columns, for one row, with constants."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from operation_search import HIGHEST, LOWEST, bits, column_of, row_form, values_of

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import differing_rows, digest, first_difference

INF, NAN = math.inf, math.nan


def all_forms(name: str, arguments: tuple[Any, ...], settings: dict[str, Any], dtypes: list[str]) -> list[Any]:
    """An operation's result: of one row, of a column of one and of many rows, and with the last input a constant."""
    function = OPERATIONS[name].column(settings)
    columns = [
        [column_of([value] * rows, dtype) for value, dtype in zip(arguments, dtypes, strict=True)] for rows in (1, 67)
    ]
    last = {len(dtypes) - 1: arguments[-1]} if isinstance(arguments[-1], int | float) else {}
    if last and len(arguments) > 1:
        columns.append([*columns[1][:-1], arguments[-1]])
    with np.errstate(all="ignore"):
        results = [value for each in columns for value in values_of(np.atleast_1d(function(*each)))]
    rows = [row_form(name, settings, dtypes, literals)(*arguments) for literals in ({}, last)]
    return [*results, *rows]


def assert_gives(name: str, arguments: tuple[Any, ...], expected: Any, dtypes: list[str], **settings: Any) -> None:
    """Fails where a form of an operation gives other bits."""
    found = {str(bits(value)) for value in all_forms(name, arguments, settings, dtypes)}
    assert found == {str(bits(expected))}, (name, arguments)


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "left", "right", "expected"),
    [
        ("floor_divide_int", LOWEST, -1, LOWEST),
        ("floor_divide_int", LOWEST, 1, LOWEST),
        ("floor_divide_int", LOWEST, 0, 0),
        ("floor_divide_int", LOWEST, HIGHEST, -2),
        ("floor_divide_int", HIGHEST, LOWEST, -1),
        ("floor_divide_int", -7, 2, -4),
        ("floor_divide_int", 7, -2, -4),
        ("remainder_int", LOWEST, -1, 0),
        ("remainder_int", LOWEST, 0, 0),
        ("remainder_int", LOWEST, HIGHEST, HIGHEST - 1),
        ("remainder_int", -7, 2, 1),
        ("remainder_int", 7, -2, -1),
        ("add_int", HIGHEST, 1, LOWEST),
        ("subtract_int", LOWEST, 1, HIGHEST),
        ("multiply_int", LOWEST, -1, LOWEST),
        ("multiply_int", HIGHEST, HIGHEST, 1),
        ("power_int", 2, 63, LOWEST),
        ("power_int", 3, -1, 1),
    ],
)
def test_integers_wrap_around(name: str, left: int, right: int, expected: int) -> None:
    assert_gives(name, (left, right), expected, ["int64", "int64"])


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "left", "right", "expected"),
    [
        ("floor_divide", 0.0, 3.0, 0.0),
        ("floor_divide", -0.0, 3.0, -0.0),
        ("floor_divide", 0.0, -3.0, -0.0),
        ("floor_divide", 1.0, INF, 0.0),
        ("floor_divide", -1.0, INF, -1.0),
        ("floor_divide", 1.0, -INF, -1.0),
        ("floor_divide", INF, 2.0, NAN),
        ("floor_divide", -INF, INF, NAN),
        ("floor_divide", 1.0, 0.0, INF),
        ("floor_divide", 1.0, -0.0, -INF),
        ("floor_divide", INF, 0.0, INF),
        ("floor_divide", 0.0, 0.0, NAN),
        ("floor_divide", NAN, 1.0, NAN),
        ("floor_divide", 1.0, NAN, NAN),
        ("floor_divide", 1.0, 0.1, 9.0),
        ("floor_divide", 5e-324, -1.0, -1.0),
        ("remainder", 0.0, 3.0, 0.0),
        ("remainder", -0.0, 3.0, 0.0),
        ("remainder", 0.0, -3.0, -0.0),
        ("remainder", 6.0, -3.0, -0.0),
        ("remainder", -6.0, 3.0, 0.0),
        ("remainder", 1.0, INF, 1.0),
        ("remainder", -1.0, INF, INF),
        ("remainder", 1.0, -INF, -INF),
        ("remainder", INF, 2.0, NAN),
        ("remainder", 1.0, 0.0, NAN),
        ("remainder", NAN, 1.0, NAN),
        ("remainder", -5e-324, 1.0, 1.0),
        ("remainder", 1.0, 0.1, 0.09999999999999995),
    ],
)
def test_floor_division_and_remainder(name: str, left: float, right: float, expected: float) -> None:
    assert_gives(name, (left, right), expected, ["float64", "float64"])


@pytest.mark.core
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (NAN, LOWEST),
        (INF, LOWEST),
        (-INF, LOWEST),
        (2.0**63, LOWEST),
        (-(2.0**63), LOWEST),
        (math.nextafter(-(2.0**63), -INF), LOWEST),
        (math.nextafter(2.0**63, 0.0), HIGHEST - 1023),
        (1e300, LOWEST),
        (-0.9, 0),
        (-1.9, -1),
        (-0.0, 0),
    ],
)
def test_floats_to_integers(number: float, expected: int) -> None:
    assert_gives("truncate_int", (number,), expected, ["float64"])


@pytest.mark.core
@pytest.mark.parametrize(
    ("left", "right", "smaller", "larger"),
    [
        (0.0, -0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0, -0.0),
        (NAN, 1.0, NAN, NAN),
        (1.0, NAN, 1.0, 1.0),
        (NAN, NAN, NAN, NAN),
        (INF, -INF, -INF, INF),
        (1.0, 1.0, 1.0, 1.0),
    ],
)
def test_the_left_one_stays_unless_the_right_one_is_smaller_or_larger(
    left: float, right: float, smaller: float, larger: float
) -> None:
    assert_gives("smaller", (left, right), smaller, ["float64", "float64"])
    assert_gives("larger", (left, right), larger, ["float64", "float64"])


@pytest.mark.core
def test_sums_run_from_left_to_right() -> None:
    three, ones = ["float64"] * 3, [1.0, 1.0, 1.0]
    assert_gives("dot", (1e16, 1.0, -1e16), 0.0, three, weights=ones)
    assert_gives("dot", (1e16, -1e16, 1.0), 1.0, three, weights=ones)
    assert_gives("dot", (-0.0, -0.0, -0.0), -0.0, three, weights=ones)  # begins with the first term
    assert_gives("dot", (INF, 1.0, 1.0), NAN, three, weights=[0.0, 1.0, 1.0])  # a weight of 0 counts
    vector, row = np.array([1e16, 1.0, -1e16, 1.0]), np.ones((1, 4))
    assert_gives("affine", (vector,), np.array([1.0]), ["vector"], matrix=row, offset=None)
    assert_gives("affine", (vector,), np.array([-1e16]), ["vector"], matrix=row, offset=np.array([-1e16]))
    # begins with 0.0, and leaves out weights of 0
    zeros, infinite = np.full(4, -0.0), np.array([INF, 1.0, NAN, -INF])
    assert_gives("affine", (zeros,), np.array([0.0]), ["vector"], matrix=row, offset=None)
    assert_gives("affine", (infinite,), np.array([1.0]), ["vector"], matrix=[[0.0, 1.0, -0.0, 0.0]], offset=None)
    assert_gives("sum_of_squares", (np.array([1e8, 1.0, 1.0]),), 1e16, ["vector"])


@pytest.mark.core
def test_sums_of_lists_are_rounded_once_and_do_not_depend_on_order() -> None:
    for values in ([1e16, 1.0, -1e16], [1.0, 1e16, -1e16], [-1e16, 1e16, 1.0]):
        assert_gives("list_sum", (np.array(values),), 1.0, ["float64[]"])
    assert_gives("list_sum", (np.array([-0.0]),), 0.0, ["float64[]"])
    assert_gives("list_sum", (np.array([]),), 0.0, ["float64[]"])
    assert_gives("list_sum", (np.array([1e308, 1e308, -1e308]),), 1e308, ["float64[]"])
    assert_gives("list_sum", (np.array([INF, -INF]),), NAN, ["float64[]"])
    assert_gives("list_sum_int", (np.array([HIGHEST, 1]),), LOWEST, ["int64[]"])
    assert_gives("list_max", (np.array([-0.0, 0.0, NAN]),), 0.0, ["float64[]"], dates=False)
    assert_gives("list_min", (np.array([-0.0]),), 0.0, ["float64[]"], dates=False)


@pytest.mark.core
def test_trees_are_added_in_their_order() -> None:
    def settings(leaves: list[float], start: list[float] | None) -> dict[str, Any]:
        one = np.zeros(len(leaves), dtype=np.int64)
        shape = {"feature": one - 1, "left": np.arange(len(leaves)), "right": one - 1, "category": one - 1}
        shape |= {"threshold": one * 0.0, "missing_left": one > 0, "roots": np.arange(len(leaves)), "outputs": None}
        shape |= {"values": np.array(leaves)[:, None], "sets": np.zeros((0, 0), dtype=bool), "start": start}
        return {**shape, "single": False, "width": 1, "inputs": 1}

    for leaves, start, expected in (
        ([1e16, 1.0, -1e16], None, 0.0),
        ([1e16, -1e16, 1.0], None, 1.0),
        ([1.0, 1.0], [1e16], 1e16),
        ([-0.0, -0.0], None, -0.0),
        ([-0.0], [0.0], 0.0),
    ):
        assert_gives("trees", (0.5,), expected, ["float64"], **settings(leaves, start))


@pytest.mark.core
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([1.0, 3.0, 3.0], 1), ([0.0, -0.0], 0), ([-0.0, 0.0], 0), ([1.0, NAN, INF, NAN], 1), ([-INF, -INF], 0)],
)
def test_the_largest_is_the_first_of_equal_ones_and_nan_comes_first(numbers: list[float], expected: int) -> None:
    assert_gives("largest", (np.array(numbers),), expected, ["vector"])


@pytest.mark.core
@pytest.mark.parametrize(
    ("number", "left", "right"),
    [(0.0, 1, 3), (-0.0, 1, 3), (1.0, 3, 4), (NAN, 4, 4), (INF, 4, 4), (-INF, 0, 0), (-1.0, 0, 1)],
)
def test_an_edge_belongs_to_one_side(number: float, left: int, right: int) -> None:
    edges = [-1.0, -0.0, 0.0, 1.0]
    assert_gives("search", (number,), left, ["float64"], edges=edges, side="left")
    assert_gives("search", (number,), right, ["float64"], edges=edges, side="right")


@pytest.mark.core
def test_the_median_takes_zeros_of_either_sign_in_their_order() -> None:
    rng = np.random.default_rng(0)
    for width in (3, 7, 17, 41):  # from four numbers on, sorting by SIMD moves signs of zeros
        for _ in range(5):
            numbers = rng.choice([0.0, -0.0, 0.0, -0.0, 1.0, -1.0], width)
            middle = sorted(numbers.tolist())[width // 2]
            assert_gives("median", tuple(numbers.tolist()), middle, ["float64"] * width, plain=True)
            assert_gives("weighted_median", (numbers,), middle, ["vector"], weights=[1.0] * width)


@pytest.mark.core
def test_ties_of_neighbours_are_settled_by_index() -> None:
    points = np.array([[1.0], [3.0], [1.0], [-0.0], [0.0]])
    settings = {"points": points, "count": 3, "metric": "euclidean", "expanded": False}
    assert_gives("nearest", (np.array([2.0]),), np.array([1.0, 1.0, 1.0, 0.0, 1.0, 2.0]), ["vector"], **settings)
    assert_gives("nearest", (np.array([-0.0]),), np.array([0.0, 0.0, 1.0, 3.0, 4.0, 0.0]), ["vector"], **settings)


@pytest.mark.core
@pytest.mark.parametrize("name", ["date_floor", "date_ceil", "date_round"])
@pytest.mark.parametrize("date", [LOWEST + 1, HIGHEST])
def test_roundings_that_64_bits_do_not_hold_are_refused(name: str, date: int) -> None:
    settings = {"unit": "day", "count": 1}
    beyond = (name == "date_floor") == (date < 0) or name == "date_round"
    expected = (
        InputError
        if beyond and not (name == "date_round" and abs(date) % 86_400_000_000 * 2 < 86_400_000_000)
        else None
    )
    for form in (OPERATIONS[name].column(settings), row_form(name, settings, ["duration"], {})):
        value = date if form.__name__ == "f" else np.array([date])
        if expected is None:
            assert abs(int(np.ravel(form(value))[0])) <= abs(date)
        else:
            with pytest.raises(expected, match="64 bits"):
                form(value)
        assert int(np.ravel(form(NAT if form.__name__ == "f" else np.array([NAT])))[0]) == NAT


def test_the_payload_of_nan_is_no_bit_and_the_sign_of_zero_is_one() -> None:
    payloads = np.array([0x7FF8000000000000, 0x7FF8000000000001, -0x8000000000000], dtype=np.int64).view(np.float64)
    assert np.isnan(payloads).all()
    same, other = pa.table({"x": np.full(3, NAN)}), pa.table({"x": payloads})
    assert first_difference(same, other) is None
    assert digest(same) == digest(other)
    plus, minus = pa.table({"x": [0.0, 0.0]}), pa.table({"x": [0.0, -0.0]})
    assert differing_rows(plus, minus).tolist() == [False, True]
    assert digest(plus) != digest(minus)
    assert bits(payloads[1].item()) == bits(NAN)
    assert bits(0.0) != bits(-0.0)
