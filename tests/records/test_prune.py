"""Which runs can go, and that nothing else goes."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_records import dated_record

from pipeline_lib.cli import main as cli
from pipeline_lib.errors import InputError
from pipeline_lib.project.keep_runs import KeepRuns
from pipeline_lib.project.project import Project
from pipeline_lib.records.prune import find_old_runs, remove
from pipeline_lib.records.record import Record, all_records, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.locks import locked


def sealed(runs: Path, pipeline: str = "boats", status: str = "finished", **facts: str) -> Record:
    record = create_record(runs, pipeline)
    (record.folder / "notes.txt").write_text("twelve bytes")
    seal(record, {"status": status, "reference": record.reference, **facts})
    return record


def old_runs(runs: Path, keep: int, pipeline: str | None = None) -> list[Record]:
    return [run.record for run in find_old_runs(runs, keep, pipeline)]


def test_the_newest_finished_runs_stay_with_whatever_is_newer(tmp_path: Path) -> None:
    first, failed, second, third = (
        sealed(tmp_path, status=status) for status in ("finished", "failed", "finished", "finished")
    )
    killed = create_record(tmp_path, "boats")
    other = sealed(tmp_path, "masts")
    assert old_runs(tmp_path, 1) == [first, failed, second]
    assert old_runs(tmp_path, 2) == [first, failed]
    assert old_runs(tmp_path, 3) == []
    assert old_runs(tmp_path, 1, "masts") == []
    newest = sealed(tmp_path, "masts")
    assert old_runs(tmp_path, 1, "masts") == [other]
    assert {third, killed, newest}.isdisjoint(old_runs(tmp_path, 1))


def test_a_killed_run_goes_a_running_or_a_damaged_one_stays(tmp_path: Path) -> None:
    running, killed, damaged = (create_record(tmp_path, "boats") for _ in range(3))
    (damaged.folder / "manifest.json").write_text("{")
    sealed(tmp_path)
    with locked(running.folder):
        (old,) = find_old_runs(tmp_path, 1)
        assert (old.record, old.status) == (killed, "killed")
        with pytest.raises(InputError, match="found a run that goes on"):
            remove(running)
    assert running.folder.is_dir()


def test_without_finished_runs_nothing_goes(tmp_path: Path) -> None:
    for _ in range(3):
        sealed(tmp_path, status="failed")
    assert old_runs(tmp_path, 1) == []
    with pytest.raises(InputError, match="no runs of 'masts'"):
        find_old_runs(tmp_path, 1, "masts")


def test_each_pipeline_keeps_its_number_and_one_without_a_number_keeps_all(tmp_path: Path) -> None:
    boats, masts, sails = ([sealed(tmp_path, name) for _ in range(3)] for name in ("boats", "masts", "sails"))
    found = [run.record for run in find_old_runs(tmp_path, KeepRuns(None, (("boats", 1), ("masts", 2))))]
    assert found == [*boats[:2], masts[0]]
    assert [run.record for run in find_old_runs(tmp_path, KeepRuns(1, (("boats", 3),)))] == [*masts[:2], *sails[:2]]


def test_runs_younger_than_a_time_stay(tmp_path: Path) -> None:
    project = Project(tmp_path, "harbour", tmp_path / "nbs", tmp_path / "params", tmp_path)
    old = dated_record(project, "boats", 1, "finished")
    young, newest = sealed(tmp_path), sealed(tmp_path)
    everything = [run.record for run in find_old_runs(tmp_path, 1)]
    assert everything == [old, young]
    assert [run.record for run in find_old_runs(tmp_path, 1, younger_stay=timedelta(hours=1))] == [old]
    assert newest not in everything


def test_prune_follows_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "settings.ini"
    names = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path, "harbour", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")
    old, young = dated_record(project, "boats", 1, "finished"), sealed(tmp_path / "runs")
    newest = sealed(tmp_path / "runs")

    def prune(*arguments: str) -> str:
        result = CliRunner().invoke(cli.commands, ["prune", *arguments])
        return result.stdout + str(result.exception or "")

    settings.write_text(names)
    assert "found no keep and no --keep" in prune()
    settings.write_text(f"{names}keep = boast 1\n")
    assert "keep: found 'boast', expected a pipeline" in prune()
    settings.write_text(f"{names}keep = boats 1\n")
    assert prune("--yes").startswith(f"removed {old.reference}")
    assert all_records(tmp_path / "runs") == [young, newest]
    assert "would remove" in prune("--keep", "1")  # asked for by hand, a young run may go


def test_prune_only_lists_without_yes_and_removes_the_checks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(names)
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    old, new = sealed(runs), sealed(runs)
    for record in (old, new):
        checks_folder(record).mkdir(parents=True)
        (checks_folder(record) / "parity.json").write_text("{}")
    kept = checks_folder(new)
    listed = CliRunner().invoke(cli.commands, ["prune", "--keep", "1"]).stdout
    assert listed.startswith(f"would remove {old.reference}")
    assert "1 run, 0.0 MB; add --yes to remove them" in listed
    assert len(all_records(runs)) == 2
    removed = CliRunner().invoke(cli.commands, ["prune", "--keep", "1", "--yes"]).stdout
    assert removed.startswith(f"removed {old.reference}")
    assert all_records(runs) == [new]
    assert sorted(path.name for path in (runs / "boats").iterdir()) == [".checks", new.id]
    assert list((runs / "boats" / ".checks").iterdir()) == [kept]
    assert "0 runs" in CliRunner().invoke(cli.commands, ["prune", "--keep", "1", "--yes"]).stdout
    assert CliRunner().invoke(cli.commands, ["prune", "--keep", "0"]).exit_code == 2


def test_a_removal_that_is_cut_short_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = sealed(tmp_path)

    def fail(folder: Path) -> None:
        raise OSError("stopped")

    monkeypatch.setattr("shutil.rmtree", fail)
    with pytest.raises(OSError, match="stopped"):
        remove(record)
    assert all_records(tmp_path) == []


def test_a_damaged_record_keeps_no_place(tmp_path: Path) -> None:
    records = []
    for _ in range(3):
        records.append(create_record(tmp_path, "houses"))
        seal(records[-1], {"status": "finished", "reference": records[-1].reference})
    (records[-1].folder / "late.txt").write_text("")
    assert [run.record for run in find_old_runs(tmp_path, 1)] == records[:1]


def test_a_sweep_keeps_its_best_member_and_its_page_goes_with_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    members = [sealed(runs) for _ in range(3)]
    sealed(runs)
    for name, best, those in (("one", members[0].reference, members[:2]), ("two", None, members[2:])):
        page = runs / ".sweeps" / name / "sweep.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"best": best, "members": [{"reference": each.reference} for each in those]}))
    listed = CliRunner().invoke(cli.commands, ["prune", "--keep", "1"]).stdout.splitlines()
    assert listed[0] == f"would remove {members[1].reference:<32}  finished, of the sweep one"
    assert len(listed) == 3
    removed = CliRunner().invoke(cli.commands, ["prune", "--keep", "1", "--yes"]).stdout
    assert "removed the page of the sweep two: its last member was removed" in removed
    assert members[0].folder.is_dir()
    assert [path.name for path in (runs / ".sweeps").iterdir()] == ["one"]


def test_the_run_that_the_name_means_stays_under_a_newer_sweep(tmp_path: Path) -> None:
    older, named = sealed(tmp_path), sealed(tmp_path)
    members = [sealed(tmp_path, sweep="boats-1") for _ in range(3)]
    assert old_runs(tmp_path, 1) == [older, *members[:2]]
    assert old_runs(tmp_path, 4) == [older]
    newer = sealed(tmp_path)
    assert old_runs(tmp_path, 1) == [older, named, *members]
    assert newer.folder.is_dir()
