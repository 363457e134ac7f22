"""Commands that list and show records."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from command_line import invoke

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.report_checked import write_checked_report
from pipeline_lib.records.seal import seal


def test_runs_lists_what_there_is(copy: Record, project: Project) -> None:
    line = invoke("runs", project=project).output
    assert line.startswith(f"{copy.reference:<32}  finished  parity not checked")
    assert "r2 0.8" in line
    (listed,) = json.loads(invoke("runs", "--json", project=project).output)
    assert (listed["reference"], listed["status"], listed["parity"]) == (copy.reference, "finished", None)
    shutil.rmtree(project.runs)
    assert "no runs yet" in invoke("runs", project=project).output
    assert json.loads(invoke("runs", "--json", project=project).output) == []


def test_columns_of_runs_are_aligned(project: Project) -> None:
    names = ["houses", "a_pipeline_with_a_rather_long_name"]
    for name in names:
        create_record(project.runs, name)
    lines = invoke("runs", project=project).stdout.splitlines()
    assert [name for line in lines for name in names if line.startswith(name)] == names
    assert len({line.index("  parity not checked") for line in lines}) == 1


def test_show_prints_parameters_and_metrics(houses_record: Record) -> None:
    text = invoke("show", houses_record.folder).output
    assert "status      finished" in text
    assert "parameters  seed = 0" in text
    assert "metrics     rmse = " in text
    shown = json.loads(invoke("show", houses_record.folder, "--json").output)
    assert shown["reference"] == houses_record.reference
    assert shown["metrics"] == houses_record.read_json("metrics.json")
    assert shown["error"] is None


def test_show_prints_the_error(copy: Record) -> None:
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
    shown = invoke("show", copy.folder).output
    assert 0 < shown.index("\nerror       interrupted\n") < shown.index("\nparameters ")  # the cause first


@pytest.mark.parametrize("command", [["verify"], ["parity", "--only", "one row"], ["show"]], ids=lambda words: words[0])
def test_a_record_by_its_path_needs_no_project(
    copy: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke(*command, copy.folder).exit_code == 0
    assert isinstance(invoke(*command, "houses").exception, InputError)


def test_lab_of_a_scratch_record_names_the_notebook(project: Project) -> None:
    record = create_record(project.runs, "houses", scratch=True)
    with pytest.raises(InputError, match=r"scratch record, which keeps no notebook; open nbs/research/houses\.ipynb"):
        raise invoke("lab", record.reference, project=project).exception or AssertionError


def test_report_prints_the_path(copy: Record) -> None:
    assert invoke("report", copy.folder).stdout == f"{copy.report}\n"
    write_checked_report(copy, "Production gives the same answers.", "see", "good")
    best = checks_folder(copy) / "report.html"
    result = invoke("report", copy.folder)
    assert result.stdout == f"{copy.report}\n"  # scripts find the record by it
    assert result.stderr == f"with the verdict of parity: {best}\n"
    assert f"report      {best}" in invoke("show", copy.folder).output
    copy.report.unlink()
    assert isinstance(invoke("report", copy.folder).exception, InputError)


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
