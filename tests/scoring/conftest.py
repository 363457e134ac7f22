"""What the tests of scoring share: records of small models, and no waiting for a disk."""

import os

import pytest
import scored

from pipeline_lib.records.record import Record


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def echo_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The record of a model whose outputs are its inputs."""
    return scored.proven(tmp_path_factory.mktemp("runs"), scored.echo())
