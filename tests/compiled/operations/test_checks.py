"""A number that a step refuses is named with its row, step and column."""

import math

import numpy as np
import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core


def test_a_number_that_is_not_finite_is_refused():
    build = Builder()
    value = build.finite(build.input("c", "float64"), "age", "Lasso")
    with pytest.raises(InputError, match="row 1: Lasso: found a missing value in column 'age'"):
        make_executor(Plan(build.nodes, {}), [value.node]).run({"c": np.array([1.0, math.nan])}, 2)
