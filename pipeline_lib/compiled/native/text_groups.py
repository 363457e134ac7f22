"""Nodes of a turn of the core that depend on one raw text alone: they are computed once for each distinct text.

    raw text ---+--- strip --- lower --- look-up ---+--- once for each distinct text
                +--- length ------------------------+
                                                    +--- arithmetic with other columns: for each row

A group gives numbers, bools, words, and texts that are results. Other texts, and sparse vectors, that other nodes take
are computed again for each row. Vectors are, too, since a vector for each of many texts takes much memory.
"""

from collections.abc import Collection
from dataclasses import dataclass

from pipeline_lib.compiled.native.core import operations
from pipeline_lib.compiled.native.encode import Encoder

_SMALL = frozenset({"to_float", "to_int", "equal_int"})
"""Operations that cost less than to hand their result over, as those of one-hot columns do."""
_GIVES = frozenset("dibt")


@dataclass(frozen=True)
class TextGroup:
    """Nodes that depend on the raw text `column` alone, and those of them that it gives.

    Where none of them takes `texts`, they depend on the number of the column's word among those of the plan.
    """

    column: str
    texts: bool
    nodes: tuple[int, ...]
    given: tuple[int, ...]


def text_groups(encoder: Encoder, own: Collection[int], given: Collection[int]) -> tuple[list[TextGroup], list[int]]:
    """The groups of the nodes `own` of a turn that gives `given`, and the nodes that are left, in their order."""
    groups, ends = list[TextGroup](), set[int]()
    sources, takers = _sources(encoder, own), _takers(encoder, own)
    free = [number for number, source in sources.items() if source == ""]
    for column in sorted({source for source in sources.values() if source}):
        of_column = [number for number, source in sources.items() if source == column]
        inside = {number for number in of_column if _may_give(encoder, number, given)}
        taken = {number for number in inside if number in given or not takers.get(number, inside) <= inside}
        needed = _needed(encoder, [*free, *of_column], taken, ())
        texts = any(_takes_text(encoder, number) for number in needed)
        if texts or (len(needed) > 1 and _are_numbers(encoder, taken) and not taken & set(given)):
            groups.append(TextGroup(column, texts, tuple(needed), tuple(sorted(taken))))
            ends |= taken
    return groups, _needed(encoder, own, set(given) - ends, ends) if groups else list(own)


def _takers(encoder: Encoder, own: Collection[int]) -> dict[int, set[int]]:
    """The nodes of `own` that take each node."""
    takers: dict[int, set[int]] = {}
    for number in own:
        for taken in encoder.plan.nodes[number].inputs:
            takers.setdefault(taken, set()).add(number)
    return takers


def _sources(encoder: Encoder, own: Collection[int]) -> dict[int, str | None]:
    """The raw text that each node depends on; "" for constants alone, None where it depends on anything else."""
    nodes, sources, carried = encoder.plan.nodes, dict[int, str | None](), set(own)
    for number in encoder.needed:
        node = nodes[number]
        if node.operation == "input":
            sources[number] = node.settings["column"] if node.dtype == "str" else None
        elif node.operation == "constant":
            sources[number] = ""
        elif number in carried:
            below = {sources.get(taken) for taken in node.inputs} - {""}
            sources[number] = below.pop() if len(below) == 1 else None if below else ""
    return {number: source for number, source in sources.items() if number in carried}


def _may_give(encoder: Encoder, number: int, given: Collection[int]) -> bool:
    kind, node = encoder.kinds[number], encoder.plan.nodes[number]
    if number in given and encoder.given_kind(number) == "s":
        return True
    return kind in _GIVES and node.operation not in _SMALL and not (kind == "t" and number in encoder.any_word)


def _are_numbers(encoder: Encoder, numbers: Collection[int]) -> bool:
    return all(encoder.kinds[number] != "t" for number in numbers)


def _takes_text(encoder: Encoder, number: int) -> bool:
    name = encoder.encoded[number].operation
    return name != "" and "s" in operations()[name][1].split(":")[0]


def _needed(encoder: Encoder, own: Collection[int], roots: Collection[int], known: Collection[int]) -> list[int]:
    """Those of `own` that `roots` depend on, up to those that are known."""
    wanted = set(roots)
    for number in sorted(own, reverse=True):
        if number in wanted:
            wanted.update(taken for taken in encoder.plan.nodes[number].inputs if taken not in known)
    return sorted(number for number in own if number in wanted)
