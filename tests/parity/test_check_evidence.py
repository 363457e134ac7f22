"""Artifact, evidence and edge answers belong together; an exchanged one is named."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny import small_record

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.edge_answers import EDGE_ANSWERS
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.result import ARTIFACT, EDGES
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return small_record(tmp_path)


def sealed_again(record: Record) -> Record:
    """The record with its files as they now are."""
    seal(record, {"status": "finished", "reference": record.reference})
    return record


def test_edge_rows_are_answered_again_in_the_quick_check(record: Record) -> None:
    [_, edges] = check_parity(record, variations=[EDGES]).outcomes
    assert (edges.verdict, edges.rows) == ("exact", len(set(map(tuple, edges_of(record)))))


def edges_of(record: Record) -> list[list[str]]:
    table = pq.read_table(record.evidence / EDGE_ANSWERS)
    return [list(pair) for pair in zip(table["column"].to_pylist(), table["value"].to_pylist(), strict=True)]


def test_another_answer_at_an_edge_is_named_by_column_and_step(record: Record) -> None:
    path = record.evidence / EDGE_ANSWERS
    table = pq.read_table(path)
    changed = table.to_pylist()
    index = next(number for number, row in enumerate(changed) if row["step"] == "scale" and row["column"] == "size")
    changed[index]["found"] = "0.25"
    pq.write_table(pa.Table.from_pylist(changed, table.schema), path)
    found = check_parity(sealed_again(record))
    [outcome] = found.of_verdict("different")
    assert outcome.variation == EDGES
    assert outcome.detail.startswith(f"edge row size={changed[index]['value']}: step scale: column ")
    assert "expected 0.25, found" in outcome.detail
    assert not found.exact
    assert f"DIFFERENT  {EDGES}: edge row size=" in str(found)


def test_edges_of_sensitive_columns_are_not_shown(tmp_path: Path) -> None:
    record = small_record(tmp_path, sensitive="size")
    path = record.evidence / EDGE_ANSWERS
    table = pq.read_table(path)
    pq.write_table(table.set_column(4, table.schema.field(4), pa.array(["0.25"] * table.num_rows)), path)
    [outcome] = check_parity(sealed_again(record)).of_verdict("different")
    assert outcome.detail.endswith("edge rows differ; which is hidden, as Row has sensitive columns")


def test_removed_edge_answers_are_missed(record: Record) -> None:
    (record.evidence / EDGE_ANSWERS).unlink()
    with pytest.raises(InputError, match=r"incomplete evidence \(0 answers of edge rows \(probes\), not \d+\)"):
        check_parity(sealed_again(record))


def test_another_artifact_is_named_even_where_no_bit_differs(record: Record) -> None:
    path = record.artifact / "artifact.json"
    path.write_bytes(path.read_bytes() + b"\n")
    [outcome] = check_parity(sealed_again(record)).of_verdict("different")
    assert outcome.variation == ARTIFACT
    assert outcome.detail.startswith("artifact/artifact.json: found other bytes, expected those that made the evidence")


def test_evidence_without_digests_of_its_artifact_is_named(record: Record) -> None:
    path = record.evidence / "evidence.json"
    description = json.loads(path.read_bytes())
    description["artifact"] = {}
    path.write_bytes(canonical_json(description))
    [outcome] = check_parity(sealed_again(record), variations=["dict"]).of_verdict("different")
    assert outcome.detail.startswith("evidence.json: found no digests of the artifact")


def test_empty_edge_answers_are_named(record: Record) -> None:
    pq.write_table(pq.read_table(record.evidence / EDGE_ANSWERS).slice(0, 0), record.evidence / EDGE_ANSWERS)
    path = record.evidence / "evidence.json"
    path.write_bytes(canonical_json(json.loads(path.read_bytes()) | {"probes": 0}))
    [outcome] = check_parity(sealed_again(record), variations=[EDGES]).of_verdict("different")
    assert outcome.detail.startswith(f"found no rows in {EDGE_ANSWERS}, expected some for 3 columns")


def test_the_least_integer_is_a_number_like_any_other(tmp_path: Path) -> None:
    model = load_model(small_record(tmp_path).artifact)
    row = {"size": 1.0, "rooms": -(2**63), "built": 1.0}
    assert model.trace_row(row)["scale"]["rooms"] < 0
    assert model.predict_row(row) == model.predict([row])[0]


def test_a_step_that_is_missing_in_the_evidence_is_named(record: Record) -> None:
    path = record.evidence / "evidence.json"
    description = json.loads(path.read_bytes())
    description["steps"] = []
    path.write_bytes(canonical_json(description))
    [outcome, *_] = check_parity(sealed_again(record)).of_verdict("different")
    assert outcome.divergence
    assert outcome.divergence.step == "scale"
