"""feature-engine: MatchCategories, MatchVariables, MeanNormalizationScaler."""

from typing import Any

from pipeline_lib.compiler.adapters.feature_engine.checks import plain_table
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value


@transformer(
    "feature_engine.preprocessing.match_categories.MatchCategories", options="variables ignore_format missing_values"
)
def match_categories(step: Any, columns: Columns, build: Builder) -> Columns:
    """Unseen categories become missing, or unseen and missing ones are refused."""
    columns = dict(use_fitted_names(step, columns))
    for name, fitted in step.category_dict_.items():
        value = columns[str(name)]
        columns[str(name)] = fitted_category(
            step, value, str(name), list(fitted), refuse=step.missing_values == "raise"
        )
    return columns


def fitted_category(step: Any, value: Value, name: str, fitted: list[Any], *, refuse: bool) -> Value:
    """The value where it is a fitted category; others become missing, or are refused with `refuse`."""
    if value.dtype not in ("str", "float64", "int64"):
        raise NoPlanError(
            f"{type(step).__name__}: found categories in {value.dtype} column {name!r}, expected text or numbers; cast "
            "it in `load`"
        )
    table = plain_table(step, name, value, {label: label for label in fitted})
    gives = value.dtype if refuse or value.dtype == "str" else "float64"
    mode = "refuse" if refuse else "default"
    return value.build.lookup(value, table, gives, mode=mode, name=name, where=type(step).__name__)


@transformer(
    "feature_engine.preprocessing.match_columns.MatchVariables",
    options="fill_value missing_values match_dtypes verbose",
)
def match_variables(step: Any, columns: Columns, build: Builder) -> Columns:
    """The columns of fit in their order: others dropped, absent ones `fill_value`, dtypes cast with `match_dtypes`."""
    fitted = list(map(str, step.feature_names_in_))
    if fitted == [f"x{index}" for index in range(len(fitted))] and len(fitted) == len(columns):
        columns = use_fitted_names(step, columns)
    result: Columns = {}
    for name in fitted:
        if name in columns:
            value = check_present(columns[name], name, step) if step.missing_values == "raise" else columns[name]
        else:
            value = build.value(step.fill_value)
        result[name] = value
    if step.match_dtypes:
        for name, dtype in step.dtype_dict_.items():
            result[str(name)] = _cast(step, result[str(name)], str(name), dtype, build)
    return result


def _cast(step: Any, value: Value, name: str, dtype: Any, build: Builder) -> Value:
    """The value cast to the dtype of its column in fit. Text stays text, whether `str` or object."""
    kind, categories = getattr(dtype, "kind", "O"), getattr(dtype, "categories", None)
    if categories is not None:
        return fitted_category(step, value, name, list(categories), refuse=False)
    if str(dtype) == "float32" and value.dtype in ("float64", "int64", "bool"):
        return build.round32(build.number(value))
    if str(dtype) == "float64" and value.dtype in ("int64", "bool"):
        return build.number(value)
    if str(dtype) == "int64" and value.dtype == "bool":
        return build.integer(value)
    same = {"M": "datetime", "O": "str"}.get(kind, str(dtype))
    if same != value.dtype:
        raise NoPlanError(
            f"MatchVariables: found {value.dtype} column {name!r} to cast to {dtype}, expected a cast from whole "
            "numbers or truths to numbers, or to a category; cast it in `load`, or set match_dtypes=False"
        )
    return value


@transformer("feature_engine.scaling.mean_normalization.MeanNormalizationScaler", options="variables")
def mean_normalization(step: Any, columns: Columns, build: Builder) -> Columns:
    """`(x - mean) / range`; missing and infinite numbers are refused."""
    columns = dict(use_fitted_names(step, columns))
    for variable in step.variables_:
        name = str(variable)
        value = build.finite(columns[name], name, "MeanNormalizationScaler")
        columns[name] = (value - float(step.mean_[variable])) / float(step.range_[variable])
    return columns
