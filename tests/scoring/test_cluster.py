"""Blocks on the workers of a real Dask scheduler: the bytes of this machine, also when a worker is killed."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import scored
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.scoring import cluster
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.cluster import MISSING, REFUSED, RemoteModel, answer_on_worker
from pipeline_lib.scoring.score_block import Outputs, score_block

pytest.importorskip("distributed")
ROWS = [scored.row(code=f"c{number}", size=number / 7) for number in range(400)]
OUTPUTS = Outputs("echo/1")


@contextmanager
def started(folder: Path, *words: str) -> Iterator[Any]:
    """A process of Dask, and the file that it writes its log to."""
    log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
    program = [sys.executable, "-m", f"distributed.cli.dask_{words[0]}", *words[1:]]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 (Dask's own commands)
            program, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=stream, stdout=stream
        )
        try:
            yield process, log
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dask")
    with started(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as (_, log):
        address, deadline = None, time.monotonic() + 60
        while address is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            address = re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())
        yield address[1]


def worker(folder: Path, address: str) -> Any:
    return started(folder, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard")


def test_a_scheduler_that_is_not_there_is_refused(
    echo_record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_lib.system.dask_client._SECONDS_TO_CONNECT", 0.2)
    given = scored.write_rows(tmp_path / "rows.csv", ROWS)
    message = scored.refusal(echo_record, given, tmp_path / "out.csv", "--dask", "tcp://127.0.0.1:9")
    assert "--dask tcp://127.0.0.1:9: found no scheduler" in message
    assert "expected one that answers; start it with `dask scheduler`" in message


def test_a_worker_asks_for_the_model_once_and_answers_with_the_same_bits(echo_record: Record) -> None:
    remote = RemoteModel(f"digest of {time.monotonic_ns()}", "pipeline_lib", (), False)
    files = {path.name: path.read_bytes() for path in echo_record.artifact.iterdir()}
    table = scored.table(ROWS[:9])
    expected = score_block(scored.echo(), Block(table, "x", str), OUTPUTS)
    version = cluster.version("nb-pipeline-lib")

    def ask(files: Any, rows: Any = table, remote: RemoteModel = remote, version: str = version) -> Any:
        return answer_on_worker(version, remote, files, (rows, "x", (), Block(rows, "x", str).raw, None), OUTPUTS)

    assert ask(None) == MISSING
    assert ask(files).equals(expected)
    assert ask(None).equals(expected)
    assert ask(None, remote=RemoteModel("another", "pipeline_lib", (), False)) == MISSING
    assert ask(None, scored.table([scored.row(rooms=21)])) == REFUSED
    assert ask(None, version="0.0.1") == version


def test_a_scheduler_without_workers_is_refused(
    echo_record: Record, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_SECONDS_TO_WORKERS", 0.2)
    given = scored.write_rows(tmp_path / "rows.csv", ROWS)
    message = scored.refusal(echo_record, given, tmp_path / "out.csv", "--dask", scheduler)
    assert f"--dask {scheduler}: found a scheduler without workers, expected at least one" in message


def test_blocks_on_workers_have_the_bytes_of_blocks_here(
    echo_record: Record, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, most, sent, received = tmp_path / "out.parquet", 0, 0, 0
    real_send, real_receive = cluster.Cluster._send, cluster.Cluster._received

    def send(self: Any, *values: Any) -> Any:
        nonlocal most, sent
        sent += len(values) < 4
        most = max(most, sent - received)
        return real_send(self, *values)

    def receive(self: Any, *values: Any) -> Any:
        nonlocal received
        answer = real_receive(self, *values)
        received += 1
        return answer

    monkeypatch.setattr(cluster.Cluster, "_send", send)
    monkeypatch.setattr(cluster.Cluster, "_received", receive)
    with worker(tmp_path, scheduler):
        for suffix, options in (("csv", ["--keep", "code"]), ("jsonl", ["--errors", "column"]), ("parquet", [])):
            rows = [*ROWS, scored.row(rooms=21)] if suffix == "jsonl" else ROWS
            given = scored.write_rows(tmp_path / f"rows.{suffix}", rows)
            scored.done(echo_record, given, output, "--block-rows", 30, *options)
            expected = output.read_bytes()
            output.unlink()
            scored.done(echo_record, given, output, "--block-rows", 30, "--dask", scheduler, *options)
            assert output.read_bytes() == expected
        output.unlink()
        given = scored.write_rows(tmp_path / "bad.csv", [*ROWS, scored.row(rooms=21)])
        message = scored.refusal(echo_record, given, output, "--block-rows", 30, "--dask", scheduler)
        assert "bad.csv: line 402: rooms: found 21, expected a value <= 20" in message
    assert received > 50
    assert most == 2


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(echo_record: Record, tmp_path: Path, scheduler: str) -> None:
    rows = [scored.row(code=f"c{number}", size=number / 7) for number in range(4000)]
    given = scored.write_rows(tmp_path / "rows.csv", rows)
    scored.done(echo_record, given, tmp_path / "here.csv", "--block-rows", 20)
    parts = tmp_path / ".out.csv.scoring" / "parts"
    with worker(tmp_path, scheduler) as (doomed, _), worker(tmp_path, scheduler):

        def kill_in_the_middle() -> None:
            deadline = time.monotonic() + 60
            while not (parts / "00000040.arrow").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(doomed.pid, signal.SIGKILL)

        killing = threading.Thread(target=kill_in_the_middle)
        killing.start()
        scored.done(echo_record, given, tmp_path / "out.csv", "--block-rows", 20, "--dask", scheduler)
        killing.join()
        assert doomed.wait() == -signal.SIGKILL
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("gone"), "found that a block was lost (OSError: gone), expected its answer"),
        (ModuleNotFoundError(name="pipeline_lib"), "found a worker without the package 'pipeline_lib'"),
    ],
)
def test_what_dask_raises_for_a_lost_block_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    class Future:
        def result(self) -> Any:
            raise error

        def cancel(self) -> None:
            cancelled.append(self)

    class Client:
        def submit(self, *values: Any, **options: Any) -> Future:
            return Future()

    cancelled: list[Future] = []
    lost = object.__new__(cluster.Cluster)
    vars(lost).update(_address="tcp://x:1", _client=Client(), _remote=None)
    monkeypatch.setattr(cluster.Cluster, "_threads", lambda self: 1)
    block = Block(scored.table(ROWS[:1]), "x", str)
    with pytest.raises(InputError) as caught:
        list(lost.answers(iter([(block, None)] * 5), OUTPUTS))
    assert message in str(caught.value)
    assert len(cancelled) == 1
