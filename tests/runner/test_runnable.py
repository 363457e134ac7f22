"""Notebooks that no run could execute or report, refused before a kernel starts and before a record is begun."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES

from pipeline_lib.errors import InputError
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.runner.runnable import check_runnable

Research = Callable[..., Path]
Edit = Callable[[dict[str, Any]], object]


def notebook(edit: Edit = lambda content: None) -> dict[str, Any]:
    """A good notebook of two cells, edited."""
    text = {"cell_type": "markdown", "id": "c1", "metadata": {}, "source": "text"}
    code: dict[str, Any] = {
        "cell_type": "code",
        "id": "c2",
        "metadata": {},
        "source": "x",
        "outputs": [],
        "execution_count": None,
    }
    content = {"cells": [text, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    edit(content)
    return content


ACCEPTED: list[Edit] = [
    lambda content: None,
    lambda content: content["metadata"].update(kernelspec={"name": "conda-env-x-py"}),
    lambda content: content["metadata"].update(kernelspec={"name": "x", "display_name": "X", "language": "Python"}),
    lambda content: content["metadata"].update(kernelspec=None, language_info={"name": "ipython"}),
    lambda content: content["metadata"].update(language_info={"version": "3.11"}),
    lambda content: content["cells"][1].pop("id"),
    lambda content: content["cells"][1].update(id="c1"),
    lambda content: content["cells"][1].pop("outputs"),
    lambda content: content["cells"][1].pop("execution_count"),
    lambda content: content["cells"][1].update(outputs=[{"output_type": "of another program"}]),
    lambda content: content.update(nbformat_minor=4),  # with ids, as some programs write it
    lambda content: (content.update(nbformat_minor=4), content["cells"][1].update(id="has space & é")),
    lambda content: content.update(nbformat_minor=9),
]


@pytest.mark.parametrize("edit", ACCEPTED)
def test_notebooks_that_papermill_executes_are_accepted(edit: Edit) -> None:
    content = notebook(edit)
    before = json.dumps(content)
    check_runnable(content, "n.ipynb")
    assert json.dumps(content) == before


REFUSED: list[tuple[Edit, str]] = [
    (
        lambda content: content["cells"][1].update(id="has space & é"),
        "n.ipynb: cell 2: found the cell id 'has space & é', expected 1 to 64 letters of ASCII, digits, `-` and `_`;",
    ),
    (lambda content: content["cells"][1].update(id="x" * 65), "n.ipynb: cell 2: found the cell id 'xxx"),
    (lambda content: content["cells"][1].update(id=""), "n.ipynb: cell 2: found '' does not match"),
    (lambda content: content["cells"][1].update(id=3), "n.ipynb: cell 2: found 3 is not of type 'string'"),
    (lambda content: content.pop("metadata"), "n.ipynb: the notebook: found 'metadata' is a required property"),
    (lambda content: content.update(metadata=3), "n.ipynb: the notebook: found "),
    (lambda content: content.pop("nbformat_minor"), "n.ipynb: the notebook: found "),
    (lambda content: content.update(nbformat_minor="5"), "n.ipynb: the notebook: found "),
    (lambda content: content["cells"][1].pop("metadata"), "n.ipynb: cell 2: found 'metadata' is a required property"),
    (lambda content: content["cells"][1].update(foo=1), "n.ipynb: cell 2: found Additional properties are not allowed"),
    (lambda content: content["cells"][0].update(cell_type="sql"), "n.ipynb: cell 1: found {"),
    (lambda content: content["cells"][1]["metadata"].update(tags=["a,b"]), "n.ipynb: cell 2: found 'a,b' does not"),
    (lambda content: content["metadata"].update(title=3), "n.ipynb: the notebook: found 3 is not of type 'string'"),
    (
        lambda content: content["metadata"].update(kernelspec={"name": "ir", "display_name": "R", "language": "R"}),
        "n.ipynb: found a notebook in R, expected Python; choose a Python kernel in Jupyter",
    ),
    (
        lambda content: content["metadata"].update(language_info={"name": "julia"}),
        "n.ipynb: found a notebook in julia, expected Python;",
    ),
]


@pytest.mark.parametrize(("edit", "message"), REFUSED)
def test_notebooks_that_it_does_not_are_refused(edit: Edit, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_runnable(notebook(edit), "n.ipynb")
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 400


def test_all_wrong_ids_are_named_at_once() -> None:
    def edit(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            cell["id"] = f"{cell['id']} é"

    with pytest.raises(InputError, match=r"cell 1: found the cell id 'c1 é'.*\nn\.ipynb: cell 2: found the cell id"):
        check_runnable(notebook(edit), "n.ipynb")


@pytest.mark.parametrize("edit", [REFUSED[0][0], REFUSED[-2][0]])
def test_a_run_of_such_a_notebook_begins_no_record(tmp_path: Path, research: Research, edit: Edit) -> None:
    path = research("1 / 0")
    content = json.loads(path.read_bytes())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="found"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
