"""One row as straight-line Python: what its quick checks pass, and what they leave to `conform`."""

import math
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import QuickCheckError, RowFunction, row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


def _reading(column: Column) -> RowFunction:
    build = Builder()
    root = build.input(column.name, "float64")
    return row_function(Plan(build.nodes, {}), [root.node], RowSchema((column,)))


@pytest.mark.parametrize("value", [0.5, -0.0, math.inf, math.nan, 3, -(2**53), 2**53])
def test_numbers_of_any_size_pass_as_float64(value: Any) -> None:
    (result,) = _reading(Column("a", "number", nullable=True))({"a": value})
    assert type(result) is float
    assert np.array([result]).tobytes() == np.array([float(value)]).tobytes()


def test_a_missing_number_is_nan() -> None:
    (result,) = _reading(Column("a", "number", nullable=True))({"a": None})
    assert result != result
    assert _reading(Column("a", "number", nullable=True, required=False, default=None))({})[0] != 1.0


@pytest.mark.parametrize("value", [2**53 + 1, -(2**63), True, "1", [1.0], np.float64(1.0), np.int64(1)])
@pytest.mark.parametrize("bounds", [{}, {"ge": -10.0, "le": 10.0}], ids=["any", "bounded"])
def test_other_values_are_left_to_the_check_of_columns(value: Any, bounds: dict[str, float]) -> None:
    with pytest.raises(QuickCheckError):
        _reading(Column("a", "number", nullable=True, **bounds))({"a": value})


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"nullable": True, "ge": 0.0}, -0.5),
        ({"nullable": True, "finite": True}, math.inf),
        ({}, math.nan),
        ({}, None),
    ],
)
def test_what_a_row_declares_of_numbers_is_checked(options: dict[str, Any], value: Any) -> None:
    function = _reading(Column("a", "number", **options))
    assert function({"a": 1.0}) == (1.0,)
    with pytest.raises(QuickCheckError):
        function({"a": value})
