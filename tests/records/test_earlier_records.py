"""Records of version 0.1.0 load, verify and repeat: one of each kind, with its artifact."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline_lib import check_parity, load_model
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify

RECORDS = Path(__file__).parents[1] / "data" / "records"
KINDS = {
    "exact": "tiny/20261129T123837487-9fa751",
    "opaque": "tiny/20261129T123836431-a8bddd",
    "context": "daily/20261129T123835523-1e2f38",
    "several tables": "customers/20261129T123835677-58f6d9",
    "a whole run": "titanic/20261129T123814406-17fc1e",
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Record:
    """A copy: a parity check keeps its result beside the record."""
    folder = tmp_path / request.param
    shutil.copytree(RECORDS / request.param, folder)
    return Record(folder)


def test_an_earlier_record_is_whole(record: Record) -> None:
    assert verify(record) == []
    assert record.status() == "finished"


def test_an_earlier_record_is_repeated_bit_for_bit(record: Record) -> None:
    assert check_parity(record).exact


def test_a_changed_artifact_of_an_earlier_record_is_seen(record: Record) -> None:
    description = record.artifact / "artifact.json"
    content = bytearray(description.read_bytes())
    content[len(content) // 2] ^= 1
    description.write_bytes(content)
    assert verify(record)


def test_an_earlier_artifact_predicts_rows_one_by_one_as_together() -> None:
    folder = RECORDS / KINDS["exact"]
    model, evidence = load_model(folder / "artifact"), read_evidence(folder / "evidence")
    alone = [model.predict_row(row) for row in evidence.inputs.to_pylist()]
    expected = evidence.outputs.column("prediction").to_numpy()
    assert np.asarray(alone).tobytes() == expected.tobytes() == model.predict(evidence.inputs).tobytes()
