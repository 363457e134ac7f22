"""Which cell a failed run names, and by which number: that of the notebook which its reader has open."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES, SMALL_MODEL
from small_records import only_record

from pipeline_lib.errors import RunError
from pipeline_lib.project.notebooks import Cell
from pipeline_lib.records.manifest import Failure
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.failed_cell import failure_text, own_numbers
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


def with_markdown(path: Path, tags: dict[int, Sequence[str]] | None = None) -> None:
    """Put a markdown cell before each code cell, and tags on the cells of these numbers."""
    notebook = json.loads(path.read_bytes())
    text = {"cell_type": "markdown", "metadata": {}, "source": "text"}
    pairs = [({**text, "id": f"m{n}"}, cell) for n, cell in enumerate(notebook["cells"], start=1)]
    notebook["cells"] = [cell for pair in pairs for cell in pair] + [{**text, "id": "end"}]
    for number, names in (tags or {}).items():
        notebook["cells"][number - 1]["metadata"]["tags"] = list(names)
    path.write_text(json.dumps(notebook))


def failed(tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """The first line of a failed run's message, and the error in its record."""
    with pytest.raises(RunError) as caught:
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only_record(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []
    return str(caught.value).splitlines()[0], record.manifest()["error"]


@pytest.mark.parametrize(
    ("source", "message", "traceback"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero", True),
        ("quit()", "found quit() or exit(), which ends the kernel, expected it to live; remove the call", False),
        ("exit", "found quit() or exit(), which ends the kernel, expected it to live; remove the call", False),
        ("%nosuch 1", "UsageError: Line magic function `%nosuch` not found.", False),
        ("%%nosuch\n1", "UsageError: Cell magic `%%nosuch` not found.", False),
        ("import sys\nsys.exit(0)", "SystemExit: 0", True),
        ("import os\nos._exit(7)", "exited with code 7", False),
    ],
)
def test_the_cell_that_fails_is_named_with_its_own_text(
    tmp_path: Path, research: Research, source: str, message: str, traceback: bool
) -> None:
    path = research("a = 1", source, "never = 1", "never = 2")
    with_markdown(path)
    line, error = failed(tmp_path)
    own = json.loads(path.read_bytes())["cells"]
    assert line.startswith(f"{path}: cell 6 (id {own[5]['id']}): ")
    assert message in line
    assert (error["cell"], error["cell_id"], error["source"]) == (6, own[5]["id"], source)
    assert ("traceback" in error) == traceback
    executed = json.loads(only_record(tmp_path / "runs").notebook.read_bytes())["cells"]
    assert [cell["metadata"]["papermill"]["status"] for cell in executed[6:]] == ["failed", *["pending"] * 5]


def test_a_cell_that_may_raise_is_not_the_failure_and_another_is(tmp_path: Path, research: Research) -> None:
    path = research("1 / 0", "int('x')", "never = 1")
    with_markdown(path, tags={4: ["raises-exception"]})
    line, error = failed(tmp_path)
    assert "ValueError: invalid literal" in line
    assert error["cell"] == 6
    assert error["traceback"].endswith("ValueError: invalid literal for int() with base 10: 'x'")


def test_a_cell_that_may_raise_may_not_end_the_kernel(tmp_path: Path, research: Research) -> None:
    with_markdown(research("quit()", "never = 1"), tags={4: ["raises-exception"]})
    assert failed(tmp_path)[1]["cell"] == 4


def test_a_notebook_without_cell_ids_is_named_by_numbers_alone(tmp_path: Path, research: Research) -> None:
    path = research("1 / 0")
    notebook = json.loads(path.read_bytes())
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]
    path.write_text(json.dumps(notebook))
    line, error = failed(tmp_path)
    assert line.startswith(f"{path}: cell 2: ZeroDivisionError")
    assert error["cell_id"] == ""


def test_progress_has_the_numbers_of_the_notebook(tmp_path: Path, research: Research) -> None:
    lines: list[str] = []
    research("a = 1", "1 / 0")
    with pytest.raises(RunError):
        run_pipeline(HOUSES, runs=tmp_path / "runs", progress=lines.append)
    cells = [line.split()[:4] for line in lines]
    assert cells == [["cell", str(number), "of", "3"] for number in (1, 2, 3)]


def cell(number: int, *tags: str) -> Cell:
    return Cell(number, f"c{number}", "code", "", tags)


@pytest.mark.parametrize(
    ("own", "numbers"),
    [
        ([cell(1), cell(2, "parameters"), cell(3)], [1, 2, 2, 3]),
        ([cell(1, "parameters")], [1, 1]),
        ([cell(1, "parameters"), cell(2, "injected-parameters"), cell(3)], [1, 2, 3]),
        ([cell(1, "papermill-error-cell-tag"), cell(2, "parameters"), cell(3)], [2, 2, 3]),
    ],
)
def test_numbers_of_an_executed_notebook(own: list[Cell], numbers: list[int]) -> None:
    assert own_numbers(own) == numbers


GOOD = f"""
from pipeline_lib import start_run
from pipeline_lib.pipelines import houses
run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
{SMALL_MODEL}
run.metrics(houses.metrics(y_test, run.evidence(X_test, y_test), run.params))
"""


def test_tags_and_kernel_of_a_good_notebook_are_honoured(tmp_path: Path, research: Research) -> None:
    """One run for all, as it takes long: a skipped cell, one that may raise, another kernel's name, no language."""
    path = research("raise RuntimeError('skipped')", "%nosuch", "int('x')", GOOD)
    with_markdown(path, tags={4: ["skip-execution"], 6: ["raises-exception"], 8: ["raises-exception"]})
    notebook = json.loads(path.read_bytes())
    notebook["metadata"] = {"kernelspec": {"name": "conda-env-houses-py", "display_name": "Python [conda env]"}}
    path.write_text(json.dumps(notebook))
    record: Record = run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
    assert record.status() == "finished"
    assert verify(record) == []
    executed = json.loads(record.notebook.read_bytes())
    assert executed["metadata"]["kernelspec"]["name"] == "python3"
    skipped, _, magic, _, raised = executed["cells"][4:9]
    assert (skipped["execution_count"], skipped["outputs"]) == (None, [])
    assert "not found" in "".join(magic["outputs"][0]["text"])
    assert raised["outputs"][0]["ename"] == "ValueError"


TRACEBACK = """\
---------------------------------------------------------------------------
KeyError                                  Traceback (most recent call last)
Cell In[7], line 4
      1 def inner(x):
----> 4 inner('missing key')

Cell In[7], line 2, in inner(x)
----> 2     return steps.pick(x)

File /home/me/{mine}/mine/steps.py:33, in pick(x)
     32 def pick(x):
---> 33     return VALUES[x]

File /home/me/{mine}/.venv/lib/python3.11/site-packages/pandas/core.py:70, in get(x)
---> 70     raise KeyError(x)

File /usr/lib/python3.11/json.py:9, in load(x)
----> 9     raise KeyError(x)

KeyError: 'missing key'"""


def test_the_cause_comes_first_then_the_lines_of_cell_and_project() -> None:
    failure = Failure("KeyError: 'missing key'", 10, "metrics", "", TRACEBACK)
    assert failure_text(failure, "nbs/research/boats.ipynb", Path("/home/me/{mine}")).split("\n") == [
        "nbs/research/boats.ipynb: cell 10 (id metrics): KeyError: 'missing key'",
        "  line 4: inner('missing key')",
        "  line 2: return steps.pick(x)",
        "  mine/steps.py:33, in pick: return VALUES[x]",
    ]


def test_of_many_frames_the_first_and_the_last_are_named() -> None:
    frames = "\n".join(f"Cell In[7], line {n}, in f(x)\n----> {n}     f(x)" for n in range(1, 50))
    lines = failure_text(Failure("RecursionError", 3, "", "", frames), "n", Path("/x")).split("\n")
    assert lines == [
        "n: cell 3: RecursionError",
        "  line 1: f(x)",
        "  …",
        *(f"  line {n}: f(x)" for n in range(45, 50)),
    ]


def test_a_failure_without_a_cell_is_its_message() -> None:
    assert failure_text(Failure("interrupted"), "n", Path("/x")) == "interrupted"
