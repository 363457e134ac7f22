"""The project of the cache's tests."""

from pathlib import Path

import pytest
from boats import FILES, write

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.runner.cache.imported_files import ImportedFiles


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project `harbour`, with two packages installed."""
    for name, text in FILES.items():
        write(tmp_path / "harbour", name, text)
    for package in ("numpy-2.4.0", "ropes-1.0"):
        write(tmp_path / "site", f"{package}.dist-info/RECORD", "numpy/__init__.py,sha256=abc,0\n")
    write(tmp_path / "site", "numpy/__init__.py", "")
    monkeypatch.setattr("pipeline_lib.system.fingerprint.site_folders", lambda: [tmp_path / "site"])
    monkeypatch.setattr(
        "pipeline_lib.runner.cache.lookup.find_imported", lambda project, packages=(): ImportedFiles({}, (), ())
    )
    return find_project(tmp_path / "harbour")
