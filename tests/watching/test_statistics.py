"""Statistics travel with the artifact: none of sensitive or unread columns; artifacts without them still load."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import watched

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import canonical_json
from pipeline_lib.watching.statistics import (
    STATISTICS,
    read_statistics,
    training_statistics,
    write_statistics,
)

RECORDS = Path(__file__).parents[1] / "data" / "records"


def test_columns_that_are_read_and_not_sensitive_have_statistics(tmp_path: Path) -> None:
    write_statistics(tmp_path, watched.statistics())
    values = json.loads((tmp_path / STATISTICS).read_bytes())
    assert list(values["columns"]) == ["heated", "notes", "rooms", "size", "sold", "zone"]
    assert values["columns"]["notes"]["kind"] == "length"
    assert b"owner" not in (tmp_path / STATISTICS).read_bytes()
    assert list(values["outputs"]) == ["prediction", "probability[yes]"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    known = watched.statistics()
    write_statistics(tmp_path, known)
    read = read_statistics(tmp_path)
    assert read is not None
    assert read.to_json() == known.to_json()


def test_the_order_of_the_rows_does_not_matter() -> None:
    table = watched.rows(500)
    other = table.take(pa.array(np.random.default_rng(0).permutation(500)))
    one, two = (training_statistics(each, watched.ROW, watched.READS) for each in (table, other))
    assert canonical_json(one.to_json()) == canonical_json(two.to_json())
    assert canonical_json(one.to_json()) != canonical_json(
        training_statistics(table.slice(1), watched.ROW, watched.READS).to_json()
    )


def test_extreme_numbers_are_written(tmp_path: Path) -> None:
    table = pa.table({"x": [1.7976931348623157e308, -5e-324, float("inf"), -0.0]})
    known = training_statistics(table, RowSchema((Column("x", "number"),)), ("x",))
    write_statistics(tmp_path, known)
    read = read_statistics(tmp_path)
    assert read is not None
    assert read.to_json() == known.to_json()
    assert read.columns["x"].bins.largest == 1.7976931348623157e308


def test_an_artifact_without_statistics_has_none_and_loads() -> None:
    folder = next(RECORDS.glob("tiny/*/artifact"))
    assert read_statistics(folder) is None
    assert load_model(folder).reads


def test_a_record_with_statistics_verifies_and_one_with_others_does_not(tmp_path: Path) -> None:
    record = watched.watched(tmp_path)
    assert verify(Record(record.folder)) == []
    load_model(record.artifact)
    path = record.artifact / STATISTICS
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"missing": 0', b'"missing": 1', 1))
    assert any(STATISTICS in problem for problem in verify(Record(record.folder)))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"columns": None},
        {"columns": {"a": {"kind": "odd"}}},
        {"columns": {"a": {"kind": "number", "counts": [1], "missing": 0, "invalid": 0, "edges": [1.0], "largest": 2}}},
        {"columns": {"a": {"kind": "text", "counts": [1, 2], "missing": 0, "invalid": 0, "names": ["a"]}}},
    ],
)
def test_damaged_statistics_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    values = {**watched.statistics(50).to_json(), **change}
    (tmp_path / STATISTICS).write_bytes(canonical_json(values))
    with pytest.raises(InputError, match=r"statistics\.json: found .*expected statistics of format 1; .*run again"):
        read_statistics(tmp_path)
    (tmp_path / STATISTICS).write_bytes(b"{")
    with pytest.raises(InputError, match=r"found a damaged file .*run again"):
        read_statistics(tmp_path)
