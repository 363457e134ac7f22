"""All rows that a plan refuses are found, though evaluating it names the first one alone."""

import numpy as np
import pytest

from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.error_bounds import with_error_bounds
from pipeline_lib.compiler.refused_rows import answered_rows
from pipeline_lib.errors import InputError


def test_rows_are_left_out_one_by_one() -> None:
    build = Builder()
    town, size = build.input("town", "str"), build.input("size", "float64")
    rank = build.lookup(town, {"Ames": 1.0}, "float64", mode="refuse", name="town", where="Step", missing=0.0)
    root = build.finite(size, "size", "Step") * build.value(2.0) + rank
    plan = Plan(build.nodes, {})
    columns = {
        "town": TextColumn.of(["Ames", "x", None, "Ames", "y", "Ames"]),
        "size": np.array([1.0, 2.0, np.inf, 4.0, 5.0, np.nan]),
    }
    with pytest.raises(InputError, match="found"):
        with_error_bounds(plan, [root.node], columns, 6)
    rows = answered_rows(plan, columns, 6)
    assert rows.tolist() == [0, 3]
    kept = {"town": columns["town"].take(rows), "size": columns["size"][rows]}
    assert with_error_bounds(plan, [root.node], kept, 2)[0][0].tolist() == [3.0, 9.0]


def test_a_plan_that_refuses_nothing_is_not_evaluated() -> None:
    build = Builder()
    build.lookup(build.input("town", "str"), {"Ames": 1.0}, "float64")
    assert answered_rows(Plan(build.nodes, {}), {}, 3).tolist() == [0, 1, 2]
