"""A server's life under load: workers that are killed, new champions and rollbacks, the end without a lost request."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from harbours import point_to
from processes import gone
from scored import classifier, proven
from served import JSON, Server, server

from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record


class Load:
    """Clients that ask all the time, each on a connection that it keeps; a failed one is opened again.

    `outcomes` counts statuses, `lost` for requests without an answer, `refused` for connections; `answers` the records
    and labels that answered.
    """

    def __init__(self, port: int, path: str, clients: int = 4) -> None:
        self.outcomes: Counter[object] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()
        self._port, self._path = port, path
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait(self, more: int) -> None:
        """Wait until so many more requests are answered."""
        wanted = self.outcomes[200] + more
        self.until(lambda: self.outcomes[200] >= wanted)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, (self.outcomes, self.answers)
            time.sleep(0.01)

    def _ask(self, keep: bool) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.is_set():
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:
                self._count("refused")
                time.sleep(0.02)
                continue
            try:
                headers = {"Content-Type": JSON, **({} if keep else {"Connection": "close"})}
                connection.request("POST", self._path, b'{"size": 1.0}', headers)
                response = connection.getresponse()
                body = response.read()
            except (OSError, HTTPException):
                self._count("lost")
                connection.close()
                continue
            self._count(response.status, json.loads(body))
            if response.status == 503:
                assert response.getheader("retry-after")
            time.sleep(0.002)
        connection.close()

    def _count(self, outcome: object, answer: Any = None) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            if outcome == 200:
                self.answers[answer["record"], answer["prediction"]] += 1


def counted(running: Server) -> float:
    """Answered requests as the server counts them."""
    name = 'pipeline_requests_total{route="/predict",status="200"} '
    lines = running.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_a_killed_worker_is_replaced_and_at_the_end_no_request_is_lost(tmp_path: Path, labels_record: Record) -> None:
    with server(tmp_path / "server", labels_record.folder, "--workers", 2, "--drain", 0.7) as running:
        with Load(running.port, "/predict") as load:
            load.wait(50)
            killed, other = running.workers()
            os.kill(killed, signal.SIGKILL)
            load.wait(100)
            assert other in running.workers()
            load.until(lambda: len(running.workers()) == 2 and running.lines().count("startup complete") == 3)
            assert killed not in running.workers()
            load.wait(100)
        assert set(load.outcomes) <= {200, "lost"}
        assert load.outcomes["lost"] <= 4  # what the killed one was about to answer
        assert load.outcomes[200] <= counted(running) <= load.outcomes[200] + 4
        with Load(running.port, "/predict") as load:
            load.wait(50)
            running.process.send_signal(signal.SIGTERM)
            load.until(lambda: running.ask("GET", "/v2/health/ready").status == 503)
            load.wait(20)  # though not ready, it answers
            assert running.process.wait(30) == 0
            load.until(lambda: load.outcomes["refused"] > 0)
        assert load.outcomes["lost"] == 0, load.outcomes
        assert load.outcomes[503] > 0
        assert all(gone(pid) for pid in (killed, other))
        lines = running.lines()
        assert "Traceback" not in lines
        assert lines.count("Finished server process") == 2


def test_champions_change_while_clients_ask(harbour: Project, tmp_path: Path) -> None:
    first, second, third = (proven(harbour.runs, classifier("no", label), "boats") for label in ("one", "two", "three"))
    labels = {first.reference: "one", second.reference: "two"}
    point_to(harbour, first)
    options = ("--workers", 2, "--watch", 0.1, "--drain", 0)
    with server(tmp_path / "server", "boats@champion", *options, cwd=harbour.root) as running:

        def everywhere(label: str) -> bool:
            """Whether each of both workers answers with this label only."""
            return {running.ask("POST", "/predict", {"size": 1.0}).json["prediction"] for _ in range(40)} == {label}

        with Load(running.port, "/predict") as load:
            load.wait(50)
            point_to(harbour, second)
            load.until(lambda: everywhere("two"))
            point_to(harbour, first)  # a rollback
            load.until(lambda: everywhere("one"))
            plan = next(iter(third.artifact.iterdir()))
            plan.write_bytes(plan.read_bytes() + b" ")
            point_to(harbour, third)
            load.until(lambda: running.lines().count("goes on to answer") >= 2)
            assert everywhere("one")
        assert load.outcomes == {200: load.outcomes[200]}
        assert set(load.answers) == set(labels.items())  # each answer has the bits of the record that it names
        os.kill(running.workers()[0], signal.SIGKILL)  # the next one begins with the record that did answer
        load.until(lambda: running.lines().count("startup complete") == 3)
        assert everywhere("one")
        assert "Traceback" not in running.lines()


@pytest.mark.slow
def test_workers_end_with_the_server_that_is_killed(tmp_path: Path, labels_record: Record) -> None:
    with server(tmp_path / "server", labels_record.folder, "--workers", 2) as running:
        workers = running.workers()
        assert len(workers) == 2
        running.process.kill()
        running.process.wait(10)
        deadline = time.monotonic() + 10
        while not all(map(gone, workers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert all(map(gone, workers))  # and with them the port, which another program may have by now


@pytest.mark.slow
def test_a_large_request_is_answered_though_the_server_stops(tmp_path: Path, labels_record: Record) -> None:
    rows = [{"size": float(number)} for number in range(200_000)]
    replies = []
    with server(tmp_path / "server", labels_record.folder, "--workers", 1, "--drain", 0) as running:
        asking = threading.Thread(target=lambda: replies.append(running.ask("POST", "/predict", rows)))
        asking.start()
        time.sleep(0.5)
        assert running.stop() == 0
        asking.join(60)
    assert [reply.status for reply in replies] == [200]
    assert len(replies[0].json["predictions"]) == len(rows)
