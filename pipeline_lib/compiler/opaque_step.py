"""Opaque steps, made at compile time: a fitted step is stored, loaded again and checked on the training rows.

`compiled.opaque` runs them in production.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from pipeline_lib.compiled.library_columns import pandas_frame, plan_column
from pipeline_lib.compiled.opaque import OpaqueRunner
from pipeline_lib.compiled.opaque_input import OBJECT_BOOL, OBJECT_DATE, OBJECT_NONE, result_columns
from pipeline_lib.compiled.opaque_state import load_state
from pipeline_lib.compiled.operations.opaque import SAME_SHAPE, SAME_SINGLE
from pipeline_lib.compiler.adapters.inputs import split_columns
from pipeline_lib.compiler.adapters.registry import Columns, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.edge_batches import take
from pipeline_lib.compiler.library_answers import METHODS as OUTPUT_METHODS
from pipeline_lib.compiler.opaque_dump import dump_state
from pipeline_lib.compiler.opaque_shapes import block_of
from pipeline_lib.errors import InputError

METHODS = ("transform", *OUTPUT_METHODS.values())


@dataclass(frozen=True)
class Loading:
    """What a caller admits in the state of opaque steps: its own package, and packages that it trusts."""

    library: str = "pipeline_lib"
    trust: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpaqueStep:
    """A fitted step that its library evaluates: `state` is the step as it is stored, `loaded` as production has it.

    `given` are the settings that describe its input; `results` are the dtypes of the output columns by method and
    name, `blocks` how many rows each method takes at once; `single` are the methods that answer in float32.
    """

    name: str
    state: bytes
    loaded: Any
    given: Mapping[str, Any]
    width: int
    results: Mapping[str, Mapping[str, str]]
    blocks: Mapping[str, int | None]
    single: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, step: Any, data: Any, loading: Loading, methods: Sequence[str] = METHODS) -> "OpaqueStep":
        """Store a fitted step; loaded again, it must repeat its answers for the rows `data`, whatever the batch.

        `methods` are those that production calls, as far as the step has them.

        Raises InputError for what cannot be stored, or is not admitted, and RefusedStepError for a step that gives
        other answers.
        """
        given = describe_input(data)
        _check_categories(given)
        state = dump_state(step, loading.library)
        loaded = load_state(state, loading.library, loading.trust, name=name)
        results, blocks, single = {}, {}, set()
        for method in methods:
            if not hasattr(step, method):
                continue
            output = pandas_frame(getattr(step, method)(data.copy()))
            _check_answers(name, getattr(loaded, method), data, output)
            results[method] = result_dtypes(method, data, output)
            if any(_is_single(values) for _, values in result_columns(_dense(output))):
                single.add(method)
            blocks[method] = block_of(getattr(loaded, method), data, list(results[method].values()))
        width = 1 if data.ndim == 1 else data.shape[1]
        return cls(name, state, loaded, given, width, results, blocks, frozenset(single))

    def write(self, method: str, columns: Columns, build: Builder) -> Columns:
        """Write one method of the step as operations of a plan; returns its output columns by name."""
        values = list(columns.values())
        if "names" in self.given and self.given["form"] not in ("csr", "csc"):
            values = split_columns(values, build)
        if sum(value.width for value in values) != self.width:
            raise InputError(
                f"step {self.name}: found {sum(value.width for value in values)} columns, expected {self.width}"
            )
        dtypes = self.results[method]
        wide = list(dtypes.values()) == ["bag"]
        options = {"block": self.blocks[method], "width": int(next(iter(dtypes))) if wide else None}
        options["single"] = True if method in self.single else None
        given = {**self.given, **{key: value for key, value in options.items() if value is not None}}
        parts = build.apply("opaque", *values, step=self.name, method=method, dtypes=list(dtypes.values()), **given)
        more = {"width": given["width"]} if wide else {}
        return {
            column: build.apply("opaque_part", parts, place=index, gives=dtype, **more)
            for index, (column, dtype) in enumerate(dtypes.items())
        }

    def runner(self, settings: Mapping[str, Any], dtypes: Sequence[str]) -> OpaqueRunner:
        """The runner of an operation of this step, while it is compiled."""
        return OpaqueRunner(self.loaded, settings, dtypes)


def describe_input(data: Any) -> dict[str, Any]:
    """The settings that describe a step's input, as `compiled.opaque_input` reads them."""
    if hasattr(data, "tocsr"):
        return {"names": None, "form": "csc" if data.format == "csc" else "csr", "kinds": [str(data.dtype)]}
    if not hasattr(data, "iloc"):
        return {"names": None, "form": "values" if data.ndim == 1 else "array", "kinds": [_array_kind(data)]}
    series = [column for _, column in data.items()] if data.ndim == 2 else [data]
    kinds = [_kind(each) for each in series]
    given: dict[str, Any] = {
        "names": [str(each.name) for each in series] if data.ndim == 2 or data.name is not None else [],
        "form": "frame" if data.ndim == 2 else "series",
        "kinds": kinds,
    }
    if "category" in kinds:
        given["categories"] = [
            [bool(each.dtype.ordered), each.dtype.categories.tolist()] if kind == "category" else None
            for each, kind in zip(series, kinds, strict=True)
        ]
    return given


def _check_categories(given: Mapping[str, Any]) -> None:
    """Refuse categories that an artifact, which is JSON, does not hold, such as datetimes."""
    for name, each in zip(given["names"] or [], given.get("categories") or [], strict=False):
        other = next((value for value in (each or [False, []])[1] if not isinstance(value, str | int | float)), None)
        if other is not None:
            raise InputError(
                f"{name}: found a category of {type(other).__name__}, expected texts, numbers or bools; cast the "
                f"column in `load`, for example X[{name!r}].astype(str), and fit again"
            )


def _array_kind(data: Any) -> str:
    return "object" if data.dtype.kind in "OUS" else str(data.dtype)


def _kind(series: Any) -> str:
    """The dtype of a frame's column, as `compiled.opaque_input` has it."""
    if str(series.dtype) != "object":
        return str(series.dtype)
    if any(value is None for value in series):
        return OBJECT_NONE
    types = set(map(type, series.dropna()))
    if types == {bool}:
        return OBJECT_BOOL
    return OBJECT_DATE if types == {date} else "object"


def result_dtypes(method: str, data: Any, output: Any) -> dict[str, str]:
    """The dtypes in the plan of a step's output columns, by name; of a sparse output one, named by its width."""
    if hasattr(output, "tocsr"):
        return {str(output.shape[1]): "bag"}
    whole = {str(name) for name, dtype in data.dtypes.items() if str(dtype) == "int64"} if _is_frame(data) else set()
    dtypes: dict[str, str] = {}
    for name, values in result_columns(output):
        # a frame's new integers may be missing in other rows; those of an array, and labels, are integers in all
        integers = method != "transform" or not _is_frame(output) or name in whole
        label = name
        while label in dtypes:
            label += "_"
        dtypes[label] = _dtype(values, integers=integers)
    return dtypes


def _is_frame(data: Any) -> bool:
    return hasattr(data, "iloc") and data.ndim == 2


def _dtype(values: Any, *, integers: bool) -> str:
    kind = values.dtype.kind if isinstance(values.dtype, np.dtype) else ""
    if kind in "bfMm" and kind:
        return {"b": "bool", "f": "float64", "M": "datetime", "m": "duration"}[kind]
    if kind in ("i", "u"):
        return "int64" if integers else "float64"
    items = [value for value in np.asarray(values, dtype=object).tolist() if value is not None and value == value]
    if any(isinstance(value, str) for value in items):
        return "str"
    if items and integers and {type(value) for value in items} in ({bool}, {int}) and len(items) == len(values):
        return "bool" if isinstance(items[0], bool) else "int64"
    return "datetime" if items and isinstance(items[0], date | datetime) else "float64"


def _check_answers(name: str, call: Any, data: Any, expected: Any) -> None:
    """Refuse a step that draws random numbers, or whose rows affect each other.

    The loaded step is asked the same rows, and every second row.
    """
    half = np.arange(0, data.shape[0], 2)
    whole = result_columns(_dense(expected))
    for rows, reference in ((data.copy(), whole), (take(data, half), [(n, _take(v, half)) for n, v in whole])):
        for (column, values), (_, wanted) in zip(result_columns(_dense(call(rows))), reference, strict=True):
            if not _close(values, wanted):
                raise RefusedStepError(
                    f"step {name}, column {column}: found other values for the same rows "
                    f"{'in a smaller batch' if rows.shape[0] < data.shape[0] else 'a second time'}, expected each row "
                    "to have its own; a step that draws numbers, or whose rows affect each other, cannot be served"
                )


def _dense(output: Any) -> Any:
    return output.toarray() if hasattr(output, "toarray") else output


def _take(values: Any, rows: Any) -> Any:
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def _close(values: Any, wanted: Any) -> bool:
    dtype = _dtype(wanted, integers=False)
    left, right = plan_column(values, dtype), plan_column(wanted, dtype)
    if dtype != "float64":
        return bool(left.tolist() == right.tolist())
    largest = np.abs(right[np.isfinite(right)]).max(initial=0.0)
    relative = SAME_SINGLE if _is_single(wanted) else SAME_SHAPE
    return bool(np.allclose(left, right, rtol=0.0, atol=relative * largest, equal_nan=True))


def _is_single(values: Any) -> bool:
    return str(values.dtype) == "float32"
