"""The commands that make a project and bring its template up to date."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import exit_code, invoke

from pipeline_lib.cli.main import commands
from pipeline_lib.project.project import find_project
from pipeline_lib.project.update import Change, Update


def test_init_says_what_comes_next(tmp_path: Path) -> None:
    result = invoke("init", tmp_path / "credit lab")
    assert result.exit_code == 0, result.output
    first, last = result.stdout.splitlines()
    assert first.startswith("wrote ")
    assert first.endswith("credit lab, package credit_lab")
    assert last == (
        f"next: cd '{tmp_path}/credit lab' && git init && git add -A && git commit -m 'A new project' && make run"
    )
    chain = last.removeprefix("next: ").replace("git commit", "git -c user.name=a -c user.email=a@b.c commit")
    chain = chain.replace("make run", "make help")
    done = subprocess.run(chain, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == 0, done.stderr
    assert "make predict" in done.stdout


def test_init_refuses_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "init", tmp_path / "own", "--name", "pipeline_lib") == 2
    assert "error: found the package name 'pipeline_lib', which is the framework's own" in capsys.readouterr().err


def test_update_has_nothing_to_do_in_a_new_project(tmp_path: Path) -> None:
    invoke("init", tmp_path / "own", "--name", "credit_lab")
    result = invoke("update", project=find_project(tmp_path / "own"))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("nothing to do: the project has the template of ")


@pytest.mark.parametrize(
    ("verdict", "code", "shown"),
    [("merged", 0, "next: make setup; make check"), ("conflict, 2 to resolve", 1, "found 1 file with conflicts")],
)
def test_update_names_files_and_exits_by_conflicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, code: int, shown: str
) -> None:
    def updated(*given: Any) -> Update:
        return Update("0.1", "0.2", (Change("Makefile", verdict, b""),))

    monkeypatch.setattr("pipeline_lib.project.update.update_project", updated)
    invoke("init", tmp_path / "own", "--name", "credit_lab")
    result = invoke("update", project=find_project(tmp_path / "own"))
    assert result.exit_code == code
    assert f"{verdict}: Makefile" in result.stdout
    assert shown in result.output


def test_both_commands_stand_where_a_newcomer_begins() -> None:
    names = [command.name for command in commands.tasks["Start"]]  # type: ignore[attr-defined]
    assert names[0] == "init"
    assert "update" in names
