"""Orthogonal matching pursuit: a sparse combination of atoms, as scikit-learn's dictionary learning codes a row.

    1. take the atom of the largest absolute product with what the taken atoms leave over
    2. fit the row by all taken atoms, by a Cholesky root that grows by a line for each
    3. again, until `count` atoms are taken; earlier where nothing is left, or the next atom depends on those taken

Rows are independent; those that have stopped keep their atoms. Source: sklearn/linear_model/_omp.py, `_gram_omp`.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, MATRIX

_EPSILON = 2.0**-52  # np.finfo(np.float64).eps, below which products and remainders are 0 to the library


class _Pursuit:
    """The atoms that have been taken, for each row."""

    def __init__(self, gram: Any, products: Any, count: int) -> None:
        rows = products.shape[1]
        self.gram, self.products, self.every = gram, products, np.arange(rows)
        self.atoms = np.zeros((count, rows), dtype=np.int64)
        self.taken = np.zeros(rows, dtype=np.int64)
        self.root = np.zeros((count, count, rows))
        self.coefficients = np.zeros((count, rows))
        self.left, self.going = products.copy(), np.ones(rows, dtype=bool)
        self.margin = np.full(rows, np.inf)  # how much larger the chosen product is than any other

    def take(self, step: int) -> None:
        """One more atom for each row that goes on."""
        size = np.abs(self.left)
        best = np.argmax(size, axis=0)
        most = size[best, self.every]
        size[best, self.every] = -np.inf
        known = (self.atoms[:step] == best).any(axis=0) if step else np.zeros(len(self.every), dtype=bool)
        self.going &= ~known & (most * most >= _EPSILON)
        self.margin = np.where(self.going, np.minimum(self.margin, most - size.max(axis=0)), self.margin)
        line = self._line(best, step)
        rest = self.gram[best, best] - sum((part * part for part in line), np.zeros(len(self.every)))
        if step:
            self.going &= rest > _EPSILON
        chosen = np.flatnonzero(self.going)
        for column, part in enumerate(line):
            self.root[step, column, chosen] = part[chosen]
        self.root[step, step, chosen] = np.sqrt(rest[chosen])
        self.atoms[step, chosen], self.taken[chosen] = best[chosen], step + 1
        self._solve(chosen, step + 1)

    def _line(self, best: Any, step: int) -> list[Any]:
        """The new line of the root: what is left of the atom's products with those taken."""
        line: list[Any] = []
        for column in range(step):
            total = self.gram[best, self.atoms[column]]
            for other, part in enumerate(line):
                total = total - self.root[column, other] * part
            diagonal = self.root[column, column]
            line.append(np.divide(total, diagonal, out=np.zeros_like(total), where=diagonal != 0))
        return line

    def _solve(self, chosen: Any, size: int) -> None:
        """Coefficients of the taken atoms, forwards and backwards through the root, and what they leave over."""
        root, atoms = self.root[:, :, chosen], self.atoms[:, chosen]
        parts: list[Any] = []
        for line in range(size):
            total = self.products[atoms[line], chosen]
            for column, part in enumerate(parts):
                total = total - root[line, column] * part
            parts.append(total / root[line, line])
        for line in reversed(range(size)):
            for column in range(line + 1, size):
                parts[line] = parts[line] - root[column, line] * parts[column]
            parts[line] = parts[line] / root[line, line]
        left = self.products[:, chosen]
        for line, part in enumerate(parts):
            left = left - self.gram[:, atoms[line]] * part
            self.coefficients[line, chosen] = part
        self.left[:, chosen] = left

    def codes(self) -> Any:
        """The coefficient of every atom, 0 of those that were not taken."""
        result = np.zeros(self.products.shape)
        for line, (atom, part) in enumerate(zip(self.atoms, self.coefficients, strict=True)):
            chosen = np.flatnonzero(self.taken > line)
            result[atom[chosen], chosen] = part[chosen]
        return result


def _pursue(settings: Settings, products: Any) -> _Pursuit:
    pursuit = _Pursuit(np.asarray(settings["gram"], dtype=np.float64), products, int(settings["count"]))
    for step in range(int(settings["count"])):
        pursuit.take(step)
    return pursuit


def _pursuit_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Rounding grows with the condition of the taken atoms; infinite where another atom may be taken."""
    pursuit = _pursue(settings, inputs[0])
    diagonal = np.array([pursuit.root[line, line] for line in range(len(pursuit.root))])
    largest = diagonal.max(axis=0)
    smallest = np.where(diagonal > 0, diagonal, np.inf).min(axis=0)
    condition = np.where(np.isfinite(smallest), (largest / smallest) ** 2, 1.0)
    moved = np.broadcast_to(bounds[0], result.shape).max(axis=0)
    sizes = np.abs(inputs[0]).max(axis=0) + np.abs(pursuit.gram).max() * np.abs(result).sum(axis=0)
    apart = condition * (moved + 16 * (len(diagonal) + 4) * _EPSILON * sizes) / np.where(smallest < 1, smallest, 1) ** 2
    return np.where(
        pursuit.margin <= 2 * np.abs(pursuit.gram).max() * apart, np.inf, np.broadcast_to(apart, result.shape)
    )


operation(
    "matching_pursuit",
    ("vector",),
    "vector",
    doc="The coefficients of `count` atoms by orthogonal matching pursuit, from a row's products with all atoms.",
    parameters=("products",),
    settings={"gram": MATRIX, "count": INTEGER},
    column=lambda settings: lambda products: _pursue(settings, products).codes(),
    error_bound=_pursuit_error_bound,
    width=lambda settings, widths: int(widths[0]),
)
