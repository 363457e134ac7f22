"""What of a record goes to MLflow, and what is refused before anything is sent."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import invoke
from example import ROOT
from small_records import sealed_run
from tiny import small_record

from pipeline_lib import InputError, load_model
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal
from pipeline_lib.records.transfer import SensitiveError
from pipeline_lib.release.mlflow_files import Contents, check_loggable, write_pages
from pipeline_lib.release.mlflow_log import _LONGEST, Target, _shortened, log_record

PROJECT = Project(ROOT, "pipeline_lib", ROOT / "nbs", ROOT / "params", ROOT / "runs")
TITANIC = next((ROOT / "tests" / "data" / "records" / "titanic").iterdir())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_pages_and_facts_are_logged_and_rows_only_on_request(tmp_path: Path) -> None:
    record = Record(TITANIC)
    write_pages(record, tmp_path / "record", Contents())
    assert {"report.html", "params.yml", "metrics.json", "compile.json", "manifest.json"} <= names(tmp_path / "record")
    assert not {"evidence", "notebook.ipynb", "columns.json", "learned.parquet"} & names(tmp_path / "record")
    write_pages(record, tmp_path / "all", Contents(include_rows=True))
    assert names(tmp_path / "all") - names(tmp_path / "record") == {"evidence", "notebook.ipynb"}


def test_rows_with_sensitive_fields_are_asked_for_twice(tmp_path: Path) -> None:
    record = small_record(tmp_path / "runs", sensitive="size")
    record = sealed_again(record)
    with pytest.raises(SensitiveError, match="rows with the sensitive fields size"):
        check_loggable(record, Contents(include_rows=True))
    check_loggable(record, Contents(include_rows=True, include_sensitive=True))
    check_loggable(record, Contents())


def test_an_artifact_that_may_hold_sensitive_values_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sealed_again(small_record(tmp_path / "runs", sensitive="size"))
    write_pages(record, tmp_path / "record", Contents())  # numbers that a scaler learned are no values of a row
    assert "evidence" not in names(tmp_path / "record")
    monkeypatch.setattr("pipeline_lib.records.without_rows.sensitive_files", lambda record: ["artifact: words"])
    (tmp_path / "again").mkdir()
    with pytest.raises(SensitiveError, match="artifact: words"):
        write_pages(record, tmp_path / "again" / "record", Contents())


def sealed_again(record: Record) -> Record:
    """The record with the sensitive fields in its manifest, as a run seals it."""
    manifest = {key: value for key, value in record.manifest().items() if key not in ("files", "digest", "format")}
    (record.folder / "manifest.json").unlink()
    seal(record, manifest | {"sensitive": ["size"], "hashes": {}, "times": {}, "git": None, "error": None})
    return record


def test_a_run_that_failed_or_is_damaged_is_refused(tmp_path: Path) -> None:
    failed = sealed_run(tmp_path, status="failed")
    with pytest.raises(InputError, match="found a run that is failed, expected a finished one"):
        check_loggable(failed, Contents())
    damaged = sealed_run(tmp_path)
    (damaged.folder / "params.json").write_text('{"changed": 1}')
    with pytest.raises(InputError, match=r"params\.json"):
        check_loggable(damaged, Contents())


def test_an_address_with_a_password_is_refused_without_it() -> None:
    with pytest.raises(InputError, match="found a password") as caught:
        log_record(Record(TITANIC), PROJECT, Target("http://anna:s3cret@127.0.0.1:1", "x"), Contents())
    assert "s3cret" not in str(caught.value)


def test_the_command_asks_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = invoke("mlflow", "log", TITANIC, project=PROJECT)
    assert isinstance(result.exception, InputError)
    assert "expected --tracking-uri or MLFLOW_TRACKING_URI" in str(result.exception)


def test_a_long_parameter_says_where_the_whole_one_is() -> None:
    assert _shortened("x" * _LONGEST) == "x" * _LONGEST
    cut = _shortened("x" * (_LONGEST + 1))
    assert (len(cut), cut[-30:]) == (_LONGEST, "xxx… (whole in record/params.json)"[-30:])


SIGNATURE = """
import sys, warnings
warnings.simplefilter("ignore")
from pipeline_lib import load_model
from pipeline_lib.release.mlflow_signature import signature_of
signature = signature_of(load_model(sys.argv[1]))
print(*(f"{each.name}:{each.type}" for each in signature.inputs), *(each.type.name for each in signature.outputs))
"""


def test_the_signature_converts_no_value_silently() -> None:
    artifact = next((ROOT / "tests" / "data" / "records" / "customers").iterdir()) / "artifact"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SIGNATURE, str(artifact)], capture_output=True, text=True, check=True
    )
    kinds = {column.name: column.kind for column in load_model(artifact).row.columns}
    assert kinds == {"customer": "integer", "age": "number"}
    assert done.stdout.split() == [
        "customer:Any",
        "age:DataType.double",
        "purchases.dollars:Array(Any)",
        "purchases.kind:Array(Any)",
        "purchases.at:Array(Any)",
        "double",
    ]
