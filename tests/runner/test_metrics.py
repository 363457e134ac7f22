"""Metrics from the evidence, with probabilities where the module takes them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.rows.frames import schema_of_frame
from pipeline_lib.runner.metrics import metrics_of_evidence


def classified(folder: Path, model: Any) -> Any:
    """A record, as far as metrics read it, of a classifier of four rows."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    target = pd.Series(["no", "no", "yes", "yes"])
    compiled = compile_pipeline(Pipeline([("model", model)]).fit(frame, target), like=frame, row=schema_of_frame(frame))
    write_evidence(folder, compiled, frame, target)
    return SimpleNamespace(evidence=folder), compiled.predict_proba(frame) if hasattr(model, "predict_proba") else None


def first_probability(target: Any, predictions: Any, params: Any, probabilities: Any) -> dict[str, float]:
    assert list(predictions) == list(target)
    return {"first": probabilities[0, 1], "rows": len(probabilities)}


def test_metrics_of_a_classifier_may_ask_for_the_probabilities_that_the_record_keeps(tmp_path: Path) -> None:
    record, expected = classified(tmp_path / "evidence", LogisticRegression())
    module: Any = SimpleNamespace(metrics=first_probability)
    assert metrics_of_evidence(module, record, None) == {"first": expected[0, 1], "rows": 4}


def test_metrics_that_ask_a_pipeline_without_probabilities_are_refused(tmp_path: Path) -> None:
    record, _ = classified(tmp_path / "evidence", Perceptron())
    with pytest.raises(InputError, match="a parameter `probabilities` and a pipeline that gives none"):
        metrics_of_evidence(SimpleNamespace(metrics=first_probability), record, None)  # type: ignore[arg-type]
