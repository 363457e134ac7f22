"""The papermill engine of a run: whole files on disk, limited output, and a kernel that ends with its runner."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from types import MappingProxyType
from typing import Any

import zmq
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import writes
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from pipeline_lib.project.redaction import NO_SECRETS, Redactor
from pipeline_lib.runner.failed_cell import CellError
from pipeline_lib.runner.kernel_streams import redacted_streams
from pipeline_lib.runner.output_limits import CellOutput
from pipeline_lib.system import parent_death
from pipeline_lib.system.files import write_atomic
from pipeline_lib.system.peak_memory import PeakMemory

ENGINE = "pipeline-lib"
KERNEL = "python3"
"""Jupyter's name for the IPython of the environment at hand; every run uses it, whatever its notebook names."""
SAVE_EVERY = 2.0
"""Seconds between two writes of a notebook whose cell runs long."""
BACKLOG = 100_000
"""ZeroMQ high-water mark: messages from a kernel beyond it are dropped until earlier ones are read."""
DRAIN = 60
"""Seconds that output may take to arrive after its cell has ended; later output is lost, and a note says so."""
POLL = 0.01
"""Seconds between two checks whether a kernel that was asked to end has ended."""

_REMEDIES: dict[int, str] = {
    signal.SIGKILL: "the system does so when memory runs out: try fewer rows, or a larger machine",
    signal.SIGSEGV: "compiled code crashed: look for the library that the cell calls",
}


class RecordEngine(Engine):  # type: ignore[misc] # papermill has no annotations
    """Executes a notebook into the file `destination`."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        *,
        destination: Path,
        redact: Redactor = NO_SECRETS,
        memory: PeakMemory | None = None,
        **options: Any,
    ) -> Any:
        """Execute and return the notebook. The file has what was reached, also after an error or interruption.

        No secret of `redact` is in it. `memory` takes the kernel's largest one.

        Raises CellError for the cell that failed.
        """
        _name_kernel(nb.metadata)
        notebook = ExecutedNotebook(nb, output_path=destination, progress_bar=False, autosave_cell_every=0)
        notebook.redact = redact
        notebook.notebook_start()
        names = ("timeout", "config", "on_cell_start", "on_cell_executed")
        chosen = {name: options[name] for name in names}
        chosen |= {"startup_timeout": options["start_timeout"], "iopub_timeout": DRAIN}
        client = RecordClient(notebook, kernel_name=kernel_name, raise_on_iopub_timeout=False, **chosen)
        if memory is not None:
            client.memory = memory
        try:
            client.execute()
        except BaseException:  # an interruption may have prevented the last write
            with suppress(OSError):
                notebook.save()
            raise
        notebook.notebook_complete()
        if client.failure:
            raise client.failure
        return notebook.nb


def _name_kernel(metadata: Any) -> None:
    """Name the kernel that executes the notebook in the metadata, where there is none or another."""
    kernel, language = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
    if kernel.get("name") != KERNEL or "display_name" not in kernel:
        spec = get_kernel_dict()
        metadata["kernelspec"] = {"name": KERNEL, "display_name": spec["display_name"], "language": spec["language"]}
    if "name" not in language:
        metadata.pop("language_info", None)  # the kernel's answer replaces it


papermill_engines.register(ENGINE, RecordEngine)


class ExecutedNotebook(NotebookExecutionManager):  # type: ignore[misc] # papermill has no annotations
    """The notebook with the output of its cells so far. Its file is replaced atomically."""

    redact = NO_SECRETS
    _postponed = False

    def cell_start(self, cell: Any, cell_index: int, **options: Any) -> None:
        """Mark a cell as running; the file is written for code cells only."""
        with self._postponing(cell.cell_type != "code"):
            super().cell_start(cell, cell_index=cell_index, **options)

    def cell_complete(self, cell: Any, cell_index: int, **options: Any) -> None:
        """Mark a cell as done. The file is written when the next code cell starts; after a failed or last cell now."""
        failed = cell.metadata.papermill["status"] == self.FAILED
        with self._postponing(not failed and cell_index + 1 < len(self.nb.cells)):
            super().cell_complete(cell, cell_index=cell_index, **options)

    @contextmanager
    def _postponing(self, postponed: bool) -> Iterator[None]:
        self._postponed = postponed
        try:
            yield
        finally:
            self._postponed = False

    def save(self, **_: Any) -> None:
        """Write the notebook, unless that is postponed."""
        if self._postponed:
            return
        content = self.redact.redact_bytes(writes(self.nb).encode())
        write_atomic(self.output_path, content, durable=False)  # the seal makes it durable


class RecordClient(PapermillNotebookClient):  # type: ignore[misc] # papermill has no annotations
    """The client of one run's kernel."""

    failure: CellError | None = None
    _reply: Mapping[str, Any] = MappingProxyType({})
    _manager: AsyncKernelManager | None = None
    memory: PeakMemory
    _before: set[asyncio.Task[Any]]
    _output: CellOutput

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.memory = PeakMemory()

    def papermill_execute_cells(self) -> None:
        """Execute cell by cell; a cell that ends the run, by whatever error, is marked as failed."""
        for index, cell in enumerate(self.nb.cells):
            try:
                self.nb_man.cell_start(cell, cell_index=index)
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index)
                self.failure = CellError(error.ename, error.evalue, self._reply.get("traceback") or ())
                break
            except (CellTimeoutError, DeadKernelError) as error:
                raise self._abort(cell, index, error) from None
            except BaseException as error:  # an interruption, a full disk
                self._abort(cell, index, error)
                raise
            finally:
                self._read_memory()
                self.nb_man.cell_complete(cell, cell_index=index)

    def _read_memory(self) -> None:
        self.memory.read(getattr(self._manager and self._manager.provisioner, "pid", None))

    def _abort(self, cell: Any, index: int, error: BaseException) -> BaseException:
        """Mark the cell, kill the kernel, which may ignore interrupts, and return the error with a remedy."""
        self.nb_man.cell_exception(cell, cell_index=index)
        run_sync(self._end_tasks)()
        code = self._end_kernel()
        if isinstance(error, CellTimeoutError):
            return CellTimeoutError(
                f"found a cell that timed out after {self.timeout} s, expected its end before; "
                "give it longer with --timeout, or less to do"
            )
        return DeadKernelError(_death(code)) if isinstance(error, DeadKernelError) else error

    async def async_execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        """Execute one cell; its output so far is written every SAVE_EVERY seconds."""
        self._output = CellOutput()
        saving = asyncio.ensure_future(self._save_repeatedly())
        try:
            return await super().async_execute_cell(cell, cell_index, **options)
        finally:
            saving.cancel()
            self._output.close(cell.get("outputs", []))

    execute_cell = run_sync(async_execute_cell)

    async def _check_raise_for_error(self, cell: Any, cell_index: int, exec_reply: dict[str, Any] | None) -> None:
        """Raise where the kernel's reply to a cell is an error, or says that the cell asked the kernel to end."""
        self._reply = (exec_reply or {}).get("content", {})
        if any(
            part.get("source") == "ask_exit" and not part.get("keepkernel") for part in self._reply.get("payload", ())
        ):
            raise CellError("", "found quit() or exit(), which ends the kernel, expected it to live; remove the call")
        await super()._check_raise_for_error(cell, cell_index, exec_reply)

    async def _save_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            self._read_memory()  # a kernel that the system kills cannot be asked afterwards
            with suppress(OSError):  # a disk that is still full at the cell's end is reported there
                self.nb_man.save()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Add a message from the kernel to the cell's outputs, within the limits of a cell."""
        output = super().process_message(msg, cell, cell_index) if self._output.admits(msg) else None
        self._output.write_note(cell.outputs)
        return output

    def create_kernel_manager(self) -> AsyncKernelManager:
        """The manager of a kernel that ends with this process."""
        self.kernel_manager_class = RecordKernelManager
        manager: RecordKernelManager = super().create_kernel_manager()
        manager.redact = self.nb_man.redact
        self._manager = manager
        return manager

    def execute(self, **options: Any) -> Any:
        """Execute the notebook and end its kernel, even after an interruption during the kernel's start."""
        self._before = run_sync(_tasks)()
        try:
            return super().execute(**options)
        finally:
            run_sync(self._end_tasks)()
            self._end_kernel()

    async def _end_tasks(self) -> None:
        """Cancel the tasks that wait for the kernel: after an interruption they would log errors at a later time."""
        tasks = await _tasks() - self._before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end_kernel(self) -> int | None:
        """End the kernel, if it lives, and its child processes; its exit code."""
        provisioner = self._manager.provisioner if self._manager else None
        if provisioner is None or not provisioner.has_process:
            return None
        code = run_sync(provisioner.poll)()
        group = getattr(provisioner, "pgid", None)
        if group and group != os.getpgrp():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        run_sync(provisioner.wait)()
        return code


class RecordKernelClient(AsyncKernelClient):
    """Takes a kernel as ready once it replies. Jupyter also waits until it is silent, which is not needed here:
    nbclient keeps only messages that belong to a cell."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            self.kernel_info()
            with suppress(Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    await self.iopub_channel.get_msg(timeout=0.05)  # any message shows that the channel is connected
                    self._handle_kernel_info_reply(reply)
                    return
            if not await self._async_is_alive():
                raise RuntimeError("found that the kernel died before it was ready, expected it to live; run again")
        raise RuntimeError(f"found no answer of the kernel in {timeout:.0f} s, expected one; run again")

    wait_for_ready = _async_wait_for_ready


class RecordKernelManager(AsyncKernelManager):
    """Starts kernels of this environment that end with this process, and lets many of their messages wait."""

    redact = NO_SECRETS

    @property
    def kernel_spec(self) -> KernelSpec:
        """IPython by this process's own Python. Jupyter might find another one under the same name."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    def _client_factory_default(self) -> type[RecordKernelClient]:
        return RecordKernelClient

    def client(self, **options: Any) -> Any:
        """A client that up to BACKLOG messages can wait for."""
        client = super().client(**options)
        client.context.setsockopt(zmq.RCVHWM, BACKLOG)
        return client

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        """Start the kernel's process; what it writes past Jupyter is shown without secrets."""
        with redacted_streams(self.redact) as streams:
            await super()._async_launch_kernel(kernel_cmd, **options, **streams)

    async def _async_wait(self, pollinterval: float = POLL) -> None:
        """Wait until the kernel has ended."""
        await super()._async_wait(min(pollinterval, POLL))

    async def _async_interrupt_kernel(self) -> None:
        """Interrupt a kernel, but not while it shuts down: it would print a traceback to the terminal."""
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command, in the wrapper that ends it with this process."""
        command = super().format_kernel_cmd(extra_arguments)
        return [sys.executable, "-I", "-S", str(parent_death.__file__), str(os.getpid()), *command]


async def _tasks() -> set[asyncio.Task[Any]]:
    """The event loop's unfinished tasks, without the current one."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def _death(code: int | None) -> str:
    if code is None:
        return "found no kernel any more, expected it to live; run again"
    if code >= 0:
        return f"found that the kernel exited with code {code}, expected it to live; let no cell end its process"
    names = {number.value: number.name for number in signal.Signals}
    remedy = _REMEDIES.get(-code, "run again")
    return f"found the kernel killed by signal {-code} ({names.get(-code, 'real-time')}), expected it to live; {remedy}"
