"""Progress: rows, rows a second and the time that is left, on one line of a terminal, or now and then elsewhere."""

import io
import time

import pytest

from pipeline_lib.scoring.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_has_one_line_that_is_cleared_at_the_end(clock: list[float]) -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.begin(0)
    for seconds, rows in ((0.1, 10), (10, 1000), (20, 2000)):
        clock[0] = 100 + seconds
        progress.show(rows, lambda rows=rows: rows / 4000)  # type: ignore[misc]
    progress.end()
    lines = stream.getvalue().split("\r\033[K")
    assert lines == ["", "1,000 rows, 100 rows/s, 25%, 30 s left", "2,000 rows, 100 rows/s, 50%, 20 s left", ""]


def test_rows_from_before_are_no_part_of_the_speed(clock: list[float]) -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.begin(1000)
    clock[0] += 10
    progress.show(2000, lambda: 0.5)
    assert stream.getvalue().endswith("2,000 rows, 100 rows/s, 50%, 20 s left")


@pytest.mark.parametrize(("seconds", "shown"), [(200, "3 min left"), (100_000, "27.8 h left")])
def test_long_times_are_minutes_and_hours(clock: list[float], seconds: float, shown: str) -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.begin(0)
    clock[0] += seconds
    progress.show(100, lambda: 0.5)
    assert stream.getvalue().endswith(shown)


def test_elsewhere_a_line_is_written_now_and_then(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.begin(0)
    for _ in range(20):
        clock[0] += 5
        progress.show(500)
    progress.end()
    assert len(stream.getvalue().splitlines()) == 3
    assert "left" not in stream.getvalue()


def test_quiet_says_nothing(clock: list[float]) -> None:
    stream = Terminal()
    progress = Progress(stream, quiet=True)
    progress.begin(0)
    clock[0] += 100
    progress.show(500)
    progress.end()
    assert stream.getvalue() == ""
