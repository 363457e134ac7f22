"""What of a running notebook is on disk, and when a kernel is interrupted."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from pipeline_lib.runner.papermill_engine import ExecutedNotebook, RecordEngine, RecordKernelManager, _name_kernel


@pytest.fixture
def notebook(tmp_path: Path) -> ExecutedNotebook:
    cells = [new_code_cell("1"), new_markdown_cell("text"), new_code_cell("2")]
    for one in (content := new_notebook(cells=cells), *cells):
        one.metadata["papermill"] = {}  # as papermill prepares it
    executed = ExecutedNotebook(content, output_path=tmp_path / "n.ipynb", progress_bar=False)
    executed.notebook_start()
    return executed


def on_disk(notebook: ExecutedNotebook) -> list[str]:
    cells = json.loads(Path(notebook.output_path).read_bytes())["cells"]
    return [cell["metadata"]["papermill"]["status"] for cell in cells]


def test_the_running_cell_is_on_disk_and_so_is_the_last_ones_end(notebook: ExecutedNotebook) -> None:
    first, text, last = notebook.nb.cells
    notebook.cell_start(first, cell_index=0)
    assert on_disk(notebook) == ["running", "pending", "pending"]
    notebook.cell_complete(first, cell_index=0)
    notebook.cell_start(text, cell_index=1)
    notebook.cell_complete(text, cell_index=1)
    assert on_disk(notebook) == ["running", "pending", "pending"]  # text cells are not written
    notebook.cell_start(last, cell_index=2)
    assert on_disk(notebook) == ["completed", "completed", "running"]
    notebook.cell_complete(last, cell_index=2)
    assert on_disk(notebook) == ["completed", "completed", "completed"]


def test_an_interruption_leaves_on_disk_what_was_reached(
    notebook: ExecutedNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def __init__(self, manager: ExecutedNotebook, **options: object) -> None:
            self.manager = manager

        def execute(self) -> None:
            first = self.manager.nb.cells[0]
            self.manager.cell_start(first, cell_index=0)
            first.outputs.append(new_output("stream", text="shown\n"))
            self.manager.cell_complete(first, cell_index=0)
            assert on_disk(self.manager)[0] == "running"
            raise KeyboardInterrupt

    monkeypatch.setattr("pipeline_lib.runner.papermill_engine.RecordClient", Interrupted)
    options = dict.fromkeys(("timeout", "config", "on_cell_start", "on_cell_executed", "start_timeout"))
    with pytest.raises(KeyboardInterrupt):
        RecordEngine.execute_notebook(notebook.nb, "python3", destination=notebook.output_path, **options)
    assert on_disk(notebook) == ["completed", "pending", "pending"]
    assert "shown" in Path(notebook.output_path).read_text()


def test_a_cell_that_fails_is_on_disk_at_once(notebook: ExecutedNotebook) -> None:
    first = notebook.nb.cells[0]
    notebook.cell_start(first, cell_index=0)
    notebook.cell_exception(first, cell_index=0)
    notebook.cell_complete(first, cell_index=0)
    assert on_disk(notebook) == ["failed", "pending", "pending"]
    first.outputs.append(new_output("stream", text="later\n"))
    notebook.save()
    assert "later" in Path(notebook.output_path).read_text()


def test_a_kernel_that_is_about_to_end_is_not_interrupted_before() -> None:
    sent: list[int] = []
    interrupted = AsyncMock(side_effect=sent.append)
    manager = RecordKernelManager(kernel_name="python3")
    manager.provisioner = SimpleNamespace(has_process=True, send_signal=interrupted)
    asyncio.run(manager._async_interrupt_kernel())
    assert sent == [signal.SIGINT]  # while it works, it is
    manager.shutting_down = True
    asyncio.run(manager._async_interrupt_kernel())
    assert sent == [signal.SIGINT]


def test_the_kernel_is_the_ipython_of_this_environment_whatever_its_name() -> None:
    for name in ("python3", "conda-env-houses-py"):
        command = RecordKernelManager(kernel_name=name).format_kernel_cmd()
        assert command[5:8] == [sys.executable, "-m", "ipykernel_launcher"]


HERE = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
MINE = {"name": "python3", "display_name": "Mine"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, {"kernelspec": HERE}),
        ({"kernelspec": None, "language_info": None}, {"kernelspec": HERE}),
        ({"kernelspec": {"name": "python3"}, "language_info": {}}, {"kernelspec": HERE}),
        ({"kernelspec": {"name": "conda-env-x-py", "display_name": "X"}, "a": 1}, {"kernelspec": HERE, "a": 1}),
        ({"kernelspec": MINE, "language_info": {"name": "python"}},) * 2,
    ],
)
def test_an_executed_notebook_names_the_kernel_that_executed_it(
    metadata: dict[str, Any], expected: dict[str, Any]
) -> None:
    named = json.loads(json.dumps(metadata))
    _name_kernel(named)
    assert named == expected
