"""The doctor: each check passes where all is well, and names what is wrong and what to do where it is not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import exit_code, invoke
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import export
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import create_record
from pipeline_lib.runner.doctor import checkout, environment, runs
from pipeline_lib.runner.doctor.examine import examine
from pipeline_lib.runner.doctor.finding import Finding, findings

RECORD = next((ROOT / "tests" / "data" / "records" / "titanic").iterdir())
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
MODULE = "#| export\nfrom pipeline_lib import BaseParams\n\n\nclass Params(BaseParams):\n    seed: int"


def code(name: str, source: str, **metadata: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def save(path: Path, *cells: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**NOTEBOOK, "cells": list(cells)}, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project `harbour` in which all is well: a repository with one pipeline and one finished run."""
    settings = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(settings)
    (tmp_path / "pyproject.toml").write_text('[tool.nbdev]\nlib_path = "harbour"\nnbs_path = "nbs"\n')
    for folder in ("harbour/pipelines", "harbour/steps", "params", "nbs/steps"):
        (tmp_path / folder).mkdir(parents=True)
        if folder.startswith("harbour"):
            (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "harbour" / "__init__.py").touch()
    (tmp_path / "params" / "boats.yml").write_text("seed: 1\n")
    save(tmp_path / "nbs/pipelines/boats.ipynb", code("d", "#| default_exp pipelines.boats"), code("m", MODULE))
    save(tmp_path / "nbs/research/boats.ipynb", code("p", "seed = 1", tags=["parameters"]))
    shutil.copytree(RECORD, tmp_path / "runs" / "titanic" / RECORD.name)
    (tmp_path / ".gitattributes").write_text("*.ipynb merge=jupyternotebook diff=jupyternotebook\n")
    program = Path(sys.executable).with_name("nbdev-merge")
    for command in (
        ["init", "--quiet"],
        ["config", "merge.jupyternotebook.driver", f"{program} %O"],
        ["config", "diff.jupyternotebook.command", str(program)],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S603, S607
    found = find_project(tmp_path)
    export(found)
    return found


def one(found: Iterator[Finding]) -> Finding:
    (finding,) = found
    return finding


CHECKS: dict[str, Callable[[Project], Iterator[Finding]]] = {
    "git": checkout.check_git,
    "notebooks": checkout.check_clean,
    "export": checkout.check_exported,
    "parameters": checkout.check_parameters,
    "disk": runs.check_disk,
    "runs": runs.check_runs,
    "leftovers": runs.check_leftovers,
}


@pytest.mark.parametrize("subject", CHECKS)
def test_each_check_of_files_passes_where_all_is_well(project: Project, subject: str) -> None:
    finding = one(CHECKS[subject](project))
    assert (finding.subject, finding.level) == (subject, "ok")


def dirty(project: Project) -> None:
    cell = code("p", "seed = 1", tags=["parameters"]) | {"execution_count": 3}
    save(project.research_notebook("boats"), cell)


def edited_module(project: Project) -> None:
    path = project.package / "pipelines" / "boats.py"
    path.write_text(path.read_text().replace("seed: int", "seed: float"))


def other_parameters(project: Project) -> None:
    (project.params / "boats.yml").write_text("seed: 2\n")


def no_attributes(project: Project) -> None:
    (project.root / ".gitattributes").write_text("*.lock linguist-generated\n")


def no_program(project: Project) -> None:
    command = ["git", "config", "merge.jupyternotebook.driver", ".venv/bin/nowhere %O"]
    subprocess.run(command, cwd=project.root, check=True)  # noqa: S603


def no_repository(project: Project) -> None:
    shutil.rmtree(project.root / ".git")


def damaged_run(project: Project) -> None:
    (project.runs / "titanic" / RECORD.name / "metrics.json").write_text("{}\n")


def killed_run(project: Project) -> None:
    create_record(project.runs, "boats")


@pytest.mark.parametrize(
    ("subject", "spoil", "level", "text"),
    [
        (
            "notebooks",
            dirty,
            "warn",
            "nbs/research/boats.ipynb: found outputs or transient metadata; run `pipeline-lib",
        ),
        ("export", edited_module, "problem", "harbour/pipelines/boats.py: differs from nbs/pipelines/boats.ipynb"),
        ("parameters", other_parameters, "problem", "seed: found 1, expected 2 as in params/boats.yml; run `pipeline-"),
        ("git", no_attributes, "warn", "found no driver for notebooks in .gitattributes"),
        ("git", no_program, "warn", "merge.jupyternotebook.driver = .venv/bin/nowhere %O, expected a program"),
        ("git", no_repository, "warn", "found no repository"),
        ("runs", damaged_run, "problem", "found a damaged run, expected its bytes as they were sealed; `pipeline-lib"),
        (
            "leftovers",
            killed_run,
            "warn",
            "found what killed runs left (1); `pipeline-lib clean --leftovers --yes` removes",
        ),
    ],
)
def test_what_is_wrong_with_files_is_named(
    project: Project, subject: str, spoil: Callable[[Project], None], level: str, text: str
) -> None:
    spoil(project)
    finding = one(CHECKS[subject](project))
    assert (finding.subject, finding.level) == (subject, level)
    assert text in finding.text


@pytest.mark.parametrize(("free", "level"), [(4e8, "problem"), (4e9, "warn"), (6e9, "ok")])
def test_little_disk_is_named(project: Project, monkeypatch: pytest.MonkeyPatch, free: float, level: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    finding = one(runs.check_disk(project))
    assert finding.level == level
    assert ("expected at least" in finding.text) == (level != "ok")


def test_a_project_without_runs_is_well(project: Project) -> None:
    shutil.rmtree(project.runs)
    assert one(runs.check_disk(project)).level == one(runs.check_runs(project)).level == "ok"


def test_many_lines_are_counted(project: Project) -> None:
    for _ in range(8):
        killed_run(project)
    lines = str(one(runs.check_leftovers(project))).splitlines()
    assert lines[0].startswith("warn     leftovers    found what killed runs left (8)")
    assert lines[-1] == f"{'':<22}and 4 more"


def test_the_lock_file_is_compared_with_what_is_installed(project: Project) -> None:
    lock = project.root / "requirements.lock"
    assert one(environment.check_lock(project)).level == "warn"
    lock.write_text(
        "a-b==1.0 \\\n    --hash=sha256:1\n    # via c\nc==2 ; sys_platform == 'nowhere' \\\n    --hash=sha256:2\n"
        "d==3 ; python_full_version >= '3' \\\n    --hash=sha256:3\n"
    )
    assert dict(environment.locked_versions(lock.read_text())) == {"a-b": "1.0", "d": "3"}
    assert one(environment.check_lock(project, {"A_B": "1.0", "d": "3", "e": "9"})).level == "ok"
    finding = one(environment.check_lock(project, {"a.b": "1.1"}))
    assert finding.level == "problem"
    assert finding.text.split("\n") == [
        "found a-b 1.1, expected 1.0 as in requirements.lock; run `make setup`",
        "found no d, expected 3 as in requirements.lock; run `make setup`",
    ]


def test_the_version_of_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(environment.check_python()).level == "ok"
    monkeypatch.setattr("sys.version_info", (3, 10, 1))
    finding = one(environment.check_python())
    assert (finding.level, "found 3.10.1, expected 3.11 or newer" in finding.text) == ("problem", True)


def test_python_without_assertions_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.flags", SimpleNamespace(optimize=1))
    assert one(environment.check_python()).level == "warn"


def test_the_loaded_package_is_named(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = one(environment.check_package(find_project(ROOT)))
    assert own.level == "ok"
    assert f"pipeline_lib from {ROOT / 'pipeline_lib'}" in own.text
    missing = one(findings("package", lambda: environment.check_package(project)))
    assert missing.level == "problem"
    assert "found no package harbour in the environment" in missing.text
    other = tmp_path / "clone"
    (other / "pipeline_lib").mkdir(parents=True)
    (other / "settings.ini").write_text((ROOT / "settings.ini").read_text())
    finding = one(findings("package", lambda: environment.check_package(find_project(other))))
    assert finding.level == "problem"
    assert "the code of another checkout would run here" in finding.text


def test_a_kernel_starts_and_imports_the_package(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = one(environment.check_kernel(project))
    assert missing.level == "problem"
    assert "ModuleNotFoundError: No module named 'harbour' as a kernel imports harbour" in missing.text
    monkeypatch.setenv("PYTHONPATH", str(project.root))
    assert one(environment.check_kernel(project)).level == "ok"


def test_a_kernel_that_does_not_start_is_named_with_its_last_words(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"argv": [sys.executable, "-c", "raise SystemExit('no kernel here')"], "display_name": "", "language": ""}
    monkeypatch.setattr("ipykernel.kernelspec.get_kernel_dict", lambda: broken)
    finding = one(environment.check_kernel(project))
    assert finding.level == "problem"
    assert "(no kernel here)" in finding.text


def test_more_threads_than_cpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert one(environment.check_machine()).level == "ok"
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    finding = one(environment.check_machine())
    assert (finding.level, "found OMP_NUM_THREADS=4096 with" in finding.text) == ("warn", True)


def test_missing_extras_are_named() -> None:
    assert "research" not in environment.missing_extras()
    assert one(environment.check_extras({})).level == "ok"
    optional = one(environment.check_extras({"search": ["optuna"]}))
    assert (optional.level, "without search (optuna)" in optional.text) == ("ok", True)
    required = one(environment.check_extras({"research": ["papermill"]}))
    assert required.level == "problem"
    assert "found no research (papermill), expected them for runs; pip install" in required.text


def test_an_error_of_a_check_is_a_finding() -> None:
    def fails(error: Exception) -> Finding:
        def check() -> Iterator[Finding]:
            raise error
            yield

        return one(findings("x", check))

    assert fails(InputError("found 1, expected 2")) == Finding("x", "problem", "found 1, expected 2")
    assert "found no package 'nbdev'" in fails(ModuleNotFoundError(name="nbdev")).text
    assert "found ZeroDivisionError in the check itself" in fails(ZeroDivisionError()).text


def test_without_a_project_the_environment_is_checked(tmp_path: Path) -> None:
    found = list(examine(lambda: find_project(tmp_path)))
    assert [finding.subject for finding in found] == ["Python", "machine", "extras", "project"]
    assert found[-1].level == "problem"
    assert "found no settings.ini" in found[-1].text


def test_the_command_lists_everything_and_exits_with_1_for_a_problem(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "check_kernel", lambda project: iter(()))
    monkeypatch.setattr("pipeline_lib.runner.doctor.examine._OF_A_PROJECT", CHECKS)
    result = invoke("doctor", project=project)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "0 problems, 0 warnings"
    damaged_run(project)
    listed = invoke("doctor", "--json", project=project)
    assert listed.exit_code == 1
    levels = {entry["subject"]: entry["level"] for entry in json.loads(listed.output)}
    assert levels["runs"] == "problem"
    assert set(CHECKS) < set(levels)


def test_the_doctor_works_where_other_commands_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline_lib").mkdir()
    (tmp_path / "settings.ini").write_text((ROOT / "settings.ini").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(environment, "check_kernel", lambda project: iter(()))
    monkeypatch.setattr("pipeline_lib.runner.doctor.examine._OF_A_PROJECT", {"package": environment.check_package})
    assert exit_code(monkeypatch, "runs") == 2
    capsys.readouterr()
    assert exit_code(monkeypatch, "doctor") == 1
    assert "the code of another checkout would run here" in capsys.readouterr().out
