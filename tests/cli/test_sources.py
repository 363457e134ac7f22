"""`pipeline-lib sources`: what is listed, and what changed between two runs."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project

spec = importlib.util.spec_from_file_location("sources_of_runs", Path(__file__).parents[1] / "records/test_sources.py")
assert spec is not None
assert spec.loader is not None
helpers: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helpers)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the pipelines boats, which ran twice, and ropes, which never ran."""
    (tmp_path / "nbs" / "pipelines").mkdir(parents=True)
    for name in ("boats", "ropes"):
        (tmp_path / "nbs" / "pipelines" / f"{name}.ipynb").write_text("{}")
    project = Project(tmp_path, "pipeline_lib", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")
    for values in ([1, 2], [1, 2, 7]):
        helpers.run(project.runs, ("select 1", pa.table({"x": values})), files={"data/x.csv": "aa"}, trained=values)
    return project


def call(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(
        commands, ["sources", *arguments], obj=project, catch_exceptions=False, standalone_mode=False
    )


def test_without_a_name_each_pipeline_has_its_newest_versions(project: Project) -> None:
    lines = call(project).output.splitlines()
    assert lines[0] == "boats"
    assert lines[1] == "  file     data/x.csv"
    assert "2 runs, boats/" in lines[2]
    assert lines[3] == "  query    depot: select 1 (2 versions)"
    assert "3 rows, as of 2026-11-23T10:00:00+00:00" in lines[4]
    assert lines[5] == "ropes: no finished run"


def test_a_pipeline_has_all_versions_and_its_last_change(project: Project) -> None:
    text = call(project, "boats").output
    assert "2 rows, as of" in text
    assert "3 rows, as of" in text
    _, _, changes = text.partition("last change: ")
    assert "depot: select 1: rows: 2 → 3\n" in changes
    assert "training rows: x: largest 2 → 7\n" in changes


def test_two_runs_are_compared(project: Project) -> None:
    old, new = sorted(f"boats/{path.name}" for path in (project.runs / "boats").iterdir() if path.name[0] != ".")
    assert "  depot: select 1: x: largest 7 → 2\n" in call(project, "--between", new, old).output
    assert call(project, "--between", old, old).output == f"{old} → {old}\n  no change\n"
    content = json.loads(call(project, "--between", old, new, "--json").output)
    assert [source["kind"] for source in content["a"]] == ["file", "query"]
    assert "depot: select 1: rows: 2 → 3" in content["changes"]


def test_json_has_every_version(project: Project) -> None:
    content = json.loads(call(project, "--json").output)
    assert [len(source["versions"]) for source in content["boats"]] == [1, 2]
    assert content["ropes"] == []


def test_a_pipeline_without_a_run_says_how_to_make_one(project: Project) -> None:
    with pytest.raises(
        InputError, match=r"found no finished run of 'ropes', `pipeline-lib run params/ropes\.yml` makes"
    ):
        call(project, "ropes")
    with pytest.raises(InputError, match="found no finished run of 'nope', expected one of: boats, ropes"):
        call(project, "nope")
