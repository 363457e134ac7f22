"""feature-engine: the ArbitraryNumber, EndTail, MeanMedian and Categorical imputers, AddMissingIndicator.

RandomSampleImputer and DropMissingData are refused.
"""

import math
from typing import Any

from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.inputs import NULLABLE
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    RefusedStepError,
    transformer,
    use_fitted_names,
)
from pipeline_lib.compiler.builder import Builder, Value


@transformer(
    "feature_engine.imputation.arbitrary_number.ArbitraryNumberImputer",
    options="arbitrary_number variables imputer_dict",
)
@transformer("feature_engine.imputation.end_tail.EndTailImputer", options="imputation_method tail fold variables")
@transformer("feature_engine.imputation.mean_median.MeanMedianImputer", options="imputation_method variables")
@transformer(
    "feature_engine.imputation.categorical.CategoricalImputer",
    options="imputation_method fill_value variables return_object ignore_format",
)
def fitted_value(step: Any, columns: Columns, build: Builder) -> Columns:
    """The fitted value of its column replaces a missing value (`DataFrame.fillna` with a mapping)."""
    columns = dict(use_fitted_names(step, columns))
    for name, filler in step.imputer_dict_.items():
        columns[str(name)] = _filled(step, str(name), columns[str(name)], filler, build)
    return columns


def _filled(step: Any, name: str, value: Value, filler: Any, build: Builder) -> Value:
    if value.dtype not in NULLABLE or math.isfinite(value.abs_max):
        return value  # never missing, so that pandas uses no filler
    filler = filler.item() if hasattr(filler, "item") else filler
    if isinstance(filler, float) and math.isnan(filler):
        return value  # fitted on a column without a value
    if value.dtype == "str" and isinstance(filler, str):
        return build.fill(value, filler)
    if value.dtype == "float64" and isinstance(filler, bool | int | float):
        return build.fill(value, float(filler))
    raise NoPlanError(
        f"{type(step).__name__}: found {filler!r} for missing values of {value.dtype} column {name!r}, expected text "
        "for text and a number for numbers, as a column of both has no dtype; change the option"
    )


@transformer("feature_engine.imputation.missing_indicator.AddMissingIndicator", options="missing_only variables")
def missing_indicator(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `NAME_na` of 0 and 1 for each variable, appended to the others."""
    columns = dict(use_fitted_names(step, columns))
    for name in map(str, step.variables_):
        value = columns[name]
        missing = build.integer(value.missing()) if value.dtype in NULLABLE else build.value(0)
        add(columns, f"{name}_na", missing, step, columns)
    return columns


@transformer(
    "feature_engine.imputation.random_sample.RandomSampleImputer",
    options="variables random_state seed seeding_method",
)
def random_sample(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: it draws the replacement of a missing value at random."""
    raise RefusedStepError(
        "RandomSampleImputer: found an imputer that draws random numbers for each batch, expected one that gives a row "
        "the same value always; impute with MeanMedianImputer, ArbitraryNumberImputer or CategoricalImputer"
    )


@transformer("feature_engine.imputation.drop_missing_data.DropMissingData", options="missing_only threshold variables")
def drop_missing(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: a dropped row would have no prediction."""
    raise RefusedStepError(
        "DropMissingData: found a step that drops rows, expected one row out for each row in; drop rows in `load`, or "
        "impute them"
    )
