"""How far the work is: rows, rows a second and the time that is left, on one line of a terminal or now and then."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

_ON_A_TERMINAL, _ELSEWHERE = 0.5, 30.0  # seconds from line to line


class Progress:
    """Prints to `stream` (standard error) how many of `total` rows are done; the total may be an estimate, or unknown.

    `quiet` prints nothing.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._quiet = quiet
        self._began = self._shown = time.monotonic()
        self._first = 0
        self._wrote = False

    def begin(self, rows: int) -> None:
        """Count from now on; `rows` are done already."""
        self._began = self._shown = time.monotonic()
        self._first = rows

    def show(self, rows: int, share: Callable[[], float | None] = lambda: None) -> None:
        """Say that so many rows are done, which are this share of all, if it is time to."""
        now = time.monotonic()
        if self._quiet or now - self._shown < (_ON_A_TERMINAL if self._terminal else _ELSEWHERE):
            return
        self._shown = now
        line = f"{rows:,} rows, {(rows - self._first) / (now - self._began):,.0f} rows/s"
        done = share()
        if done and rows > self._first:
            here = (rows - self._first) / rows * done
            line += f", {min(done, 1):.0%}, {_duration((1 - min(done, 1)) / here * (now - self._began))} left"
        self._write(line)

    def end(self) -> None:
        """Leave the line."""
        if self._wrote and self._terminal:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _write(self, line: str) -> None:
        self._wrote = True
        self._stream.write(f"\r\033[K{line}" if self._terminal else f"{line}\n")
        self._stream.flush()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
