"""Random plans over all operations have the bits of NumPy in the core, and refuse the same rows."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from random_plans import carried_names, differences, names

from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.operations.catalog import OPERATIONS

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
PLANS = range(30)


def test_random_plans_have_the_bits_and_the_refusals_of_numpy() -> None:
    compared = [differences(seed, names()) for seed in PLANS]
    assert [line for each in compared for line in each.differences] == []
    assert sum(each.refused for each in compared) > 10
    assert len({name for each in compared for name in each.carried}) > 50


def test_most_operations_are_carried_and_drawn() -> None:
    assert carried_names() <= set(names())
    assert {"add", "trees", "oblivious_trees", "choose", "lookup", "affine", "couple", "demand"} <= carried_names()
    assert "bag_dot" not in names()


@pytest.mark.parametrize(("name", "other"), [("add", "subtract"), ("less", "less_equal"), ("floor", "ceil")])
def test_a_spoiled_operation_is_found(name: str, other: str) -> None:
    with patch.dict(core.operations(), {name: core.operations()[other]}):
        found = [line for seed in PLANS for line in differences(seed, [name, "sqrt"]).differences]
    assert found
    assert all(f": {name} " in line for line in found)
    assert {line.split(": ")[1] for line in found} == {core.LEVELS[number] for number in core.built().levels()}  # type: ignore[union-attr]


def test_a_row_that_numpy_alone_refuses_is_found() -> None:
    def refuses_nothing(settings: dict[str, Any]) -> Any:
        return lambda values: values

    with patch.dict(OPERATIONS, {"finite": replace(OPERATIONS["finite"], column=refuses_nothing)}):
        found = [line for seed in PLANS for line in differences(seed, ["finite", "negative"]).differences]
    assert any("not refused by NumPy alone" in line for line in found)


def test_a_nan_differs_from_a_number() -> None:
    changed = replace(
        OPERATIONS["negative"], column=lambda settings: lambda values: np.where(values == 0, np.nan, -values)
    )
    with patch.dict(OPERATIONS, {"negative": changed}):
        assert any(differences(seed, ["negative", "multiply"]).differences for seed in PLANS)
