"""Scalers and the like of scikit-learn."""

from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, transformer
from pipeline_lib.compiled.plan import Builder


@transformer("sklearn.preprocessing._data.MinMaxScaler", options="feature_range copy clip")
def min_max(step: Any, columns: Columns, build: Builder) -> Columns:
    """`x * scale_ + min_`, clipped to `feature_range` where asked."""
    made = {}
    for (name, value), scale, offset in zip(columns.items(), step.scale_, step.min_, strict=True):
        scaled = build.number(value) * float(scale) + float(offset)
        if step.clip:
            low, high = map(float, step.feature_range)
            scaled = build.apply("smaller", build.apply("larger", scaled, low), high)
        made[name] = scaled
    return made


@transformer("sklearn.preprocessing._data.Binarizer", options="threshold copy")
def binarizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """1 above the threshold, else 0."""
    return {
        name: build.where(build.number(value) > float(step.threshold), 1.0, 0.0) for name, value in columns.items()
    }
