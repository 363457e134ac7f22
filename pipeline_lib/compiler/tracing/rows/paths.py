"""Paths through a function of one row's values: each branch on a value splits the path, the results join in `where`.

    def grade(x):                         x < 0
        if x < 0:                        /     \\
            return "low"             "low"    x > 9
        return "high" if x > 9 else "mid"     /    \\
                                          "high"  "mid"

The function runs once for each path. A path that raises an error refuses the rows that take it. What Python itself
raises for some values (`1 / x`, `int(text)`, `words[1]`) is such a branch, too, so that own code may catch it. A guard
is another thing: a row whose result a plan cannot hold, such as an integer beyond 64 bits, is refused without one.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recorded import recorded_in
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.errors import InputError

MOST_PATHS = 128
"""Paths that return a result: each of them is part of the plan."""
MOST_RUNS = 1024
"""Paths with those that raise an error."""
MOST_BRANCHES = 250
"""Branches of one path; a loop that a row's value ends would go on for ever."""

MARK = "\ue000"
"""The marks before and after the number of a row's value in a formatted text, while a function runs."""
GUARD = "a row whose integers stay within 64 bits, and within 2**53 beside floats, without complex numbers"
"""What is expected of the rows that a guard refuses."""


@dataclass
class Scope:
    """The branches of one run: those that the script prescribes, then the first way at each new one."""

    recording: Recording
    script: Sequence[bool] = ()
    taken: list[tuple[Value, bool]] = field(default_factory=list)
    known: dict[int, bool] = field(default_factory=dict)
    guards: list[Value] = field(default_factory=list)
    formatted: list[Any] = field(default_factory=list)

    @property
    def build(self) -> Builder:
        """The builder of the plan."""
        return self.recording.build

    def decide(self, condition: Value) -> bool:
        """Which way to take at a branch on a condition."""
        condition, negated = positive(self.build, condition)
        constant = constant_condition(self.build, condition)
        if constant is not None:
            return constant is not negated
        if condition.node not in self.known:
            number = len(self.taken)
            if number >= MOST_BRANCHES:
                self._refuse_loop()
            way = self.script[number] if number < len(self.script) else True
            self.taken.append((condition, way))
            self.known[condition.node] = way
        return self.known[condition.node] is not negated

    def _refuse_loop(self) -> NoReturn:
        try:
            refuse(
                f"a function of one row's values with more than {MOST_BRANCHES} branches in a row",
                "a loop that a row's value ends has no fixed number of paths",
                "write it without the loop, or loop over constants",
            )
        except InputError as error:
            self.recording.refused(error)

    def guard(self, condition: Value) -> None:
        """Refuse the rows of this path that meet a condition."""
        if constant_condition(self.build, condition) is not False:
            self.guards.append(condition)


@dataclass
class Leaf:
    """The end of a path: what the function returned, or the error that it raised."""

    result: Any = None
    error: Exception | None = None
    guards: Sequence[Value] = ()


@dataclass
class Branch:
    """A condition, and what follows on either side."""

    condition: Value
    then: "Branch | Leaf"
    other: "Branch | Leaf"


Tree = Branch | Leaf


def positive(build: Builder, condition: Value) -> tuple[Value, bool]:
    """A condition without the `not` before it, and whether there was one: both are decided as one."""
    negated = False
    while build.nodes[condition.node].operation == "not":
        number = build.nodes[condition.node].inputs[0]
        condition, negated = Value(build, number, "bool", 1.0), not negated
    return condition, negated


def constant_condition(build: Builder, condition: Value) -> bool | None:
    """The truth of a condition that known bounds decide; None for one that rows decide."""
    node = build.nodes[condition.node]
    return bool(node.settings["value"]) if node.operation == "constant" else None


def explore(recording: Recording, run: Callable[[], Any]) -> Tree:
    """Run a function once for each path through it. Raises TraceRefusedError for too many of them."""
    outer = recording.scope
    leaves: list[tuple[list[tuple[Value, bool]], Leaf]] = []
    script: list[bool] = []
    answered = 0
    try:
        while True:
            scope = recording.scope = Scope(recording, script)
            leaf = _leaf(recording, run)
            leaf.guards = tuple(scope.guards)
            leaves.append((scope.taken, leaf))
            answered += leaf.error is None
            if answered > MOST_PATHS or len(leaves) > MOST_RUNS:
                refuse(
                    f"a function of one row's values with more than {MOST_PATHS} paths",
                    "the plan would hold each of them",
                    "look values up in a dict, column.map(dict), or count with methods of columns",
                )
            script = [way for _, way in scope.taken]
            while script and not script[-1]:
                script.pop()
            if not script:
                return _tree(leaves, 0)
            script[-1] = False
    finally:
        recording.scope = outer


def _leaf(recording: Recording, run: Callable[[], Any]) -> Leaf:
    """One run of the function: its result, or the error by which own code refuses the row."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = run()
    except InputError as error:  # a refusal of the recorder
        recording.refused(error)
    except RecursionError:
        refuse("a recursion that a row's value ends", "it has no fixed number of paths", "loop over constants")
    except Exception as error:
        if recording.refusal is not None:
            raise recording.refusal from None
        message = error_message(error)
        if "Recorded" in message:  # Python's own function got a stand-in where it needs the value
            refuse(
                f"a row's value given to a function that the recorder does not know ({message[:200]})",
                "what it does with the value cannot be read",
                "write it with operators and methods of the value",
            )
        return Leaf(error=error)
    if recording.refusal is not None:  # own code has caught it
        raise recording.refusal
    return Leaf(result)


def error_message(error: Exception | None) -> str:
    """An error's type and text; without a row's value, which own code or a dict may have raised."""
    parts = [each for each in getattr(error, "args", ()) if not recorded_in(each)]
    return ": ".join([type(error).__name__, *map(str, parts)])


def _tree(leaves: list[tuple[list[tuple[Value, bool]], Leaf]], depth: int) -> Tree:
    taken, leaf = leaves[0]
    if len(taken) == depth:
        return leaf
    condition = taken[depth][0]
    sides = [[each for each in leaves if each[0][depth][1] is way] for way in (True, False)]
    return Branch(condition, _tree(sides[0], depth + 1), _tree(sides[1], depth + 1))


def leaves_of(tree: Tree) -> list[Leaf]:
    """The ends of all paths."""
    return [tree] if isinstance(tree, Leaf) else [*leaves_of(tree.then), *leaves_of(tree.other)]


def where_leaf(build: Builder, tree: Tree, test: Callable[[Leaf], Value]) -> Value:
    """The condition that `test` gives for the leaf at the end of each row's path."""
    if isinstance(tree, Leaf):
        return test(tree)
    then, other = where_leaf(build, tree.then, test), where_leaf(build, tree.other, test)
    ways = constant_condition(build, then), constant_condition(build, other)
    if then.node == other.node:
        return then
    if ways == (True, False):
        return tree.condition
    if ways == (False, True):
        return build.logical_not(tree.condition)
    if ways[1] is False:
        return build.logical_and(tree.condition, then)
    if ways[0] is True:
        return build.logical_or(tree.condition, other)
    return build.where(tree.condition, then, other)


def refused_when(build: Builder, tree: Tree) -> Value:
    """The condition under which a row's path raises an error."""
    return where_leaf(build, tree, lambda leaf: build.value(leaf.error is not None))


def guarded_when(build: Builder, tree: Tree) -> Value:
    """The condition under which a plan cannot hold what a row's path computes."""

    def guarded(leaf: Leaf) -> Value:
        condition = build.value(False)
        for number, guard in enumerate({each.node: each for each in leaf.guards}.values()):
            condition = build.logical_or(condition, guard) if number else guard
        return condition

    return where_leaf(build, tree, guarded)
