"""One-row requests to `serve`: errors, bits, throughput, growth of memory, and the server's CPU time for a row.

    python benchmarks/serving.py [--requests 100000] [--clients 50] [--workers 2]

Where fastapi is installed, its CPU time for a row with the fitted scikit-learn pipeline is measured beside it, on the
same rows, in the same process: `pip install --target /tmp/fastapi fastapi`, then PYTHONPATH=/tmp/fastapi.
"""

import argparse
import asyncio
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.project.params import read_params
from pipeline_lib.runner.run import run_pipeline

ROOT = Path(__file__).parent.parent
FASTAPI = """
import pickle
import sys
from typing import Any

import pandas as pd
from fastapi import FastAPI

with open(sys.argv[1], "rb") as file:
    fitted, dtypes = pickle.load(file)
app = FastAPI()


@app.post("/predict")
def predict(row: dict[str, Any]) -> dict[str, float]:
    return {"prediction": float(fitted.predict(pd.DataFrame([row]).astype(dtypes))[0])}


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def cpu_seconds(pids: list[int]) -> float:
    """CPU time that processes have taken, of the user and the system."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def resident(pids: list[int]) -> int:
    """Bytes of memory that processes hold."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """The processes that answer below a server's own."""
    listed = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in listed if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


class Load:
    """Clients that ask in turn for each of some rows, each client on one connection."""

    def __init__(self, port: int, rows: list[dict[str, Any]], answers: list[float]) -> None:
        self._port = port
        self._answers = answers
        bodies = [json.dumps(row).encode() for row in rows]
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._requests = [head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies]
        self._left = 0
        self.outcomes: Counter[str] = Counter()

    def run(self, requests: int, clients: int) -> float:
        """Ask so many times, and return the seconds that it took."""
        self._left = requests
        began = time.perf_counter()
        asyncio.run(self._all(clients))
        return time.perf_counter() - began

    async def _all(self, clients: int) -> None:
        await asyncio.gather(*(self._client() for _ in range(clients)))

    async def _client(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while self._left > 0:
            self._left -= 1
            which = self._left % len(self._requests)
            writer.write(self._requests[which])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                self.outcomes["refused"] += 1
            elif json.loads(body)["prediction"] != self._answers[which]:
                self.outcomes["other bits"] += 1
            else:
                self.outcomes["exact"] += 1
        writer.close()


@contextmanager
def serving(folder: Path, record: Path, workers: int) -> Iterator[tuple[int, list[int]]]:
    """`serve` with a record: its port, and the processes that answer."""
    log = folder / "serve.log"
    options = ["--workers", str(workers), "--port", "0", "--allow-unproven", "--drain", "0"]
    with log.open("wb") as sink:
        command = [sys.executable, "-m", "pipeline_lib", "serve", str(record), *options]
        process = subprocess.Popen(command, stdout=sink, stderr=sink)  # noqa: S603
    try:
        while log.read_text().count("startup complete") < workers:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        port = int(log.read_text().partition("http://127.0.0.1:")[2].partition(",")[0])
        yield port, children(process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def fastapi(folder: Path, fitted: Any, dtypes: dict[str, Any]) -> Iterator[tuple[int, list[int]]]:
    """FastAPI with a fitted pipeline: its port, and its process."""
    (folder / "service.py").write_text(FASTAPI)
    (folder / "fitted.pickle").write_bytes(pickle.dumps((fitted, dtypes)))
    port = 18_423
    command = [sys.executable, str(folder / "service.py"), str(folder / "fitted.pickle"), str(port)]
    process = subprocess.Popen(command)  # noqa: S603
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                asyncio.run(_reach(port))
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield port, [process.pid]
    finally:
        process.terminate()
        process.wait()


async def _reach(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def main() -> None:
    """Print what is measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        record = run_pipeline(ROOT / "params" / "houses.yml", runs=folder / "runs")
        rows = pq.read_table(record.evidence / "inputs.parquet").to_pylist()
        answers = load_model(record.artifact).predict(rows).tolist()
        with serving(folder, record.folder, asked.workers) as (port, pids):
            load = Load(port, rows, answers)
            load.run(max(1000, asked.requests // 10), asked.clients)
            held, cpu = resident(pids), cpu_seconds(pids)
            seconds = load.run(asked.requests, asked.clients)
            ours = (cpu_seconds(pids) - cpu) / asked.requests
            growth = resident(pids) / held - 1
        assert set(load.outcomes) == {"exact"}, load.outcomes
        print(
            f"{asked.requests:,} requests of one row, {asked.workers} workers, {asked.clients} clients: no error, the "
            f"bits of predict, {asked.requests / seconds:,.0f} a second, memory {growth:+.1%} (aim below 5 %), "
            f"{ours * 1e6:,.0f} us of server CPU a row"
        )
        if find_spec("fastapi") is None:
            print("fastapi is not installed: not compared")
            return
        module = import_module("pipeline_lib.pipelines.houses")
        params = read_params(ROOT / "params" / "houses.yml", module.Params)
        X_train, _, y_train, _ = module.split(module.load(), params)
        fitted = module.build(params).fit(X_train, y_train)
        theirs_requests = max(200, asked.requests // 100)
        with fastapi(folder, fitted, X_train.dtypes.to_dict()) as (port, pids):
            load = Load(port, rows, answers)
            load.run(100, 4)
            cpu = cpu_seconds(pids)
            load.run(theirs_requests, 4)
            theirs = (cpu_seconds(pids) - cpu) / theirs_requests
        print(
            f"FastAPI over the scikit-learn pipeline: {theirs * 1e6:,.0f} us of server CPU a row, "
            f"{theirs / ours:.0f} times as much (aim 20); answers, against predict for all rows: {dict(load.outcomes)}"
        )


if __name__ == "__main__":
    main()
