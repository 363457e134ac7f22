"""Members run in parallel on this machine: as many processes as asked, each running one member at a time."""

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
from typing import Any, Protocol, Self

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.runner.warm.client import ADDRESS, WarmProcess, WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER
from pipeline_lib.system import parent_death
from pipeline_lib.system.fingerprint import cpu_count

Task = dict[str, Any]
Answer = dict[str, Any]
_MODULE = "pipeline_lib.sweeps.worker"
ATTEMPTS = 2
DIED = f"found that the process running it died {ATTEMPTS} times, expected it to end; see its record"
_SEAL_SECONDS = 5.0
_DYING_SECONDS = 0.2
"""How long a server may take to end after its workers are gone."""


def no_answer(error: str) -> Answer:
    """The answer to a task that nobody could work on."""
    return {"folder": None, "metrics": None, "parity": None, "known": False, "error": error, "seconds": 0.0}


class Pool(Protocol):
    """Where tasks are worked on; answers come as they are ready, each with its task's place."""

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Answer]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Worker:
    """One process that runs members; forked by a server of warm processes where there is one."""

    def __init__(self, address: str | None) -> None:
        ask_there, self._ask = os.pipe()
        self._tell, tell_there = os.pipe()
        self._process: WarmProcess | subprocess.Popen[bytes]
        try:
            if address:
                self._process = WarmProcess(
                    address,
                    _MODULE,
                    environment={**os.environ, ADDRESS: address},
                    folder=Path.cwd(),
                    streams=(ask_there, tell_there, 2),
                    runner=True,
                )
            else:
                python = [sys.executable, "-I", "-S", str(parent_death.__file__), str(os.getpid()), sys.executable]
                self._process = subprocess.Popen(  # noqa: S603 (this Python and our own module)
                    [*python, "-m", _MODULE], stdin=ask_there, stdout=tell_there, start_new_session=True
                )
        finally:
            os.close(ask_there)
            os.close(tell_there)
        self._answers = os.fdopen(self._tell, "rb")

    def work(self, task: Task) -> Answer | None:
        """The answer to a task; None when the process died over it."""
        try:
            os.write(self._ask, f"{json.dumps(task)}\n".encode())
            line = self._answers.readline()
        except OSError:
            return None
        answer: Answer | None = json.loads(line) if line.endswith(b"\n") else None
        return answer

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
        os.close(self._ask)
        try:
            self._process.wait(_SEAL_SECONDS)
        except (TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._answers.close()


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
        self._starter = ThreadPoolExecutor(1)  # a tethered process ends with the thread that started it
        self._closing = False

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Answer]]:
        """Answers as they are ready, each with its task's place."""
        places = {self._threads.submit(self._one, task): place for place, task in enumerate(tasks)}
        waiting: set[Future[Answer]] = set(places)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from ((places[future], future.result()) for future in done)

    def _one(self, task: Task) -> Answer:
        for attempt in range(ATTEMPTS):
            try:
                worker = self._worker(_DYING_SECONDS * attempt)
            except RunError as error:  # no server
                return no_answer(str(error))
            if worker is None:
                return no_answer("found that the sweep ended before it started, expected time for it; sweep again")
            answer = worker.work(task)
            if answer is not None:
                self._idle.put(worker)
                return answer
            with self._lock:
                self._workers.remove(worker)
            worker.close()
            if self._closing:
                break
        return no_answer(DIED)

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
        """Where warm processes are asked for; a lost server is replaced."""
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
    """How many processes: as asked, else three for every two CPUs, since a worker that waits for its kernel leaves one
    idle."""
    if workers is not None and workers < 1:
        raise InputError(f"found {workers} workers, expected one at least; leave --workers out for 3 per 2 CPUs")
    return workers or cpu_count() + (cpu_count() + 1) // 2
