"""Operations of vectors in the core against NumPy's executor, for tables with every kind of number."""

from collections.abc import Iterator, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import LEVELS, VARIABLE, built
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder

ROWS = (1, 3, 8, 33, 513)
EDGES = (np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, -1e-308, 1e308, 1e-160, 1.0)


def table(rng: np.random.Generator, columns: int, rows: int, *, edges: float = 0.0, whole: bool = False) -> np.ndarray:
    """Numbers (columns x rows), a part of them edges; whole ones have ties."""
    numbers = rng.normal(size=(columns, rows)) * 10.0 ** rng.integers(-2, 3, size=(columns, 1))
    numbers = np.rint(rng.normal(size=numbers.shape) * 2) if whole else numbers
    result: np.ndarray = np.where(rng.random(numbers.shape) < edges, rng.choice(EDGES, size=numbers.shape), numbers)
    return result


def levels() -> Iterator[str]:
    """The levels that this machine has, each while it is chosen."""
    module = built()
    for number in module.levels() if module else ():
        with patch.dict("os.environ", {VARIABLE: LEVELS[number]}):
            yield LEVELS[number]


def differing_levels(plan: Plan, roots: Sequence[int], numbers: np.ndarray) -> list[str]:
    """The levels at which the core's columns differ from NumPy's; inputs are c0, c1, …"""
    found = []
    for level in levels():
        core = core_executor(plan, list(roots), ColumnExecutor)
        assert core is not None, level
        assert core.alone, level
        for rows in ROWS:
            columns: dict[str, Any] = {f"c{index}": own[:rows].copy() for index, own in enumerate(numbers)}
            pairs = zip(core.run(columns, rows), ColumnExecutor(plan, list(roots)).run(columns, rows), strict=True)
            if not all(same_bits(own, other, rows) for own, other in pairs):
                found.append(f"{level}, {rows} rows")
    return found


def vector_plan(operation: str, inputs: int, **settings: Any) -> tuple[Plan, int]:
    """One operation of the vector of all inputs."""
    build = Builder()
    vector = build.stack([build.input(f"c{number}", "float64") for number in range(inputs)])
    root = build.apply(operation, vector, **settings)
    return Plan(build.nodes, {}), root.node
