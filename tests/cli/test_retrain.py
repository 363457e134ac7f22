"""The command retrain as a person and a script read it: text, JSON, exit codes, options that do not fit."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from harbours import repository

from pipeline_lib.cli.main import commands
from pipeline_lib.comparison.retrain import RetrainOptions
from pipeline_lib.comparison.retraining import Retraining
from pipeline_lib.project.project import Project
from pipeline_lib.scoring.csv_rows import TextOptions

RETRAIN = "pipeline_lib.comparison.retrain.retrain"
BETTER = Retraining("boats", "2026-11-30", "boats/2", "boats/1", "better", True, "It is better.", "retrain/boats-x")


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


class Asked:
    """Stands for a retraining: keeps what it was asked for, and answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Retraining) -> None:
        self.answer, self.options = answer, RetrainOptions(date.min)
        monkeypatch.setattr(RETRAIN, self)

    def __call__(self, project: Project, pipeline: str, options: RetrainOptions) -> Retraining:
        self.options = options
        return self.answer


def invoke(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(commands, ["retrain", "boats", *arguments], obj=project)


def test_a_proposed_record_is_told_with_what_is_left_to_do(anna: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, BETTER)
    result = invoke(anna, "--as-of", "2026-11-30", "--margin", "2.5", "--missing", "unknown", "--delimiter", ";")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "boats/2: retrained as of 2026-11-30",
        "It is better.",
        "branch retrain/boats-x: champions/boats.yml names it; merging the branch makes it the champion",
        "propose it: git push origin retrain/boats-x",
    ]
    assert (asked.options.as_of, asked.options.today) == (date(2026, 11, 30), False)
    assert asked.options.comparison["margin"] == 2.5
    assert asked.options.comparison["options"] == TextOptions("utf-8", ";", ("unknown",))
    invoke(anna)
    assert (asked.options.as_of, asked.options.today) == (date.today(), True)


@pytest.mark.parametrize(
    ("change", "code", "last"),
    [
        ({"verdict": "no difference", "known": True}, 10, "propose it: git push origin retrain/boats-x"),
        ({"record": "boats/1", "verdict": "no difference", "branch": None}, 10, "it is the champion already"),
        ({"verdict": "worse", "not_worse": False, "branch": None}, 11, "no branch: `pipeline-lib promote boats/2"),
        ({"verdict": "cannot tell", "not_worse": False, "branch": None}, 12, "no branch: `pipeline-lib promote"),
    ],
)
def test_each_verdict_has_its_exit_code_and_last_line(
    anna: Project, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: int, last: str
) -> None:
    answer = replace(BETTER, **change)
    Asked(monkeypatch, answer)
    result = invoke(anna)
    assert result.exit_code == code
    assert result.stdout.splitlines()[-1].startswith(last)
    assert (", found" in result.stdout) == answer.known
    as_json = invoke(anna, "--json")
    assert as_json.exit_code == code
    assert json.loads(as_json.stdout) == answer.to_json()


@pytest.mark.parametrize("known", [False, True])
def test_options_that_an_earlier_answer_does_not_follow_are_named(
    anna: Project, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    Asked(monkeypatch, replace(BETTER, known=known))
    result = invoke(anna, "--margin", "2.5", "--json")
    assert ("--margin changed nothing: branch retrain/boats-x has the answer" in result.stderr) == known
    assert invoke(anna).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "Monday"], "--as-of: found 'Monday', expected a date such as 2026-11-30"),
        (["--label-key", "id"], "found --label-key without --labels, expected the file of labels"),
        (["--labels", "l.csv", "--on", "rows.csv"], "found --labels without --label-key COLUMN, expected both"),
        (["--labels", "l.csv", "--label-key", "id"], "found --labels without --on FILE, expected both"),
        (
            ["--labels", "l.csv", "--label-key", "id", "--on", "rows.csv", "--label-delay", "soon"],
            "--label-delay: found 'soon', expected a time such as 30d",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_runs(
    anna: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    asked = Asked(monkeypatch, BETTER)
    result = invoke(anna, *arguments)
    assert message in str(result.exception)
    assert asked.options.as_of == date.min
