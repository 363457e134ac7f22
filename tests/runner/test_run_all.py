"""Every pipeline in one command: one line and one row of a page each; what fails stops no other."""

import functools
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from example import ROOT
from matrices import whole
from tiny import small_record

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import COMPILE_REPORT, MANIFEST, METRICS, PARITY_PAGE
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.runner import run_all as runall
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import canonical_json, write_atomic
from pipeline_lib.system.signals import EXIT_CODES

BASES = sorted(path for path in (ROOT / "params").glob("*.yml") if "." not in path.stem)
LONG = ("demand", "digits", "flights", "houses")
"""Pipelines that take two thirds of the time of all."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two pipelines and a variant, whose runs are replaced."""
    here = find_project(ROOT)
    project = Project(here.root, here.library, here.notebooks, tmp_path / "params", tmp_path / "runs")
    project.params.mkdir()
    project.runs.mkdir()
    for name in ("bad", "bad.quick", "good"):
        (project.params / f"{name}.yml").write_text("seed: 0\n")
    monkeypatch.setattr(runall, "run_pipeline", lambda params_file: answer(params_file, project.runs))
    monkeypatch.setattr("pipeline_lib.parity.check.read_parity", lambda record: {"exact": True, "text": ""})
    return project


def answer(params_file: Path, runs: Path) -> Record:
    if params_file.stem == "bad":
        raise RunError("bad/1: found <nothing>, expected something")
    folder = runs / "good" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    record = Record(folder)
    cells = [nbformat.v4.new_markdown_cell("# Is it <good>?\n\n**Question.** Really?\n\nMore.")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), record.notebook)
    record.report.write_text("report")
    write_atomic(folder / MANIFEST, canonical_json({"status": "finished"}))
    write_atomic(folder / METRICS, canonical_json({"rmse": 1234.5}))
    write_atomic(folder / COMPILE_REPORT, canonical_json({"steps": [{"name": "scale", "exact": True}]}))
    return record


def test_each_pipeline_has_a_line_and_a_failure_stops_no_other(project: Project) -> None:
    result = CliRunner().invoke(commands, ["run-all"], obj=project)
    assert result.exit_code == 3
    bad, good, page = result.output.splitlines()
    assert bad.split()[:4:3] == ["bad", "failed"]
    assert bad.endswith("bad/1: found <nothing>, expected something")
    assert good.startswith("good")
    assert good.endswith("parity exact    rmse 1,234.5")
    assert page == f"page: {project.runs / 'index.html'}"


def test_the_page_links_each_report_by_its_title_and_is_escaped(project: Project) -> None:
    runall.run_all(project)
    page = (project.runs / "index.html").read_text()
    assert "2 pipelines, 1 exact" in page
    assert '<a href="good/1/report.html">Is it &lt;good&gt;?</a><small>Question. Really?</small>' in page
    assert "found &lt;nothing&gt;" in page
    assert "<script" not in page


def test_an_opaque_step_and_a_difference_show(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.parity.check.read_parity", lambda record: {"exact": False, "text": ""})
    (project.params / "bad.yml").unlink()
    (ran,) = runall.run_all(project)
    assert (ran.verdict, ran.exit_code) == ("parity DIFFERENT", 1)
    assert ran.record is not None
    write_atomic(ran.record.folder / COMPILE_REPORT, canonical_json({"steps": [{"name": "own", "exact": False}]}))
    assert ran.verdict == "parity DIFFERENT, opaque: own"


@pytest.mark.parametrize("code", EXIT_CODES)
def test_an_interruption_stops_all(project: Project, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def interrupted(params_file: Path) -> Record:
        raise RunError("interrupted", exit_code=code)

    monkeypatch.setattr(runall, "run_pipeline", interrupted)
    done: list[Any] = []
    with pytest.raises(RunError, match="interrupted"):
        runall.run_all(project, done.append)
    assert len(done) == 1


def test_a_project_without_parameters_is_refused(project: Project) -> None:
    for path in project.params.iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"found no NAME\.yml in .*expected one for each pipeline"):
        runall.run_all(project)


def test_parity_is_checked_where_no_check_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    record = small_record(project.runs)
    (project.params / "bad.yml").unlink()
    monkeypatch.setattr(runall, "run_pipeline", lambda params_file: record)
    monkeypatch.setattr("pipeline_lib.parity.check.read_parity", lambda record: None)
    quick = functools.partial(check_parity, variations=["dict"])
    monkeypatch.setattr("pipeline_lib.parity.check.check_parity", quick)
    (ran,) = runall.run_all(project)
    assert ran.exit_code == 0
    assert (checks_folder(record) / PARITY_PAGE).relative_to(project.runs).as_posix() in (
        project.runs / "index.html"
    ).read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "params_file", [whole(path) if path.stem in LONG else path for path in BASES], ids=lambda path: path.stem
)
def test_every_pipeline_runs_and_is_exact_under_all_quick_variations(params_file: Path, tmp_path: Path) -> None:
    record = run_pipeline(params_file, runs=tmp_path, force=True)
    report = record.read_json(COMPILE_REPORT)
    assert [step["name"] for step in report["steps"] if not step["exact"]] == []
    assert check_parity(record).exact
