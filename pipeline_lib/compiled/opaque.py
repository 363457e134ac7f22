"""A pipeline that still runs through its libraries, made as repeatable as that allows.

State is stored in skops format and loaded against our own allow-list. Rows are evaluated in blocks of one
fixed size, the last one padded by repeating its last row, on one thread: so a row meets the same block
shape alone and among a million. What this cannot promise is another CPU or BLAS.
"""

import html
import importlib
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import skops.io
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController

from pipeline_lib.compiled import ARTIFACT, FORMAT
from pipeline_lib.errors import InputError
from pipeline_lib.files import canonical_json, write_atomic
from pipeline_lib.rows import RowSchema, conform, dtype_differences, to_frame

BLOCK_ROWS = 256
STATE = "pipeline.skops"
ROW = "row.json"
_THREADS = ThreadpoolController()  # looks for thread pools once; scikit-learn has loaded them all by now
_METHODS = ("predict", "predict_proba", "decision_function")
_PACKAGES = ("sklearn.", "feature_engine.")
_PLAIN_TYPES = frozenset({"collections.defaultdict", "collections.OrderedDict", "pandas.Index"})


@dataclass(frozen=True)
class Evaluation:
    """What a pipeline makes of some rows: output columns, and each step's columns by the step's name."""

    outputs: pa.Table
    steps: dict[str, pa.Table]


class CompiledPipeline:
    """A pipeline ready for production: raw rows in, predictions out, the same bits in any batch.

    Made by `compile_pipeline` or `load_model`; the fitted pipeline in it is a copy of its own.
    """

    def __init__(self, state: bytes, row: RowSchema, library: str, description: dict[str, Any]) -> None:
        self._state = state
        self._pipeline = _load_state(state, library)
        self.row = row
        self.description = description

    def predict(self, data: Any) -> np.ndarray[Any, Any]:
        """Predictions, one per row, for a DataFrame, an Arrow table or a list of mappings of raw rows.

        Columns are found by name; extra ones are ignored. Raises InputError for rows outside the schema.
        """
        return np.asarray(self.evaluate(conform(data, self.row)).outputs.column("prediction").to_numpy())

    def predict_proba(self, data: Any) -> np.ndarray[Any, Any]:
        """Class probabilities, rows x classes (float64), in the order of `classes`."""
        return self._matrix("probability", data)

    def decision_function(self, data: Any) -> np.ndarray[Any, Any]:
        """Decision values, rows x columns (float64), as the final estimator gives them."""
        return self._matrix("decision", data)

    def predict_row(self, row: Mapping[str, Any]) -> Any:
        """The prediction for one raw row given as a mapping, a Python scalar."""
        return self.evaluate(conform(row, self.row)).outputs.column("prediction")[0].as_py()

    def evaluate(self, table: pa.Table, *, steps: bool = False) -> Evaluation:
        """Outputs, and with `steps` each step's columns, for a table that conforms to the row schema."""
        if table.num_rows == 0:
            return Evaluation(_empty(self.description["outputs"]), {})
        parts = []
        with _repeatable():
            for start in range(0, table.num_rows, BLOCK_ROWS):
                block = table.slice(start, BLOCK_ROWS)
                parts.append(_evaluate_block(self._pipeline, block, start, steps=steps))
        names = parts[0].steps
        return Evaluation(
            pa.concat_tables([part.outputs for part in parts]),
            {name: pa.concat_tables([part.steps[name] for part in parts]) for name in names},
        )

    def predict_plain(self, table: pa.Table) -> np.ndarray[Any, Any]:
        """The libraries' own `predict` on a conformed table as it is, without blocks: what parity measures against."""
        with _repeatable():
            return np.asarray(self._pipeline.predict(to_frame(table)))

    def save(self, folder: Path) -> None:
        """Write the artifact: description, row schema and state; nothing in it is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / STATE, self._state)
        write_atomic(folder / ROW, canonical_json(self.row.to_json()))
        write_atomic(folder / ARTIFACT, canonical_json(self.description))

    def _matrix(self, kind: str, data: Any) -> np.ndarray[Any, Any]:
        outputs = self.evaluate(conform(data, self.row)).outputs
        names = [name for name in outputs.column_names if name.startswith(f"{kind}[")]
        if not names:
            raise InputError(f"found a final estimator that gives no {kind}, expected one that does; use predict")
        return np.column_stack([outputs.column(name).to_numpy() for name in names])

    def __repr__(self) -> str:
        steps = self.description["steps"]
        return f"CompiledPipeline({len(self.row.names)} raw columns, {len(steps)} steps, opaque)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(step['name'])}</td><td>{html.escape(step['class'])}</td>"
            f"<td>{step['columns']}</td><td>opaque</td></tr>"
            for step in self.description["steps"]
        )
        return (
            f"<p>{len(self.row.names)} raw columns; every step runs through its own library, in blocks of "
            f"{BLOCK_ROWS} rows on one thread.</p><table><thead><tr><th>step</th><th>class</th>"
            f"<th>columns out</th><th>evaluated</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def compile_fitted(fitted: Any, *, like: pd.DataFrame, row: RowSchema, library: str) -> CompiledPipeline:
    """Store a fitted pipeline, load it again, and evaluate the first training rows with the loaded copy."""
    if not isinstance(fitted, Pipeline):
        raise InputError(
            f"found {type(fitted).__name__}, expected a scikit-learn Pipeline from raw rows to prediction; "
            "wrap the estimator: Pipeline([('estimator', ...)])"
        )
    check_is_fitted(fitted)
    differences = dtype_differences(like, row)
    if differences:
        raise InputError(
            "found training columns of other dtypes than production will deliver:\n  "
            + "\n  ".join(differences)
            + "\ncast them in `load`, or change `Row`, and fit again"
        )
    conform(like, row)
    state = _dump_state(fitted)
    draft = CompiledPipeline(state, row, library, {"outputs": {}, "steps": []})
    sample = draft.evaluate(conform(like.head(BLOCK_ROWS), row), steps=True)
    description = {
        "format": FORMAT,
        "kind": "opaque",
        "block_rows": BLOCK_ROWS,
        "outputs": {field.name: str(field.type) for field in sample.outputs.schema},
        "steps": [
            {"name": name, "class": _qualified(type(step)), "columns": _width(sample, name)}
            for name, step in fitted.steps
        ],
    }
    return CompiledPipeline(state, row, library, description)


def load_folder(folder: Path, description: dict[str, Any], *, library: str) -> CompiledPipeline:
    """Read an artifact folder whose description has been checked."""
    if description.get("block_rows") != BLOCK_ROWS:
        raise InputError(f"{folder}: found blocks of {description.get('block_rows')} rows, expected {BLOCK_ROWS}")
    try:
        row = RowSchema.from_json(json.loads((folder / ROW).read_bytes()))
        state = (folder / STATE).read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: found an incomplete artifact ({error}), expected {ROW} and {STATE}") from error
    return CompiledPipeline(state, row, library, description)


def _dump_state(fitted: Pipeline) -> bytes:
    try:
        state: bytes = skops.io.dumps(fitted)
    except Exception as error:
        raise InputError(
            f"found a fitted pipeline that skops cannot store ({type(error).__name__}: {error}), expected state "
            "of arrays, numbers, text and exported classes; keep other objects out of the fitted steps"
        ) from error
    return state


def _load_state(state: bytes, library: str) -> Pipeline:
    try:
        unknown = skops.io.get_untrusted_types(data=state)
    except Exception as error:
        raise InputError(f"{STATE}: found a damaged file ({error}), expected skops format") from error
    refused = [name for name in unknown if not _is_allowed(name, library)]
    if refused:
        raise InputError(
            f"{STATE}: found {', '.join(refused)}, expected only estimators of scikit-learn and feature-engine and "
            f"what {library}.steps and {library}.pipelines export; export own code from a notebook"
        )
    pipeline = skops.io.loads(state, trusted=unknown)
    if not isinstance(pipeline, Pipeline):
        raise InputError(f"{STATE}: found {type(pipeline).__name__}, expected a scikit-learn Pipeline")
    parameters = pipeline.get_params(deep=True)
    pipeline.set_params(**{name: 1 for name in parameters if name.rpartition("__")[2] == "n_jobs"})
    return pipeline


def _is_allowed(name: str, library: str) -> bool:
    """Our allow-list: exported code of the library, estimator classes of two packages, a few plain types."""
    if name in _PLAIN_TYPES or name.startswith((f"{library}.steps.", f"{library}.pipelines.")):
        return True
    if not name.startswith(_PACKAGES):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, BaseEstimator)


@contextmanager
def _repeatable() -> Iterator[None]:
    """One thread, no optional pandas accelerators, and no word about a known change in select_dtypes."""
    options = ("compute.use_bottleneck", False, "compute.use_numexpr", False)
    with _THREADS.limit(limits=1), pd.option_context(*options), warnings.catch_warnings():
        quiet_select_dtypes()
        yield


def quiet_select_dtypes() -> None:
    """Silence pandas' notice that object selections will stop to include str columns.

    feature-engine 1.9 asks select_dtypes for object columns to check its input; under pandas 3 the answer
    still includes str columns, so no result changes.
    """
    warnings.filterwarnings("ignore", message="For backward compatibility, 'str' dtypes", category=DeprecationWarning)


def _evaluate_block(pipeline: Pipeline, block: pa.Table, start: int, *, steps: bool) -> Evaluation:
    rows = block.num_rows
    padding = np.minimum(np.arange(BLOCK_ROWS), rows - 1)
    values: Any = to_frame(block.take(pa.array(padding)))
    traced = {}
    for name, step in pipeline.steps[:-1]:
        if step is None or isinstance(step, str):  # "passthrough"
            continue
        values = step.transform(values)
        if values.shape[0] != BLOCK_ROWS:
            raise InputError(
                f"step {name}: found {values.shape[0]} rows for {BLOCK_ROWS}, expected one for one; "
                "a step that drops rows cannot serve production"
            )
        if steps:
            traced[name] = _as_table(values, step, rows, start)
    return Evaluation(_outputs(pipeline.steps[-1][1], values, rows), traced)


def _outputs(estimator: Any, values: Any, rows: int) -> pa.Table:
    columns: dict[str, Any] = {}
    for method, kind in zip(_METHODS, ("prediction", "probability", "decision"), strict=True):
        if hasattr(estimator, method):
            result = np.asarray(getattr(estimator, method)(values))[:rows]
            if method == "predict" and result.ndim == 1:
                columns[kind] = result
            else:
                result = result.reshape(rows, -1)
                columns |= {f"{kind}[{label}]": result[:, i] for i, label in enumerate(_labels(estimator, result))}
    if "prediction" not in columns and not any(name.startswith("prediction[") for name in columns):
        raise InputError(
            f"found a final step {type(estimator).__name__} without predict, expected an estimator; "
            "end the pipeline with one"
        )
    return pa.table({name: pa.array(np.ascontiguousarray(column)) for name, column in columns.items()})


def _labels(estimator: Any, result: np.ndarray[Any, Any]) -> list[Any]:
    labels = list(getattr(estimator, "classes_", ()))
    return labels if len(labels) == result.shape[1] else list(range(result.shape[1]))


def _as_table(values: Any, step: Any, rows: int, start: int) -> pa.Table:
    """A step's output for the real rows of a block; a sparse one as its (row, column, value) triples."""
    if isinstance(values, pd.DataFrame):
        return pa.Table.from_pandas(values.head(rows), preserve_index=False).replace_schema_metadata(None)
    if hasattr(values, "tocsr"):
        part = values.tocsr()[:rows].sorted_indices().tocoo()
        triples = (part.row.astype(np.int64) + start, part.col.astype(np.int64), part.data)
        return pa.table(dict(zip(("row", "column", "value"), map(pa.array, triples), strict=True)))
    array = np.asarray(values)[:rows]
    names = _feature_names(step, array.shape[1])
    return pa.table({name: pa.array(np.ascontiguousarray(array[:, i])) for i, name in enumerate(names)})


def _feature_names(step: Any, count: int) -> list[str]:
    try:
        names = [str(name) for name in step.get_feature_names_out()]
    except (AttributeError, ValueError, TypeError):
        names = []
    return names if len(set(names)) == count else [f"x{i}" for i in range(count)]


def _empty(outputs: dict[str, str]) -> pa.Table:
    kinds = {"double": pa.float64(), "float": pa.float32()}
    fields = [(name, kinds.get(kind) or pa.type_for_alias(kind)) for name, kind in outputs.items()]
    return pa.schema(fields).empty_table()


def _width(sample: Evaluation, name: str) -> int:
    return int((sample.steps.get(name) or sample.outputs).num_columns)


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
