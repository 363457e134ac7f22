"""The original notebook, run as it is in a kernel of this environment, in a temporary copy; the values that it made."""

import pickle
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_lib.errors import RunError
from pipeline_lib.project.from_notebook.captures import KEEP, instrumented
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.system.jupyter_imports import fast_jupyter_imports
from pipeline_lib.system.locks import locked_temporary_folder

_SECONDS_TO_START = 600
_DEPTH = 4
"""Folders around the copy, so that paths with `..` stay inside the temporary folder."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_BOOTSTRAP = """
def {keep}(key, value):
    import pathlib, pickle
    try:
        content = pickle.dumps((True, value()))
    except BaseException as error:
        content = pickle.dumps((False, f"{{type(error).__name__}}: {{error}}"))
    pathlib.Path({folder!r}, key.encode().hex() + ".pickle").write_bytes(content)
"""


@dataclass(frozen=True)
class OriginalRun:
    """What the original's run gave: values by their key, keys whose value could not be kept with the reason, and the
    errors of the cells that failed, by cell in the order in which they ran. Cells after a failed one ran all the same.
    """

    values: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def failure(self) -> str:
        """The first failure in words, "" where every cell ran."""
        return next((f"cell {cell}: {error}" for cell, error in self.failures.items()), "")


def run_original(plan: Plan, folder: Path, files: dict[str, Path]) -> OriginalRun:
    """Run the original's cells, in a copy that has the `files` that it reads; `folder` is where the original lies.

    Cells that no Python can be made of are left out.
    """
    with locked_temporary_folder("original") as temporary:
        work = temporary.resolve().joinpath(*["folder"] * _DEPTH)
        kept = temporary.resolve() / "kept"
        work.mkdir(parents=True)
        kept.mkdir()
        _copy_files(plan, folder, work, files)
        failures = _execute(plan, work, kept, temporary.resolve())
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for path in sorted(kept.glob("*.pickle")):
            key = bytes.fromhex(path.stem).decode()
            fine, value = pickle.loads(path.read_bytes())  # noqa: S301  the original's own values
            (values if fine else problems)[key] = value
    return OriginalRun(values, problems, failures)


def _copy_files(plan: Plan, folder: Path, work: Path, files: dict[str, Path]) -> None:
    for name, path in files.items():
        target = work / name
        inside = Path(name).is_absolute() or target.resolve().is_relative_to(work.parents[_DEPTH - 1])
        if inside and not Path(name).is_absolute():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    modules = {full.partition(".")[0] for full in plan.roles.imports.full.values()}
    for name in sorted(modules):
        if (folder / f"{name}.py").is_file():
            shutil.copy(folder / f"{name}.py", work)


def _execute(plan: Plan, work: Path, kept: Path, temporary: Path) -> dict[int, str]:
    """Run all cells, also after one that fails; the errors by cell."""
    with fast_jupyter_imports():
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError
        from traitlets.config import Config

        from pipeline_lib.runner.papermill_engine import KERNEL, RecordKernelManager

    class Client(NotebookClient):
        """Counts how often its kernel is ended: a signal ends it before the end of the run does so again."""

        cleanups = 0

        async def _async_cleanup_kernel(self) -> None:
            self.cleanups += 1
            if self.km is not None:
                await super()._async_cleanup_kernel()

    cells = [(cell, source) for cell, source in instrumented(plan) if not cell.problem]
    sources = [_BOOTSTRAP.format(keep=KEEP, folder=str(kept)), *(source for _, source in cells)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    settings = {"connection_file": f"{temporary}/kernel.json", "transport": "ipc", "ip": f"{temporary}/socket"}
    client = Client(
        notebook,
        kernel_name=KERNEL,
        kernel_manager_class=RecordKernelManager,
        startup_timeout=_SECONDS_TO_START,
        timeout=None,
        allow_errors=True,
        resources={"metadata": {"path": str(work)}},
        config=Config({"KernelManager": settings}) if len(str(temporary)) < 80 else Config(),
    )
    reached: list[int] = []
    client.on_cell_start = lambda cell, cell_index: reached.append(cell_index)
    died: dict[int, str] = {}
    try:
        client.execute()
    except DeadKernelError:
        if client.cleanups > 1:
            raise KeyboardInterrupt from None
        if not reached or not reached[-1]:
            raise RunError("found that the kernel died at its start, expected it to live; run again", kept) from None
        died[cells[reached[-1] - 1][0].number] = "the kernel died"
    results = zip((cell.number for cell, _ in cells), notebook.cells[1:], strict=True)
    return {number: text for number, result in results if (text := _error_of(result))} | died


def _error_of(cell: Any) -> str:
    """The error that a cell has raised, "" for none."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if not errors:
        return ""
    first = next(iter(_ANSI.sub("", errors[0].evalue).strip().splitlines()), "")
    return f"{errors[0].ename}: {first}" if first else str(errors[0].ename)
