"""Parity of a pipeline whose rows need earlier rows: deliveries bring them, and every change of them shows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shop

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence, write_evidence
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.compare_records import compare_records
from pipeline_lib.parity.deliveries import RowsToDeliver, batches_of_7, one_row, shuffled_rows
from pipeline_lib.parity.replay import replay
from pipeline_lib.parity.replay_request import ReplayRequest
from pipeline_lib.parity.result import EDGES
from pipeline_lib.parity.variations import QUICK, VARIATIONS
from pipeline_lib.parity.with_context import context_before, split_parts
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, write_atomic

TRAINED = shop.days(40)
ROWS = shop.days(20, start=40)
TARGET = ROWS["sold"] + 1.0


def record_of(runs: Path) -> Record:
    """A sealed record whose evidence is the days after those of training."""
    record, model = create_record(runs, "shop"), shop.compiled()
    model.save(record.artifact)
    write_evidence(record.evidence, model, ROWS, TARGET, artifact=record.artifact, context=TRAINED)
    write_atomic(record.folder / "environment.json", canonical_json(describe_environment()))
    seal(record, {"status": "finished", "reference": record.reference})
    return record


def repeated(record: Record, *names: str) -> dict[str, dict[str, str]]:
    """The outcomes of deliveries in this process, by name."""
    request = ReplayRequest(str(record.folder), "pipeline_lib", tuple(VARIATIONS[name].task() for name in names))
    return {outcome["variation"]: outcome for outcome in replay(request).outcomes}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return record_of(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def other(tmp_path: Path) -> Record:
    return record_of(tmp_path)


def test_the_evidence_keeps_the_context_that_its_rows_need(record: Record) -> None:
    evidence = read_evidence(record.evidence)
    assert evidence.context is not None
    assert evidence.context.to_pylist() == TRAINED.tail(3).to_dict("records")
    whole = shop.compiled().predict(ROWS, context=TRAINED)
    assert evidence.outputs.column("prediction").to_numpy().tobytes() == whole.tobytes()
    assert evidence.steps["lags"].column("sold_lag_3")[0].as_py() == TRAINED["sold"].iloc[-3]


def test_evidence_without_its_context_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 0 earlier rows, expected at least 3"):
        write_evidence(tmp_path / "evidence", shop.compiled(), ROWS, TARGET)
    with pytest.raises(InputError, match="day: found 2024-02-10 00:00:00 in row 0 after 2024-02-08"):
        write_evidence(tmp_path / "evidence", shop.compiled(), ROWS, TARGET, context=TRAINED.iloc[:-1])
    assert not (tmp_path / "evidence").exists()


def test_every_delivery_repeats_the_record(record: Record) -> None:
    found = check_parity(record)
    assert found.exact, str(found)
    assert {outcome.variation for outcome in found.outcomes} == set(QUICK)
    assert not found.of_verdict("absent"), str(found)
    one = next(outcome for outcome in found.outcomes if outcome.variation == "one row")
    assert one.rows == len(ROWS)


def test_the_last_rows_are_traced_without_gaps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pipeline_lib.evidence.evidence.last_rows", lambda inputs: pa.array(range(12, 20), pa.int64()))
    small = record_of(tmp_path)
    names = ("fresh process", "one row", "batches of 7", "dict", "CSV", "shuffled rows")
    found = repeated(small, *names)
    assert {name: found[name]["verdict"] for name in names} == dict.fromkeys(names, "exact")
    assert found["one row"]["rows"] == 8


def test_one_unit_in_the_context_is_found(other: Record) -> None:
    path = other.evidence / "context.parquet"
    table = pq.read_table(path)
    values = table.column("sold").to_numpy().copy()
    values[0] = np.nextafter(values[0], np.inf)
    pq.write_table(table.set_column(1, table.schema.field("sold"), pa.array(values)), path)
    found = repeated(other, "fresh process", "one row")["fresh process"]
    assert found["verdict"] == "different"
    assert found["divergence"]["step"] == "lags"  # type: ignore[index]
    assert found["divergence"]["row"] == 0  # type: ignore[index]


def test_a_context_that_does_not_come_before_the_rows_is_found(other: Record) -> None:
    path = other.evidence / "context.parquet"
    pq.write_table(pq.read_table(path).slice(0, 2), path)
    with pytest.raises(InputError, match="2 rows of context, not 3"):
        read_evidence(other.evidence)
    path.unlink()
    with pytest.raises(InputError, match=r"context\.parquet"):
        read_evidence(other.evidence)


def test_records_whose_rows_follow_other_rows_differ(other: Record, record: Record) -> None:
    path = other.evidence / "context.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, table.schema.field("sold"), pa.array([1.0, 2.0, 3.0])), path)
    assert compare_records(record, record).section("evidence").same
    section = compare_records(record, other).section("evidence")
    assert not section.same
    assert section.differences[0].startswith("context: column 'sold', row 0")


def test_each_part_gets_the_rows_just_before_it(record: Record, tmp_path: Path) -> None:
    evidence = read_evidence(record.evidence)
    before = context_before(evidence, 0)
    assert before is not None
    sold = pa.concat_tables([before, evidence.inputs]).column("sold").to_pylist()
    rows = RowsToDeliver(pa.concat_tables([before, evidence.inputs]), shop.SCHEMA, tmp_path, before.num_rows)
    for deliver, sizes in ((batches_of_7, [4, 7, 7, 2]), (one_row, [1] * 20), (shuffled_rows, [1] * 20)):
        parts = split_parts(deliver(rows), rows)
        assert [len(part.indexes) for part in parts] == sizes
        assert sorted(index for part in parts for index in part.indexes.tolist()) == list(range(20))
        for part in parts:
            first = int(part.indexes[0])
            assert part.context.column("sold").to_pylist() == sold[first : first + 3]
            assert part.data.column("sold")[0].as_py() == sold[first + 3]


def test_wrong_contexts_are_edge_rows(record: Record) -> None:
    answers = read_evidence(record.evidence).edge_answers
    assert answers is not None
    found = {row["value"]: row["found"] for row in answers.to_pylist() if row["column"] == "(context)"}
    assert found["none"].startswith("found 0 earlier rows")
    assert found["one row too few"].startswith("found 2 earlier rows")
    assert "expected each time once" in found["the last row twice"]
    assert "expected rows in order of time" in found["in reverse"]
    assert "in row 0 and in earlier row -1" in found["with the row itself"]


def test_a_model_that_accepts_a_gap_differs_from_one_that_refuses_it(other: Record) -> None:
    shop.compiled(3).save(other.artifact)
    found = repeated(other, EDGES)[EDGES]
    assert found["verdict"] == "different"
    assert "edge row (context)=" in found["detail"]
    assert load_model(other.artifact).reads == ("sold",)
