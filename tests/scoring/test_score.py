"""The whole of scoring: earlier rows, what is kept after an interruption, inputs that change."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import scored
from example import ROOT

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.records.record import Record
from pipeline_lib.scoring.parts import Parts
from pipeline_lib.scoring.read_rows import read_rows

RECORDS = ROOT / "tests" / "data" / "records"
ROWS = [scored.row(code=f"c{number}") for number in range(40)]


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """Interrupts the commands inside a block by Ctrl-C once they have kept so many parts."""

    @contextmanager
    def stop(count: int) -> Iterator[None]:
        add = Parts.add

        def interrupted(self: Parts, number: int, part: Any) -> None:
            add(self, number, part)
            if number + 1 == count:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Parts, "add", interrupted)
            yield

    return stop


def days(count: int) -> list[dict[str, Any]]:
    return [{"day": datetime(2024, 1, 1 + number).isoformat(), "sold": float(number % 5)} for number in range(count)]


def daily(folder: Path) -> Record:
    """A copy of a record whose rows need three earlier ones."""
    source = next((RECORDS / "daily").iterdir())
    shutil.copytree(source, folder / "daily" / source.name)
    return Record(folder / "daily" / source.name)


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_rows_that_need_earlier_ones_have_those_of_the_context_and_of_blocks_before(
    tmp_path: Path, size: int, stop_after: Any
) -> None:
    record, rows = daily(tmp_path), days(20)
    model = load_model(record.artifact)
    parsed = [{**row, "day": datetime.fromisoformat(row["day"])} for row in rows]
    expected = model.predict(parsed[5:], context=parsed[:5]).tolist()
    earlier, given = lines(tmp_path / "earlier.jsonl", rows[:5]), lines(tmp_path / "rows.jsonl", rows[5:])
    options = ["--context", earlier, "--allow-unproven", "--block-rows", size]
    if size < 4:
        with stop_after(2):
            assert scored.predict(record, given, tmp_path / "out.parquet", *options).exit_code == 1
    said = scored.done(record, given, tmp_path / "out.parquet", *options)
    assert [row["prediction"] for row in scored.read_back(tmp_path / "out.parquet")] == expected
    assert (f"({2 * size} were there from before)" in said) == (size < 4)


def test_too_few_earlier_rows_and_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    record, rows = daily(tmp_path), days(20)
    given, output = lines(tmp_path / "rows.jsonl", rows[5:]), tmp_path / "out.csv"
    assert "found 0 earlier rows, expected at least 3" in scored.refusal(record, given, output, "--allow-unproven")
    for context, message in ((rows[:2], "found 2 earlier rows"), (rows[:4], "day")):
        lines(tmp_path / "earlier.jsonl", context)
        options = ["--context", tmp_path / "earlier.jsonl", "--allow-unproven"]
        assert message in scored.refusal(record, given, output, *options)
    options = ["--context", lines(tmp_path / "earlier.jsonl", rows[:5]), "--allow-unproven", "--errors", "column"]
    assert "found --errors column, expected --errors refuse" in scored.refusal(record, given, output, *options)


def test_a_record_that_changed_or_is_not_proven_is_refused(echo_record: Record, tmp_path: Path) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv"
    record = scored.proven(tmp_path / "runs", scored.echo())
    scored.done(record, given, output)
    output.unlink()
    shutil.rmtree(record.folder.parent / ".checks")
    message = scored.refusal(record, given, output)
    assert "found no parity check, expected an exact one before the record answers in production" in message
    assert "1 refused" not in scored.done(record, given, output, "--allow-unproven")
    output.unlink()
    path = record.artifact / "row.json"
    path.write_bytes(path.read_bytes() + b" ")
    result = scored.predict(record, given, output, "--allow-unproven")
    assert isinstance(result.exception, DifferenceError)
    assert "`pipeline-lib verify" in str(result.exception)
    assert not output.exists()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "arrow"])
def test_an_interrupted_command_goes_on_and_leaves_the_same_bytes(
    echo_record: Record, tmp_path: Path, suffix: str, stop_after: Any
) -> None:
    given = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    scored.done(echo_record, given, tmp_path / "whole.csv", "--block-rows", 7)
    output = tmp_path / "out.csv"
    for count in (2, 4):
        with stop_after(count):
            result = scored.predict(echo_record, given, output, "--block-rows", 7)
        assert "finished blocks are kept: run the same command to continue, or add --again" in result.output
        assert not output.exists()
    assert "40 rows (28 were there from before) by" in scored.done(echo_record, given, output, "--block-rows", 7)
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", given.name, "whole.csv"]


@pytest.mark.parametrize("change", ["input", "record", "options", "block", "again"])
def test_parts_of_another_request_are_not_used(
    echo_record: Record, tmp_path: Path, stop_after: Any, change: str
) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv"
    with stop_after(2):
        scored.predict(echo_record, given, output, "--block-rows", 7)
    record, options = echo_record, ["--block-rows", 7]
    if change == "input":
        scored.write_rows(given, [scored.row(code="new"), *ROWS[1:]])
    elif change == "record":
        record = scored.proven(tmp_path / "runs", scored.echo())
    else:
        options = {
            "options": [*options, "--keep", "code"],
            "block": ["--block-rows", 6],
            "again": [*options, "--again"],
        }[change]
    assert "from before" not in scored.done(record, given, output, *options)
    if change == "input":
        assert scored.read_back(output)[0]["prediction[code]"] == "new"


def test_an_input_that_changes_meanwhile_is_refused(
    echo_record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, add = scored.write_rows(tmp_path / "rows.csv", ROWS), Parts.add

    def changing(self: Parts, number: int, part: Any) -> None:
        add(self, number, part)
        if number == 1:
            scored.write_rows(given, [*ROWS, scored.row()])

    monkeypatch.setattr(Parts, "add", changing)
    message = scored.refusal(echo_record, given, tmp_path / "out.csv", "--block-rows", 7)
    assert "rows.csv: found a file that has changed while it was read, expected the same rows to the end" in message
    monkeypatch.undo()
    assert "41 rows by" in scored.done(echo_record, given, tmp_path / "out.csv", "--block-rows", 7)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows", "csv", "jsonl"])
def test_an_input_that_is_cut_off_meanwhile_is_refused(
    echo_record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    rows = [scored.row(code=f"{number:_>900}") for number in range(400)]
    given, add = scored.write_rows(tmp_path / f"rows.{suffix}", rows), Parts.add

    def cutting(self: Parts, number: int, part: Any) -> None:
        add(self, number, part)
        if number == 1:
            os.truncate(given, 40_000)

    monkeypatch.setattr(Parts, "add", cutting)
    message = scored.refusal(echo_record, given, tmp_path / "out.csv", "--block-rows", 7)
    assert f"rows.{suffix}" in message


def test_an_interrupted_command_over_many_files_goes_on_in_the_right_one(
    echo_record: Record, tmp_path: Path, stop_after: Any
) -> None:
    for number, suffix in enumerate(("csv", "jsonl", "parquet", "csv.gz")):
        scored.write_rows(tmp_path / "in" / f"{number}.{suffix}", ROWS[number * 10 : number * 10 + 10])
    scored.write_rows(tmp_path / "in" / "00.csv", ROWS[:1]).write_text(",".join(scored.row()) + "\n")
    scored.done(echo_record, tmp_path / "in", tmp_path / "whole.csv", "--block-rows", 4)
    for count in (2, 3, 4, 7, 11):
        with stop_after(count):
            scored.predict(echo_record, tmp_path / "in", tmp_path / "out.csv", "--block-rows", 4)
    assert "from before" in scored.done(echo_record, tmp_path / "in", tmp_path / "out.csv", "--block-rows", 4)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(scored.read_back(tmp_path / "whole.csv")) == 40


def test_a_second_command_at_the_same_time_is_refused(
    echo_record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, output, add = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv", Parts.add
    messages = []

    def second(self: Parts, number: int, part: Any) -> None:
        add(self, number, part)
        messages.append(scored.refusal(echo_record, given, output))

    monkeypatch.setattr(Parts, "add", second)
    scored.done(echo_record, given, output)
    (message,) = messages
    assert "out.csv: found a process that writes it now, expected one at a time" in message


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("nowhere/out.csv", "nowhere: found no such folder, expected one to write into; make it"),
        ("folder", "found the ending '', expected one of .csv"),
        ("folder.csv", "folder.csv: found a folder, expected the name of a file; write"),
        ("out.xlsx", "out.xlsx: found the ending '.xlsx', expected one of .csv"),
        ("nowhere://x/out.csv", "nowhere"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_work(
    echo_record: Record, tmp_path: Path, output: str, message: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    given = scored.write_rows(tmp_path / "rows.csv", ROWS)
    result = scored.predict(echo_record, given, output if "://" in output else tmp_path / output)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.csv", "rows.csv"]


def test_an_output_is_replaced_only_by_a_complete_one(echo_record: Record, tmp_path: Path, stop_after: Any) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv"
    output.write_text("old")
    with stop_after(2):
        scored.predict(echo_record, given, output, "--block-rows", 7)
    assert output.read_text() == "old"
    scored.done(echo_record, given, output, "--block-rows", 7)
    assert len(scored.read_back(output)) == len(ROWS)


def test_the_summary_as_json(echo_record: Record, tmp_path: Path) -> None:
    given = scored.write_rows(tmp_path / "rows.csv", [*ROWS, scored.row(rooms=21)])
    options = ["--errors", "column", "--json"]
    summary = json.loads(scored.done(echo_record, given, tmp_path / "out.csv", *options))
    assert (summary["record"], summary["rows"], summary["refused"], summary["kept"]) == (
        echo_record.reference,
        41,
        1,
        0,
    )


def test_a_pipeline_over_several_tables_is_refused(tmp_path: Path) -> None:
    record = Record(next((RECORDS / "customers").iterdir()))
    (tmp_path / "rows.csv").write_text("customer,age\n1,2\n")
    message = scored.refusal(record, tmp_path / "rows.csv", tmp_path / "out.csv", "--allow-unproven")
    assert "found a pipeline over the tables customers, purchases, expected one of a single table" in message
    assert "read each table of model.row.tables by pipeline_lib.read_rows" in message
    model = load_model(record.artifact)
    (tmp_path / "purchases.csv").write_text(
        "customer,dollars,kind,at\n1,2.5,food,2024-01-01\n1,0.1,,2024-01-02 12:00\n7,1,tools,2024-01-03\n"
    )
    (tmp_path / "customers.csv").write_text("customer,age\n7,\n1,30\n")
    tables = {table.name: read_rows(tmp_path / f"{table.name}.csv", table) for table in model.row.tables}
    customers = [{"customer": 7, "age": None}, {"customer": 1, "age": 30.0}]
    days = [datetime(2024, 1, 1), datetime(2024, 1, 2, 12), datetime(2024, 1, 3)]
    values = [(1, 2.5, "food"), (1, 0.1, None), (7, 1.0, "tools")]
    names = ("customer", "dollars", "kind")
    purchases = [{**dict(zip(names, row, strict=True)), "at": day} for row, day in zip(values, days, strict=True)]
    expected = model.predict({"customers": customers, "purchases": purchases})
    assert model.predict(tables).tobytes() == expected.tobytes()
    with pytest.raises(InputError, match="found a Row of the tables customers, purchases, expected one of them"):
        read_rows(tmp_path / "customers.csv", model.row)


def test_a_refusal_names_the_way_to_the_other_rows_and_leaves_no_empty_folder(
    echo_record: Record, tmp_path: Path
) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", [*ROWS, scored.row(rooms="many")]), tmp_path / "out.csv"
    message = scored.refusal(echo_record, given, output)
    assert message.rstrip().endswith(
        "`--errors column` predicts the other rows, and writes what is wrong with these into a column"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv"}
    scored.refusal(echo_record, given, output, "--block-rows", 1)
    assert (tmp_path / ".out.csv.scoring").is_dir()  # the blocks before are kept
    assert "1 refused" in scored.done(echo_record, given, output, "--errors", "column")
    output.unlink()
    given.write_text("size\n1.5\n")
    assert "--errors" not in scored.refusal(echo_record, given, output)  # no row would have a prediction


def test_the_ending_of_an_output_has_a_remedy_of_its_own(echo_record: Record, tmp_path: Path) -> None:
    given = scored.write_rows(tmp_path / "rows.csv", ROWS)
    message = scored.refusal(echo_record, given, tmp_path / "out.xlsx")
    assert "rename it; rows for a database need --table, --run-date" in message
    assert "--format" not in message
    given = given.rename(tmp_path / "rows.xlsx")
    assert "rename it, or say --format csv|" in scored.refusal(echo_record, given, tmp_path / "out.csv")
    scored.done(echo_record, given, tmp_path / "out.csv", "--format", "csv")


@pytest.mark.parametrize(
    ("suffix", "options", "message"),
    [
        ("csv", ["--delimiter", ";;"], "--delimiter: found ';;', expected one ASCII character"),
        ("csv", ["--delimiter", "\\t"], "a tab is written $'\\t' in a shell"),
        ("csv", ["--format", "xml"], "--format: found 'xml', expected one of csv, jsonl, parquet, arrow"),
        ("csv", ["--context", "rows.csv"], "rows of this model need no earlier ones; leave it out"),
        ("parquet", ["--missing", "?"], "found --missing with no CSV, expected CSV files"),
        ("jsonl", ["--delimiter", ";", "--encoding", "cp1252"], "found --delimiter, --encoding with no CSV"),
    ],
)
def test_options_that_cannot_be_or_would_do_nothing_are_refused(
    echo_record: Record, tmp_path: Path, suffix: str, options: list[str], message: str
) -> None:
    given = scored.write_rows(tmp_path / f"rows.{suffix}", ROWS)
    assert message in scored.refusal(echo_record, given, tmp_path / "out.csv", *options)


def test_options_of_a_csv_with_a_query_are_refused(echo_record: Record, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PIPELINE_LIB_URL_SHOP", f"sqlite:///{tmp_path}/shop.db")
    options = ["--query", "select 1", "--format", "csv", "--missing", "?"]
    message = scored.refusal(echo_record, "shop", tmp_path / "out.csv", *options)
    assert "found --missing, --format with a query, expected CSV files" in message
