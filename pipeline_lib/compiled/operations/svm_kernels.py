"""Kernels of stored points, and class probabilities from pairwise decisions, as libsvm computes both.

Every sum runs over a row's numbers in their order, so one row has the bits of many. A BLAS product would add in an
order that depends on the shape of the batch and on the CPU. Arrays are numbers x points and numbers x rows: Python
loops over the numbers, NumPy runs over points x rows.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, MATRIX, NUMBER, NUMBERS, one_of
from pipeline_lib.compiled.portable_math.exponentials import exp_vector, tanh_vector

_CACHED = 1 << 16  # numbers of a working array: half a megabyte, which a core's cache holds


def products(points: Any, vector: Any) -> Any:
    """Sums of products of a vector column with points (numbers x points), over the numbers in order."""
    total = np.zeros((points.shape[1], vector.shape[1]))
    for stored, numbers in zip(points, vector, strict=True):
        total += stored[:, None] * numbers
    return total


def squares(points: Any, vector: Any) -> Any:
    """Sums of squared differences of a vector column from points, over the numbers in order."""
    total = np.zeros((points.shape[1], vector.shape[1]))
    apart = np.empty_like(total)
    for stored, numbers in zip(points, vector, strict=True):
        np.subtract(stored[:, None], numbers, out=apart)
        apart *= apart
        total += apart
    return total


def long_axis_last(sums: Any) -> Any:
    """The same sums, transposed where there are more points than rows: NumPy is fast along the last axis."""

    def transposed(points: Any, vector: Any) -> Any:
        if points.shape[1] <= vector.shape[1]:
            return sums(points, vector)
        return sums(np.ascontiguousarray(vector), points).T

    return transposed


def by_pieces(function: Any, points: Any, vector: Any) -> Any:
    """A function of points and rows, called for so many rows at once that its working array stays in cache."""
    size = max(1, _CACHED // max(points.shape[1], 1))
    if vector.shape[1] <= size:
        return function(points, vector)
    parts = [function(points, vector[:, at : at + size]) for at in range(0, vector.shape[1], size)]
    return np.concatenate(parts, axis=1)


def power(base: Any, times: int) -> Any:
    """An integer power by repeated squaring (`powi` of libsvm)."""
    result = np.ones_like(base)
    while times > 0:
        if times % 2:
            result = result * base
        base, times = base * base, times // 2
    return result


def _bind_kernel(settings: Settings) -> Any:
    points = np.ascontiguousarray(np.asarray(settings["points"], dtype=np.float64).T)
    finish = _finish(settings)
    sums = long_axis_last(squares if settings["kernel"] == "rbf" else products)
    return lambda vector: by_pieces(lambda stored, part: finish(sums(stored, part)), points, vector)


def _finish(settings: Settings) -> Any:
    """From sums to kernel values."""
    gamma, coef0 = float(settings["gamma"]), float(settings["coef0"])
    if settings["kernel"] == "linear":
        return lambda sums: sums
    if settings["kernel"] == "rbf":
        return lambda sums: exp_vector(-gamma * sums)
    if settings["kernel"] == "poly":
        return lambda sums: power(gamma * sums + coef0, int(settings["degree"]))
    return lambda sums: tanh_vector(gamma * sums + coef0)


def _kernel_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """BLAS adds in another order; `expanded` distances are x*x + y*y - 2*x*y."""
    points = np.asarray(settings["points"], dtype=np.float64)
    sizes, ulps = np.abs(inputs[0]), (points.shape[1] + 2) * HALF_ULP
    moved = np.broadcast_to(bounds[0], sizes.shape)
    if settings["kernel"] == "rbf":
        return _radial_error_bound(settings, points, sizes, moved, result)
    absolute = np.abs(points)
    terms = absolute @ sizes  # a bound, not a result: the order of the sum does not matter
    apart = ulps * terms + (absolute @ moved if moved.any() else 0.0)
    if settings["kernel"] == "linear":
        return apart
    gamma, coef0 = float(settings["gamma"]), float(settings["coef0"])
    apart = abs(gamma) * apart + 4 * HALF_ULP * (abs(gamma) * terms + abs(coef0))
    if settings["kernel"] == "sigmoid":
        return apart + 8 * np.spacing(np.abs(result))
    degree, base = int(settings["degree"]), np.abs(gamma * (points @ inputs[0]) + coef0) + apart
    return (base + apart) ** degree - base**degree + 4 * (degree + 1) * HALF_ULP * base**degree


def _radial_error_bound(settings: Settings, points: Any, sizes: Any, moved: Any, result: Any) -> Any:
    """The bound on `exp(-gamma * squares)`, in which the squares are taken back from the result."""
    gamma, ulps = abs(float(settings["gamma"])), (points.shape[1] + 4) * HALF_ULP
    exponent = -np.log(np.maximum(result, np.finfo(np.float64).tiny)) + 8 * HALF_ULP  # gamma times the squares
    apart = 2 * ulps * exponent
    if moved.any():  # (d + m)**2 - d**2 <= 2 * |d| * |m| + |m|**2
        shift = gamma * (moved * moved).sum(axis=0)
        apart += shift + 2 * np.sqrt(exponent * shift)
    if settings["expanded"]:
        apart += 4 * ulps * gamma * ((sizes * sizes).sum(axis=0) + (points * points).sum(axis=1)[:, None])
    return result * np.expm1(apart) + 8 * np.spacing(result)


operation(
    "kernel",
    ("vector",),
    "vector",
    doc="Kernel values of a vector with stored points; `expanded` tells how the reference computes distances.",
    parameters=("vector",),
    settings={
        "points": MATRIX,
        "kernel": one_of(("linear", "rbf", "poly", "sigmoid")),
        "gamma": NUMBER,
        "coef0": NUMBER,
        "degree": INTEGER,
        "expanded": FLAG,
    },
    column=_bind_kernel,
    error_bound=_kernel_error_bound,
    width=lambda settings, widths: len(settings["points"]),
)

_LEAST = 1e-7  # libsvm's min_prob: pairwise probabilities are kept this far from 0 and 1


def _shares(settings: Settings, vector: Any) -> Any:
    """Platt's sigmoid of each pair's decision (`sigmoid_predict` of libsvm), kept away from 0 and 1."""
    slopes, offsets = (np.asarray(settings[name], dtype=np.float64)[:, None] for name in ("slopes", "offsets"))
    exponent = vector * slopes + offsets
    small = exp_vector(-np.abs(exponent))
    share = np.where(exponent >= 0, small / (1.0 + small), 1.0 / (1.0 + small))
    share = np.where(share < _LEAST, _LEAST, share)
    return np.where(share > 1 - _LEAST, 1 - _LEAST, share)


def couple(shares: Any, classes: int) -> tuple[Any, Any]:
    """Class probabilities from pairwise ones, and how close an iteration's error came to the stopping bound.

    Method 2 of Wu, Lin and Weng (2004), as `multiclass_probability` of libsvm's svm.cpp iterates it. Rows that have
    stopped keep their probabilities while others go on.
    """
    system, bound = _system(shares, classes), 0.005 / classes
    chances = [np.full(shares.shape[1], 1.0 / classes) for _ in range(classes)]
    going, margin = np.ones(shares.shape[1], dtype=bool), np.full(shares.shape[1], np.inf)
    for _ in range(max(100, classes)):
        rows, total = _products(system, chances)
        error = abs(rows[0] - total)
        for row in rows[1:]:
            other = abs(row - total)
            error = np.where(other > error, other, error)
        margin = np.where(going, np.minimum(margin, abs(error - bound)), margin)
        going = going & ~(error < bound)
        if not going.any():
            break
        moved = _iterate(system, chances, rows, total)
        chances = [np.where(going, new, old) for new, old in zip(moved, chances, strict=True)]
    return np.array(chances), margin


def _couple_one(shares: list[float], classes: int) -> list[float]:
    """The same for one row, with Python floats."""
    system, chances = _system(shares, classes), [1.0 / classes] * classes
    for _ in range(max(100, classes)):
        rows, total = _products(system, chances)
        if max([abs(row - total) for row in rows]) < 0.005 / classes:
            break
        chances = _iterate(system, chances, rows, total)
    return chances


def _system(shares: Any, classes: int) -> list[list[Any]]:
    wins: list[list[Any]] = [[0.0] * classes for _ in range(classes)]
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    for (i, j), share in zip(pairs, shares, strict=True):
        wins[i][j], wins[j][i] = share, 1.0 - share
    system: list[list[Any]] = [
        [0.0 if j == t else -wins[j][t] * wins[t][j] for j in range(classes)] for t in range(classes)
    ]
    for t in range(classes):
        for j in range(classes):
            if j != t:
                system[t][t] = system[t][t] + wins[j][t] * wins[j][t]
    return system


def _products(system: list[list[Any]], chances: list[Any]) -> tuple[list[Any], Any]:
    rows, total = [], 0.0
    for weights, own in zip(system, chances, strict=True):
        product = 0.0
        for weight, chance in zip(weights, chances, strict=True):
            product = product + weight * chance
        rows.append(product)
        total = total + own * product
    return rows, total


def _iterate(system: list[list[Any]], chances: list[Any], rows: list[Any], total: Any) -> list[Any]:
    chances, rows = list(chances), list(rows)
    for t, weights in enumerate(system):
        step = (-rows[t] + total) / weights[t]
        chances[t] = chances[t] + step
        total = (total + step * (step * weights[t] + 2 * rows[t])) / (1 + step) / (1 + step)
        for j, weight in enumerate(weights):
            rows[j] = (rows[j] + step * weight) / (1 + step)
            chances[j] = chances[j] / (1 + step)
    return chances


def _bind_couple(settings: Settings) -> Any:
    return lambda vector: couple(_shares(settings, vector), int(settings["classes"]))[0]


def _bind_couple_row(settings: Settings) -> Any:
    classes = int(settings["classes"])

    def coupled(vector: Any) -> Any:
        with np.errstate(all="ignore"):
            shares = _shares(settings, vector[:, None])[:, 0].tolist()
        return np.array(_couple_one(shares, classes))

    return coupled


def _couple_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """The bound moves each pairwise probability; it is infinite where rounding may decide when the iteration stops."""
    classes, vector = int(settings["classes"]), inputs[0]
    bound, shares = np.broadcast_to(bounds[0], vector.shape), _shares(settings, vector)
    ends = [np.abs(_shares(settings, vector + sign * bound) - shares) for sign in (1.0, -1.0)]
    moves = np.maximum(*ends) + 32 * HALF_ULP * shares
    apart = np.zeros(result.shape)
    for pair in range(len(shares)):
        for sign in (1.0, -1.0):
            moved = shares.copy()
            moved[pair] += sign * moves[pair]
            apart += np.abs(couple(moved, classes)[0] - result)
    margin = couple(shares, classes)[1]
    return np.where(margin <= 1e3 * moves.max(axis=0), np.inf, 4 * apart + 64 * HALF_ULP)


operation(
    "couple",
    ("vector",),
    "vector",
    doc="Class probabilities from the decisions of all pairs of classes, as SVC(probability=True).",
    parameters=("vector",),
    settings={"slopes": NUMBERS, "offsets": NUMBERS, "classes": INTEGER},
    column=_bind_couple,
    row=_bind_couple_row,
    error_bound=_couple_error_bound,
    width=lambda settings, widths: int(settings["classes"]),
)
