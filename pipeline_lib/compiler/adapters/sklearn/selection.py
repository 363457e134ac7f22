"""All selectors of sklearn.feature_selection: the columns that `get_support` names; RFE and RFECV predict, too.

Source: sklearn/feature_selection/_base.py, `transform`, and _rfe.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_present, column_slices, fitted_columns
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, Outputs, estimator, predict, transformer
from pipeline_lib.compiler.builder import Builder, Value

_UNIVARIATE = "sklearn.feature_selection._univariate_selection."
_RFE = "sklearn.feature_selection._rfe."
_RFE_OPTIONS = "estimator n_features_to_select step verbose importance_getter"
_RFECV_OPTIONS = "estimator step min_features_to_select cv scoring verbose n_jobs importance_getter"


@transformer(f"{_UNIVARIATE}GenericUnivariateSelect", options="score_func mode param")
@transformer(f"{_UNIVARIATE}SelectKBest", options="score_func k")
@transformer(f"{_UNIVARIATE}SelectPercentile", options="score_func percentile")
@transformer(
    f"{_UNIVARIATE}SelectFdr", f"{_UNIVARIATE}SelectFpr", f"{_UNIVARIATE}SelectFwe", options="score_func alpha"
)
@transformer("sklearn.feature_selection._variance_threshold.VarianceThreshold", options="threshold")
@transformer(
    "sklearn.feature_selection._from_model.SelectFromModel",
    options="estimator threshold prefit norm_order max_features importance_getter",
)
@transformer(f"{_RFE}RFE", options=_RFE_OPTIONS)
@transformer(f"{_RFE}RFECV", options=_RFECV_OPTIONS)
@transformer(
    "sklearn.feature_selection._sequential.SequentialFeatureSelector",
    options="estimator n_features_to_select tol direction scoring cv n_jobs",
)
def select(step: Any, columns: Columns, build: Builder) -> Columns:
    """The columns that `get_support` names; missing and infinite values are refused where the selector does."""
    columns = fitted_columns(step, columns)
    support = np.asarray(step.get_support(), dtype=bool)
    if not support.any():
        raise NoPlanError(
            f"{type(step).__name__}: found no column that it selects, expected one at least; fit it less strictly"
        )
    checks = not _allows_missing(step)
    result: Columns = {}
    for name, value, index in column_slices(columns):
        kept = np.flatnonzero(support[index])
        if len(kept) == 0:
            continue
        value = _checked(value, name, step, build) if checks else value
        if value.dtype == "bag" and len(kept) < value.width:
            value = build.sparse_select(value, indices=kept)
        result[name] = value
    return result


def _allows_missing(step: Any) -> bool:
    """Whether the selector accepts missing and infinite values: by its tags, or since it selects from a frame."""
    frame = getattr(step, "_sklearn_output_config", {}).get("transform", "default") != "default"
    return bool(step.__sklearn_tags__().input_tags.allow_nan) or (frame and hasattr(step, "feature_names_in_"))


def _checked(value: Value, name: str, step: Any, build: Builder) -> Value:
    if value.dtype == "float64":
        return build.finite(value, name, type(step).__name__)
    if value.dtype == "bag" and not value.abs_max < np.inf:
        return build.sparse_finite(value, name=name, where=type(step).__name__)
    return check_present(value, name, step) if value.dtype == "str" else value


@estimator(f"{_RFE}RFE", options=_RFE_OPTIONS)
@estimator(f"{_RFE}RFECV", options=_RFECV_OPTIONS)
def predict_of_selected(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The outputs of the estimator that was fitted on the selected columns."""
    names = list(map(str, getattr(step, "feature_names_in_", ())))
    if len(names) != len(values):  # a vector or sparse column, which holds several
        names = [f"x{index}" for index in range(len(values))]
    columns = dict(zip(names, values, strict=True))
    return predict(step.estimator_, list(select(step, columns, build).values()), build)
