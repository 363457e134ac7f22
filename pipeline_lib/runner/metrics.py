"""The metrics of a run, computed by the pipeline module's own `metrics` from the evidence that the record keeps."""

import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.evidence.targets import predictions_of, target_of
from pipeline_lib.records.record import Record


def metrics_of_evidence(module: types.ModuleType, record: Record, params: Any) -> dict[str, float]:
    """The module's metrics on a record's target and predictions: of several targets a DataFrame and an array.

    A `metrics` with a parameter `probabilities` gets them too (float64, rows x classes, as from `predict_proba`).
    Raises InputError for probabilities that the pipeline does not give, and for a metric that is no finite number.
    """
    evidence = read_evidence(record.evidence)
    target, predictions = target_of(evidence.target), predictions_of(evidence.outputs)
    computed = computed_metrics(module, target, predictions, params, lambda: _needed_probabilities(evidence.outputs))
    return {name: finite_metric(name, value) for name, value in computed.items()}


def computed_metrics(
    module: types.ModuleType, target: Any, predictions: Any, params: Any, probabilities: Callable[[], Any]
) -> dict[str, Any]:
    """What the module's `metrics` returns; it gets probabilities if it has a parameter for them."""
    needed = "probabilities" in inspect.signature(module.metrics).parameters
    options = {"probabilities": probabilities()} if needed else {}
    return dict(module.metrics(target, predictions, params, **options))


def probabilities_of(outputs: Any) -> np.ndarray[Any, Any] | None:
    """The probabilities among a pipeline's outputs, float64, rows x classes; None where it gives none."""
    columns = [outputs.column(name).to_numpy() for name in outputs.column_names if name.startswith("probability")]
    return np.column_stack(columns) if columns else None


def _needed_probabilities(outputs: Any) -> np.ndarray[Any, Any]:
    probabilities = probabilities_of(outputs)
    if probabilities is None:
        raise InputError(
            "metrics: found a parameter `probabilities` and a pipeline that gives none, expected a classifier with "
            "predict_proba as the last step; remove the parameter, or change the estimator"
        )
    return probabilities


def finite_metric(name: str, value: Any) -> float:
    """A metric's value as a float; InputError where it is no finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"metrics: {name}: found {value!r}, expected a finite number")
    return number
