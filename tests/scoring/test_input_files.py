"""What an INPUT names: files in order, columns in paths, addresses; each missing or ambiguous one is refused."""

import os
from pathlib import Path

import fsspec
import pytest
import scored

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.scoring.input_files import format_of, input_files


def codes(path: Path) -> list[object]:
    return [row["prediction[code]"] for row in scored.read_back(path)]


def test_files_of_a_glob_or_a_folder_are_read_in_the_order_of_their_names(echo_record: Record, tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        scored.write_rows(tmp_path / "in" / f"{name}.csv", [scored.row(code=f"{name}{i}") for i in range(3)])
    expected = [f"{name}{i}" for name in "abc" for i in range(3)]
    for given in (tmp_path / "in", tmp_path / "in" / "*.csv", f"{tmp_path}/in/[a-c].csv", tmp_path / "**" / "*.csv"):
        scored.done(echo_record, given, tmp_path / "out.parquet", "--block-rows", 2)
        assert codes(tmp_path / "out.parquet") == expected


def test_files_of_different_formats_and_column_orders_are_one_input(echo_record: Record, tmp_path: Path) -> None:
    rows = [scored.row(code=f"c{i}") for i in range(5)]
    for number, suffix in enumerate(("csv", "jsonl", "parquet", "arrow", "csv.gz")):
        scored.write_rows(tmp_path / "in" / f"{number}.{suffix}", [dict(reversed(rows[number].items()))])
    (tmp_path / "in" / "_SUCCESS").touch()
    (tmp_path / "in" / ".1.crc").touch()
    scored.done(echo_record, tmp_path / "in", tmp_path / "out.csv")
    assert codes(tmp_path / "out.csv") == [f"c{i}" for i in range(5)]


def test_a_file_in_the_folder_of_a_column_has_it_however_it_is_named(echo_record: Record, tmp_path: Path) -> None:
    path = tmp_path / "in" / "code=007" / "part.parquet"
    path.parent.mkdir(parents=True)
    scored.write_table(path, scored.table([scored.row()]).drop_columns(["code"]))
    memory = fsspec.filesystem("memory")
    memory.pipe("/in/code=007/part.parquet", path.read_bytes())
    given = [path, tmp_path / "in", tmp_path / "in" / "*" / "*.parquet"]
    given += ["memory://in/code=007/part.parquet", "memory://in", "memory://in/*/*.parquet"]  # type: ignore[list-item]
    for each in given:
        scored.done(echo_record, each, tmp_path / "out.parquet")
        assert codes(tmp_path / "out.parquet") == ["007"]
    memory.rm("/in", recursive=True)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_columns_in_paths_are_typed_by_row(echo_record: Record, tmp_path: Path, suffix: str) -> None:
    for rooms, code, day in ((1, "007", "2024-01-01"), (2, "a%2Fb", "__HIVE_DEFAULT_PARTITION__")):
        rest = {name: value for name, value in scored.row().items() if name not in ("rooms", "code", "day")}
        folder = tmp_path / "in" / f"rooms={rooms}" / f"code={code}" / f"day={day}"
        path = scored.write_rows(folder / f"part.{suffix}", [{**rest, "rooms": 9, "code": "", "day": None}])
        if suffix == "csv":
            path.write_text("size,heated,sold,unread\n85.5,True,2024-03-01,x\n")
        elif suffix == "jsonl":
            path.write_text('{"size": 85.5, "heated": true, "sold": "2024-03-01"}\n')
        else:
            scored.write_table(path, scored.table([scored.row()]).drop_columns(["rooms", "code", "day"]))
    scored.done(echo_record, tmp_path / "in", tmp_path / "out.parquet", "--keep", "code")
    rows = scored.read_back(tmp_path / "out.parquet")
    names = ("code", "prediction[rooms]", "prediction[code]", "prediction[day]")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("007", 1, "007", "2024-01-01 00:00:00.000000"),
        ("a/b", 2, "a/b", None),
    ]


def test_a_text_in_a_path_that_is_no_value_is_refused_with_the_file(echo_record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "rooms=many"
    folder.mkdir(parents=True)
    scored.write_table(folder / "part.parquet", scored.table([scored.row()]).drop_columns(["rooms"]))
    message = scored.refusal(echo_record, tmp_path / "in", tmp_path / "out.csv")
    assert "rooms=many/part.parquet: row 0: rooms: found 'many', expected a whole number" in message


def test_an_input_and_an_output_at_addresses(echo_record: Record, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    rows = [scored.row(code=f"c{i}") for i in range(5)]
    for suffix in ("csv", "parquet", "jsonl.gz", "arrow"):
        memory.pipe(f"/in/{suffix}/rows.{suffix}", scored.write_rows(tmp_path / f"rows.{suffix}", rows).read_bytes())
    for given in ("csv/rows.csv", "parquet", "jsonl.gz/*.gz", "arrow/rows.arrow"):
        scored.done(echo_record, f"memory://in/{given}", "memory://out/predictions.csv")
        (tmp_path / "out.csv").write_bytes(memory.cat("/out/predictions.csv"))
        assert codes(tmp_path / "out.csv") == [f"c{i}" for i in range(5)]
        assert [Path(path).name for path in memory.find("/out")] == ["predictions.csv"]
    memory.rm("/in", recursive=True)
    assert "memory://in/csv: found no file" in scored.refusal(echo_record, "memory://in/csv", "memory://out/more.csv")
    assert not memory.exists("/out/more.csv")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nothing.csv", "nothing.csv: found no such file, expected one with rows; correct the path"),
        ("*.csv", "*.csv: found no file, expected one or more with rows; correct the path"),
        ("empty", "empty: found no file"),
        ("rows.xlsx", "rows.xlsx: found the ending '.xlsx', expected one of .csv"),
        ("pipe.csv", "pipe.csv: found no regular file, expected one"),
        ("nowhere://x/rows.csv", "cannot be reached"),
        ("rows.parquet.gz", "rows.parquet.gz: found a compressed Parquet file, expected none"),
    ],
)
def test_an_input_that_is_none_is_refused(tmp_path: Path, given: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows.xlsx").touch()
    (tmp_path / "rows.parquet.gz").touch()
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError) as error:
        input_files(given if "://" in given else str(tmp_path / given))
    assert message in str(error.value)


def test_files_with_other_columns_in_their_paths_are_refused(tmp_path: Path) -> None:
    for folder in ("year=2024", "month=3"):
        scored.write_rows(tmp_path / folder / "rows.csv", [scored.row()])
    with pytest.raises(InputError, match="found files with the columns month and year in their paths"):
        input_files(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ("csv", None, ",")),
        ("a.b.TSV.GZ", ("csv", "gzip", "\t")),
        ("a.ndjson.zst", ("jsonl", "zstd", ",")),
        ("a.parquet", ("parquet", None, ",")),
        ("s3://b/a.csv.bz2?x=1.parquet", ("csv", "bz2", ",")),
        ("a.csv.lz4", ("csv", "lz4", ",")),
    ],
)
def test_a_name_says_the_format(name: str, expected: tuple[str, str | None, str]) -> None:
    assert format_of(name) == expected


def test_the_input_is_never_the_output(echo_record: Record, tmp_path: Path) -> None:
    path = scored.write_rows(tmp_path / "in" / "rows.csv", [scored.row()])
    before = path.read_bytes()
    for given in (path, tmp_path / "in", tmp_path / "in" / "*"):
        result = scored.predict(echo_record, given, path)
        assert "found the same file as INPUT and OUTPUT" in str(result.exception)
    assert path.read_bytes() == before
