"""From a fitted pipeline to a compiled one: a plan, checked step by step against the libraries' own results."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.compile_report import StepReport
from pipeline_lib.compiled.opaque import quiet_libraries
from pipeline_lib.compiled.operations.list_columns import LIST
from pipeline_lib.compiled.pipeline import DECISION, PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.compiled.plan import Plan, RawTable
from pipeline_lib.compiled.time_order import check_order, declared_table
from pipeline_lib.compiler.adapters.catalog import predict, transform
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, Outputs, RefusedStepError, qualified_name
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.end_to_end import compile_report
from pipeline_lib.compiler.fidelity import Distance, Write, check_step
from pipeline_lib.compiler.opaque_step import OpaqueStep
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.frames import Frames, dtype_differences, schema_of_frame, to_pipeline_input
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pandas as pd

_METHODS = {PREDICTION: "predict", PROBABILITY: "predict_proba", DECISION: "decision_function"}
_DTYPES = {"integer": "int64", "number": "float64", "string": "str", "boolean": "bool", "datetime": "datetime"}
_FEW_ROWS = (1, 7)


@dataclass(frozen=True)
class Settings:
    """What a pipeline is compiled for: the schema of raw rows, the library of own steps, what is allowed."""

    row: RowSchema
    library: str = "pipeline_lib"
    allow_opaque: bool = False
    table: RawTable = RawTable()  # noqa: RUF009  a frozen dataclass, too

    @property
    def context(self) -> int:
        """How many earlier rows each row needs."""
        return self.table.context


def compile_pipeline(
    fitted: Any,
    *,
    like: "pd.DataFrame | Mapping[str, pd.DataFrame]",
    row: RowSchema | None = None,
    library: str = "pipeline_lib",
    allow_opaque: bool = False,
    context: Context | int = 0,
) -> CompiledPipeline:
    """Compile a fitted scikit-learn or feature-engine pipeline, from raw rows to prediction.

    `like` is the training frame: its dtypes must be what production will deliver, and on each of its rows every
    step's plan is checked against the library's own result. `row` is the schema of raw rows, by default what
    `like` holds; a pipeline over several raw tables needs it, and `like` then maps their names to frames. A step
    without an exact plan is refused, or with `allow_opaque` runs through its library; then `library` is the package
    whose exported steps may be loaded. `context` declares how many earlier rows, in order of
    time, production will have for each row, and may say how time passes: lags and windows need them.
    Raises InputError for a step that cannot be compiled faithfully, saying which and what to do.
    """

    if row is None and isinstance(like, Mapping):
        raise InputError(
            "found several training tables without a schema, expected row=schema_of(Tables(...)), which names their key"
        )
    row = row or schema_of_frame(like)  # type: ignore[arg-type]  # no mapping: see above
    settings = Settings(row, library, allow_opaque, declared_table(context, row))
    return compile_fitted(fitted, like=like, settings=settings)


def compile_fitted(
    fitted: Any, *, like: "pd.DataFrame | Mapping[str, pd.DataFrame]", settings: Settings
) -> CompiledPipeline:
    """Compile a fitted pipeline and check it on every row of `like`; see `compile_pipeline`."""
    steps, row = _steps(fitted), settings.row
    differences = dtype_differences(like, row)
    if differences:
        raise InputError(
            "found training columns of other dtypes than production will deliver:\n  "
            + "\n  ".join(differences)
            + "\ncast them in `load`, or change `Row`, and fit again"
        )
    if row.key is not None and settings.context:
        raise InputError(
            f"found a context of {settings.context} rows and several raw tables, expected one of them: the earlier "
            "rows of a key can be a child table of their own"
        )
    table = conform(like, row)
    if table.num_rows <= settings.context:
        raise InputError(
            f"found {f'{table.num_rows:,}' if table.num_rows else 'no'} rows in `like`, expected the training rows, "
            f"more than the context of {settings.context}; pass X_train"
        )
    check_order(table, settings.context, settings.table, hidden=settings.table.time in row.sensitive)
    work = _Compilation(settings)
    with quiet_libraries():
        work.walk(steps, to_pipeline_input(table, row))
        model = CompiledPipeline(work.plan(), row, work.opaque, settings.library)
        model.report = compile_report(model, fitted, table, work.reports)
    return model


def check_rows(
    model: CompiledPipeline,
    fitted: Any,
    data: "pd.DataFrame | Mapping[str, pd.DataFrame]",
    library: str,
    *,
    context: Any = None,
) -> None:
    """Check a compiled pipeline on other rows as compiling did. Raises InputError where it is not faithful.

    `context` are the rows just before them, for a pipeline that needs these.
    """
    table = conform(data, model.row)
    if context is not None:
        table = pa.concat_tables([conform(context, model.row), table]).combine_chunks()
    work = _Compilation(Settings(model.row, library, allow_opaque=True, table=model.plan.tables[0]))
    with quiet_libraries():
        work.walk(_steps(fitted), to_pipeline_input(table, model.row))


def raw_columns(row: RowSchema, build: Builder) -> Columns:
    """The raw columns of a row schema as a pipeline's first step sees them."""
    columns = {}
    main = {column.name for column in row.columns}
    tables = dict.fromkeys(row.names, row.name) | {
        f"{child.name}.{column.name}": child.name for child in row.children for column in child.own
    }
    for name, column in row.by_name.items():
        dtype, abs_max = _DTYPES.get(column.kind, "datetime"), math.inf
        if column.nullable and dtype in ("int64", "bool"):
            dtype = "float64"
        elif dtype == "float64":
            abs_max = 1.7976931348623157e308 if column.finite and not column.nullable else math.inf
        elif not column.nullable:
            abs_max = {"bool": 1.0, "str": 0.0}.get(dtype, 2.0**63)
        columns[name] = build.input(name, dtype if name in main else f"{dtype}{LIST}", abs_max, table=tables[name])
    return columns


class _Compilation:
    """A plan that grows step by step, beside what the libraries make of the same rows."""

    def __init__(self, settings: Settings) -> None:
        self.build = Builder(context=settings.context)
        self.columns = raw_columns(settings.row, self.build)
        self.settings = settings
        self.steps: dict[str, dict[str, int]] = {}
        self.outputs: dict[str, int] = {}
        self.classes: tuple[Any, ...] = ()
        self.opaque: dict[str, bytes] = {}
        self.reports: list[StepReport] = []

    def plan(self) -> Plan:
        """The plan as far as it has come."""
        row = self.settings.row
        several = tuple(RawTable(part.name, part.key) for part in row.tables) if row.key is not None else ()
        tables = several or (self.settings.table,)
        return Plan(self.build.nodes, self.outputs, self.steps, tables, self.classes)

    def walk(self, steps: Sequence[tuple[str, Any]], given: Any) -> None:
        """Write every step's plan, checked on the rows `given`."""
        for name, step in steps[:-1]:
            if step is None or (isinstance(step, str) and step == "passthrough"):
                continue
            made = step.transform(given.copy())  # some write into what they are given
            if made.shape[0] != given.shape[0]:
                raise RefusedStepError(
                    f"step {name}: found {made.shape[0]:,} rows for {given.shape[0]:,}, expected one for one; "
                    "a step that drops rows cannot serve production: drop them in `load` or `split`"
                )
            self._transformer(name, step, given, made)
            given = made
        name, final = steps[-1]
        if not hasattr(final, "predict"):
            raise InputError(
                f"found a final step {type(final).__name__} without predict, expected an estimator; "
                "end the pipeline with one"
            )
        self._estimator(name, final, given)

    def _transformer(self, name: str, step: Any, given: Any, made: Any) -> None:
        before = self.columns

        def write(columns: Columns, build: Builder) -> Sequence[Value]:
            return list(transform(step, dict(columns), build).values())

        try:
            after = transform(step, dict(before), self.build)
            _refuse_child_columns(name, after)
            distance = check_step(f"step {name}", write, before, given, made, self._raw(given))
            if hasattr(type(step), "plan"):
                self._check_small_batches(name, step, write, given)
            report = _step_report(name, step, before, len(after), distance)
        except NoPlanError as error:
            after = self._run_opaque(name, step, given, {"transform": made}, error)["transform"]
            kind = qualified_name(type(step))
            report = StepReport(name, kind, len(before), len(after), exact=False, why=_first_line(error))
        self.columns = dict(zip(_names(step, made, after), after.values(), strict=True))
        self.steps[name] = {column: value.node for column, value in self.columns.items()}
        self.reports.append(report)

    def _raw(self, given: Any) -> dict[str, Any] | None:
        """Several raw tables as a plan has them; None for what a step makes."""
        return from_arrow(conform(given, self.settings.row)) if isinstance(given, Frames) else None

    def _check_small_batches(self, name: str, step: Any, write: Write, given: Any) -> None:
        """Check an own step where it meets few rows, as in production: it may ask how many there are."""
        row = self.settings.row
        for rows in _FEW_ROWS:
            if isinstance(given, Frames):
                part: Any = to_pipeline_input(conform(given, row).slice(0, rows), row)
            else:
                part = given.iloc[:rows] if hasattr(given, "iloc") else given[:rows]
            if not self.settings.context and part.shape[0] == rows:
                where = f"step {name}, {rows} rows alone"
                check_step(where, write, self.columns, part, step.transform(part.copy()), self._raw(part))

    def _estimator(self, name: str, final: Any, given: Any) -> None:
        before = self.columns
        made = {
            kind: getattr(final, method)(given.copy()) for kind, method in _METHODS.items() if hasattr(final, method)
        }
        try:
            outputs = _by_kind(predict(final, list(before.values()), self.build))
            distance = Distance()
            for kind, expected in made.items():
                where = f"step {name}, {_METHODS[kind]}"
                distance = distance.worst(check_step(where, _writer(final, kind), before, given, expected))
            report = _step_report(name, final, before, len(outputs[PREDICTION]), distance)
        except NoPlanError as error:
            opaque = self._run_opaque(name, final, given, made, error)
            outputs = {kind: list(columns.values()) for kind, columns in opaque.items()}
            report = StepReport(name, qualified_name(type(final)), len(before), 1, exact=False, why=_first_line(error))
        self.classes = _classes(final)
        for kind in made:
            self.outputs |= _labelled(kind, outputs[kind], final)
        self.reports.append(report)

    def _run_opaque(
        self, name: str, step: Any, given: Any, made: dict[str, Any], error: NoPlanError
    ) -> dict[str, Columns]:
        if not self.settings.allow_opaque or isinstance(given, Frames):
            raise NoPlanError(f"step {name}: {error}")
        runner = OpaqueStep.of(name, step, given, made, self.settings.library)
        self.opaque[name] = runner.state
        return runner.write(self.columns, self.build)


def _refuse_child_columns(name: str, columns: Columns) -> None:
    below = [column for column, value in columns.items() if value.table]
    if below:
        raise RefusedStepError(
            f"step {name}: found {', '.join(below)} with a value for each row of the table "
            f"{columns[below[0]].table}, expected one for each main row; aggregate them, as build.total does"
        )


def _steps(fitted: Any) -> list[tuple[str, Any]]:
    steps = getattr(fitted, "steps", None)
    if not isinstance(steps, list) or not steps:
        raise InputError(
            f"found {type(fitted).__name__}, expected a scikit-learn Pipeline from raw rows to prediction; "
            "wrap the estimator: Pipeline([('estimator', ...)])"
        )
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(fitted)
    except NotFittedError as error:
        raise InputError(
            f"found a pipeline that is not fitted ({error}), expected a fitted one; call fit(X_train, y_train) first"
        ) from None
    return list(steps)


def _by_kind(outputs: Outputs) -> dict[str, list[Value]]:
    return {
        PREDICTION: list(outputs.prediction),
        PROBABILITY: list(outputs.probability),
        DECISION: list(outputs.decision),
    }


def _writer(final: Any, kind: str) -> Callable[[Columns, Builder], Sequence[Value]]:
    return lambda columns, build: _by_kind(predict(final, list(columns.values()), build))[kind]


def _names(step: Any, made: Any, after: Columns) -> list[str]:
    """The names that the library gives its columns; those of the plan where it gives none."""
    if hasattr(made, "columns"):
        names = list(map(str, made.columns))
    else:
        try:
            names = list(map(str, step.get_feature_names_out()))
        except (AttributeError, ValueError, TypeError):
            names = []
    return names if len(set(names)) == len(after) == len(names) else list(after)


def _classes(final: Any) -> tuple[Any, ...]:
    labels = np.asarray(getattr(final, "classes_", ()), dtype=object)
    plain = tuple(label.item() if isinstance(label, np.generic) else label for label in labels.ravel())
    return plain if labels.ndim == 1 and all(isinstance(label, bool | int | float | str) for label in plain) else ()


def _labelled(kind: str, values: Sequence[Value], final: Any) -> dict[str, int]:
    labels = list(getattr(final, "classes_", ()))
    if len(values) == 1 and kind != PROBABILITY:
        return {kind: values[0].node}
    if len(labels) != len(values) or kind == PREDICTION:
        labels = list(range(len(values)))
    return {f"{kind}[{label}]": value.node for label, value in zip(labels, values, strict=True)}


def _step_report(name: str, step: Any, before: Columns, made: int, distance: Distance) -> StepReport:
    return StepReport(
        name,
        qualified_name(type(step)),
        len(before),
        made,
        exact=True,
        ulps=distance.ulps,
        share=distance.share,
        flips=distance.flips,
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
