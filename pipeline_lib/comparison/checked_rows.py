"""Checks of what a comparison is given: one finite number per row from each model, and codes of their groups."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pipeline_lib.errors import InputError

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
IntArray = np.ndarray[Any, np.dtype[np.int64]]


def checked_pair(champion: ArrayLike, challenger: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both as float64 arrays of one length, each value finite."""
    first, second = checked_values(champion, "champion"), checked_values(challenger, "challenger")
    if len(first) != len(second):
        raise InputError(
            f"found {len(first)} values of the champion and {len(second)} of the challenger, expected one of each "
            "for every row; compare both on the same rows"
        )
    return first, second


def checked_values(values: ArrayLike, name: str) -> FloatArray:
    """The values as a float64 array of one axis, each finite, at least one."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise InputError(f"{name}: found an array of shape {array.shape}, expected (rows,); give one number per row")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise InputError(
            f"{name}: found {bad:,} of {len(array):,} values that are missing or infinite, expected finite numbers; "
            "leave these rows out of both models, and say how many"
        )
    return array


def sums_by(codes: IntArray, values: np.ndarray, count: int = 0) -> FloatArray:
    """The sum of the values of each code from 0, of at least `count` codes."""
    return np.asarray(np.bincount(codes, weights=values, minlength=count), dtype=np.float64)


def group_codes(groups: Any, rows: int) -> IntArray:
    """Groups as numbers from 0; a row whose group is missing is a group of its own.

    >>> group_codes(["a", "b", "a", None], 4).tolist()
    [0, 1, 0, 2]
    """
    import pandas as pd

    codes, known = pd.Series(groups).factorize(use_na_sentinel=True)
    if len(codes) != rows:
        raise InputError(f"groups: found {len(codes)} values, expected {rows}, one per row")
    missing = codes < 0
    result: IntArray = np.array(codes, dtype=np.int64)
    result[missing] = len(known) + np.arange(int(missing.sum()))
    return result
