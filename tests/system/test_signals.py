"""Stop signals: the first interrupts or is deferred, the second ends the process at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pipeline_lib.errors import RunError
from pipeline_lib.system.signals import SignalHandler, stop_signals

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_interrupts_and_gives_the_exit_code(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)

    def run() -> None:
        with SignalHandler() as signals:
            try:
                os.kill(os.getpid(), number)
            except KeyboardInterrupt:
                raise RunError("sealed", exit_code=signals.exit_code) from None

    with pytest.raises(RunError) as caught:
        run()
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


def test_a_deferred_signal_is_sent_again_at_the_end() -> None:
    done = []

    def run() -> None:
        with SignalHandler() as signals:
            signals.defer()
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == [True]


class Dropping:
    """Python drops an exception that is raised in `__del__`."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("begin", [SignalHandler, stop_signals])
def test_a_signal_that_python_drops_is_sent_again(begin: Callable[[], Any], capfd: pytest.CaptureFixture[str]) -> None:
    hook, received = sys.unraisablehook, []

    def run() -> None:
        Dropping()
        try:
            time.sleep(20)
        except KeyboardInterrupt:
            received.append("an interruption")
            raise RunError("sealed", exit_code=143) from None

    with pytest.raises(RunError), begin():
        run()
    assert received == ["an interruption"]
    assert sys.unraisablehook is hook
    assert "ignored" not in capfd.readouterr().err


def test_other_dropped_exceptions_reach_the_hook_from_before(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: dropped.append(unraisable.exc_type))

    class Broken:
        def __del__(self) -> None:
            raise ZeroDivisionError

    with SignalHandler():
        Broken()
    assert dropped == [ZeroDivisionError]


def test_without_a_signal_nothing_changes() -> None:
    with SignalHandler() as signals:
        pass
    assert signals.signal is None


def test_in_other_threads_handlers_stay_as_they_are() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def listen() -> None:
        with SignalHandler():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before]


SECOND = """
import os, signal
from pipeline_lib.system.signals import SignalHandler
if {ignore}:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with SignalHandler() as signals:
    signals.defer()
    for number in {numbers}:
        os.kill(os.getpid(), number)
    print("alive", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    code = SECOND.format(ignore=False, numbers=[signal.SIGTERM.value, number.value])
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 (our own)
    assert (ended.returncode, ended.stdout) == (-number, b"")


def test_a_closed_terminal_stays_ignored_under_nohup() -> None:
    code = SECOND.format(ignore=True, numbers=[signal.SIGHUP.value] * 2)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 (our own)
    assert (ended.returncode, ended.stdout) == (0, b"alive\n")
