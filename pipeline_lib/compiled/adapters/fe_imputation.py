"""Imputers of feature-engine."""

from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, by_fitted_names, transformer
from pipeline_lib.compiled.plan import Builder


@transformer(
    "feature_engine.imputation.mean_median.MeanMedianImputer", options="imputation_method variables"
)
@transformer(
    "feature_engine.imputation.categorical.CategoricalImputer",
    options="imputation_method fill_value variables return_object ignore_format",
)
def learned_value(step: Any, columns: Columns, build: Builder) -> Columns:
    """Missing becomes the learned value of its column (`fillna`)."""
    columns = dict(by_fitted_names(step, columns))
    for name, filler in step.imputer_dict_.items():
        value = columns[str(name)]
        if value.dtype in ("float64", "str", "datetime"):  # others are never missing
            columns[str(name)] = build.fill(value, filler if isinstance(filler, str) else float(filler))
    return columns


@transformer("feature_engine.imputation.missing_indicator.AddMissingIndicator", options="missing_only variables")
def missing_indicator(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `NAME_na` of 0 and 1 for each variable, behind the others."""
    columns = dict(by_fitted_names(step, columns))
    for name in map(str, step.variables_):
        value = columns[name]
        gone = value.missing() if value.dtype in ("float64", "str", "datetime") else build.value(False)
        columns[f"{name}_na"] = build.integer(gone)
    return columns
