"""Selectors of feature-engine: columns that stay."""

from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, by_fitted_names, transformer
from pipeline_lib.compiled.plan import Builder


@transformer("feature_engine.selection.drop_features.DropFeatures", options="features_to_drop")
def drop(step: Any, columns: Columns, build: Builder) -> Columns:
    """All columns but the dropped ones."""
    columns = by_fitted_names(step, columns)
    dropped = set(map(str, step.features_to_drop_))
    return {name: value for name, value in columns.items() if name not in dropped}
