"""`%pipeline` in Jupyter, in a real kernel and in a papermill run."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from example import ROOT
from jupyter_client.manager import start_new_kernel
from papermill.exceptions import PapermillExecutionError

from pipeline_lib.cli.magic import CommandError, _ErrorLines, run_command


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished run of an earlier version, and a parameters file of another pipeline."""
    root = tmp_path_factory.mktemp("harbour")
    (root / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    (root / "pyproject.toml").write_text('[tool.nbdev]\nlib_path = "harbour"\nnbs_path = "nbs"\n')
    (root / "nbs" / "research").mkdir(parents=True)
    (root / "params").mkdir()
    (root / "params" / "boats.yml").touch()
    record = next((ROOT / "tests" / "data" / "records" / "titanic").iterdir())
    shutil.copytree(record, root / "runs" / "titanic" / record.name)
    return root


class Kernel:
    """A kernel that works in the folder of the research notebooks."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def run(self, source: str) -> tuple[str, str, dict[str, Any]]:
        """What a cell writes to standard output and standard error, and its error."""
        streams, errors = {"stdout": "", "stderr": ""}, []

        def collect(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                streams[content["name"]] += content["text"]
            elif message["msg_type"] == "error":
                errors.append(content)

        self.client.execute_interactive(source, timeout=60, output_hook=collect)
        return streams["stdout"], streams["stderr"], (errors or [{}])[0]

    def completed(self, source: str) -> list[str]:
        """Whole words with which the end of a cell can be completed."""
        self.client.complete(source)
        content = self.client.get_shell_msg(timeout=60)["content"]
        start = source[: content["cursor_start"]].rpartition(" ")[2]
        return [f"{start}{match}" for match in content["matches"]]


@pytest.fixture(scope="module")
def kernel(harbour: Path) -> Iterator[Kernel]:
    kernel = Kernel(harbour / "nbs" / "research")
    kernel.run("%load_ext pipeline_lib")
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def test_commands_print_into_the_cell(kernel: Kernel, harbour: Path) -> None:
    out, err, error = kernel.run("name = 'titanic'\n%pipeline verify {name}")
    assert "every byte is as it was sealed" in out
    assert (err, error) == ("", {})
    assert kernel.run("%pipeline runs --where 'test_share<0.5'")[0].startswith("titanic/")
    assert kernel.run("%pipeline")[0].startswith("Usage: pipeline-lib ")
    assert kernel.run("%pipeline report titanic")[0].startswith(f"{harbour}/runs/titanic/")


def test_an_error_is_one_message_without_a_traceback(kernel: Kernel) -> None:
    out, err, error = kernel.run("%pipeline show castles\nprint('never')")
    assert (out, err) == ("", "")
    assert error["ename"] == "CommandError"
    assert error["evalue"].startswith("found no run 'castles', expected ")
    assert error["traceback"] == [f"error: {error['evalue']}"]
    assert "expected quotes in pairs" in kernel.run("%pipeline show 'castles")[2]["evalue"]


def test_a_check_that_finds_a_difference_stops_the_cell(kernel: Kernel) -> None:
    _, err, error = kernel.run("%pipeline export --check")
    assert "params/boats.yml: found no pipeline 'boats'" in err
    assert error["evalue"] == (
        "`pipeline-lib export --check` ended with exit code 1: a check found a difference, see above"
    )


def test_references_parameters_files_and_options_are_completed(kernel: Kernel) -> None:
    assert kernel.completed("%pipeline show titanic@l") == ["titanic@latest"]
    assert kernel.completed("x = 1\n%pipeline verify titanic/")[0].startswith("titanic/2026")
    assert kernel.completed("%pipeline run boa") == ["params/boats.yml"]
    assert kernel.completed("%pipeline repr") == ["reproduce"]
    assert kernel.completed("%pipeline run --forc") == ["--force"]
    assert "reproduce" not in kernel.completed("repr")


def test_it_works_in_a_papermill_run(harbour: Path, tmp_path: Path) -> None:
    sources = ("%load_ext pipeline_lib", "%pipeline verify titanic", "%pipeline show castles", "print('never')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(PapermillExecutionError, match=r"found no run 'castles', expected"):
        papermill.execute_notebook(
            tmp_path / "in.ipynb", tmp_path / "out.ipynb", cwd=harbour, kernel_name="python3", progress_bar=False
        )
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    outputs = [cell.outputs for cell in executed if cell.source in sources]
    assert "every byte is as it was sealed" in outputs[1][0].text
    assert outputs[2][0].traceback == [f"error: {outputs[2][0].evalue}"]
    assert outputs[3] == []


def test_lines_are_printed_until_the_error_begins() -> None:
    printed: list[str] = []
    errors = _ErrorLines(printed.append)
    for part in ("  cell 1", " of 2\nnote: error: x\nerr", "or: found\n  line 1\n", "last"):
        errors.write(part)
    assert "".join(printed) == "  cell 1 of 2\nnote: error: x\n"
    assert errors.close() == "found\n  line 1\nlast"
    unfinished = _ErrorLines(printed.append)
    unfinished.write("tail")
    assert unfinished.close() == ""
    assert printed[-1] == "tail\n"


def test_output_appears_as_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line is there before the command ends; an interruption lets the command end in order."""
    program = tmp_path / "pipeline_lib.py"
    program.write_text(
        "import sys, time, pathlib\n"
        "print('Łódź', flush=True)\n"
        "try:\n    time.sleep(30)\nexcept KeyboardInterrupt:\n"
        "    print('ended in order', file=sys.stderr); sys.exit(130)\n"
    )
    seen: list[str] = []

    class Stream:
        def write(self, text: str) -> None:
            seen.append(text)
            if "Łódź" in text:  # a terminal's Ctrl-C reaches the whole group, so here both processes are told
                threading.Timer(0.1, interrupt).start()

        def flush(self) -> None: ...

    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        started.append(popen([sys.executable, str(program)], **options))
        return started[0]

    def interrupt() -> None:
        started[0].send_signal(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("subprocess.Popen", start)
    monkeypatch.setattr("sys.stdout", Stream())
    monkeypatch.setattr("sys.stderr", Stream())
    begin = time.monotonic()
    with pytest.raises(CommandError, match="exit code 130: interrupted") as caught:
        run_command(["run"])
    assert caught.value.exit_code == 130
    assert "".join(seen) == "Łódź\nended in order\n"
    assert time.monotonic() - begin < 20
