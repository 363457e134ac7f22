"""Follows a page as a reader would: runs its commands in order and looks for the output that it shows.

Blocks of `sh` run whole. Of `console` blocks each line after `$ ` runs; the lines below it must be printed in this
order, but for numbers and what `…` leaves out. A server runs in the background until the page has ended.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SERVER_SECONDS = 60.0
"""How long a server may take to begin."""
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class WalkError(Exception):
    """A command of the page that failed, or that printed something else."""


@dataclass(frozen=True)
class Command:
    """A command of the page, and the lines that it must print."""

    text: str
    lines: tuple[str, ...] = ()


def commands(page: Path) -> Iterator[Command]:
    """The commands of a page in their order."""
    for language, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "sh":
            yield Command(body)
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            text, *lines = part.splitlines()
            yield Command(text, tuple(line for line in lines if line.strip() not in ("", "…")))


def shape(line: str) -> str:
    """A line without what differs from run to run: identifiers, numbers and spaces."""
    line = re.sub(r"[0-9T]{8,}-[0-9a-f]{6}", "ID", line)
    return " ".join(re.sub(r"[\d.,]+", "N", line).split())


def missing_lines(command: Command, output: str) -> list[str]:
    """The lines that the page shows and the output does not have in this order."""
    printed = iter([shape(line) for line in output.splitlines()])
    return [line for line in command.lines if shape(line) not in printed]


def walk(page: Path, folder: Path, variables: Mapping[str, str]) -> int:
    """Run the commands of a page in a folder and return how many there were. Raises WalkError."""
    servers: list[subprocess.Popen[str]] = []
    count = 0
    try:
        for count, command in enumerate(commands(page), 1):  # noqa: B007 (the last number is the result)
            started = time.perf_counter()
            if " serve " in command.text:
                servers.append(_start(command, folder, variables))
            else:
                _run(command, folder, variables)
            sys.stdout.write(f"{time.perf_counter() - started:7.1f} s  {command.text.splitlines()[0]}\n")
            sys.stdout.flush()
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
            server.wait()
    return count


def _run(command: Command, folder: Path, variables: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 (the page's own commands)
        ["bash", "-e", "-c", command.text],  # noqa: S607
        cwd=folder, env=dict(variables), capture_output=True, text=True, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    if done.returncode:
        raise WalkError(f"`{command.text}` ended with {done.returncode}\n{output[-3000:]}")
    if missing := missing_lines(command, output):
        raise WalkError(f"`{command.text}`: found no {missing[0]!r} in the output, expected it\n{output[-3000:]}")


def _start(command: Command, folder: Path, variables: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start a server and wait until it says where it is; what it prints goes to a file beside the folder."""
    log = folder.parent / "server.log"
    with log.open("w", encoding="utf-8") as out:
        server = subprocess.Popen(  # noqa: S603 (the page's own commands)
            ["bash", "-c", f"exec {command.text}"],  # noqa: S607
            cwd=folder, env=dict(variables), stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    until = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < until and server.poll() is None:
        if "Application startup complete" in log.read_text(encoding="utf-8"):
            return server
        time.sleep(0.2)
    server.kill()
    raise WalkError(f"`{command.text}`: the server did not begin\n{log.read_text(encoding='utf-8')[-3000:]}")
