"""Random plans of all operations, and where the core differs from NumPy's executor on random rows.

seed -> raw columns, constants -> operations on what is there -> some nodes as roots
                                                                    |
    NumPy, each row alone: its answers, or refused      ------------+
    NumPy, the accepted rows together, three times over ------------+--- the core: the same bits, the same
    the core at each level, together, in blocks, alone  ------------+    refused rows
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
from operation_search import WIDTH, column_of, draw
from operation_settings import CONSTANTS, SETTINGS, pick, searched, small, without_settings
from random_trees import INPUTS, ensemble, oblivious
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import PlanColumn, slice_rows, take_rows
from pipeline_lib.compiled.native import core as native_core
from pipeline_lib.compiled.native.core import LEVELS, VARIABLE
from pipeline_lib.compiled.native.core_plan import CorePlan, encode
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.native.segments import turns
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.errors import InputError

Rng = np.random.Generator
DTYPES = ("float64", "int64", "bool", "str", "datetime", "duration")
PLAIN = {*DTYPES, "vector"}
FEW, MANY = 12, 530  # rows that are drawn; rows of the repeated batch: more than a block
CHECKS = ("demand", "finite", "not_infinite", "single_range")
SHAPES = ([1, 1], [2] * 9, [1, 3, 8, 9, 31, 2], [64, 40], [4, 5] * 20)


def _trees(rng: Rng) -> tuple[list[str], dict[str, Any]]:
    options = {"sets": bool(rng.integers(2)), "fine": bool(rng.integers(2)), "single": bool(rng.integers(2))}
    if rng.random() < 0.3:
        options |= {"width": 3, "start": pick(rng, None, [0.1, -0.0, 3.0])}
    return ["float64"] * INPUTS, ensemble(rng, list(SHAPES[rng.integers(len(SHAPES))]), **options)


def _choose(rng: Rng) -> tuple[list[str], dict[str, Any]]:
    gives = pick(rng, "float64", "int64", "bool", "str")
    values = [draw(gives, rng) for _ in range(4)]
    return ["int64"], {"values": ["" if value is None else value for value in values], "gives": gives}


def _couple(rng: Rng) -> tuple[list[str], dict[str, Any]]:
    return ["vector"], {"slopes": -rng.random(6), "offsets": small(rng, 6), "classes": 4}


MORE: dict[str, Callable[[Rng], tuple[list[str], dict[str, Any]]]] = {
    "trees": _trees,
    "oblivious_trees": lambda rng: (["float64"] * INPUTS, oblivious(rng)),
    "choose": _choose,
    "couple": _couple,
    "distinct": lambda rng: (["float64"] * int(rng.integers(1, 9)), {}),
}
WIDTHS = {"couple": 6}
"""Numbers of the vectors that an operation's settings here are for; else `WIDTH`, and any for those that need none."""
ANY_WIDTH = ("vector_scale", "vector_function", "vector_power", "sum_of_squares", "largest", "activation")


@dataclass
class Drawn:
    """A plan that grows: its nodes, and their columns' widths."""

    rng: Rng
    nodes: list[Node] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def add(self, operation: str, inputs: Sequence[int], settings: dict[str, Any], dtype: str) -> int:
        """Append a node."""
        self.nodes.append(Node(operation, tuple(inputs), settings, dtype))
        widths = [self.widths[taken] for taken in inputs]
        vector = dtype == "vector"
        self.widths.append(OPERATIONS[operation].width(settings, widths) if vector else 1)
        return len(self.nodes) - 1

    def known(self, dtype: str, width: int | None = None) -> int:
        """A node of a dtype, mostly one of the last; numbers are stacked where there is no such vector."""
        numbers = [
            number
            for number, node in enumerate(self.nodes)
            if node.dtype == dtype and node.operation != "constant" and width in (None, self.widths[number])
        ]
        if dtype == "vector" and (not numbers or self.rng.random() < 0.2):
            parts = [self.known("float64") for _ in range(width or WIDTH)]
            return self.add("stack", parts, {}, "vector")
        return numbers[-1 - int(len(numbers) * self.rng.random() ** 2)]

    def constant(self, dtype: str, value: Any = None) -> int:
        """A new constant; without a value, of a random one."""
        value = draw(dtype, self.rng) if value is None else value
        return self.add("constant", [], {"value": value}, dtype)

    def grow(self, name: str) -> None:
        """Append an operation on what is there; nothing where it takes other columns, such as lists."""
        rng, operation, draws = self.rng, OPERATIONS[name], SETTINGS | MORE
        dtypes, settings = draws[name](rng) if name in draws else (without_settings(name, rng), {})
        if not set(dtypes) <= PLAIN:
            return
        width = None if name in ANY_WIDTH else WIDTHS.get(name, WIDTH)
        if name in ("vector_pair", "circular_convolution"):
            width = self.widths[self.known("vector")]
        inputs = [self.known(dtype, width if dtype == "vector" else None) for dtype in dtypes]
        if len(inputs) > 1 and rng.random() < 0.3:
            at = int(rng.integers(len(inputs)))
            if dtypes[at] in CONSTANTS and len({*inputs}) > 1 and name != "lookup_rows":
                inputs[at] = self.constant(dtypes[at])
        if name == "choose":  # an index is there for all of its values
            inputs = [self.add("remainder_int", [inputs[0], self.constant("int64", 4)], {}, "int64")]
        gives = operation.gives
        dtype = gives if isinstance(gives, str) else gives(settings, dtypes)
        self.add(name, inputs, settings, dtype)


def names() -> list[str]:
    """The operations on plain columns; those that the core carries are there four times."""
    every = [
        name
        for name in (*searched(), *MORE)
        if all(set(take.split("|")) & PLAIN for take in OPERATIONS[name].takes or () if take != "...")
    ]
    known = carried_names()
    return [*every, *(name for name in every for _ in range(4) if name in known)]


@cache
def carried_names() -> frozenset[str]:
    """The operations that the core carries, at least with some settings."""
    return frozenset(name for name in (*searched(), *MORE) if _is_carried(name))


def _is_carried(name: str) -> bool:
    for seed in range(4):
        drawn = Drawn(np.random.default_rng(seed))
        start(drawn)
        drawn.grow(name)
        if drawn.nodes[-1].operation != name:
            return False
        core = encode(Plan(drawn.nodes, {}), [len(drawn.nodes) - 1])
        if core is not None and (core.given or name in CHECKS):
            return True
    return False


def start(drawn: Drawn) -> None:
    """The raw columns: three of each dtype."""
    for dtype in DTYPES:
        for number in range(3):
            drawn.add("input", [], {"column": f"{dtype}{number}"}, dtype)


def random_plan(seed: int, operations: Sequence[str], most: int = 25) -> tuple[Plan, list[int]]:
    """A plan of up to `most` operations, and its roots: what no other node takes, and some of the rest."""
    rng = np.random.default_rng(seed)
    drawn = Drawn(rng)
    start(drawn)
    first = len(drawn.nodes)
    checks = 0
    for _ in range(int(rng.integers(1, most))):
        name = operations[rng.integers(len(operations))]
        checks += name in CHECKS
        if name not in CHECKS or checks < 3:
            drawn.grow(name)
    taken = {number for node in drawn.nodes for number in node.inputs}
    roots = [
        number
        for number in range(first, len(drawn.nodes))
        if drawn.nodes[number].operation != "constant"
        and drawn.nodes[number].dtype in PLAIN
        and (number not in taken or rng.random() < 0.2)
    ]
    return Plan(drawn.nodes, {}), roots


def random_columns(seed: int, rows: int = FEW) -> dict[str, PlanColumn]:
    """Raw columns of edge values; mostly small numbers, so that not every row is refused."""
    rng = np.random.default_rng([seed, 1])
    result: dict[str, PlanColumn] = {}
    for dtype in DTYPES:
        for number in range(3):
            tame = rng.random() < 0.5
            values = [_tame(dtype, rng) if tame else draw(dtype, rng) for _ in range(rows)]
            result[f"{dtype}{number}"] = column_of(values, dtype)
    return result


def _tame(dtype: str, rng: Rng) -> Any:
    if dtype == "float64":
        return float(rng.normal() * 3)
    if dtype in ("int64", "duration"):
        return int(rng.integers(-5, 6))
    return int(rng.integers(0, 2 * 10**15)) if dtype == "datetime" else draw(dtype, rng)


@dataclass(frozen=True)
class Compared:
    """What was compared of a plan: whether the core carried some of it, the operations that it did, rows refused."""

    carried: tuple[str, ...] = ()
    refused: int = 0
    differences: tuple[str, ...] = ()


def compare(plan: Plan, roots: Sequence[int], columns: dict[str, PlanColumn], rows: int = FEW) -> Compared:
    """The differences between NumPy's executor and the core at every level."""
    order, module = turns(plan, roots, least=1), native_core.built()
    if not order or module is None:
        return Compared()
    reference = ColumnExecutor(plan, list(roots))
    alone = [_refused(reference, columns, row) for row in range(rows)]
    accepted = [row for row in range(rows) if not alone[row]]
    many = [accepted[at % len(accepted)] for at in range(MANY)] if accepted else []
    batch = {name: take_rows(column, np.array(many)) for name, column in columns.items()} if many else {}
    expected = reference.run(batch, MANY) if many else []
    found: list[str] = []
    for level in (LEVELS[number] for number in module.levels()):
        with patch.dict(os.environ, {VARIABLE: level}):
            executor = core_executor(plan, roots, ColumnExecutor, least=1)
        assert executor is not None, "found a plan that the core does not read"
        for row in range(rows):
            if (executor.quick(_rows(columns, row, row + 1), 1) is None) != alone[row]:
                found.append(f"{level}: row {row} is {'' if alone[row] else 'not '}refused by NumPy alone")
        found += _differing(plan, level, executor, batch, len(accepted), expected) if many else []
    inner = [plan.nodes[number].operation for turn in order if turn.core for number in _inner(plan, turn.core)]
    return Compared(tuple(inner), sum(alone), tuple(found))


def _inner(plan: Plan, core: CorePlan) -> set[int]:
    """The nodes that the core evaluates for what it gives."""
    found: set[int] = set()
    more = [number for number in core.given if number not in core.taken]
    while more:
        number = more.pop()
        found.add(number)
        more += [each for each in plan.nodes[number].inputs if each not in found and each not in core.taken]
    return {number for number in found if plan.nodes[number].operation not in ("input", "constant")}


def _rows(columns: dict[str, PlanColumn], start: int, stop: int) -> dict[str, PlanColumn]:
    return {name: slice_rows(column, start, stop) for name, column in columns.items()}


def _refused(executor: ColumnExecutor, columns: dict[str, PlanColumn], row: int) -> bool:
    try:
        executor.run(_rows(columns, row, row + 1), 1)
    except InputError:
        return True
    return False


def _differing(
    plan: Plan,
    level: str,
    executor: CoreExecutor,
    batch: dict[str, PlanColumn],
    few: int,
    expected: Sequence[PlanColumn],
) -> Iterator[str]:
    for start, stop in ((0, MANY), (0, few), *((row, row + 1) for row in range(few))):
        found = executor.quick(_rows(batch, start, stop), stop - start)
        if found is None:
            yield f"{level}: rows {start} to {stop} are refused, NumPy answers"
            return
        for root, own, other in zip(executor.roots, found, expected, strict=True):
            part = slice_rows(other, start, stop) if np.ndim(other) or not np.isscalar(other) else other
            if not same_bits(own, part, stop - start):
                node = plan.nodes[root]
                yield f"{level}: rows {start} to {stop}, node {root}: {node.operation} {node.settings}"
                return


def differences(seed: int, operations: Sequence[str]) -> Compared:
    """What a seed's plan shows; of one that differs, the first operation that does."""
    plan, roots = random_plan(seed, operations)
    columns = random_columns(seed)
    compared = compare(plan, roots, columns)
    if not compared.differences:
        return compared
    for number in plan.needed(roots):
        if plan.nodes[number].operation in ("input", "constant"):
            continue
        first = compare(plan, [number], columns)
        if first.differences:
            return Compared(first.carried, first.refused, tuple(f"seed {seed}: {line}" for line in first.differences))
    return Compared(compared.carried, compared.refused, tuple(f"seed {seed}: {line}" for line in compared.differences))
