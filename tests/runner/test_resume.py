"""A run that failed or was killed runs again with its own parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES, ROOT

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import PARAMS_FILE
from pipeline_lib.records.record import Record, all_records, begin_record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.runner.resume import resume_run
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of records outside the project."""
    return tmp_path / "runs"


@pytest.fixture
def project() -> Project:
    return find_project(ROOT)


@pytest.fixture
def unrun(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What would run, in place of running it."""
    requests: list[dict[str, object]] = []

    def run(request: object, began: int, **options: object) -> None:
        requests.append({"request": request, **options})

    monkeypatch.setattr("pipeline_lib.runner.resume.run_request", run)
    return requests


def test_a_failed_run_runs_again_with_its_parameters_and_names_the_old(
    runs: Path, project: Project, research: Research
) -> None:
    research("1 / 0")
    with pytest.raises(RunError, match=r"(?s)ZeroDivisionError.*`pipeline-lib resume houses/\w+-\w+` runs again"):
        run_pipeline(HOUSES, overrides=["seed=7"], runs=runs)
    (failed,) = all_records(runs)
    before = failed.manifest()
    research("seed")
    lines: list[str] = []
    with pytest.raises(RunError, match=r"no result of run\.compile"):
        resume_run(failed, project, progress=lines.append)
    _, again = all_records(runs)
    manifest = again.manifest()
    assert manifest["resumed_from"] == failed.reference
    assert (manifest["overrides"], manifest["parameters_file"]) == (["seed=7"], "params/houses.yml")
    assert again.read_json("params.json")["seed"] == 7
    assert failed.manifest() == before
    assert verify(failed) == verify(again) == []
    assert f"found another notebook than {failed.reference} had; today's runs" in lines
    assert list(project.runs.glob(".resume-*")) == []


@pytest.mark.parametrize("sweep", ["houses-1", None])
def test_a_member_of_a_sweep_stays_one(
    runs: Path, project: Project, unrun: list[dict[str, Any]], sweep: str | None
) -> None:
    with begin_record(runs, "houses", facts={"parameters_file": "params/houses.yml", "sweep": sweep}) as record:
        pass
    resume_run(record, project)
    assert unrun[0]["invocation"].sweep == sweep


def test_recorded_parameters_count_even_where_the_file_has_changed(
    runs: Path, project: Project, unrun: list[dict[str, object]]
) -> None:
    with begin_record(runs, "houses", facts={"parameters_file": "params/houses.yml"}) as record:
        changed = HOUSES.read_text(encoding="utf-8").replace("seed: 0", "seed: 5")
        (record.folder / PARAMS_FILE).write_text(changed, encoding="utf-8")
    resume_run(record, project)
    assert unrun[0]["request"].params.seed == 5  # type: ignore[attr-defined]


def test_a_run_that_died_before_it_kept_its_parameters_takes_those_of_the_project(
    runs: Path, project: Project, unrun: list[dict[str, object]]
) -> None:
    with begin_record(runs, "houses", facts={"parameters_file": "params/houses.yml"}) as record:
        pass
    resume_run(record, project)
    assert unrun[0]["request"].params_file == HOUSES  # type: ignore[attr-defined]


def of_status(runs: Path, status: str) -> Record:
    record = create_record(runs, "houses", scratch=status == "scratch")
    if status in ("finished", "failed"):
        seal(record, {"status": status})
    if status == "failed":
        (record.folder / "later").touch()
    return record


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("finished", r"a run that is finished, expected .*`pipeline-lib run params/houses\.yml --force` runs"),
        ("failed", r"found a damaged run \(later: found a file that was not sealed"),
        ("scratch", "open the research notebook"),
        ("killed", "found no parameters in it"),
    ],
)
def test_other_runs_are_refused(runs: Path, project: Project, status: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        resume_run(of_status(runs, status), project)


def test_the_command_that_runs_a_finished_run_again_has_its_arguments(runs: Path, project: Project) -> None:
    record = create_record(runs, "houses")
    arguments = {"parameters_file": "params/houses.quick.yml", "overrides": ["seed=7", "note=a b"]}
    seal(record, {"status": "finished", **arguments})
    words = r"`pipeline-lib run params/houses\.quick\.yml --set seed=7 --set 'note=a b' --force` runs again"
    with pytest.raises(InputError, match=words):
        resume_run(record, project)


def test_a_run_that_lives_is_refused(runs: Path, project: Project) -> None:
    with begin_record(runs, "houses") as record, pytest.raises(InputError, match=r"is running, .*wait"):
        resume_run(record, project)
