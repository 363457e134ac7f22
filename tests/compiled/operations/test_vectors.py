"""Operations on several numbers a row: the same bits for columns, batches and one row, and none for no rows."""

import math
from typing import Any

import numpy as np
import pytest
from plans import assert_same

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

_RNG = np.random.default_rng(1)
_SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -1e-300, 1e200, -1e200, 1e308, 709.5, -746.0, 3.0]
NUMBERS = np.concatenate([_RNG.normal(size=(200, 3)), _RNG.choice(_SPECIAL, size=(300, 3))])
POINTS = np.array([[0.0, 1.0, -1.0], [0.5, 0.5, 3.0], [0.5, 0.5, 3.0], [-0.0, 1e200, 2.0], [9.0, -2.0, 0.1]])
MATRIX = np.array([[1.0, 0.0, -2.0], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
FEW = np.array([[0.0, 0.0, -2.0], [0.0, 0.0, 0.0], [-0.1, 0.0, 0.0]])  # at most one weight an output
KERNEL = {"points": POINTS, "gamma": 0.3, "coef0": 0.5, "degree": 3, "expanded": False}
NEAREST = {"points": POINTS, "count": 3, "metric": "euclidean", "expanded": False}
GRAM = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 3.0]])
EXAMPLES = [
    ("affine", {"matrix": MATRIX, "offset": None}),
    ("affine", {"matrix": FEW, "offset": None}),
    ("affine", {"matrix": FEW, "offset": np.array([0.5, -0.0, 1.0])}),
    ("affine", {"matrix": np.zeros((2, 3)), "offset": None}),
    ("affine", {"matrix": MATRIX, "offset": np.array([0.5, -0.0, 1e308, -1.0])}),
    ("largest", {}),
    *(("activation", {"kind": kind}) for kind in ("relu", "tanh", "logistic")),
    *(("kernel", {"kernel": kind, **KERNEL}) for kind in ("linear", "rbf", "poly", "sigmoid")),
    ("couple", {"slopes": np.array([-1.0, -0.5, 2.0]), "offsets": np.array([0.1, 0.0, -1.0]), "classes": 3}),
    ("nearest_centre", {"centres": POINTS, "squares": np.array([2.0, 9.5, 9.5, 4.0, 85.01])}),
    *(
        ("point_distances", {"points": POINTS, "metric": metric, "expanded": False})
        for metric in ("euclidean", "squared", "manhattan", "chi_squared")
    ),
    *(("vector_function", {"kind": kind}) for kind in ("absolute", "cos", "exp", "log", "sigmoid", "sin", "sqrt")),
    ("vector_power", {"exponent": 2.5}),
    ("vector_power", {"exponent": -1.0}),
    ("vector_scale", {"factor": 0.1, "offset": -3.0}),
    ("sum_of_squares", {}),
    ("coordinate_descent", {"gram": GRAM, "sweeps": 7}),
    ("matching_pursuit", {"gram": GRAM, "count": 2}),
    ("nearest", NEAREST),
    ("nearest", NEAREST | {"metric": "manhattan", "count": 1}),
]


def same(write, values):
    """A plan's columns for rows of numbers; in batches and row by row they have the same bits."""
    build = Builder()
    names = [f"c{index}" for index in range(values.shape[1])]
    result = write(build, [build.input(name, "float64") for name in names])
    plan, root = Plan(build.nodes, {}), result.node
    executor = make_executor(plan, [root])

    def column(rows):
        (column,) = executor.run({name: np.ascontiguousarray(rows[:, i]) for i, name in enumerate(names)}, len(rows))
        return list(column.T) if column.ndim == 2 else column.tolist()

    whole = column(values)
    for size in (1, 7, 64):
        parts = [row for start in range(0, len(values), size) for row in column(values[start : start + size])]
        assert_same([parts], [whole], f"in batches of {size}")
    schema = RowSchema(tuple(Column(name, "number", nullable=True) for name in names))
    function = row_function(plan, [root], schema)
    rows = [function(dict(zip(names, row, strict=True)))[0] for row in values.tolist()]
    assert_same([rows], [whole], "row by row")
    assert column(values[:0]) == []
    return whole


@pytest.mark.parametrize(("name", "settings"), EXAMPLES, ids=lambda example: str(example)[:40])
def test_columns_and_rows_have_the_same_bits(name, settings):
    same(lambda build, values: build.apply(name, build.stack(values), **settings), NUMBERS)


@pytest.mark.parametrize("kind", ["add", "multiply"])
def test_pairs_of_vectors_have_the_same_bits(kind):
    def write(build, values):
        vector = build.stack(values)
        return build.vector_pair(vector, build.vector_scale(vector, factor=0.3, offset=1.0), kind=kind)

    same(write, NUMBERS)


@pytest.mark.parametrize("kind", ["add", "multiply", "divide"])
def test_vectors_with_a_number_have_the_same_bits(kind):
    same(lambda build, values: build.vector_number(build.stack(values), values[0], kind=kind), NUMBERS)


def test_circular_convolutions():
    def write(build, values):
        vector = build.stack(values)
        return build.circular_convolution(vector, build.vector_scale(vector, factor=0.5, offset=0.0))

    same(write, NUMBERS)
    (whole,) = same(write, np.array([[1.0, 2.0, 4.0]]))
    assert whole.tolist() == [(1 + 8 + 8) / 2, (2 + 2 + 16) / 2, (4 + 4 + 4) / 2]


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_means_of_neighbours_have_the_same_bits(weights):
    targets = np.array([[1.0, 0.1], [2.0, 0.2], [3.0, 0.3], [4.0, 0.4], [5.0, 0.5]])

    def write(build, values):
        nearest = build.apply("nearest", build.stack(values), **NEAREST)
        return build.apply("neighbour_mean", nearest, targets=targets, weights=weights)

    same(write, np.concatenate([NUMBERS[:300], POINTS]))


def test_numbers_are_added_from_the_first_to_the_last():
    whole = same(
        lambda build, values: build.apply("affine", build.stack(values), matrix=[[1.0, 1.0, 1.0]], offset=None),
        np.array([[1e16, 1.0, -1e16], [1.0, 1e16, -1e16], [-0.0, -0.0, -0.0]]),
    )
    assert [row[0] for row in whole] == [0.0, 0.0, 0.0]
    assert math.copysign(1.0, whole[2][0]) == 1.0


def test_an_infinite_number_without_weight_is_left_out():
    whole = same(
        lambda build, values: build.apply("affine", build.stack(values), matrix=[[1.0, 0.0], [1.0, 1.0]], offset=None),
        np.array([[2.0, math.inf], [2.0, -math.inf]]),
    )
    assert [row.tolist() for row in whole] == [[2.0, math.inf], [2.0, -math.inf]]


def test_the_first_of_equal_numbers_is_the_largest_and_missing_is_larger_than_all():
    rows = np.array(
        [[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [1.0, math.nan, 3.0], [math.nan, math.nan, 3.0], [-0.0, 0.0, 0.0]]
    )
    assert same(lambda build, values: build.apply("largest", build.stack(values)), rows) == [0, 1, 1, 0, 0]


def test_equal_distances_are_ranked_by_place():
    whole = same(
        lambda build, values: build.apply("nearest", build.stack(values), **NEAREST), np.array([[0.5, 0.5, 3.0]])
    )
    assert whole[0][3:5].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bound", [0.0, 0.2])
def test_the_largest_is_unsure_where_another_lies_within_the_error_bound(bound):
    vector = np.array([[1.0, 1.0], [1.3, 1.7]])
    largest = OPERATIONS["largest"]
    chosen = largest.column({})(vector)
    unsure = largest.error_bound({}, [vector], [np.full((2, 2), bound)], chosen)
    assert unsure.tolist() == [math.inf if bound else 0.0, 0.0]


def test_an_unsure_input_makes_sums_unsure_but_for_those_without_weight_for_it():
    settings = {"matrix": np.array([[1.0, 0.0], [0.0, 2.0]]), "offset": None}
    bound = OPERATIONS["affine"].error_bound(
        settings, [np.ones((2, 1))], [np.array([[math.inf], [0.25]])], np.array([[1.0], [2.0]])
    )
    assert bound[0] == math.inf
    assert bound[1] == pytest.approx(0.5)
    zero, unsure = [np.zeros((1, 1)), np.ones((1, 1))], [np.zeros((1, 1)), np.full((1, 1), math.inf)]
    with np.errstate(all="ignore"):  # as bounds are computed
        bound = OPERATIONS["vector_pair"].error_bound({"kind": "multiply"}, zero, unsure, zero[0])
    assert bound.tolist() == [[math.inf]]


def test_places_are_unsure_where_a_point_outside_is_as_near():
    points, nearest = np.array([[0.0], [2.0], [5.0]]), OPERATIONS["nearest"]
    settings = {"points": points, "count": 1, "metric": "euclidean", "expanded": False}
    vector = np.array([[0.9, 1.0]])
    bound = nearest.error_bound(settings, [vector], [0.0], nearest.column(settings)(vector))
    assert np.isinf(bound).tolist() == [[False, True], [False, True]]


def test_the_largest_magnitude_of_sums_is_never_exceeded() -> None:
    random, entry = np.random.RandomState(3), OPERATIONS["affine"]
    for size in (1, 3, 50, 400):
        matrix, offset = random.normal(size=(7, size)), random.normal(size=7)
        settings = {"matrix": matrix, "offset": offset}
        bound = entry.abs_max(settings, [2.5])
        ends = np.where(matrix >= 0, 2.5, -2.5)  # the inputs that make each sum largest
        sums = np.array([entry.column(settings)(row[:, None])[index, 0] for index, row in enumerate(ends)])
        assert np.abs(sums).max() <= bound < np.abs(matrix).sum() * 2.5 + 10


@pytest.mark.parametrize(
    ("matrix", "offset", "largest"),
    [([[1.0, np.nan]], None, 1.0), ([[1.0]], np.array([np.inf]), 1.0), ([[0.0]], None, np.inf), ([[1e308]], None, 9.0)],
)
def test_sums_that_may_not_be_finite_have_no_largest_magnitude(matrix: Any, offset: Any, largest: float) -> None:
    assert OPERATIONS["affine"].abs_max({"matrix": matrix, "offset": offset}, [largest]) == np.inf


def test_constants_and_columns_are_stacked_alike() -> None:
    stack = OPERATIONS["stack"].column({})
    column, one = np.array([1.0, -0.0, np.nan]), np.array([4.0])
    assert stack(column, column).tobytes() == np.array([column, column]).tobytes()
    assert stack(column, 2.5, one).tobytes() == np.array([column, [2.5] * 3, [4.0] * 3]).tobytes()
    assert stack(2.5, column).tobytes() == np.array([[2.5] * 3, column]).tobytes()
    assert stack(2.5, 1.0).tolist() == [[2.5], [1.0]]
    assert stack(one, column).tolist()[0] == [4.0] * 3
    assert stack(np.zeros(0), 1.0).shape == (2, 0)
