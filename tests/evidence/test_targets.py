"""Several targets in the evidence: kept, read back, measured, and repeated by parity."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny import rows

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.evidence.evidence import read_evidence, write_evidence
from pipeline_lib.evidence.targets import predictions_of, target_of, target_table
from pipeline_lib.parity.check import check_parity
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.metrics import metrics_of_evidence
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, write_atomic

HOUSES = rows()
PRICES = pd.DataFrame({"price": HOUSES["size"] * 3.0, "rent": HOUSES["rooms"] * 2.0 + HOUSES["size"]})
KINDS = np.column_stack(
    [np.where(HOUSES["size"] > 100, "large", "small"), np.where(HOUSES["rooms"] > 4, "many", "few")]
)


def record_of(runs: Path, fitted: Any, target: Any) -> tuple[Record, Any]:
    """A sealed record of a fitted pipeline over the houses, and its compiled pipeline."""
    model = compile_pipeline(fitted, like=HOUSES)
    record = create_record(runs, "several")
    model.save(record.artifact)
    write_evidence(record.evidence, model, HOUSES, target, artifact=record.artifact)
    write_atomic(record.folder / "environment.json", canonical_json(describe_environment()))
    seal(record, {"status": "finished", "reference": record.reference})
    return record, model


@pytest.mark.parametrize(
    ("final", "target"),
    [
        (LinearRegression(), PRICES),
        (LinearRegression(), PRICES[["rent"]]),
        (MultiOutputClassifier(LogisticRegression()), KINDS),
    ],
    ids=["numbers", "one in two dimensions", "classes"],
)
def test_several_targets_are_kept_measured_and_repeated(final: Any, target: Any, tmp_path: Path) -> None:
    fitted = make_pipeline(StandardScaler(), final).fit(HOUSES, target)
    record, model = record_of(tmp_path, fitted, target)
    predictions = predictions_of(read_evidence(record.evidence).outputs)
    assert predictions.shape == np.shape(target)
    assert predictions.tolist() == model.predict(HOUSES).tolist()
    module: Any = SimpleNamespace(metrics=lambda y, p, params: {"equal": float((np.asarray(y) == p).mean())})
    assert metrics_of_evidence(module, record, None) == {"equal": float((np.asarray(target) == predictions).mean())}
    result = check_parity(record)
    assert result.exact, str(result)


def test_another_prediction_of_the_second_target_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(HOUSES, PRICES)
    model = compile_pipeline(fitted, like=HOUSES)
    evaluate = model.evaluate

    def changed(table: Any, **options: Any) -> Any:
        result = evaluate(table, **options)
        wrong = pa.array(np.asarray(result.outputs.column("prediction[1]")) + 1.0)
        index = result.outputs.column_names.index("prediction[1]")
        return type(result)(result.outputs.set_column(index, "prediction[1]", wrong), result.steps)

    record = create_record(tmp_path, "several")
    model.save(record.artifact)
    monkeypatch.setattr(model, "evaluate", changed)
    write_evidence(record.evidence, model, HOUSES, PRICES, artifact=record.artifact)
    write_atomic(record.folder / "environment.json", canonical_json(describe_environment()))
    seal(record, {"status": "finished", "reference": record.reference})
    assert "prediction[1]" in str(check_parity(record))
    assert not check_parity(record).exact


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ([1.0, 2.0], ["target"]),
        (pd.Series([1.0, 2.0], name="price"), ["target"]),
        (np.array([[1.0], [2.0]]), ["target[0]"]),
        (PRICES, ["target[price]", "target[rent]"]),
    ],
)
def test_targets_are_tables(target: Any, names: list[str]) -> None:
    table = target_table(target)
    assert table.column_names == names
    back = target_of(table)
    assert np.array_equal(np.asarray(back), np.asarray(target))
    if len(names) > 1:
        assert list(back.columns) == ["price", "rent"]
