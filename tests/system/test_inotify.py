"""Files that are opened, as the operating system reports them."""

import os
import threading
from pathlib import Path

from pipeline_lib.system.inotify import FileEvents


def test_reading_writing_listing_and_replacing_are_told_apart(tmp_path: Path) -> None:
    for name in ("read", "written", "changed", "untouched", "moved"):
        (tmp_path / name).write_text("1\n")
    events = FileEvents()
    events.start([str(tmp_path), str(tmp_path / "gone")])
    (tmp_path / "read").read_text()
    (tmp_path / "written").write_text("2\n")
    with (tmp_path / "changed").open("r+") as file:
        file.read()
    (tmp_path / "moved").rename(tmp_path / "target")
    os.listdir(tmp_path)  # noqa: PTH208 (the listing itself)
    with (tmp_path / "untouched").open("rb"):  # open when the watching ends
        events.stop()
    assert {Path(path).name for path in events.read()} == {"read", "changed", "untouched"}
    assert events.listed() == [str(tmp_path)]
    assert events.replaced() == [str(tmp_path / "target")]
    assert not events.lost


def test_nothing_is_left_open_and_nothing_is_reported_after_the_end(tmp_path: Path) -> None:
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    events = FileEvents()
    events.start([str(tmp_path)])
    events.stop()
    (tmp_path / "late").write_text("1\n")
    (tmp_path / "late").read_text()
    assert events.read() == events.replaced() == []
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (descriptors, threads)  # noqa: PTH208


def test_many_files_are_all_reported(tmp_path: Path) -> None:
    names = {f"{number}.csv" for number in range(5000)}  # with four events each, more than the system's queue holds
    for name in names:
        (tmp_path / name).write_text("1\n")
    events = FileEvents()
    events.start([str(tmp_path)])
    for name in names:
        (tmp_path / name).read_text()
    events.stop()
    assert {Path(path).name for path in events.read()} == names or events.lost
