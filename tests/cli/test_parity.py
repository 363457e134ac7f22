"""Commands that check a run: what they print, and exit code 1 for a difference."""

import json

import pytest
from command_line import invoke

from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.result import Parity
from pipeline_lib.records.record import Record

DIFFERENCE = Difference("value", "1.0", "2.0", column="size", row=0, rows=1, columns=1)


def test_parity_is_printed_and_shown_afterwards(copy: Record) -> None:
    result = invoke("parity", copy.folder, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["exact"] is True
    assert "parity: exact (293 rows" in invoke("show", copy.folder).output


def test_what_can_never_be_promoted_is_said_before_the_long_check(
    houses_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pipeline_lib.parity.check.check_parity", lambda record, **options: Parity(record.reference, 3, None, {})
    )
    problem = "found a run of files that are in no commit (a.py), expected committed ones"
    for module in ("promotable", "next_step"):
        monkeypatch.setattr(f"pipeline_lib.records.{module}.source_problem", lambda record: problem)
    result = invoke("parity", houses_record.folder, "--full")
    assert result.stderr == f"note: this record can never be promoted, whatever this check finds: {problem}\n"
    assert result.stdout.endswith("then pipeline-lib run params/houses.yml --force\n")
    assert "never be promoted" not in invoke("parity", houses_record.folder).stderr
    for module in ("promotable", "next_step"):
        monkeypatch.setattr(f"pipeline_lib.records.{module}.source_problem", lambda record: None)
    committed = invoke("parity", houses_record.folder, "--full")
    assert committed.stderr == ""
    assert committed.stdout.endswith(f"next: pipeline-lib promote {houses_record.reference} --reason 'WHY'\n")


def test_a_difference_in_parity_ends_with_1(houses_record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    different = Parity("houses/1", 3, None, {"scale": DIFFERENCE})
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: different)
    result = invoke("parity", houses_record.folder)
    assert result.exit_code == 1
    assert "parity: DIFFERENT" in result.output


def test_verify_ends_with_1_for_a_changed_byte(copy: Record) -> None:
    assert "every byte is as it was sealed" in invoke("verify", copy.folder).output
    assert json.loads(invoke("verify", copy.folder, "--json").output)["problems"] == []
    copy.report.write_text("other")
    result = invoke("verify", copy.folder)
    assert result.exit_code == 1
    assert "report.html: found other bytes" in result.output
    as_json = invoke("verify", copy.folder, "--json")
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.output)["problems"]) == 1
