"""The core beside NumPy: every batch that a test evaluates goes through the core at each level, too, bit for bit."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import KINDS, PlanColumn
from pipeline_lib.compiled.native.core import LEVELS, VARIABLE, built, load_plan
from pipeline_lib.compiled.native.encode import CorePlan, encode
from pipeline_lib.compiled.native.executor import CoreExecutor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.errors import InputError

LARGEST = 1 << 22
"""Cells of a batch beyond which it is not repeated."""


class Shadow:
    """Counts of what was compared: batches, those in which the core ran, and rows that it refused."""

    def __init__(self) -> None:
        self.batches = self.carried = self.refused = 0


@contextmanager
def shadowed(levels: Sequence[str] | None = None) -> Iterator[Shadow]:
    """Repeat each batch of NumPy's executor in the core at these levels, by default all; AssertionError for a bit."""
    module = built()
    usable = [] if module is None else [LEVELS[number] for number in module.levels()]
    chosen = [level for level in usable if levels is None or level in levels]
    shadow, make, run = Shadow(), ColumnExecutor.__init__, ColumnExecutor.run
    inside: list[bool] = []

    def remember(self: ColumnExecutor, plan: Plan, roots: Sequence[int], **options: Any) -> None:
        make(self, plan, roots, **options)
        self.made_of = (plan, list(roots))  # type: ignore[attr-defined]

    def repeat(self: ColumnExecutor, columns: Mapping[str, PlanColumn], rows: int, first: int = 0) -> list[PlanColumn]:
        if inside or not rows:
            return run(self, columns, rows, first)
        try:
            expected: list[PlanColumn] | InputError = run(self, columns, rows, first)
        except InputError as error:
            expected = error
        inside.append(True)
        try:
            _compare(self, columns, rows, expected, chosen, shadow)
        finally:
            inside.pop()
        if isinstance(expected, InputError):
            raise expected
        return expected

    with patch.object(ColumnExecutor, "__init__", remember), patch.object(ColumnExecutor, "run", repeat):
        yield shadow


def _compare(
    executor: Any, columns: Mapping[str, PlanColumn], rows: int, expected: Any, levels: Sequence[str], shadow: Shadow
) -> None:
    plan, roots = executor.made_of
    shadow.batches += 1
    if rows * len(plan.nodes) > LARGEST:
        return
    core = encode(plan, roots)
    if core is None:
        return
    shadow.carried += 1
    for level in levels:
        with patch.dict(os.environ, {VARIABLE: level}):
            found = _core_columns(plan, roots, core, columns, rows)
        if isinstance(expected, InputError):
            assert found is None, f"{level}: found answers of the core, expected a refusal: {expected}"
            shadow.refused += 1
            continue
        assert found is not None, f"{level}: found a refusal of the core, expected answers"
        for node, own in found.items():
            for root, other in zip(roots, expected, strict=True):
                if root == node:
                    where = f"{level}: node {node}, {plan.nodes[node].operation} {plan.nodes[node].settings}"
                    assert same_bits(own, other, rows), f"{where}: found {own!r}, expected {other!r}"


def _core_columns(
    plan: Plan, roots: Sequence[int], core: CorePlan, columns: Mapping[str, PlanColumn], rows: int
) -> dict[int, PlanColumn] | None:
    native = load_plan(core.data)
    assert native is not None, "found a plan that the core does not read"
    executor = CoreExecutor(plan, roots, core, native, ColumnExecutor)
    try:
        results = executor.core_columns(columns, executor.rest_columns(columns, rows, 0), rows)
    except InputError:
        return None
    return None if results is None else dict(zip(core.given, results, strict=True))


def same_bits(left: PlanColumn, right: PlanColumn, rows: int) -> bool:
    """Whether two columns have the same values in every bit; NaN has one."""
    if isinstance(left, KINDS):
        return bool(left.tolist() == right.tolist())  # type: ignore[attr-defined]
    right = np.broadcast_to(np.asarray(right), left.shape)
    if left.dtype.kind != "f":
        return bool((left == right).all())
    numbers = np.asarray(right, dtype=np.float64)
    both = np.isnan(left) & np.isnan(numbers)
    return bool((both | (left.view(np.int64) == np.ascontiguousarray(numbers).view(np.int64))).all())
