"""The bytes that the core reads of some nodes of a plan: registers, instructions, arrays, in the order of the nodes.

`encode` is for a single row, where NumPy's part comes first, with everything that it depends on:

    raw columns --- text, child rows (NumPy) ---+
         |                                      +--- the core --- outputs
         +--------------------------------------+
"""

import math
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encode import CASTS, KINDS, Encoder
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.one_hot_layout import Terms, dot_of_codes
from pipeline_lib.compiled.native.plan_bytes import PlanWriter
from pipeline_lib.compiled.native.row_work import nanoseconds_of_a_row
from pipeline_lib.compiled.native.word_index import word_index
from pipeline_lib.compiled.native.words import WordTable
from pipeline_lib.compiled.plan import Node, Plan

Tables = Mapping[int, tuple[Encoded, Terms]]
"""The operation and the columns that it takes, by node, where they are others than those of the node."""


@dataclass(frozen=True)
class CorePlan:
    """Nodes of a plan that the core runs in one go.

    `taken` are the nodes that it takes as columns, by number, raw columns among them; `given` those that it gives.
    A node of text may be taken twice: as words of the plan ("t") and as whole texts ("s").
    """

    data: bytes
    taken: tuple[int, ...]
    taken_kinds: tuple[str, ...]
    given: tuple[int, ...]
    kinds: tuple[str, ...]
    widths: tuple[int, ...]
    words: WordTable
    nanoseconds_of_a_row: float


def encode(plan: Plan, roots: Sequence[int]) -> CorePlan | None:
    """The core's part of a plan, after all of NumPy's; None where it has none."""
    encoder = Encoder(plan, list(dict.fromkeys(roots)))
    carried = encoder.without_ancestors(set(encoder.encoded))
    return write(encoder, carried, [root for root in encoder.roots if root in carried]) if carried else None


def write(
    encoder: Encoder,
    carried: Collection[int],
    given: Sequence[int],
    whole: bool = False,
    *,
    tables: Tables | None = None,
) -> CorePlan:
    """The core's plan of the nodes `carried` that gives the columns of `given`; `whole`: all text comes as texts.

    Nodes of `tables` are these operations, which refuse what the nodes refuse.
    """
    return _Writing(encoder, carried, given, whole, tables or {}).plan()


class _Writing:
    """Registers are known by their node and kind: a node's column may stand in several kinds of them."""

    def __init__(
        self, encoder: Encoder, carried: Collection[int], given: Sequence[int], whole: bool, tables: Tables
    ) -> None:
        self._encoder, self._nodes, self._given = encoder, encoder.plan.nodes, given
        self._writer = PlanWriter()
        self._registers: dict[tuple[int, str], int] = {}
        self._carried, self._whole, self._tables = carried, whole, tables
        self._checks: set[tuple[str, tuple[int, ...]]] = set()
        self._short = {**self._short_dots(), **tables}
        self._inner = self._without_columns_of_codes()

    def plan(self) -> CorePlan:
        encoder, writer = self._encoder, self._writer
        taken = self._taken()
        outer = [each for each in taken if self._nodes[each[0]].operation != "constant"]
        for number, kind in outer:
            self._registers[number, kind] = writer.register(kind, self._width(number, kind))
        writer.inputs = len(outer)
        for number in dict.fromkeys(number for number, _ in taken):
            if self._nodes[number].operation == "constant":
                self._registers[number, KINDS[self._nodes[number].dtype]] = self._constant(self._nodes[number])
        for number in self._inner:
            self._registers[number, encoder.kinds[number]] = self._instruction(number)
        kinds = [encoder.given_kind(root) for root in self._given]
        return CorePlan(
            writer.to_bytes([self._register(*each) for each in zip(self._given, kinds, strict=True)]),
            tuple(number for number, _ in outer),
            tuple(kind for _, kind in outer),
            tuple(self._given),
            tuple(kinds),
            tuple(encoder.widths[root] for root in self._given),
            encoder.words,
            nanoseconds_of_a_row(encoder.encoded[number] for number in self._inner),
        )

    def _taken(self) -> Terms:
        """The columns of other nodes that instructions take, with the kinds in which they come."""
        wanted = [each for number in self._inner for each in self._terms(number)]
        wanted += [(passed, self._encoder.kinds[number]) for number in self._inner for passed in self._passed(number)]
        others = [each for each in dict.fromkeys(wanted) if each[0] not in self._carried]
        return list(dict.fromkeys((number, self._taken_kind(number, kind)) for number, kind in others))

    def _taken_kind(self, number: int, kind: str) -> str:
        dtype = self._nodes[number].dtype
        return "s" if dtype == "str" and (kind == "s" or self._whole_text(number)) else KINDS[dtype]

    def _whole_text(self, number: int) -> bool:
        return self._whole and self._nodes[number].operation == "input"

    def _short_dots(self) -> dict[int, tuple[Encoded, Terms]]:
        """The sums of products, by node, in which codes are looked up."""
        dots = [number for number in self._carried if self._nodes[number].operation == "dot"]
        found = {number: dot_of_codes(self._encoder.plan, number, self._carried) for number in dots}
        return {number: short for number, short in found.items() if short is not None}

    def _without_columns_of_codes(self) -> list[int]:
        """The nodes to write: without columns of 0 and 1 that nothing takes any more, which refuse no row."""
        inner = [number for number in self._encoder.needed if number in self._carried]
        if not self._short:
            return inner
        kept, taken = [], set(self._given)
        for number in reversed(inner):
            if number in taken or self._nodes[number].operation not in ("to_float", "equal_int"):
                kept.append(number)
                taken |= {each for each, _ in self._terms(number)} | self._passed(number)
        return kept[::-1]

    def _terms(self, number: int) -> Terms:
        """The columns that a node's instruction takes, with their kinds."""
        return self._short[number][1] if number in self._short else self._encoder.wanted(number)

    def _passed(self, number: int) -> set[int]:
        """The first input of a node that is this one, checked."""
        return {self._nodes[number].inputs[0]} if self._passes(number) else set()

    def _passes(self, number: int) -> bool:
        return number not in self._tables and self._encoder.passes(number)

    def _width(self, number: int, kind: str) -> int:
        return 1 if kind == "s" else self._encoder.widths[number]

    def _register(self, number: int, kind: str) -> int:
        """A node's register of this kind, made from one of another kind where there is none."""
        known = self._registers.get((number, kind))
        if known is not None:
            return known
        own = self._encoder.kinds.get(number, KINDS[self._nodes[number].dtype])
        if (number, "s") in self._registers:
            own = "s"
        words = self._word_index if own in "st" else []
        register = self._writer.register(kind, self._width(number, kind))
        self._writer.instruction(Encoded(CASTS[own, kind], (), words), [self._registers[number, own]], register)
        self._registers[number, kind] = register
        return register

    @cached_property
    def _word_index(self) -> list[NDArray[np.generic]]:
        return word_index(self._encoder.words.words)

    def _instruction(self, number: int) -> int:
        encoder, short = self._encoder, self._short.get(number)
        encoded, kind = encoder.encoded[number] if short is None else short[0], encoder.kinds[number]
        inputs = [self._register(*each) for each in self._terms(number)]
        if self._passes(number):  # the value itself: only refused rows are news
            check = encoded.operation, tuple(inputs)
            if encoded.operation and (encoded.ints or encoded.arrays or check not in self._checks):
                self._writer.instruction(encoded, inputs, None)
                self._checks.add(check)
            return self._register(self._nodes[number].inputs[0], kind)
        output = self._writer.register(kind, self._width(number, kind))
        self._writer.instruction(encoded, inputs, output)
        return output

    def _constant(self, node: Node) -> int:
        value, kind, register = node.settings["value"], KINDS[node.dtype], self._writer.register
        if kind == "t":
            return register("t", self._encoder.words.size, self._encoder.words.number(value))
        if kind == "d":
            number = math.nan if value is None else float(value)
            return register("d", 1, struct.unpack("<Q", struct.pack("<d", number))[0])
        return register(kind, 1, int(value) % 2**64)
