"""From a plan to the core: which nodes it can carry, as which of its operations, and with which kinds of columns.

`segments` says which of them run in the core where NumPy has to carry others in between; `core_plan` writes the bytes
that the core reads.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.native.core import operations
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.encoders import ENCODERS
from pipeline_lib.compiled.native.lookup_layout import (
    encode_choose,
    encode_lookup,
    encode_lookup_number,
    encode_lookup_text,
    encode_missing_text,
)
from pipeline_lib.compiled.native.row_lookup_layout import encode_lookup_rows
from pipeline_lib.compiled.native.words import WordTable, texts_of
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Node, Plan

KINDS = {
    "float64": "d",
    "int64": "i",
    "datetime": "i",
    "duration": "i",
    "bool": "b",
    "str": "t",
    "vector": "v",
    "bag": "g",
}
CASTS = {
    ("s", "t"): "word_of_text",
    ("t", "s"): "text_of_word",
    ("d", "g"): "bag_of_number",
    ("v", "g"): "bag_of_vector",
}
"""Operations that make another kind of register of a column."""
_PLAIN = (
    *("add", "subtract", "multiply", "divide", "smaller", "larger", "negative", "absolute", "sqrt", "rint", "floor"),
    *("ceil", "trunc", "round32", "less", "less_equal", "equal", "less_int", "less_equal_int", "equal_int", "and"),
    *("or", "logical_xor", "not", "add_int", "subtract_int", "multiply_int", "floor_divide_int", "remainder_int"),
    *("truncate_int", "finite", "not_infinite", "date_less", "date_less_equal"),
)
_OF_TEXTS = {"where": "where_text", "is_missing": "no_text", "text_equal": "same_text"}
_THROUGH = ("where", "allow_ulps")
"""Operations that give what they take."""
_BY_WORD = ("lookup_number", "lookup_rows", "text_equal", "is_missing")
"""Operations that are content with the number of a text among the words of a plan."""
_CHECKS = ("demand", "finite", "not_infinite", "single_range", "bag_finite")
_WIDEST = 1 << 20  # numbers of a vector, as native/plan.c has it
_MOST_CELLS = 1 << 23  # of all tables by word: 64 MiB


class Encoder:
    """A plan's nodes as operations of the core: `encoded` by number, for those that it can carry."""

    def __init__(self, plan: Plan, roots: list[int]) -> None:
        self.plan, self.roots = plan, roots
        self.needed = plan.needed(roots)
        nodes = plan.nodes
        self.words = WordTable(text for number in self.needed for text in _texts(nodes[number]))
        self.widths: dict[int, int] = {}
        self.encoded: dict[int, Encoded] = {}
        self.kinds: dict[int, str] = {}  # of the registers of nodes that the core evaluates
        self.readable = _are_utf8(self.words.words)
        self.cells = 0  # of tables by word
        self.any_word: set[int] = set()  # nodes whose text may be one that the plan does not name
        self._whole = self._wanted_whole()  # nodes whose text, not its number, an operation takes
        self._encode_all()

    def _wanted_whole(self) -> set[int]:
        nodes, whole = self.plan.nodes, set(self.roots)
        for number in reversed(self.needed):
            node = nodes[number]
            if node.operation in (*_THROUGH, *_CHECKS):
                takes_text = number in whole
            elif node.operation == "lookup":
                takes_text = number in whole and node.settings["mode"] == "keep"
            else:
                takes_text = node.operation not in _BY_WORD
            if takes_text:
                whole.update(taken for taken in node.inputs if nodes[taken].dtype == "str")
        return whole

    def _encode_all(self) -> None:
        for number in self.needed:
            node = self.plan.nodes[number]
            self.widths[number] = self._width(node)
            if node.dtype == "str" and node.operation not in ("constant", "choose", "lookup_number", "lookup_rows"):
                self.any_word.add(number)
            if node.operation in ("input", "constant"):
                continue
            encoded = self._of_texts(number, node, self._encode(node))
            if encoded is not None and self._is_known(number, node, encoded):
                self.encoded[number] = encoded
                self.kinds[number] = self._kind(number, node, encoded)
            self._settle_words(number, node)

    def without_texts(self, carried: set[int]) -> set[int]:
        """`carried` without texts that NumPy takes, or that are roots, and that may be words without a number.

        NumPy evaluates these from the raw column, once for each word. Roots stay that the core has as texts.
        """
        lost = {root for root in self.any_word & set(self.roots) if self.kinds.get(root) != "s"}
        nodes, kept = self.plan.nodes, carried - lost
        for number in reversed(self.needed):
            if number not in kept:
                kept -= self.any_word.intersection(nodes[number].inputs)
        return self.without_bags(kept)

    def given_kind(self, number: int) -> str:
        """The kind in which a node's column leaves the core: text only where its number would not do."""
        dtype = self.plan.nodes[number].dtype
        return "s" if self.kinds[number] == "s" and number in self.any_word else KINDS[dtype]

    def without_ancestors(self, carried: set[int]) -> set[int]:
        """`carried` without everything that nodes depend on that are not: NumPy's part comes first."""
        nodes, kept = self.plan.nodes, self.without_texts(carried)
        for number in reversed(self.needed):
            if number not in kept:
                kept.difference_update(nodes[number].inputs)
        without = self.without_bags(kept)
        return kept if without == kept else self.without_ancestors(without)

    def without_bags(self, carried: set[int]) -> set[int]:
        """`carried` without sparse vectors that NumPy makes or takes, or that are roots: they stay in the core."""
        kept = carried - {root for root in self.roots if self.plan.nodes[root].dtype == "bag"}
        before = None
        while kept != before:
            before = set(kept)
            for number in self.needed:
                bags = self._bags(self.plan.nodes[number])
                if not bags <= kept:
                    kept.discard(number)
                if number not in kept:
                    kept -= bags
        return kept

    def _is_known(self, number: int, node: Node, encoded: Encoded) -> bool:
        """Whether the core has the operation, and gets the kinds of columns that it takes."""
        if encoded.operation == "":
            return True
        if encoded.operation not in operations() or not all(taken in self.kinds for taken in self._bags(node)):
            return False
        if node.dtype in ("vector", "bag") and not 0 < self._width(node) <= _WIDEST:
            return False
        return all(self._becomes(taken, kind) for taken, kind in self._inputs(number, node, encoded))

    def _becomes(self, number: int, kind: str) -> bool:
        """Whether a node's column is one of this kind, or can be made one."""
        own = self.kinds.get(number, KINDS[self.plan.nodes[number].dtype])
        if own == kind:
            return True
        is_text = (own, kind) == ("t", "s") and number in self.kinds
        return (own, kind) in CASTS and not (is_text and number in self.any_word)

    def _bags(self, node: Node) -> set[int]:
        """The inputs that are sparse vectors: the core takes none from NumPy."""
        return {number for number in node.inputs if self.plan.nodes[number].dtype == "bag"}

    def wanted(self, number: int) -> list[tuple[int, str]]:
        """The inputs of the instruction of a node that the core can carry, with the kinds that it takes."""
        return self._inputs(number, self.plan.nodes[number], self.encoded[number])

    def passes(self, number: int) -> bool:
        """Whether a node is its first input, checked."""
        return self.encoded[number].operation == "" or self.plan.nodes[number].operation in _CHECKS

    def _inputs(self, number: int, node: Node, encoded: Encoded) -> list[tuple[int, str]]:
        inputs = node.inputs[-1:] if node.operation in _CHECKS else node.inputs
        if encoded.operation == "":
            return [(inputs[0], self._kind(number, node, encoded))]
        kinds = operations()[encoded.operation][1].split(":")[0].rstrip("+")
        own = [KINDS[self.plan.nodes[taken].dtype] for taken in inputs]
        wanted = kinds.ljust(len(inputs), kinds[-1:] or "-")
        return [(taken, own[at] if wanted[at] == "*" else wanted[at]) for at, taken in enumerate(inputs)]

    def _kind(self, number: int, node: Node, encoded: Encoded) -> str:
        """The kind of a node's register."""
        if encoded.operation == "" or node.operation in _CHECKS:
            first = node.inputs[0]
            raw = first in self.any_word and first not in self.kinds  # which comes as what is asked for
            return "s" if raw and number in self._whole else self.kinds.get(first, KINDS[node.dtype])
        return operations()[encoded.operation][1].split(":")[1]

    def _settle_words(self, number: int, node: Node) -> None:
        """Whether a node's text may be any word."""
        if node.operation == "lookup" and node.settings["mode"] != "keep":
            self.any_word.discard(number)
        if node.operation == "where" and not self.any_word & set(node.inputs[1:]):
            self.any_word.discard(number)

    def _width(self, node: Node) -> int:
        """How many numbers a row of a node has: of a vector, or the words of a text column."""
        if node.dtype == "str":
            return self.words.size
        if node.operation in ("input", "constant") or node.dtype not in ("vector", "bag"):
            return 1
        return int(OPERATIONS[node.operation].width(node.settings, [self.widths[taken] for taken in node.inputs]))

    def _encode(self, node: Node) -> Encoded | None:
        dtypes = [self.plan.nodes[taken].dtype for taken in node.inputs]
        widths = [self.widths[taken] for taken in node.inputs]
        name, settings, kinds = node.operation, node.settings, [KINDS.get(dtype) for dtype in dtypes]
        if None in kinds or node.dtype not in KINDS or not self.readable:
            return None
        if name in ENCODERS:
            return ENCODERS[name](settings, dtypes, widths)
        if name in _PLAIN or name == "demand":
            return Encoded(name)
        if name == "single_range":
            return Encoded("single_range_or_missing" if settings["missing"] else "single_range")
        if name == "allow_ulps":
            return Encoded("")
        if name == "to_float":
            return Encoded("bool_to_float" if dtypes[0] == "bool" else "int_to_float")
        if name == "to_int":
            return Encoded("bool_to_int")
        if name == "is_missing":
            return (
                encode_missing_text(self.words)
                if kinds[0] == "t"
                else Encoded(f"is_na{'n' if kinds[0] == 'd' else 't'}")
            )
        if name == "where":
            result = {"d": "where_float", "i": "where_int", "b": "where_bool", "t": "where_word"}.get(KINDS[node.dtype])
            return Encoded(result) if result and kinds[1] == kinds[2] else None
        if name == "search":
            edges = np.asarray(settings["edges"], dtype=np.float64)
            return Encoded("search", (int(settings["side"] == "right"),), [edges])
        return self._encode_text(node, dtypes)

    def _of_texts(self, number: int, node: Node, encoded: Encoded | None) -> Encoded | None:
        """The operation that takes texts themselves, where the one that takes numbers of words would not do."""
        own = [taken for taken in node.inputs if self.plan.nodes[taken].dtype == "str"]
        if node.operation == "lookup" and number in self._whole and self._keeps(node):
            return encode_lookup_text(node.settings)
        if encoded is None or node.operation not in _OF_TEXTS or not own:
            return encoded
        whole = node.operation == "where" and number in self._whole and bool(self.any_word & set(own))
        unnamed = node.operation == "text_equal" and set(own) <= self.any_word  # two that the plan does not name
        text = any(self.kinds.get(taken) == "s" for taken in own)
        if (whole or unnamed or text) and all(self._becomes(taken, "s") for taken in own):
            return Encoded(_OF_TEXTS[node.operation])
        return None if unnamed else encoded

    def _keeps(self, node: Node) -> bool:
        """Whether a look-up keeps texts without a key, of which it may get any."""
        taken = node.inputs[0]
        return node.settings["mode"] == "keep" and taken in self.any_word and self._becomes(taken, "s")

    def _encode_text(self, node: Node, dtypes: Sequence[str]) -> Encoded | None:
        name, settings = node.operation, node.settings
        if name == "lookup":
            return encode_lookup(settings, self.words) if self._fits(settings) else None
        if name == "lookup_number":
            return encode_lookup_number(settings, dtypes[0], self.words)
        if name == "lookup_rows":
            texts = dtypes.count("str")
            return encode_lookup_rows(settings, dtypes, self.words) if self._fits(settings, texts) else None
        if name == "choose":
            return encode_choose(settings, self.words)
        return Encoded("text_equal") if name == "text_equal" else None

    def _fits(self, settings: dict[str, Any], tables: int = 1) -> bool:
        """Whether there is room for more tables by word."""
        self.cells += self.words.size * tables
        return self.cells <= _MOST_CELLS


def _are_utf8(texts: Sequence[str]) -> bool:
    """Whether the core can hold these texts: half of a surrogate pair has no UTF-8."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(node: Node) -> list[str]:
    """The texts that a node's settings name."""
    settings = node.settings
    if node.operation == "constant":
        return texts_of([settings["value"]])
    if node.operation not in ("lookup", "lookup_number", "lookup_rows", "choose"):
        return []
    if node.operation == "lookup_rows":
        return texts_of(
            [*(value for key in settings["keys"] for value in key), *settings["values"], settings["unseen"]]
        )
    found = [*settings["values"], settings.get("missing"), settings.get("unseen")]
    return texts_of([*(settings.get("keys", ()) if node.operation == "lookup" else ()), *found])
