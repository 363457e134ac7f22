"""The compiled pipeline: raw rows in, predictions out, the same bits in any batch and on any machine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import Column
from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.compiled.context_row import WideFunction, wide_function
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import lower
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiled.row_executor import NotPlainError, RowFunction, row_function
from pipeline_lib.compiled.time_order import check_forecastable, check_order, following
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa

PART_CHILDREN = 262_144  # so many child rows are brought to their main rows at a time
PREDICTION, PROBABILITY, DECISION = "prediction", "probability", "decision"


@dataclass(frozen=True)
class Evaluation:
    """What a pipeline makes of some rows: output columns, and each step's columns by the step's name."""

    outputs: "pa.Table"
    steps: "dict[str, pa.Table]"


class CompiledPipeline:
    """A pipeline ready for production: a plan of exact operations over columns of raw rows.

    Made by `compile_pipeline` or `load_model`. Columns are found by name; those that cannot reach the output are
    not read, and not checked. `report` says what compiling found; a loaded pipeline has none. Without
    `distinct_values` batches are evaluated row by row, with the same bits.
    """

    def __init__(
        self,
        plan: Plan,
        row: RowSchema,
        opaque: Mapping[str, bytes] | None = None,
        library: str = "pipeline_lib",
        *,
        distinct_values: bool = True,
    ) -> None:
        self.plan = plan
        self.row = row
        self.report: CompileReport | None = None
        self._opaque = dict(opaque or {})
        self._distinct_values = distinct_values
        self._live = (_with_runners(plan, self._opaque, library) if opaque else plan).hiding(row.sensitive)
        self._executors: dict[tuple[int, ...], tuple[RowSchema, ColumnExecutor]] = {}
        self._row_functions: dict[tuple[int, ...], tuple[RowSchema, RowFunction]] = {}
        self._wide_functions: dict[tuple[int, ...], WideFunction | None] = {}

    @property
    def exact(self) -> bool:
        """Whether every step is evaluated by our own operations."""
        return not self._opaque

    @property
    def context(self) -> int:
        """How many earlier rows each row needs; 0 for a pipeline whose rows stand alone."""
        return self.plan.context

    @property
    def classes(self) -> tuple[Any, ...]:
        """A classifier's labels, in the order of its probabilities; empty for a regressor."""
        return self.plan.classes

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Names of the raw columns that reach an output."""
        return self._schema(list(self.plan.outputs.values())).names

    def predict(self, data: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Predictions, one per row (rows x targets for several), for raw rows.

        `data` is a DataFrame, an Arrow table, a mapping or a list of mappings; of a pipeline over several tables it
        maps each table's name to one of these, and the main table's rows get the predictions. Regression gives
        float64, classes are int64, float64, bool or object (str). Where the pipeline has a `context`, the rows are in
        order of time and `context` holds the rows just before them. Raises InputError for rows outside the schema, for
        too few earlier rows, and for rows out of order, doubled or left out where the pipeline knows its column of
        times.
        """
        columns = self._columns(self._named(PREDICTION), data, context)
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def predict_batches(self, batches: Iterable[Any], *, context: Any = None) -> Iterator[np.ndarray[Any, Any]]:
        """Predictions for raw rows that come in parts, each as `predict` takes it: memory holds one part at a time.

        `context` are the rows before the first part; each further part has the parts before it.
        Raises InputError for a part with rows outside the schema, saying which part.
        """
        for number, part in enumerate(batches):
            try:
                yield self.predict(part, context=context)
                if self.context:
                    context = self._latest(context, part)
            except InputError as error:
                raise InputError(f"part {number}: {error}") from error

    def forecast(self, rows: Any, *, steps: int) -> np.ndarray[Any, Any]:
        """Predictions of `steps` rows to come, each taken as true for the next: what `predict_row` would give in turn.

        `rows` are the latest ones, in order of time: the context, then the row after which the forecast begins. The
        pipeline must have declared the step of time and the column that a prediction `feeds`, and read no others.
        """
        from pipeline_lib.rows.conform import conform

        declared = self.plan.tables[0]
        check_forecastable(declared, self.reads)
        if type(steps) is not int or steps < 1:
            raise InputError(f"found steps={steps!r}, expected a whole number from 1 on; say how many to forecast")
        schema, _ = self._executor(self._named(PREDICTION))
        known = conform(rows, schema).to_pylist()
        if len(known) <= declared.context:
            raise InputError(
                f"found {len(known):,} rows, expected at least {declared.context + 1:,}: the context and the latest "
                "row; pass the latest rows, in order of time"
            )
        predictions = []
        for _ in range(steps):
            predictions.append(self.predict_row(known[-1], context=known[-1 - declared.context : -1]))
            known.append(following(known[-1], predictions[-1], declared))
        return np.array(predictions)

    def predict_proba(self, data: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Class probabilities, rows x classes (float64), in the order of `classes`."""
        return np.column_stack(self._columns(self._named(PROBABILITY), data, context))

    def decision_function(self, data: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Decision values, float64: rows, or rows x classes where there are more than two."""
        columns = self._columns(self._named(DECISION), data, context)
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def transform(self, data: Any, *, context: Any = None) -> "pa.Table":
        """The columns that reach the final estimator, as an Arrow table."""
        from pipeline_lib.rows.conform import conform

        if not self.plan.steps:
            return conform(data, self.row)
        columns = list(self.plan.steps.values())[-1]
        schema, executor = self._executor(list(columns.values()))
        return self._table(columns, self._results(executor, data, context, schema))

    def predict_row(self, row: Mapping[str, Any], *, context: Any = None) -> Any:
        """The prediction for one raw row, a mapping by column names: a Python scalar (a tuple for several targets).

        Of several tables it is a mapping of their names: to a mapping, the main row, and to lists of mappings, the
        child rows. Reads and checks only what reaches the output. Raises InputError with every field that is missing,
        of another type or outside the schema. `context` as for `predict`.
        """
        found = self._row_values(self._named(PREDICTION), row, context)
        return found[0] if len(found) == 1 else found

    def predict_proba_row(self, row: Mapping[str, Any], *, context: Any = None) -> tuple[float, ...]:
        """The class probabilities of one raw row, in the order of `classes`."""
        return self._row_values(self._named(PROBABILITY), row, context)

    def trace_row(self, row: Mapping[str, Any], *, context: Any = None) -> dict[str, dict[str, Any]]:
        """Every step's columns for one raw row, by step and column; last the outputs. Missing is None."""
        groups = {**self.plan.steps, "outputs": self.plan.outputs}
        roots = [node for columns in groups.values() for node in columns.values()]
        values = iter(self._row_values(roots, row, context))
        dtypes = [node.dtype for node in self.plan.nodes]
        return {
            name: {column: _plain(next(values), dtypes[node]) for column, node in columns.items()}
            for name, columns in groups.items()
        }

    def evaluate(self, table: "pa.Table", *, context: "pa.Table | None" = None, steps: bool = False) -> Evaluation:
        """Outputs, and with `steps` each step's columns, for a table (and earlier rows) that conform to the schema."""
        groups = {"": self.plan.outputs} | (self.plan.steps if steps else {})
        roots = [node for columns in groups.values() for node in columns.values()]
        _, executor = self._executor(roots)
        found = iter(self._results(executor, table, context, self.row))
        tables = {name: self._table(columns, [next(found) for _ in columns]) for name, columns in groups.items()}
        return Evaluation(tables.pop(""), tables)

    def save(self, folder: Path) -> None:
        """Write the artifact: plan, arrays and row schema; nothing in it is pickled."""
        artifact.save(folder, self.plan, self.row, self._opaque)

    def _named(self, kind: str) -> list[int]:
        nodes = [node for name, node in self.plan.outputs.items() if name.partition("[")[0] == kind]
        if not nodes:
            kinds = sorted({name.partition("[")[0] for name in self.plan.outputs})
            raise InputError(
                f"found a final estimator that gives no {kind}, expected one that does; it gives {', '.join(kinds)}"
            )
        return nodes

    def _schema(self, roots: Sequence[int]) -> RowSchema:
        read = set(self.plan.columns_read(roots))
        read |= {table.time for table in self.plan.tables if table.time is not None}
        return self.row.keep(read)

    def _executor(self, roots: Sequence[int]) -> tuple[RowSchema, ColumnExecutor]:
        key = tuple(roots)
        if key not in self._executors:
            self._executors[key] = (
                self._schema(roots),
                make_executor(self._live, roots, distinct_values=self._distinct_values),
            )
        return self._executors[key]

    def _columns(self, roots: Sequence[int], data: Any, context: Any) -> list[np.ndarray[Any, Any]]:
        schema, executor = self._executor(roots)
        return [_values(column) for column in self._results(executor, data, context, schema)]

    def _tables(self, data: Any, context: Any, schema: RowSchema) -> "tuple[pa.Table, int]":
        """The rows behind as many earlier ones as the plan needs, and how many rows they are."""
        import pyarrow as pa

        from pipeline_lib.rows.conform import conform

        if not self.context and context is None:
            rows = conform(data, schema, for_executor=True)
            return rows, rows.num_rows
        rows = conform(data, schema)
        earlier = conform([] if context is None else context, schema)
        if earlier.num_rows < self.context or not self.context:
            expected = f"at least {self.context:,}" if self.context else "none"
            raise InputError(
                f"found {earlier.num_rows:,} earlier rows, expected {expected} as the pipeline was compiled; "
                "pass context=, the rows just before these in order of time"
            )
        both, declared = pa.concat_tables([earlier, rows]), self.plan.tables[0]
        check_order(both, earlier.num_rows, declared, hidden=declared.time in self.row.sensitive)
        return both.slice(earlier.num_rows - self.context).combine_chunks(), rows.num_rows

    def earlier(self, rows: Any, context: Any) -> "pa.Table | None":
        """Of `context` the rows just before `rows` that these need, with every raw column; None where rows stand alone.

        Raises InputError for what `predict` would refuse.
        """
        if not self.context and context is None:
            return None
        both, count = self._tables(rows, context, self.row)
        return both.slice(0, both.num_rows - count)

    def _latest(self, earlier: Any, rows: Any) -> "pa.Table":
        """The last rows of what was before and of a part, as many as the context has."""
        import pyarrow as pa

        from pipeline_lib.rows.conform import conform

        schema, _ = self._executor(self._named(PREDICTION))
        both = pa.concat_tables([conform(earlier, schema), conform(rows, schema)])
        return both.slice(both.num_rows - self.context)

    def _results(self, executor: ColumnExecutor, data: Any, context: Any, schema: RowSchema) -> list[Column]:
        """The executor's columns; of several tables in parts, as their rows must be brought together first."""
        if self.row.key is None or context is not None:
            return self._run(executor, *self._tables(data, context, schema))
        from pipeline_lib.compiled.arrow import run_parts
        from pipeline_lib.rows.conform import conform_in_parts

        return run_parts(executor, conform_in_parts(data, schema, PART_CHILDREN, for_executor=True))

    def _run(self, executor: ColumnExecutor, table: "pa.Table", rows: int) -> list[Column]:
        from pipeline_lib.compiled.arrow import from_arrow

        return executor.run(from_arrow(table), rows)

    def _row_values(self, roots: Sequence[int], row: Mapping[str, Any], context: Any = None) -> tuple[Any, ...]:
        if not isinstance(row, Mapping):
            advice = (
                "row.to_dict()" if hasattr(row, "to_dict") and getattr(row, "ndim", 1) == 1 else "predict for many rows"
            )
            raise InputError(
                f"found {type(row).__name__}, expected one row as a mapping of column names to values; {advice}"
            )
        if self.row.key is not None:
            return self._values_of_tables(roots, row)
        if self.context or context is not None:
            return self._in_context(roots, row, context)
        try:
            return self._row_function(roots)[1](row)  # type: ignore[no-any-return]
        except NotPlainError:  # `conform` says whether the row is wrong, or only not plain
            schema, executor = self._executor(roots)
            return tuple(map(lower, self._run(executor, *self._tables(row, None, schema))))

    def _in_context(self, roots: Sequence[int], row: Mapping[str, Any], context: Any) -> tuple[Any, ...]:
        """The values of a row behind its context: a list of mappings of the right length is answered at once."""
        if self.exact and type(context) is list and len(context) == self.context:
            key = tuple(roots)
            if key not in self._wide_functions:
                self._wide_functions[key] = wide_function(self.plan, roots, self._schema(roots), self.plan.tables[0])
            wide = self._wide_functions[key]
            values = wide(row, context) if wide else None
            if values is not None:
                return values
        schema, executor = self._executor(roots)
        return tuple(map(lower, self._run(executor, *self._tables(row, context, schema))))

    def _values_of_tables(self, roots: Sequence[int], row: Mapping[str, Any]) -> tuple[Any, ...]:
        from pipeline_lib.compiled.arrow import from_arrow
        from pipeline_lib.rows.conform import conform

        schema, function = self._row_function(roots)
        table = conform(row, schema)
        if table.num_rows != 1:
            raise InputError(f"{schema.name}: found {table.num_rows:,} rows, expected one; predict for many")
        return tuple(function({name: lower(column) for name, column in from_arrow(table).items()}))

    def _row_function(self, roots: Sequence[int]) -> tuple[RowSchema, RowFunction]:
        key = tuple(roots)
        if key not in self._row_functions:
            schema = self._schema(roots)
            self._row_functions[key] = (schema, row_function(self._live, roots, schema))
        return self._row_functions[key]

    def _table(self, names: Mapping[str, int], columns: Sequence[Column]) -> "pa.Table":
        import pyarrow as pa

        from pipeline_lib.compiled.arrow import bag_arrays, to_arrow

        arrays: dict[str, Any] = {}
        for (name, node), column in zip(names.items(), columns, strict=True):
            dtype = self.plan.nodes[node].dtype
            if dtype == "bag":
                arrays |= {f"{name}[{part}]": array for part, array in bag_arrays(column).items()}
            elif dtype == "vector":
                arrays |= {f"{name}[{place}]": to_arrow(part, "float64") for place, part in enumerate(column)}
            else:
                arrays[name] = to_arrow(column, dtype)
        return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))

    def __repr__(self) -> str:
        kind = "exact" if self.exact else f"opaque in {', '.join(self._opaque)}"
        return f"CompiledPipeline({len(self.reads)} of {len(self.row.names)} raw columns reach the output, {kind})"

    def _repr_html_(self) -> str:
        return self.report._repr_html_() if self.report else f"<p>{self!r}</p>"


def _with_runners(plan: Plan, opaque: Mapping[str, bytes], library: str) -> Plan:
    """The plan whose opaque nodes hold the loaded steps that they run."""
    try:
        from pipeline_lib.compiled.opaque import OpaqueRunner, load_state

        loaded = {name: load_state(state, library) for name, state in opaque.items()}
    except ImportError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the libraries that the opaque steps {', '.join(opaque)} run "
            "through; pip install 'nb-pipeline-lib[opaque]'"
        ) from error
    nodes = list(plan.nodes)
    for place, node in enumerate(nodes):
        if node.operation == "opaque":
            dtypes = [nodes[taken].dtype for taken in node.inputs]
            runner = OpaqueRunner(loaded[node.settings["step"]], node.settings, dtypes)
            nodes[place] = Node(node.operation, node.inputs, {**node.settings, "runner": runner}, node.dtype)
    return Plan(nodes, plan.outputs, plan.steps, plan.tables, plan.classes)


def _values(column: Column) -> np.ndarray[Any, Any]:
    return np.array(column.tolist(), dtype=object) if isinstance(column, TextColumn) else np.asarray(column)


def _plain(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "toarray"):  # a bag of one row: its places that are not 0
        return dict(zip(value.indices.tolist(), value.values.tolist(), strict=True))
    return None if value != value or (dtype == "datetime" and value == NAT) else value


def load_model(folder: str | Path, *, library: str = "pipeline_lib") -> CompiledPipeline:
    """Load the artifact that a run left in `folder` (`runs/NAME/ID/artifact`), ready to predict.

    Loading an exact artifact executes nothing and imports neither scikit-learn nor pandas. For opaque steps,
    `library` is the package whose exported steps may be loaded besides scikit-learn's and feature-engine's.
    Raises InputError when the folder holds no artifact of a known format.
    """
    plan, row, opaque = artifact.load(Path(folder))
    return CompiledPipeline(plan, row, opaque, library)
