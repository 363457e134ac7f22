"""papermill's engine as a record needs it: whole files on disk, bounded output, and no kernel that stays behind."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import writes
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from pipeline_lib.runner.output_limits import CellOutput
from pipeline_lib.system import parent_death
from pipeline_lib.system.files import write_atomic

ENGINE = "pipeline-lib"
SAVE_EVERY = 2.0
"""Seconds after which what a long cell has shown so far is on disk."""
BACKLOG = 100_000
"""Messages from a kernel that may wait to be read; more are lost, as ZeroMQ drops what nobody fetches."""
DRAIN = 60
"""Seconds that a flood may take to arrive once its cell has ended; what comes later is lost, and the cell says so."""
POLL = 0.01
"""Seconds between two looks at whether a kernel that was asked to end has ended."""

_REMEDIES: dict[int, str] = {
    signal.SIGKILL: "the system does so when memory runs out: try fewer rows, or a larger machine",
    signal.SIGSEGV: "compiled code crashed: look for the library that the cell calls",
}


class RecordEngine(Engine):  # type: ignore[misc] # papermill has no annotations
    """Executes a notebook into the file `destination`."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, *, destination: Path, **options: Any) -> Any:
        """The executed notebook. What was reached is in the file, whatever happens."""
        notebook = ExecutedNotebook(nb, output_path=destination, progress_bar=False, autosave_cell_every=0)
        notebook.notebook_start()
        names = ("timeout", "config", "on_cell_start", "on_cell_executed")
        chosen = {name: options[name] for name in names}
        chosen |= {"startup_timeout": options["start_timeout"], "iopub_timeout": DRAIN}
        try:
            RecordClient(notebook, kernel_name=kernel_name, raise_on_iopub_timeout=False, **chosen).execute()
        except BaseException:  # an interruption may have come while the file was written
            with suppress(OSError):
                notebook.save()
            raise
        notebook.notebook_complete()
        return notebook.nb


papermill_engines.register(ENGINE, RecordEngine)


class ExecutedNotebook(NotebookExecutionManager):  # type: ignore[misc] # papermill has no annotations
    """The notebook with what its cells have shown so far; its file is never seen half-written."""

    _postponed = False

    def cell_start(self, cell: Any, cell_index: int, **options: Any) -> None:
        """Mark a cell as running; a text cell's start is not written down."""
        with self._postponing(cell.cell_type != "code"):
            super().cell_start(cell, cell_index=cell_index, **options)

    def cell_complete(self, cell: Any, cell_index: int, **options: Any) -> None:
        """Mark a cell as done; it is written down at the start of the next code cell, or now if it failed or is the
        last."""
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
        """Write the notebook as it stands, unless that is postponed."""
        if self._postponed:
            return
        write_atomic(self.output_path, writes(self.nb).encode(), durable=False)  # a seal makes it durable


class RecordClient(PapermillNotebookClient):  # type: ignore[misc] # papermill has no annotations
    """Talks to the kernel of one run."""

    tethered: AsyncKernelManager | None = None
    _before: set[asyncio.Task[Any]]
    _kept: CellOutput

    def papermill_execute_cells(self) -> None:
        """Execute cell by cell; the one at which the run ends is marked, whatever ended it."""
        for index, cell in enumerate(self.nb.cells):
            try:
                self.nb_man.cell_start(cell, cell_index=index)
                self.execute_cell(cell, index)
            except CellExecutionError:
                self.nb_man.cell_exception(cell, cell_index=index)
                break
            except (CellTimeoutError, DeadKernelError) as error:
                raise self._given_up(cell, index, error) from None
            except BaseException as error:  # an interruption, a full disk
                self._given_up(cell, index, error)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def _given_up(self, cell: Any, index: int, error: BaseException) -> BaseException:
        """The error in words that say what a reader can do; the kernel is killed, as it would not listen."""
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
        """Execute one cell, and save what it has shown so far now and then."""
        self._kept = CellOutput()
        saving = asyncio.ensure_future(self._save_now_and_then())
        try:
            return await super().async_execute_cell(cell, cell_index, **options)
        finally:
            saving.cancel()
            self._kept.close(cell.get("outputs", []))

    execute_cell = run_sync(async_execute_cell)

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            with suppress(OSError):  # if the disk is still full at the cell's end, that is where it is told
                self.nb_man.save()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Add a message from the kernel to the cell's outputs, as far as the cell has room for it."""
        output = super().process_message(msg, cell, cell_index) if self._kept.admits(msg) else None
        self._kept.write_note(cell.outputs)
        return output

    def create_kernel_manager(self) -> AsyncKernelManager:
        """The manager of a kernel that ends when this process does."""
        self.kernel_manager_class = TetheredKernelManager
        manager: AsyncKernelManager = super().create_kernel_manager()
        self.tethered = manager
        return manager

    def execute(self, **options: Any) -> Any:
        """Execute the notebook; afterwards its kernel is gone, even where an interruption came while it started."""
        self._before = run_sync(_tasks)()
        try:
            return super().execute(**options)
        finally:
            run_sync(self._end_tasks)()
            self._end_kernel()

    async def _end_tasks(self) -> None:
        """Let nothing that waits for the kernel outlive an interruption: its complaint would come at any later time."""
        left = await _tasks() - self._before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _end_kernel(self) -> int | None:
        """End the kernel, if it lives, and what it started; the code it ended with."""
        provisioner = self.tethered.provisioner if self.tethered else None
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
    """Takes a kernel that answers for ready. Jupyter waits until it has been silent for a while, which does not
    matter here: of what a kernel says, nbclient keeps only what its cells have asked for."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            self.kernel_info()
            with suppress(Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    await self.iopub_channel.get_msg(timeout=0.05)  # whatever it is, the channel is connected
                    self._handle_kernel_info_reply(reply)
                    return
            if not await self._async_is_alive():
                raise RuntimeError("found that the kernel died before it was ready, expected it to live; run again")
        raise RuntimeError(f"found no answer of the kernel in {timeout:.0f} s, expected one; run again")

    wait_for_ready = _async_wait_for_ready


class TetheredKernelManager(AsyncKernelManager):
    """Starts kernels that the system ends when this process ends, and listens to them with patience."""

    def _client_factory_default(self) -> type[RecordKernelClient]:
        return RecordKernelClient

    def client(self, **options: Any) -> Any:
        """A client that lets a flood wait."""
        client = super().client(**options)
        client.context.setsockopt(zmq.RCVHWM, BACKLOG)
        return client

    async def _async_wait(self, pollinterval: float = POLL) -> None:
        """Wait until the kernel has ended."""
        await super()._async_wait(min(pollinterval, POLL))

    async def _async_interrupt_kernel(self) -> None:
        """Interrupt a kernel, but none that is about to end, which would complain of it on the terminal."""
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command, tethered."""
        command = super().format_kernel_cmd(extra_arguments)
        return [sys.executable, "-I", "-S", str(parent_death.__file__), str(os.getpid()), *command]


async def _tasks() -> set[asyncio.Task[Any]]:
    """The loop's unfinished tasks, without the one that asks."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def _death(code: int | None) -> str:
    if code is None:
        return "found no kernel any more, expected it to live; run again"
    if code >= 0:
        return f"found that the kernel exited with code {code}, expected it to live; let no cell end its process"
    names = {number.value: number.name for number in signal.Signals}
    remedy = _REMEDIES.get(-code, "run again")
    return f"found the kernel killed by signal {-code} ({names.get(-code, 'real-time')}), expected it to live; {remedy}"
