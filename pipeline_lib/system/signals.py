"""Signals that ask a run to stop: Ctrl-C, SIGTERM, and the hang-up of a terminal that closes."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from pipeline_lib.errors import RunError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))  # no Windows
EXIT_CODES = tuple(128 + number for number in _STOP_SIGNALS)
"""A shell's exit codes for the end by these signals: 130, 143, 129."""
_RESEND_SECONDS = 0.01  # long enough for the `__del__` that dropped a signal to return


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Inside the block every stop signal raises KeyboardInterrupt, as Ctrl-C does; the signals received, in order.

    For a sweep: at the first signal it keeps what is finished, at the second it kills what still runs.
    """
    received: list[int] = []

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, receive) for number in _not_ignored()}
    try:
        with _resend_dropped(lambda: received.pop() if received else signal.SIGINT):
            yield received
    except KeyboardInterrupt:
        code = 128 + (received or _STOP_SIGNALS)[0]
        raise RunError("found a request to end, expected none; sweep again, and it continues", exit_code=code) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SignalHandler:
    """Inside the block the first stop signal raises KeyboardInterrupt, once; a second ends the process immediately.

    After `defer()` the first takes effect at the end of the block. Python runs signal handlers in the main thread:
    in other threads the block does nothing. A signal that did not lead to a RunError is sent again when the block
    ends, to the handler from before it.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._deferred = False
        self._undo = ExitStack()

    @property
    def exit_code(self) -> int:
        """A shell's exit code for the end by this signal, one of `EXIT_CODES`."""
        return 128 + int(self.signal or 0)

    def defer(self) -> None:
        """Let only a second signal interrupt the rest of the block."""
        self._deferred = True

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _not_ignored():
                self._undo.callback(signal.signal, number, signal.signal(number, self._receive))
            self._undo.enter_context(_resend_dropped(self._forget))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._undo.close()
        if self.signal and not isinstance(error, RunError):
            os.kill(os.getpid(), self.signal)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.signal:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.signal = signal.Signals(number)
        if not self._deferred:
            raise KeyboardInterrupt

    def _forget(self) -> int:
        number, self.signal = int(self.signal or signal.SIGINT), None
        return number


def _not_ignored() -> list[signal.Signals]:
    """Stop signals that this process does not ignore: nohup ignores SIGHUP, and that must stay so."""
    return [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _resend_dropped(forget: Callable[[], int]) -> Iterator[None]:
    """Inside the block a signal whose KeyboardInterrupt Python dropped, as it does in `__del__`, is sent once more.

    `forget` undoes the receipt of the signal and returns its number.
    """
    before = sys.unraisablehook

    def resend(unraisable: Any) -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            threading.Timer(_RESEND_SECONDS, os.kill, (os.getpid(), forget())).start()
        else:
            before(unraisable)

    sys.unraisablehook = resend
    try:
        yield
    finally:
        sys.unraisablehook = before
