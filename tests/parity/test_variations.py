"""Variations by name, each with one thing that a fresh process can do."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.variations import FULL, QUICK, VARIATIONS, Variation, add, find_variations
from pipeline_lib.records.record import Record


def test_an_unknown_variation_is_refused_with_the_nearest_or_the_list(small: Record) -> None:
    with pytest.raises(InputError, match=r"found no variation 'one rwo', expected one of: one row,"):
        check_parity(small, variations=["one rwo"])
    with pytest.raises(InputError, match=r"found no variation 'xyz', expected one of: fresh process, one row, .*; "):
        check_parity(small, variations=["xyz"])
    assert [variation.name for variation in find_variations(["csv", "One_Row"])] == ["CSV", "one row"]
    with pytest.raises(InputError, match="found no variation"):
        check_parity(small, variations=[])


def test_two_variations_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="found two variations named 'CSV'"):
        add(replace(VARIATIONS["CSV"], what="another"))


@pytest.mark.parametrize("options", [{}, {"deliver": lambda rows: rows}, {"deliver": check_parity, "edges": True}])
def test_a_variation_does_one_thing_that_a_fresh_process_can_import(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"varies nothing, or two things|expected a function at the top of a module"):
        Variation("own", "file", "", **options)


def test_full_holds_quick() -> None:
    assert set(QUICK) < set(FULL)
