"""Blocks answered on the workers of a Dask scheduler, with the bits that they have here.

The model travels as the artifact's files. A block is sent without them first; a worker that does not have the model yet
asks for them. Blocks of a killed worker are answered on another one.
"""

import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.errors import InputError
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.score_block import Outputs, score_block
from pipeline_lib.system.dask_client import connect

_DISTRIBUTION = "nb-pipeline-lib"
_SECONDS_TO_WORKERS = 15
_IN_FLIGHT = 2
"""Blocks for each thread of the workers that are sent and not yet written here."""
_local = threading.local()
MISSING = "model"
"""What a worker answers that does not have the model."""
REFUSED = "refused"
"""What it answers for refused rows: which they are is found out here, where their place in the input is known."""


@dataclass(frozen=True)
class RemoteModel:
    """A model by the digest of its record, and how `load_model` reads it."""

    digest: str
    library: str
    trust: tuple[str, ...]
    other_versions: bool


class Cluster:
    """The workers of a scheduler, which answer blocks with the model in the folder `artifact`."""

    def __init__(self, address: str, remote: RemoteModel, artifact: Path, model: CompiledPipeline) -> None:
        self._address, self._remote, self._model = address, remote, model
        self._files = {path.name: path.read_bytes() for path in artifact.iterdir() if path.is_file()}
        self._client = connect(address)

    def answers(self, jobs: Iterator[tuple[Block, Any]], outputs: Outputs) -> Iterator[tuple[Block, pa.Table]]:
        """Each block with its output, in order; `jobs` are blocks, each with the rows that it needs from before.

        Raises InputError as `score_block` does, and for workers that are gone or of another version.
        """
        from distributed import CancelledError, KilledWorker

        waiting: deque[tuple[Block, Any, Any]] = deque()
        try:
            most = _IN_FLIGHT * self._threads()
            for block, earlier in jobs:
                waiting.append((block, earlier, self._send(block, earlier, outputs)))
                if len(waiting) >= most:
                    yield self._received(*waiting.popleft(), outputs)
            while waiting:
                yield self._received(*waiting.popleft(), outputs)
        except (OSError, CancelledError, KilledWorker) as error:
            raise InputError(
                f"--dask {self._address}: found that a block was lost ({type(error).__name__}: {error}), expected its "
                "answer; see that the workers run, then run the same command: finished blocks are kept"
            ) from error
        finally:
            for _, _, future in waiting:
                future.cancel()

    def _threads(self) -> int:
        try:
            self._client.wait_for_workers(1, timeout=_SECONDS_TO_WORKERS)
        except TimeoutError as error:
            raise InputError(
                f"--dask {self._address}: found a scheduler without workers, expected at least one; start it with "
                f"`dask worker {self._address}`"
            ) from error
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def _send(self, block: Block, earlier: Any, outputs: Outputs, files: Mapping[str, bytes] | None = None) -> Any:
        import dask

        content = (block.rows, block.shown, tuple(block.problems), block.raw, earlier)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "4 GiB"}):
            return self._client.submit(
                answer_on_worker, version(_DISTRIBUTION), self._remote, files, content, outputs, pure=False
            )

    def _received(self, block: Block, earlier: Any, future: Any, outputs: Outputs) -> tuple[Block, pa.Table]:
        answer = self._result(future)
        if answer == MISSING:
            answer = self._result(self._send(block, earlier, outputs, self._files))
        if answer == REFUSED:
            return block, score_block(self._model, block, outputs, earlier)
        if isinstance(answer, str):
            raise InputError(
                f"--dask {self._address}: found {_DISTRIBUTION} {answer} on a worker, expected "
                f"{version(_DISTRIBUTION)} as here; install the same there and start the worker again"
            )
        return block, answer

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except ModuleNotFoundError as error:
            raise InputError(
                f"--dask {self._address}: found a worker without the package {error.name!r}, expected {_DISTRIBUTION} "
                f"{version(_DISTRIBUTION)} on each; install it there and start the worker again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def answer_on_worker(
    expected: str,
    remote: RemoteModel,
    files: Mapping[str, bytes] | None,
    content: tuple[Any, str, Any, pa.Table, Any],
    outputs: Outputs,
) -> pa.Table | str:
    """The output of a block on a Dask worker; a text where there is none: why, or the other version that it has."""
    if version(_DISTRIBUTION) != expected:
        return version(_DISTRIBUTION)
    model = _model(remote, files)
    if model is None:
        return MISSING
    rows, shown, problems, raw, earlier = content
    try:
        return score_block(model, Block(rows, shown, str, problems, raw), outputs, earlier)
    except InputError:
        return REFUSED


def _model(remote: RemoteModel, files: Mapping[str, bytes] | None) -> CompiledPipeline | None:
    """This thread's model: the one that it has, or one of these files; None without."""
    known: tuple[RemoteModel, CompiledPipeline] | None = getattr(_local, "model", None)
    if known is not None and known[0] == remote:
        return known[1]
    if files is None:
        return None
    with tempfile.TemporaryDirectory(prefix="pipeline-lib-model-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        model = load_model(folder, library=remote.library, trust=remote.trust, other_versions=remote.other_versions)
    _local.model = (remote, model)
    return model
