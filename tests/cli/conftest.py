"""Commands start in the checkout; what it has run before makes no difference."""

from dataclasses import replace
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.runner.cache.lookup import CachedRun

LOOKUP = "pipeline_lib.runner.cache.lookup"


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *args: CachedRun(None))  # whatever the checkout has run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The checkout's project with a runs folder of its own."""
    return replace(find_project(ROOT), runs=tmp_path / "runs")
