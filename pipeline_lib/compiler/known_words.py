"""The categories that a column of a plan can hold, in the order in which the step before learnt them.

A look-up such as that of `MatchCategories` knows them. Some libraries do not: they store a category's number only.
"""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiler.builder import Value


def known_words(value: Value) -> tuple[Any, ...]:
    """The categories of a column, () where they are not known."""
    noted: tuple[Any, ...] = value.build.known_words.get(value.node, ())
    node = value.build.nodes[value.node]
    if noted or node.operation not in ("lookup", "lookup_number") or node.settings["mode"] == "keep":
        return noted
    return tuple(node.settings["values"]) if node.settings["unseen"] is None else ()


def note_words(values: Sequence[Value], data: Any) -> None:
    """Note the categories of the columns that a library gets as categories, such as raw ones."""
    dtypes = list(getattr(data, "dtypes", ()))
    if len(dtypes) == len(values):
        for value, dtype in zip(values, dtypes, strict=True):
            if hasattr(dtype, "categories"):
                value.build.known_words[value.node] = tuple(dtype.categories)
