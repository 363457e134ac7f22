"""Rows spread over threads: which batches are, that threads stay, and what a fork and an end of the process do."""

import os
import subprocess
import sys
import threading
from unittest.mock import patch

import numpy as np
import pytest
from core_bits import vector_plan

from pipeline_lib.compiled.native import thread_shares
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.thread_shares import run_in_shares, shares_of
from pipeline_lib.compiled.plan import Plan


@pytest.mark.parametrize(
    ("threads", "rows", "nanoseconds", "shares"),
    [
        (1, 1_000_000, 1e6, 1),
        (2, 0, 1e6, 1),
        (2, 1, 1e9, 1),
        (2, 100, 0.0, 1),
        (2, 100, 1_000.0, 1),
        (2, 100, 10_000.0, 2),
        (8, 100, 10_000.0, 6),
        (2, 8192, 0.0, 2),
        (8, 20_000, 0.0, 4),
    ],
)
def test_few_rows_are_spread_where_they_are_much_work(threads: int, rows: int, nanoseconds: float, shares: int) -> None:
    assert shares_of(threads, rows, nanoseconds) == shares


def test_every_row_is_in_one_share_and_threads_stay() -> None:
    seen: list[tuple[int, int, int]] = []

    def run(start: int, stop: int) -> bool:
        seen.append((start, stop, threading.get_ident()))
        return True

    for rows, shares in ((2, 2), (100, 3), (7, 3), (64, 3)):
        seen.clear()
        assert run_in_shares(run, rows, shares)
        assert sorted(each[:2] for each in seen) == [
            (rows * share // shares, rows * (share + 1) // shares) for share in range(shares)
        ]
        assert (0, rows // shares, threading.get_ident()) in seen
    pool = thread_shares._helpers.pool
    assert run_in_shares(run, 9, 2)
    assert thread_shares._helpers.pool is pool


def test_a_refused_row_in_any_share_is_seen_and_an_error_reaches_the_caller() -> None:
    for refused in range(4):
        assert not run_in_shares(lambda start, stop, row=refused: not start <= row < stop, 4, 4)

    def fail(start: int, stop: int) -> bool:
        if start:
            raise MemoryError
        return True

    with pytest.raises(MemoryError):
        run_in_shares(fail, 4, 2)


def test_a_share_for_which_no_thread_starts_runs_once() -> None:
    """The pool has it in its queue by then, where another thread would find it after the caller has gone on."""
    start, started, seen = threading.Thread.start, [], []

    def second_fails(thread: threading.Thread) -> None:
        started.append(thread)
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    def run(first: int, stop: int) -> bool:
        seen.append(first)
        return threading.Event().wait(0.2) is False  # the first thread is busy while the second should start

    with patch.object(thread_shares, "_helpers", thread_shares._Helpers()):
        with patch.object(threading.Thread, "start", second_fails):
            assert run_in_shares(run, 3, 3)
        assert len(started) == 2
        assert run_in_shares(lambda start, stop: True, 3, 3)
    assert sorted(seen) == [0, 1, 2]


def test_the_caller_does_what_no_thread_begins() -> None:
    """All threads wait for the caller, so that it has to do their share."""
    free, ours = threading.Event(), threading.get_ident()
    by: list[int] = []
    with patch.object(thread_shares, "_helpers", thread_shares._Helpers()) as helpers:
        busy = [helpers.submit(lambda start, stop: free.wait(60), 0, 1, 1) for _ in range(2)]
        try:
            assert run_in_shares(lambda start, stop: not by.append(threading.get_ident()), 4, 2)
        finally:
            free.set()
    assert by == [ours, ours]
    assert all(each is not None and each.result() for each in busy)


def test_without_threads_the_caller_does_all() -> None:
    with patch.object(thread_shares._helpers, "submit", return_value=None):
        assert run_in_shares(lambda start, stop: True, 10, 4)
        assert not run_in_shares(lambda start, stop: start == 0, 10, 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_importing_starts_no_thread_and_a_forked_process_starts_its_own() -> None:
    code = """
import os, threading, time
from pipeline_lib.compiled.native.thread_shares import run_in_shares
assert threading.active_count() == 1
assert run_in_shares(lambda start, stop: True, 4, 2)
assert threading.active_count() == 2
child = os.fork()
if not child:
    seen = set()
    def run(start, stop):
        seen.add(threading.get_ident())
        time.sleep(0.2)
        return True
    os._exit(0 if run_in_shares(run, 4, 2) and len(seen) == 2 else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("both")
"""
    words = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.stdout.strip(), done.returncode) == ("both", 0), done.stderr


@pytest.mark.skipif(built() is None, reason="this machine has no core")
def test_the_work_of_a_row_grows_with_what_is_read_for_it() -> None:
    times = []
    for points in (100, 1000, 10_000):
        settings = {"points": np.ones((points, 8)), "count": 2, "expanded": False, "metric": "manhattan"}
        core = encode(*_rooted(vector_plan("nearest", 8, **settings, ties="index")))
        assert core is not None
        times.append(core.nanoseconds_of_a_row)
    assert times[0] * 90 < times[1] * 9.5 < times[2]
    few = encode(*_rooted(vector_plan("item", 3, place=1)))
    assert few is None or few.nanoseconds_of_a_row == 0.0


def _rooted(plan_and_root: tuple[Plan, int]) -> tuple[Plan, list[int]]:
    return plan_and_root[0], [plan_and_root[1]]
