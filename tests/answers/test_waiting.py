"""The queue between requests and a thread: bounded in rows, and right when several threads use it."""

import sys
import threading
from collections.abc import Iterator

import pytest

from pipeline_lib.answers.waiting import Waiting


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Let threads take turns so often that a lost update would show."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_items_come_in_order_until_there_are_enough_rows() -> None:
    waiting: Waiting[str] = Waiting(10)
    assert [waiting.put(item, 4) for item in "abc"] == [True, True, False]
    assert waiting.rows == 8
    assert waiting.take(1) == (["a"], 4)
    assert waiting.put("c", 4)
    assert waiting.take(100) == (["b", "c"], 8)
    assert waiting.take(1) == ([], 0)
    assert waiting.rows == 0


def test_an_item_of_more_rows_than_fit_is_never_added() -> None:
    waiting: Waiting[str] = Waiting(10)
    assert not waiting.put("a", 11)
    assert waiting.put("b", 10)


def test_no_row_is_lost_or_counted_twice_between_threads(frequent_switches: None) -> None:
    waiting: Waiting[int] = Waiting(50)
    put, taken = [0], [0]
    done = threading.Event()

    def take_all() -> None:
        while not done.is_set() or waiting.rows:
            taken[0] += waiting.take(7)[1]

    taker = threading.Thread(target=take_all)
    taker.start()
    for number in range(30_000):
        put[0] += 3 if waiting.put(number, 3) else 0
    done.set()
    taker.join()
    assert put == taken
    assert put[0] > 0
    assert waiting.rows == 0
