"""Files that are damaged or of another format: one line that says so, never a traceback, never an output."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scored
from matrices import slow_sample

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record

ROWS = [scored.row(code=f"place {i}", size=i / 7) for i in range(12)]
SUFFIXES = ["csv", "csv.gz", "csv.zst", "csv.bz2", "jsonl", "jsonl.gz", "parquet", "arrow", "arrows", "feather"]


def check(record: Record, path: Path, content: bytes) -> bool:
    """Whether the file is refused; it has an output, or a message and none."""
    path.write_bytes(content)
    output = path.with_name("out.parquet")
    result = scored.predict(record, path, output, "--block-rows", 5)
    if result.exit_code == 0:
        output.unlink()
        return False
    assert isinstance(result.exception, InputError), repr(result.exception)
    message = str(result.exception)
    assert path.name in message
    assert "expected" in message
    assert not output.exists()
    return True


def mutations(content: bytes, count: int, seed: int) -> list[bytes]:
    """A file with bytes changed, cut off, left out and put in."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        at = int(random.integers(len(content)))
        other = bytes(random.integers(0, 256, int(random.integers(1, 9)), dtype=np.uint8))
        ways = (content[:at] + other + content[at + len(other) :], content[:at], content[:at] + content[at + 3 :])
        made.append([*ways, content[:at] + other + content[at:]][int(random.integers(4))])
    return made


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_bytes_are_refused_or_read(echo_record: Record, tmp_path: Path, suffix: str) -> None:
    path = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    whole = path.read_bytes()
    assert not check(echo_record, path, whole)
    refused = [check(echo_record, path, content) for content in mutations(whole, 25, 0)]
    assert sum(refused) > (2 if suffix in ("csv", "jsonl", "arrows") else 10)


@pytest.mark.slow
@pytest.mark.parametrize("seed", slow_sample(range(1, 9), 4))
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_many_damaged_files(echo_record: Record, tmp_path: Path, suffix: str, seed: int) -> None:
    path = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    refused = [check(echo_record, path, content) for content in mutations(path.read_bytes(), 250, seed)]
    assert any(refused)


@pytest.mark.parametrize("suffix", [each for each in SUFFIXES if each not in ("csv", "jsonl")])
def test_a_file_that_is_cut_off_is_refused(echo_record: Record, tmp_path: Path, suffix: str) -> None:
    path = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    whole = path.read_bytes()
    cuts = [0, 1, len(whole) // 2, len(whole) - 9] if suffix == "arrows" else [0, 1, len(whole) // 2, len(whole) - 1]
    refused = [check(echo_record, path, whole[:cut]) for cut in cuts]
    assert all(refused)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("other", ["csv", "jsonl", "parquet", "arrow", "csv.gz"])
def test_a_file_of_another_format_is_refused(echo_record: Record, tmp_path: Path, suffix: str, other: str) -> None:
    path = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    content = scored.write_rows(tmp_path / f"others.{other}", ROWS).read_bytes()
    is_same = suffix == other or {suffix, other} <= {"arrow", "arrows", "feather"}
    assert check(echo_record, path, content) != is_same


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 3: found Expecting property name"),
        ("[1]", "line 3: found list, expected one object in JSON a line"),
        ('{"size": NaN}', "line 3: found NaN, which JSON does not have"),
        ('{"size": 1e999}', "line 3: found 1e999, which is beyond 64 bits"),
        ('{"size": 1, "size": 2}', "line 3: found the key 'size' more than once"),
        ("[" * 100_000, "line 3: found lists that are nested too deep"),
        ('{"size": ' + "9" * 5000 + "}", "line 3: "),
        ('{"size": "1"}', "line 3: size: found '1' (str)"),
        ('{"rooms": 1.5}', "line 3: rooms: found 1.5, expected a whole number"),
        ('{"rooms": true}', "line 3: rooms: found True (bool)"),
        ('{"code": 7}', "line 3: code: found 7 (int)"),
        ('{"code": "\\ud800"}', "line 3: code: found"),
        ('{"sold": "yesterday"}', "line 3: sold: found 'yesterday', expected a date or time"),
        ('{"sold": 1700000000}', "line 3: sold: found 1700000000 (int)"),
        ('{"rooms": 21}', "line 3: rooms: found 21, expected a value <= 20"),
    ],
)
def test_refused_json_is_named_by_its_line(echo_record: Record, tmp_path: Path, line: str, message: str) -> None:
    good = {**scored.row(), "sold": "2024-03-01", "day": "2024-03-01"}
    try:
        content = (
            json.dumps({**good, **json.loads(line)})
            if '"size": 1, "size"' not in line and "1e999" not in line and "NaN" not in line
            else line
        )
    except (ValueError, TypeError, RecursionError):
        content = line
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(good)}\n\n{content}\n{json.dumps(good)}\n")
    assert f"rows.jsonl: {message}" in scored.refusal(echo_record, path, tmp_path / "out.csv")


def test_values_of_parquet_and_arrow_are_refused_with_file_row_and_column(echo_record: Record, tmp_path: Path) -> None:
    for suffix in ("parquet", "arrow"):
        scored.write_table(tmp_path / f"rows.{suffix}", scored.table([*ROWS, scored.row(rooms=21), *ROWS]))
        for rows in (4, 100):
            message = scored.refusal(
                echo_record, tmp_path / f"rows.{suffix}", tmp_path / "out.csv", "--block-rows", rows
            )
            assert f"rows.{suffix}: row 12: rooms: found 21, expected a value <= 20" in message
        table = scored.table(ROWS)
        scored.write_table(tmp_path / f"rows.{suffix}", table.set_column(2, "code", pa.array(range(12))))
        message = scored.refusal(echo_record, tmp_path / f"rows.{suffix}", tmp_path / "out.csv")
        assert f"rows.{suffix}: code: found int64, expected text" in message
        scored.write_table(tmp_path / f"rows.{suffix}", table.append_column("size", table["size"]))
        message = scored.refusal(echo_record, tmp_path / f"rows.{suffix}", tmp_path / "out.csv")
        assert f"rows.{suffix}: found the columns 'size' more than once" in message


def test_an_operation_that_refuses_a_row_is_named_by_its_line(echo_record: Record, tmp_path: Path) -> None:
    rows = [*ROWS, scored.row(code="two\nlines"), scored.row(code=scored.REFUSED), *ROWS]
    for suffix, place in (("csv", "line 16"), ("jsonl", "line 14"), ("parquet", "row 13"), ("arrow", "row 13")):
        path = scored.write_rows(tmp_path / f"rows.{suffix}", rows)
        for size in (1, 5, 100):
            message = scored.refusal(echo_record, path, tmp_path / "out.csv", "--block-rows", size)
            assert f"rows.{suffix}: {place}: Places: found 'nowhere' in column 'code', expected a place" in message
