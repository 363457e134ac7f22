"""Every change of a sealed record is reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from tools.faults.tampering import TAMPERINGS, flipped_bits


@pytest.fixture
def small(tmp_path: Path) -> Record:
    """A sealed record of a few small files."""
    record = create_record(tmp_path / "runs", "houses")
    record.artifact.mkdir()
    (record.artifact / "model.json").write_bytes(b'{"weights": [1.0, 2.0]}\n' * 9)
    (record.folder / METRICS).write_bytes(b'{"rmse": 1.5}\n')
    seal(record, {"status": "finished", "reference": record.reference})
    return record


def test_one_bit_at_any_of_500_places_is_found(small: Record) -> None:
    assert verify(small) == []
    bytes_found = list(dict.fromkeys(position for position in flipped_bits(small, 500, seed=0) if verify(small)))
    assert len(bytes_found) == len(set(flipped_bits(small, 500, seed=0)))
    assert verify(small) == []


@pytest.mark.slow
def test_one_bit_at_any_of_500_places_of_a_real_record_is_found(copy: Record) -> None:
    assert verify(copy) == []
    assert [position for position in flipped_bits(copy, 500, seed=0) if not verify(copy)] == []
    assert verify(copy) == []


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
def test_every_tampering_is_refused(small: Record, tamper: Callable[[Record], object]) -> None:
    assert verify(small) == []
    tamper(small)
    assert verify(small)


def test_there_are_eleven_tamperings() -> None:
    assert len(TAMPERINGS) == 11
