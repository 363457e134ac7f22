"""Rows spread over threads: the caller takes the first share, threads that wait for work the others.

Threads start at the first use, never at import. They stay, since to start one takes longer than many batches. A process
that is forked begins without them.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from threading import Lock

ROWS_OF_A_THREAD = 4096
"""Rows of a share of any plan."""
NANOSECONDS_OF_A_THREAD = 150_000.0
"""Work of a share with fewer rows: to hand one over and to wait for it takes some ten thousand."""


class _Helpers:
    """The process's threads."""

    pool: ThreadPoolExecutor | None

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without threads, as a forked process has to: its copy of the lock may be one that is held."""
        self.lock, self.pool, self.size = Lock(), None, 0

    def submit(self, run: Callable[[int, int], bool], start: int, stop: int, size: int) -> "Future[bool] | None":
        """Hand a share over to one of at least `size` threads; None where no thread can be started."""
        with self.lock:
            if self.pool is None or self.size < size:
                self._grow(size)
            try:
                return self.pool.submit(run, start, stop) if self.pool else None
            except RuntimeError:
                self._end()
                return None

    def _end(self) -> None:
        """Leave the pool: a share for which no thread could be started is in its queue already, and must not run."""
        pool, self.pool = self.pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _grow(self, size: int) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False)  # what it was handed it still does
        self.pool, self.size = ThreadPoolExecutor(size, thread_name_prefix="core"), size


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_helpers.forget)


def shares_of(threads: int, rows: int, nanoseconds: float) -> int:
    """How many threads are worth it for rows that take so long each."""
    return max(1, min(threads, rows, max(rows // ROWS_OF_A_THREAD, int(rows * nanoseconds / NANOSECONDS_OF_A_THREAD))))


def run_in_shares(run: Callable[[int, int], bool], rows: int, shares: int) -> bool:
    """Whether `run(start, stop)` is true of all shares; each has rows that follow one another."""
    ends = [rows * share // shares for share in range(shares + 1)]
    others = list(pairwise(ends))[1:]
    futures = [_helpers.submit(run, start, stop, shares - 1) for start, stop in others]
    results = [run(0, ends[1])]
    for future, (start, stop) in zip(futures, others, strict=True):
        if future is None or future.cancel():  # no thread has begun it: others keep them busy
            results.append(run(start, stop))
        else:
            results.append(future.result())
    return all(results)
