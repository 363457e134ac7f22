"""Small records that the tests of parity copy: each is made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import STEP, library, small_record

from pipeline_lib.records.record import Record

AGES = STEP.replace("YEAR", "2026")


@pytest.fixture(scope="session")
def tiny_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A sealed record of a scaler and a linear model. Tests take a copy, `small`."""
    return small_record(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def opaque_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A sealed record whose first step runs through its package `cottages`. Tests take a copy, `opaque`."""
    folder = tmp_path_factory.mktemp("opaque")
    with library(folder, AGES) as step:
        return small_record(folder / "runs", ("ages", step), library="cottages")


def _copied(record: Record, runs: Path) -> Record:
    folder = runs / "tiny" / record.id
    shutil.copytree(record.folder, folder)
    return Record(folder)


@pytest.fixture
def small(tiny_record: Record, tmp_path: Path) -> Record:
    """A copy of the small record, without results of checks."""
    return _copied(tiny_record, tmp_path / "runs")


@pytest.fixture
def opaque(opaque_record: Record, tmp_path: Path) -> Iterator[Record]:
    """A copy of the record with a step of the package `cottages`, which can be imported meanwhile."""
    with library(tmp_path, AGES):
        yield _copied(opaque_record, tmp_path / "runs")
