"""Waiting for processes, for tests that end some."""

import time

import psutil


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:  # ended; its parent has not read the exit code
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False
