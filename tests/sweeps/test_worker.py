"""A worker process: a member of other files or packages does not run; a cold kernel decides on unknown names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from example import HOUSES

from pipeline_lib.errors import RunError
from pipeline_lib.records.record import Record, create_record, write_manifest
from pipeline_lib.runner.cache.lookup import CachedRun
from pipeline_lib.runner.warm.client import ADDRESS
from pipeline_lib.sweeps import worker
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.sweeps.task import Task
from pipeline_lib.system.fingerprint import packages_digest

REFUSALS = [("AttributeError: no dom", 2), ("ColdOnlyError: found TZ changed", 2), ("ZeroDivisionError: by zero", 1)]


@pytest.mark.parametrize(("message", "runs"), REFUSALS)
def test_a_name_unknown_in_a_warm_kernel_is_decided_by_a_cold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, runs: int
) -> None:
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    kinds: list[str] = []

    def fail(*args: object) -> Record:
        kinds.append(KernelProvisionerFactory.instance().default_provisioner_name)
        record = create_record(tmp_path, "houses")
        write_manifest(record, {"status": "failed", "error": {"message": message}})
        raise RunError("failed", record.folder)

    monkeypatch.setenv(ADDRESS, "socket")
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", "warm")
    monkeypatch.setattr(worker, "_run_once", fail)
    assert worker.run_task(a_task(tmp_path), packages_digest()).error == "failed"
    assert kinds == ["warm", "local-provisioner"][:runs]


def a_task(runs: Path) -> Task:
    digests = sources_of(HOUSES), packages_digest()
    return Task(str(HOUSES), (), str(runs), "pipeline_lib", *digests, sweep="houses-1", force=True)


def test_a_member_of_other_files_or_packages_than_the_sweep_began_with_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, task = packages_digest(), a_task(tmp_path)
    monkeypatch.setattr(worker, "_run_once", lambda task: pytest.fail("it ran"))
    assert "packages changed" in worker.run_task(task, "what this process imported").error
    assert "packages changed" in worker.run_task(replace(task, packages="what the sweep began with"), here).error
    assert "other notebooks, code or parameters" in worker.run_task(replace(task, sources=""), here).error
    monkeypatch.setattr(worker, "sources_of", lambda path: (_ for _ in ()).throw(OSError("gone")))
    assert worker.run_task(task, here).error == "gone"


def test_a_member_during_which_packages_changed_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: Task) -> Record:
        if task.overrides:
            monkeypatch.setattr(worker, "packages_digest", lambda: "another")
        return create_record(tmp_path, "houses")

    here, task = packages_digest(), a_task(tmp_path)
    monkeypatch.setattr(worker, "_run_once", run)
    assert worker.run_task(task, here).error is None
    answer = worker.run_task(replace(task, overrides=("seed=1",)), here)
    assert "packages changed" in str(answer.error)
    assert Path(str(answer.folder)).is_dir()


def test_a_member_is_looked_up_by_all_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = create_record(tmp_path, "houses")
    asked: list[object] = []

    def known(*arguments: object, **options: object) -> CachedRun:
        asked.append((arguments, options))
        return CachedRun(record)

    monkeypatch.setattr(worker, "lookup", known)
    task = replace(a_task(tmp_path), force=False, overrides=("seed=1",), parameters={"seed": 1})
    answer = worker.run_task(Task.from_json(json.loads(json.dumps(task.to_json()))), packages_digest())
    assert (answer.cached, answer.folder) == (True, str(record.folder))
    assert asked == [((str(HOUSES), ("seed=1",)), {"runs": tmp_path, "parameters": {"seed": 1}})]
