"""Paths through a function of one row's values: each branch on a value splits the path, the results join in `where`.

    def grade(x):                         x < 0
        if x < 0:                        /     \\
            return "low"             "low"    x > 9
        return "high" if x > 9 else "mid"     /    \\
                                          "high"  "mid"

The function runs once for each path. A path that raises an error refuses the rows that take it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError, refuse

MOST_PATHS = 128


@dataclass
class Scope:
    """The branches of one run: those that the script prescribes, then the first way at each new one."""

    script: list[bool]
    taken: list[tuple[Value, bool]] = field(default_factory=list)
    known: dict[int, bool] = field(default_factory=dict)

    def decide(self, condition: Value) -> bool:
        """Which way to take at a branch on a condition."""
        if condition.node not in self.known:
            number = len(self.taken)
            way = self.script[number] if number < len(self.script) else True
            self.taken.append((condition, way))
            self.known[condition.node] = way
        return self.known[condition.node]


@dataclass
class Leaf:
    """The end of a path: what the function returned, or the error that it raised."""

    result: Any = None
    error: Exception | None = None


@dataclass
class Branch:
    """A condition, and what follows on either side."""

    condition: Value
    then: "Branch | Leaf"
    other: "Branch | Leaf"


def constant_condition(build: Builder, condition: Value) -> bool | None:
    """The truth of a condition that known bounds decide; None for one that rows decide."""
    node = build.nodes[condition.node]
    return bool(node.settings["value"]) if node.operation == "constant" else None


def explore(recording: Recording, run: Callable[[], Any]) -> Branch | Leaf:
    """Run a function once for each path through it."""
    outer, leaves, script = recording.scope, [], list[bool]()
    try:
        while True:
            scope = recording.scope = Scope(script)
            try:
                leaf = Leaf(run())
            except TraceRefusedError:
                raise
            except Exception as error:  # own code refuses the row
                if recording.refusal is not None:
                    raise recording.refusal from None
                leaf = Leaf(error=error)
            leaves.append((scope.taken, leaf))
            if len(leaves) > MOST_PATHS:
                refuse(
                    f"a function of one row's values with more than {MOST_PATHS} paths",
                    "the plan would hold each of them",
                    "look the values up in a dict: column.map(dict)",
                )
            script = [way for _, way in scope.taken]
            while script and not script[-1]:
                script.pop()
            if not script:
                return _tree(leaves, 0)
            script[-1] = False
    finally:
        recording.scope = outer


def _tree(leaves: list[tuple[list[tuple[Value, bool]], Leaf]], depth: int) -> Branch | Leaf:
    taken, leaf = leaves[0]
    if len(taken) == depth:
        return leaf
    condition = taken[depth][0]
    sides = [[each for each in leaves if each[0][depth][1] is way] for way in (True, False)]
    return Branch(condition, _tree(sides[0], depth + 1), _tree(sides[1], depth + 1))


def leaves_of(tree: Branch | Leaf) -> list[Leaf]:
    """The ends of all paths."""
    return [tree] if isinstance(tree, Leaf) else [*leaves_of(tree.then), *leaves_of(tree.other)]


def refused_when(build: Builder, tree: Branch | Leaf) -> Value:
    """The condition under which a row's path raises an error."""
    if isinstance(tree, Leaf):
        return build.value(tree.error is not None)
    then, other = refused_when(build, tree.then), refused_when(build, tree.other)
    if then.node == other.node:
        return then
    return build.where(tree.condition, then, other)
