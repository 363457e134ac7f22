"""Output that pages show is what the commands print, but for numbers, times and folders."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from example import HOUSES, ROOT
from pages import console, read

from pipeline_lib.cli.main import commands
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.execute import first_line

README, START = ROOT / "README.md", ROOT / "docs" / "start.md"
RUNS, SHARING = ROOT / "docs" / "runs.md", ROOT / "docs" / "sharing.md"


def shape(line: str) -> str:
    """A line of output without what differs between machines and runs: numbers, times, folders."""
    line = re.sub(r"\S*runs/houses/\.checks/[0-9T]+-[0-9a-f]{6}-[0-9a-f]+", "CHECK", line)
    line = re.sub(r"\S*runs/houses/[0-9T]+-[0-9a-f]{6}", "RECORD", line)
    line = re.sub(r"houses/[0-9T]+-[0-9a-f]{6}", "REFERENCE", line)
    return re.sub(r"\s+", " ", re.sub(r"[\d,.]+", "N", line)).strip()


def shapes(lines: list[str]) -> list[str]:
    """The shapes of lines that say something, in order; `…` stands for lines that a page leaves out."""
    return [shape(line) for line in lines if line.strip() not in ("", "…")]


def shown(page: Path, command: str) -> list[str]:
    """The output that a page shows for a command."""
    (lines,) = (lines for line, lines in console(read(page)) if line == command)
    return lines


@pytest.fixture
def printed(copy: Record, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `pipeline-lib run` prints after the cells."""
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *given, **options: copy)
    return CliRunner().invoke(commands, ["run", str(HOUSES), "--force"]).stdout.splitlines()


def test_start_shows_the_whole_output_of_a_run(printed: list[str], copy: Record) -> None:
    lines = shown(START, "make run")
    told = [line for line in lines if not line.startswith("  cell")]
    assert shapes(told[:-1]) == shapes(printed[:-1])
    assert told[-1].startswith("next: ")
    assert printed[-1].startswith("next: ")  # which one depends on what is committed here
    executed = json.loads(copy.notebook.read_bytes())["cells"]
    notebook = [cell for cell in executed if "injected-parameters" not in cell["metadata"].get("tags", ())]
    first_lines = [first_line("".join(cell["source"]))[:64] for cell in notebook]
    cells = re.findall(r"cell +(\d+) of (\d+) +[\d.]+ s  (.*)", "\n".join(lines))
    assert len(cells) == len(lines) - len(told) == 2
    for number, of, line in cells:
        assert (first_lines[int(number) - 1], len(notebook)) == (line, int(of))


def test_the_readme_shows_lines_of_the_output_of_a_run(printed: list[str]) -> None:
    told = shapes(shown(README, "make run"))
    real = shapes(printed)
    assert len(told) == 4
    assert sorted(told, key=real.index) == told


@pytest.fixture
def project(copy: Record) -> Project:
    """This project, with a folder of runs that holds one finished run."""
    return replace(find_project(ROOT), runs=copy.folder.parent.parent)


def output(project: Project, *words: str) -> list[str]:
    """What a command prints about this project's runs."""
    return CliRunner().invoke(commands, list(words), obj=project).stdout.splitlines()


def test_runs_are_listed_as_shown(project: Project, copy: Record) -> None:
    output(project, "parity", copy.reference, "--only", "fresh process")
    command = "pipeline-lib runs --where 'estimator.alpha<0.01' --sort rmse"
    real = output(project, "runs", "--where", "estimator.alpha<0.01", "--sort", "rmse")
    assert shapes(shown(RUNS, command)) == shapes(real)


def test_a_killed_run_is_listed_as_shown(project: Project, copy: Record) -> None:
    _other_run(copy, "20261123T140103412-5e0d9a", "running")
    real = output(project, "runs", "--status", "killed")
    assert shapes(shown(RUNS, "pipeline-lib runs --status killed")) == shapes(real)


def test_records_are_shared_and_pruned_as_shown(project: Project, copy: Record, tmp_path: Path) -> None:
    url = str(tmp_path / "shared" / "runs")
    colleague = replace(project, runs=tmp_path / "colleague" / "runs")
    for command, at in (("push", project), ("pull", colleague)):
        told = shown(SHARING, f"pipeline-lib {command} houses s3://bucket/runs")
        assert shapes(told) == [line.replace("file://", "") for line in shapes(output(at, command, "houses", url))]
    _other_run(copy, "20200101T090112004-1c77ab", "failed")
    real = output(project, "prune", "--keep", "1")
    assert shapes(shown(SHARING, "pipeline-lib prune --keep 5")) == shapes(real)


def test_a_champion_is_promoted_and_listed_as_shown(
    project: Project, copy: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_lib.records.promotion.problems_of", lambda record: [])  # this checkout may be changed
    monkeypatch.setattr("pipeline_lib.records.promotion.git_user", lambda root: "Anna Berg <anna@example.org>")
    root = tmp_path / "clone"
    for folder in (root, tmp_path / "store"):
        folder.mkdir()
    team = replace(project, root=root, store=str(tmp_path / "store"))
    reason = "lower error on the sales of 2010"
    told = shown(SHARING, f'pipeline-lib promote houses --reason "{reason}"')
    real = output(team, "promote", "houses", "--reason", reason)
    assert shapes(told) == shapes([line.replace(team.store, "/mnt/team/runs") for line in real])
    assert shapes(shown(SHARING, "pipeline-lib champions")) == shapes(output(team, "champions"))


def _other_run(record: Record, id_: str, status: str) -> None:
    """A run of this status beside a finished one; without a living runner `running` is killed."""
    other = Record(record.folder.with_name(id_))
    other.folder.mkdir()
    manifest = {"status": status, "reference": other.reference}
    (write_manifest if status == "running" else seal)(other, manifest)
