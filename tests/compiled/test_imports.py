"""Loading an artifact and predicting one row import what production needs, and nothing besides."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.core

RECORDS = Path(__file__).parents[1] / "data" / "records"
LOADING = """
import json
import pipeline_lib
model = pipeline_lib.load_model(sys.argv[1])
values = [model.predict_row(row) for row in json.loads(sys.argv[2])]
"""
ROOMS = ("authoring", "cli", "compiler", "evidence", "parity", "project", "records", "release", "runner", "sweeps")
LIBRARIES = ("feature_engine", "pandas", "pyarrow", "pydantic", "scipy", "sklearn", "skops")
SLOW_TO_IMPORT = ("decimal", "fractions", "html")


def imported(code: str, *arguments: str) -> set[str]:
    """The modules that code imports in a fresh process, apart from those of NumPy and of coverage."""
    script = f"import sys, numpy\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    command = [sys.executable, "-c", script, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return set(ended.stdout.split())


def not_for_production(modules: set[str]) -> set[str]:
    """Those of the modules that belong to rooms of research, are libraries of research, or are slow to import."""
    tops = {module for module in modules if module.partition(".")[0] in (*LIBRARIES, *SLOW_TO_IMPORT)}
    rooms = {module for module in modules if module.startswith(tuple(f"pipeline_lib.{room}" for room in ROOMS))}
    return tops | rooms


def modules_of_one_row(record: str) -> set[str]:
    """The modules that loading a record's artifact and predicting three rows import."""
    rows = pq.read_table(RECORDS / record / "evidence" / "inputs.parquet").slice(0, 3).to_pylist()
    modules = imported(LOADING, str(RECORDS / record / "artifact"), json.dumps(rows))
    assert "pipeline_lib.compiled.row_executor" in modules
    return modules


def test_loading_and_one_row_import_nothing_of_research() -> None:
    assert not_for_production(modules_of_one_row("tiny/20261129T123837487-9fa751")) == set()


def test_patterns_in_the_schema_import_arrow_and_no_rooms_of_research() -> None:
    modules = not_for_production(modules_of_one_row("titanic/20261129T123814406-17fc1e"))
    assert "pyarrow" in modules  # its RE2, and what it imports itself: decimal, and pandas where that is installed
    assert not any(module.startswith("pipeline_lib") for module in modules)


@pytest.mark.parametrize("module", ["html", "fractions", "pipeline_lib.project.project", "pyarrow.parquet"])
def test_an_import_that_is_not_for_production_is_seen(module: str) -> None:
    assert module in not_for_production(imported(f"import {module}"))
