"""A plan: which operation makes which column from which others, from raw columns to predictions. It is data."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

_SINGLE = ("float64", "int64", "bool", "str", "datetime", "duration")
DTYPES = (*_SINGLE, "vector", "bag", *(f"{dtype}[]" for dtype in _SINGLE))
"""The dtypes of columns: `bag` is a sparse vector, `float64[]` a list of the values of child rows."""
Scalar = float | int | bool | str


@dataclass(frozen=True)
class Node:
    """One operation of a plan: its name, the numbers of the nodes it takes, its settings, the dtype of its result."""

    operation: str
    inputs: tuple[int, ...]
    settings: dict[str, Any]
    dtype: str


@dataclass(frozen=True)
class RawTable:
    """A raw table that a plan reads; over one frame it is named `rows`.

    `key` is the column by which child rows belong to main rows, `time` the one that orders rows, `context` how many
    earlier rows each row needs. `every` is the step of time from row to row (microseconds; of integers, units),
    `feeds` the column that holds in the next row what was predicted. The order of the fields is that in artifacts.
    """

    name: str = "rows"
    key: str | None = None
    time: str | None = None
    context: int = 0
    every: int | None = None
    feeds: str | None = None


@dataclass
class Plan:
    """Nodes, each after those it takes, the raw tables they read, and the results by name.

    `steps` are each step's columns by name, `outputs` the predictions' (`prediction`, `probability[label]`,
    `decision[label]`, with the number of the target before it where there are several); `classes` are a classifier's
    labels, in the order of its probabilities, or a tuple of them for each of several targets.
    """

    nodes: list[Node]
    outputs: dict[str, int]
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: tuple[RawTable, ...] = (RawTable(),)
    classes: tuple[Scalar | tuple[Scalar, ...], ...] = ()

    @property
    def context(self) -> int:
        """How many earlier rows each row needs."""
        return max(table.context for table in self.tables)

    def needed(self, roots: Iterable[int]) -> list[int]:
        """The numbers of `roots` and of the nodes they depend on, in order."""
        wanted = set(roots)
        for number in range(len(self.nodes) - 1, -1, -1):
            if number in wanted:
                wanted.update(self.nodes[number].inputs)
        return sorted(wanted)

    def hiding(self, sensitive: Collection[str]) -> "Plan":
        """The plan whose refusals show no value that depends on these raw columns."""
        if not sensitive:
            return self
        nodes, hidden = list(self.nodes), set[int]()
        for number, node in enumerate(nodes):
            if node.settings.get("column") in sensitive or not hidden.isdisjoint(node.inputs):
                hidden.add(number)
                if "where" in node.settings or node.operation == "opaque":
                    nodes[number] = replace(node, settings={**node.settings, "hidden": True})
        return replace(self, nodes=nodes)

    def columns_read(self, roots: Iterable[int]) -> list[str]:
        """Names of the raw columns that `roots` depend on."""
        nodes = (self.nodes[number] for number in self.needed(roots))
        return [node.settings["column"] for node in nodes if node.operation == "input"]

    def own_values(self) -> dict[str, list[Scalar]]:
        """Keys of look-ups and constants in the operations that depend on one raw column alone, by that column."""
        read: list[set[str] | None] = []  # by node, the raw column that it depends on, or none; None for several
        values: dict[str, list[Scalar]] = {}
        for node in self.nodes:
            parts = [read[number] for number in node.inputs]
            whole = set[str]().union(*(part for part in parts if part is not None))
            if node.operation == "input":
                whole = {node.settings["column"]}
            read.append(None if None in parts or len(whole) > 1 else whole)
            if read[-1]:
                own = values.setdefault(next(iter(whole)), [])
                own += node.settings.get("keys", ())
                constants = (self.nodes[number] for number in node.inputs)
                own += [constant.settings["value"] for constant in constants if constant.operation == "constant"]
        return {column: list(dict.fromkeys(own)) for column, own in values.items()}
