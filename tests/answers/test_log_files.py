"""The files of a log, when a disk is full, a folder is removed, processes overlap, or bytes are damaged."""

import fcntl
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline_lib.answers.log_format import DESCRIPTION, FULL, ID, OPEN, Log, find_answer, logs_in
from pipeline_lib.answers.log_writer import LogWriter, to_parquet
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

ROW = RowSchema((Column("a", "number"), Column("text", "string")))
OUTPUTS = pa.schema([("prediction", pa.float64())])
FACTS = {"record": "small/1", "digest": "d", "left_out": []}


def add(writer: LogWriter, answer: str, count: int = 1) -> None:
    rows = [{"a": float(number), "text": f"{answer} {number}" * 50} for number in range(count)]
    writer.add(answer, rows, pa.table({"prediction": [row["a"] for row in rows]}))
    writer.flush()


def ids(folder: Path) -> list[str]:
    return [each for log in logs_in(folder) for table in log.tables() for each in table[ID].to_pylist()]


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogWriter]:
    """A log that is written only by `flush`."""
    monkeypatch.setattr(LogWriter, "_work", lambda self: None)
    made = LogWriter(tmp_path, ROW, OUTPUTS, FACTS)
    yield made
    made._end_file()


FULL_DISK = """
import pathlib, resource, sys
from test_log_files import FACTS, OUTPUTS, ROW, LogWriter, add
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
LogWriter._work = lambda self: None
dropped = []
writer = LogWriter(pathlib.Path(sys.argv[1]), ROW, OUTPUTS, FACTS, on_dropped=dropped.append)
for number in range(60):
    add(writer, f"r{number}", 5)
    writer._failed = 0.0
writer._end_file()
print(sum(dropped), writer.dropped, writer.written)
"""


def test_on_a_full_disk_every_answer_is_either_logged_or_counted(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    counted, dropped, written = map(int, done.stdout.split())
    kept = ids(tmp_path)
    assert counted == dropped == 300 - written
    assert len(kept) == len(set(kept)) == written
    assert 0 < written < 300
    assert len(logs_in(tmp_path)[0].files()) == 1
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


def test_a_folder_that_is_removed_is_made_again(writer: LogWriter, tmp_path: Path) -> None:
    add(writer, "before")
    shutil.rmtree(tmp_path)
    add(writer, "after")
    assert ids(tmp_path) == ["after"]
    assert writer.dropped == 0


def test_a_folder_that_cannot_be_written_to_counts_the_answers(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    counted: list[int] = []
    made = LogWriter(file / "log", ROW, OUTPUTS, FACTS, on_dropped=counted.append)
    add(made, "x", 3)
    made.close()
    assert sum(counted) == made.dropped == 3


def test_a_stream_that_became_parquet_and_was_not_removed_is_read_once(writer: LogWriter, tmp_path: Path) -> None:
    add(writer, "x", 4)
    writer._end_file()
    (path,) = tmp_path.glob(f"*{FULL}")
    add(writer, "y")
    (stream,) = tmp_path.glob(f"*{OPEN}")
    kept = stream.read_bytes()
    writer._end_file()
    stream.write_bytes(kept)  # as a process leaves it that was killed between the two
    assert sorted(ids(tmp_path)) == ["x/0", "x/1", "x/2", "x/3", "y"]
    writer._clean()
    assert not stream.exists()
    assert path.exists()
    assert sorted(ids(tmp_path)) == ["x/0", "x/1", "x/2", "x/3", "y"]


def test_a_stream_that_becomes_parquet_while_the_log_is_read(
    writer: LogWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(writer, "x")
    listed = logs_in(tmp_path)[0].files()
    writer._end_file()
    monkeypatch.setattr(Log, "files", lambda self: listed)
    assert [path.suffix for path in listed] == [OPEN]
    assert ids(tmp_path) == ["x"]


def test_a_file_that_another_process_holds_is_left_alone(writer: LogWriter, tmp_path: Path) -> None:
    add(writer, "x")
    LogWriter(tmp_path, ROW, OUTPUTS, FACTS).close()
    (path,) = tmp_path.glob(f"*{OPEN}")
    with path.open("rb") as stream, pytest.raises(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_of_many_small_batches_has_one_row_group(writer: LogWriter, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for number in range(30):
        add(writer, f"r{number}")
    writer._end_file()
    (path,) = tmp_path.glob(f"*{FULL}")
    assert pq.read_metadata(path).num_row_groups == 1
    assert ids(tmp_path) == [f"r{number}" for number in range(30)]


def test_every_damaged_byte_of_rows_is_refused_or_changes_nothing(writer: LogWriter, tmp_path: Path) -> None:
    add(writer, "x", 20)
    writer._end_file()
    (path,) = tmp_path.glob(f"*{FULL}")
    content = path.read_bytes()
    expected = [table.to_pylist() for table in logs_in(tmp_path)[0].tables()]
    refused = 0
    pages = len(content) - 8 - int.from_bytes(content[-8:-4], "little")  # before the footer
    for place in range(0, pages, 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        message = ""
        try:
            assert [table.to_pylist() for table in logs_in(tmp_path)[0].tables()] == expected, place
        except InputError as error:
            message, refused = str(error), refused + 1
        assert not message or message.endswith("expected a file of a log; move it away")
    assert refused > 50


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 2}', '{"format": 1}'])
def test_a_description_that_is_damaged(writer: LogWriter, tmp_path: Path, content: str) -> None:
    add(writer, "x")
    (tmp_path / DESCRIPTION).write_text(content)
    with pytest.raises(InputError, match=r"log\.json: found .*, expected"):
        find_answer(tmp_path, "x")


def test_an_empty_stream_is_removed(tmp_path: Path) -> None:
    path = tmp_path / f"empty{OPEN}"
    path.touch()
    to_parquet(path)
    assert list(tmp_path.iterdir()) == []


def test_requests_as_lists_and_as_tables_keep_their_order(writer: LogWriter, tmp_path: Path) -> None:
    answer = pa.table({"prediction": [0.5]})
    for number, form in enumerate([list, list, pa.Table.from_pylist, list, pa.Table.from_pylist]):
        writer.add(f"r{number}", form([{"a": float(number), "text": "é", "other": 1}]), answer)
    writer.flush()
    (table,) = logs_in(tmp_path)[0].tables()
    assert table["id"].to_pylist() == [f"r{number}" for number in range(5)]
    assert table["row"].to_pylist() == [{"a": float(number), "text": "é"} for number in range(5)]
