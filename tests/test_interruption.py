"""Requests to end a run: the first interrupts or waits, the second ends at once."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from pipeline_lib.errors import RunError
from pipeline_lib.interruption import Interruption

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_request_interrupts_and_gives_the_exit_code(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)

    def run() -> None:
        with Interruption() as interruption:
            try:
                os.kill(os.getpid(), number)
            except KeyboardInterrupt:
                raise RunError("sealed", exit_code=interruption.exit_code) from None

    with pytest.raises(RunError) as caught:
        run()
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


def test_a_held_request_is_passed_on_at_the_end() -> None:
    done = []

    def run() -> None:
        with Interruption() as interruption:
            interruption.hold()
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == [True]


def test_without_a_request_nothing_changes() -> None:
    with Interruption() as interruption:
        pass
    assert interruption.signal is None


def test_threads_do_not_listen() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def listen() -> None:
        with Interruption():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before]


SECOND = """
import os, signal
from pipeline_lib.interruption import Interruption
if {ignore}:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with Interruption() as interruption:
    interruption.hold()
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
