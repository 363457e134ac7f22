"""Members run on the workers of a Dask scheduler. The member of a killed worker runs again on another."""

import atexit
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline_lib.errors import PipelineLibError
from pipeline_lib.records.record import Record
from pipeline_lib.records.transfer import pull, push
from pipeline_lib.runner.warm.client import WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER
from pipeline_lib.sweeps.local_pool import ATTEMPTS, DIED, Worker
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.sweeps.task import Task, TaskResult
from pipeline_lib.system.dask_client import connect
from pipeline_lib.system.fingerprint import packages_digest
from pipeline_lib.system.locks import locked_temporary_folder

_local = threading.local()
_shared: dict[str, WarmServer] = {}
_packages: dict[str, str] = {}
"""By the id of a sweep, the digest of this machine's packages when the sweep began on it."""
_lock = threading.Lock()


class DaskPool:
    """The workers of a scheduler. Each thread of each worker keeps one process that runs members.

    Where workers do not share this folder, they push records to `store` and this process pulls them.
    """

    def __init__(self, address: str, names: Sequence[str] | None, store: str | None) -> None:
        self._client = connect(address)
        self._names, self._store, self._sweep_id = names, store, os.urandom(8).hex()

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Results in the order in which they end, each with the index of its task."""
        from distributed import as_completed

        requests = [DaskTask(task, self._names, self._store, self._sweep_id).to_json() for task in tasks]
        keys = [f"member-{os.urandom(8).hex()}" for _ in requests]
        futures = self._client.map(run_on_worker, requests, pure=False, key=keys)
        indexes = {future.key: index for index, future in enumerate(futures)}
        for future in as_completed(futures, loop=self._client.loop):
            index = indexes[future.key]
            yield index, self._received(future, tasks[index])

    def _received(self, future: Any, task: Task) -> TaskResult:
        if future.status != "finished":
            lost = f"found that the Dask workers lost it ({future.exception()}), expected a result; run again"
            return TaskResult(error=lost)
        result = TaskResult.from_json(future.result())
        if self._store and result.folder:
            return replace(result, folder=str(pull(result.folder, self._store, Path(task.runs)).folder))
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


@dataclass(frozen=True)
class DaskTask:
    """A task with what its machine needs: packages to import in warm processes, the store, an id of the sweep."""

    task: Task
    names: Sequence[str] | None
    store: str | None
    sweep_id: str

    def to_json(self) -> dict[str, Any]:
        """The task as JSON values."""
        return {"task": self.task.to_json(), "names": self.names, "store": self.store, "sweep_id": self.sweep_id}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DaskTask":
        """Read what `to_json` returned."""
        return cls(Task.from_json(values["task"]), values["names"], values["store"], values["sweep_id"])


def run_on_worker(values: Mapping[str, Any]) -> dict[str, Any]:
    """Run one member on a Dask worker, in a process of its own; JSON values in and out."""
    request = DaskTask.from_json(values)
    with locked_temporary_folder("sweep") as folder:
        if not request.store:
            return _run(request).to_json()
        result = _run(replace(request, task=replace(request.task, runs=str(folder))))
        if result.folder:
            record = Record(Path(result.folder))
            try:
                push(record, request.store)
            except (PipelineLibError, OSError) as error:
                return TaskResult(error=str(error)).to_json()
            result = replace(result, folder=record.reference)
        return result.to_json()


def _run(request: DaskTask) -> TaskResult:
    try:
        here = packages_digest(), sources_of(Path(request.task.params_file))
        task = replace(request.task, packages=_packages.setdefault(request.sweep_id, here[0]))  # machines may differ
        for _ in range(ATTEMPTS):
            result = _worker(request.names, here).work(task)
            if result is not None:
                return result
            _end_worker()
    except (PipelineLibError, OSError) as error:
        return TaskResult(error=str(error))
    return TaskResult(error=DIED)


def _worker(names: Sequence[str] | None, here: tuple[str, str]) -> Worker:
    """This thread's process; a new one where the digests of packages and files changed since it imported them."""
    if getattr(_local, "worker", None) is not None and _local.here != here:
        _end_worker()
    if getattr(_local, "worker", None) is None:
        _local.worker, _local.here = Worker(_address(names)), here
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
