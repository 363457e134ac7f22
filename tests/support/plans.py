"""What every adapter's test asks: the library's own result within its bound, and the same bits in every executor."""

import re
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiled.library_columns import plan_column
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.catalog import predict, transform
from pipeline_lib.compiler.adapters.registry import Outputs
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.edge_checks import EdgeChecks
from pipeline_lib.compiler.edge_differences import EdgeCounts
from pipeline_lib.compiler.fidelity import StepPlan
from pipeline_lib.compiler.library_input import LibraryColumns
from pipeline_lib.compiler.tracing.traces import Traces
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

KINDS = {"int64": "integer", "float64": "number", "bool": "boolean", "str": "string", "datetime": "datetime"}
BATCHES = (1, 2, 3, 7)
METHODS = {"prediction": "predict", "probability": "predict_proba", "decision": "decision_function"}
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  where a flush costs nothing


def named(value: Any) -> str:
    """A parameter's name, the same in every process: without the places in memory that functions show."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def plan_dtype(values: Any) -> str:
    """The dtype that a plan has for a pandas Series."""
    kind = values.dtype.kind if isinstance(values.dtype, np.dtype) else "O"
    if kind in "iufbM":
        return {"i": "int64", "u": "int64", "f": "float64", "b": "bool", "M": "datetime"}[kind]
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return "float64"
    plain = values.astype(object)
    return "str" if any(isinstance(value, str) for value in plain) or plain.isna().all() else "float64"


def check_transformer(step: Any, rows: pd.DataFrame, *, edge_rows: bool = True) -> pd.DataFrame:
    """The plan's columns of a fitted transformer for `rows`, compared with the library's and between executors.

    With `edge_rows` the plan must agree with the library on edge rows, too.
    """
    inputs, write = _inputs(rows), writer(step, rows)

    plan = StepPlan.write(lambda columns, build: list(write(columns, build).values()), inputs)
    plan.check("test", rows, step.transform(rows))
    if edge_rows:
        check_edge_rows(lambda edges: edges.transformer("test", step, plan, rows, plan.columns(rows)), rows)
    return same_bits(write, rows)


def writer(step: Any, rows: pd.DataFrame) -> Callable[[dict[str, Value], Builder], dict[str, Value]]:
    """Writes a fitted transformer's plan; own code is recorded on `rows`."""
    traces = Traces()
    with traces.watching(step), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a test that asks for warnings looks at a call of its own
        step.transform(rows.copy())

    def write(columns: dict[str, Value], build: Builder) -> dict[str, Value]:
        build.traces = traces
        return transform(step, dict(columns), build)

    return write


def check_estimator(model: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """The plan's outputs of a fitted estimator for `rows`, compared with the library's and between executors."""
    inputs = _inputs(rows)
    kinds = {kind: method for kind, method in METHODS.items() if hasattr(model, method)}

    def write(columns: dict[str, Value], build: Builder) -> dict[str, Sequence[Value]]:
        outputs: Outputs = predict(model, list(columns.values()), build)
        return {kind: list(getattr(outputs, kind)) for kind in kinds}

    def named_columns(columns: dict[str, Value], build: Builder) -> dict[str, Value]:
        outputs = write(columns, build)
        return {f"{kind}_{index}": value for kind in kinds for index, value in enumerate(outputs[kind])}

    written = StepPlan.write_outputs(write, inputs)
    for kind, method in kinds.items():
        expected = getattr(model, method)(rows)
        expected = np.hstack(expected) if isinstance(expected, list) else expected  # several targets
        expected = expected if expected.ndim == 1 or expected.shape[1] != 1 else expected[:, 0]
        written[kind].check(f"test, {method}", rows, expected)
    frame = same_bits(named_columns, rows)
    plans = {method: written[kind] for kind, method in kinds.items()}
    check_edge_rows(lambda edges: edges.estimator("test", model, plans, rows, LibraryColumns(rows, inputs)), rows)
    return frame


def check_edge_rows(ask: Callable[[EdgeChecks], EdgeCounts], rows: pd.DataFrame) -> None:
    """Fails where a library answers an edge row otherwise than its plan."""
    counts = ask(EdgeChecks(_schema({name: plan_dtype(rows[name]) for name in rows.columns}), lambda data: None))
    assert counts.differ == 0, counts.example


def _schema(dtypes: Mapping[Any, str]) -> RowSchema:
    """The widest schema of columns of these dtypes."""
    return RowSchema(
        tuple(
            Column(str(name), KINDS[dtype], nullable=dtype in ("float64", "str", "datetime"))
            for name, dtype in dtypes.items()
        )
    )


def same_bits(write: Callable[[dict[str, Value], Builder], dict[Any, Value]], rows: pd.DataFrame) -> pd.DataFrame:
    """A plan's columns; whole, in batches, row by row, and from its artifact on disk they have the same bits."""
    build = Builder()
    dtypes = {str(name): plan_dtype(rows.iloc[:, place]) for place, name in enumerate(rows.columns)}
    made = write({name: build.input(name, dtype) for name, dtype in dtypes.items()}, build)
    outputs = {str(name): value.node for name, value in made.items()}
    model = CompiledPipeline(Plan(build.nodes, outputs), _schema(dtypes))
    columns = {name: plan_column(rows.iloc[:, place], dtype) for place, (name, dtype) in enumerate(dtypes.items())}
    roots = list(outputs.values())
    whole = _python(model, roots, columns, len(rows))
    for size in BATCHES:
        parts = [
            _python(model, roots, {n: _cut(c, start, size) for n, c in columns.items()}, min(size, len(rows) - start))
            for start in range(0, len(rows), size)
        ]
        assert_same([[v for part in parts for v in part[i]] for i in range(len(roots))], whole, f"batches of {size}")
    loaded = _reloaded(model)
    one_by_one = [loaded.evaluators.rows.evaluate(roots, _row(columns, dtypes, place)) for place in range(len(rows))]
    assert_same([[row[i] for row in one_by_one] for i in range(len(roots))], whole, "row by row")
    return pd.DataFrame(dict(zip(outputs, whole, strict=True)))


def assert_same(found: Sequence[list[Any]], expected: Sequence[list[Any]], how: str) -> None:
    """Fails where two lists of columns differ in one bit."""
    for place, (left, right) in enumerate(zip(found, expected, strict=True)):
        assert list(map(_bits, left)) == list(map(_bits, right)), f"column {place} differs {how}"


def _bits(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    if hasattr(value, "toarray"):
        value = value.toarray()[:, 0]
    if isinstance(value, np.ndarray):
        numbers = value.astype("float64")  # a copy
        numbers[np.isnan(numbers)] = np.nan
        return numbers.tobytes()
    return (type(value).__name__, value)


def _inputs(rows: pd.DataFrame) -> dict[str, Value]:
    build = Builder()
    return {
        str(name): build.input(str(name), plan_dtype(rows.iloc[:, place])) for place, name in enumerate(rows.columns)
    }


def _python(model: CompiledPipeline, roots: list[int], columns: dict[str, Any], rows: int) -> list[list[Any]]:
    _, executor = model.evaluators.batches.executor(roots)
    return [_list(column) for column in executor.run(columns, rows)]


def _list(column: Any) -> list[Any]:
    if isinstance(column, TextColumn):
        return column.tolist()
    if hasattr(column, "toarray"):
        column = column.toarray()
    return [column[:, row] for row in range(column.shape[1])] if column.ndim == 2 else column.tolist()


def _cut(column: Any, start: int, size: int) -> Any:
    if isinstance(column, TextColumn):
        return TextColumn.of(column.tolist()[start : start + size])
    return column[start : start + size]


def _row(columns: dict[str, Any], dtypes: dict[str, str], place: int) -> dict[str, Any]:
    row = {}
    for name, column in columns.items():
        value = column.tolist()[place]
        if dtypes[name] == "datetime":
            value = None if value == NAT else np.datetime64(value, "us").item()
        row[name] = value
    return row


def _reloaded(model: CompiledPipeline) -> CompiledPipeline:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        model.save(Path(folder) / "artifact")
        return load_model(Path(folder) / "artifact")
