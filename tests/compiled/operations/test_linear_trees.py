"""The operation `linear_trees`: a leaf's linear function, or its value where one of the leaf's numbers is missing."""

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS

SETTINGS = {  # x0 <= 0.5: 1.5 + 2 x1 - 0.5 x0, else 0.25 + 4 x1; then a tree that is one leaf
    "feature": [0, -1, -1, -1],
    "threshold": [0.5, 0.0, 0.0, 0.0],
    "left": [1, 0, 1, 2],
    "right": [2, -1, -1, -1],
    "missing_left": [False] * 4,
    "category": [-1] * 4,
    "values": [[100.0], [200.0], [0.125]],
    "roots": [0, 3],
    "sets": np.zeros((0, 1), bool),
    "outputs": [0, 0],
    "start": [0.0],
    "single": False,
    "width": 1,
    "inputs": 2,
    "constants": [1.5, 0.25, 0.125],
    "leaf_columns": [[1, 0], [1, -1], [-1, -1]],
    "coefficients": [[2.0, -0.5], [4.0, 0.0], [0.0, 0.0]],
}


def test_leaves_are_linear_functions_of_the_numbers_that_they_have():
    x0, x1 = np.array([0.0, 0.5, 1.0, np.nan, 0.0, 1.0]), np.array([3.0, 1.0, 2.0, 2.0, np.nan, np.nan])
    found = OPERATIONS["linear_trees"].column(SETTINGS)(x0, x1)
    # NaN goes right, whose leaf does not use x0; a leaf whose number is missing has its value
    assert found.tolist() == [7.625, 3.375, 8.375, 8.375, 100.125, 200.125]


def test_two_outputs_have_their_own_trees():
    settings = SETTINGS | {"outputs": [1, 0], "start": [0.0, 1.0], "width": 2}
    found = OPERATIONS["linear_trees"].column(settings)(np.array([0.0]), np.array([3.0]))
    assert found.tolist() == [[0.125], [8.5]]
