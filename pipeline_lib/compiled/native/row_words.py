"""The core's plan of one row, in which what depends on the word of one raw text is a table by word.

    raw text --- look-up --- is missing --- where --- times --- plus ---+--- other columns      nodes of the plan
    raw text --- table by word -----------------------------------------+--- other columns      as the core runs them

The core itself makes the tables, once many rows have come: it runs these nodes for each word of the plan.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline_lib.compiled.native.core import load_plan
from pipeline_lib.compiled.native.core_plan import CorePlan, Tables, write
from pipeline_lib.compiled.native.encode import Encoder
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.text_groups import TextGroup, text_groups
from pipeline_lib.compiled.plan import Plan

_MOST_WORDS = 1 << 14  # that the core runs for all tables: some milliseconds
_TABLES = {"d": ("word_float", np.float64), "i": ("word_int", np.int64), "b": ("word_bool", np.uint8)}


def encode_row(plan: Plan, roots: Sequence[int]) -> CorePlan | None:
    """As `encode`, with tables by word; None without."""
    encoder = Encoder(plan, list(dict.fromkeys(roots)))
    carried = encoder.without_ancestors(set(encoder.encoded))
    if not carried:
        return None
    given = [root for root in encoder.roots if root in carried]
    own = [number for number in encoder.needed if number in carried]
    left = [number for number in encoder.needed if number not in carried]
    if any(plan.nodes[number].operation not in ("input", "constant") for number in left):
        return None  # the core runs no single row of it
    short = [group for group in text_groups(encoder, own, given)[0] if not group.texts]
    tables: dict[int, tuple[Encoded, list[tuple[int, str]]]] = {}
    if len(short) * encoder.words.size <= _MOST_WORDS:
        for group in short:
            tables |= _tables(encoder, group)
    return write(encoder, _left(encoder, carried, given, tables), given, tables=tables) if tables else None


def _left(encoder: Encoder, carried: set[int], given: Sequence[int], tables: Tables) -> set[int]:
    """The nodes of `carried` that are still needed."""
    wanted = set(given)
    for number in sorted(carried, reverse=True):
        if number in wanted and number not in tables:
            wanted.update(encoder.plan.nodes[number].inputs)
    return wanted & carried


def _tables(encoder: Encoder, group: TextGroup) -> dict[int, tuple[Encoded, list[tuple[int, str]]]]:
    """What the nodes that a group gives are for each word; none where the core does not read its plan."""
    core = write(encoder, frozenset(group.nodes), group.given)
    native = load_plan(core.data)
    if native is None:
        return {}
    names = [encoder.plan.nodes[node].settings["column"] for node in core.taken]
    readers = [(name, ord("t"), 1, 0, -math.inf, 0, math.inf, 0, 0, 2**63 - 1, None, ()) for name in names]
    native.reads(readers, core.words.words, [None] * len(core.given))
    other = max(core.words.words, key=len, default="") + "x"  # what is longer is no word
    rows: list[Mapping[str, str | None]] = [dict.fromkeys(names, word) for word in (*core.words.words, other, None)]
    results = [native.row(row) or None for row in rows]
    refused = [np.array([result is None for result in results], dtype=np.uint8)]
    tables = {}
    for at, (node, kind) in enumerate(zip(core.given, core.kinds, strict=True)):
        operation, dtype = _TABLES[kind]
        values = np.array([0 if result is None else result[at] for result in results], dtype=dtype)
        checks = refused if at == 0 and refused[0].any() else []
        tables[node] = (Encoded(operation, (), [values, *checks]), [(core.taken[0], "t")])
    return tables
