"""The largest memory of a process is read while it lives, and kept once it has ended."""

import os
import subprocess
import sys

import pytest

from pipeline_lib.system.peak_memory import PeakMemory, peak_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="found no /proc, which Linux has")


def test_memory_that_was_given_back_counts() -> None:
    before = peak_memory(os.getpid())
    block = bytearray(80_000_000)
    block[::4096] = b"x" * len(block[::4096])
    del block
    after = peak_memory(os.getpid())
    assert before is not None
    assert after is not None
    assert after >= 80_000_000


def test_the_last_reading_stays_when_the_process_has_ended() -> None:
    memory = PeakMemory()
    memory.read(None)
    assert memory.bytes is None
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    memory.read(process.pid)
    seen = memory.bytes
    process.communicate(b"\n")
    memory.read(process.pid)
    assert seen is not None
    assert memory.bytes == seen
    assert peak_memory(process.pid) is None
