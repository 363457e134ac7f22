"""Which rows of the input a recorded object has, and under which labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.compiler.builder import Value


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a recorded object has: all of the input's, or those in which a condition holds.

    `index` names the labels: "input", or "range" after `reset_index`, of some rows "range of" their condition. `masks`
    are the rows by shadow.
    """

    index: str = "input"
    condition: Value | None = None
    masks: Sequence[Any] = ()

    def same(self, other: "Rows", *, by_position: bool = False) -> bool:
        """Whether two objects have the same rows, in one order and, unless `by_position`, under the same labels."""
        first, second = (None if each.condition is None else each.condition.node for each in (self, other))
        return first == second and (by_position or self.index == other.index)
