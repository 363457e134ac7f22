"""A retraining proposes a better record by a branch, whatever kills it on the way, and touches nothing else."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harbours import FULL, clone, commit, compared, finished, git, repository_with_champion

from pipeline_lib.comparison import retrain as module
from pipeline_lib.comparison.late_labels import LateLabels
from pipeline_lib.comparison.retrain import RetrainOptions, branch_name, retrain
from pipeline_lib.comparison.retraining import Retraining
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project import git_branch
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import champion_path, parse_champion
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.record import Record, all_records, checks_folder, create_record
from pipeline_lib.runner.cache.lookup import CachedRun
from pipeline_lib.system.files import canonical_json

DAY = date(2026, 11, 30)
BRANCH = branch_name("boats", DAY)
STEPS = ("_run", "_check_parity", "compare", "push", "pointer_content", "write_branch")
"""What a retraining calls one after another."""


def parity_in_full(record: Record, **_: Any) -> Any:
    """An exact check, without the check."""
    path = checks_folder(record)
    path.mkdir(parents=True, exist_ok=True)
    (path / PARITY).write_bytes(canonical_json(FULL))
    return SimpleNamespace(to_json=lambda: FULL)


class Fakes:
    """What stands for a kernel, for parity and for the comparison of two models."""

    def __init__(self, project: Project, verdict: str = "better", *, not_worse: bool = False) -> None:
        self.project, self.verdict, self.not_worse, self.seconds = project, verdict, not_worse, 0.0

    def run(self, request: Any, began_ns: int, options: RetrainOptions) -> Record:
        time.sleep(self.seconds)
        return finished(self.project, 0.5, parity=None, retrained=options.as_of.isoformat())

    def compare(self, champion: Record, challenger: Record, **_: Any) -> Any:
        compared(challenger, champion, self.verdict, f"It is {self.verdict}.", not_worse=self.not_worse)
        answer = SimpleNamespace(verdict=self.verdict, sentence=f"It is {self.verdict}.", not_worse=self.not_worse)
        return SimpleNamespace(answers=[answer])

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put them in place of what they stand for."""
        request = SimpleNamespace(sensitive=(), overrides=())
        monkeypatch.setattr(module, "check_request", lambda *_: request)
        monkeypatch.setattr(module, "lookup", lambda *_: CachedRun(None))
        monkeypatch.setattr(module, "_overrides", lambda *_: ())
        monkeypatch.setattr(module, "_run", self.run)
        monkeypatch.setattr(module, "check_parity", parity_in_full)
        monkeypatch.setattr(module, "compare", self.compare)


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    """A clean checkout with a champion."""
    return repository_with_champion(tmp_path / "anna")


@pytest.fixture
def fakes(anna: Project, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    fakes = Fakes(anna)
    fakes.install(monkeypatch)
    return fakes


def again(project: Project, **options: Any) -> Retraining:
    return retrain(project, "boats", RetrainOptions(DAY, **options))


def retrained(project: Project) -> list[Record]:
    """Finished runs of the date."""
    records = [record for record in all_records(project.runs) if record.status() == "finished"]
    return [record for record in records if record.manifest().get("retrained") == DAY.isoformat()]


def checkout(project: Project) -> list[str]:
    """What a retraining must not touch."""
    questions = (["rev-parse", "HEAD"], ["symbolic-ref", "HEAD"], ["ls-files", "--stage"], ["status", "--porcelain"])
    return [git(project.root, *question) for question in questions]


def check_proposed(project: Project, result: Retraining) -> None:
    """One record of the date, in the store, which one commit on the branch names."""
    (record,) = retrained(project)
    assert (result.record, result.branch) == (record.reference, BRANCH)
    assert git(project.root, "rev-list", "--count", f"main..{BRANCH}") == "1\n"
    content = git(project.root, "show", f"{BRANCH}:champions/boats.yml").encode()
    champion = parse_champion(content, "boats", "pointer", project.root)
    assert champion.record.digest == record.manifest()["digest"]
    assert champion.compared is not None
    assert champion.compared.sentence == result.sentence
    assert (project.root.parent / "store" / record.reference / "manifest.json").is_file()


def test_a_better_record_is_proposed_and_the_checkout_stays(anna: Project, fakes: Fakes) -> None:
    before = checkout(anna)
    result = again(anna)
    assert (result.exit_code, result.known, result.sentence) == (0, False, "It is better.")
    check_proposed(anna, result)
    assert checkout(anna) == before
    git(anna.root, "merge", "--quiet", "--ff-only", BRANCH)
    pointer = champion_path(anna, "boats").read_text()
    assert f"reference: {result.record}\n" in pointer


@pytest.mark.parametrize(
    ("verdict", "not_worse", "code"),
    [("no difference", True, 10), ("cannot tell", True, 10), ("worse", False, 11), ("cannot tell", False, 12)],
)
def test_the_exit_code_tells_the_verdict(anna: Project, fakes: Fakes, verdict: str, not_worse: bool, code: int) -> None:
    fakes.verdict, fakes.not_worse = verdict, not_worse
    result = again(anna)
    assert result.exit_code == code
    assert (result.branch is not None) == (code == 10)
    assert bool(git(anna.root, "branch", "--list", BRANCH)) == (code == 10)
    assert (anna.root.parent / "store" / result.record).exists() == (code == 10)
    assert again(anna).record == result.record  # found, not run again
    assert len(retrained(anna)) == 1


def test_a_second_call_finds_the_branch_here_and_in_a_clone(anna: Project, fakes: Fakes, tmp_path: Path) -> None:
    first = again(anna)
    for project in (anna, clone(anna, tmp_path / "ben")):
        second = again(project)
        assert second.known
        assert (second.record, second.branch, second.exit_code) == (first.record, BRANCH, 0)
        assert git(project.root, "rev-list", "--count", f"main..{BRANCH}") == "1\n"  # so that it can be pushed
    forced = again(anna, force=True)
    assert forced.record != first.record
    assert git(anna.root, "rev-list", "--count", f"main..{BRANCH}") == "1\n"
    later = retrain(anna, "boats", RetrainOptions(date(2026, 12, 7)))
    assert later.record not in (first.record, forced.record)


def test_a_branch_that_a_forced_call_does_not_replace_is_named(anna: Project, fakes: Fakes) -> None:
    said: list[str] = []
    first = again(anna, progress=said.append)
    assert said == []
    fakes.verdict, fakes.not_worse = "cannot tell", False
    second = again(anna, force=True, progress=said.append)
    assert (second.branch, first.branch) == (None, BRANCH)
    assert any(f"branch {BRANCH} of an earlier call is still there" in line for line in said)
    git(anna.root, "branch", "-D", BRANCH)
    said.clear()
    assert again(anna, force=True, progress=said.append).branch is None
    assert said == []


def test_once_the_branch_is_merged_there_is_nothing_to_propose(anna: Project, fakes: Fakes) -> None:
    first = again(anna)
    git(anna.root, "merge", "--quiet", "--ff-only", BRANCH)
    fakes.verdict = "no difference"  # of a record with itself
    second = again(anna)
    assert (second.record, second.champion) == (first.record, first.record)
    assert (second.branch, second.exit_code) == (None, 10)
    assert len(retrained(anna)) == 1


def test_a_branch_against_an_earlier_champion_does_not_count(anna: Project, fakes: Fakes) -> None:
    first = again(anna)
    promote(finished(anna), anna, reason="another one was better")
    commit(anna.root)
    second = again(anna)
    assert not second.known
    assert second.record == first.record  # its run still counts
    assert git(anna.root, "rev-parse", f"{BRANCH}^") == git(anna.root, "rev-parse", "main")


def test_the_run_has_the_parameters_of_the_champion_and_the_date(
    anna: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ["alpha=0.5", "as_of=2026-11-23"]
    champion = finished(anna, overrides=overrides)
    fields: dict[str, object] = {"alpha": None}
    params = SimpleNamespace(model_fields=fields)
    monkeypatch.setattr(Project, "import_pipeline", lambda *_: SimpleNamespace(Params=params))
    said: list[str] = []
    today = RetrainOptions(DAY, today=True, progress=said.append)
    assert module._overrides(anna, champion, today) == ("alpha=0.5",)
    assert said == ["boats has no parameter as_of: its rows are those that load finds now"]
    with pytest.raises(InputError, match=r"found --as-of 2026-11-30 and no parameter as_of in Params of boats"):
        module._overrides(anna, champion, RetrainOptions(DAY))
    fields["as_of"] = None
    assert module._overrides(anna, champion, RetrainOptions(DAY)) == ("alpha=0.5", "as_of=2026-11-30")


@contextmanager
def forked(work: Callable[[], int]) -> Iterator[int]:
    """A child process that does some work and exits with its result."""
    child = os.fork()
    if not child:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    yield child


def kill_at(monkeypatch: pytest.MonkeyPatch, place: str, *, after: bool) -> None:
    """Kill the process with SIGKILL as it calls a function, or once the function is done."""
    home = module if hasattr(module, place) else git_branch
    original = getattr(home, place)

    def killed(*given: Any, **options: Any) -> Any:
        result = original(*given, **options) if after else None
        if place != "_git" or given[1] == "update-ref":
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*given, **options) if result is None else result

    monkeypatch.setattr(home, place, killed)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", [*STEPS, "_git"])
def test_a_retraining_that_was_killed_goes_on_where_it_stopped(
    anna: Project, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, place: str, after: bool
) -> None:
    before = checkout(anna)

    def work() -> int:
        kill_at(monkeypatch, place, after=after)
        return again(anna).exit_code

    with forked(work) as child:
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    runs = retrained(anna)
    assert len(runs) == (0 if place == "_run" and not after else 1)
    result = again(anna)
    check_proposed(anna, result)
    assert runs in ([], retrained(anna))
    assert result.known == (after and place in ("write_branch", "_git"))
    assert checkout(anna) == before


def test_a_run_that_was_killed_is_made_again(anna: Project, fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> int:
        def half(*_: Any) -> Record:
            create_record(anna.runs, "boats", facts={"retrained": DAY.isoformat()})
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("a killed process goes on")

        monkeypatch.setattr(module, "_run", half)
        return again(anna).exit_code

    with forked(work) as child:
        os.waitpid(child, 0)
    assert [record.status() for record in all_records(anna.runs)] == ["finished", "killed"]
    check_proposed(anna, again(anna))


def test_two_retrainings_at_once_make_one_run(anna: Project, fakes: Fakes) -> None:
    fakes.seconds = 0.5
    with forked(lambda: again(anna).exit_code) as one, forked(lambda: 7 * again(anna).known) as other:
        codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in (one, other)}
    assert codes in ({0, 7}, {0})  # 7 where the second one waited and found what the first did
    check_proposed(anna, again(anna))


def test_files_in_no_commit_are_refused_and_other_pointers_are_not(anna: Project, fakes: Fakes) -> None:
    (anna.root / "champions" / "masts.yml").write_text("being promoted")
    assert again(anna).exit_code == 0
    (anna.root / "notes.py").write_text("x = 1")
    with pytest.raises(InputError, match=r"found files that are in no commit \(notes\.py\), expected a clean checkout"):
        again(anna, force=True)
    (anna.root / "notes.py").unlink()
    promote(finished(anna), anna, reason="by hand")
    with pytest.raises(InputError, match=r"in no commit \(champions/boats\.yml\)"):
        again(anna)
    assert len(retrained(anna)) == 1


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        ({"margin": -1.0}, "--margin: found -1.0"),
        ({"volume": 0.0}, "--volume: found 0"),
        ({"on": "absent.csv"}, "absent.csv: found no such file"),
        ({"on": __file__.replace(".py", ".csv"), "labels": LateLabels("late.csv", "id", DAY)}, "found no such file"),
    ],
)
def test_what_the_comparison_cannot_take_is_refused_before_anything_runs(
    anna: Project, fakes: Fakes, comparison: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        again(anna, comparison=comparison)
    assert retrained(anna) == []
    assert again(anna, comparison={"margin": 1.0}).verdict == "better"


def test_without_git_a_champion_or_exact_parity_nothing_is_proposed(
    anna: Project, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"masts@champion: found no champions/masts\.yml"):
        retrain(anna, "masts", RetrainOptions(DAY))
    monkeypatch.setitem(FULL, "exact", False)
    with pytest.raises(DifferenceError, match="found parity that differs, expected it exact; `pipeline-lib show boats"):
        again(anna)
    assert git(anna.root, "branch", "--list", BRANCH) == ""
    (tmp_path / "alone").mkdir()
    outside = Project(tmp_path / "alone", "harbour", anna.notebooks, anna.params, anna.runs, "../store")
    with pytest.raises(InputError, match=r"found no commit in .*, expected a git repository"):
        retrain(outside, "boats", RetrainOptions(DAY))
