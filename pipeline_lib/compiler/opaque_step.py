"""Making of steps that run through their libraries: stored, loaded again, and checked on the training rows."""

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

    `frame` holds the names of the input columns where the step takes a DataFrame, else None; `results` are the
    dtypes of the columns that each of its methods makes, by their names.
    """

    name: str
    state: bytes
    frame: tuple[str, ...] | None
    results: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, name: str, step: Any, given: Any, made: Mapping[str, Any], library: str) -> "OpaqueStep":
        """The step, after it was loaded again and repeated the rows `given` to what it `made` of them."""
        state = dump_state(step)
        again = load_state(state, library)
        frame = tuple(map(str, given.columns)) if hasattr(given, "columns") else None
        for kind, expected in made.items():
            _check_rows(name, getattr(again, _METHODS[kind]), given, expected)
        results = {
            kind: {column: _dtype(values) for column, values in data_columns(data)} for kind, data in made.items()
        }
        return cls(name, state, frame, results)

    def write(self, columns: Columns, build: Builder) -> dict[str, Columns]:
        """The step as operations of a plan: its columns by kind and name."""
        written = {}
        for kind, dtypes in self.results.items():
            if any(value.dtype in ("vector", "bag") for value in columns.values()):
                raise InputError(f"step {self.name}: found sparse input, expected columns; make its input dense")
            settings: dict[str, Any] = {"step": self.name, "method": _METHODS[kind], "dtypes": list(dtypes.values())}
            settings |= {"names": list(self.frame) if self.frame else None}
            parts = build.apply("opaque", *columns.values(), **settings)
            written[kind] = {
                column: build.apply("opaque_part", parts, place=place, gives=dtype)
                for place, (column, dtype) in enumerate(dtypes.items())
            }
        return written


def _dtype(values: Any) -> str:
    """A column's dtype in the plan, the same for every batch: all numbers are float64."""
    kind = values.dtype.kind if hasattr(values.dtype, "kind") else "O"
    if kind in "fiu":
        return "float64"
    if kind in "bM":
        return "bool" if kind == "b" else "datetime"
    plain = values.tolist() if str(values.dtype) != "category" else values.astype(object).tolist()
    return "str" if any(isinstance(value, str) for value in plain) else "float64"


def _check_rows(name: str, call: Any, given: Any, expected: Any) -> None:
    """Refuse a step that draws numbers, or whose rows affect each other: the same rows, then every second one."""
    half = given.iloc[::2] if hasattr(given, "iloc") else given[::2]
    for data, reference in ((given, data_columns(expected)), (half, [(n, v[::2]) for n, v in data_columns(expected)])):
        for (column, found), (_, wanted) in zip(data_columns(call(data)), reference, strict=True):
            if not _alike(found, wanted):
                raise RefusedStepError(
                    f"step {name}, column {column}: found other values for the same rows "
                    f"{'a second time' if data is given else 'in a smaller batch'}, expected each row to have its "
                    "own; a step that draws numbers, or whose rows affect each other, cannot serve production"
                )


def _alike(found: Any, wanted: Any) -> bool:
    dtype = _dtype(wanted)
    left, right = plan_column(found, dtype), plan_column(wanted, dtype)
    if dtype != "float64":
        return bool(left.tolist() == right.tolist())
    return bool(np.allclose(left, right, rtol=1e-6, atol=1e-9, equal_nan=True))  # BLAS moves last bits; this is larger


def dump_state(fitted: Any) -> bytes:
    """A fitted step in skops format. Raises InputError for what skops cannot store."""
    import skops.io

    try:
        state: bytes = skops.io.dumps(fitted)
    except Exception as error:
        raise InputError(
            f"found a fitted step that skops cannot store ({type(error).__name__}: {error}), expected state "
            "of arrays, numbers, text and exported classes; keep other objects out of the fitted steps"
        ) from error
    return state
