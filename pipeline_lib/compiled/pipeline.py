"""The compiled pipeline: raw rows in, predictions out, the same bits in any batch and on any machine."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.compiled import artifact, output_columns
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.compiled.evaluators import Evaluators, OpaqueSteps
from pipeline_lib.compiled.opaque_trust import check_trust
from pipeline_lib.compiled.output_columns import Evaluation
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.time_order import check_forecastable, check_known_rows, following_row
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTION, PROBABILITY, DECISION = "prediction", "probability", "decision"


class CompiledPipeline:
    """A pipeline ready for production: a plan of exact operations over columns of raw rows.

    Made by `compile_pipeline` or `load_model`. Columns are found by name; those that cannot reach the output are
    not read, and not checked. `report` is the compile report; a loaded pipeline has none. `evaluators` carry the plan
    out; without `distinct_values` batches are evaluated row by row, and with `threads` the native core spreads large
    batches over so many, always with the same bits.
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
        threads: int = 1,
    ) -> None:
        if type(threads) is not int or threads < 1:
            raise InputError(f"found threads={threads!r}, expected a whole number from 1 on; pass one")
        self.plan = plan
        self.row = row
        self.report: CompileReport | None = None
        self.trust = check_trust(trust)
        self._opaque = OpaqueSteps(dict(opaque or {}), library, self.trust, other_versions)
        self._nodes_of_kind: dict[str, tuple[int, ...]] = {}
        self.evaluators = Evaluators(plan, row, self._opaque, distinct_values=distinct_values, threads=threads)

    @property
    def exact(self) -> bool:
        """Whether every step is evaluated by our own operations."""
        return not self._opaque.states

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
        return self.evaluators.batches.schema(list(self.plan.outputs.values())).names

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
                    context = self.evaluators.batches.latest(self._output_nodes(PREDICTION), context, part)
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
        check_forecastable(declared, self.reads, steps)
        known = conform(rows, self.evaluators.batches.schema(self._output_nodes(PREDICTION))).to_pylist()
        check_known_rows(declared, len(known))
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
        parts = output_columns.by_target(columns, self.classes)
        return [np.column_stack(part) for part in parts] if parts else np.column_stack(columns)

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
        nodes = {name: node for kind in outputs for name, node in output_columns.output_nodes(self.plan, kind).items()}
        return output_columns.table(self.plan, nodes, self._columns(nodes, data, context))

    def transform(self, data: Any, *, context: Any = None) -> "pa.Table":
        """The columns that reach the final estimator, as an Arrow table; rows as for `predict`."""
        from pipeline_lib.rows.conform import conform

        if not self.plan.steps:
            return conform(data, self.row)
        nodes = list(self.plan.steps.values())[-1]
        return output_columns.table(self.plan, nodes, self._columns(nodes, data, context))

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
        pipeline_lib.rows.conform_errors.RefusedColumnsError: rooms: found '6' (str) in row 0, expected ...
        """
        values = self.evaluators.rows.evaluate(self._output_nodes(PREDICTION), row, context)
        return values[0] if PREDICTION in self.plan.outputs else values

    def predict_proba_row(self, row: Mapping[str, Any], *, context: Any = None) -> tuple[Any, ...]:
        """The class probabilities of one raw row, in the order of `classes`; row and context as for `predict_row`.

        Where `predict_proba` gives a list for several targets, a tuple of probabilities for each.
        """
        values = self.evaluators.rows.evaluate(self._output_nodes(PROBABILITY), row, context)
        return tuple(map(tuple, output_columns.by_target(values, self.classes))) or values

    def trace_row(
        self, row: Mapping[str, Any], *, context: Any = None, partial: bool = False
    ) -> dict[str, dict[str, Any]]:
        """Every step's columns for one raw row, by step and column, and last the `outputs`.

        `row` and `context` as for `predict_row`, but all raw columns of the pipeline's steps are read and checked; with
        `partial` columns of steps are left out that need a raw column which the row does not have.
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
        if partial:
            groups = {name: output_columns.derived_from(self.plan, row, columns) for name, columns in groups.items()}
        roots = [node for columns in groups.values() for node in columns.values()]
        values = iter(self.evaluators.rows.evaluate(roots, row, context))
        dtypes = [node.dtype for node in self.plan.nodes]
        return {
            name: {column: output_columns.python_value(next(values), dtypes[node]) for column, node in columns.items()}
            for name, columns in groups.items()
        }

    def evaluate(self, table: "pa.Table", *, context: "pa.Table | None" = None, steps: bool = False) -> Evaluation:
        """Outputs, and with `steps` each step's columns, for a table (and earlier rows) that conform to the schema."""
        groups = {"": self.plan.outputs} | (self.plan.steps if steps else {})
        roots = [node for columns in groups.values() for node in columns.values()]
        results = iter(self.evaluators.batches.evaluate(roots, table, context, self.row))
        tables = {
            name: output_columns.table(self.plan, columns, [next(results) for _ in columns])
            for name, columns in groups.items()
        }
        return Evaluation(tables.pop(""), tables)

    def earlier(self, rows: Any, context: Any) -> "pa.Table | None":
        """The rows of `context` that `rows` need, with every raw column; None where rows need none.

        Raises InputError for what `predict` would refuse.
        """
        return self.evaluators.batches.earlier(rows, context)

    def save(self, folder: str | Path) -> None:
        """Write the artifact, which `load_model` reads: plan, arrays and row schema; nothing in it is pickled."""
        artifact.save(Path(folder), self.plan, self.row, self._opaque.states)

    def _output_nodes(self, kind: str) -> tuple[int, ...]:
        nodes = self._nodes_of_kind.get(kind)
        if nodes is None:
            nodes = self._nodes_of_kind[kind] = tuple(output_columns.output_nodes(self.plan, kind).values())
        return nodes

    def _columns(self, nodes: Mapping[str, int], data: Any, context: Any) -> list[PlanColumn]:
        return self.evaluators.batches.evaluate(list(nodes.values()), data, context)

    def _output_columns(self, kind: str, data: Any, context: Any) -> list[np.ndarray[Any, Any]]:
        columns = self._columns(output_columns.output_nodes(self.plan, kind), data, context)
        return [output_columns.as_array(column) for column in columns]

    def _shaped(self, kind: str, columns: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Output columns in the shape of the library's answer: an output without a label is one-dimensional."""
        return columns[0] if kind in self.plan.outputs else np.column_stack(columns)

    def __repr__(self) -> str:
        kind = "exact" if self.exact else f"opaque in {', '.join(self._opaque.states)}"
        return f"CompiledPipeline({len(self.reads)} of {len(self.row.names)} raw columns reach the output, {kind})"

    def _repr_html_(self) -> str:
        return self.report._repr_html_() if self.report else f"<p>{self!r}</p>"


def load_model(
    folder: str | Path,
    *,
    library: str = "pipeline_lib",
    trust: Sequence[str] = (),
    other_versions: bool = False,
    threads: int = 1,
) -> CompiledPipeline:
    """Load the artifact that a run left in `folder` (`runs/NAME/ID/artifact`), ready to predict.

    Loading an exact artifact executes nothing, needs the core requirements alone and imports neither scikit-learn nor
    pandas. For opaque steps, `library` is the package whose exported steps may be loaded, and `trust` names packages
    whose classes may be, such as ("category_encoders",), besides scikit-learn's and feature-engine's estimators and
    the boosters of LightGBM, XGBoost and CatBoost. Nothing is unpickled. An opaque step runs with the versions of its
    packages that it was compiled with; `other_versions` accepts others, whose answers may differ. The native core,
    where it was built, spreads batches of many thousand rows over `threads`; one is enough for fewer.

    Raises InputError where the folder holds no artifact of a known format, or a damaged one, and where an opaque step
    is of another package or version, or its libraries are not installed.

    >>> load_model("runs/houses/ID/artifact")
    CompiledPipeline(3 of 3 raw columns reach the output, exact)
    """
    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"found {folder!r}, expected a folder; name it as runs/NAME/ID/artifact")
    plan, row, opaque = artifact.load(Path(folder))
    return CompiledPipeline(plan, row, opaque, library, trust=trust, other_versions=other_versions, threads=threads)
