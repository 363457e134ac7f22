"""Trees over columns compiled by numba, where it is installed: the same sums in the same order, so the same bits."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

Settings = dict[str, Any]


def bind_compiled(settings: Settings) -> Callable[..., Any]:
    """The operation `trees` over columns."""
    feature, left, right, category, roots = (
        np.asarray(settings[name], dtype=np.int32) for name in ("feature", "left", "right", "category", "roots")
    )
    threshold = np.asarray(settings["threshold"], dtype=np.float64)
    missing_left, sets = (np.asarray(settings[name], dtype=np.bool_) for name in ("missing_left", "sets"))
    dtype = np.float32 if settings["single"] else np.float64
    values = np.ascontiguousarray(settings["values"], dtype=dtype)
    width, start = int(settings["width"]), settings["start"]
    whole = settings["outputs"] is None
    outputs = np.zeros(len(roots), np.int32) if whole else np.asarray(settings["outputs"], dtype=np.int32)

    def evaluate(*inputs: Any) -> Any:
        rows = np.array(np.broadcast_arrays(*map(np.atleast_1d, inputs)), dtype=np.float64).T.copy()
        totals = np.zeros((width, len(rows)), dtype=dtype)
        if start is not None:
            totals += np.asarray(start, dtype=dtype)[:, None]
        nodes = (feature, threshold, left, right, missing_left, category, sets)
        _add(rows, nodes, roots, values, outputs, whole, start is None, totals)
        return (totals[0] if width == 1 else totals).astype(np.float64, copy=False)

    return evaluate


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add(
    rows: Any, nodes: Any, roots: Any, values: Any, outputs: Any, whole: bool, first: bool, totals: Any
) -> None:
    feature, threshold, left, right, missing_left, category, sets = nodes
    size = sets.shape[1] - 1
    for tree in range(len(roots)):
        for row in range(len(rows)):
            node = roots[tree]
            while feature[node] >= 0:
                x = rows[row, feature[node]]
                if np.isnan(x):
                    goes_left = missing_left[node]
                elif category[node] < 0:
                    goes_left = x <= threshold[node]
                else:
                    goes_left = sets[category[node], int(x) if -1.0 < x < size else size]
                node = left[node] if goes_left else right[node]
            if not whole:
                totals[outputs[tree], row] += values[left[node], 0]
            elif first and tree == 0:
                totals[:, row] = values[left[node]]
            else:
                for output in range(totals.shape[0]):
                    totals[output, row] += values[left[node], output]
