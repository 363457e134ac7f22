"""Production repeats the houses run bit for bit, and the check sees the smallest change."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.variations import FULL, QUICK
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.seal import seal, verify

FRESH = ("fresh process",)


def reseal(record: Record, status: str = "finished") -> None:
    kept = {key: value for key, value in record.manifest().items() if key not in ("digest", "files")}
    seal(record, {**kept, "status": status})


def nudge(path: Path) -> None:
    """Move the fourth value of the last column by one unit in the last place."""
    table = pq.read_table(path)
    values = table.column(table.num_columns - 1).to_numpy().copy()
    values[3] = np.nextafter(values[3], np.inf)
    pq.write_table(table.set_column(table.num_columns - 1, table.column_names[-1], pa.array(values)), path)


def test_production_repeats_the_record(houses_record: Record) -> None:
    found = check_parity(houses_record, variations=FRESH)
    assert found.exact, str(found)
    assert found.rows == 293
    assert len(found.steps) == 15
    assert verify(houses_record) == []  # the result is next to the record, not in it


def test_every_delivery_repeats_the_record_and_the_result_is_kept(copy: Record) -> None:
    found = check_parity(copy)
    assert {outcome.variation for outcome in found.outcomes} == set(QUICK)
    assert not found.of_verdict("different"), str(found)
    assert not found.of_verdict("absent"), str(found)
    assert not found.of_verdict("lossy"), str(found)  # no raw column of houses has a value that these lose
    kept = json.loads((checks_folder(copy) / "parity.json").read_bytes())
    assert (kept["exact"], kept["rows"], kept["text"]) == (True, 293, str(found))
    assert [each["variation"] for each in kept["variations"]] == list(QUICK)
    assert "one row" in (checks_folder(copy) / "parity.html").read_text()


@pytest.mark.slow
def test_every_process_repeats_the_record_too(copy: Record) -> None:
    found = check_parity(copy, variations=FULL)
    assert found.exact, str(found)
    ran = [outcome for outcome in found.outcomes if outcome.proof]
    assert len(ran) >= 8, str(found)


def test_one_unit_in_the_last_place_is_found(copy: Record) -> None:
    nudge(copy.evidence / "outputs.parquet")
    reseal(copy)
    found = check_parity(copy, variations=FRESH)
    assert not found.exact
    assert found.outputs is not None
    assert (found.outputs.column, found.outputs.row, found.outputs.ulps) == ("prediction", 3, 1)
    assert "DIFFERENT" in str(found)
    assert "outputs: column 'prediction', row 3" in str(found)
    assert "1 ULP apart" in str(found)


def test_one_unit_in_an_intermediate_column_is_found(copy: Record) -> None:
    nudge(copy.evidence / "step_14.parquet")
    reseal(copy)
    found = check_parity(copy, variations=FRESH)
    assert not found.exact
    assert found.outputs is None
    assert [name for name, difference in found.steps.items() if difference] == ["scale"]
    assert "step scale: column" in str(found)


def test_two_swapped_rows_are_found(copy: Record) -> None:
    path = copy.evidence / "outputs.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take([1, 0, *range(2, table.num_rows)]), path)
    reseal(copy)
    found = check_parity(copy, variations=FRESH)
    assert found.outputs is not None
    assert (found.outputs.column, found.outputs.row, found.outputs.rows) == ("prediction", 0, 2)


def edit_plan(record: Record, operation: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the settings of the last node of an operation in the artifact, and seal the record again."""
    path = record.artifact / "artifact.json"
    description = json.loads(path.read_bytes())
    node = [node for node in description["nodes"] if node["operation"] == operation][-1]
    edit(node["settings"])
    path.write_text(json.dumps(description))
    reseal(record)


def nudge_weight(settings: dict[str, Any]) -> None:
    settings["weights"][0] = float(np.nextafter(settings["weights"][0], np.inf))


def drop_category(settings: dict[str, Any]) -> None:
    del settings["keys"][0], settings["values"][0]


@pytest.mark.parametrize(
    ("operation", "edit", "named"),
    [("dot", nudge_weight, "outputs: column 'prediction'"), ("lookup", drop_category, "step ")],
)
def test_a_changed_artifact_is_found(
    copy: Record, operation: str, edit: Callable[[dict[str, Any]], None], named: str
) -> None:
    edit_plan(copy, operation, edit)
    found = check_parity(copy, variations=FRESH)
    assert not found.exact
    assert named in str(found)


def test_changed_bytes_are_refused(copy: Record) -> None:
    nudge(copy.evidence / "outputs.parquet")
    with pytest.raises(InputError, match=r"evidence/outputs\.parquet: found other bytes"):
        check_parity(copy, variations=FRESH)


def test_a_failed_record_is_refused(copy: Record) -> None:
    reseal(copy, status="failed")
    with pytest.raises(InputError, match="record that is failed"):
        check_parity(copy, variations=FRESH)


def test_an_artifact_that_does_not_load_is_a_failure(copy: Record) -> None:
    (copy.artifact / "arrays.npz").write_bytes(b"no zip")
    reseal(copy)
    with pytest.raises(RunError, match=r"fresh process failed: .*damaged artifact"):
        check_parity(copy, variations=FRESH)
