"""Answers that wait for a thread: requests put them, the thread takes them, and more than fit are dropped."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """A queue of items that hold rows, at most `most` rows at a time; safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[tuple[Item, int]] = deque()
        self._rows, self._lock = 0, threading.Lock()

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self._rows

    def put(self, item: Item, rows: int) -> bool:
        """Add an item of so many rows; False, and it is not added, where they do not fit."""
        with self._lock:
            if self._rows + rows > self._most:
                return False
            self._rows += rows
            self._items.append((item, rows))
            return True

    def take(self, rows: int) -> tuple[list[Item], int]:
        """The first items, until they have at least so many rows, and how many rows they have."""
        taken, count = [], 0
        with self._lock:
            while self._items and count < rows:
                item, own = self._items.popleft()
                taken.append(item)
                count += own
            self._rows -= count
        return taken, count
