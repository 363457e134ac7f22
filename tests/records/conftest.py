"""Records that several tests of this room use."""

from pathlib import Path

import pytest
from small_records import sealed_run

from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, "lib", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")


@pytest.fixture
def sealed(project: Project) -> Record:
    """A sealed record of two files."""
    record = create_record(project.runs, "houses")
    record.artifact.mkdir()
    (record.artifact / "model.json").write_bytes(b"{}")
    (record.folder / "log.txt").write_bytes(b"ok\n")
    seal(record, {"status": "finished"})
    return record


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three finished runs, a failed one, and one of another pipeline."""
    folder = tmp_path / "runs"
    for rmse, alpha in ((3.0, 0.1), (1.0, 0.01), (2.0, 0.001)):
        sealed_run(folder, params={"estimator": {"alpha": alpha}, "seed": 0, "kind": "sloop"}, metrics={"rmse": rmse})
    sealed_run(folder, status="failed", params={"estimator": {"alpha": 0.5}, "seed": 1, "kind": None})
    sealed_run(folder, "masts", params={"seed": 7}, metrics={"r2": 0.5})
    return folder
