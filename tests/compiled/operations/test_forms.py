"""Every operation's form for columns and its form for one row have the same bits, for random rows of edge values."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from operation_search import differences
from operation_settings import SETTINGS, examples, searched

from pipeline_lib.compiled.operations.catalog import OPERATIONS

pytestmark = pytest.mark.core
SUPPORT = Path(__file__).parents[2] / "support"
ELSEWHERE = {  # operations whose settings a search cannot draw: where both of their forms are compared
    "trees": "test_trees.py",
    "linear_trees": "test_linear_trees.py",
    "oblivious_trees": "test_oblivious_trees.py",
    "choose": "test_lookups.py",
    "zone_time": "test_time_zones.py",
    "parse_date": "test_calendar.py",
    "extract": "test_text_extraction.py",
    "couple": "test_vectors.py",
    "coordinate_descent": "test_vectors.py",
    "matching_pursuit": "test_vectors.py",
    "regex_extract": "test_regular_expressions.py",
}
LIFTED = {  # one row is a column of one row; batches are compared by the tests of their adapters
    "barycenter",
    "bag_finite",
    "document_counts",
    "document_topics",
    "donors",
    "neighbour_mean",
    "outlier_factor",
    "path_lengths",
    "splines",
}
NO_ROWS = {"opaque", "opaque_part", "earlier"}  # a library's block, other rows


@pytest.mark.parametrize("name", searched())
def test_both_forms_have_the_same_bits_for_random_rows(name: str) -> None:
    for settings, dtypes, rows, constants in examples(name, 2, 12):
        assert differences(name, settings, dtypes, rows, constants) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", searched())
def test_both_forms_have_the_same_bits_for_many_random_rows(name: str) -> None:
    for settings, dtypes, rows, constants in examples(name, 60, 40):
        assert differences(name, settings, dtypes, rows, constants) == []


def test_every_operation_is_searched_or_tested_elsewhere() -> None:
    assert set(SETTINGS) <= set(OPERATIONS)
    assert {*searched(), *ELSEWHERE, *LIFTED, *NO_ROWS} == set(OPERATIONS)
    assert {name for name in LIFTED if OPERATIONS[name].row.func.__name__ == "_lift"} == LIFTED  # type: ignore[attr-defined]
    for name, path in ELSEWHERE.items():
        assert name in (Path(__file__).parent / path).read_text(encoding="utf-8")


def test_the_search_finds_a_form_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = OPERATIONS["smaller"]
    monkeypatch.setitem(OPERATIONS, "smaller", replace(smaller, column=lambda settings: np.minimum))  # other for NaN
    found = [line for drawn in examples("smaller", 3, 30) for line in differences("smaller", *drawn)]
    assert any("nan" in line for line in found)


@pytest.mark.slow
def test_bits_do_not_depend_on_the_cpu() -> None:
    """The column forms without AVX2 and AVX-512; on a machine that has neither this compares nothing."""
    command = [sys.executable, str(SUPPORT / "operation_settings.py")]
    results = []
    for disabled in ("", "X86_V4 AVX512_ICL", "X86_V3 X86_V4 AVX512_ICL"):
        environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
        results.append(json.loads(done.stdout))
    differing = [name for name in results[0] if len({each[name] for each in results}) > 1]
    assert len(results[0]) > 100
    assert differing == []
