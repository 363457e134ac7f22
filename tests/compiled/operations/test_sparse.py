"""Sparse columns: the same numbers as dense ones, summed in one order."""

import math

import numpy as np
import pytest

from pipeline_lib.compiled.columns import broadcast_rows, concat_rows, slice_rows
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.sparse import SparseColumn, aligned
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.fidelity import check_step
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

RNG = np.random.default_rng(4)
DENSE = np.where(RNG.random((7, 12)) < 0.4, RNG.normal(size=(7, 12)), 0.0)
SPARSE = SparseColumn.of(DENSE)
WEIGHTS = RNG.normal(size=7)
SETTINGS = {
    "bag_scale": {"weights": WEIGHTS},
    "bag_divide": {"weights": WEIGHTS},
    "bag_normalize": {"norm": "l2"},
    "bag_above": {"threshold": 0.25},
    "bag_select": {"places": [1, 2, 6]},
    "bag_dot": {"weights": WEIGHTS, "start": 0.1},
    "bag_affine": {"matrix": RNG.normal(size=(3, 7)), "offset": RNG.normal(size=3)},
    "bag_vector": {},
    "bag_item": {"place": 5},
    "bag_finite": {"where": "test"},
}


def dense(column):
    return column.toarray() if isinstance(column, SparseColumn) else column


@pytest.mark.parametrize("name", SETTINGS)
def test_a_row_does_not_depend_on_its_batch(name):
    function = OPERATIONS[name].column(SETTINGS[name])
    together = dense(function(SPARSE))
    for rows in (slice(0, 1), slice(3, 8), slice(11, 12), slice(5, 5)):
        alone = dense(function(slice_rows(SPARSE, rows.start, rows.stop)))
        assert alone.tobytes() == np.ascontiguousarray(together[..., rows]).tobytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bag_scale", DENSE * WEIGHTS[:, None]),
        ("bag_above", np.where(DENSE > 0.25, 1.0, 0.0)),
        ("bag_select", DENSE[[1, 2, 6]]),
        ("bag_vector", DENSE),
        ("bag_item", DENSE[5]),
    ],
)
def test_a_sparse_column_is_the_dense_one(name, expected):
    np.testing.assert_array_equal(dense(OPERATIONS[name].column(SETTINGS[name])(SPARSE)), expected)


def test_sums_run_left_to_right_from_zero():
    numbers = np.array([[1e16, 1.0], [1.0, 1e16], [-1e16, -1e16]])
    dot = OPERATIONS["bag_dot"].column({"weights": np.ones(3), "start": None})
    assert dot(SparseColumn.of(numbers)).tolist() == [0.0, 0.0]
    affine = OPERATIONS["bag_affine"].column({"matrix": np.ones((1, 3)), "offset": None})
    assert affine(SparseColumn.of(numbers[[2, 0, 1]])).tolist() == [[1.0, 1.0 - 1.0]]


def test_numbers_vectors_and_sparse_vectors_are_joined():
    join = OPERATIONS["bag_join"].column({})
    numbers = np.arange(12.0)
    joined = join(numbers, SPARSE, 2.5, DENSE[:2]).toarray()
    np.testing.assert_array_equal(joined, np.vstack([numbers, DENSE, np.full(12, 2.5), DENSE[:2]]))


def test_rows_are_sliced_joined_taken_and_broadcast():
    np.testing.assert_array_equal(concat_rows([slice_rows(SPARSE, 0, 5), slice_rows(SPARSE, 5, 12)]).toarray(), DENSE)
    np.testing.assert_array_equal(SPARSE.take(np.array([3, 3, 0])).toarray(), DENSE[:, [3, 3, 0]])
    assert (
        broadcast_rows(slice_rows(SPARSE, 2, 3), "bag", 4).toarray().tolist()
        == np.repeat(DENSE[:, [2]], 4, axis=1).tolist()
    )
    assert len(slice_rows(SPARSE, 4, 4)) == 0


def test_what_is_not_finite_is_refused_with_its_row():
    sparse = SparseColumn.of(np.array([[0.0, 1.0], [2.0, math.inf]]))
    with pytest.raises(InputError, match="test: found inf in column 1, expected a finite number"):
        OPERATIONS["bag_finite"].column({"where": "test"})(sparse)


def test_a_value_that_only_one_of_two_columns_holds_is_seen():
    rows, found, bound, expected = aligned(
        SparseColumn.of(np.array([[1.0, 0.0]])), None, SparseColumn.of(np.array([[1.0, 3.0]]))
    )
    assert (rows.tolist(), found.tolist(), bound.tolist(), expected.tolist()) == ([0, 1], [1, 0], [0, 0], [1, 3])
    before = {"x": Builder().input("x", "bag", width=7)}
    right, wrong = DENSE.T, DENSE.T.copy()
    wrong[4, 2] += 1.0
    check_step("t", lambda columns, build: list(columns.values()), before, right, right)
    with pytest.raises(InputError, match="from the plan in row 4"):
        check_step("t", lambda columns, build: list(columns.values()), before, right, wrong)
