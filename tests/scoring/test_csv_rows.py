"""CSV: what is read as declared, whatever the file looks like; what is no CSV is refused with file, line, column."""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pyarrow.csv as pa_csv
import pytest
import scored

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring import csv_rows
from pipeline_lib.scoring.read_rows import read_rows

SCHEMA = RowSchema((Column("size", "number", nullable=True), Column("code", "string", nullable=True)))


def read(folder: Path, content: str | bytes, schema: RowSchema = SCHEMA, name: str = "rows.csv", **options: object):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, schema, **options).to_pylist()  # type: ignore[arg-type]


def refused(folder: Path, content: str | bytes, schema: RowSchema = SCHEMA, **options: object) -> str:
    with pytest.raises(InputError) as error:
        read(folder, content, schema, **options)
    return str(error.value).replace(f"{folder}/", "")


def test_nothing_is_missing_and_quotes_are_empty_text(tmp_path: Path) -> None:
    rows = read(tmp_path, 'size,code\n,\n1,""\n2,x\n')
    assert rows == [{"size": None, "code": None}, {"size": 1.0, "code": ""}, {"size": 2.0, "code": "x"}]


@pytest.mark.parametrize("text", ["007", "None", "NA", "null", "NaN", "1.50", " spaces ", "True", "2024-01-01", "#N/A"])
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"size,code\n1,{text}\n")[0]["code"] == text


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"size,code\r\n1.5,a b\r\n,c\r\n", {}),
        (b"\xef\xbb\xbfsize,code\n1.5,a b\n,c\n", {}),
        (b"size,code\n1.5,a b\n,c", {}),
        (b"code,size,more\na b,1.5,x\nc,,\n", {}),
        (b"size;code\n1.5;a b\n;c\n", {"delimiter": ";"}),
        (b"size\tcode\n1.5\ta b\n\tc\n", {"name": "rows.tsv"}),
        ("size,code\n1.5,a b\n,c\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b'"size","code"\n"1.5","a b"\n,"c"\n', {}),
        (b"size,code\n1.5,a b\n\n,c\n\n", {}),
        (b"size,code\n1.5,a b\n?,c\n", {"missing": ["?"]}),
    ],
)
def test_files_of_other_looks_have_the_same_rows(tmp_path: Path, content: bytes, options: dict[str, object]) -> None:
    assert read(tmp_path, content, **options) == [{"size": 1.5, "code": "a b"}, {"size": None, "code": "c"}]


def test_another_encoding_and_fields_with_newlines_and_quotes(tmp_path: Path) -> None:
    content = 'size,code\n1,"é\n""quoted"", \r\nlast"\n'.encode("cp1252")
    assert read(tmp_path, content, encoding="cp1252")[0]["code"] == 'é\n"quoted", \r\nlast'


def test_of_one_column_an_empty_line_is_a_row(tmp_path: Path) -> None:
    one = RowSchema((Column("code", "string", nullable=True),))
    assert [row["code"] for row in read(tmp_path, 'code\na\n\nb\n""\n\n', one)] == ["a", None, "b", "", None]
    number = RowSchema((Column("size", "number", nullable=True),))
    assert "line 4: size: found 'x'" in refused(tmp_path, "size\n1\n\nx\n", number)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("size,code\n1,a\n2\n3,c\n", "rows.csv: line 3: found 1 fields, expected 2 as in the first line"),
        ("size,code\n1,a\n2,b,c\n", "rows.csv: line 3: found 3 fields, expected 2"),
        ('size,code\n1,"a\nb"\n2,b,c\n', "rows.csv: line 4: found 3 fields"),
        ("size,code\n1,a\n1;5,b\n", "rows.csv: line 3: size: found '1;5', expected a number with a decimal point"),
        ('size,code\n1,"a\n\nb"\n\nx,c\n', "rows.csv: line 6: size: found 'x'"),
        ('size,code\n1,a\n2,"b\n', "rows.csv: line 3: found unexpected end of data"),
        ("", "rows.csv: found an empty file, expected a first line with the columns' names"),
        ("size,size\n1,2\n", "rows.csv: line 1: found 'size' more than once"),
        ("code\na\n", "found no size, expected all 2 columns of Row"),
        (b"size,code\n1,a\n2,\xe9\n", "rows.csv: line 3: found bytes that are not utf-8"),
    ],
)
def test_what_is_no_csv_is_refused_with_its_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    schema = RowSchema((Column("size", "number", nullable=True), Column("code", "string")))
    assert message in refused(tmp_path, content, schema)


@pytest.mark.parametrize("end", ['"', '"b', '"b\n', '"b\n3,c\n', '"""', '"b""\n', '"b,""', '"' + "x" * 100_000])
def test_quotes_that_are_never_closed_lose_no_rows(tmp_path: Path, end: str) -> None:
    assert "rows.csv: line 3: found unexpected end of data" in refused(tmp_path, f"size,code\n1,a\n2,{end}")


@pytest.mark.parametrize(
    "end", ['""', '"b"', "b", "", '5" pipe', '"b\n"\n', '""""', '"b"",\n3"\r\n', '"' + "x" * 100_000 + '"']
)
def test_the_last_row_is_read_with_and_without_quotes(tmp_path: Path, end: str) -> None:
    expected = next(csv.reader(io.StringIO(f"2,{end}", newline="")))[1]
    assert read(tmp_path, f"size,code\n2,{end}")[0]["code"] == (expected if end else None)


def test_every_refused_text_of_a_block_is_shown_with_its_line(tmp_path: Path) -> None:
    lines = refused(tmp_path, "size,code\n1,a\nx,a\ny,a\nx,a\n" + "".join(f"n{i},a\n" for i in range(40))).split("\n")
    assert lines[0].startswith("rows.csv: line 3: size: found 'x', expected a number")
    assert lines[0].endswith("(and 1 more rows of this block)")
    assert lines[1].startswith("rows.csv: line 4: size: found 'y'")
    assert (len(lines), lines[-1]) == (21, "and 22 more problems in these rows")


def test_what_row_forbids_is_refused_with_its_line(tmp_path: Path) -> None:
    schema = RowSchema((Column("size", "number", le=10), Column("code", "string", allowed=("a",))))
    message = refused(tmp_path, 'size,code\n"1",a\n,a\n11,"b\n"\n', schema)
    assert "rows.csv: line 3: size: found None, expected a number (" in message
    assert "rows.csv: line 4: code: found 'b\\n', expected one of 'a'" in message
    assert "line 4: size: found 11.0" in refused(tmp_path, "size,code\n1,a\n2,a\n11,a\n", schema)


def test_an_encoding_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "expected" in refused(tmp_path, "size,code\n1,a\n", encoding="utf-9")


def test_rows_longer_than_a_chunk_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_CHUNK", 64)
    texts = ["a" * 10, "b" * 200, "c", 'd\n"' * 100, "e" * 5000, *("f" * i for i in range(50))]
    content = io.StringIO()
    csv.writer(content).writerows([["size", "code"], *([i, text] for i, text in enumerate(texts))])
    assert read(tmp_path, content.getvalue()) == [
        {"size": float(i), "code": text or None} for i, text in enumerate(texts)
    ]


def dict_reader(path: Path) -> object:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("read_csv", [dict_reader, pa_csv.read_csv])
@pytest.mark.parametrize("code", ["007", "None", "1.50", "true", "a", "2024-01-01"])
def test_other_readers_lead_to_the_same_values_or_to_read_rows(
    tmp_path: Path, read_csv: Callable[[Path], object], code: str
) -> None:
    path = scored.write_rows(
        tmp_path / "rows.csv", [scored.row(code=code)] * 2
    )  # a file of one row is told as a row is
    expected = scored.echo().predict_table(read_rows(path, scored.ROW)).to_pylist()
    try:
        answers = scored.echo().predict_table(read_csv(path)).to_pylist()
    except InputError as error:
        answers = str(error)
    is_refused = read_csv is dict_reader or code in ("007", "1.50", "true", "2024-01-01")  # other types than text
    assert ("pipeline_lib.read_rows(path, model.row)" in answers) if is_refused else (answers == expected)


def test_rows_have_the_columns_and_types_of_row(tmp_path: Path) -> None:
    rows = [scored.row(code="007", size=None), scored.row(sold=datetime(2024, 1, 1, 1, 1, 1, 5), day=date(2024, 1, 1))]
    found = read_rows(scored.write_rows(tmp_path / "rows.csv", rows), scored.ROW)
    assert found.schema == scored.ROW.arrow
    assert found.to_pylist() == rows


def test_columns_that_are_not_read_are_not_looked_at(tmp_path: Path) -> None:
    record = scored.proven(tmp_path / "runs", scored.echo())
    rows = [{**scored.row(), "unread": None, "more": "x"}]
    assert "1 rows by" in scored.done(record, scored.write_rows(tmp_path / "rows.csv", rows), tmp_path / "out.csv")


def test_the_command_takes_the_same_options(tmp_path: Path) -> None:
    record: Record = scored.proven(tmp_path / "runs", scored.classifier("no", "yes"))
    (tmp_path / "rows.txt").write_bytes("größe;size\nä;1\nö;-\n".encode("latin-1"))
    message = scored.refusal(record, tmp_path / "rows.txt", tmp_path / "out.csv")
    assert "rows.txt: found the ending '.txt', expected one of .csv" in message
    options = ["--format", "csv", "--delimiter", ";", "--encoding", "latin-1", "--keep", "größe"]
    message = scored.refusal(record, tmp_path / "rows.txt", tmp_path / "out.csv", *options)
    assert "rows.txt: line 3: size: found '-'" in message
    assert "--missing TEXT names a text that means missing" in message
    options += ["--missing", "-", "--errors", "column"]
    scored.done(record, tmp_path / "rows.txt", tmp_path / "out.csv", *options)
    rows = scored.read_back(tmp_path / "out.csv")
    assert [(row["größe"], row["prediction"]) for row in rows] == [("ä", "yes"), ("ö", None)]


@pytest.mark.parametrize(("delimiter", "shown"), [(";", "';'"), ("\t", "$'\\t'"), ("|", "'|'")])
def test_a_header_with_another_delimiter_names_it(
    echo_record: Record, tmp_path: Path, delimiter: str, shown: str
) -> None:
    path = scored.write_rows(tmp_path / "rows.csv", [scored.row()])
    path.write_text(path.read_text().replace('"', "").replace(",", delimiter))
    message = scored.refusal(echo_record, path, tmp_path / "out.csv")
    assert message.endswith(f"found columns with {delimiter!r} between, expected ','; --delimiter {shown}")
    assert "1 rows" in scored.done(echo_record, path, tmp_path / "out.csv", "--delimiter", delimiter)
