"""The compiled pipeline: raw rows in, predictions out, the same bits in any batch and on any machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.batch_evaluator import BatchEvaluator
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.compiled.opaque_trust import check_trust
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_evaluator import RowEvaluator
from pipeline_lib.compiled.time_order import check_forecastable, following_row
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTION, PROBABILITY, DECISION = "prediction", "probability", "decision"


@dataclass(frozen=True)
class Evaluation:
    """A plan's results for some rows: the output columns, and each step's columns by the step's name."""

    outputs: "pa.Table"
    steps: "dict[str, pa.Table]"


class CompiledPipeline:
    """A pipeline ready for production: a plan of exact operations over columns of raw rows.

    Made by `compile_pipeline` or `load_model`. Columns are found by name; those that cannot reach the output are
    not read, and not checked. `report` is the compile report; a loaded pipeline has none. Without
    `distinct_values` batches are evaluated row by row, with the same bits.
    """

    def __init__(
        self,
        plan: Plan,
        row: RowSchema,
        opaque: Mapping[str, bytes] | None = None,
        library: str = "pipeline_lib",
        *,
        trust: Sequence[str] = (),
        other_versions: bool = False,
        distinct_values: bool = True,
    ) -> None:
        self.plan = plan
        self.row = row
        self.report: CompileReport | None = None
        self.raw_input: Any = None  # how the fitted pipeline takes raw rows; a loaded one has none
        self._opaque = dict(opaque or {})
        self.trust = check_trust(trust)
        self._library, self._other_versions = library, other_versions
        self._distinct_values = distinct_values
        self._make_evaluators()

    def _make_evaluators(self) -> None:
        runnable = self.plan.hiding(self.row.sensitive)
        if self._opaque:
            from pipeline_lib.compiled.opaque_state import load_state

            admitted = partial(load_state, library=self._library, trust=self.trust, other_versions=self._other_versions)
            runnable = _with_runners(runnable, self._opaque, admitted)
        self._batches = BatchEvaluator(runnable, self.row, distinct_values=self._distinct_values)
        self._rows = RowEvaluator(runnable, self.row, self._batches, exact=self.exact)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or another process, needs: evaluators hold functions, and are made again."""
        return {name: value for name, value in vars(self).items() if name not in ("_batches", "_rows")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Continue from `__getstate__`."""
        vars(self).update(state)
        self._make_evaluators()

    @property
    def exact(self) -> bool:
        """Whether every step is evaluated by our own operations."""
        return not self._opaque

    @property
    def context(self) -> int:
        """How many earlier rows each row needs; 0 for a pipeline whose rows need no others."""
        return self.plan.context

    @property
    def classes(self) -> tuple[Any, ...]:
        """A classifier's labels, in the order of its probabilities; empty for a regressor.

        Of several targets a tuple of labels for each, where the classifier gives probabilities of each.
        """
        return self.plan.classes

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Names of the raw columns that reach an output."""
        return self._batches.schema(list(self.plan.outputs.values())).names

    def predict(self, data: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Predictions for raw rows, in the order of the rows.

        `data` is a DataFrame of pandas or polars, an Arrow table, a mapping or a list of mappings, or an array or list
        of rows with every raw column in order; of a single raw column also a Series, an array or a list of its values.
        Of a pipeline over several tables it maps each table's name to one of these, and the main table's rows get the
        predictions. Where the pipeline has a `context`, the rows are in order of time, and `context` holds the rows
        just before them in any of these forms.

        Returns an array of the shape that the fitted pipeline gives: (rows,), or (rows, targets) for several targets
        and for a single one that was given in two dimensions. It is float64 for regression; int64, float64, bool or
        object (str) for classes.

        Raises InputError for rows outside the schema, with every field and its rows; for too few earlier rows; and,
        where the pipeline knows its column of times, for rows out of order, duplicate or left out.

        >>> model = load_model("runs/houses/ID/artifact")
        >>> model.predict([{"size": 100.0, "rooms": 6, "built": 1968.0}, {"size": 85.5, "rooms": 2, "built": 2019.0}])
        array([306. , 258.5])
        """
        return self._shaped(PREDICTION, self._output_columns(PREDICTION, data, context))

    def predict_batches(self, batches: Iterable[Any], *, context: Any = None) -> Iterator[np.ndarray[Any, Any]]:
        """Predictions for raw rows that come in parts, each as `predict` takes it: memory holds one part at a time.

        `context` are the rows before the first part; each further part has the parts before it.
        Raises InputError for a part that is refused, with its number from 0.
        """
        for number, part in enumerate(batches):
            try:
                yield self.predict(part, context=context)
                if self.context:
                    context = self._batches.latest(self._output_nodes(PREDICTION), context, part)
            except InputError as error:
                raise InputError(f"part {number}: {error}") from error

    def forecast(self, rows: Any, *, steps: int) -> np.ndarray[Any, Any]:
        """Predictions for `steps` rows to come, each the input of the next: `predict_row` in turn.

        `rows` are the latest rows, in order of time, in a form that `predict` takes: the context, then the row after
        which the forecast begins. The pipeline must have declared the step of time (`every`) and the column that a
        prediction `feeds`, and read no other columns.

        Returns an array of shape (steps,), float64. Raises InputError for another pipeline, for rows that `predict`
        would refuse, and for too few of them.

        >>> from datetime import datetime
        >>> model = load_model("runs/shop/ID/artifact")
        >>> days = [{"day": datetime(2024, 3, 1 + number), "sold": 12.0 + number} for number in range(4)]
        >>> model.forecast(days, steps=3)
        array([14.36808757, 13.78166878, 12.76832171])
        """
        from pipeline_lib.rows.conform import conform

        declared = self.plan.tables[0]
        check_forecastable(declared, self.reads)
        if type(steps) is not int or steps < 1:
            raise InputError(f"found steps={steps!r}, expected a whole number from 1 on; say how many to forecast")
        known = conform(rows, self._batches.schema(self._output_nodes(PREDICTION))).to_pylist()
        if len(known) <= declared.context:
            raise InputError(
                f"found {len(known):,} rows, expected at least {declared.context + 1:,}: the context and the latest "
                "row; pass the latest rows, in order of time"
            )
        predictions = []
        for _ in range(steps):
            predictions.append(self.predict_row(known[-1], context=known[-1 - declared.context : -1]))
            known.append(following_row(known[-1], predictions[-1], declared))
        return np.array(predictions)

    def predict_proba(self, data: Any, *, context: Any = None) -> Any:
        """Class probabilities, shape (rows, classes), float64, in the order of `classes`; rows as for `predict`.

        For several targets they have the form that the fitted classifier gives: a list with an array for each target,
        or one array of shape (rows, labels) where each label has one probability.
        """
        columns = self._output_columns(PROBABILITY, data, context)
        counts = self._classes_by_target(len(columns))
        return [np.column_stack(part) for part in _parts(columns, counts)] if counts else np.column_stack(columns)

    def decision_function(self, data: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Decision values, float64: shape (rows,), or (rows, classes) for more than two; rows as for `predict`."""
        return self._shaped(DECISION, self._output_columns(DECISION, data, context))

    def predict_table(self, data: Any, *, outputs: Sequence[str] = (PREDICTION,), context: Any = None) -> "pa.Table":
        """Several outputs of the same rows at once, as an Arrow table with a column for each; rows as for `predict`.

        `outputs` are of "prediction", "probability" and "decision". Columns are called prediction, or
        prediction[TARGET] for each of several targets, and probability[LABEL]; their bits are those of `predict`,
        `predict_proba` and `decision_function`. Raises InputError as these do.

        >>> model = load_model("runs/houses/ID/artifact")
        >>> model.predict_table([{"size": 100.0, "rooms": 6, "built": 1968.0}]).to_pydict()
        {'prediction': [306.0]}
        """
        roots = [node for kind in outputs for node in self._output_nodes(kind)]
        names = [name for kind in outputs for name in self.plan.outputs if name.partition("[")[0] == kind]
        columns = self._batches.evaluate(roots, data, context)
        return self._to_table(dict(zip(names, roots, strict=True)), columns)

    def transform(self, data: Any, *, context: Any = None) -> "pa.Table":
        """The columns that reach the final estimator, as an Arrow table; rows as for `predict`."""
        from pipeline_lib.rows.conform import conform

        if not self.plan.steps:
            return conform(data, self.row)
        columns = list(self.plan.steps.values())[-1]
        return self._to_table(columns, self._batches.evaluate(list(columns.values()), data, context))

    def predict_row(self, row: Mapping[str, Any], *, context: Any = None) -> Any:
        """The prediction for one raw row, with the bits that it has in any batch.

        `row` is a mapping of column names to values; of several tables, of their names: to a mapping, the main row,
        and to lists of mappings, the child rows. Only columns that reach the output are read and checked. `context`
        as for `predict`; a list of mappings with exactly the needed rows is the fastest.

        Returns a Python scalar, or a tuple of them where `predict` gives (rows, targets). Raises InputError with every
        field that is missing, of another type or outside the schema.

        >>> model = load_model("runs/houses/ID/artifact")
        >>> model.predict_row({"size": 100.0, "rooms": 6, "built": 1968.0})
        306.0
        >>> model.predict_row({"size": 100.0, "rooms": "6", "built": 1968.0})
        Traceback (most recent call last):
        pipeline_lib.errors.InputError: rooms: found '6' (str) in row 0, expected a whole number of 64 bits ...
        """
        values = self._rows.evaluate(self._output_nodes(PREDICTION), row, context)
        return values[0] if PREDICTION in self.plan.outputs else values

    def predict_proba_row(self, row: Mapping[str, Any], *, context: Any = None) -> tuple[Any, ...]:
        """The class probabilities of one raw row, in the order of `classes`; row and context as for `predict_row`.

        Where `predict_proba` gives a list for several targets, a tuple of probabilities for each.
        """
        values = self._rows.evaluate(self._output_nodes(PROBABILITY), row, context)
        counts = self._classes_by_target(len(values))
        return tuple(map(tuple, _parts(values, counts))) if counts else values

    def trace_row(self, row: Mapping[str, Any], *, context: Any = None) -> dict[str, dict[str, Any]]:
        """Every step's columns for one raw row, by step and column, and last the `outputs`.

        `row` and `context` as for `predict_row`, but all raw columns of the pipeline's steps are read and checked.
        Values are Python scalars, missing is None, datetimes are microseconds since 1970, durations microseconds; a
        vector is a list, a sparse vector a dict of its values that are not 0, by index. Raises InputError as
        `predict_row` does.

        >>> model = load_model("runs/houses/ID/artifact")
        >>> trace = model.trace_row({"size": 100.0, "rooms": 6, "built": 1968.0})
        >>> trace["scale"]
        {'size': 0.07679135926799376, 'rooms': 0.7003973203330806, 'built': 0.0435631001878347}
        >>> trace["outputs"]
        {'prediction': 306.0}
        """
        groups = {**self.plan.steps, "outputs": self.plan.outputs}
        roots = [node for columns in groups.values() for node in columns.values()]
        values = iter(self._rows.evaluate(roots, row, context))
        return {
            name: {column: _python_value(next(values), self.plan.nodes[node].dtype) for column, node in columns.items()}
            for name, columns in groups.items()
        }

    def evaluate(self, table: "pa.Table", *, context: "pa.Table | None" = None, steps: bool = False) -> Evaluation:
        """Outputs, and with `steps` each step's columns, for a table (and earlier rows) that conform to the schema."""
        groups = {"": self.plan.outputs} | (self.plan.steps if steps else {})
        roots = [node for columns in groups.values() for node in columns.values()]
        results = iter(self._batches.evaluate(roots, table, context, self.row))
        tables = {name: self._to_table(columns, [next(results) for _ in columns]) for name, columns in groups.items()}
        return Evaluation(tables.pop(""), tables)

    def earlier(self, rows: Any, context: Any) -> "pa.Table | None":
        """The rows of `context` that `rows` need, with every raw column; None where rows need none.

        Raises InputError for what `predict` would refuse.
        """
        return self._batches.earlier(rows, context)

    def save(self, folder: str | Path) -> None:
        """Write the artifact, which `load_model` reads: plan, arrays and row schema; nothing in it is pickled."""
        artifact.save(Path(folder), self.plan, self.row, self._opaque)

    def _output_nodes(self, kind: str) -> list[int]:
        nodes = [node for name, node in self.plan.outputs.items() if name.partition("[")[0] == kind]
        if not nodes:
            kinds = sorted({name.partition("[")[0] for name in self.plan.outputs})
            raise InputError(
                f"found a final estimator that gives no {kind}, expected one that does; it gives {', '.join(kinds)}"
            )
        return nodes

    def _output_columns(self, kind: str, data: Any, context: Any) -> list[np.ndarray[Any, Any]]:
        columns = self._batches.evaluate(self._output_nodes(kind), data, context)
        return [np.array(column.tolist(), object) if isinstance(column, TextColumn) else column for column in columns]

    def _shaped(self, kind: str, columns: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Output columns in the shape of the library's answer: an output without a label is one-dimensional."""
        return columns[0] if kind in self.plan.outputs else np.column_stack(columns)

    def _classes_by_target(self, columns: int) -> list[int]:
        """How many classes each of several targets has; empty where there are not that many probabilities."""
        counts = [len(labels) for labels in self.classes if isinstance(labels, tuple)]
        return counts if sum(counts) == columns else []

    def _to_table(self, names: Mapping[str, int], columns: Sequence[PlanColumn]) -> "pa.Table":
        from pipeline_lib.compiled.arrow import to_table

        dtypes = [self.plan.nodes[node].dtype for node in names.values()]
        return to_table(dict(zip(names, zip(columns, dtypes, strict=True), strict=True)))

    def __repr__(self) -> str:
        kind = "exact" if self.exact else f"opaque in {', '.join(self._opaque)}"
        return f"CompiledPipeline({len(self.reads)} of {len(self.row.names)} raw columns reach the output, {kind})"

    def _repr_html_(self) -> str:
        return self.report._repr_html_() if self.report else f"<p>{self!r}</p>"


def _with_runners(plan: Plan, opaque: Mapping[str, bytes], load: Callable[..., Any]) -> Plan:
    """The plan whose opaque nodes hold the loaded steps that they run."""
    try:
        from pipeline_lib.compiled.opaque import OpaqueRunner

        steps = {name: load(state, name=name) for name, state in opaque.items()}
    except ImportError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the libraries that the opaque steps {', '.join(opaque)} run "
            "through; pip install 'nb-pipeline-lib[opaque]'"
        ) from error
    nodes = list(plan.nodes)
    for number, node in enumerate(nodes):
        if node.operation == "opaque" and node.settings["step"] in steps:  # others reach no result
            dtypes = [nodes[taken].dtype for taken in node.inputs]
            runner = OpaqueRunner(steps[node.settings["step"]], node.settings, dtypes)
            nodes[number] = replace(node, settings={**node.settings, "runner": runner})
    return replace(plan, nodes=nodes)


def _parts(values: Sequence[Any], counts: Sequence[int]) -> list[Sequence[Any]]:
    """Successive parts of so many values each."""
    ends = np.cumsum(counts).tolist()
    return [values[end - count : end] for end, count in zip(ends, counts, strict=True)]


def _python_value(value: Any, dtype: str) -> Any:
    """A value of one row as Python has it; missing is None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, SparseColumn):
        return dict(zip(value.indices.tolist(), value.values.tolist(), strict=True))
    return None if value != value or (dtype in ("datetime", "duration") and value == NAT) else value


def load_model(
    folder: str | Path, *, library: str = "pipeline_lib", trust: Sequence[str] = (), other_versions: bool = False
) -> CompiledPipeline:
    """Load the artifact that a run left in `folder` (`runs/NAME/ID/artifact`), ready to predict.

    Loading an exact artifact executes nothing, needs the core requirements alone and imports neither scikit-learn nor
    pandas. For opaque steps, `library` is the package whose exported steps may be loaded, and `trust` names packages
    whose classes may be, such as ("category_encoders",), besides scikit-learn's and feature-engine's estimators and
    the boosters of LightGBM, XGBoost and CatBoost. Nothing is unpickled. An opaque step runs with the versions of its
    packages that it was compiled with; `other_versions` accepts others, whose answers may differ.

    Raises InputError where the folder holds no artifact of a known format, or a damaged one, and where an opaque step
    is of another package or version, or its libraries are not installed.

    >>> load_model("runs/houses/ID/artifact")
    CompiledPipeline(3 of 3 raw columns reach the output, exact)
    """
    plan, row, opaque = artifact.load(Path(folder))
    return CompiledPipeline(plan, row, opaque, library, trust=trust, other_versions=other_versions)
