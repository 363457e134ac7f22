"""Notebooks as data: reading, the parameters cell, cleaning."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import (
    Cell,
    cells,
    clean_notebook,
    declared_parameters,
    notebook_bytes,
    notebook_files,
    parameters_cell,
    read_notebook,
)


def code(source: str, *tags: str, id: str = "c1", **more: Any) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    cell = {"cell_type": "code", "execution_count": None, "id": id, "metadata": metadata, "outputs": []}
    return {**cell, "source": source, **more}


def notebook(*items: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(items), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def parameters(source: str) -> Cell:
    return Cell(1, "c1", "code", source, ("parameters",))


def test_a_notebook_reads_back_as_written(tmp_path: Path) -> None:
    content = notebook(code("x = 'é'"))
    path = tmp_path / "a.ipynb"
    path.write_bytes(notebook_bytes(content))
    assert read_notebook(path, "a.ipynb") == content
    assert path.read_bytes().endswith(b"}\n")
    assert "é".encode() in path.read_bytes()


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nbs/a: found no such notebook"):
        read_notebook(tmp_path / "a.ipynb", "nbs/a")


def test_a_folder_is_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found an unreadable file"):
        read_notebook(tmp_path, "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "unreadable"),
        (b"{", "no valid JSON"),
        (b"[" * 200_000, "no valid JSON"),
        (b"[]", "no notebook of format 4"),
        (b'{"nbformat": 3, "cells": []}', "no notebook of format 4"),
        (b'{"nbformat": 4}', "no notebook of format 4"),
        (b'{"nbformat": 4, "cells": [1]}', "no notebook of format 4"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "no notebook of format 4"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "no notebook of format 4"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "metadata": 1}]}', "no notebook of format 4"),
    ],
)
def test_files_that_are_no_notebook(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_notebook(tmp_path / "a.ipynb", "a.ipynb")


def test_cells_are_numbered_from_one_with_joined_source() -> None:
    found = cells(notebook({"cell_type": "markdown", "source": ["a\n", "b"]}, code("x", "t", id="k")))
    assert found == [Cell(1, "", "markdown", "a\nb", ()), Cell(2, "k", "code", "x", ("t",))]
    assert [str(cell) for cell in found] == ["cell 1", "cell 2 (id k)"]


def test_the_one_tagged_code_cell_is_the_parameters_cell() -> None:
    tagged_text = {"cell_type": "markdown", "source": "x", "metadata": {"tags": ["parameters"]}}
    assert parameters_cell(notebook(tagged_text, code("a = 1", "parameters")), "n").number == 2


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([code("a = 1")], r"n: cell 1 \(id c1\): found no cell tagged `parameters`"),
        (
            [code("a = 1", "parameters"), code("a = 2", "parameters", id="c2")],
            r"found 2 cells tagged `parameters` \(cell 1 \(id c1\) and cell 2 \(id c2\)\)",
        ),
    ],
)
def test_none_or_two_parameters_cells_are_refused(items: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parameters_cell(notebook(*items), "n")


def test_literals_are_declared() -> None:
    source = "# a comment\na = -1\nb: float = 2.5\nc = {'k': [True, None]}\n"
    assert declared_parameters(parameters(source), "n") == {"a": -1, "b": 2.5, "c": {"k": [True, None]}}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a = (", "line 1: found a syntax error"),
        ("import os", "line 1: found `import os`, expected only `name = literal`"),
        ("a = b = 1", "expected only `name = literal`"),
        ("a, b = 1, 2", "expected only `name = literal`"),
        ("a: int", "expected only `name = literal`"),
        ("a.b = 1", "expected only `name = literal`"),
        ("a.b: int = 1", "expected only `name = literal`"),
        ("a = 1\na = 2", "line 2: found a twice"),
        ("a = len('x')", "expected a literal"),
        ("a = {[]: 1}", "expected a literal"),
    ],
)
def test_anything_but_one_literal_a_name_is_refused(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        declared_parameters(parameters(source), "n")


def test_cleaning_drops_outputs_and_keeps_tags() -> None:
    output = {"name": "stdout", "output_type": "stream", "text": ["1"]}
    ran = {"execution_count": 7, "outputs": [output]}
    dirty = notebook(code("a = 1\nb = 2", "parameters", **ran), code("a", "keep-output", id="c2", **ran))
    dirty["cells"][0]["metadata"]["collapsed"] = True
    first, second = clean_notebook(dirty)["cells"]
    assert first["outputs"] == []
    assert first["execution_count"] is None
    assert first["metadata"] == {"tags": ["parameters"]}
    assert first["source"] == ["a = 1\n", "b = 2"]
    assert second["outputs"] == [output]
    assert dirty["cells"][0]["execution_count"] == 7


def test_cleaning_twice_changes_nothing_more_and_drops_empty_tags() -> None:
    dirty = notebook(code(""), {"cell_type": "markdown", "id": "m", "metadata": {"tags": []}, "source": ["text"]})
    once = clean_notebook(dirty)
    assert once["cells"][1]["metadata"] == {}
    assert notebook_bytes(clean_notebook(once)) == notebook_bytes(once)


def test_working_copies_are_no_notebooks_of_the_project(tmp_path: Path) -> None:
    for name in ("b/x.ipynb", "a.ipynb", "_a.ipynb", ".ipynb_checkpoints/a.ipynb", "_drafts/a.ipynb", "a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(notebook()))
    assert [path.relative_to(tmp_path).as_posix() for path in notebook_files(tmp_path)] == ["a.ipynb", "b/x.ipynb"]


def test_nbdev_clean_keeps_the_tags_of_the_projects_notebooks(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "nbs").mkdir()
    path = tmp_path / "nbs" / "houses.ipynb"
    dirty = notebook(code("seed = 0", "parameters", execution_count=7))
    path.write_bytes(notebook_bytes(dirty))
    nbdev_clean = Path(sys.executable).with_name("nbdev-clean")
    subprocess.run([nbdev_clean, "--fname", str(path)], cwd=tmp_path, check=True)  # noqa: S603 (a tool we install)
    cleaned = read_notebook(path, "houses")
    assert cleaned["cells"][0]["execution_count"] is None
    assert parameters_cell(cleaned, "houses").source == "seed = 0"
