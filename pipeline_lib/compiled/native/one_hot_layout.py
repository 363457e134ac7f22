"""Sums of weighted columns of 0 and 1 that stand for codes: each code's columns become one look-up.

    total + (code == 0) * w0 + (code == 1) * w1 + ...   =   total + w[code]

No bit changes. All terms but one are zeros, and adding a zero changes nothing but a negative zero, which a positive one
makes positive. So where the code's own weight is no zero, it alone is added; where it is one, or no column stands for
the code, the sum of all terms is added, which is a zero too. Weights that are not finite are left as they are: 0 times
infinity is no zero.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.plan import Plan

_MOST_CELLS = 4096  # from the least to the largest code of a column
_FEWEST = 2  # columns of a code that are worth a look-up
Terms = list[tuple[int, str]]


def dot_of_codes(plan: Plan, number: int, carried: Collection[int]) -> tuple[Encoded, Terms] | None:
    """The instruction of a `dot`, and its columns with their kinds; None where none of them stands for a code.

    `carried` are the nodes that the core evaluates: a column is not left out where it comes from NumPy.
    """
    node = plan.nodes[number]
    weights = [float(weight) for weight in node.settings["weights"]]
    terms: Terms = []
    ints: list[int] = []
    cells: list[float] = []
    found = False
    for code, group in _groups(plan, node.inputs, weights, carried):
        table = None if code is None else _table(group)
        if code is not None and table is not None:
            found = True
            terms.append((code, "i"))
            ints += [len(cells), min(value for _, value, _ in group), len(table) - 1]
            cells += table
        else:
            for column, _, weight in group:
                terms.append((column, "d"))
                ints += [len(cells), 0, 0]
                cells.append(weight)
    return (Encoded("dot_codes", ints, [np.array(cells)]), terms) if found else None


Group = list[tuple[int, int, float]]


def _groups(
    plan: Plan, columns: Sequence[int], weights: Sequence[float], carried: Collection[int]
) -> list[tuple[int | None, Group]]:
    """Columns that follow one another and stand for the same code, each with its value and weight; others alone."""
    groups: list[tuple[int | None, Group]] = []
    for column, weight in zip(columns, weights, strict=True):
        code, value = _code(plan, column, carried)
        if not groups or groups[-1][0] is None or groups[-1][0] != code:
            groups.append((code, []))
        groups[-1][1].append((column, value, weight))
    return groups


def _code(plan: Plan, column: int, carried: Collection[int]) -> tuple[int | None, int]:
    """The node of codes of which a column says where they are a value, and the value; None for any other column."""
    nodes = plan.nodes
    if column not in carried or nodes[column].operation != "to_float":
        return None, 0
    equal = nodes[column].inputs[0]
    if equal not in carried or nodes[equal].operation != "equal_int":
        return None, 0
    left, right = nodes[equal].inputs
    if nodes[left].operation == "constant":
        left, right = right, left
    if nodes[right].operation != "constant" or nodes[left].operation == "constant":
        return None, 0
    return (left, int(nodes[right].settings["value"])) if nodes[left].dtype == "int64" else (None, 0)


def _table(group: Group) -> list[float] | None:
    """What any other code adds, then what each code from the least on adds; None where a product may not be a zero."""
    values = [value for _, value, _ in group]
    if len(group) < _FEWEST or len(set(values)) < len(values) or max(values) - min(values) >= _MOST_CELLS:
        return None
    if not all(math.isfinite(weight) for _, _, weight in group):
        return None
    table = [_sum(group, None)] * (max(values) - min(values) + 2)
    for _, value, weight in group:
        table[value - min(values) + 1] = weight if weight else _sum(group, value)
    return table


def _sum(group: Group, code: int | None) -> float:
    """The sum of the terms for a code whose weight is a zero, or for one that no column stands for."""
    total = -0.0  # added to it, each number is itself
    for _, value, weight in group:
        total += float(value == code) * weight
    return total
