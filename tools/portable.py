"""Score and serve on this system what another system made: earlier records, by files and over HTTP, bit for bit.

It needs the core requirements and the extra `serve`, and runs the same on Linux, macOS and Windows.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pyarrow.parquet as pq

from pipeline_lib.rows.schema import ONE_TABLE_FORMAT

RECORDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "records"
PROGRAM = (sys.executable, "-P", "-m", "pipeline_lib")
_SECONDS = 60


def score(record: Path, folder: Path) -> int:
    """Predict the rows of the evidence from a file into a file. Returns how many rows have the record's bits."""
    evidence, output = record / "evidence", folder / f"{record.name}.parquet"
    command = [*PROGRAM, "predict", str(record), str(evidence / "inputs.parquet"), str(output), "--allow-unproven"]
    if (evidence / "context.parquet").is_file():
        command += ["--context", str(evidence / "context.parquet")]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 (own command)
    check(record, pq.read_table(output)["prediction"].to_pylist())
    return int(pq.read_table(output).num_rows)


def serve(record: Path, folder: Path) -> int:
    """Ask a server for the rows of the evidence. Returns how many rows have the record's bits."""
    port = _free_port()
    command = [*PROGRAM, "serve", str(record), "--port", str(port), "--allow-unproven"]
    server = subprocess.Popen(command, cwd=folder)  # noqa: S603 (own command)
    try:
        body = {"rows": pq.read_table(record / "evidence" / "inputs.parquet").to_pylist()}
        if (record / "evidence" / "context.parquet").is_file():
            body["context"] = pq.read_table(record / "evidence" / "context.parquet").to_pylist()
        check(record, _ask(port, body, server)["predictions"])
        return len(body["rows"])
    finally:
        _end(server)


def check(record: Path, predictions: list[object]) -> None:
    """Exit with a message for a prediction that is not the record's; equal texts are equal bits."""
    expected = pq.read_table(record / "evidence" / "outputs.parquet")["prediction"].to_pylist()
    if list(map(repr, predictions)) != list(map(repr, expected)):
        pairs = zip(predictions, expected, strict=True)
        number = next((row for row, (found, wanted) in enumerate(pairs) if repr(found) != repr(wanted)), "none")
        sys.exit(f"{record}: found another prediction in row {number}, expected the bits of the record")


def _ask(port: int, body: object, server: subprocess.Popen[bytes]) -> dict[str, list[object]]:
    """The answer to a request, sent once the server listens."""
    content = json.dumps(body, default=lambda value: value.isoformat()).encode()
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=_SECONDS)) as connection:
            connection.request("POST", "/predict", content, {"Content-Type": "application/json"})
            answer: dict[str, list[object]] = json.load(connection.getresponse())
            return answer
        time.sleep(0.2)
    sys.exit(f"found no answer of the server within {_SECONDS} seconds (exit code {server.poll()})")


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and its workers, which are in the folder that is removed next."""
    if sys.platform == "win32":  # where `terminate` lets the workers live
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(server.pid)], check=True)  # noqa: S603, S607 (own command)
    else:
        server.terminate()
    server.wait(_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Score and serve each record that one table suffices for."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for manifest in sorted(RECORDS.glob("*/*/manifest.json")):
            record = manifest.parent
            description = json.loads((record / "artifact" / "artifact.json").read_bytes())
            row = json.loads((record / "artifact" / "row.json").read_bytes())
            if description["opaque"] or row["format"] != ONE_TABLE_FORMAT:
                lines.append(f"left out: {record.parent.name} (opaque steps or several tables)")
                continue
            lines.append(f"{record.parent.name}: {score(record, Path(name)):,} rows scored with the record's bits")
            lines.append(f"{record.parent.name}: {serve(record, Path(name)):,} rows served with the record's bits")
    print(f"{sys.platform}, Python {sys.version.split()[0]}", *lines, sep="\n")


if __name__ == "__main__":
    main()
