"""The categories that a column of a plan can hold, in the order in which the step before learnt them.

A look-up such as that of `MatchCategories` knows them. Some libraries do not: they store a category's number only.
"""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiler.builder import Value


def known_words(value: Value) -> tuple[Any, ...]:
    """The categories of a column, () where they are not known or it has none."""
    noted = value.build.known_words
    if value.node in noted:
        return noted[value.node]
    node = value.build.nodes[value.node]
    if node.operation not in ("lookup", "lookup_number") or node.settings["mode"] == "keep":
        return ()
    return tuple(node.settings["values"]) if node.settings["unseen"] is None else ()


def note_words(values: Sequence[Value], data: Any) -> None:
    """Note what columns a library gets as categories, such as raw ones, and which categories; others have none.

    A look-up that gives numbers, and a missing one for unseen values, is no column of categories.
    """
    dtypes = list(getattr(data, "dtypes", ()))
    dtypes = dtypes if len(dtypes) == len(values) else [None] * len(values)
    for value, dtype in zip(values, dtypes, strict=True):
        value.build.known_words[value.node] = tuple(getattr(dtype, "categories", ()))
