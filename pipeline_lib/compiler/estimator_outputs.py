"""The outputs of an estimator in a plan, by kind: its prediction, probabilities and decision values."""

from collections.abc import Callable, Sequence
from typing import Any

from pipeline_lib.compiled.pipeline import DECISION, PREDICTION, PROBABILITY
from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import Columns
from pipeline_lib.compiler.builder import Builder, Value


def outputs_writer(final: Any) -> Callable[[Columns, Builder], dict[str, list[Value]]]:
    """What writes the outputs of a fitted estimator, by kind; those that it does not have are empty."""

    def write(columns: Columns, build: Builder) -> dict[str, list[Value]]:
        outputs = predict(final, list(columns.values()), build)
        return {
            PREDICTION: list(outputs.prediction),
            PROBABILITY: list(outputs.probability),
            DECISION: list(outputs.decision),
        }

    return write


def prediction_writer(final: Any) -> Callable[[Columns, Builder], Sequence[Value]]:
    """What writes the prediction of a fitted estimator alone."""
    return lambda columns, build: outputs_writer(final)(columns, build)[PREDICTION]
