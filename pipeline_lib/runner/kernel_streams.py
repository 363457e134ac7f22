"""What a kernel's process writes past Jupyter to its stdout and stderr, as C libraries do: shown without secrets."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pipeline_lib.project.redaction import Redactor

_LONGEST_LINE = 1 << 16
"""Bytes of a line that are shown; of a longer one the rest is left out."""


@contextmanager
def redacted_streams(redact: Redactor) -> Iterator[dict[str, int]]:
    """The options of a process that is started inside this context: pipes for its output. None without secrets."""
    with ExitStack() as opened:
        options = {}
        for name in ("stdout", "stderr") if redact.values else ():
            reading, writing = os.pipe()
            threading.Thread(target=_show, args=(reading, name, redact), name=f"kernel-{name}", daemon=True).start()
            opened.callback(os.close, writing)  # the process has its own copy: the pipe ends with it
            options[name] = writing
        yield options


def _show(reading: int, name: str, redact: Redactor) -> None:
    """Write whole lines to this process's stream until the pipe ends: a part of a line may hold half a secret."""
    with os.fdopen(reading, "rb") as lines:
        while line := lines.readline(_LONGEST_LINE):
            shown = redact.redact_bytes(line)
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := lines.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                shown = shown[: -redact.longest] + f" [line cut after {_LONGEST_LINE:,} bytes]\n".encode()
            stream = getattr(sys, name)
            stream.write(shown.decode("utf-8", "replace"))
            stream.flush()
