"""Members run on the workers of a Dask scheduler; a worker that is killed loses nothing, its member runs again."""

import atexit
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.records.record import Record
from pipeline_lib.records.transfer import pull, push
from pipeline_lib.runner.warm.client import WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER
from pipeline_lib.sweeps.local_pool import ATTEMPTS, DIED, Answer, Task, Worker, no_answer
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.system.fingerprint import packages_digest
from pipeline_lib.system.locks import locked_temporary_folder

_SECONDS_TO_CONNECT = 15
_local = threading.local()
_shared: dict[str, WarmServer] = {}
_packages: dict[str, str] = {}
"""The digest of this machine's packages as each sweep began on it."""
_lock = threading.Lock()


class DaskPool:
    """The workers of a scheduler. Each thread of each worker keeps one process that runs members.

    Where workers do not share this folder, they push records to `store` and this process pulls them.
    """

    def __init__(self, address: str, names: Sequence[str] | None, store: str | None) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise InputError(
                "--dask: found no package 'distributed', expected the extra dask; pip install 'nb-pipeline-lib[dask]'"
            ) from error
        try:
            self._client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--dask {address}: found no scheduler ({error}), expected one that answers; start it with "
                "`dask scheduler`, and workers with `dask worker ADDRESS`"
            ) from error
        self._names, self._store, self._token = names, store, os.urandom(8).hex()

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Answer]]:
        """Answers as they are ready, each with its task's place."""
        from distributed import as_completed

        sent = [{**task, "names": self._names, "store": self._store, "token": self._token} for task in tasks]
        futures = self._client.map(work_there, sent, pure=False, key=[f"member-{os.urandom(8).hex()}" for _ in sent])
        places = {future.key: place for place, future in enumerate(futures)}
        for future in as_completed(futures, loop=self._client.loop):
            place = places[future.key]
            yield place, self._received(future, tasks[place])

    def _received(self, future: Any, task: Task) -> Answer:
        if future.status != "finished":
            return no_answer(
                f"found that the Dask workers lost it ({future.exception()}), expected an answer; run again"
            )
        answer: Answer = future.result()
        if self._store and answer["folder"]:
            answer["folder"] = str(pull(answer["folder"], self._store, Path(task["runs"])).folder)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def work_there(task: Task) -> Answer:
    """Run one member on a Dask worker, in a process of its own."""
    with locked_temporary_folder("sweep") as folder:
        runs = str(folder) if task["store"] else task["runs"]
        answer = _answer({**task, "runs": runs})
        if task["store"] and answer["folder"]:
            record = Record(Path(answer["folder"]))
            try:
                push(record, task["store"])
            except (PipelineLibError, OSError) as error:
                return no_answer(str(error))
            answer["folder"] = record.reference
        return answer


def _answer(task: Task) -> Answer:
    try:
        stands_on = packages_digest(), sources_of(Path(task["params_file"]))
        task = {**task, "packages": _packages.setdefault(task["token"], stands_on[0])}  # machines may differ
        for _ in range(ATTEMPTS):
            answer = _worker(task["names"], stands_on).work(task)
            if answer is not None:
                return answer
            _end_worker()
    except (PipelineLibError, OSError) as error:
        return no_answer(str(error))
    return no_answer(DIED)


def _worker(names: Sequence[str] | None, stands_on: tuple[str, str]) -> Worker:
    """This thread's process; another one where it began with other packages or files, which it has imported."""
    if getattr(_local, "worker", None) is not None and _local.stands_on != stands_on:
        _end_worker()
    if getattr(_local, "worker", None) is None:
        _local.worker, _local.stands_on = Worker(_address(names)), stands_on
    worker: Worker = _local.worker
    return worker


def _end_worker() -> None:
    worker, _local.worker = _local.worker, None
    worker.close()


def _address(names: Sequence[str] | None) -> str | None:
    if names is None:
        return None
    with _lock:
        key = " ".join(names)
        if key not in _shared or not _shared[key].alive:
            _shared[key] = WarmServer(names, RUNNER)
            atexit.register(_shared[key].close)
        return _shared[key].wait_until_ready().address
