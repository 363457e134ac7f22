"""Completion in shells: what it offers, and that a real Bash completes with the script that is printed."""

import os
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from command_line import invoke

from pipeline_lib.cli.completion import Bash, parameters_files, references
from pipeline_lib.cli.main import commands
from pipeline_lib.project.project import Project, find_project

OLD, NEW = "20261123T132246829-829fd4", "20261124T090000000-0a1b2c"


@pytest.fixture
def harbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project, in the working folder, with two runs of boats, a scratch run of ships and a champion of rafts."""
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    folders = (f"boats/{OLD}", f"boats/{NEW}", f"boats/.checks/{OLD}-1", f"ships/scratch/{OLD}", ".sweeps/s")
    for folder in folders:
        (tmp_path / "runs" / folder).mkdir(parents=True)
    (tmp_path / "nbs" / "research").mkdir(parents=True)
    (tmp_path / "nbs" / "pipelines").mkdir()
    for name in ("params/boats.yml", "params/boats.quick.yml", "champions/rafts.yml", "nbs/pipelines/kayaks.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["boats", "boats@latest", "boats@best", "rafts@champion", "ships@scratch"]),
        ("boats@l", ["boats@latest"]),
        ("boats/", [f"boats/{NEW}", f"boats/{OLD}"]),
        ("boats/20261123", [f"boats/{OLD}"]),
        ("ships@scratch/", [f"ships@scratch/{OLD}"]),
        ("boats@latest/", []),
        ("nowhere/", []),
        ("x", []),
    ],
)
def test_references_begin_with_what_is_typed(harbour: Project, typed: str, offered: list[str]) -> None:
    assert references(harbour, typed) == offered


def test_parameters_files_are_paths_from_the_working_folder(harbour: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    both = ["params/boats.quick.yml", "params/boats.yml"]
    assert parameters_files(harbour, "") == parameters_files(harbour, "params/b") == both
    assert parameters_files(harbour, "boats.q") == ["params/boats.quick.yml"]
    assert parameters_files(harbour, "./params/boats.y") == ["./params/boats.yml"]
    monkeypatch.chdir(harbour.notebooks / "research")
    assert parameters_files(harbour, "../../params/boats.y") == ["../../params/boats.yml"]


def offered(*words: str) -> list[tuple[str, str]]:
    """What is offered for the last word, with its type."""
    *arguments, incomplete = words
    shell = ShellComplete(commands, {}, "pipeline-lib", "_X")
    return [(item.type, item.value) for item in shell.get_completions(arguments, incomplete)]


def test_each_kind_of_argument_is_completed(harbour: Project) -> None:
    assert offered("show", "boats@l") == [("plain", "boats@latest")]
    assert offered("diff", "boats", "ra") == [("plain", "rafts@champion")]
    assert offered("run", "boats.q") == [("plain", "params/boats.quick.yml")]
    assert offered("sweep", "boats.q") == [("plain", "params/boats.quick.yml")]
    assert ("plain", "verify") in offered("ver")
    assert ("plain", "--fresh-env") in offered("reproduce", "boats", "--fre")
    assert offered("completion", "z") == [("plain", "zsh")]
    assert offered("sources", "") == [("plain", name) for name in ("boats", "kayaks", "rafts", "ships")]
    assert offered("runs", "--pipeline", "k") == [("plain", "kayaks")]


def test_paths_are_left_to_the_shell(harbour: Project) -> None:
    assert offered("show", "./ru") == [("file", "")]
    assert offered("run", "elsewhere/x") == [("file", "")]


def test_outside_a_project_nothing_is_offered_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("show", "b") == []
    (tmp_path / "settings.ini").write_text("[project]\nlib_name = ../..\n")
    assert offered("show", "b") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pipeline-lib ", ([], "")),
        ("pipeline-lib show boats@l", (["show"], "boats@l")),
        ("pipeline-lib show boats ", (["show", "boats"], "")),
        ('pipeline-lib run "a b', (["run"], "a b")),
    ],
)
def test_bash_words_are_split_at_spaces_alone(
    monkeypatch: pytest.MonkeyPatch, line: str, expected: tuple[list[str], str]
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert Bash(commands, {}, "pipeline-lib", "_X").get_completion_args() == expected


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "function ")])
def test_each_shell_has_its_script(shell: str, word: str) -> None:
    script = invoke("completion", shell).output
    assert word in script
    assert "_PIPELINE_LIB_COMPLETE" in script
    assert "commands" not in script.replace("$+commands", "")  # the name of the function


def test_another_shell_is_refused() -> None:
    assert invoke("completion", "tcsh").exit_code == 2


def test_a_real_bash_completes_references_with_their_selector(harbour: Project) -> None:
    pexpect = pytest.importorskip("pexpect")
    program = Path(sys.executable).with_name("pipeline-lib")
    shell = pexpect.spawn("bash", ["--norc", "--noprofile"], encoding="utf-8", timeout=20, dimensions=(24, 200))
    try:
        for line in (
            "PS1=ready:",
            "bind 'set enable-bracketed-paste off'",
            f'eval "$({program} completion bash)"',
            "echo lo''aded",
        ):
            shell.sendline(line)
        shell.expect("loaded")
        completed = [
            ("show boats@lat\t", "boats@latest "),
            ("show rafts@\t", "rafts@champion "),
            ("diff boats boats/20261124\t", f"boats/{NEW} "),
            ("reproduce ships@scratch/\t", f"ships@scratch/{OLD} "),
            ("run boats.q\t", "params/boats.quick.yml "),
            ("repro\t", "reproduce "),
        ]
        for typed, expected in completed:
            home, end = "\x01", "\x05"
            shell.send(f"cd . && {program} {typed}{home}echo '<{end}>'\n")  # print the line in place of running it
            shell.expect_exact(f"\r\n<cd . && {program} {typed.rpartition(' ')[0]}".rstrip())
            shell.expect_exact(f"{expected}>\r\n")
    finally:
        shell.close(force=True)


def test_completion_takes_little_longer_than_the_version(harbour: Project) -> None:
    program = str(Path(sys.executable).with_name("pipeline-lib"))

    def seconds(environment: dict[str, str], *arguments: str) -> float:
        """Processor time, which is about the same on a busy machine."""
        times = []
        for _ in range(3):
            process = os.spawnve(os.P_NOWAIT, program, [program, *arguments], {**os.environ, **environment})  # noqa: S606
            _, status, used = os.wait4(process, 0)
            times.append(used.ru_utime + used.ru_stime)
            assert status == 0
        return min(times)

    completing = {"_PIPELINE_LIB_COMPLETE": "bash_complete", "COMP_LINE": "pipeline-lib show bo"}
    assert seconds(completing) < seconds({}, "--version") + 0.3
