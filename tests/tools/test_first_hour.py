"""The script of the first hour sees what a new user would stumble over."""

import json
import os
from pathlib import Path

import pytest

from pipeline_lib.project.export import check_export
from pipeline_lib.project.init import create_project
from pipeline_lib.project.project import find_project
from tools.first_hour import Hour, HourError, change_step, environment, numbers, write_loans


@pytest.fixture
def hour(tmp_path: Path) -> Hour:
    return Hour(tmp_path, dict(os.environ))


def test_a_command_must_be_named_by_the_output_before_it(hour: Hour, capsys: pytest.CaptureFixture[str]) -> None:
    hour.run("first", "echo 'next: echo two; echo three'", named=None)
    hour.run("second", "echo two")
    hour.run("third", "echo three")  # named by the last output that said what comes next
    with pytest.raises(HourError, match=r"fourth: found no 'echo four' in the output before it"):
        hour.run("fourth", "echo four")
    assert [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()] == ["first", "second", "third"]


def test_exit_codes_and_outputs_must_be_as_expected(hour: Hour) -> None:
    with pytest.raises(HourError, match="ended with 3\nbad"):
        hour.run("fails", "echo bad; exit 3", named=None)
    with pytest.raises(HourError, match="ended with 0"):
        hour.run("does not fail", "true", named=None, code=2)
    with pytest.raises(HourError, match="found no 'exact' in the output"):
        hour.run("says nothing", "echo different", "exact", named=None)
    assert hour.run("fails as it should", "echo no >&2; exit 2", "no", named=None, code=2) == "no\n"


def test_machine_time_is_the_time_of_processors(hour: Hour) -> None:
    hour.run("sleeps", "sleep 0.3", named=None)
    assert hour.clock >= 0.3
    assert hour.machine < 0.2


def test_the_changed_step_is_another_one_and_its_own_assertion_holds(tmp_path: Path) -> None:
    create_project(tmp_path / "own", "credit_lab")
    change_step(tmp_path / "own")
    (problem,) = check_export(find_project(tmp_path / "own"))
    assert problem.module == "credit_lab/steps/rush_hour.py"
    notebook = json.loads((tmp_path / "own" / "nbs" / "steps" / "00_rush_hour.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102 (our own notebook)
    assert names["result"]["rush"].tolist()[-1] == 1.0  # type: ignore[index]


def test_a_new_user_has_nothing_of_this_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_FIND_LINKS", "/more")
    variables = environment(tmp_path, tmp_path / "wheels")
    assert "PYTHONPATH" not in variables
    assert variables["PIP_FIND_LINKS"] == f"{tmp_path / 'wheels'} /more"
    assert variables["PATH"].split(os.pathsep)[0] == str(tmp_path / "clean" / "bin")


def test_numbers_are_lines_that_are_nothing_else() -> None:
    assert numbers("1.5\nnext: 2\n-3\n") == [1.5, -3.0]


def test_the_invented_loans_are_always_the_same(tmp_path: Path) -> None:
    write_loans(tmp_path / "a.csv")
    write_loans(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 301
