"""Help is grouped by task, and each command stands in one group."""

import importlib
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import click
from command_line import invoke
from example import ROOT

import pipeline_lib.cli
from pipeline_lib.cli.groups import TaskGroup
from pipeline_lib.cli.main import TASKS


def written_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that a module of `cli/` defines, with the module's name."""
    for info in pkgutil.iter_modules(pipeline_lib.cli.__path__, "pipeline_lib.cli."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            defined_here = getattr(getattr(value, "callback", None), "__module__", None) == info.name
            if isinstance(value, click.Command) and not isinstance(value, click.Group) and defined_here:
                yield info.name, value


def below(command: click.Command) -> list[click.Command]:
    """The command itself; of a command with others below it those."""
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


def misplaced(written: Sequence[tuple[str, click.Command]], tasks: Mapping[str, Sequence[click.Command]]) -> list[str]:
    """Commands that are in no group, or in more than one."""
    groups = Counter(command.name for members in tasks.values() for member in members for command in below(member))
    return [
        f"{module}: found the command {command.name!r} in {groups[command.name]} groups, expected one; "
        "name it once in TASKS of pipeline_lib/cli/main.py"
        for module, command in written
        if groups[command.name] != 1 and not command.hidden  # a second name
    ]


def test_every_command_is_in_one_group() -> None:
    written = list(written_commands())
    assert len(written) > 15
    assert misplaced(written, TASKS) == []


def test_a_command_without_a_group_and_one_in_two_are_named() -> None:
    one, two = click.Command("one"), click.Command("two")
    found = misplaced([("m", one), ("m", two)], {"Run": (two,), "Look": (two,)})
    assert [line.partition(",")[0] for line in found] == [
        "m: found the command 'one' in 0 groups",
        "m: found the command 'two' in 2 groups",
    ]


def test_help_lists_each_command_once_below_its_heading() -> None:
    output = invoke("--help").output
    headings = [output.index(f"\n{heading}:\n") for heading in TASKS]
    assert headings == sorted(headings)
    for members in TASKS.values():
        for command in members:
            assert len(re.findall(rf"^  {command.name} ", output, re.MULTILINE)) == 1
    assert "..." not in output.partition("Start:")[2]


def test_a_group_without_commands_has_no_heading() -> None:
    group = TaskGroup(name="g", tasks={"Empty": (), "Run": (click.Command("go", help="Goes."),)})
    lines = group.get_help(click.Context(group, info_name="g")).splitlines()
    assert "Empty:" not in lines
    assert lines[-2:] == ["Run:", "  go  Goes."]


def test_python_m_does_what_the_command_does() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipeline_lib", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command

    assert run("--version").stdout == invoke("--version").output
    failed = run("show", "castles")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: found no run 'castles'")


def listed_tasks(page: str) -> dict[str, list[str]]:
    """The commands of each section below "Commands by task"."""
    part = page.partition("\n## Commands by task\n")[2].partition("\n## ")[0]
    sections = re.split(r"^### ", part, flags=re.MULTILINE)[1:]
    return {
        text.partition("\n")[0]: re.findall(r"^\| `pipeline-lib ([a-z-]+)", text, re.MULTILINE) for text in sections
    }


def test_the_page_of_commands_has_the_same_groups() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    expected = {heading: [command.name for command in members] for heading, members in TASKS.items()}
    assert listed_tasks(page) == expected, "docs/commands.md: expected the groups of TASKS in pipeline_lib/cli/main.py"
    moved = page.replace("### Look\n", "", 1)
    assert listed_tasks(moved) != expected
