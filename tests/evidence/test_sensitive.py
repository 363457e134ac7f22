"""Values of a sensitive raw column appear in no refusal, comparison or page."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OrdinalEncoder

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.edge_answers import EDGE_ANSWERS
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.compare_records import compare_records
from pipeline_lib.parity.result import EDGES
from pipeline_lib.records.layout import FITTED_STATE
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

SECRETS = ("Alma", "Bert", "Celia", "6.5e+303")


def fitted(names: list[str]) -> tuple[Any, pd.DataFrame]:
    frame = pd.DataFrame({"name": names * 4, "size": [float(number) for number in range(4 * len(names))]})
    features = ColumnTransformer([("name", OrdinalEncoder(), ["name"]), ("size", MinMaxScaler(), ["size"])])
    model = Pipeline([("features", features.set_output(transform="pandas")), ("model", LinearRegression())])
    return model.fit(frame, frame["size"]), frame


def compiled(model: Any, frame: pd.DataFrame, *, sensitive: bool = True) -> CompiledPipeline:
    columns = (Column("name", "string", sensitive=sensitive), Column("size", "number", sensitive=sensitive))
    return compile_pipeline(model, like=frame, row=RowSchema(columns))


def record_of(runs: Path, names: list[str], *, sensitive: bool) -> Record:
    model, frame = fitted(names)
    record = create_record(runs, "people")
    exact = compiled(model, frame, sensitive=sensitive)
    exact.save(record.artifact)
    write_evidence(record.evidence, exact, frame, frame["size"], artifact=record.artifact)
    write_fitted_state(record.folder / FITTED_STATE, model)
    names_hidden = ["name", "size"] if sensitive else []
    seal(record, {"status": "finished", "reference": record.reference, "sensitive": names_hidden})
    return record


@pytest.mark.parametrize("sensitive", [True, False])
def test_a_refused_label_is_shown_only_where_it_is_not_sensitive(sensitive: bool) -> None:
    row = {"name": "Celia", "size": 1.0}
    model, frame = fitted(["Alma", "Bert"])
    exact = compiled(model, frame, sensitive=sensitive)
    for predict in (exact.predict_row, exact.trace_row, lambda one: exact.predict([one])):
        with pytest.raises(InputError) as raised:
            predict(row)
        message = str(raised.value)
        assert ("Alma" in message, "Celia" in message, "hidden" in message) == (not sensitive, not sensitive, sensitive)


def test_fitted_labels_are_compared_by_name_alone(tmp_path: Path) -> None:
    for sensitive in (False, True):
        pair = [record_of(tmp_path, names, sensitive=sensitive) for names in (["Alma", "Bert"], ["Alma", "Celia"])]
        text = str(compare_records(*pair))
        assert ("Bert" in text) != sensitive
        assert ("hidden" in text) == sensitive
        assert "artifact/a" in text


def test_a_column_that_only_the_newer_record_marks_sensitive_is_hidden_too(tmp_path: Path) -> None:
    old = record_of(tmp_path, ["Alma", "Bert"], sensitive=False)
    new = record_of(tmp_path, ["Alma", "Celia"], sensitive=True)
    assert not any(secret in str(compare_records(*pair)) for secret in SECRETS for pair in ((old, new), (new, old)))


def test_a_parity_report_shows_no_sensitive_value(tmp_path: Path) -> None:
    texts = []
    for sensitive in (False, True):
        record = record_of(tmp_path, ["Alma", "Bert"], sensitive=sensitive)
        path = record.evidence / "step_00.parquet"
        table = pq.read_table(path)
        numbers = table.column(0).to_numpy().copy()
        numbers[1] += 1.0
        pq.write_table(table.set_column(0, table.schema.field(0), pa.array(numbers)), path)
        edges = pq.read_table(record.evidence / EDGE_ANSWERS)
        pq.write_table(
            edges.set_column(4, edges.schema.field(4), pa.array(["7"] * len(edges))), record.evidence / EDGE_ANSWERS
        )
        seal(record, {"status": "finished", "reference": record.reference})
        found = check_parity(record, variations=["dict", EDGES])
        assert {outcome.variation for outcome in found.of_verdict("different")} >= {"dict", EDGES}
        texts.append(str(found) + (checks_folder(record) / "parity.html").read_text())
    assert "Bert" in texts[0]
    assert "Bert" not in texts[1]
    assert "hidden" in texts[1]
