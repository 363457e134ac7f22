"""The recipes of docs/retraining.md run: the script as cron starts it, the steps of the workflow in a clean clone."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from example import ROOT
from harbours import commit, git, person
from weekly import Weekly, write_weekly

from pipeline_lib.records.record import all_records

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "retraining.md"


def block(language: str, containing: str) -> str:
    """The only code block of the page in a language with some text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if containing in text)
    return str(found)


@dataclass(frozen=True)
class Team:
    """A checkout with a champion, and the remote that it is pushed to."""

    weekly: Weekly
    remote: Path

    def environment(self, checkout: Path) -> dict[str, str]:
        """What cron gives a job, with the two lines of a crontab that the project needs."""
        return {
            "HOME": str(self.remote.parent),
            "PATH": "/usr/bin:/bin",
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(checkout),
            "PIPELINE_LIB_URL_DEPOT": self.weekly.depot.url,
        }

    def branches(self) -> list[str]:
        return git(self.remote, "branch", "--list", "retrain/*", "--format=%(refname:short)").split()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    weekly = write_weekly(tmp_path_factory.mktemp("team"))
    root = weekly.root
    (root / ".gitignore").write_text("runs/\n__pycache__/\n.venv\n")
    (root / "retrain.sh").write_text(block("sh", "git pull"))
    (root / "retrain.sh").chmod(0o755)
    commit(root, "The script of cron")
    for words in (["run", "params/trips.yml", "--no-parity"], ["parity", "trips", "--full"]):
        ended = weekly.depot.command(*words)
        assert ended.returncode == 0, ended.stderr
    ended = weekly.depot.command("promote", "trips", "--reason", "the first one")
    assert ended.returncode == 0, ended.stderr
    commit(root, "Promote")
    remote = root.parent / "origin.git"
    git(root.parent, "clone", "--quiet", "--bare", str(root), str(remote))
    git(root, "remote", "add", "origin", str(remote))
    git(root, "fetch", "--quiet")
    git(root, "branch", "--set-upstream-to=origin/main")
    return Team(weekly, remote)


def with_environment(checkout: Path) -> None:
    """The checkout's .venv is this one."""
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])


def test_the_script_of_cron_pushes_the_branch_and_a_second_start_finds_it(team: Team) -> None:
    root = team.weekly.root
    with_environment(root)
    line = block("text", "retrain.sh").splitlines()[-1]
    command = line.split(maxsplit=5)[5].replace("/home/me/houses", str(root)).replace("houses", "trips")
    command = command.replace("--margin 250", "--margin 0.5")
    for _ in range(2):
        ended = subprocess.run(  # noqa: S602  as cron runs a line
            command, shell=True, cwd="/", env=team.environment(root), capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    (answer,) = (json.loads(path.read_text()) for path in root.glob("runs/retrain-trips-*.json"))
    assert (answer["exit_code"], answer["known"]) == (0, True)
    assert team.branches() == [answer["branch"]]
    assert git(root, "status", "--porcelain") == ""
    assert len(all_records(root / "runs")) == 2
    pointer = git(team.remote, "show", f"{answer['branch']}:champions/trips.yml")
    assert f"reference: {answer['record']}" in pointer
    git(team.remote, "branch", "-D", answer["branch"])


def steps() -> Iterator[Mapping[str, Any]]:
    """The steps of the workflow that need no GitHub: those between its setup and its pull request."""
    workflow = yaml.safe_load(block("yaml", "workflow_dispatch"))
    for step in workflow["jobs"]["retrain"]["steps"]:
        if step.get("name") in ("retrain", "push"):
            yield step


def test_the_steps_of_the_workflow_run_in_a_clean_clone(team: Team, tmp_path: Path) -> None:
    checkout = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(team.remote), str(checkout))
    person(checkout, "Runner")
    (tmp_path / "store").symlink_to(team.weekly.root.parent / "store")  # `store = ../store`
    with_environment(checkout)
    environment = team.environment(checkout) | {"NAME": "trips", "MARGIN": "0.5", "RUNNER_TEMP": str(tmp_path)}
    environment |= {name: str(tmp_path / name) for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    set_before: dict[str, str] = {}
    ran = []
    for step in steps():
        condition = step.get("if", "")
        if condition:
            assert condition == "env.proposed == 'yes'"
            if set_before.get("proposed") != "yes":
                continue
        ended = subprocess.run(  # noqa: S603
            ["/bin/bash", "-e", "-c", step["run"]],
            cwd=checkout,
            env=environment | set_before,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        ran.append(step["name"])
        set_before = dict(line.partition("=")[::2] for line in Path(environment["GITHUB_ENV"]).read_text().split())
    assert ran == ["retrain", "push"]
    assert team.branches() == [set_before["branch"]]
    assert "is better than the champion" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert git(checkout, "status", "--porcelain") == ""
    assert len(all_records(tmp_path / "store")) >= 2  # the champion came from there, and the new run went there
    git(team.remote, "branch", "-D", set_before["branch"])  # another retraining of this day would find it
