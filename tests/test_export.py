"""Export integrity on a project of two notebooks: each way a module and its notebook can part."""

import json
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.export import HEADER, check_export, export
from pipeline_lib.project import Project, find_project

SETTINGS = "[project]\nlib_name = tiny\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
NBDEV = '[project]\nname = "tiny"\nversion = "0.1"\n[tool.nbdev]\nlib_path = "tiny"\nnbs_path = "nbs"\n'
ADD = "#| export\ndef add(a: int, b: int) -> int:\n    return a + b\n"


def save(root: Path, name: str, *sources: str) -> Path:
    """Write a notebook of code cells with ids c1, c2, …"""
    items = [
        {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": source}
        for n, source in enumerate(sources, start=1)
    ]
    path = root / "nbs" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": items, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "settings.ini").write_text(SETTINGS)
    (tmp_path / "pyproject.toml").write_text(NBDEV)
    for folder in ("steps", "pipelines"):
        (tmp_path / "tiny" / folder).mkdir(parents=True)
        (tmp_path / "tiny" / folder / "__init__.py").touch()
    save(tmp_path, "steps/00_sums", "#| default_exp steps.sums", ADD, "assert add(1, 1) == 2")
    save(tmp_path, "pipelines/houses", "#| default_exp pipelines.houses", "#| export\nNAME = 'houses'")
    save(tmp_path, "research/houses", "x = 1")
    found = find_project(tmp_path)
    export(found)
    return found


@pytest.fixture
def sums(project: Project) -> Path:
    return project.package / "steps" / "sums.py"


def test_a_fresh_export_agrees_and_a_second_one_writes_nothing(project: Project, sums: Path) -> None:
    assert check_export(project) == []
    before = sums.stat().st_mtime_ns
    assert export(project) == []
    assert sums.stat().st_mtime_ns == before
    assert "assert add" not in sums.read_text()


def test_the_everyday_tree_is_not_touched_by_a_check(project: Project) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    check_export(project)
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before


def test_one_edited_character_is_named_with_its_cell(project: Project, sums: Path) -> None:
    sums.write_text(sums.read_text().replace("a + b", "a - b"))
    (problem,) = check_export(project)
    assert problem.startswith("tiny/steps/sums.py: differs from nbs/steps/00_sums.ipynb, cell 2 (id c2), line ")
    assert "found `return a - b`, expected `return a + b`" in problem
    assert export(project) == ["updated tiny/steps/sums.py from nbs/steps/00_sums.ipynb"]
    assert check_export(project) == []


def test_an_edit_of_the_heading_and_a_cut_end_are_named(project: Project, sums: Path) -> None:
    whole = sums.read_text()
    sums.write_text(whole.replace("DO NOT EDIT", "do not edit"))
    assert any("the heading" in problem for problem in check_export(project))
    sums.write_text(whole + "added = 1\n")
    assert "found `added = 1`, expected `end of file`" in check_export(project)[0]
    sums.write_text(whole[: whole.index("    return")])
    assert "found `end of file`, expected `return a + b`" in check_export(project)[0]


def test_a_notebook_edited_without_export_is_stale(project: Project) -> None:
    save(project.root, "steps/00_sums", "#| default_exp steps.sums", ADD.replace("a + b", "b + a"))
    (problem,) = check_export(project)
    assert "found `return a + b`, expected `return b + a`" in problem


def test_a_missing_module_is_named_and_written(project: Project, sums: Path) -> None:
    sums.unlink()
    assert check_export(project) == [
        "tiny/steps/sums.py: found no such module, expected the export of nbs/steps/00_sums.ipynb; say `make export`"
    ]
    assert export(project) == ["wrote tiny/steps/sums.py from nbs/steps/00_sums.ipynb"]


def test_a_deleted_notebook_orphans_its_module(project: Project, sums: Path) -> None:
    (project.notebooks / "steps" / "00_sums.ipynb").unlink()
    (problem,) = check_export(project)
    assert "found a module that nbs/steps/00_sums.ipynb (cells c2) exports no longer" in problem
    assert export(project) == ["removed tiny/steps/sums.py: no notebook exports it"]
    assert not sums.exists()


def test_a_renamed_notebook_moves_its_module(project: Project, sums: Path) -> None:
    (project.notebooks / "steps" / "00_sums.ipynb").unlink()
    save(project.root, "steps/00_totals", "#| default_exp steps.totals", ADD)
    problems = check_export(project)
    assert [problem.partition(":")[0] for problem in problems] == ["tiny/steps/sums.py", "tiny/steps/totals.py"]
    export(project)
    assert not sums.exists()
    assert (project.package / "steps" / "totals.py").is_file()


def test_a_hand_written_file_is_reported_and_never_removed(project: Project) -> None:
    own = project.package / "steps" / "own.py"
    own.write_text("X = 1\n")
    (problem,) = check_export(project)
    assert problem.startswith("tiny/steps/own.py: found a file that no notebook exported")
    with pytest.raises(InputError, match=r"tiny/steps/own\.py: found a file without nbdev's header"):
        export(project)
    assert own.read_text() == "X = 1\n"


def test_a_module_whose_header_was_taken_off_is_not_overwritten(project: Project, sums: Path) -> None:
    sums.write_text("mine = 1\n")
    assert HEADER not in sums.read_text()
    with pytest.raises(InputError, match="without nbdev's header"):
        export(project)
    assert sums.read_text() == "mine = 1\n"


def test_two_notebooks_for_one_module_are_both_named(project: Project) -> None:
    save(project.root, "steps/01_other", "#| default_exp steps.sums", ADD)
    problem = check_export(project)[0]
    assert problem.startswith("tiny/steps/sums.py: found two notebooks that export it")
    assert "nbs/steps/00_sums.ipynb, cell 1 (id c1) and nbs/steps/01_other.ipynb, cell 1 (id c1)" in problem


@pytest.mark.parametrize(
    ("name", "sources", "message"),
    [
        ("steps/01_bad", ["#| default_exp steps.bad", "#| export\ndef ("], "cell 2 (id c2), line 2: found a syntax"),
        ("steps/01_bad", ["#| default_exp steps.good", ADD], "expected `#| default_exp steps.bad`"),
        ("steps/01_bad", [ADD], "found exported cells but no `#| default_exp`"),
        ("steps/01_bad", ["#| default_exp steps.bad", ADD.replace("export", "export steps.x")], "`#| export steps.x`"),
        ("research/bad", ["#| default_exp research.bad", ADD], "expected them only in nbs/steps and nbs/pipelines"),
        ("bad", ["#| default_exp bad", ADD], "expected them only in nbs/steps and nbs/pipelines"),
        ("pipelines/00_bad", ["#| default_exp pipelines.bad", ADD], "expected `#| default_exp pipelines.00_bad`"),
    ],
)
def test_a_notebook_that_cannot_be_exported_stops_export_before_it_writes(
    project: Project, sums: Path, name: str, sources: list[str], message: str
) -> None:
    save(project.root, name, *sources)
    sums.unlink()
    problems = check_export(project)
    assert any(problem.startswith(f"nbs/{name}.ipynb: ") and message in problem for problem in problems)
    with pytest.raises(InputError) as caught:
        export(project)
    assert message in str(caught.value)
    assert not sums.exists()


def test_broken_json_is_a_problem_of_its_notebook(project: Project) -> None:
    (project.notebooks / "steps" / "01_torn.ipynb").write_text("{")
    assert check_export(project)[0].startswith("nbs/steps/01_torn.ipynb: found no valid JSON")


@pytest.mark.parametrize(("old", "new"), [("+ b\n", "+ b\n\n"), ("+ b", "+ b "), ("# %%", "\ufeff# %%")])
def test_an_edit_that_python_would_not_notice_is_an_edit(project: Project, sums: Path, old: str, new: str) -> None:
    sums.write_text(sums.read_text().replace(old, new))
    assert len(check_export(project)) == 1
