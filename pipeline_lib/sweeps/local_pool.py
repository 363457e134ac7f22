"""Members run in parallel on this machine, in worker processes of one member at a time."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.runner.warm.client import ADDRESS, WarmProcess, WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER
from pipeline_lib.sweeps.task import Task, TaskResult
from pipeline_lib.system import parent_death
from pipeline_lib.system.fingerprint import cpu_count

_MODULE = "pipeline_lib.sweeps.worker"
ATTEMPTS = 2
DIED = f"found that the process running it died {ATTEMPTS} times, expected a result; see its record"
_SEAL_SECONDS = 5.0
"""How long a worker may take to seal a record before it is killed."""
_DYING_SECONDS = 0.2
"""How long a server may take to end after its workers are gone."""


class Pool(Protocol):
    """Runs tasks; results come in the order in which they end, each with the index of its task."""

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Worker:
    """One process that runs members; forked by a server of warm processes where there is one."""

    def __init__(self, address: str | None) -> None:
        worker_in, self._tasks = os.pipe()
        results, worker_out = os.pipe()
        self._process: WarmProcess | subprocess.Popen[bytes]
        try:
            if address:
                self._process = WarmProcess(
                    address,
                    _MODULE,
                    environment={**os.environ, ADDRESS: address},
                    folder=Path.cwd(),
                    streams=(worker_in, worker_out, 2),
                    runner=True,
                )
            else:
                python = [sys.executable, "-I", "-S", str(parent_death.__file__), str(os.getpid()), sys.executable]
                self._process = subprocess.Popen(  # noqa: S603 (this Python and our own module)
                    [*python, "-m", _MODULE], stdin=worker_in, stdout=worker_out, start_new_session=True
                )
        finally:
            os.close(worker_in)
            os.close(worker_out)
        self._results = os.fdopen(results, "rb")

    def work(self, task: Task) -> TaskResult | None:
        """The result of a task; None when the process died during it."""
        try:
            os.write(self._tasks, f"{json.dumps(task.to_json())}\n".encode())
            line = self._results.readline()
        except OSError:
            return None
        return TaskResult.from_json(json.loads(line)) if line.endswith(b"\n") else None

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def interrupt(self) -> None:
        """Let it seal the record of the run it is in."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the process and the run it is in at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process, at once when it does not end by itself."""
        os.close(self._tasks)
        try:
            self._process.wait(_SEAL_SECONDS)
        except (TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._results.close()


class LocalPool:
    """Workers on this machine, warm unless `names` is None; forked from `server`, if it runs already.

    A worker that dies is replaced and its task repeated; so is the server of warm processes, with all its workers.
    """

    def __init__(self, workers: int, names: Sequence[str] | None, server: WarmServer | None = None) -> None:
        self._names = names
        self._server = server or (WarmServer(names, RUNNER) if names is not None else None)
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        self._lock, self._renewing = threading.Lock(), threading.Lock()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sweep")
        self._starter = ThreadPoolExecutor(1)  # a worker ends with the thread that started it
        self._closing = False

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Results in the order in which they end, each with the index of its task."""
        indexes = {self._threads.submit(self._run, task): index for index, task in enumerate(tasks)}
        waiting: set[Future[TaskResult]] = set(indexes)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from ((indexes[future], future.result()) for future in done)

    def _run(self, task: Task) -> TaskResult:
        for attempt in range(ATTEMPTS):
            try:
                worker = self._worker(_DYING_SECONDS * attempt)
            except RunError as error:  # no server
                return TaskResult(error=str(error))
            if worker is None:
                return TaskResult(
                    error="found that the sweep ended before it started, expected time for it; sweep again"
                )
            result = worker.work(task)
            if result is not None:
                self._idle.put(worker)
                return result
            with self._lock:
                self._workers.remove(worker)
            worker.close()
            if self._closing:
                break
        return TaskResult(error=DIED)

    def _worker(self, patience: float) -> Worker | None:
        """An idle worker or a new one; none once the pool is closing."""
        address = self._address(patience)
        with suppress(queue.Empty):
            while (worker := self._idle.get_nowait()).ended:
                pass
            return worker
        with self._lock:
            if self._closing:
                return None
            self._workers.append(self._starter.submit(Worker, address).result())
            return self._workers[-1]

    def _address(self, patience: float) -> str | None:
        """The address of the server that forks warm processes; a lost server is replaced."""
        with self._renewing:
            if self._server is None or self._names is None:
                return None
            if self._server.lost(patience) and not self._closing:
                self._server.close()
                self._server = WarmServer(self._names, RUNNER)
            return self._server.wait_until_ready().address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closing = True
            workers = list(self._workers)
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            if kind is not None:
                self._interrupt(workers)
            self._threads.shutdown(wait=True)
        except KeyboardInterrupt:  # a second request: at once
            for worker in workers:
                worker.kill()
            self._threads.shutdown(wait=True)
        for worker in workers:
            if worker in self._workers:
                worker.close()
        self._starter.shutdown()
        if self._server:
            self._server.close()

    def _interrupt(self, workers: Sequence[Worker]) -> None:
        if self._server:
            self._server.give_up()
        for worker in workers:
            worker.interrupt()


def check_workers(workers: int | None) -> int:
    """The number of worker processes: by default three for every two CPUs.

    A worker waits for its kernel part of the time and leaves its CPU idle (`benchmarks/runs.py`).
    """
    if workers is not None and workers < 1:
        raise InputError(f"found {workers} workers, expected one at least; leave --workers out for 3 per 2 CPUs")
    return workers or cpu_count() + (cpu_count() + 1) // 2
