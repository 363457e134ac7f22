"""New notebooks pass the project's ruff and mypy as they are written: mended, or with the rule named."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from exploration import ALL, LIBRARY, empty_project, planted

from pipeline_lib.project.export import check_export, export
from pipeline_lib.project.from_notebook.drafts import drafts
from pipeline_lib.project.from_notebook.facts import NO_FACTS
from pipeline_lib.project.from_notebook.house_style import switch_off_types, tidied, type_errors
from pipeline_lib.project.from_notebook.plan import plan_of
from pipeline_lib.project.notebooks import clean_notebook, notebook_bytes
from pipeline_lib.project.project import Project
from pipeline_lib.project.template import Names, house_files


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without pipelines, with the style of the template."""
    project = empty_project(tmp_path)
    (tmp_path / "pyproject.toml").write_bytes(house_files(Names.of(LIBRARY))["pyproject.toml"])
    return project


def notebook(*cells: str) -> bytes:
    kernel = {"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}}
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    made = [
        {**code, "id": f"original-{number}", "source": source.splitlines(keepends=True)}
        for number, source in enumerate(cells)
    ]
    return notebook_bytes({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def ruff(project: Project, *words: str) -> str:
    command = [sys.executable, "-m", "ruff", *words, "nbs"]
    return subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False).stdout  # noqa: S603


def sources(content: bytes) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]


@pytest.mark.parametrize(
    "name", ["functions", *(pytest.param(name, marks=pytest.mark.slow) for name in ALL if name != "functions")]
)
def test_new_notebooks_are_in_the_style_of_the_project(project: Project, name: str) -> None:
    row = "from pydantic import BaseModel\n\n\nclass Row(BaseModel):\n    area: float\n"
    facts = replace(NO_FACTS, row=row, files={"flats.csv": "data/flats.csv"})
    texts = drafts(plan_of(planted(name), name), facts, project, name, f"{name}.ipynb")
    for path, content in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        tidy = tidied(content, path, project)[0] if path.suffix == ".ipynb" else content
        path.write_bytes(tidy)
        if path.suffix == ".ipynb":
            assert notebook_bytes(clean_notebook(json.loads(tidy))) == tidy
            assert tidied(tidy, path, project) == (tidy, [])
    (project.package / "pipelines" / f"{name}.py").touch()
    assert "All checks passed!" in ruff(project, "check")
    assert ruff(project, "format", "--check").endswith("already formatted\n")


def test_what_only_the_author_can_mend_has_its_rule_in_a_comment(project: Project) -> None:
    code = "import sys, os\nx=os.sep\ndef f(l):\n    y = l+'%s' % x\n    return y\nif f('a')==None: print(x)"
    path = project.notebooks / "pipelines" / "mine.ipynb"
    content, rules = tidied(notebook(code, "f('b')"), path, project)
    assert rules == ["E741", "UP031", "E711"]
    assert sources(content)[0].splitlines() == [
        *("import os", "", "x = os.sep", "", ""),
        "def f(l):  # noqa: E741",
        '    return l + "%s" % x  # noqa: UP031',
        *("", ""),
        'if f("a") == None:  # noqa: E711',
        "    print(x)",
    ]
    path.write_bytes(content)
    assert "All checks passed!" in ruff(project, "check")
    path.write_bytes(content.replace(b"  # noqa: E711", b""))
    assert "Found 1 error" in ruff(project, "check")


def test_a_long_line_in_a_text_over_several_lines_has_its_comment_behind_the_text(project: Project) -> None:
    code = f'text = """a\n{"long " * 30}words\n"""\nprint(text)'
    path = project.research_notebook("mine")
    content, rules = tidied(notebook(code), path, project)
    assert rules == ["E501"]
    assert '"""  # noqa: E501' in sources(content)[0]


def test_imports_of_the_module_that_does_not_exist_yet_stand_with_the_projects(project: Project) -> None:
    code = f"from {LIBRARY}.pipelines.mine import read\nfrom pipeline_lib import start_run\n(read, start_run)"
    content, _ = tidied(notebook(code), project.research_notebook("mine"), project)
    assert sources(content)[0].startswith(f"from pipeline_lib import start_run\nfrom {LIBRARY}.pipelines.mine import")


@pytest.mark.slow
def test_errors_of_types_are_switched_off_by_kind(project: Project) -> None:
    path = project.notebooks / "pipelines" / "mine.ipynb"
    content = json.loads(notebook("#| default_exp pipelines.mine", "#| export\nimport math", "x"))
    content["cells"][1]["id"] = "imports"
    content["cells"][2]["source"] = ["#| export\n", "def half(x):\n", "    return math.floor(x / 2)\n", "half(3) + ''"]
    path.write_bytes(notebook_bytes(content))
    export(project)
    codes = type_errors(project, "mine")
    assert codes == ["no-untyped-call", "no-untyped-def"]
    switch_off_types(project, path, codes)
    assert type_errors(project, "mine") == []
    assert check_export(project) == []
    text = (project.package / "pipelines" / "mine.py").read_text()
    assert '# mypy: disable-error-code="no-untyped-call, no-untyped-def"\nimport math' in text
