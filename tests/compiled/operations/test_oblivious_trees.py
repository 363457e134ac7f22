"""The operation `oblivious_trees`: few and many rows have the bits of the definition."""

import numpy as np
import pytest

from pipeline_lib.compiled.operations.catalog import OPERATIONS

RNG = np.random.default_rng(0)
ROWS, INPUTS = 120, 3
NUMBERS = [RNG.choice([np.nan, np.inf, -np.inf, -0.0, 0.0, 0.5, 1.0, 2.0], ROWS) for _ in range(INPUTS)]


def settings(width=1, depths=(2, 0, 4, 9, 1)):
    most = max(depths)
    columns = [[*RNG.integers(0, INPUTS, depth).tolist(), *[0] * (most - depth)] for depth in depths]
    thresholds = [[*RNG.choice([0.0, 0.5, 1.0, -np.inf], depth), *[np.inf] * (most - depth)] for depth in depths]
    sizes = [2**depth for depth in depths]
    values = RNG.normal(size=(sum(sizes), width)) * 10.0 ** RNG.integers(-6, 6, (sum(sizes), 1))
    first = np.cumsum(sizes) - sizes
    return {"split_columns": columns, "thresholds": thresholds, "first": first.tolist(), "values": values.tolist()}


def by_definition(of, row):
    totals = [0.0] * len(of["values"][0])
    for columns, thresholds, first in zip(of["split_columns"], of["thresholds"], of["first"], strict=True):
        answers = [row[column] > threshold for column, threshold in zip(columns, thresholds, strict=True)]
        leaf = first + sum(1 << place for place, answer in enumerate(answers) if answer)
        totals = [total + value for total, value in zip(totals, of["values"][leaf], strict=True)]
    return totals


@pytest.mark.parametrize("width", [1, 3])
def test_few_and_many_rows_have_the_bits_of_the_definition(width):
    of = settings(width)
    operation = OPERATIONS["oblivious_trees"].column(of)
    expected = np.array([by_definition(of, row) for row in zip(*NUMBERS, strict=True)]).T
    assert np.atleast_2d(operation(*NUMBERS)).tobytes() == np.ascontiguousarray(expected).tobytes()
    for row in range(ROWS):
        alone = np.atleast_2d(operation(*(column[row : row + 1] for column in NUMBERS)))
        assert alone.tobytes() == np.ascontiguousarray(expected[:, row : row + 1]).tobytes()


def test_a_row_is_on_a_boundary_where_its_leaf_changes_within_its_error_bound():
    of = {"split_columns": [[0]], "thresholds": [[1.0]], "first": [0], "values": [[3.0], [3.0]]}
    x = np.array([0.0, 1.0, 1.0 + 1e-9, np.nan, 9.0])
    bound = OPERATIONS["oblivious_trees"].error_bound(of, [x], [np.array([1e-6, 1e-6, 1e-6, 1e-6, np.inf])], x)
    assert bound.tolist() == [0.0, np.inf, np.inf, 0.0, np.inf]
