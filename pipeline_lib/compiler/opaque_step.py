"""Opaque steps, made at compile time: a fitted step is stored, loaded again and checked on the training rows.

`compiled.opaque` runs them in production.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.library_columns import data_columns, plan_column
from pipeline_lib.compiled.opaque import load_state
from pipeline_lib.compiler.adapters.registry import Columns, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_METHODS = {
    "transform": "transform",
    "prediction": "predict",
    "probability": "predict_proba",
    "decision": "decision_function",
}


@dataclass(frozen=True)
class OpaqueStep:
    """A fitted step that its library evaluates.

    `state` is the step in skops format. `frame` holds the names of the input columns where the step takes a
    DataFrame, else None; `results` are the dtypes of the output columns, by kind of output and name.
    """

    name: str
    state: bytes
    frame: tuple[str, ...] | None
    results: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, name: str, step: Any, data: Any, outputs: Mapping[str, Any], library: str) -> "OpaqueStep":
        """Store a fitted step; loaded again, it must repeat its `outputs` (by kind) on the rows `data`."""
        state = dump_state(step)
        loaded = load_state(state, library)
        frame = tuple(map(str, data.columns)) if hasattr(data, "columns") else None
        for kind, expected in outputs.items():
            _check_rows(name, getattr(loaded, _METHODS[kind]), data, expected)
        results = {
            kind: {column: _dtype(values) for column, values in data_columns(output)}
            for kind, output in outputs.items()
        }
        return cls(name, state, frame, results)

    def write(self, columns: Columns, build: Builder) -> dict[str, Columns]:
        """Write the step as operations of a plan; returns its output columns by kind and name."""
        written = {}
        for kind, dtypes in self.results.items():
            if any(value.dtype in ("vector", "bag") for value in columns.values()):
                raise InputError(f"step {self.name}: found sparse input, expected columns; make its input dense")
            parts = build.opaque(
                *columns.values(),
                step=self.name,
                method=_METHODS[kind],
                dtypes=list(dtypes.values()),
                names=list(self.frame) if self.frame else None,
            )
            written[kind] = {
                column: build.opaque_part(parts, index=index, gives=dtype)
                for index, (column, dtype) in enumerate(dtypes.items())
            }
        return written


def _dtype(values: Any) -> str:
    """A column's dtype in the plan: all numbers are float64, so that it is the same for every batch."""
    kind = values.dtype.kind if hasattr(values.dtype, "kind") else "O"
    if kind in "fiu":
        return "float64"
    if kind in "bM":
        return "bool" if kind == "b" else "datetime"
    plain = values.tolist() if str(values.dtype) != "category" else values.astype(object).tolist()
    return "str" if any(isinstance(value, str) for value in plain) else "float64"


def _check_rows(name: str, call: Any, data: Any, expected: Any) -> None:
    """Refuse a step that draws random numbers, or whose rows affect each other.

    The step is called again on the same rows, and on every second row.
    """
    half = data.iloc[::2] if hasattr(data, "iloc") else data[::2]
    for rows, reference in ((data, data_columns(expected)), (half, [(n, v[::2]) for n, v in data_columns(expected)])):
        for (column, values), (_, wanted) in zip(data_columns(call(rows)), reference, strict=True):
            if not _close(values, wanted):
                raise RefusedStepError(
                    f"step {name}, column {column}: found other values for the same rows "
                    f"{'a second time' if rows is data else 'in a smaller batch'}, expected each row to have its "
                    "own; a step that draws numbers, or whose rows affect each other, cannot serve production"
                )


def _close(values: Any, wanted: Any) -> bool:
    dtype = _dtype(wanted)
    left, right = plan_column(values, dtype), plan_column(wanted, dtype)
    if dtype != "float64":
        return bool(left.tolist() == right.tolist())
    # BLAS changes last bits with the shape of a batch; other rows or random numbers change far more
    return bool(np.allclose(left, right, rtol=1e-6, atol=1e-9, equal_nan=True))


def dump_state(fitted: Any) -> bytes:
    """A fitted step in skops format. Raises InputError for state that skops cannot store."""
    import skops.io

    try:
        state: bytes = skops.io.dumps(fitted)
    except Exception as error:
        raise InputError(
            f"found a fitted step that skops cannot store ({type(error).__name__}: {error}), expected state "
            "of arrays, numbers, text and exported classes; keep other objects out of the fitted steps"
        ) from error
    return state
