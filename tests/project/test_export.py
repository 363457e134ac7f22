"""Export integrity on a project of two notebooks: each difference between a module and its notebook."""

import json
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export, export
from pipeline_lib.project.generated_modules import HEADER
from pipeline_lib.project.project import Project, find_project

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


def problems(project: Project) -> list[str]:
    return [str(problem) for problem in check_export(project)]


@pytest.fixture
def sums(project: Project) -> Path:
    return project.package / "steps" / "sums.py"


def test_a_fresh_export_agrees_and_a_second_one_writes_nothing(project: Project, sums: Path) -> None:
    assert problems(project) == []
    before = sums.stat().st_mtime_ns
    assert export(project) == []
    assert sums.stat().st_mtime_ns == before
    assert "assert add" not in sums.read_text()


def test_a_check_changes_no_file(project: Project) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    problems(project)
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before


def test_one_edited_character_is_named_with_its_cell(project: Project, sums: Path) -> None:
    sums.write_text(sums.read_text().replace("a + b", "a - b"))
    (problem,) = problems(project)
    assert problem.startswith("tiny/steps/sums.py: differs from nbs/steps/00_sums.ipynb, cell 2 (id c2), line ")
    assert "found `return a - b`, expected `return a + b`" in problem
    assert export(project) == ["updated tiny/steps/sums.py from nbs/steps/00_sums.ipynb"]
    assert problems(project) == []


def test_an_edit_of_the_heading_and_a_cut_end_are_named(project: Project, sums: Path) -> None:
    whole = sums.read_text()
    sums.write_text(whole.replace("DO NOT EDIT", "do not edit"))
    assert "sums.py: found a file without nbdev's header" in problems(project)[0]
    sums.write_text(whole.replace("['add']", "['odd']"))
    assert "the heading" in problems(project)[0]
    sums.write_text(whole + "added = 1\n")
    assert "found `added = 1`, expected `end of file`" in problems(project)[0]
    sums.write_text(whole[: whole.index("    return")])
    assert "found `end of file`, expected `return a + b`" in problems(project)[0]


def test_a_notebook_edited_without_export_is_stale(project: Project) -> None:
    save(project.root, "steps/00_sums", "#| default_exp steps.sums", ADD.replace("a + b", "b + a"))
    (problem,) = problems(project)
    assert "found `return a + b`, expected `return b + a`" in problem


def test_a_missing_module_is_named_and_written(project: Project, sums: Path) -> None:
    sums.unlink()
    assert problems(project) == [
        "tiny/steps/sums.py: found no such module, expected the export of nbs/steps/00_sums.ipynb; run `make export`"
    ]
    assert export(project) == ["wrote tiny/steps/sums.py from nbs/steps/00_sums.ipynb"]


def test_the_module_of_a_deleted_notebook_is_removed(project: Project, sums: Path) -> None:
    (project.notebooks / "steps" / "00_sums.ipynb").unlink()
    (problem,) = problems(project)
    assert "found a module that nbs/steps/00_sums.ipynb (cells c2) exports no longer" in problem
    assert export(project) == ["removed tiny/steps/sums.py: no notebook exports it"]
    assert not sums.exists()


def test_a_renamed_notebook_moves_its_module(project: Project, sums: Path) -> None:
    (project.notebooks / "steps" / "00_sums.ipynb").unlink()
    save(project.root, "steps/00_totals", "#| default_exp steps.totals", ADD)
    found = problems(project)
    assert [problem.partition(":")[0] for problem in found] == ["tiny/steps/sums.py", "tiny/steps/totals.py"]
    export(project)
    assert not sums.exists()
    assert (project.package / "steps" / "totals.py").is_file()


def test_a_hand_written_file_is_reported_and_never_removed(project: Project) -> None:
    own = project.package / "steps" / "own.py"
    own.write_text("X = 1\n")
    (problem,) = problems(project)
    assert problem.startswith("tiny/steps/own.py: found a file without nbdev's header")
    with pytest.raises(InputError, match=r"tiny/steps/own\.py: found a file without nbdev's header"):
        export(project)
    assert own.read_text() == "X = 1\n"


def test_a_module_without_its_header_is_not_overwritten(project: Project, sums: Path) -> None:
    sums.write_text("mine = 1\n")
    assert HEADER not in sums.read_text()
    with pytest.raises(InputError, match="without nbdev's header"):
        export(project)
    assert sums.read_text() == "mine = 1\n"


def test_two_notebooks_for_one_module_are_both_named(project: Project) -> None:
    save(project.root, "steps/01_other", "#| default_exp steps.sums", ADD)
    problem = problems(project)[0]
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
    found = problems(project)
    assert any(problem.startswith(f"nbs/{name}.ipynb: ") and message in problem for problem in found)
    with pytest.raises(InputError) as caught:
        export(project)
    assert message in str(caught.value)
    assert not sums.exists()


def test_broken_json_is_a_problem_of_its_notebook(project: Project) -> None:
    (project.notebooks / "steps" / "01_torn.ipynb").write_text("{")
    assert problems(project)[0].startswith("nbs/steps/01_torn.ipynb: found no valid JSON")


@pytest.mark.parametrize(("old", "new"), [("+ b\n", "+ b\n\n"), ("+ b", "+ b "), ("# %%", "\ufeff# %%")])
def test_an_edit_of_white_space_alone_is_a_difference(project: Project, sums: Path, old: str, new: str) -> None:
    sums.write_text(sums.read_text().replace(old, new))
    assert len(problems(project)) == 1


def test_a_changed_cell_is_named_before_the_list_of_names_that_follows_from_it(project: Project) -> None:
    save(project.root, "steps/00_sums", "#| default_exp steps.sums", ADD, ADD.replace("add", "plus"))
    assert "cell 3 (id c3)" in problems(project)[0]


def test_a_difference_in_white_space_is_shown(project: Project, sums: Path) -> None:
    sums.write_text(sums.read_text().replace("    return a", "     return a"))
    assert "found `     return a + b`, expected `    return a + b`" in problems(project)[0]


@pytest.mark.parametrize("path", ["sums/__init__.py", "sums.abi3.so", "sums.pyi", "data.csv", "deep/er.py"])
def test_what_python_might_import_instead_is_reported(project: Project, sums: Path, path: str) -> None:
    stray = sums.parent / path
    stray.parent.mkdir(exist_ok=True)
    stray.write_text(HEADER + "nowhere\n")
    (problem,) = problems(project)
    assert problem.startswith(f"tiny/steps/{path.partition('/')[0]}: found a ")
    with pytest.raises(InputError, match="expected only exported modules"):
        export(project)
    assert stray.is_file()


def test_the_package_module_of_a_generated_folder_holds_a_docstring_at_most(project: Project, sums: Path) -> None:
    package = sums.with_name("__init__.py")
    package.write_text('"""Steps."""\n')
    assert problems(project) == []
    package.write_text("import os\n")
    assert problems(project)[0].startswith("tiny/steps/__init__.py: found code, expected nothing but a docstring")


def test_a_file_that_only_mentions_the_header_is_hand_written(project: Project, sums: Path) -> None:
    own = sums.with_name("own.py")
    own.write_text(f'"""Not\n{HEADER}x.ipynb.\n"""\n')
    with pytest.raises(InputError, match=r"own\.py: found a file"):
        export(project)
    assert own.is_file()


def test_a_folder_with_the_name_of_a_module_is_a_problem(project: Project, sums: Path) -> None:
    sums.unlink()
    sums.mkdir()
    assert problems(project) == [
        "tiny/steps/sums.py: found a folder without nbdev's header, expected only exported modules; move it away"
    ]


def test_half_of_a_surrogate_pair_is_a_problem_of_its_cell(project: Project) -> None:
    save(project.root, "steps/00_sums", "#| default_exp steps.sums", ADD + "# \ud800\n")
    assert problems(project)[0].startswith("nbs/steps/00_sums.ipynb: cell 2 (id c2): found ")


def test_a_broken_notebook_is_a_problem_of_its_module_and_not_an_orphan(project: Project) -> None:
    save(project.root, "steps/00_sums", "#| default_exp steps.sums", "#| export\ndef (")
    (problem,) = check_export(project)
    assert problem.module == "tiny/steps/sums.py"
    assert str(problem).startswith("nbs/steps/00_sums.ipynb: cell 2 (id c2)")


def test_without_pyproject_the_missing_file_is_named(project: Project) -> None:
    (project.root / "pyproject.toml").unlink()
    with pytest.raises(InputError, match=r"pyproject\.toml: found no such file"):
        check_export(project)
