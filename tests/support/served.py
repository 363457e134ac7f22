"""Requests to the serving application in this process, and to a server in a process of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.serving.app import App
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.settings import Settings
from pipeline_lib.system.files import canonical_json

JSON, ARROW, CSV = "application/json", "application/vnd.apache.arrow.stream", "text/csv"
MARK, NUMBER = "Zq7marker", 4711471147
"""A text and a number that are sent, and that no answer and no log line may have."""
_RUNNER = asyncio.Runner()


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value; other text than JSON raises."""
        return json.loads(self.body, parse_constant=lambda text: 1 / 0)


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app: App) -> None:
        self.app = app

    def ask(
        self,
        method: str,
        path: str,
        body: Any = b"",
        kind: str = JSON,
        headers: Sequence[tuple[bytes, bytes]] = (),
        parts: int = 1,
    ) -> Reply:
        """The answer to a request; a body that is not bytes is sent as JSON, in so many parts."""
        path, _, query = path.partition("?")
        content = body if isinstance(body, bytes) else json.dumps(body, default=_iso).encode()
        named = [(b"content-type", kind.encode("latin-1"))] if kind else []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [*named, (b"content-length", str(len(content)).encode()), *headers],
            "server": ("127.0.0.1", 8000),
        }
        size = len(content) // parts + 1
        queue = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
        sent: list[Any] = []

        async def receive() -> Any:
            part = queue.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(queue)}

        async def send(message: Any) -> None:
            sent.append(message)

        _RUNNER.run(self.app(scope, receive, send))
        names = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], names, sent[1]["body"])

    def post(self, path: str, body: Any, kind: str = JSON, **options: Any) -> Reply:
        """The answer to a POST."""
        return self.ask("POST", path, body, kind, **options)

    def get(self, path: str) -> Reply:
        """The answer to a GET."""
        return self.ask("GET", path, kind="")


def client(*records: Record, token: bytes | None = None, **settings: Any) -> Client:
    """A client of an application that serves these records."""
    refs = tuple(str(record.folder) for record in records)
    made = Settings(refs, project=".", **settings)
    models = Models(made)
    models.load()
    return Client(App(made, models, token))


def with_evidence(runs: Path, model: CompiledPipeline, rows: pa.Table, pipeline: str) -> Record:
    """A proven record whose evidence has these rows."""
    record = create_record(runs, pipeline)
    model.save(record.artifact)
    record.evidence.mkdir()
    pq.write_table(rows, record.evidence / "inputs.parquet")
    (record.folder / "metrics.json").write_bytes(canonical_json({"rmse": 2.5}))
    seal(record, {"status": "finished", "reference": record.reference})
    checks_folder(record).mkdir(parents=True)
    (checks_folder(record) / PARITY).write_bytes(canonical_json({"exact": True, "full": True, "text": "exact"}))
    return record


def stream(table: pa.Table, **options: Any) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, **options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def assert_silent(text: str) -> None:
    """Fails for a text with something that was sent."""
    assert MARK.lower() not in text.lower()
    assert str(NUMBER) not in text


def as_json(value: Any) -> Any:
    """A row with its dates as text, as JSON writes them; also rows in a list or an object."""
    return json.loads(json.dumps(value, default=_iso))


def _iso(value: Any) -> str:
    assert isinstance(value, date), value
    return value.isoformat()


class Server:
    """A server in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to a request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body, default=_iso).encode()
            connection.request(method, path, content, {"Content-Type": JSON, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def raw(self, content: bytes, *, timeout: float = 20) -> bytes:
        """What the server answers to these bytes until it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(content)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def workers(self) -> list[int]:
        """The processes that answer."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [pid for pid in map(int, listed) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def lines(self) -> str:
        """What the processes have logged."""
        return self.log.read_text()

    def stop(self) -> int:
        """Tell it to stop, and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def server(folder: Path, *arguments: object, cwd: Path | None = None, **variables: str) -> Iterator[Server]:
    """`pipeline-lib serve ARGUMENTS` on a free port; stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"log-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "pipeline_lib", "serve", *map(str, arguments), "--port", "0"]
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=cwd, stdout=sink, stderr=sink, env={**os.environ, "PYTHONUNBUFFERED": "1", **variables}
        )
    try:
        port = 0
        deadline = time.monotonic() + 60
        while not port or log.read_text().count("startup complete") < _workers(arguments):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
            place = log.read_text().partition("http://")[2].partition(",")[0]
            port = int(place.rpartition(":")[2] or 0)
        yield Server(process, port, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _workers(arguments: Sequence[object]) -> int:
    given = list(map(str, arguments))
    return int(given[given.index("--workers") + 1]) if "--workers" in given else min(os.cpu_count() or 1, 4)
