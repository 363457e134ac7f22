"""Requests to end a run: the first interrupts or waits, the second ends at once."""

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
def test_the_first_request_interrupts_and_gives_the_exit_code(number: signal.Signals, code: int) -> None:
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


def test_a_held_request_is_passed_on_at_the_end() -> None:
    done = []

    def run() -> None:
        with SignalHandler() as signals:
            signals.defer()
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == [True]


class Deaf:
    """Python drops what is raised as it goes."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("begin", [SignalHandler, stop_signals])
def test_a_request_that_python_drops_is_heard_again(
    begin: Callable[[], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    hook, heard = sys.unraisablehook, []

    def run() -> None:
        Deaf()
        try:
            time.sleep(20)
        except KeyboardInterrupt:
            heard.append("an interruption")
            raise RunError("sealed", exit_code=143) from None

    with pytest.raises(RunError), begin():
        run()
    assert heard == ["an interruption"]
    assert sys.unraisablehook is hook
    assert "ignored" not in capfd.readouterr().err


def test_what_else_python_drops_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_type))

    class Broken:
        def __del__(self) -> None:
            raise ZeroDivisionError

    with SignalHandler():
        Broken()
    assert told == [ZeroDivisionError]


def test_without_a_request_nothing_changes() -> None:
    with SignalHandler() as signals:
        pass
    assert signals.signal is None


def test_threads_do_not_listen() -> None:
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
def test_a_second_request_ends_at_once(number: signal.Signals) -> None:
    code = SECOND.format(ignore=False, numbers=[signal.SIGTERM.value, number.value])
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 (our own)
    assert (ended.returncode, ended.stdout) == (-number, b"")


def test_a_closed_terminal_stays_ignored_under_nohup() -> None:
    code = SECOND.format(ignore=True, numbers=[signal.SIGHUP.value] * 2)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 (our own)
    assert (ended.returncode, ended.stdout) == (0, b"alive\n")
