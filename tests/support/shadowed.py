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
from pipeline_lib.compiled.native.executor import CoreExecutor
from pipeline_lib.compiled.native.segments import Turn, turns
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
    order = turns(plan, roots, least=1)
    if not order:
        return
    shadow.carried += 1
    for level in levels:
        with patch.dict(os.environ, {VARIABLE: level}):
            found = _core_columns(plan, roots, order, columns, rows)
        if isinstance(expected, InputError):
            assert found is None, f"{level}: found answers of the core, expected a refusal: {expected}"
            shadow.refused += 1
            continue
        assert found is not None, f"{level}: found a refusal of the core, expected answers"
        for root, own, other in zip(roots, found, expected, strict=True):
            where = f"{level}: node {root}, {plan.nodes[root].operation} {plan.nodes[root].settings}"
            assert same_bits(own, other, rows), f"{where}: found {own!r}, expected {other!r}"


def _core_columns(
    plan: Plan, roots: Sequence[int], order: Sequence[Turn], columns: Mapping[str, PlanColumn], rows: int
) -> list[PlanColumn] | None:
    natives = [load_plan(turn.core.data) for turn in order if turn.core is not None]
    assert None not in natives, "found a plan that the core does not read"
    return CoreExecutor(plan, roots, order, natives, ColumnExecutor).quick(columns, rows)


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
