"""A plan: which operation makes which column from which others, from raw columns to predictions. It is data."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

_SINGLE = ("float64", "int64", "bool", "str", "datetime")
DTYPES = (*_SINGLE, "vector", "bag", *(f"{dtype}[]" for dtype in _SINGLE))  # [] of child rows
Scalar = float | int | bool | str


@dataclass(frozen=True)
class Node:
    """One operation of a plan: what it is, the nodes it takes, its settings, the dtype of what it makes."""

    operation: str
    inputs: tuple[int, ...]
    settings: dict[str, Any]
    dtype: str


@dataclass(frozen=True)
class Table:
    """A raw table that a plan reads: its name, and, where a pipeline needs them, key, time and earlier rows.

    `key` names the column by which rows belong together, `time` the one that orders them, and `context` is
    how many earlier rows of a key a row needs. A plan over one frame has one table, `rows`, without them.
    `every` is the step of time from row to row (microseconds; of integers, units), `feeds` the column that holds
    in the next row what was predicted.
    """

    name: str = "rows"
    key: str | None = None
    time: str | None = None
    context: int = 0
    every: int | None = None
    feeds: str | None = None


@dataclass
class Plan:
    """Nodes in an order in which each comes after what it takes, the tables they read, and named results.

    `steps` are each step's columns by name, `outputs` the predictions' (`prediction`, `probability[label]`,
    `decision[label]`); `classes` are a classifier's labels, in the order of its probabilities.
    """

    nodes: list[Node]
    outputs: dict[str, int]
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: tuple[Table, ...] = (Table(),)
    classes: tuple[Scalar, ...] = ()

    @property
    def context(self) -> int:
        """How many earlier rows each row needs."""
        return max(table.context for table in self.tables)

    def needed(self, roots: Iterable[int]) -> list[int]:
        """The nodes that `roots` rest upon, in order."""
        wanted = set(roots)
        for place in range(len(self.nodes) - 1, -1, -1):
            if place in wanted:
                wanted.update(self.nodes[place].inputs)
        return sorted(wanted)

    def hiding(self, sensitive: Collection[str]) -> "Plan":
        """The plan whose refusals show no value that rests upon these raw columns."""
        if not sensitive:
            return self
        nodes, hidden = list(self.nodes), set[int]()
        for place, node in enumerate(nodes):
            if node.settings.get("column") in sensitive or not hidden.isdisjoint(node.inputs):
                hidden.add(place)
                if "where" in node.settings:
                    nodes[place] = replace(node, settings={**node.settings, "hidden": True})
        return replace(self, nodes=nodes)

    def columns_read(self, roots: Iterable[int]) -> list[str]:
        """Names of the raw columns that `roots` rest upon."""
        nodes = (self.nodes[place] for place in self.needed(roots))
        return [node.settings["column"] for node in nodes if node.operation == "input"]
