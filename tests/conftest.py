"""What several test modules share: one real run of the houses example."""

from pathlib import Path

import pytest

from pipeline_lib.record import Record
from pipeline_lib.run import run_pipeline

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def houses_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The sealed record of params/houses.yml. Tests that change a record change a copy."""
    return run_pipeline(ROOT / "params" / "houses.yml", runs=tmp_path_factory.mktemp("runs"))
