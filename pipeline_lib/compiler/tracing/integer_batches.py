"""Columns of float64 in the plan that pandas keeps as int64 in some batches: where no row is missing or replaced.

    X["words"].map({"a": 1})        int64 if every word of the batch is in the table, else float64
    X["count"].clip(upper=2.5)      int64 if no row of the batch is cut
    X["price"].map(f)               int64 if f returns an integer for each row of the batch

The shadows show it only where one of them is such a batch, so the plan itself is read.
"""

from collections.abc import Collection, Sequence

from pipeline_lib.compiled.plan import Node

_COUNTS = {"text_length", "text_count", "text_find", "text_split_count", "regex_count", "regex_split_count"}
_COUNTS |= {"duration_part", "number_of_text"}
"""Operations whose results pandas keeps as integers where none is missing."""
_LOOKUPS = ("lookup", "lookup_number", "choose")
_CHOICES = ("where", "demand", "lookup_number", "larger", "smaller")
_ARITHMETIC = ("add", "subtract", "multiply", "negative", "absolute", "floor_divide", "remainder", "pow", "rint")


def mixes_integers(nodes: Sequence[Node], number: int, marked: Collection[int] = ()) -> bool:
    """Whether a column of float64 may be int64 to pandas, by the rows of the batch; those that are `marked` may."""
    mixed: list[bool] = []
    for place, node in enumerate(nodes[: number + 1]):  # inputs come before what takes them
        mixed.append(node.dtype == "float64" and (place in marked or _mixes(nodes, node, mixed)))
    return mixed[number]


def is_integer(nodes: Sequence[Node], number: int, marked: Collection[int] = ()) -> bool:
    """Whether a column of float64 holds integers, in any batch or in some."""
    return nodes[number].operation == "to_float" or mixes_integers(nodes, number, marked)


def _mixes(nodes: Sequence[Node], node: Node, mixed: list[bool]) -> bool:
    if node.operation in _COUNTS:
        return True
    if node.operation in _LOOKUPS and _are_whole([*node.settings["values"], node.settings.get("unseen")]):
        return True
    integers = [nodes[each].operation == "to_float" or mixed[each] for each in node.inputs]
    if node.operation in _CHOICES:  # a constant integer becomes a float beside a column of floats
        constants = [_is_constant(nodes, nodes[each]) for each in node.inputs]
        return any(whole and not fixed for whole, fixed in zip(integers, constants, strict=True))
    return node.operation in _ARITHMETIC and all(integers) and any(mixed[each] for each in node.inputs)


def _is_constant(nodes: Sequence[Node], node: Node) -> bool:
    return node.operation == "to_float" and nodes[node.inputs[0]].operation == "constant"


def _are_whole(values: list[object]) -> bool:
    """Whether the results of a table are integers, as far as they are present."""
    present = [each for each in values if isinstance(each, int | float) and each == each]
    return bool(present) and all(float(each).is_integer() for each in present)
