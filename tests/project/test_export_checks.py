"""Cells that cannot become a module that imports are refused by export, with notebook, cell, line and remedy."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export, export
from pipeline_lib.project.project import Project, find_project

SETTINGS = "[project]\nlib_name = tiny\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
NBDEV = '[project]\nname = "tiny"\nversion = "0.1"\n[tool.nbdev]\nlib_path = "tiny"\nnbs_path = "nbs"\n'
ADD = "#| export\ndef add(a, b):\n    return a + b"
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without notebooks."""
    (tmp_path / "settings.ini").write_text(SETTINGS)
    (tmp_path / "pyproject.toml").write_text(NBDEV)
    for folder in ("steps", "pipelines"):
        (tmp_path / "tiny" / folder).mkdir(parents=True)
        (tmp_path / "tiny" / folder / "__init__.py").touch()
    (tmp_path / "tiny" / "__init__.py").touch()
    return find_project(tmp_path)


def save(project: Project, *sources: str, name: str = "steps/00_sums", edit: Edit = lambda notebook: None) -> None:
    """Write a notebook whose first cell names the module, with code cells of ids c1, c2, …"""
    items: list[dict[str, Any]] = [
        {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": source}
        for n, source in enumerate(["#| default_exp steps.sums", *sources], start=1)
    ]
    notebook = {"cells": items, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    edit(notebook)
    path = project.notebooks / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))


def refused(project: Project) -> str:
    """The message with which export refuses, having written nothing; the check gives the same."""
    with pytest.raises(InputError) as caught:
        export(project)
    assert list(project.package.glob("*/[!_]*.py")) == []
    assert [str(problem) for problem in check_export(project)] == [str(caught.value)]
    return str(caught.value)


def accepted(project: Project) -> str:
    """The text of the exported module, which is fresh after its export."""
    export(project)
    assert check_export(project) == []
    return (project.package / "steps" / "sums.py").read_text()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "from .years import *",
            "cell 3 (id c3), line 2: found `from .years import *`, expected `from tiny.steps.years import *`",
        ),
        ("from . import years", "found `from . import years`, expected `from tiny.steps import years`"),
        ("from ..pipelines.p import x as y", "expected `from tiny.pipelines.p import x as y`"),
        ("def f():\n    from .years import z", "line 3: found `from .years import z`, expected `from tiny.steps.years"),
        ("from ....far import z", "found `from ....far import z`, expected an import of a module of this project"),
    ],
)
def test_a_relative_import_is_refused_with_the_whole_name(project: Project, source: str, message: str) -> None:
    save(project, ADD, f"#| export\n{source}")
    assert message in refused(project)
    save(project, ADD, source)  # a cell that is not exported may have it
    accepted(project)


def test_the_whole_name_is_exported_and_becomes_relative(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    save(project, "#| export\nYEARS = 3", name="steps/00_years", edit=lambda n: _rename(n, "steps.years"))
    save(project, "#| export\nfrom tiny.steps.years import YEARS")
    assert "from .years import YEARS" in accepted(project)
    monkeypatch.syspath_prepend(project.root)
    monkeypatch.delitem(sys.modules, "tiny", raising=False)  # of another test
    try:
        assert importlib.import_module("tiny.steps.sums").YEARS == 3
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tiny"]:
            del sys.modules[name]


def _rename(notebook: dict[str, Any], module: str) -> None:
    notebook["cells"][0]["source"] = f"#| default_exp {module}"


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("await x", 2, "'await' outside function"),
        ("y = 1\nreturn y", 3, "'return' outside function"),
        ("yield 1", 2, "'yield' outside function"),
        ("async with a as b: pass", 2, "'async with' outside async function"),
    ],
)
def test_what_only_a_function_can_have_is_refused(project: Project, source: str, line: int, reason: str) -> None:
    save(project, ADD, f"#| export\n{source}")
    assert refused(project) == (
        f"nbs/steps/00_sums.ipynb: cell 3 (id c3), line {line}: found code that a module cannot have ({reason}), "
        "expected a module that imports; move it into a function, or into a cell that is not exported"
    )
    indented = source.replace("\n", "\n    ")
    save(project, ADD, f"#| export\nasync def f(x=0, a=0):\n    {indented}")
    assert "async def f" in accepted(project)


def test_cells_that_are_right_each_and_wrong_in_sequence_are_refused(project: Project) -> None:
    future = "#| export\nfrom __future__ import annotations"
    save(project, ADD, future)
    message = refused(project)
    assert message.startswith("nbs/steps/00_sums.ipynb: cell 3 (id c3): found code that a module cannot have (from __f")
    save(project, future, ADD)
    accepted(project)


def test_what_nbdev_cannot_export_is_refused_with_its_notebook(project: Project) -> None:
    save(project, ADD, "#| export\n_all_ = 1")
    assert "nbs/steps/00_sums.ipynb: found AttributeError as nbdev exports it" in refused(project)
    save(project, ADD, "#| export\n_all_ = ['add']")
    accepted(project)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("#|exprt\nx = 1", "line 1: found the directive `#| exprt`, expected `#| export`; correct the word"),
        ("\n#| Export\nx = 1", "line 2: found the directive `#| Export`, expected `#| export`; correct the word"),
        ("#| defualt_exp steps.sums", "expected `#| default_exp steps.sums`; correct the word"),
        ("#export\nx = 1", "line 1: found `#export`, expected `#| export`; add the bar"),
        (
            "# default_exp sums\nx = 1",
            "line 1: found `# default_exp sums`, expected `#| default_exp sums`; add the bar",
        ),
        ("#| default_exp", "found `#| default_exp`, expected `#| default_exp steps.sums`; name one module"),
        ("#| export a b\nx = 1", "found `#| export a b`, expected plain `#| export`: one notebook, one module"),
        ("x = 1\n#| export\ny = 2", "line 2: found `#| export` below other lines, expected it at the top of the cell"),
        ("# mine\n#| export\nx = 1", "line 2: found `#| export` below other lines, expected it at the top of the cell"),
        ("x = 1  #| exporti", "line 1: found `#| exporti` below other lines"),
        ("!ls\n#| export\nx = 1", "line 2: found `#| export` below other lines"),
    ],
)
def test_a_directive_that_nbdev_does_not_see_is_refused(project: Project, source: str, message: str) -> None:
    save(project, ADD, source)
    assert refused(project).startswith("nbs/steps/00_sums.ipynb: cell 3 (id c3), line ")
    assert message in refused(project)


def test_all_mistakes_of_a_notebook_are_shown_at_once(project: Project) -> None:
    save(project, "#| exprt\nx = 1", "y = 1\n#| export")
    assert [line.partition(",")[0] for line in refused(project).splitlines()] == [
        "nbs/steps/00_sums.ipynb: cell 2 (id c2)",
        "nbs/steps/00_sums.ipynb: cell 3 (id c3)",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "#| hide\n#| export\nx = 1",
        "#|export\nx = 1",
        "#| export: true\nx = 1",
        "\n%%time\n#| eval: false\n#| echo: false\nx = 1",
        "x = '''\n#| export\n'''",
        "# export the sums, then add",
        "#| export\n# export\nx = 1",
        "#| fig-cap: an export\nx = 1",
        "x = (",
    ],
)
def test_right_directives_and_text_that_is_none_are_accepted(project: Project, source: str) -> None:
    save(project, ADD, source)
    assert "def add" in accepted(project)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([ADD], "cell 3 (id c3), line 2: found a second definition of add (the first: cell 2 (id c2), line 2)"),
        (["#| export\nadd = sum"], "cell 3 (id c3), line 2: found a second definition of add"),
        (["#| export\nclass add: pass"], "a second definition of add"),
        (["#| export\nA = 1", "#| export\nB, A = 1, 2"], "cell 4 (id c4), line 2: found a second definition of A"),
        (["#| export\nA = 1\nA: int = 2"], "cell 3 (id c3), line 3: found a second definition of A"),
    ],
)
def test_a_name_that_is_defined_twice_is_refused(project: Project, sources: list[str], message: str) -> None:
    save(project, ADD, *sources)
    assert message in refused(project)


@pytest.mark.parametrize(
    "source",
    [
        "#| export\nadd = list(map(add, [1], [2]))",
        "#| export\nfrom functools import singledispatch\n@singledispatch\ndef f(x): ...\n@f.register\n"
        "def _(x: int): ...\n@f.register\ndef _(x: str): ...",
        "#| export\nfrom typing import overload\n@overload\ndef f(x: int): ...\n@overload\ndef f(x: str): ...\n"
        "def f(x): return x",
        "#| export\ntotal = 1\ntotal += 1",
        "#| export\ntotal: int\ntotal = 1",
        "#| export\nimport os\nimport os",
        "def add(a, b): return b + a",
        "#| export\ndef other():\n    add = 1\n    return add",
        "#| export\n_all_ = ['add']\n_all_ = ['add']",
    ],
)
def test_a_definition_that_builds_on_the_first_is_accepted(project: Project, source: str) -> None:
    save(project, ADD, source)
    assert "def add" in accepted(project)


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("has space & é", "cell 2: found the cell id 'has space & é', expected 1 to 64 letters of ASCII, digits"),
        ("has\nx = 1", "cell 2: found the cell id 'has\\nx = 1', expected"),
        ("x" * 65, "expected 1 to 64 letters of ASCII"),
        (None, "cell 2: found an exported cell without an id, expected one, as notebooks of format 4.5 have"),
        ("c3", "cell 3 (id c3): found the id of an earlier cell, expected one of its own"),
    ],
)
def test_an_exported_cell_has_an_id_of_its_own(project: Project, id: str | None, message: str) -> None:
    save(project, ADD, "#| export\nx = 1", edit=lambda notebook: notebook["cells"][1].update(id=id or ""))
    assert message in refused(project)


def test_ids_of_cells_that_are_not_exported_do_not_count(project: Project) -> None:
    save(project, ADD, "x = 1", edit=lambda notebook: notebook["cells"][2].update(id="has space"))
    accepted(project)


def test_directives_in_the_metadata_that_nbdev_cannot_read_are_refused(project: Project) -> None:
    def edit(value: object) -> Edit:
        return lambda notebook: notebook["cells"][2]["metadata"].update(nbdev={"export": value})

    save(project, ADD, "x = 1", edit=edit(3))
    assert "nbs/steps/00_sums.ipynb: found `nbdev` metadata directive values must be str" in refused(project)
    save(project, ADD, "x = 1", edit=edit("steps.other"))
    assert "nbs/steps/00_sums.ipynb: found cells that export to steps.other, expected plain" in refused(project)
    save(project, ADD, "x = 1", edit=edit("true"))
    assert "x = 1" in accepted(project)


@pytest.mark.parametrize("part", ["steps", "pipelines"])
def test_a_notebook_in_a_folder_of_its_own_is_refused_with_the_place_for_it(project: Project, part: str) -> None:
    save(project, ADD, name=f"{part}/sub/00_sums")
    assert refused(project) == (
        f"nbs/{part}/sub/00_sums.ipynb: found exported cells (cell 2 (id c2)) in a folder inside nbs/{part}, expected "
        f"the notebook in nbs/{part} itself; move it to nbs/{part}/00_sums.ipynb"
    )


def test_a_notebook_that_exports_nothing_may_lie_in_any_folder(project: Project) -> None:
    save(project, ADD)
    save(project, "x = 1", name="steps/sub/notes", edit=lambda notebook: notebook["cells"].pop(0))
    accepted(project)
