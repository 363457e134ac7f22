"""Commands that run a pipeline: metrics, parity, answers from the cache, failures."""

import json

import pytest
from command_line import invoke

from pipeline_lib.errors import RunError
from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.result import Parity
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.cache.lookup import CachedRun

DIFFERENCE = Difference("value", "1.0", "2.0", column="size", row=0, rows=1, columns=1)


LOOKUP = "pipeline_lib.runner.cache.lookup"


def test_run_prints_metrics_and_parity(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Parity("houses/1", 3, None, {})
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *args, **options: copy)
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: exact)
    result = invoke("run", "params/houses.yml")
    assert result.exit_code == 0
    assert "rmse_log" in result.output
    assert "parity: exact" in result.output
    assert f"record: {copy.folder}" in result.output
    assert result.output.splitlines()[-1].startswith("next: ")
    as_json = invoke("run", "params/houses.yml", "--json", "--no-parity")
    assert json.loads(as_json.output)["status"] == "finished"
    assert json.loads(as_json.output)["parity"] is None
    assert "parity:" not in invoke("run", "params/houses.yml", "--no-parity").output


def test_an_unchanged_run_is_answered_with_its_kept_parity(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *args: CachedRun(copy))
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *args, **options: pytest.fail("it ran"))
    checked: list[Record] = []

    def check(record: Record, library: str) -> Parity:
        checked.append(record)
        return Parity("houses/1", 3, None, {"scale": DIFFERENCE})

    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", check)
    assert "parity:" not in invoke("run", "params/houses.yml", "--no-parity").output
    result = invoke("run", "params/houses.yml")
    assert result.stdout.startswith(f"nothing changed since {copy.reference}; --force runs again\n")
    assert "parity: DIFFERENT" in result.output
    assert (result.exit_code, checked) == (1, [copy])  # it was not checked before
    kept = checks_folder(copy)
    kept.mkdir(parents=True)
    (kept / "parity.json").write_text(json.dumps(Parity("houses/1", 3, None, {}).to_json()))
    again = invoke("run", "params/houses.yml", "--json")
    assert (again.exit_code, checked) == (0, [copy])
    assert json.loads(again.stdout)["parity"]["exact"] is True
    assert "nothing changed" in again.stderr


def test_force_runs_and_a_run_that_no_other_answers_for_says_why(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *args: CachedRun(None, "no run answers: found no SOURCES"))
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *args, **options: copy)
    assert "found no SOURCES" in invoke("run", "params/houses.yml", "--no-parity").stderr
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *args: pytest.fail("it looked"))
    assert invoke("run", "params/houses.yml", "--no-parity", "--force").exit_code == 0


def test_a_run_whose_parity_differs_ends_with_1(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    different = Parity("houses/1", 3, None, {"scale": DIFFERENCE})
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *args, **options: copy)
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: different)
    assert invoke("run", "params/houses.yml").exit_code == 1
    assert invoke("run", "params/houses.yml", "--json").exit_code == 1


def test_a_failed_run_is_json_too(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = {key: value for key, value in copy.manifest().items() if key not in ("files", "digest")}
    seal(copy, {**manifest, "status": "failed", "error": {"message": "bad"}})

    def fail(*args: object, **options: object) -> None:
        raise RunError("bad", copy.folder)

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    result = invoke("run", "params/houses.yml", "--json")
    assert isinstance(result.exception, RunError)
    printed = json.loads(result.stdout)
    assert (printed["status"], printed["reference"], printed["error"]["message"]) == ("failed", copy.reference, "bad")
    assert invoke("run", "params/houses.yml").stdout == ""


def test_a_resumed_run_is_shown_and_checked_as_a_run_is(
    project: Project, copy: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = create_record(project.runs, "houses")
    monkeypatch.setattr("pipeline_lib.runner.resume.resume_run", lambda record, project, **options: copy)
    shown = invoke("resume", killed.reference, "--no-parity", project=project)
    assert f"record: {copy.folder}" in shown.output
    assert shown.exit_code == 0
    result = invoke("resume", killed.reference, "--no-parity", "--json", project=project)
    assert json.loads(result.output)["status"] == "finished"
