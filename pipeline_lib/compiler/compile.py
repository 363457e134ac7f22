"""Compile a fitted pipeline into a plan, checked on the training rows against the libraries' own results.

compile.py          checks of the inputs, the compiled model and its report
compilation.py      the plan, written step by step
adapters, builder   the operations of each step
fidelity.py         each step's plan against the step's own output, within error_bounds.py
opaque_step.py      steps that run through their libraries
end_to_end.py       predictions of the whole pipeline, and its speed
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline_lib.compiled.opaque import quiet_libraries
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.time_order import check_order, declared_table
from pipeline_lib.compiler.compilation import Compilation, CompileOptions
from pipeline_lib.compiler.end_to_end import compile_report
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.frames import dtype_differences, schema_of_frame, to_pipeline_input
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pandas as pd


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

    Of a search over pipelines, such as GridSearchCV, the best pipeline is compiled.

    `like` is the training frame: its dtypes must be those that production will deliver, and every step's plan is
    checked on each of its rows against the step's own result. `row` is the schema of raw rows, by default that of
    `like`; a pipeline over several raw tables needs it, and `like` then maps table names to frames.

    A step without an exact plan is refused, or with `allow_opaque` runs through its library; `library` is the
    package whose exported steps may then be loaded. `context` is the count of earlier rows, in order of time, that
    production will have for each row, or a `Context` that also says how time passes: lags and windows need it.

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
    if row is None and isinstance(like, Mapping):
        raise InputError(
            "found several training tables without a schema, expected row=schema_of(Tables(...)), which names their key"
        )
    row = row or schema_of_frame(like)  # type: ignore[arg-type]  # no mapping: see above
    options = CompileOptions(row, library, allow_opaque, table=declared_table(context, row))
    steps, table = _fitted_steps(fitted), _training_table(like, options)
    compilation = Compilation(options)
    with quiet_libraries():
        compilation.run(steps, to_pipeline_input(table, row))
        model = CompiledPipeline(compilation.plan(), row, compilation.opaque, library)
        model.report = compile_report(model, fitted, table, compilation.reports)
        compilation.compare_traces()  # last, since other processes record meanwhile
    return model


def check_rows(
    model: CompiledPipeline,
    fitted: Any,
    data: "pd.DataFrame | Mapping[str, pd.DataFrame]",
    library: str,
    *,
    context: Any = None,
) -> None:
    """Check a compiled pipeline on other rows, as `compile_pipeline` does on the training rows.

    `context` are the rows before `data`, for a pipeline that needs earlier rows. Raises InputError for a step whose
    plan differs from its own result.
    """
    table = conform(data, model.row)
    if context is not None:
        table = pa.concat_tables([conform(context, model.row), table]).combine_chunks()
    options = CompileOptions(model.row, library, allow_opaque=True, edge_rows=False, table=model.plan.tables[0])
    compilation = Compilation(options)
    with quiet_libraries():
        compilation.run(_fitted_steps(fitted), to_pipeline_input(table, model.row))
        compilation.compare_traces()


def fitted_pipeline(fitted: Any) -> Any:
    """The pipeline that a search such as GridSearchCV has fitted to all rows; anything else as it is."""
    best = getattr(fitted, "best_estimator_", None)
    return best if isinstance(getattr(best, "steps", None), list) else fitted


def _fitted_steps(fitted: Any) -> list[tuple[str, Any]]:
    fitted = fitted_pipeline(fitted)
    if hasattr(fitted, "best_params_") and not hasattr(fitted, "best_estimator_"):
        raise InputError(
            f"found {type(fitted).__name__} with refit={fitted.refit!r}, expected the best pipeline fitted to all "
            "rows; search with refit=True"
        )
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


def _training_table(like: "pd.DataFrame | Mapping[str, pd.DataFrame]", options: CompileOptions) -> pa.Table:
    """The training rows as Arrow, once their dtypes, count and order have been checked."""
    row = options.row
    differences = dtype_differences(like, row)
    if differences:
        raise InputError(
            "found training columns of other dtypes than production will deliver:\n  "
            + "\n  ".join(differences)
            + "\ncast them in `load`, or change `Row`, and fit again"
        )
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
