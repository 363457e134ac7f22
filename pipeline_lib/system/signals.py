"""Requests to end a run: from the keyboard, from the system, from a terminal that closes."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from pipeline_lib.errors import RunError

_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_CODES = tuple(128 + number for number in _REQUESTS)
"""What a shell calls the end by these signals: 130, 143, 129."""
_MOMENT = 0.01
"""Seconds after which a request that was dropped is made again."""


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Inside the block every request to end raises KeyboardInterrupt, as Ctrl-C does; the signals that came, in order.

    For a sweep, which keeps what is finished at the first one and kills what still runs at the second.
    """
    came: list[int] = []

    def arrived(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    heard = [number for number in _REQUESTS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, arrived) for number in heard}
    try:
        with _heard_again(lambda: came.pop() if came else signal.SIGINT):
            yield came
    except KeyboardInterrupt:
        code = 128 + (came or _REQUESTS)[0]
        raise RunError("found a request to end, expected none; sweep again, and it continues", exit_code=code) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SignalHandler:
    """Inside the block the first request to end raises KeyboardInterrupt, once, and a second ends the process at once.

    After `defer()` the first waits for the end of the block. Only the main thread hears of signals. A request
    that did not become a RunError is passed on when the block ends, to whoever listened before.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._deferred = False
        self._undo = ExitStack()

    @property
    def exit_code(self) -> int:
        """What a shell calls the end by this signal, one of `EXIT_CODES`."""
        return 128 + int(self.signal or 0)

    def defer(self) -> None:
        """Let nothing interrupt what follows but a second request."""
        self._deferred = True

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            # what is ignored stays so: under nohup a terminal may close
            heard = [number for number in _REQUESTS if signal.getsignal(number) is not signal.SIG_IGN]
            for number in heard:
                self._undo.callback(signal.signal, number, signal.signal(number, self._arrived))
            self._undo.enter_context(_heard_again(self._take_back))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._undo.close()
        if self.signal and not isinstance(error, RunError):
            os.kill(os.getpid(), self.signal)

    def _arrived(self, number: int, _: FrameType | None) -> None:
        if self.signal:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.signal = signal.Signals(number)
        if not self._deferred:
            raise KeyboardInterrupt

    def _take_back(self) -> int:
        number, self.signal = int(self.signal or signal.SIGINT), None
        return number


@contextmanager
def _heard_again(take_back: Callable[[], int]) -> Iterator[None]:
    """Inside the block a request whose KeyboardInterrupt Python dropped, as it does in `__del__`, comes once more.

    `take_back` undoes that the request was heard, and tells its signal.
    """
    before = sys.unraisablehook

    def dropped(what: Any) -> None:
        if what.exc_type is KeyboardInterrupt:
            threading.Timer(_MOMENT, os.kill, (os.getpid(), take_back())).start()
        else:
            before(what)

    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = before
