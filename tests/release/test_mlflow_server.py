"""A real server of MLflow: records are logged to it, and what it gives back predicts with the same bits."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from example import ROOT

from pipeline_lib.parity.clean_environments import clean, find_uv
from pipeline_lib.parity.process_settings import Preparation

pytestmark = pytest.mark.slow

RECORDS = ROOT / "tests" / "data" / "records"
KINDS = {
    "one table": "tiny/20261129T123837487-9fa751",
    "a context": "daily/20261129T123835523-1e2f38",
    "several tables": "customers/20261129T123835677-58f6d9",
    "a classifier": "titanic/20261129T123814406-17fc1e",
}
PREDICT = """
import sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import mlflow, pyarrow as pa, pyarrow.parquet as pq
folder, model = Path(sys.argv[1]), mlflow.pyfunc.load_model(sys.argv[2])
rows, expected = pq.read_table(folder / "inputs.parquet"), pq.read_table(folder / "outputs.parquet")
context = folder / "context.parquet"
frame = (pa.concat_tables([pq.read_table(context), rows]) if context.is_file() else rows).to_pandas()
kinds = sorted({name.partition("[")[0] for name in expected.column_names})
answers = model.predict(frame, params={"outputs": kinds})
for name in expected.column_names:
    assert answers[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes(), name
assert "sklearn" not in sys.modules, "a research library was loaded"
print(len(answers), "rows with the same bits")
"""


@dataclass(frozen=True)
class Server:
    """A running server: its address, its environment's Python, a folder."""

    uri: str
    python: str
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run Python in the server's environment."""
        return output([self.python, "-P", *arguments], self.folder, self.uri)

    def log(self, record: Path, *options: str) -> list[str]:
        """Log a record from this checkout; the lines that the command prints."""
        command = [sys.executable, "-m", "pipeline_lib", "mlflow", "log", str(record), "--experiment", "tests"]
        return output([*command, *options], ROOT, self.uri).splitlines()


def output(command: list[str], folder: Path, uri: str) -> str:
    done = subprocess.run(  # noqa: S603 (own command)
        command, cwd=folder, env=variables(uri), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def variables(uri: str = "", python: str = "") -> dict[str, str]:
    """Variables without those of this Python; programs of `python`'s environment come first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    path = os.pathsep.join(filter(None, [str(Path(python).parent) if python else "", kept.get("PATH", "")]))
    return {**kept, "PATH": path, "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def serving(command: list[str], folder: Path, port: int, **settings: dict[str, str]) -> Iterator[None]:
    """A server in a process of its own, ended with the block; it has a minute and a half to answer."""
    log = folder / f"{port}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, stdout=stream, stderr=stream, start_new_session=True, **settings
        )
        try:
            wait(f"http://127.0.0.1:{port}/health", process, log)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(180):
        assert process.poll() is None, log.read_text()
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310 (loopback)
            return
        time.sleep(0.5)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow in an environment with the core requirements, on SQLite and a local folder."""
    folder = tmp_path_factory.mktemp("mlflow")
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = str(clean(minor)(Preparation(folder, (), "pipeline_lib", {})).python)
    install = [find_uv(), "pip", "install", "--quiet", "--python", python, f"mlflow=={version('mlflow-skinny')}"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        pytest.skip(f"mlflow cannot be installed here: {done.stderr.strip()[-300:]}")
    port = free_port()
    command = [str(Path(python).with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'runs.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with serving(command, folder, port, env=variables(python=python)):
        yield Server(f"http://127.0.0.1:{port}", python, folder)


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_a_logged_model_has_the_bits_of_the_record(server: Server, name: str) -> None:
    experiment = f"bits of {name.partition('/')[0]}"  # where no other test logs: tests run in any order
    first, last = server.log(RECORDS / name, "--experiment", experiment)
    assert first.startswith("logged: ")
    model = last.partition('("')[2].rstrip('")')
    evidence = RECORDS / name / "evidence"
    rows = pq.read_table(evidence / "outputs.parquet").num_rows
    assert server.run("-c", PREDICT, str(evidence), model) == f"{rows} rows with the same bits\n"


def test_another_answer_is_seen(server: Server, tmp_path: Path) -> None:
    record = RECORDS / KINDS["one table"]
    model = server.log(record)[-1].partition('("')[2].rstrip('")')
    evidence = shutil.copytree(record / "evidence", tmp_path / "evidence")
    table = pq.read_table(evidence / "outputs.parquet")
    values = table["prediction"].to_numpy().copy()
    values[3] += 1e-9
    pq.write_table(table.set_column(0, "prediction", [values]), evidence / "outputs.parquet")
    with pytest.raises(AssertionError, match="AssertionError: prediction"):
        server.run("-c", PREDICT, str(evidence), model)


def test_a_record_is_logged_and_registered_once(server: Server) -> None:
    record = RECORDS / KINDS["a classifier"]
    lines = [server.log(record, "--register", "ships") for _ in range(2)]
    lines.append(server.log(record, "--register", "ships", "--include-rows"))
    assert {line[0].partition(":")[2] for line in lines} == {lines[0][0].partition(":")[2]}
    assert [line[0].startswith("already there") for line in lines[1:]] == [True, True]
    assert {line[1] for line in lines} == {"registered: ships version 1"}
    run_id = lines[0][0].partition("is the run ")[2].split()[0]
    code = f"""
import mlflow
client = mlflow.MlflowClient()
run = client.get_run({run_id!r})
print(*sorted(run.data.tags), *sorted(run.data.params), *sorted(run.data.metrics), run.info.status)
print(*sorted(each.path for each in client.list_artifacts({run_id!r}, "record")))
"""
    facts, files = server.run("-c", code).splitlines()
    assert {"pipeline_lib.digest", "pipeline_lib.parity", "pipeline_lib.record", "FINISHED"} <= set(facts.split())
    assert {"estimator.strength", "accuracy"} <= set(facts.split())
    assert {"record/report.html", "record/evidence"} <= set(files.split())


def test_mlflow_serves_the_model_with_the_same_bits(server: Server) -> None:
    record = RECORDS / KINDS["one table"]
    model = server.log(record)[-1].partition('("')[2].rstrip('")')
    port = free_port()
    command = [str(Path(server.python).with_name("mlflow")), "models", "serve", "--model-uri", model]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    rows = pq.read_table(record / "evidence" / "inputs.parquet").to_pylist()
    with serving(command, server.folder, port, env=variables(server.uri, server.python)):
        expected = pq.read_table(record / "evidence" / "outputs.parquet")["prediction"].to_pylist()
        assert [row["prediction"] for row in asked(port, rows)["predictions"]] == expected
        rows[0]["rooms"] += 0.5  # no whole number: refused, not cut
        with pytest.raises(urllib.error.HTTPError) as caught:
            asked(port, rows)
        assert b"rooms" in caught.value.read()
        caught.value.close()


def asked(port: int, rows: list[dict[str, object]]) -> dict[str, list[dict[str, float]]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps({"dataframe_records": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        answer: dict[str, list[dict[str, float]]] = json.load(reply)
    return answer
