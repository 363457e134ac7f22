"""The range that a column's present values lie in, as far as the plan shows it.

pandas computes `X["when"].dt.hour * 60` in 32 bits, and other products of narrow integers in 8 or 16. The plan computes
in 64 bits: both are equal where the result's range fits. `Value.abs_max` does not help, since it bounds a column only
if no value is missing.
"""

import math
from collections.abc import Callable, Sequence

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recording import Recording

Range = tuple[float, float]
"""The smallest and the largest value, missing ones aside."""
_ANY: Range = (-math.inf, math.inf)
_INT64: Range = (-(2.0**63), 2.0**63)
EXACT = 2.0**53
"""Up to here a float64 holds every integer."""
LARGEST = 2.0**63 - 1024
"""The largest float64 that is an int64."""

_CALENDAR: dict[str, Range] = {
    "year": (-292_278, 292_278),
    "month": (1, 12),
    "day_of_month": (1, 31),
    "quarter": (1, 4),
    "semester": (1, 2),
    "day_of_week": (0, 6),
    "day_of_year": (1, 366),
    "week": (1, 53),
    "days_in_month": (28, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "microsecond": (0, 999_999),
    "iso_year": (-292_278, 292_278),
    "ordinal": (-106_751_991, 110_000_000),
}
_PARTS: dict[str, Range] = {
    "days": (-106_751_992, 106_751_991),
    "seconds": (0, 86_399),
    "microseconds": (0, 999_999),
}


def value_range(recording: Recording, value: Value) -> Range:
    """The range of a number's present values; an infinite one where it is not known."""
    inputs = {each.node: each for each in recording.inputs.values()}
    known: list[Range] = []
    nodes = recording.build.nodes
    for number, node in enumerate(nodes[: value.node + 1]):  # inputs come before what takes them
        most = inputs[number].abs_max if number in inputs else math.inf
        known.append(_clipped(node, (-most, most) if number in inputs else _of_node(nodes, node, known)))
    return known[value.node]


def _calendar(nodes: Sequence[Node], node: Node) -> Range:
    """The range of a field of a date; raw dates and parsed ones are of the years 1 to 9999."""
    date = nodes[node.inputs[0]]
    while date.operation in ("date_floor", "demand"):
        date = nodes[date.inputs[0]]
    if node.settings["field"] in ("year", "iso_year") and date.operation in ("input", "parse_date"):
        return (0, 9999)
    return _CALENDAR.get(node.settings["field"], (0, 1))


def _of_node(nodes: Sequence[Node], node: Node, known: list[Range]) -> Range:
    inputs = [known[number] for number in node.inputs]
    if node.operation in ("lookup", "lookup_number", "choose"):
        found = _of_values([*node.settings["values"], node.settings.get("missing"), node.settings.get("unseen")])
        return _union(found, inputs[0]) if node.settings.get("mode") == "keep" else found
    if node.operation == "constant":
        return _of_values([node.settings["value"]])
    if node.operation == "calendar":
        return _calendar(nodes, node)
    if node.operation == "duration_part":
        return _PARTS[node.settings["part"]]
    return _RULES[node.operation](inputs) if node.operation in _RULES else _ANY


def _clipped(node: Node, found: Range) -> Range:
    if node.dtype == "bool":
        return (0, 1)
    return found if node.dtype != "int64" else (max(found[0], _INT64[0]), min(found[1], _INT64[1]))


def _of_values(values: list[object]) -> Range:
    numbers = [float(each) for each in values if isinstance(each, int | float) and each == each]
    return (min(numbers), max(numbers)) if numbers else (0, 0)


def _union(first: Range, second: Range) -> Range:
    return (min(first[0], second[0]), max(first[1], second[1]))


def _sum(inputs: list[Range]) -> Range:
    (a, b), (c, d) = inputs
    return _finite(a + c, b + d)


def _difference(inputs: list[Range]) -> Range:
    (a, b), (c, d) = inputs
    return _finite(a - d, b - c)


def _product(inputs: list[Range]) -> Range:
    (a, b), (c, d) = inputs
    products = [0.0 if 0 in (x, y) else x * y for x in (a, b) for y in (c, d)]
    return (min(products), max(products))


def _finite(low: float, high: float) -> Range:
    return _ANY if math.isnan(low) or math.isnan(high) else (low, high)


def _power(inputs: list[Range]) -> Range:
    (a, b), (c, d) = inputs
    most = max(abs(a), abs(b))
    if c != d or not c.is_integer() or c < 0 or math.isinf(most):
        return _ANY
    try:
        largest = max(most**c, 1.0)
    except OverflowError:
        return _ANY
    return (-largest, largest)


def _quotient(inputs: list[Range]) -> Range:
    """Of `//`: by a constant of at least 1 in magnitude the quotient is not larger."""
    (a, b), (c, d) = inputs
    most = max(abs(a), abs(b))
    return (-most - 1, most + 1) if c == d and abs(c) >= 1 else _ANY


def _remainder(inputs: list[Range]) -> Range:
    (_, _), (c, d) = inputs
    most = max(abs(c), abs(d))
    return (min(0.0, -most if c < 0 else 0.0), max(0.0, most if d > 0 else 0.0))


def _magnitude(inputs: list[Range]) -> Range:
    low, high = inputs[0]
    least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return (least, max(abs(low), abs(high)))


def _whole(inputs: list[Range]) -> Range:
    return (inputs[0][0] - 1, inputs[0][1] + 1)


_RULES: dict[str, Callable[[list[Range]], Range]] = {
    **dict.fromkeys(("add", "add_int"), _sum),
    **dict.fromkeys(("subtract", "subtract_int"), _difference),
    **dict.fromkeys(("multiply", "multiply_int"), _product),
    **dict.fromkeys(("floor_divide", "floor_divide_int"), _quotient),
    **dict.fromkeys(("remainder", "remainder_int"), _remainder),
    **dict.fromkeys(("negative", "negative_int"), lambda inputs: (-inputs[0][1], -inputs[0][0])),
    **dict.fromkeys(("absolute", "absolute_int"), _magnitude),
    **dict.fromkeys(("floor", "ceil", "rint", "trunc", "truncate_int", "round_decimals"), _whole),
    **dict.fromkeys(("to_float", "to_int", "demand", "allow_ulps", "round32"), lambda inputs: inputs[0]),
    "power_int": _power,
    "where": lambda inputs: _union(inputs[1], inputs[2]),
    "larger": lambda inputs: (inputs[0][0], max(inputs[0][1], inputs[1][1])),  # a missing `right` is ignored
    "smaller": lambda inputs: (min(inputs[0][0], inputs[1][0]), inputs[0][1]),
    "text_length": lambda inputs: (0, 2.0**31),
    "text_count": lambda inputs: (0, 2.0**31),
}
