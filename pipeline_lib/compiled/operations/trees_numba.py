"""Trees walked by machine code where numba is installed: comparisons and look-ups only, so the bits are the same."""

from importlib import import_module
from typing import Any

numba: Any = import_module("numba")  # it has no annotations


def leaves(rows: Any, nodes: Any, roots: Any, depths: Any, found: Any) -> None:
    """Write each row's leaf of each tree into `found` (trees x rows).

    `rows` are the numbers that nodes compare, a row's side by side; a node's record holds its number's place, its
    threshold and its right child, which the left child follows. Leaves are their own children, so that eight rows
    can go down in step, without a branch that the processor would have to guess.
    """
    count = rows.shape[0]
    for tree in range(len(roots)):
        root, depth = roots[tree], depths[tree]
        for i in range(0, count - count % 8, 8):
            a = b = c = d = e = f = g = h = root
            for _ in range(depth):
                a = nodes[a].child + (rows[i, nodes[a].number] <= nodes[a].threshold)
                b = nodes[b].child + (rows[i + 1, nodes[b].number] <= nodes[b].threshold)
                c = nodes[c].child + (rows[i + 2, nodes[c].number] <= nodes[c].threshold)
                d = nodes[d].child + (rows[i + 3, nodes[d].number] <= nodes[d].threshold)
                e = nodes[e].child + (rows[i + 4, nodes[e].number] <= nodes[e].threshold)
                f = nodes[f].child + (rows[i + 5, nodes[f].number] <= nodes[f].threshold)
                g = nodes[g].child + (rows[i + 6, nodes[g].number] <= nodes[g].threshold)
                h = nodes[h].child + (rows[i + 7, nodes[h].number] <= nodes[h].threshold)
            found[tree, i], found[tree, i + 1], found[tree, i + 2], found[tree, i + 3] = a, b, c, d
            found[tree, i + 4], found[tree, i + 5], found[tree, i + 6], found[tree, i + 7] = e, f, g, h
        for i in range(count - count % 8, count):
            a = root
            for _ in range(depth):
                a = nodes[a].child + (rows[i, nodes[a].number] <= nodes[a].threshold)
            found[tree, i] = a


def _compiled(function: Any) -> Any:
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to keep machine code in
        return numba.njit(nogil=True)(function)


leaves = _compiled(leaves)
