"""Numbers of sparse vectors as dense ones: what is not stored has a value of its own, a stored 0 stays 0."""

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.sparse import SparseColumn

#                     rows: {0: 1.5, 3: 0.0}, {}, {1: 2.0, 3: 4.0}
COLUMN = SparseColumn(np.array([0, 2, 2, 4]), np.array([0, 3, 1, 3]), np.array([1.5, 0.0, 2.0, 4.0]), 5)


def numbers(places, absent):
    return OPERATIONS["bag_numbers"].column({"places": places, "absent": absent})(COLUMN)


def test_numbers_that_are_not_stored_have_the_value_of_the_setting():
    expected = [[1.5, np.nan, np.nan], [0.0, np.nan, 4.0], [np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(numbers([0, 3, 4], np.nan), expected)
    np.testing.assert_array_equal(numbers([0, 3, 4], 0.0), np.nan_to_num(expected))
    assert numbers([], np.nan).shape == (0, 3)


def test_one_row_alone_has_the_same_numbers():
    whole = numbers([1, 3], np.nan)
    operation = OPERATIONS["bag_numbers"].column({"places": [1, 3], "absent": np.nan})
    parts = [operation(COLUMN.slice(row, row + 1)) for row in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_error_bounds_follow_their_numbers():
    bound = OPERATIONS["bag_numbers"].error_bound(
        {"places": [0, 3], "absent": np.nan}, [COLUMN], [np.array([0.1, 0.2, 0.3, 0.4])], None
    )
    assert bound.tolist() == [[0.1, 0.0, 0.0], [0.2, 0.0, 0.4]]
