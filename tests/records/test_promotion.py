"""A record becomes the champion: pushed and verified first, then named by a pointer; or refused with the reason."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harbours import CLEAN, FULL, clone, commit, compared, finished, git, repository

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import Compared, champion_path, read_champion
from pipeline_lib.records.comparison_kept import kept_files, read_comparison
from pipeline_lib.records.layout import GIT_DIFF, MANIFEST
from pipeline_lib.records.promotion import promote, roll_back
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.reference import find_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.locks import locked


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


def share(project: Project) -> None:
    """Commit a pointer."""
    commit(project.root, "Promote")


def test_a_promoted_record_is_found_in_any_clone(anna: Project, tmp_path: Path) -> None:
    record = finished(anna, 2.5)
    champion = promote(record, anna, reason="lower error: 2.5, \u00fcber alles")
    assert champion == read_champion(anna, "boats")
    assert (champion.record.reference, champion.record.store) == (record.reference, "../store")
    assert champion.record.digest == record.manifest()["digest"]
    assert (champion.by, champion.reason) == ("Anna <anna@example.org>", "lower error: 2.5, \u00fcber alles")
    assert (champion.metrics, champion.parity, champion.previous) == ({"rmse": 2.5}, "exact (9 rows)", None)
    assert find_record("boats@champion", anna) == record
    share(anna)
    ben = clone(anna, tmp_path / "ben")
    fetched = find_record("boats@champion", ben)
    assert fetched == Record(ben.runs / record.reference)
    assert verify(fetched) == []
    shutil.rmtree(tmp_path / "store")
    assert find_record("boats@champion", ben) == fetched  # the store is not asked again


def test_the_pointer_names_the_champion_before(anna: Project) -> None:
    first, second = finished(anna), finished(anna)
    promote(first, anna, reason="first")
    promote(second, anna, reason="second")
    champion = read_champion(anna, "boats")
    assert champion
    assert champion.previous
    assert champion.previous.reference == first.reference
    with pytest.raises(InputError, match=rf"{second.reference}: found it as the champion already, since 2"):
        promote(second, anna, reason="again")


def test_a_store_that_moved_takes_the_champion_again_and_keeps_the_one_before(anna: Project, tmp_path: Path) -> None:
    first, second = finished(anna), finished(anna)
    for record in (first, second):
        promote(record, anna, reason="better")
    (tmp_path / "new").mkdir()
    moved = Project(anna.root, "harbour", anna.notebooks, anna.params, anna.runs, str(tmp_path / "new"))
    champion = promote(second, moved, reason="the store moved")
    assert champion.previous
    assert champion.previous.reference == first.reference
    share(anna)
    shutil.rmtree(tmp_path / "store")
    assert find_record("boats@champion", clone(anna, tmp_path / "ben")).id == second.id


@pytest.mark.parametrize(
    ("facts", "parity", "message"),
    [
        ({"git": None}, FULL, "found a run outside git, expected one of committed files"),
        (
            {"git": {**CLEAN, "untracked": ["nbs/a b.ipynb"]}},
            FULL,
            r"in no commit \(nbs/a b\.ipynb\), expected committed",
        ),
        ({"git": {**CLEAN, "changed": True}}, FULL, r"in no commit \(changed files\), expected committed ones"),
        ({}, None, "found no parity check, expected an exact one with --full; `pipeline-lib parity boats/.* --full`"),
        ({}, {**FULL, "full": False}, "found a parity check of some variations, expected one with --full"),
        ({}, {"exact": True, "text": "of an earlier version"}, "found a parity check of some variations"),
        ({}, {**FULL, "exact": False}, "found parity that differs, expected it exact"),
        ({"status": "failed"}, FULL, "found a run that failed, expected a finished one"),
        ({"sensitive": ["salary"]}, FULL, "found evidence with the sensitive fields salary, .* --include-sensitive"),
    ],
)
def test_what_cannot_be_a_champion_is_refused_and_nothing_is_written(
    anna: Project, tmp_path: Path, facts: dict[str, Any], parity: Any, message: str
) -> None:
    record = finished(anna, parity=parity, **facts)
    with pytest.raises(InputError, match=message):
        promote(record, anna, reason="better")
    assert list((tmp_path / "store").iterdir()) == []
    assert not (anna.root / "champions").exists()


def test_all_reasons_are_named_at_once(anna: Project) -> None:
    record = finished(anna, parity=None, git=None)
    with pytest.raises(InputError) as caught:
        promote(record, anna, reason="better")
    assert len(str(caught.value).splitlines()) == 2


def test_changed_files_are_named_but_pointers_to_champions_do_not_count(anna: Project) -> None:
    difference = (
        "diff --git a/nbs/x y.ipynb b/nbs/x y.ipynb\n+a\ndiff --git a/champions/boats.yml b/champions/boats.yml\n"
    )

    def run(text: str, *untracked: str) -> Record:
        record = create_record(anna.runs, "boats")
        (record.folder / GIT_DIFF).write_text(text)
        git_state = {**CLEAN, "changed": True, "untracked": list(untracked)}
        parts = {"parameters_file": "params/champions/low.yml", "git": git_state}
        seal(record, {"status": "finished", "reference": record.reference, **parts})
        return record

    with pytest.raises(InputError, match=r"in no commit \(.*params/champions/low\.yml\), expected"):
        promote(run("", "params/champions/low.yml", "champions/boats.yml"), anna, reason="better")
    with pytest.raises(InputError, match=r"in no commit \(nbs/x y\.ipynb, b\.py\), expected"):
        promote(run(difference, "b.py"), anna, reason="better")
    only_pointer = run(difference.partition("+a\n")[2], "champions/masts.yml", "house/champions/boats.yml")
    with pytest.raises(InputError) as caught:
        promote(only_pointer, anna, reason="better")
    assert "in no commit" not in str(caught.value)


def test_sensitive_records_are_promoted_and_fetched_on_request_only(anna: Project, tmp_path: Path) -> None:
    record = finished(anna, sensitive=["salary"])
    promote(record, anna, reason="better", include_sensitive=True)
    share(anna)
    ben = clone(anna, tmp_path / "ben")
    with pytest.raises(InputError, match="`pipeline-lib pull boats@champion --include-sensitive` fetches it"):
        find_record("boats@champion", ben)
    assert not ben.runs.exists()


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "\u202eback"])
def test_a_reason_is_one_line_of_text(anna: Project, reason: str) -> None:
    with pytest.raises(InputError, match=r"--reason: found .*, expected one line of text"):
        promote(finished(anna), anna, reason=reason)


def test_a_damaged_or_scratch_record_is_refused(anna: Project) -> None:
    record = finished(anna)
    (record.folder / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match=r"metrics\.json: found other bytes than were sealed"):
        promote(record, anna, reason="better")
    with pytest.raises(InputError, match="found a scratch record"):
        promote(create_record(anna.runs, "boats", scratch=True), anna, reason="better")


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("", "found no store, expected"),
        ("../gone", "found no folder .*gone, expected it"),
        ("runs/x", "found the runs"),
    ],
)
def test_without_a_store_nothing_is_promoted(anna: Project, store: str, message: str) -> None:
    lost = Project(anna.root, "harbour", anna.notebooks, anna.params, anna.runs, store)
    with pytest.raises(InputError, match=message):
        promote(finished(anna), lost, reason="better")
    assert not (anna.root / "champions").exists()


def test_bytes_that_change_on_their_way_make_no_champion(anna: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.records.store.Store.digest", lambda self, path: None)
    with pytest.raises(DifferenceError, match="found other bytes than were sent"):
        promote(finished(anna), anna, reason="better")
    assert read_champion(anna, "boats") is None


KILLED = """
import os, signal, sys
from pathlib import Path
import pipeline_lib.records.promotion as promotion
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import Record

promotion.write_champion = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
project = find_project(Path(sys.argv[1]))
promotion.promote(Record(Path(sys.argv[2])), project, reason="killed")
"""


def test_a_kill_between_push_and_pointer_leaves_the_old_champion_and_can_be_done_again(
    anna: Project, tmp_path: Path
) -> None:
    old, record = finished(anna), finished(anna)
    promote(old, anna, reason="first")
    before = champion_path(anna, "boats").read_bytes()
    command = [sys.executable, "-c", KILLED, str(anna.root), str(record.folder)]
    ended = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # noqa: S603
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "store" / record.reference / MANIFEST).is_file()
    assert champion_path(anna, "boats").read_bytes() == before
    assert [path.name for path in champion_path(anna, "boats").parent.iterdir()] == ["boats.yml"]
    assert find_record("boats@champion", anna) == old
    sent: list[str] = []
    promote(record, anna, reason="again", progress=sent.append)
    assert sent == []  # it was there already, every byte
    assert find_record("boats@champion", anna) == record


def test_a_promotion_that_goes_on_is_not_disturbed(anna: Project) -> None:
    record = finished(anna)
    (anna.root / "champions").mkdir()
    with locked(anna.root / "champions"), pytest.raises(InputError, match="found another promotion that goes on"):
        promote(record, anna, reason="better")
    promote(record, anna, reason="better")


def test_a_rollback_returns_to_the_champion_before(anna: Project, tmp_path: Path) -> None:
    first, second = finished(anna, 1.0), finished(anna, 2.0)
    for record in (first, second):
        promote(record, anna, reason="better")
    share(anna)
    ben = clone(anna, tmp_path / "ben")
    champion = roll_back(ben, "boats", reason="prices were wrong")
    assert (champion.record.reference, champion.rolled_back) == (first.reference, True)
    assert (champion.metrics, champion.by) == ({"rmse": 1.0}, "Ben <ben@example.org>")
    assert champion.previous
    assert champion.previous.reference == second.reference
    assert read_champion(ben, "boats") == champion
    assert find_record("boats@champion", ben).id == first.id
    with pytest.raises(InputError, match=r"found a champion that a rollback made, .* champions boats --history"):
        roll_back(ben, "boats", reason="again")


def test_a_rollback_without_a_champion_before_is_refused(anna: Project) -> None:
    with pytest.raises(InputError, match=r"boats@champion: found no champions/boats\.yml, expected the pointer"):
        roll_back(anna, "boats", reason="why")
    promote(finished(anna), anna, reason="first")
    with pytest.raises(InputError, match="found the first champion, boats/"):
        roll_back(anna, "boats", reason="why")


def test_a_rollback_to_changed_bytes_keeps_the_champion(anna: Project, tmp_path: Path) -> None:
    first, second = finished(anna), finished(anna)
    for record in (first, second):
        promote(record, anna, reason="better")
    share(anna)
    ben = clone(anna, tmp_path / "ben")
    (tmp_path / "store" / first.reference / "metrics.json").write_text(json.dumps({"rmse": 1.5}))
    with pytest.raises(DifferenceError, match="damaged at its address"):
        roll_back(ben, "boats", reason="why")
    assert git(ben.root, "status", "--porcelain") == ""
    roll_back(anna, "boats", reason="why")  # her own record is whole, and mends the one in the store
    assert verify(Record(tmp_path / "store" / first.reference)) == []


def test_a_comparison_that_is_better_or_not_worse_is_reason_enough(anna: Project) -> None:
    first, second, third = finished(anna), finished(anna), finished(anna)
    promote(first, anna, reason="first")
    compared(second, first, "better", "Better: errors are 3 % smaller.")
    champion = promote(second, anna)
    assert champion.reason == "Better: errors are 3 % smaller."
    assert champion.compared == Compared("better", True, "Better: errors are 3 % smaller.")
    assert read_champion(anna, "boats") == champion
    compared(third, second, "cannot tell", "At most 1 % worse.", not_worse=True)
    assert promote(third, anna, reason="new rows").compared == Compared("cannot tell", True, "At most 1 % worse.")


@pytest.mark.parametrize("verdict", ["worse", "cannot tell"])
def test_an_unfavourable_comparison_needs_a_reason_and_is_kept(anna: Project, verdict: str) -> None:
    first, second = finished(anna), finished(anna)
    promote(first, anna, reason="first")
    compared(second, first, verdict, "Errors are 3 % larger.")
    before = champion_path(anna, "boats").read_bytes()
    with pytest.raises(InputError, match=r"found the comparison .* with the champion .* --reason"):
        promote(second, anna)
    assert champion_path(anna, "boats").read_bytes() == before
    champion = promote(second, anna, reason="the law asks for it")
    assert champion.compared == Compared(verdict, False, "Errors are 3 % larger.")


def test_a_comparison_with_another_record_than_the_champion_is_none(anna: Project) -> None:
    first, second, third = finished(anna), finished(anna), finished(anna)
    promote(first, anna, reason="first")
    compared(third, second, "better", "Better than another.")
    with pytest.raises(InputError, match=f"found no comparison with the champion {first.reference}"):
        promote(third, anna)


def test_comparisons_travel_with_a_record_without_rows(anna: Project, tmp_path: Path) -> None:
    first, second = finished(anna), finished(anna)
    compared(second, first, "better", "Better.")
    promote(second, anna, reason="first")
    (sent,) = (tmp_path / "store" / "boats" / ".checks").glob("*/compare-*.json")
    assert "differences" not in json.loads(sent.read_text())
    share(anna)
    ben = clone(anna, tmp_path / "ben")
    fetched = find_record("boats@champion", ben)
    kept = read_comparison(fetched, str(first.manifest()["digest"]))
    assert kept is not None
    assert (kept.verdict, kept.champion) == ("better", first.reference)


def test_a_comparison_in_the_store_that_is_of_another_record_is_not_fetched(anna: Project, tmp_path: Path) -> None:
    first, second = finished(anna), finished(anna)
    compared(second, first, "better", "Better.")
    promote(second, anna, reason="first")
    (sent,) = (tmp_path / "store" / "boats" / ".checks").glob("*/compare-*.json")
    sent.write_text(sent.read_text().replace(str(second.manifest()["digest"]), "0" * 64))
    share(anna)
    fetched = find_record("boats@champion", clone(anna, tmp_path / "ben"))
    assert kept_files(fetched) == []
