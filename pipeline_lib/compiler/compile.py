"""Compile a fitted pipeline into a plan, checked on the training rows against the libraries' own results.

compile.py          checks of the inputs, the compiled model and its report
fitted_steps.py     the steps of a pipeline, a search, an estimator alone
training_frame.py   training rows in any container as a frame
raw_input.py        the container and dtypes in which the pipeline takes raw rows
compilation.py      the plan, written step by step
adapters, builder   the operations of each step
fidelity.py         each step's plan against the step's own output, within error_bounds.py
opaque_step.py      steps that run through their libraries
end_to_end.py       predictions of the whole pipeline, and its speed
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.opaque import quiet_libraries
from pipeline_lib.compiled.opaque_trust import check_trust
from pipeline_lib.compiled.operations.kept_results import kept_results
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.time_order import check_order, declared_table
from pipeline_lib.compiler.column_comparison import UnfaithfulPlanError
from pipeline_lib.compiler.compilation import Compilation, CompileOptions
from pipeline_lib.compiler.end_to_end import compile_report
from pipeline_lib.compiler.fitted_steps import fitted_steps
from pipeline_lib.compiler.library_answers import METHODS, LibraryAnswers
from pipeline_lib.compiler.opaque_step import Loading
from pipeline_lib.compiler.output_differences import OUTPUTS
from pipeline_lib.compiler.output_names import side_by_side
from pipeline_lib.compiler.raw_input import RawInput, raw_input
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.containers import is_instance
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

_ROUNDING = 1e-9  # of the largest value


@dataclass(frozen=True)
class Compiled:
    """A compiled pipeline with what it was compiled from: `raw` is how the fitted pipeline takes raw rows."""

    model: CompiledPipeline
    fitted: Any
    raw: RawInput
    loading: Loading

    def check_rows(self, data: Any, *, context: Any = None) -> None:
        """Check the plan on other rows, as on the training rows.

        `context` are the rows before `data`, for a pipeline that needs earlier rows. Raises InputError for a step whose
        plan differs from its own result.
        """
        row, table = self.model.row, self.model.plan.tables[0]
        rows = conform(data, row)
        if context is not None:
            rows = pa.concat_tables([conform(context, row), rows]).combine_chunks()
        compilation = Compilation(
            CompileOptions(self.raw, self.loading, allow_opaque=True, edge_rows=False, table=table)
        )
        with library_calls(), kept_results():
            compilation.run(fitted_steps(self.fitted), self.raw.library_rows(rows))
            compilation.compare_traces()


def compile_pipeline(
    fitted: Any,
    *,
    like: Any,
    row: RowSchema | None = None,
    library: str = "pipeline_lib",
    allow_opaque: bool = False,
    trust: Sequence[str] = (),
    context: Context | int = 0,
) -> CompiledPipeline:
    """Compile what was fitted, from raw rows to prediction.

    `fitted` is a scikit-learn, feature-engine or imbalanced-learn pipeline, an estimator alone, or a search such as
    GridSearchCV, whose best pipeline is compiled.

    `like` are the rows that it was fitted on, in the same form: a DataFrame, a Series, an array, a list of texts or
    rows, a polars or Arrow table. Every step's plan is checked on each of them against the step's own result. Columns
    that the pipeline was not fitted on are left out, and those of an array are called x0, x1, …. `row` is the schema
    of raw rows, by default the widest one that the dtypes of `like` allow; a pipeline over several raw tables needs
    it, and `like` then maps table names to frames.

    A step without an exact plan is refused, or with `allow_opaque` runs through its library; only that step does,
    also inside a ColumnTransformer. `library` is the package whose exported steps may then be loaded, `trust` names
    other packages whose classes may be, such as ("category_encoders",); `load_model` needs both again.

    `context` is the count of earlier rows, in order of time, that production will have for each row, or a `Context`
    that also says how time passes: lags and windows need it.

    Raises InputError for a step that cannot be compiled faithfully; the message names the step and a remedy.

        >>> import pandas as pd
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import MinMaxScaler
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> X = pd.DataFrame({"age": [20, 30, 60]})
        >>> fitted = make_pipeline(MinMaxScaler(), DecisionTreeRegressor()).fit(X, [1.5, 2.0, 9.0])
        >>> model = compile_pipeline(fitted, like=X)
        >>> model.report.exact
        True
        >>> model.predict_row({"age": 58})
        9.0
    """
    compiled = compile_fitted(
        fitted, like=like, row=row, library=library, allow_opaque=allow_opaque, trust=trust, context=context
    )
    return compiled.model


def compile_fitted(
    fitted: Any,
    *,
    like: Any,
    row: RowSchema | None = None,
    library: str = "pipeline_lib",
    allow_opaque: bool = False,
    trust: Sequence[str] = (),
    context: Context | int = 0,
) -> Compiled:
    """Compile as `compile_pipeline` does; what it returns can check further rows, too."""
    _check_arguments(row, context)
    if row is None and isinstance(like, Mapping):
        raise InputError(
            "found several training tables without a schema, expected row=schema_of(Tables(...)), which names their "
            "key; pass a single table as a DataFrame"
        )
    steps = fitted_steps(fitted)
    raw, rows = raw_input(like, row, steps, _declared(context))
    loading = Loading(library, check_trust(trust))
    options = CompileOptions(raw, loading, allow_opaque, table=declared_table(context, raw.row))
    table = _training_table(rows, options)
    data = raw.library_rows(table)
    _check_restored(fitted, like, raw, rows, data)
    compilation = Compilation(options)
    with library_calls(), kept_results():
        with _naming_dtypes(raw):
            compilation.run(steps, data)
        plan = compilation.plan()
        model = CompiledPipeline(plan, raw.row, compilation.opaque.states(plan), library, trust=loading.trust)
        chosen, last = compilation.end_to_end()
        if chosen is not None:
            table = table.take(chosen)
            data = raw.library_rows(table)
        reach = max(options.context, compilation.skipped)
        answers = LibraryAnswers(fitted, data, reach, last, alone=len(steps) == 1)
        model.report = compile_report(model, answers, table, compilation.reports, compilation.last)
        compilation.compare_traces()  # last, since other processes record meanwhile
    return Compiled(model, fitted, raw, loading)


@contextmanager
def library_calls() -> Iterator[None]:
    """Libraries as production runs them, without a notice about rows that have names where the fit had none."""
    with quiet_libraries(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"X (has|does not have valid) feature names", category=UserWarning)
        yield


@contextmanager
def _naming_dtypes(raw: RawInput) -> Iterator[None]:
    """Refusals name raw columns whose dtypes may be their reason, and how to convert these."""
    try:
        yield
    except InputError as error:
        hints = raw.hints(digits=_is_unfaithful(error) or "float32" in str(error))
        error.args = ("\n".join([str(error), *hints]),)
        raise
    except Exception as error:  # a step or an adapter that does not expect such values
        if not raw.placeholders:
            raise
        hints = raw.hints(digits=False)
        raise InputError("\n".join([f"found {type(error).__name__}: {error}", *hints])) from error


def _is_unfaithful(error: BaseException | None) -> bool:
    """Whether an error comes from a plan that differs from its library."""
    while error is not None and not isinstance(error, UnfaithfulPlanError):
        error = error.__cause__ or error.__context__
    return error is not None


def _check_arguments(row: Any, context: Any) -> None:
    """Refuse arguments of other types, such as the class `Row` in place of its schema."""
    if row is not None and not isinstance(row, RowSchema):
        name = row.__name__ if isinstance(row, type) else "Row"
        raise InputError(f"found row={row!r}, expected a schema of raw rows; write row=schema_of({name})")
    if not isinstance(context, Context) and (type(context) is not int or context < 0):
        raise InputError(f"found context={context!r}, expected a count of rows from 0 on, or a Context; correct it")


def _declared(context: Context | int) -> list[str]:
    """The raw columns that a context names."""
    names = (context.time, context.feeds) if isinstance(context, Context) else ()
    return [name for name in names if name is not None]


def _check_restored(fitted: Any, like: Any, raw: RawInput, rows: Any, data: Any) -> None:
    """Refuse rows that raw rows do not carry whole, where the pipeline answers otherwise without the difference.

    Missing values of one column as None and as NaN are two categories to some steps.
    """
    differing = raw.differing(rows, data)
    polars = is_instance(like, "polars", "DataFrame")
    apart = _rows_apart(fitted, like, data) if differing or polars else {}
    for name, count in apart.items():
        if differing:
            raise InputError(
                f"{', '.join(differing)}: found values of several types, such as None and NaN for missing, on which "
                f"{count:,} {name} depend, expected one type, as raw rows have; make them one in `load`, for example "
                f'X["{differing[0]}"].fillna(np.nan), and fit again'
            )
        raise InputError(
            f"found a polars frame for which the pipeline gives {count:,} {name} other than for the same rows in "
            "pandas, expected the same; cast its columns of Float32 to Float64 in `load`, and fit again"
        )


def _rows_apart(fitted: Any, like: Any, data: Any) -> dict[str, int]:
    """How many predictions, probabilities and decision values differ by more than rounding between the same rows."""
    counts = {}
    with library_calls():
        for kind, method in METHODS.items():
            if not hasattr(fitted, method):
                continue
            try:
                theirs, ours = (np.asarray(side_by_side(getattr(fitted, method)(rows))) for rows in (like, data))
            except (ValueError, NotImplementedError):  # as `library_outputs`, which gives reasons
                continue
            same = (theirs == ours) | ((theirs != theirs) & (ours != ours))
            if theirs.dtype.kind == "f":
                largest = np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)
                same |= np.abs(theirs - ours) <= _ROUNDING * largest
            if not same.all():
                counts[OUTPUTS[kind]] = int(np.count_nonzero(~same.reshape(len(same), -1).all(axis=1)))
    return counts


def _training_table(like: Any, options: CompileOptions) -> pa.Table:
    """The training rows as Arrow, once their values, count and order have been checked."""
    row = options.row
    if row.key is not None and options.context:
        raise InputError(
            f"found a context of {options.context} rows and several raw tables, expected one of them: the earlier "
            "rows of a key can be a child table of their own"
        )
    table = conform(like, row)
    if table.num_rows <= options.context:
        raise InputError(
            f"found {f'{table.num_rows:,}' if table.num_rows else 'no'} rows in `like`, expected the training rows, "
            f"more than the context of {options.context}; pass X_train"
        )
    check_order(table, options.context, options.table, hidden=options.table.time in row.sensitive)
    return table
