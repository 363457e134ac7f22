"""`pipeline-lib drift`: what it takes, what it prints, how it ends."""

import json
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import scored
import watched
from command_line import invoke

from pipeline_lib.answers.log_writer import LogWriter
from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.records.record import Record


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return watched.watched(tmp_path_factory.mktemp("runs"))


def written(folder: Path, rows: pa.Table) -> Path:
    pq.write_table(rows, folder / "rows.parquet")
    return folder / "rows.parquet"


def test_the_headline_is_first_and_the_most_drifted_next(record: Record, tmp_path: Path) -> None:
    data = written(tmp_path, watched.sizes(700, 1, mean=1.0))
    result = invoke("drift", record.folder, data)
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith(f"700 rows of {record.reference}: ")
    assert lines[1].split() == ["column", "verdict", "psi", "p"]
    assert [line.split()[1] for line in lines[2:5]] == ["drifted"] * 3
    assert {line.split()[0] for line in lines[2:5]} == {"size", "prediction", "probability[yes]"}


def test_fail_is_for_scripts(record: Record, tmp_path: Path) -> None:
    drifted = written(tmp_path, watched.sizes(700, 1, mean=1.0))
    assert invoke("drift", record.folder, drifted, "--fail").exit_code == 1
    same = written(tmp_path, watched.sizes(700, 1))
    assert invoke("drift", record.folder, same, "--fail").exit_code == 0


def test_csv_json_lines_and_parquet_give_the_same(record: Record, tmp_path: Path) -> None:
    rows = watched.sizes(300, 1, mean=0.3)
    parquet = written(tmp_path, rows)
    pa_csv.write_csv(rows, tmp_path / "rows.csv")
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows.to_pylist()))
    results = [
        json.loads(invoke("drift", record.folder, path, "--json").output)
        for path in (parquet, tmp_path / "rows.csv", tmp_path / "rows.jsonl")
    ]
    assert results[0] == results[1] == results[2]
    assert results[0]["rows"] == 300


def test_refused_rows_are_counted(record: Record, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size\n" + "0.5\n" * 40 + "many\n" * 20 + "\n" * 0)
    result = json.loads(invoke("drift", record.folder, tmp_path / "rows.csv", "--json").output)
    columns = {each["name"]: each for each in result["columns"]}
    assert (result["rows"], result["refused"]) == (60, 20)
    assert columns["size"]["invalid"] == pytest.approx(1 / 3)
    assert columns["prediction"]["values"] == 40
    assert "20 of the rows are refused" in invoke("drift", record.folder, tmp_path / "rows.csv").output


def test_logged_answers_are_compared_as_they_were_given(record: Record, tmp_path: Path) -> None:
    model = load_model(record.artifact)
    answers = model.predict_table(watched.sizes(500, 1, mean=1.0), outputs=("prediction", "probability"))
    name, _, version = record.reference.partition("/")
    facts = {"record": record.reference, "digest": "d", "left_out": []}
    writer = LogWriter(tmp_path / "log" / name / version, model.row, answers.schema, facts)
    writer.add("one", watched.sizes(500, 1, mean=1.0), answers)
    writer.close()
    logged = json.loads(invoke("drift", record.folder, tmp_path / "log", "--json").output)
    data = written(tmp_path, watched.sizes(500, 1, mean=1.0))
    assert logged == json.loads(invoke("drift", record.folder, data, "--json").output)
    other = watched.watched(tmp_path / "runs")
    error = invoke("drift", other.folder, tmp_path / "log").exception
    assert isinstance(error, InputError)
    assert f"found answers of {record.reference}, expected those of {other.reference}" in str(error)


def test_the_page_is_written(record: Record, tmp_path: Path) -> None:
    data = written(tmp_path, watched.sizes(700, 1, mean=1.0))
    result = invoke("drift", record.folder, data, "--html", tmp_path / "page.html")
    assert f"page: {tmp_path / 'page.html'}" in result.output
    assert "size: drifted" in (tmp_path / "page.html").read_text()
    refused = invoke("drift", record.folder, data, "--html", tmp_path / "no" / "page.html")
    assert isinstance(refused.exception, InputError)
    assert "found no folder" in str(refused.exception)


def test_a_record_without_statistics_says_what_to_do(tmp_path: Path) -> None:
    old = scored.proven(tmp_path / "runs", scored.classifier("no", "yes"))
    data = written(tmp_path, watched.sizes(10))
    for command in (
        ("drift", old.folder, data),
        ("predict", old.folder, data, tmp_path / "o.csv", "--drift", tmp_path / "p.html"),
    ):
        error = invoke(*command).exception
        assert isinstance(error, InputError)
        assert f"{old.reference}: found no statistics.json in its artifact" in str(error)
        assert "`pipeline-lib run echo` makes a record with them" in str(error)
    assert invoke("predict", old.folder, data, tmp_path / "o.csv").exit_code == 0


def test_a_changed_record_and_odd_data_are_refused(record: Record, tmp_path: Path) -> None:
    empty = written(tmp_path, watched.sizes(0))
    assert "found no rows" in str(invoke("drift", record.folder, empty).exception)
    other = written(tmp_path, pa.table({"other": [1.0]}))
    assert "size" in str(invoke("drift", record.folder, other).exception)
    changed = watched.watched(tmp_path / "runs")
    path = changed.artifact / "statistics.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n")
    error = invoke("drift", changed.folder, written(tmp_path, watched.sizes(10))).exception
    assert isinstance(error, DifferenceError)


def test_the_command_that_predict_names_shows_the_same_rows(record: Record, tmp_path: Path) -> None:
    rows = watched.sizes(300, 1, mean=1.0)
    data = tmp_path / "new rows"
    pa_csv.write_csv(rows, data, pa_csv.WriteOptions(delimiter=";"))
    options = ["--format", "csv", "--delimiter", ";", "--missing", "?"]
    said = scored.done(record, data, tmp_path / "out.csv", "--probabilities", *options)
    command = said.splitlines()[-1].split("`")[1]
    words = shlex.split(command)
    assert words[:2] == ["pipeline-lib", "drift"]
    result = invoke(*words[1:-1], tmp_path / "drift.html")
    assert result.exit_code == 0
    assert result.output.splitlines()[0].startswith(said.splitlines()[-1].partition("; `")[0])
