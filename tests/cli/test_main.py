"""The command line: what it prints and the exit code it ends with."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from example import PARAMETERS, ROOT

from pipeline_lib.cli import main as cli
from pipeline_lib.errors import DifferenceError, InputError, RunError
from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.result import Parity
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.cache.lookup import CachedRun

DIFFERENCE = Difference("value", "1.0", "2.0", column="size", row=0, rows=1, columns=1)
LOOKUP = "pipeline_lib.runner.cache.lookup"


@pytest.fixture(autouse=True)
def stand_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *given: CachedRun(None))  # whatever the checkout has run


def invoke(*arguments: object, project: Project | None = None) -> Result:
    return CliRunner().invoke(cli.commands, [str(argument) for argument in arguments], obj=project)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The checkout's project with a runs folder of its own."""
    return replace(find_project(ROOT), runs=tmp_path / "runs")


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Any:
    """How `main` ends for these words on the command line; None when it returns."""
    monkeypatch.setattr(sys, "argv", ["pipeline-lib", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code
    return None


def test_every_command_explains_itself() -> None:
    result = invoke("--help")
    for name in ("run", "parity", "export", "clean", "runs", "show", "report", "verify", "lab", "new"):
        assert f"\n  {name} " in result.output
        assert invoke(name, "-h").exit_code == 0


def test_checks_of_the_checkout_pass() -> None:
    assert "agree" in invoke("export", "--check").output
    assert invoke("clean", "--check").output == "the notebooks are clean\n"


def test_leftovers_are_listed_and_removed_only_when_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(project.runs.parent))
    assert invoke("clean", "--leftovers", project=project).output == "nothing is left behind\n"
    killed = create_record(project.runs, "houses")
    listed = invoke("clean", "--leftovers", project=project)
    assert f"pipeline-lib resume {killed.reference}" in listed.output
    assert "nothing was removed" in listed.output
    assert killed.folder.is_dir()
    assert invoke("clean", "--leftovers", "--yes", project=project).output.startswith("removed ")
    assert not killed.folder.exists()


@pytest.mark.parametrize("words", [("--yes",), ("--leftovers", "--check")])
def test_words_of_clean_that_do_not_go_together_are_refused(words: tuple[str, ...]) -> None:
    assert isinstance(invoke("clean", *words).exception, InputError)


def test_a_resumed_run_is_shown_and_checked_as_a_run_is(
    project: Project, copy: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = create_record(project.runs, "houses")
    monkeypatch.setattr("pipeline_lib.runner.resume.resume_run", lambda record, project, **options: copy)
    shown = invoke("resume", killed.reference, "--no-parity", project=project)
    assert f"record: {copy.folder}" in shown.output
    assert shown.exit_code == 0
    told = invoke("resume", killed.reference, "--no-parity", "--json", project=project)
    assert json.loads(told.output)["status"] == "finished"


def test_a_stale_library_and_parameters_that_disagree_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [ExportProblem("a.py", "a: found stale"), ExportProblem("b.py", "b: found stale")]
    monkeypatch.setattr("pipeline_lib.project.export.check_export", lambda project: stale)
    monkeypatch.setattr(
        "pipeline_lib.runner.preflight.check_parameters_agree", lambda project: ["c: found 1, expected 2"]
    )
    result = invoke("export", "--check")
    assert result.exit_code == 1
    assert "a: found stale\nb: found stale\nc: found 1, expected 2\n3 problems found" in result.output


def test_a_cell_that_disagrees_with_its_file_ends_with_1(research: Callable[..., Path]) -> None:
    research(parameters=PARAMETERS.replace("seed = 0", "seed = 1"))
    result = invoke("export", "--check")
    assert result.exit_code == 1
    assert "seed: found 1, expected 0 as in params/houses.yml" in result.output


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of one's own, where the commands stand."""
    settings = "[project]\nlib_name = mine\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(settings)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace('"pipeline_lib"', '"mine"')
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "mine" / "pipelines").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


def test_new_says_what_comes_next_and_export_what_it_wrote(empty: Project) -> None:
    said = invoke("new", "boats").output
    assert said.startswith("wrote nbs/pipelines/boats.ipynb\n")
    assert said.endswith("wrote mine/pipelines/boats.py\nnext: pipeline-lib run params/boats.yml\n")
    assert "nothing to do" in invoke("export").output
    (empty.package / "pipelines" / "boats.py").unlink()
    assert invoke("export").output == "wrote mine/pipelines/boats.py from nbs/pipelines/boats.ipynb\n"


def test_clean_strips_outputs(tmp_path: Path) -> None:
    project = replace(find_project(ROOT), root=tmp_path, notebooks=tmp_path / "nbs")
    shutil.copytree(ROOT / "nbs" / "steps", project.notebooks / "steps")
    path = project.notebooks / "steps" / "00_years.ipynb"
    content = json.loads(path.read_bytes())
    next(cell for cell in content["cells"] if cell["cell_type"] == "code")["execution_count"] = 3
    path.write_text(json.dumps(content))
    found = invoke("clean", "--check", project=project)
    assert found.exit_code == 1
    assert "1 problem found" in found.output
    assert invoke("clean", project=project).output == "cleaned nbs/steps/00_years.ipynb\n"
    assert path.read_bytes() == (ROOT / "nbs" / "steps" / "00_years.ipynb").read_bytes()


def test_runs_lists_what_there_is(copy: Record, project: Project) -> None:
    line = invoke("runs", project=project).output
    assert line.startswith(f"{copy.reference:<32}  finished  parity not checked")
    assert "r2 0.8" in line
    (listed,) = json.loads(invoke("runs", "--json", project=project).output)
    assert (listed["reference"], listed["status"], listed["parity"]) == (copy.reference, "finished", None)
    shutil.rmtree(project.runs)
    assert "no runs yet" in invoke("runs", project=project).output
    assert json.loads(invoke("runs", "--json", project=project).output) == []


def test_show_tells_parameters_and_metrics(houses_record: Record) -> None:
    text = invoke("show", houses_record.folder).output
    assert "status      finished" in text
    assert "parameters  seed = 0" in text
    assert "metrics     rmse = " in text
    shown = json.loads(invoke("show", houses_record.folder, "--json").output)
    assert shown["reference"] == houses_record.reference
    assert shown["metrics"] == houses_record.read_json("metrics.json")
    assert shown["error"] is None


def test_show_tells_what_went_wrong(copy: Record) -> None:
    manifest = {key: value for key, value in copy.manifest().items() if key not in ("files", "digest")}
    error = {"message": "ValueError: bad", "cell": 4, "source": "the source"}
    copy.report.unlink()
    seal(copy, {**manifest, "status": "failed", "error": error, "hashes": {"artifact": None, "raw_input": "ab" * 32}})
    shown = invoke("show", copy.folder).output
    assert "cell 4: ValueError: bad\nthe source" in shown
    assert re.search(r"(?m)^parity      not checked$", shown)
    assert re.search(r"(?m)^hashes      raw_input = (ab){6}$", shown)
    assert "None" not in shown
    seal(copy, {**manifest, "status": "failed", "error": {**error, "traceback": "Traceback: line 7"}})
    assert "cell 4: ValueError: bad\nTraceback: line 7" in invoke("show", copy.folder).output
    seal(copy, {**manifest, "status": "failed", "error": {"message": "interrupted"}})
    assert "error       interrupted\n" in invoke("show", copy.folder).output


def test_parity_is_printed_and_shown_afterwards(copy: Record) -> None:
    result = invoke("parity", copy.folder, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["exact"] is True
    assert "parity: exact (293 rows" in invoke("show", copy.folder).output


def test_a_difference_in_parity_ends_with_1(houses_record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    different = Parity("houses/1", 3, None, {"scale": DIFFERENCE})
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: different)
    result = invoke("parity", houses_record.folder)
    assert result.exit_code == 1
    assert "parity: DIFFERENT" in result.output


def test_run_prints_metrics_and_parity(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Parity("houses/1", 3, None, {})
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *given, **options: copy)
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: exact)
    result = invoke("run", "params/houses.yml")
    assert result.exit_code == 0
    assert "rmse_log" in result.output
    assert "parity: exact" in result.output
    assert f"record: {copy.folder}" in result.output
    as_json = invoke("run", "params/houses.yml", "--json", "--no-parity")
    assert json.loads(as_json.output)["status"] == "finished"
    assert json.loads(as_json.output)["parity"] is None
    assert "parity" not in invoke("run", "params/houses.yml", "--no-parity").output


def test_an_unchanged_run_is_answered_with_its_kept_parity(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *given: CachedRun(copy))
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *given, **options: pytest.fail("it ran"))
    checked: list[Record] = []

    def check(record: Record, library: str) -> Parity:
        checked.append(record)
        return Parity("houses/1", 3, None, {"scale": DIFFERENCE})

    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", check)
    assert "parity" not in invoke("run", "params/houses.yml", "--no-parity").output
    told = invoke("run", "params/houses.yml")
    assert told.stdout.startswith(f"nothing changed since {copy.reference}; --force runs again\n")
    assert "parity: DIFFERENT" in told.output
    assert (told.exit_code, checked) == (1, [copy])  # never checked before: it is now
    kept = checks_folder(copy)
    kept.mkdir(parents=True)
    (kept / "parity.json").write_text(json.dumps(Parity("houses/1", 3, None, {}).to_json()))
    again = invoke("run", "params/houses.yml", "--json")
    assert (again.exit_code, checked) == (0, [copy])
    assert json.loads(again.stdout)["parity"]["exact"] is True
    assert "nothing changed" in again.stderr


def test_force_runs_and_a_run_that_no_other_answers_for_says_why(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *given: CachedRun(None, "no run answers: found no SOURCES"))
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *given, **options: copy)
    assert "found no SOURCES" in invoke("run", "params/houses.yml", "--no-parity").stderr
    monkeypatch.setattr(f"{LOOKUP}.lookup", lambda *given: pytest.fail("it looked"))
    assert invoke("run", "params/houses.yml", "--no-parity", "--force").exit_code == 0


def test_a_run_whose_parity_differs_ends_with_1(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    different = Parity("houses/1", 3, None, {"scale": DIFFERENCE})
    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda *given, **options: copy)
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", lambda record, library: different)
    assert invoke("run", "params/houses.yml").exit_code == 1
    assert invoke("run", "params/houses.yml", "--json").exit_code == 1


def test_a_failed_run_is_json_too(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = {key: value for key, value in copy.manifest().items() if key not in ("files", "digest")}
    seal(copy, {**manifest, "status": "failed", "error": {"message": "bad"}})

    def fail(*given: object, **options: object) -> None:
        raise RunError("bad", copy.folder)

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    result = invoke("run", "params/houses.yml", "--json")
    assert isinstance(result.exception, RunError)
    told = json.loads(result.stdout)
    assert (told["status"], told["reference"], told["error"]["message"]) == ("failed", copy.reference, "bad")
    assert invoke("run", "params/houses.yml").stdout == ""


@pytest.mark.parametrize("command", ["verify", "parity", "show"])
def test_a_record_by_its_path_needs_no_project(
    copy: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke(command, copy.folder).exit_code == 0
    assert isinstance(invoke(command, "houses").exception, InputError)


def test_lab_of_a_scratch_record_names_the_notebook(project: Project) -> None:
    record = create_record(project.runs, "houses", scratch=True)
    with pytest.raises(InputError, match=r"scratch record, which keeps no notebook; open nbs/research/houses\.ipynb"):
        raise invoke("lab", record.reference, project=project).exception or AssertionError


def test_report_prints_the_path(copy: Record) -> None:
    assert invoke("report", copy.folder).output == f"{copy.report}\n"
    copy.report.unlink()
    assert isinstance(invoke("report", copy.folder).exception, InputError)


def test_verify_ends_with_1_for_a_changed_byte(copy: Record) -> None:
    assert "every byte is as it was sealed" in invoke("verify", copy.folder).output
    assert json.loads(invoke("verify", copy.folder, "--json").output)["problems"] == []
    copy.report.write_text("other")
    result = invoke("verify", copy.folder)
    assert result.exit_code == 1
    assert "report.html: found other bytes" in result.output
    as_json = invoke("verify", copy.folder, "--json")
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.output)["problems"]) == 1


def test_lab_opens_a_copy(copy: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    monkeypatch.setattr(Project, "research_notebook", lambda self, pipeline: tmp_path / "houses.ipynb")
    assert invoke("lab", copy.folder, "--no-browser").exit_code == 0
    opened = tmp_path / f"_lab_houses_{copy.id}.ipynb"
    assert opened.read_bytes() == copy.notebook.read_bytes()
    assert started[0][1] == str(opened)
    assert started[0][-1] == "--no-browser"
    opened.write_text("edited")
    invoke("lab", copy.folder)
    assert opened.read_text() == "edited"
    copy.notebook.unlink()
    assert isinstance(invoke("lab", copy.folder).exception, InputError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "params/houses.yml", "--set", "test_shar=1"], "test_shar"),
        (["run", "params/castles.yml"], "castles"),
        (["run", "params/houses.yml", "--timeout", "0"], "--timeout"),
        (["show", "castles"], "no run 'castles'"),
        (["nonsense"], "nonsense"),
        (["new", "Boats"], "'Boats'"),
    ],
)
def test_bad_input_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert exit_code(monkeypatch, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DifferenceError("differs"), 1),
        (InputError("bad"), 2),
        (RunError("failed"), 3),
        (KeyboardInterrupt(), 130),
        (ModuleNotFoundError("No module named 'nbdev'", name="nbdev"), 2),
        (OSError(28, "No space left on device"), 3),
        (ZeroDivisionError("never foreseen"), 3),
    ],
)
def test_each_kind_of_error_has_its_exit_code(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(*given: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    assert exit_code(monkeypatch, "run", "params/houses.yml") == code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ModuleNotFoundError("No module named 'nbdev'", name="nbdev"),
            "found no package 'nbdev', expected",
        ),
        (OSError(28, "No space left on device"), "found [Errno 28] No space left on device, expected"),
        (ZeroDivisionError("never foreseen"), "ZeroDivisionError: never foreseen\nerror: found an error that nobody"),
    ],
)
def test_errors_from_below_are_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, message: str
) -> None:
    def fail(*given: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    exit_code(monkeypatch, "run", "params/houses.yml")
    assert message in capsys.readouterr().err


def test_broken_json_in_a_record_is_bad_input(
    copy: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy.folder / "params.json").write_text("{")
    assert exit_code(monkeypatch, "show", copy.folder) == 2
    assert "params.json: found a damaged file" in capsys.readouterr().err


def test_success_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], houses_record: Record
) -> None:
    assert exit_code(monkeypatch, "verify", houses_record.folder) in (None, 0)
    assert "every byte" in capsys.readouterr().out
