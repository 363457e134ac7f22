"""All selectors of feature-engine.selection: a fitted selector drops the columns in `features_to_drop_`."""

from typing import Any

from pipeline_lib.compiler.adapters.registry import Columns, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder

_SELECTORS = {
    "drop_features.DropFeatures": "features_to_drop",
    "drop_constant_features.DropConstantFeatures": "variables tol missing_values confirm_variables",
    "drop_duplicate_features.DropDuplicateFeatures": "variables missing_values confirm_variables",
    "drop_correlated_features.DropCorrelatedFeatures": "variables method threshold missing_values confirm_variables",
    "drop_psi_features.DropHighPSIFeatures": "split_col split_frac split_distinct cut_off switch threshold bins "
    "strategy min_pct_empty_bins missing_values variables confirm_variables p_value",
    "information_value.SelectByInformationValue": "variables bins strategy threshold confirm_variables",
    "mrmr.MRMR": "variables method max_features discrete_features n_neighbors scoring cv param_grid regression "
    "confirm_variables random_state n_jobs",
    "probe_feature_selection.ProbeFeatureSelection": "estimator variables collective scoring n_probes distribution "
    "n_categories threshold cv groups random_state confirm_variables",
    "recursive_feature_addition.RecursiveFeatureAddition": "estimator scoring cv groups threshold variables "
    "confirm_variables",
    "recursive_feature_elimination.RecursiveFeatureElimination": "estimator scoring cv groups threshold variables "
    "confirm_variables",
    "shuffle_features.SelectByShuffling": "estimator scoring cv threshold variables random_state confirm_variables",
    "single_feature_performance.SelectBySingleFeaturePerformance": "estimator scoring cv groups threshold variables "
    "confirm_variables",
    "smart_correlation_selection.SmartCorrelatedSelection": "variables method threshold missing_values "
    "selection_method estimator scoring cv groups confirm_variables",
    "target_mean_selection.SelectByTargetMeanPerformance": "variables bins strategy scoring cv groups threshold "
    "regression confirm_variables",
}


def select(step: Any, columns: Columns, build: Builder) -> Columns:
    """All columns except the dropped ones."""
    columns = use_fitted_names(step, columns)
    dropped = set(map(str, step.features_to_drop_))
    return {name: value for name, value in columns.items() if name not in dropped}


for _name, _options in _SELECTORS.items():
    transformer(f"feature_engine.selection.{_name}", options=_options)(select)
