"""Look-ups by several values of a row in the core: NumPy's bits, and tables that lie are refused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from core_search import differing, one_operation, wrong_settings

from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.operations.text_columns import TextColumn

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
ROWS = 700
POOLS: dict[str, list[Any]] = {
    "str": ["a", "b", "", None, "ö"],
    "float64": [1.0, 0.0, 2.5, None, 1e300, 3, 2**53],
    "int64": [0, 1, 2**53 + 1, -(2**63), 2.0, 7],
    "bool": [True, False, 0, 1.0],
}
VALUES: dict[str, list[Any]] = {
    "float64": [1.5, None, -0.0, 3.0],
    "int64": [1, -(2**63), 3, 4],
    "str": ["x", None, "a", "y"],
    "bool": [True, False, True, True],
    "datetime": [5, None, 7, 8],
}


def column(draw: np.random.Generator, dtype: str) -> Any:
    """Values of which many are in keys, and others."""
    if dtype == "str":
        return TextColumn.of([[*POOLS["str"], "zz", "A"][number] for number in draw.integers(0, 7, ROWS)])
    if dtype == "float64":
        return draw.choice([1.0, -0.0, 0.0, 2.5, np.nan, 1e300, 3.0, 2.0**53, np.inf, 0.5], ROWS)
    if dtype == "int64":
        return np.array(draw.choice([0, 1, 2**53 + 1, 2**53, -(2**63), 2, 7, 9], ROWS))
    return draw.random(ROWS) < 0.5


def settings_of(draw: np.random.Generator, dtypes: Sequence[str], gives: str, count: int = 25) -> dict[str, Any]:
    drawn = [tuple(POOLS[dtype][draw.integers(len(POOLS[dtype]))] for dtype in dtypes) for _ in range(count)]
    keys = [list(key) for key in dict.fromkeys(drawn)]
    values = [VALUES[gives][draw.integers(4)] for _ in keys]
    return {"keys": keys, "values": values, "gives": gives, "unseen": VALUES[gives][draw.integers(4)]}


@pytest.mark.parametrize("gives", VALUES)
def test_tables_of_random_keys(gives: str) -> None:
    for seed in range(25):
        draw = np.random.default_rng(seed)
        dtypes = [str(dtype) for dtype in draw.choice(list(POOLS), draw.integers(1, 5))]
        plan = one_operation("lookup_rows", dtypes, settings_of(draw, dtypes, gives))
        assert differing(plan, [column(draw, dtype) for dtype in dtypes]) == []


def test_constants_are_looked_up_for_every_row() -> None:
    draw = np.random.default_rng(3)
    dtypes = ["str", "int64", "float64"]
    for constants in ({0: "a"}, {0: None}, {0: "zz"}, {1: 1}, {2: 2.5}, {2: float("nan")}, {0: "b", 2: 1.0}):
        plan = one_operation("lookup_rows", dtypes, settings_of(draw, dtypes, "float64", 200), constants)
        assert differing(plan, [column(draw, dtype) for dtype in dtypes]) == []


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


FITS: tuple[Sequence[int], list[Any]] = (
    (0, 2, -1, 1, 2, 1),
    [
        *(whole(0, 1, -1, -1), whole(), whole(0, 1), whole(1, 0)),
        *(np.array([0.5, 2.0]), whole(1, 0), whole(0, 3), whole(1, 0)),
        np.array([1.0, 2.0, 3.0]),
    ],
)


def with_array(index: int, array: Any) -> list[Any]:
    return [array if number == index else own for number, own in enumerate(FITS[1])]


def test_settings_that_fit_are_taken() -> None:
    assert wrong_settings(Encoded("rows_float", *FITS), "td:d", [4, 1, 1]) == ""


@pytest.mark.parametrize(
    ("ints", "arrays"),
    [
        (FITS[0][:-1], FITS[1]),
        (FITS[0], FITS[1][:-1]),
        ((4, 2, -1, 1, 2, 1), FITS[1]),
        ((0, 0, -1, 1, 2, 1), FITS[1]),
        ((0, 2, -2, 1, 2, 1), FITS[1]),
        ((0, 2, -1, 1, 2, 2), FITS[1]),
        ((0, 2, -1, 2, 2, 1), FITS[1]),
        (FITS[0], with_array(0, whole(0, 2, -1, -1))),
        (FITS[0], with_array(3, whole(-1, 0))),
        (FITS[0], with_array(3, whole(1))),
        (FITS[0], with_array(5, whole(0))),
        (FITS[0], with_array(7, whole(2, 0))),
        (FITS[0], with_array(6, np.zeros(2))),
        (FITS[0], with_array(8, np.zeros(0))),
        (FITS[0], with_array(8, whole(1, 2, 3))),
    ],
)
def test_settings_that_would_reach_other_memory_are_refused(ints: Sequence[int], arrays: list[Any]) -> None:
    assert wrong_settings(Encoded("rows_float", ints, arrays), "td:d", [4, 1, 1]) != ""


def test_vectors_are_no_value_of_a_key() -> None:
    assert wrong_settings(Encoded("rows_float", *FITS), "tv:d", [4, 1, 1]) != ""
    words = [*FITS[1][:-1], np.array([0, 4], dtype=np.int32)]
    assert wrong_settings(Encoded("rows_word", FITS[0], words), "td:t", [4, 1, 4]) != ""
