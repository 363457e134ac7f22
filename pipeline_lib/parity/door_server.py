"""A real server of one record, for the doors that are routes."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from pipeline_lib.errors import RunError

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_SECONDS = 120
"""How long the server may take to begin, and to answer."""


class TooLargeError(RunError):
    """A body of more bytes than the server takes."""


def last_message(errors: str) -> str:
    """The last line that a command wrote to stderr before the code of its error."""
    lines = [line for line in errors.strip().splitlines() if not line.startswith("code: ")]
    return (lines or ["no message"])[-1]


@contextmanager
def server(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], options: Sequence[str]
) -> Iterator[int]:
    """Serve on a free port of this machine inside the block; the port. RunError where it does not begin.

    `command` is that of `serve` with its REF, `folder` where it runs.
    """
    command = [*command, "--port", "0", "--workers", "1"]
    command += ["--allow-unproven", "--drain", "0", "--log-level", "warning", *options]
    process = subprocess.Popen(  # noqa: S603 (own command)
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(environment), cwd=folder
    )
    late = threading.Timer(_SECONDS, process.kill)
    late.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = _ADDRESS.search(line)
        if found is None:
            process.kill()
            _, errors = process.communicate()
            raise RunError(f"the server did not begin: {last_message(errors)}")
        late.cancel()
        yield int(found[1])
    finally:
        late.cancel()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()


def post(port: int, path: str, body: bytes, kind: str = "application/json") -> bytes:
    """The body of an answer. RunError for another status than 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        content = answer.read()
    except OSError as error:
        raise RunError(f"{path}: the server did not answer ({error})") from error
    finally:
        connection.close()
    if answer.status == 413:
        raise TooLargeError(f"{path}: the server takes no body of {len(body):,} bytes, not even with one row")
    if answer.status != 200:
        raise RunError(f"{path}: the server answered {answer.status}: {content[:300].decode(errors='replace')}")
    return content


def post_json(port: int, path: str, value: Any) -> Any:
    """The JSON value of an answer to a JSON value."""
    body = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return json.loads(post(port, path, body))
