"""Rows in order of time: a bootstrap of blocks, since neighbours resemble each other.

Blocks of consecutive units start at any unit and wrap around (the circular block bootstrap of Politis & Romano, 1992),
so that each unit is drawn equally often. Their length follows the autocorrelation by the rule of Politis & White
(Econometric Reviews 23, 2004, corrected in 28, 2009), at least units^(1/3). Rows of one moment are one unit.
"""

import math

import numpy as np

from pipeline_lib.comparison.checked_rows import FloatArray, IntArray


def block_length(contributions: FloatArray) -> int:
    """How many consecutive units a block has: more where neighbours resemble each other for longer.

    >>> import numpy as np
    >>> block_length(np.random.default_rng(0).normal(size=1000))
    10
    """
    units = len(contributions)
    longest = max(1, min(math.ceil(3 * math.sqrt(units)), units // 3))
    shortest: int = round(float(units) ** (1 / 3))
    return max(1, min(longest, max(shortest, math.ceil(_politis_white(contributions)))))


def _politis_white(x: FloatArray) -> float:
    units = len(x)
    window = max(5, math.ceil(math.sqrt(math.log10(units)))) if units > 1 else 1
    lags = min(math.ceil(math.sqrt(units)) + window, units - 1)
    covariances = np.array([float(x[: units - lag] @ x[lag:]) / units for lag in range(lags + 1)])
    if lags < 1 or covariances[0] <= 0:
        return 1.0
    large = np.abs(covariances[1:] / covariances[0]) > 2 * math.sqrt(math.log10(units) / units)
    last = _last_large(large, window)
    if not last:
        return 1.0
    reach = min(2 * last, lags)
    k = np.arange(1, reach + 1)
    weights = np.clip(2 * (1 - k / reach), 0, 1)
    spectrum = covariances[0] + 2 * float(weights @ covariances[1 : reach + 1])
    slope = 2 * float((weights * k) @ covariances[1 : reach + 1])
    if spectrum <= 0:
        return 1.0
    return float((1.5 * slope**2 / spectrum**2) ** (1 / 3) * units ** (1 / 3))


def _last_large(large: np.ndarray, window: int) -> int:
    """The last lag before `window` small autocorrelations in a row; of none such, the last large one."""
    run = 0
    for index, is_large in enumerate(large):
        run = 0 if is_large else run + 1
        if run == window:
            return index + 1 - window
    return int(np.flatnonzero(large)[-1]) + 1 if large.any() else 0


def circular_sums(values: FloatArray, length: int) -> FloatArray:
    """The sum of each block of `length` consecutive values; the last ones continue at the first."""
    cumulative = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[: length - 1]]))])
    return np.asarray(cumulative[length:] - cumulative[:-length])


def resampled_ratios(
    sums: FloatArray, sizes: FloatArray, length: int, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """`sums.sum() / sizes.sum()` of series joined from random blocks."""
    blocks = max(1, math.ceil(len(sums) / length))
    starts = rng.integers(0, len(sums), size=(resamples, blocks))
    return np.asarray(
        circular_sums(sums, length)[starts].sum(axis=1) / circular_sums(sizes, length)[starts].sum(axis=1)
    )


def block_rows(units: int, length: int, rng: np.random.Generator) -> IntArray:
    """The units of one resample, in blocks."""
    starts = rng.integers(0, units, size=max(1, math.ceil(units / length)))
    return np.asarray(((starts[:, None] + np.arange(length)) % units).ravel()[:units])
