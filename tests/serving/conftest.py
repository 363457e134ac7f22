"""Records of small models, which the tests of serving share, and clients of the application in this process."""

from pathlib import Path

import pyarrow as pa
import pytest
from harbours import SETTINGS
from scored import classifier, echo, row, table
from served import Client, client, with_evidence

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def echo_record(runs: Path) -> Record:
    """Six targets, each the raw value of a column: text, a date, null where a value is missing."""
    return with_evidence(runs, echo(), table([row(), row(size=None)]), "echo")


@pytest.fixture(scope="session")
def labels_record(runs: Path) -> Record:
    """A classifier with text labels, one beyond ASCII."""
    return with_evidence(runs, classifier("no", "über"), pa.table({"size": [0.5]}), "labels")


@pytest.fixture(scope="session")
def both(echo_record: Record, labels_record: Record) -> Client:
    """An application that serves `echo`, and `labels` by its name."""
    return client(echo_record, labels_record)


@pytest.fixture
def harbour(tmp_path: Path) -> Project:
    """A project with a runs folder and no store."""
    (tmp_path / "settings.ini").write_text(SETTINGS.format("store"))
    return find_project(tmp_path)
