"""The business value of predictions, row by row, by the pipeline module's own `value`.

A pipeline module may export

    VALUE_UNIT = "dollars"

    def value(target, predictions, rows, params, probabilities=None):
        return np.where(predictions == 1, target * params.business.response - params.business.mailing, 0.0)

More is better. The value of a row must depend on that row alone: comparisons, segments and totals take rows apart.
That is tested by evaluating it on parts of the rows too.
"""

import inspect
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import Evidence, read_evidence
from pipeline_lib.evidence.targets import predictions_of, target_of
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_value import RecordedValue
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import to_pipeline_input
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.metrics import probabilities_of

_MOST_UNIT = 40
"""Letters of a unit: it is printed behind every amount."""
_TOLERANCE = 1e-9
"""Relative difference of a value in another batch: NumPy's vectorised functions may differ by a few ULPs there."""
_ARGUMENTS = ("target", "predictions", "rows", "params")


def value_of(
    module: types.ModuleType,
    target: Any,
    predictions: Any,
    rows: Any,
    params: Any,
    probabilities: Any = None,
) -> NDArray[np.float64] | None:
    """The value of each prediction, shape (rows,), float64, more is better; None where the module exports no `value`.

    `target` (Series, or DataFrame of several targets), `predictions` and `probabilities` (rows x classes) are as
    `metrics` gets them; `rows` are the raw rows in the same order: a DataFrame, a mapping of DataFrames where `Row` is
    `Tables`, or a conformed Arrow table. Raises InputError for a `value` or `VALUE_UNIT` that is wrong, and for a value
    of a row that other rows change.

        worth = value_of(houses, target, predictions, rows, params)
        worth.mean(), unit_of(houses)
    """
    if not _exports_value(module):
        return None
    unit_of(module)
    batch = _batch(module, target, predictions, rows, probabilities)
    values = _evaluate(module, params, batch)
    _check_parts(module, params, batch, values)
    return values


def unit_of(module: types.ModuleType) -> str:
    """The module's VALUE_UNIT, such as `dollars`. Raises InputError where it is no short text, or there is none."""
    unit = getattr(module, "VALUE_UNIT", None)
    if not isinstance(unit, str) or not unit.strip() or len(unit) > _MOST_UNIT or not unit.isprintable():
        raise InputError(
            f"VALUE_UNIT: found {unit!r}, expected the unit of `value` as a text of 1 to {_MOST_UNIT} letters, such as "
            'VALUE_UNIT = "dollars"; write it in the cell of `value` and run `pipeline-lib export`'
        )
    return unit.strip()


def value_of_evidence(module: types.ModuleType, record: Record, params: Any) -> RecordedValue | None:
    """The value of a record's predictions on its evidence; None where the module exports no `value`.

    Raises InputError as `value_of` does, and for a total that is not finite.
    """
    if not _exports_value(module):
        return None
    evidence = read_evidence(record.evidence)
    values = values_of_evidence(module, evidence, params)
    return None if values is None else summarised(values, unit_of(module))


def values_of_evidence(
    module: types.ModuleType,
    evidence: Evidence,
    params: Any,
    instead: tuple[NDArray[Any], NDArray[np.float64] | None] | None = None,
) -> NDArray[np.float64] | None:
    """`value_of` on evidence: of the record's predictions, or of other ones (and probabilities) `instead`."""
    predictions, probabilities = instead or (predictions_of(evidence.outputs), probabilities_of(evidence.outputs))
    return value_of(module, target_of(evidence.target), predictions, evidence.inputs, params, probabilities)


def summarised(values: NDArray[np.float64], unit: str) -> RecordedValue:
    """Mean and total of values. Raises InputError where they are beyond float64."""
    with np.errstate(over="ignore"):
        mean, total = float(values.mean()), float(values.sum())
    if not np.isfinite((mean, total)).all():
        raise InputError(f"value: found a total of {total}, expected a finite number; correct the unit or the rows")
    return RecordedValue(unit, mean, total, len(values))


def _exports_value(module: types.ModuleType) -> bool:
    function = getattr(module, "value", None)
    if function is None:
        return False
    names = list(inspect.signature(function).parameters) if callable(function) else []
    if tuple(names[:4]) != _ARGUMENTS or names[4:] not in ([], ["probabilities"]):
        raise InputError(
            f"value: found the arguments ({', '.join(names)}), expected value(target, predictions, rows, params, "
            "probabilities=None); correct it in the pipeline notebook and run `pipeline-lib export`"
        )
    return True


@dataclass(frozen=True)
class _Batch:
    """What `value` is called with; `rows` as a conformed table, so that a part of several tables can be taken."""

    target: Any
    predictions: NDArray[Any]
    rows: pa.Table
    probabilities: NDArray[np.float64] | None
    schema: RowSchema

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def take(self, numbers: NDArray[np.int64]) -> "_Batch":
        probabilities = None if self.probabilities is None else self.probabilities[numbers]
        target = self.target.iloc[numbers].reset_index(drop=True)
        return _Batch(target, self.predictions[numbers], self.rows.take(pa.array(numbers)), probabilities, self.schema)


def _batch(module: types.ModuleType, target: Any, predictions: Any, rows: Any, probabilities: Any) -> _Batch:
    import pandas as pd

    schema = schema_of(module.Row)
    table = rows if isinstance(rows, pa.Table) else conform(rows, schema)
    if isinstance(target, pd.Series | pd.DataFrame):
        target = target.reset_index(drop=True)
    else:
        target = pd.DataFrame(target) if np.ndim(target) == 2 else pd.Series(target)
    answers = np.asarray(predictions)
    chances = None if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    lengths = {"target": len(target), "predictions": len(answers), "rows": table.num_rows}
    lengths |= {} if chances is None else {"probabilities": len(chances)}
    if len(set(lengths.values())) > 1 or not len(target):
        found = ", ".join(f"{count:,} of {name}" for name, count in lengths.items())
        raise InputError(f"value: found {found}, expected as many of each and at least one; pass the same rows")
    return _Batch(target, answers, table, chances, schema)


def _evaluate(module: types.ModuleType, params: Any, batch: _Batch) -> NDArray[np.float64]:
    """Call the module's `value` with copies, and check what it returns."""
    options = {}
    parameter = inspect.signature(module.value).parameters.get("probabilities")
    if parameter is not None and batch.probabilities is None and parameter.default is inspect.Parameter.empty:
        raise InputError(
            "value: found a parameter `probabilities` and a pipeline that gives none, expected a classifier with "
            "predict_proba as the last step; remove the parameter, or write probabilities=None"
        )
    if parameter is not None:
        options["probabilities"] = None if batch.probabilities is None else batch.probabilities.copy()
    rows = to_pipeline_input(batch.rows, batch.schema)
    result = module.value(batch.target.copy(), batch.predictions.copy(), rows, params, **options)
    return _checked(result, len(batch))


def _checked(result: Any, rows: int) -> NDArray[np.float64]:
    if isinstance(result, Mapping) or result is None:
        shape, values = f"a {type(result).__name__}", None
    else:
        values = np.asarray(result)
        shape = f"shape {values.shape}, dtype {values.dtype}"
    if values is None or values.shape != (rows,) or values.dtype.kind not in "iuf":
        raise InputError(
            f"value: found {shape}, expected a number for each row, shape ({rows},), dtype float64; return one array "
            "of amounts, not their mean"
        )
    numbers: NDArray[np.float64] = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        wrong = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise InputError(
            f"value: found {numbers[wrong]} in row {wrong}, expected finite numbers; say in `value` what a row is "
            "worth where something is missing or zero"
        )
    return numbers


def _check_parts(module: types.ModuleType, params: Any, batch: _Batch, values: NDArray[np.float64]) -> None:
    """Refuse a value of a row that is another one when other rows are in the batch, or in another order."""
    count = len(batch)
    parts = [np.arange(count)[::2], np.arange(count)[: -(count // 3) - 1 : -1], np.arange(1)] if count > 1 else []
    scale = max(float(np.abs(values).max()), np.finfo(np.float64).tiny)
    for numbers in parts:
        where = f"on {len(numbers):,} of the {count:,} rows alone"
        try:
            again = _evaluate(module, params, batch.take(numbers))
        except Exception as error:
            raise InputError(
                f"value: found {type(error).__name__}: {error}, {where}, expected a value of each row that needs no "
                "other row; take sums, means and checks over all rows out of `value`"
            ) from error
        different = ~np.isclose(again, values[numbers], rtol=_TOLERANCE, atol=_TOLERANCE * scale)
        if different.any():
            row = int(numbers[np.flatnonzero(different)[0]])
            raise InputError(
                f"value: found {again[different][0]:.6g} for row {row} {where}, and {values[row]:.6g} among all, "
                "expected a value that depends on its own row only; take sums, means and ranks over the rows out of "
                "`value`, and put constants into the parameters"
            )
