"""Files of every kind in and out: the output has the bits that `predict` gives for the same values."""

import itertools
import math
import struct
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scored
from matrices import whole

from pipeline_lib.records.record import Record

ROWS = [
    scored.row(),
    scored.row(size=-0.0, code="007", rooms=0, heated=False),
    scored.row(size=None, code="None", sold=None, day=None),
    scored.row(size=0.1 + 0.2, code="NA", day=date(9999, 12, 31)),
    scored.row(size=5e-324, code="", sold=datetime(1000, 1, 1)),
    scored.row(
        size=-1.7976931348623157e308, code=' "quoted", and\ta tab ', sold=datetime(1969, 12, 31, 23, 59, 59, 999999)
    ),
    scored.row(size=1 / 3, code="two\nlines\r\nand a third", rooms=20),
    scored.row(size=1e9, code=None, day=date(1000, 1, 1)),
    scored.row(size=2**53 - 1.0, code="naïve Ω 漢字 🏠"),
    scored.row(size=123456789.12345678, code="null"),
]
INPUTS = ["csv", "tsv", "jsonl", "parquet", "arrow", "arrows", "feather", "csv.gz", "csv.zst", "csv.bz2", "jsonl.gz"]
OUTPUTS = ["csv", "tsv", "jsonl", "parquet", "arrow", "arrows", "csv.gz", "csv.zst", "csv.bz2", "jsonl.gz", "arrow.zst"]
JSON = ("jsonl", "jsonl.gz")  # has no NaN
EXPECTED = scored.echo().predict_table(ROWS).to_pylist()


def same(found: Any, expected: Any) -> bool:
    """Whether a value is the expected one, a number bit for bit; of a text format, after it is read."""
    if isinstance(expected, float):
        if math.isnan(expected):  # a NaN is missing in JSON and in a database
            return found is None or (isinstance(found, str) and found == "nan") or found != found
        return struct.pack("<d", float(found)) == struct.pack("<d", expected)
    if isinstance(expected, bool | int) and isinstance(found, str):
        return found == str(expected).lower()
    return type(found) is type(expected) and found == expected


def differences(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    """Where an output has other values than these."""
    if len(found) != len(expected):
        return [f"{len(found)} rows, expected {len(expected)}"]
    return [
        f"row {number}, {name}: {row[name]!r}, expected {value!r}"
        for number, (row, other) in enumerate(zip(found, expected, strict=True))
        for name, value in other.items()
        if not same(row[name], value)
    ]


def check(echo_record: Record, folder: Path, given: str, wanted: str, *options: object) -> None:
    path, output = scored.write_rows(folder / f"rows.{given}", ROWS), folder / f"predictions.{wanted}"
    scored.done(echo_record, path, output, *options)
    rows = scored.read_back(output)
    assert differences(rows, EXPECTED) == []
    assert {row["record"] for row in rows} == {echo_record.reference}
    assert sorted(folder.iterdir()) == sorted([path, output])


PAIRS = [
    *((given, "parquet") for given in INPUTS),
    *(("csv", wanted) for wanted in OUTPUTS if wanted not in ("parquet", *JSON)),
]


@pytest.mark.parametrize(("given", "wanted"), PAIRS)
def test_every_format_has_the_bits_of_predict(echo_record: Record, tmp_path: Path, given: str, wanted: str) -> None:
    check(echo_record, tmp_path, given, wanted, "--block-rows", 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "wanted"),
    sorted({pair for pair in itertools.product(INPUTS, OUTPUTS) if pair[1] not in JSON} - set(PAIRS)),
)
@pytest.mark.parametrize("rows", [3, whole(1), whole(65_536)])
def test_every_pair_of_formats(echo_record: Record, tmp_path: Path, given: str, wanted: str, rows: int) -> None:
    check(echo_record, tmp_path, given, wanted, "--block-rows", rows)


def test_a_difference_of_one_bit_is_seen() -> None:
    assert differences(EXPECTED, EXPECTED) == []
    for number, name, value in [
        (1, "size", 0.0),
        (1, "code", "7"),
        (4, "code", None),
    ]:
        changed = [dict(row) for row in EXPECTED]
        changed[number][f"prediction[{name}]"] = value
        assert len(differences(changed, EXPECTED)) == 1


def test_json_has_no_nan(echo_record: Record, tmp_path: Path) -> None:
    message = scored.refusal(
        echo_record, scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "predictions.jsonl"
    )
    assert "prediction[size]: found a number that is not finite, expected those that JSON has; write csv" in message
    finite = [row for row in ROWS if None not in (row["size"], row["sold"], row["day"])]
    scored.done(echo_record, scored.write_rows(tmp_path / "finite.csv", finite), tmp_path / "predictions.jsonl")
    expected = scored.echo().predict_table(finite).to_pylist()
    assert differences(scored.read_back(tmp_path / "predictions.jsonl"), expected) == []


def test_any_size_of_blocks_gives_the_same_bytes(echo_record: Record, tmp_path: Path) -> None:
    path = scored.write_rows(tmp_path / "rows.csv", ROWS)
    for rows in (1, 2, 3, 10, 11):
        scored.done(echo_record, path, tmp_path / f"{rows}.csv", "--block-rows", rows)
    assert len({(tmp_path / f"{rows}.csv").read_bytes() for rows in (1, 2, 3, 10, 11)}) == 1


@pytest.mark.parametrize("given", ["csv", "parquet", "arrow", "jsonl"])
def test_kept_columns_are_as_the_input_has_them(echo_record: Record, tmp_path: Path, given: str) -> None:
    path = scored.write_rows(tmp_path / f"rows.{given}", ROWS)
    scored.done(echo_record, path, tmp_path / "kept.parquet", "--keep", "code,unread,size")
    kept = pq.read_table(tmp_path / "kept.parquet")
    assert kept.column_names[:3] == ["code", "unread", "size"]
    found = kept.select(["code", "unread", "size"]).to_pylist()
    if given == "csv":  # whose columns are text
        assert found[1]["size"] == "-0.0"
        found = [{**row, "size": None if row["size"] is None else float(row["size"])} for row in found]
    assert differences(found, [{name: row[name] for name in ("code", "unread", "size")} for row in ROWS]) == []


@pytest.mark.parametrize("wanted", ["parquet", "arrow"])
def test_the_record_is_named_in_the_metadata(echo_record: Record, tmp_path: Path, wanted: str) -> None:
    output = tmp_path / f"predictions.{wanted}"
    scored.done(echo_record, scored.write_rows(tmp_path / "rows.csv", ROWS), output)
    schema = pq.read_schema(output) if wanted == "parquet" else pa.ipc.open_file(str(output)).schema
    assert schema.metadata[b"pipeline_lib.record"] == echo_record.reference.encode()
    assert schema.metadata[b"pipeline_lib.digest"] == echo_record.manifest()["digest"].encode()


@pytest.mark.parametrize("given", ["csv", "jsonl", "parquet", "arrow", "arrows"])
def test_rows_that_are_none_give_an_output_without_rows(echo_record: Record, tmp_path: Path, given: str) -> None:
    path = scored.write_rows(tmp_path / f"rows.{given}", ROWS[:1])
    if given == "csv":
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    elif given == "jsonl":
        path.write_bytes(b"")
    else:
        scored.write_table(path, scored.table(ROWS).slice(0, 0))
    scored.done(echo_record, path, tmp_path / "predictions.parquet")
    found = pq.read_table(tmp_path / "predictions.parquet")
    assert found.num_rows == 0
    assert found.column_names == [*EXPECTED[0], "record"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_many_texts_that_are_others_in_each_part_of_a_file(
    echo_record: Record, tmp_path: Path, suffix: str, kind: pa.DataType
) -> None:
    rows = [scored.row(code=f"{number // 9000} {number % 50}" if number % 7 else None) for number in range(45_000)]
    table = scored.table(rows)
    path = tmp_path / f"rows.{suffix}"
    typed = table.set_column(table.column_names.index("code"), "code", table["code"].cast(kind))
    if suffix == "parquet":
        pq.write_table(typed, path, row_group_size=9000)
    else:
        scored.write_rows(path, rows)
    scored.done(echo_record, path, tmp_path / "out.parquet", "--block-rows", 25_000)
    found = pq.read_table(tmp_path / "out.parquet")["prediction[code]"]
    assert found.to_pylist() == [row["code"] for row in rows]
