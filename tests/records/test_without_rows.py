"""`push --without-rows`: no byte of a row leaves, the record stays whole, and a clone can use and verify the copy."""

import shutil
import struct
from pathlib import Path

import pandas as pd
import pytest
from command_line import invoke
from harbours import git, repository
from planted import WORD, copied, holding, planted_record
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from pipeline_lib import load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence, write_evidence
from pipeline_lib.parity.check import check_parity
from pipeline_lib.project.project import Project
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.learned_values import sensitive_files
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.records.transfer import pull, push
from pipeline_lib.records.without_rows import push_without_rows
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with a planted record whose field `size` is sensitive, made once."""
    runs = tmp_path_factory.mktemp("made") / "runs"
    planted_record(runs, sensitive="size")
    return runs


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


@pytest.fixture
def record(anna: Project, made: Path) -> Record:
    return copied(made, anna.runs)


def forms(record: Record) -> list[bytes]:
    """Every sensitive value of the evidence, as text and as bytes, and the planted word."""
    sizes = read_evidence(record.evidence).inputs.column("size").to_pylist()
    return [WORD.encode(), *(repr(size).encode() for size in sizes), *(struct.pack("<d", size) for size in sizes)]


def test_no_sensitive_value_is_in_any_byte_and_the_record_stays_whole(anna: Project, record: Record) -> None:
    store = anna.root.parent / "store"
    before = {path: path.read_bytes() for path in record.folder.rglob("*") if path.is_file()}
    planted = forms(record)
    assert {"notebook.ipynb", "report.html", "columns.json", "snapshots/s.parquet"} <= set(
        holding(record.folder, *planted)
    )
    with pytest.raises(InputError, match="--include-sensitive"):
        push(record, str(store))
    said = invoke("push", "tiny", "--without-rows", project=anna).output
    assert said == f"pushed without rows to file://{store}/{record.reference}\n"
    assert holding(store, *planted) == []
    assert {path: path.read_bytes() for path in record.folder.rglob("*") if path.is_file()} == before
    assert (store / record.reference / "report.html").is_file()
    assert not (store / record.reference / "learned.parquet").exists()


def test_a_clone_pulls_and_verifies_the_copy_and_is_told_what_is_missing(anna: Project, record: Record) -> None:
    store = str(anna.root.parent / "store")
    push_without_rows(record, store)
    theirs = anna.root.parent / "theirs"
    copy = pull("tiny", store, theirs)
    assert verify(copy) == []
    forgotten = forgotten_in(copy.manifest())
    assert forgotten
    assert forgotten.seal == record.manifest()["digest"]
    assert (forgotten.when, forgotten.by) == ("", "")
    frame = read_evidence(record.evidence).inputs.to_pandas()
    assert load_model(copy.artifact).predict(frame).tolist() == load_model(record.artifact).predict(frame).tolist()
    with pytest.raises(InputError, match="this copy was pushed without rows; found no rows, expected them to repeat"):
        check_parity(copy)
    with pytest.raises(InputError, match="found this record with its rows, expected none or the same"):
        pull("tiny", store, anna.runs)


def test_a_second_push_sends_nothing_and_a_whole_one_is_told(anna: Project, record: Record) -> None:
    store = str(anna.root.parent / "store")
    sent: list[str] = []
    address = push_without_rows(record, store, progress=sent.append)
    assert sent
    sent.clear()
    assert push_without_rows(record, store, progress=sent.append) == address
    assert sent == []
    (Path(store) / record.reference / "metrics.json").unlink()
    push_without_rows(record, store, progress=sent.append)
    assert "metrics.json" in sent
    with pytest.raises(InputError, match="found this record without its rows, expected none"):
        push(record, store, include_sensitive=True)
    shutil.rmtree(Path(store) / "tiny")
    push(record, store, include_sensitive=True)
    with pytest.raises(InputError, match="found this record with its rows, expected none"):
        push_without_rows(record, store)


def test_a_damaged_record_is_not_pushed(anna: Project, record: Record) -> None:
    (record.folder / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match=r"metrics\.json: found other bytes"):
        push_without_rows(record, str(anna.root.parent / "store"))
    assert git(anna.root, "status", "--porcelain") == ""


def named_record(runs: Path, *, sensitive: bool, listed: bool = False) -> Record:
    """A record whose pipeline learns the words of a column that may be sensitive."""
    frame = pd.DataFrame({"town": ["Paris", "Oslo", "Rome", "Oslo"] * 3, "rooms": [1.0, 2.0, 3.0, 4.0] * 3})
    target = frame["rooms"] * 2 + (frame["town"] == "Oslo")
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encode = ColumnTransformer([("town", encoder, ["town"])], remainder="passthrough")
    fitted = Pipeline([("encode", encode), ("model", LinearRegression())]).fit(frame, target)
    allowed = ("Oslo", "Paris", "Rome") if listed else None
    row = RowSchema((Column("town", "string", sensitive=sensitive, allowed=allowed), Column("rooms", "number")))
    model = compile_pipeline(fitted, like=frame, row=row)
    record = create_record(runs, "towns")
    model.save(record.artifact)
    write_evidence(record.evidence, model, frame, target, artifact=record.artifact)
    fields = ["town"] if sensitive else []
    seal(record, {"status": "finished", "reference": record.reference, "sensitive": fields, "hashes": {}})
    return record


def test_words_that_a_step_learned_from_a_sensitive_field_need_the_option(anna: Project) -> None:
    store = str(anna.root.parent / "store")
    record = named_record(anna.runs, sensitive=True)
    assert sensitive_files(record) == ["artifact: 3 words that a step has learned"]
    with pytest.raises(InputError, match=r"3 words that a step has learned, which may be values of .* town"):
        push_without_rows(record, store)
    assert list(Path(store).rglob("*.json")) == []
    push_without_rows(record, store, include_sensitive=True)
    with pytest.raises(InputError, match="--include-sensitive"):
        pull("towns", store, anna.root.parent / "theirs")
    assert sensitive_files(named_record(anna.runs, sensitive=False)) == []
    assert sensitive_files(named_record(anna.runs, sensitive=True, listed=True)) == []


def numbered_record(runs: Path, *, allowed: tuple[int, ...] | None = None, coded: bool = True) -> Record:
    """A record whose sensitive column is a number that is one-hot encoded, or only scaled."""
    frame = pd.DataFrame({"code": [75001, 75011, 75013, 75011] * 3, "rooms": [1.0, 2.0, 3.0, 4.0] * 3})
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encode = ColumnTransformer([("code", encoder, ["code"] if coded else [])], remainder="passthrough")
    fitted = Pipeline([("encode", encode), ("model", LinearRegression())]).fit(frame, frame["rooms"] * 2)
    row = RowSchema((Column("code", "integer", sensitive=True, allowed=allowed), Column("rooms", "number")))
    model = compile_pipeline(fitted, like=frame, row=row)
    record = create_record(runs, "codes")
    model.save(record.artifact)
    write_evidence(record.evidence, model, frame, frame["rooms"], artifact=record.artifact)
    seal(record, {"status": "finished", "reference": record.reference, "sensitive": ["code"], "hashes": {}})
    return record


def test_numbers_of_a_sensitive_field_that_a_table_holds_are_counted(anna: Project) -> None:
    found = sensitive_files(numbered_record(anna.runs))
    assert found == ["artifact: 3 numbers of a table that a step has learned"]
    assert sensitive_files(numbered_record(anna.runs, allowed=(75001, 75011, 75013))) == []
    assert sensitive_files(numbered_record(anna.runs, coded=False)) == []


def test_the_values_of_a_query_go_with_the_rows(anna: Project, record: Record) -> None:
    manifest = record.manifest()
    manifest["snapshots"][0]["parameters"] = {"person": WORD}
    files = {key: value for key, value in manifest.items() if key not in ("files", "digest", "format")}
    seal(record, files)
    push_without_rows(record, str(anna.root.parent / "store"))
    assert holding(anna.root.parent / "store", WORD.encode()) == []
    pushed = (anna.root.parent / "store" / record.reference / "manifest.json").read_text()
    assert '"person":"removed"' in pushed.replace(" ", "")
