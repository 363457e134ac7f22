"""What comes after a run, named as a command for this run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harbours import compared, point_to, repository
from harbours import finished as harbour_run

from pipeline_lib.records.next_step import next_step
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal

COMMITTED = {"changed": False, "untracked": []}
EXACT = {"exact": True}


@pytest.fixture
def finished(tmp_path: Path) -> Callable[..., Record]:
    """A sealed record of the pipeline boats, with these entries of the manifest."""

    def make(**manifest: Any) -> Record:
        record = create_record(tmp_path / "runs", "boats")
        entries = {"status": "finished", "parameters_file": "params/boats.quick.yml", "git": COMMITTED, **manifest}
        seal(record, {"reference": record.reference, **entries})
        return record

    return make


def test_each_step_names_the_next_one(finished: Callable[..., Record]) -> None:
    record = finished()
    name = record.reference
    assert next_step(record, None) == f"next: pipeline-lib parity {name}"
    assert next_step(record, EXACT) == f"next: pipeline-lib parity {name} --full"
    assert next_step(record, EXACT | {"full": True}) == f"next: pipeline-lib promote {name} --reason 'WHY'"
    assert "then pipeline-lib run params/boats.quick.yml" in next_step(record, {"exact": False})


def test_where_there_is_a_champion_it_is_compared_first(tmp_path: Path) -> None:
    project = repository(tmp_path / "anna")
    champion, record, worse = (harbour_run(project) for _ in range(3))
    full = EXACT | {"full": True}
    point_to(project, champion)
    assert next_step(record, full) == f"next: pipeline-lib compare {champion.reference} {record.reference}"
    assert next_step(champion, full) == f"next: pipeline-lib promote {champion.reference} --reason 'WHY'"
    compared(record, champion, "better", "Better.")
    compared(worse, champion, "worse", "Worse.")
    assert next_step(record, full) == f"next: pipeline-lib promote {record.reference}"
    assert next_step(worse, full) == f"next: pipeline-lib promote {worse.reference} --reason 'WHY'"
    (project.root / "champions" / "boats.yml").write_text("broken")
    assert next_step(record, full) == f"next: pipeline-lib promote {record.reference} --reason 'WHY'"


def test_a_run_of_files_in_no_commit_is_to_be_made_again(finished: Callable[..., Record]) -> None:
    for git in (None, COMMITTED | {"untracked": ["a.py"]}):
        assert next_step(finished(git=git), EXACT | {"full": True}) == (
            "next: to promote it, commit its files first, then pipeline-lib run params/boats.quick.yml --force"
        )
