"""Sums of weighted columns of 0 and 1 in the core: codes are looked up, and no bit differs."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from core_bits import levels
from core_search import wrong_settings
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native import core_plan
from pipeline_lib.compiled.native.core import built, operations
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.one_hot_layout import dot_of_codes
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value

pytestmark = pytest.mark.skipif(built() is None, reason="this machine has no core")
ROWS = 300
WEIGHTS = (0.0, -0.0, 5e-324, -5e-324, 1.0, -1.0, 1e308, -1e308, 0.1, -0.1)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 5e-324, np.nan, np.inf, -np.inf, 1e308, 0.1)


class Drawn:
    """A sum of groups of columns of 0 and 1 and of numbers between them."""

    def __init__(self, seed: int, weights: tuple[float, ...] = WEIGHTS) -> None:
        self.rng = np.random.default_rng(seed)
        self.build = Builder()
        self.columns: dict[str, np.ndarray[Any, Any]] = {}
        self.terms: list[Value] = []
        for coded in self.rng.permutation([True, *(self.rng.random(self.rng.integers(1, 5)) < 0.5)]):
            self._codes() if coded else self._numbers()
        self.weights = [float(weight) for weight in self.rng.choice(weights, len(self.terms))]
        self.total = self.build.dot(self.terms, self.weights)
        roots = [self.total.node]
        own = [term.node for term in self.terms if self.build.nodes[term.node].operation == "to_float"]
        roots += [node for node in own if self.rng.random() < 0.1]  # a column that is an answer, too
        self.roots = list(dict.fromkeys(roots))

    @property
    def plan(self) -> Plan:
        return Plan(self.build.nodes, {})

    def _name(self) -> str:
        return f"c{len(self.columns)}"

    def _numbers(self) -> None:
        name = self._name()
        self.columns[name] = self.rng.choice(NUMBERS, ROWS)
        self.terms.append(self.build.input(name, "float64"))

    def _codes(self) -> None:
        name, least = self._name(), int(self.rng.integers(-3, 4))
        values = self.rng.permutation(np.arange(least, least + self.rng.integers(2, 9)))
        others = [least - 1, least + 9, -(2**63), 2**63 - 1]
        self.columns[name] = self.rng.choice(np.array([*values, *values, *others]), ROWS)
        code = self.build.input(name, "int64")
        hot = [self.build.number(self.build.apply("equal_int", code, int(value))) for value in values]
        self.terms += [term for term in hot if self.rng.random() < 0.8] or hot


def has_look_ups(drawn: Drawn) -> bool:
    return dot_of_codes(drawn.plan, drawn.total.node, range(len(drawn.build.nodes))) is not None


def differing(drawn: Drawn) -> list[str]:
    found = []
    expected = ColumnExecutor(drawn.plan, drawn.roots).run(drawn.columns, ROWS)
    for level in levels():
        core = core_executor(drawn.plan, drawn.roots, ColumnExecutor)
        assert core is not None, level
        assert core.alone, level
        result = core.quick(drawn.columns, ROWS)
        assert result is not None, level
        if not all(same_bits(own, other, ROWS) for own, other in zip(result, expected, strict=True)):
            found.append(level)
    return found


def test_sums_of_codes_have_numpys_bits() -> None:
    looked_up = 0
    for seed in range(250):
        drawn = Drawn(seed)
        assert differing(drawn) == [], seed
        looked_up += has_look_ups(drawn)
    assert looked_up > 100


def test_a_weight_of_infinity_is_no_look_up() -> None:
    for seed in range(40):
        drawn = Drawn(seed, (np.inf, -np.inf))
        assert not has_look_ups(drawn)
        assert differing(drawn) == [], seed


def test_a_table_with_another_zero_is_seen() -> None:
    """Negative control: where a code adds zeros, their sign counts."""

    def wrong(*arguments: Any) -> Any:
        found = dot_of_codes(*arguments)
        if found is None:
            return None
        cells = found[0].arrays[0].copy()
        cells[cells == 0] *= -1.0
        return replace(found[0], arrays=[cells]), found[1]

    with patch.object(core_plan, "dot_of_codes", wrong):
        assert any(differing(Drawn(seed)) for seed in range(250))


def test_columns_that_nothing_else_takes_are_left_out() -> None:
    build = Builder()
    code = build.input("code", "int64")
    terms = [build.number(build.apply("equal_int", code, value)) for value in range(20)]
    total = build.dot(terms, [float(value) for value in range(20)])
    core = core_plan.encode(Plan(build.nodes, {}), [total.node])
    assert core is not None
    words = np.frombuffer(core.data[:64], dtype=np.uint64)
    assert words[5] == 1  # instructions
    both = core_plan.encode(Plan(build.nodes, {}), [total.node, terms[3].node])
    assert both is not None
    assert np.frombuffer(both.data[:64], dtype=np.uint64)[5] == 3


@pytest.mark.parametrize(
    ("ints", "cells"),
    [
        ((0, 0), [1.0, 2.0]),
        ((0, 0, 0, 0), [1.0, 2.0]),
        ((2, 0, 0), [1.0, 2.0]),
        ((-1, 0, 0), [1.0, 2.0]),
        ((0, 0, 2), [1.0, 2.0]),
        ((1, 0, 1), [1.0, 2.0]),
        ((0, 0, -1), [1.0, 2.0]),
        ((0, 0, 2**62), [1.0, 2.0]),
        ((0, 0, 0), []),
    ],
)
def test_cells_beyond_the_array_are_refused(ints: tuple[int, ...], cells: list[float]) -> None:
    assert wrong_settings(Encoded("dot_codes", ints, [np.array(cells)]), "i:d", [1, 1]) != ""


def test_cells_that_fit_are_taken() -> None:
    assert "dot_codes" in operations()
    assert wrong_settings(Encoded("dot_codes", (0, -5, 1), [np.array([1.0, 2.0])]), "i:d", [1, 1]) == ""
