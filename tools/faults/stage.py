"""The stage of faults: runners in child processes, in a runs folder with records that they must not change."""

import gc
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline_lib.errors import PipelineLibError
from pipeline_lib.project.notebooks import Cell, read_notebook
from pipeline_lib.project.project import Project
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import ARTIFACT, ENVIRONMENT, EVIDENCE, METRICS, TRAINING, VALUE
from pipeline_lib.records.record import RECORD_VARIABLE, Record, all_records, begin_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.runner.judge import find_incomplete
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.system.files import sha256_tree

ROOT = Path(__file__).parents[2]
PARAMS = ROOT / "params" / "houses.yml"
PATIENCE = 120.0
"""Seconds after which a runner that does not end counts as one that hangs."""
LOADED = (
    "papermill",
    "nbdev.export",
    "pipeline_lib.runner.papermill_engine",
    "pipeline_lib.records.report",
    "pipeline_lib.runner.research_run",
)
COPY = """import os, shutil
into = os.environ["{variable}"]
for name in {folders}:
    shutil.copytree("{record}/" + name, into + "/" + name)
for name in {files}:
    shutil.copy("{record}/" + name, into)
"""
PAUSE = "import time\nfor part in range(5):\n    print('part', part, flush=True)\n    time.sleep(0.02)\n"


@dataclass(frozen=True)
class Ended:
    """How a runner ended: its exit code as a shell reports it, and its output."""

    code: int
    output: str


class Stage:
    """A runs folder with one record of every status, and a short notebook.

    The notebook copies the results of a real record, so that a run takes a second and leaves everything that a run
    leaves: kernel, cells, judging, report and seal are those of every run.
    """

    def __init__(self, folder: Path, good: Record, seed: int) -> None:
        self.folder, self.good = folder, good
        self.draw = random.Random(seed)  # noqa: S311 (times of faults)
        self.runs = folder / "runs"
        self.outcome = good.manifest()["hashes"]
        copy = COPY.format(
            variable=RECORD_VARIABLE,
            record=good.folder,
            folders=(ARTIFACT, EVIDENCE),
            files=(TRAINING, ENVIRONMENT, METRICS, VALUE),
        )
        self.cells = [PAUSE, copy, PAUSE, "print('done')"]
        self.request = check_request(PARAMS)
        for name in LOADED:  # once, before the forks: imports are not what is tested
            importlib.import_module(name)
        self._bystanders()
        self.before = {record.folder: sha256_tree(record.folder) for record in all_records(self.runs)}

    def _bystanders(self) -> None:
        shutil.copytree(self.good.folder, self.runs / "houses" / self.good.id)
        with begin_record(self.runs, "houses"):
            pass  # a killed one
        with begin_record(self.runs, "houses") as record:
            seal(record, {"status": "failed", "reference": record.reference, "error": {"message": "found none"}})

    def start(
        self,
        *,
        cells: Sequence[str] = (),
        prepare: Callable[[], object] = lambda: None,
        runs: Path | None = None,
    ) -> int:
        """Fork a runner; its process id. `prepare` is called in it, just before the run."""
        notebook = self._notebook(list(cells) or self.cells)
        gc.collect()
        child = os.fork()
        if child:
            return child
        code = 3
        try:
            code = self._run(notebook, prepare, runs or self.runs)
        except KeyboardInterrupt:  # before the command line has begun
            code = 130
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _notebook(self, cells: list[str]) -> Path:
        content = json.loads(self.request.project.research_notebook("houses").read_text(encoding="utf-8"))
        kept = [cell for cell in content["cells"] if "parameters" in cell["metadata"].get("tags", ())]
        empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        content["cells"] = kept + [empty | {"id": f"cell-{n}", "source": text} for n, text in enumerate(cells)]
        path = self.folder / f"houses-{self.draw.getrandbits(48):012x}.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def _run(self, notebook: Path, prepare: Callable[[], object], runs: Path) -> int:
        """Run as the command line does, with this stage's folders."""
        from pipeline_lib.cli import main as cli

        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
        output = os.open(self._output(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        project = replace(self.request.project, runs=runs)
        words = ["pipeline-lib", "run", str(PARAMS), "--no-parity", "--force"]
        with (
            patch.object(Project, "research_notebook", lambda *_: notebook),
            patch("pipeline_lib.runner.preflight.project_of", return_value=project),
            patch.object(sys, "argv", words),
        ):
            prepare()
            try:
                cli.main()
            except SystemExit as end:
                return int(end.code or 0)
            except PipelineLibError as error:
                return error.exit_code
        return 0

    def _output(self, runner: int) -> Path:
        return self.folder / f"output-{runner}.txt"

    def wait(self, runner: int) -> Ended:
        """Wait until a runner ends; one that hangs is killed, with code -1."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ended, status = os.waitpid(runner, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > deadline:
                os.kill(runner, signal.SIGKILL)
                os.waitpid(runner, 0)
                return Ended(-1, "hangs")
            time.sleep(0.01)
        code = os.waitstatus_to_exitcode(status)
        path = self._output(runner)
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        path.unlink(missing_ok=True)
        return Ended(code if code >= 0 else 128 - code, text)

    def new_records(self, runs: Path | None = None) -> list[Record]:
        """The records that runners made."""
        return [record for record in all_records(runs or self.runs) if record.folder not in self.before]

    def kernels(self) -> list[int]:
        """Processes of this stage's kernels."""
        mark = f"{RECORD_VARIABLE}={self.folder}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)]

    def forget(self, records: Sequence[Record]) -> None:
        """Remove the records of a trial, after it was judged."""
        for record in records:
            shutil.rmtree(record.folder)

    def faults_of(self, records: Sequence[Record]) -> list[str]:
        """The problems after every runner has ended; empty when there are none."""
        wrong = [f"{record.id}: {problem}" for record in records if (problem := self.misleading(record))]
        missing = [folder.name for folder in self.before if not folder.is_dir()]
        touched = [f.name for f, digest in self.before.items() if f.is_dir() and sha256_tree(f) != digest]
        runs = {self.runs, *(record.folder.parents[1] for record in records)}
        unlisted = [fault for folder in sorted(runs) for fault in _unlisted(folder)]
        return [*wrong, *(f"lost {name}" for name in missing), *(f"touched {name}" for name in touched), *unlisted]

    def _own_cells(self, record: Record) -> Sequence[Cell]:
        """The cells of the notebook that a record ran."""
        notebook: Sequence[Cell] = read_notebook(record.notebook, record.notebook.name)["cells"]
        return notebook

    def misleading(self, record: Record) -> str | None:
        """How a record looks different from what it is; None for an honest one."""
        status = record.status()
        if status not in ("finished", "failed", "killed"):
            return f"is {status} although no process works on it"
        if status != "killed" and (problems := verify(record)):
            return f"is {status} and {problems[0]}"
        hashes = record.manifest().get("hashes", {})
        whole = all(hashes.get(name) == self.outcome[name] for name in ("artifact", "outputs", "raw_input"))
        if status == "finished" and (not whole or find_incomplete(self._own_cells(record), record)):
            return "is finished without the whole result"
        if record.notebook.exists() and not _is_json(record.notebook):
            return "has half a notebook"
        return None


def _unlisted(runs: Path) -> list[str]:
    """Records without a row in the index or with a wrong one, and rows without a record."""
    listed = {row["reference"]: row["status"] for row in summaries(runs)}
    actual = {record.reference: record.status() for record in all_records(runs)}
    names = [name for name in sorted(listed | actual) if listed.get(name) != actual.get(name)]
    return [f"{name}: {actual.get(name)}, in the index {listed.get(name)}" for name in names]


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def _read(path: Path) -> Any:
    try:
        return path.read_bytes()
    except OSError:  # another user's, or gone
        return b""
