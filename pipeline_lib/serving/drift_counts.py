"""What a worker counts of its answers for comparison with training: off the way of the answer, in little of its time.

An answer only leaves its row in a list, and every second a thread counts the list. Rows beyond what it can count in
three milliseconds are left out, and their number is told. Texts that clients send are counted and not kept.

Each worker writes its counts into the folder that the workers share; whichever is asked adds up all of them. Counts are
kept by day, for today and the day before.
"""

import json
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.rows.conform import conform
from pipeline_lib.system.files import write_atomic
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.drift import Drift, drift_of
from pipeline_lib.watching.statistics import Statistics

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline_lib.rows.schema import RowSchema

PERIOD = 1.0
"""Seconds from one counting to the next."""
_SHARE = 0.003
"""Of the time that counting may take."""
_FEWEST, _MOST = 50, 50_000
"""Rows in a period that are counted in any case, and at most."""
_DAYS = 2
OnCounts = Callable[[int, int, Mapping[tuple[str, str], int]], None]
"""Told after each counting: rows, rows left out, values by column and what is odd with them."""


def _unheard(rows: int, left_out: int, values: Mapping[tuple[str, str], int]) -> None:
    """Tells nobody."""


class DriftCounts:
    """The counts of one model in this worker.

    `row` and `block` return at once and raise nothing; `count` does the work.
    """

    def __init__(
        self,
        statistics: Statistics,
        row: "RowSchema",
        reference: str,
        folder: Path | None = None,
        today: Callable[[], str] = lambda: datetime.now(UTC).date().isoformat(),
    ) -> None:
        self.reference = reference
        self.failed = 0
        self._statistics, self._row, self._today = statistics, row, today
        self._file = None if folder is None else folder / f"drift-{os.getpid():x}-{secrets.token_hex(4)}.json"
        self._rows: deque[tuple[Any, Any, Any]] = deque()
        self._blocks: deque[tuple[Any, pa.Table]] = deque()
        self._block_rows = self._left_out = 0
        self._most = 500  # rows in a period, until it is known how long one takes
        self._by_day: dict[str, Accumulator] = {}
        self._left_out_by_day: dict[str, int] = {}
        self._lock = threading.Lock()

    def row(self, row: Any, prediction: Any, probabilities: Any = ()) -> None:
        """Note the answer to one row."""
        if len(self._rows) < self._most:
            self._rows.append((row, prediction, probabilities))
        else:
            self._left_out += 1

    def block(self, rows: Any, outputs: "pa.Table") -> None:
        """Note the answers to rows, as `predict_table` gives them."""
        if self._block_rows < self._most:
            self._block_rows += outputs.num_rows
            self._blocks.append((rows, outputs))
        else:
            self._left_out += outputs.num_rows

    def count(self, on_counts: OnCounts = _unheard) -> None:
        """Count what was noted since the last time, and let other workers see the sums. Raises nothing."""
        with self._lock:
            rows, blocks, left_out = _taken(self._rows), _taken(self._blocks), self._left_out
            self._block_rows = self._left_out = 0
            if not (rows or blocks or left_out):
                return
            try:
                began = time.thread_time()
                counts = self._counted(rows, blocks)
                self._adapt(counts.rows, time.thread_time() - began)
                self._add(counts, left_out)
                on_counts(counts.rows, left_out, _odd(counts))
            except Exception:
                self.failed += 1

    def drift(self, on_counts: OnCounts = _unheard) -> tuple[Drift, dict[str, Any]]:
        """The rows of all workers compared with training; since which day, and how many rows were left out.

        `failed` says how often counting has failed in this worker.
        """
        self.count(on_counts)
        total = Accumulator(self._statistics)
        days: list[str] = []
        left_out = 0
        for day, counts, skipped in self._of_all_workers():
            total.merge(counts)
            days.append(day)
            left_out += skipped
        facts = {"since": min(days, default=self._today()), "left_out": left_out, "failed": self.failed}
        return drift_of(total, self.reference), facts

    def close(self) -> None:
        """Count what waits, and let other workers see it."""
        self.count()

    def _counted(self, rows: list[tuple[Any, Any, Any]], blocks: "list[tuple[Any, pa.Table]]") -> Accumulator:
        counts = Accumulator(self._statistics)
        single = [row for row, _, _ in rows]
        if self._row.key is not None:
            blocks = blocks + [(row, None) for row in single]  # each with its child rows
        elif single:
            counts.add_rows(single)
        if rows:
            counts.add_predictions([prediction for _, prediction, _ in rows])
            counts.add_probabilities([values[1] for _, _, values in rows if len(values) == 2])
        for given, outputs in blocks:
            several = self._row.key is not None
            counts.add_rows(conform(given, self._row) if several else given)
            if outputs is not None:
                counts.add_outputs(outputs)
        for held in (*counts.columns.values(), *counts.outputs.values()):
            held.unseen.clear()
        return counts

    def _adapt(self, rows: int, seconds: float) -> None:
        """Take as many rows in the next period as the share of time allows, at the pace of this one."""
        if rows and seconds > 0:
            self._most = int(min(max(_SHARE * PERIOD * rows / seconds, _FEWEST), _MOST))

    def _add(self, counts: Accumulator, left_out: int) -> None:
        day = self._today()
        if day in self._by_day:
            self._by_day[day].merge(counts)
        else:
            self._by_day[day] = counts
        self._left_out_by_day[day] = self._left_out_by_day.get(day, 0) + left_out
        for old in [each for each in self._by_day if each < self._first_day()]:
            del self._by_day[old], self._left_out_by_day[old]
        if self._file is not None:
            self._write(self._file)

    def _write(self, file: Path) -> None:
        """Let other workers see the counts."""
        days = {
            day: {"counts": held.to_json(), "left_out": self._left_out_by_day[day]}
            for day, held in self._by_day.items()
        }
        with suppress(OSError):  # a full disk: the counts of this worker are still here
            write_atomic(file, json.dumps({"reference": self.reference, "days": days}).encode(), durable=False)

    def _first_day(self) -> str:
        return (date.fromisoformat(self._today()) - timedelta(days=_DAYS - 1)).isoformat()

    def _of_all_workers(self) -> Iterator[tuple[str, Accumulator, int]]:
        """By day the counts of this worker, and what the others have written, those that have ended too."""
        first = self._first_day()
        with self._lock:
            own = [(day, counts, self._left_out_by_day[day]) for day, counts in self._by_day.items()]
        yield from (held for held in own if held[0] >= first)
        files = [] if self._file is None else sorted(self._file.parent.glob("drift-*.json"))
        for file in files:
            if file == self._file:
                continue
            with suppress(OSError, ValueError, KeyError, TypeError):  # another version's, or none that is whole
                values = json.loads(file.read_bytes())
                if values["reference"] != self.reference:
                    continue
                for day, held in values["days"].items():
                    if day >= first:
                        counts = Accumulator.from_json(self._statistics, held["counts"])
                        yield day, counts, held["left_out"]


def _taken(waiting: deque[Any]) -> list[Any]:
    """What is waiting now; more may be added meanwhile."""
    return [waiting.popleft() for _ in range(len(waiting))]


def _odd(counts: Accumulator) -> dict[tuple[str, str], int]:
    """How many values of each column are missing, unseen, out of range and of another type, where there are any."""
    values = {}
    for name, held in counts.columns.items():
        bins = counts.statistics.columns[name].bins
        values[name, "missing"] = held.missing
        values[name, "unseen"] = bins.new(held)
        values[name, "out_of_range"] = bins.outside(held)
        values[name, "other_type"] = held.invalid
    return {key: count for key, count in values.items() if count}
