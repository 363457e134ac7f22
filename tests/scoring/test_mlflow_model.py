"""The model that MLflow loads answers as the record's evidence, without MLflow and without research libraries."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from example import ROOT

from pipeline_lib import InputError, load_model
from pipeline_lib.errors import DifferenceError
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record
from pipeline_lib.release.mlflow_files import write_data
from pipeline_lib.scoring.mlflow_model import MlflowModel, _load_pyfunc

RECORDS = ROOT / "tests" / "data" / "records"
KINDS = {
    "one table": "tiny/20261129T123837487-9fa751",
    "a context": "daily/20261129T123835523-1e2f38",
    "several tables": "customers/20261129T123835677-58f6d9",
    "a classifier": "titanic/20261129T123814406-17fc1e",
}


def read(record: Record, name: str) -> pa.Table:
    return pq.read_table(record.evidence / f"{name}.parquet")


def frame_of(record: Record) -> pd.DataFrame:
    """The rows of the evidence, after the earlier rows that they need."""
    parts = [read(record, "context")] if (record.evidence / "context.parquet").is_file() else []
    return pa.concat_tables([*parts, read(record, "inputs")]).to_pandas()


def loaded(record: Record) -> MlflowModel:
    return MlflowModel(load_model(record.artifact))


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_the_evidence_has_the_same_bits(name: str) -> None:
    record = Record(RECORDS / name)
    expected, frame = read(record, "outputs"), frame_of(record)
    kinds = sorted({column.partition("[")[0] for column in expected.column_names})
    frame.index = pd.Index([f"row {number}" for number in range(len(frame))])
    answers = loaded(record).predict(frame, {"outputs": kinds})
    assert set(answers.columns) == set(expected.column_names)
    assert list(answers.index) == list(frame.index[len(frame) - expected.num_rows :])
    for column in expected.column_names:
        assert answers[column].to_numpy().tobytes() == expected[column].to_numpy().tobytes()


def test_one_bit_more_in_a_row_is_another_answer() -> None:
    record = Record(RECORDS / KINDS["one table"])
    frame = frame_of(record)
    before = loaded(record).predict(frame)
    frame.loc[0, "size"] += 1e-6
    after = loaded(record).predict(frame)
    assert [after.prediction[0] != before.prediction[0], after[1:].equals(before[1:])] == [True, True]


def test_dates_may_be_text_as_json_has_them() -> None:
    record = Record(RECORDS / KINDS["a context"])
    frame = frame_of(record)
    text = frame.assign(day=frame["day"].map(lambda day: day.isoformat()))
    assert isinstance(text["day"].iloc[0], str)
    pd.testing.assert_frame_equal(loaded(record).predict(text), loaded(record).predict(frame))
    text.loc[1, "day"] = "the day after"
    with pytest.raises(InputError, match="day: found 'the day after'"):
        loaded(record).predict(text)


def test_too_few_earlier_rows_are_refused() -> None:
    record = Record(RECORDS / KINDS["a context"])
    with pytest.raises(InputError, match="found 3 rows, expected more than 3"):
        loaded(record).predict(frame_of(record)[:3])


@pytest.mark.parametrize(
    ("rows", "params", "message"),
    [
        ([[1.0]], None, "found list, expected a DataFrame"),
        (pd.DataFrame(), {"outputs": ["nothing"]}, "found the outputs nothing, expected some of prediction"),
        (pd.DataFrame(), {"outputs": []}, "found the outputs none"),
        (pd.DataFrame({"size": [1.0]}), None, "rooms"),
    ],
)
def test_what_cannot_be_answered_is_refused(rows: Any, params: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loaded(Record(RECORDS / KINDS["one table"])).predict(rows, params)


def test_a_child_value_of_another_kind_is_refused_without_its_value() -> None:
    record = Record(RECORDS / KINDS["several tables"])
    frame = frame_of(record)
    frame["purchases.dollars"] = [["much"] * len(values) for values in frame["purchases.dollars"]]
    with pytest.raises(InputError, match=r"purchases\.dollars: found a value of another kind") as caught:
        loaded(record).predict(frame)
    assert "much" not in str(caught.value)


def test_a_changed_file_is_not_loaded(tmp_path: Path) -> None:
    record = Record(RECORDS / KINDS["one table"])
    write_data(record, tmp_path, Project(ROOT, "pipeline_lib", ROOT / "nbs", ROOT / "params", ROOT / "runs"))
    assert len(_load_pyfunc(str(tmp_path)).predict(frame_of(record))) == read(record, "outputs").num_rows
    description = tmp_path / "artifact" / "artifact.json"
    description.write_bytes(description.read_bytes() + b" ")
    with pytest.raises(DifferenceError, match=r"artifact\.json: found other bytes .*download the model again"):
        _load_pyfunc(str(tmp_path))


def test_the_loader_needs_no_research_library() -> None:
    code = (
        "import sys; import pipeline_lib.scoring.mlflow_model; "
        "print(sorted({'sklearn', 'pandas', 'mlflow', 'pipeline_lib.compiler'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    assert done.stdout.strip() == "[]"
