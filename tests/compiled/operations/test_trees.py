"""The operation `trees`: every method gives the same bits, for every shape of tree and every kind of number."""

import struct

import numpy as np
import pytest

from pipeline_lib.compiled.operations import trees
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.trees_vectorized import bind_columns, leaf_indices
from pipeline_lib.errors import InputError

INPUTS, ROWS, SETS = 4, 300, 5


def grown(rng, leaves, *, chain=False):
    """A random tree with this many leaves, as lists; with `chain` all its splits are on one path."""
    feature, left, right, open_leaves = [-1], [0], [0], [0]
    while len(open_leaves) < leaves:
        index = len(open_leaves) - 1 if chain else int(rng.integers(len(open_leaves)))
        node = open_leaves.pop(index)
        feature[node], left[node], right[node] = int(rng.integers(INPUTS)), len(feature), len(feature) + 1
        open_leaves += [len(feature), len(feature) + 1]
        feature, left, right = [*feature, -1, -1], [*left, 0, 0], [*right, 0, 0]
    return feature, left, right


def ensemble(*, sizes, width=1, outputs=None, start=None, single=False, sets=False, chain=False, seed=0):
    """Settings of random trees; their thresholds are common among the rows' numbers."""
    rng = np.random.default_rng(seed)
    feature, left, right, roots, leaves = [], [], [], [], 0
    for size in sizes:
        roots.append(len(feature))
        names, lefts, rights = grown(rng, size, chain=chain)
        for name, low, high in zip(names, lefts, rights, strict=True):
            feature.append(name)
            left.append(low + roots[-1] if name >= 0 else leaves)
            right.append(high + roots[-1] if name >= 0 else -1)
            leaves += name < 0
    count = len(feature)
    inner = np.array(feature) >= 0
    values = np.round(rng.normal(size=(leaves, 1 if outputs else width)), 3) * 10.0 ** rng.integers(-6, 6, (leaves, 1))
    by_set = inner & (rng.random(count) < 0.4) & (np.array(feature) == 1) & sets
    return {
        "feature": np.array(feature, dtype=np.int32),
        "threshold": np.where(inner, rng.choice([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0, 3.0, np.inf], count), 0.0),
        "left": np.array(left, dtype=np.int32),
        "right": np.array(right, dtype=np.int32),
        "missing_left": inner & (rng.random(count) < 0.5),
        "category": np.where(by_set, rng.integers(0, SETS, count), -1).astype(np.int32),
        "sets": rng.random((SETS, 7)) < 0.5,
        "roots": np.array(roots, dtype=np.int32),
        "values": values.astype(np.float32).astype(float) if single else values,
        "outputs": None if outputs is None else np.array(outputs, dtype=np.int32),
        "start": start,
        "single": single,
        "width": width,
        "inputs": INPUTS,
    }


def numbers(rows=ROWS):
    rng = np.random.default_rng(1)
    special = [np.nan, np.inf, -np.inf, -0.0, 0.0, 0.5, -1.0, -0.5, 2.0, 5.0, 6.0, 40.0, 5e-324, 1e300]
    return [np.where(rng.random(rows) < 0.7, rng.choice(special, rows), rng.normal(size=rows)) for _ in range(INPUTS)]


def row_function(settings):
    code = Code()
    names = [f"x{index}" for index in range(INPUTS)]
    code.line(f"({', '.join(names)},) = row")
    code.line(f"return {OPERATIONS['trees'].row(code, settings, names, ['float64'] * INPUTS)}")
    return code.function("predict", "row", "<test>")


def bits(values):
    return [tuple(struct.pack("<d", number) for number in np.ravel(value)) for value in values]


def one_by_one(settings, columns):
    """The sums as their definition says them, with nothing to make it fast."""
    sets = np.asarray(settings["sets"])
    results = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        total = None if settings["start"] is None else list(settings["start"])
        for tree, root in enumerate(settings["roots"].tolist()):
            node = root
            while (feature := settings["feature"][node]) >= 0:
                x, chosen = row[feature], settings["category"][node]
                if x != x:
                    goes_left = settings["missing_left"][node]
                elif chosen >= 0:
                    goes_left = sets[chosen][int(x) if -1 < x < sets.shape[1] - 1 else -1]
                else:
                    goes_left = x <= settings["threshold"][node]
                node = settings["left" if goes_left else "right"][node]
            leaf = settings["values"][settings["left"][node]].tolist()
            outputs = range(settings["width"]) if settings["outputs"] is None else [settings["outputs"][tree]]
            if total is None:
                total = leaf
                continue
            for index, number in zip(outputs, leaf, strict=True):
                total[index] = total[index] + number
                total[index] = float(np.float32(total[index])) if settings["single"] else total[index]
        results.append(total)
    return results


ENSEMBLES = {
    "one leaf": {"sizes": [1]},
    "small": {"sizes": [2, 3, 8, 1, 5], "start": [0.5]},
    "medium": {"sizes": [9, 64, 30, 40], "start": [0.0]},
    "large": {"sizes": [65, 200], "start": [0.0]},
    "mixed": {"sizes": [8, 70, 9, 64, 1, 300, 3], "start": [-0.0]},
    "chains": {"sizes": [8, 40, 64, 75], "chain": True, "start": [1.0]},
    "deep chain": {"sizes": [130], "chain": True, "start": [1.0]},
    "first leaf": {"sizes": [4, 30, 80]},
    "categories": {"sizes": [6, 50, 90], "sets": True, "start": [0.0]},
    "categories in depth": {"sizes": [6, 50, 90], "sets": True, "chain": True, "start": [0.0]},
    "several numbers": {"sizes": [5, 40, 90], "width": 3, "start": [0.0, -0.0, 1.0]},
    "first leaf of several numbers": {"sizes": [5, 40, 90], "width": 3},
    "outputs": {"sizes": [5, 40, 90, 6], "width": 2, "outputs": [0, 1, 1, 0], "start": [0.0, 1.0]},
    "float32": {"sizes": [5, 40, 90, 6], "width": 2, "outputs": [0, 1, 1, 0], "start": [0.1, 1.0], "single": True},
    "float32 of several": {"sizes": [5, 40, 90], "width": 3, "start": [0.1, -0.0, 1.0], "single": True},
    "one float32": {"sizes": [5, 40, 90, 6], "outputs": [0] * 4, "start": [0.1], "single": True},
}
for _settings in ENSEMBLES.values():
    if _settings.get("single"):
        _settings["start"] = [float(np.float32(number)) for number in _settings["start"]]


@pytest.mark.parametrize("shape", ENSEMBLES)
def test_columns_have_the_bits_of_the_definition(shape):
    settings, columns = ensemble(**ENSEMBLES[shape]), numbers()
    with np.errstate(all="ignore"):
        whole = bind_columns(settings)
        expected = bits(one_by_one(settings, columns))
        assert bits(np.atleast_2d(whole(*columns)).T) == expected
        for size in (1, 2, 9):
            parts = [whole(*(c[at : at + size] for c in columns)) for at in range(0, ROWS, size)]
            assert bits(np.atleast_2d(np.concatenate(parts, axis=-1)).T) == expected
        assert whole(*(column[:0] for column in columns)).shape[-1] == 0


@pytest.mark.parametrize("method", ["generated", "walked", "walked in arrays"])
@pytest.mark.parametrize("shape", ENSEMBLES)
def test_rows_have_the_bits_of_the_definition(monkeypatch, shape, method):
    monkeypatch.setattr(trees, "NODE_BUDGET", trees.NODE_BUDGET if method == "generated" else 0)
    monkeypatch.setattr(trees, "TUPLE_BUDGET", 0 if method == "walked in arrays" else trees.TUPLE_BUDGET)
    settings, columns = ensemble(**ENSEMBLES[shape]), numbers()
    function = row_function(settings)
    results = [function(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert bits(results) == bits(one_by_one(settings, columns))
    assert all(type(value) is (float if settings["width"] == 1 else np.ndarray) for value in results)


def test_constants_stand_for_columns():
    settings = ensemble(**ENSEMBLES["mixed"])
    columns = [np.full(3, number) for number in (0.25, 1.0, 2.0, -3.0)]
    results = bind_columns(settings)(columns[0], 1.0, columns[2], -3.0)
    assert bits(results) == bits(bind_columns(settings)(*columns))


def test_a_row_is_on_a_boundary_where_its_path_changes_within_its_error_bound():
    settings = ensemble(sizes=[1])
    settings |= {
        "feature": np.array([0, -1, -1]),
        "threshold": np.array([1.0, 0.0, 0.0]),
        "left": np.array([1, 0, 1]),
        "right": np.array([2, -1, -1]),
        "missing_left": np.zeros(3, bool),
        "category": np.full(3, -1),
        "values": np.array([[3.0], [3.0]]),  # equal, but another leaf
    }
    x = np.array([0.0, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, np.nan, 9.0, np.inf, 0.0])
    bounds = [np.array([1e-6, 1e-6, 0.0, 1e-6, 1e-6, np.inf, 1e-6, np.inf])]
    bound = OPERATIONS["trees"].error_bound(settings, [x], bounds, np.zeros(8))
    assert bound.tolist() == [0.0, np.inf, 0.0, np.inf, 0.0, np.inf, 0.0, np.inf]
    assert leaf_indices(settings)([x]).tolist() == [[0, 0, 0, 1, 1, 1, 1, 0]]


def test_the_limit_bounds_every_sum():
    settings = ensemble(sizes=[9, 9, 9], start=[2.0])
    most = np.abs(bind_columns(settings)(*numbers())).max()
    assert most <= OPERATIONS["trees"].abs_max(settings, []) < np.inf


@pytest.mark.parametrize(
    ("x", "missing", "message"),
    [
        (np.nan, False, "found a missing value in column 'age', expected a number of float32's range"),
        (3.4028235677973366e38, True, "found 3.40.*expected a number or a missing value of float32's range"),
        (-np.inf, False, "found -inf in column 'age'"),
    ],
)
def test_numbers_that_float32_cannot_hold_are_refused(x, missing, message):
    settings = {"name": "age", "where": "Forest", "missing": missing}
    operation = OPERATIONS["single_range"]
    with pytest.raises(RefusedRowsError, match=message) as refused:
        operation.column(settings)(np.array([0.0, x]))
    assert refused.value.row == 1
    code = Code()
    code.line(f"return {operation.row(code, settings, ['x'], ['float64'])}")
    function = code.function("check", "x", "<test>")
    with pytest.raises(InputError, match=message):
        function(x)
    largest = np.nextafter(3.4028235677973366e38, 0)
    assert [function(-0.0), function(largest)] == [0.0, largest]
    if missing:
        assert np.isnan(function(np.nan))
        assert np.isnan(operation.column(settings)(np.array([np.nan]))[0])
