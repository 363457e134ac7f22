"""Steps that hold other steps.

scikit-learn: Pipeline, ColumnTransformer, FeatureUnion. feature-engine: Pipeline, SklearnTransformerWrapper.
imbalanced-learn: Pipeline.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import split_columns
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    Outputs,
    estimator,
    predict,
    qualified_name,
    transform,
    transformer,
    use_fitted_names,
)
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.fitted_steps import is_sampler

PIPELINES = ("sklearn.pipeline.Pipeline", "feature_engine.pipeline.pipeline.Pipeline", "imblearn.pipeline.Pipeline")
_PIPELINE_OPTIONS = "steps transform_input memory verbose"


@transformer(*PIPELINES, options=_PIPELINE_OPTIONS)
def pipeline(step: Any, columns: Columns, build: Builder) -> Columns:
    """One transformer after another; samplers of imbalanced-learn do nothing at predict."""
    for _, inner in _without_samplers(step):
        columns = transform(inner, columns, build)
    return columns


@estimator(*PIPELINES, options=_PIPELINE_OPTIONS)
def pipeline_estimator(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Transformers, then the final estimator."""
    columns = dict(zip(_names(step, values, build), values, strict=True))
    outside = build.sparse_input
    for _, inner in _without_samplers(step)[:-1]:
        columns = transform(inner, columns, build)
        build.sparse_input = _gives_sparse(inner, before=build.sparse_input)
    outputs = predict(step.steps[-1][1], list(columns.values()), build)
    build.sparse_input = outside
    return outputs


def _gives_sparse(step: Any, *, before: bool) -> bool:
    """Whether a fitted transformer gives a sparse matrix; others than those named here give what they are given."""
    for option in ("sparse_output_", "sparse_output"):  # ColumnTransformer; OneHotEncoder, SplineTransformer
        if hasattr(step, option):
            return bool(getattr(step, option))
    encode = getattr(step, "encode", None)  # KBinsDiscretizer
    return encode == "onehot" if isinstance(encode, str) else before


def _without_samplers(step: Any) -> list[tuple[str, Any]]:
    return [(name, inner) for name, inner in step.steps if not is_sampler(inner)]


def _names(step: Any, values: Sequence[Value], build: Builder) -> list[str]:
    """The names of a pipeline's input columns: those it was fitted with, else those of raw columns, else numbers."""
    names = getattr(step, "feature_names_in_", None)
    if names is not None:
        return list(map(str, names))
    nodes = [build.nodes[value.node] for value in values]
    if all(node.operation == "input" for node in nodes):
        return [node.settings["column"] for node in nodes]
    return list(map(str, range(len(values))))


@transformer(
    "sklearn.compose._column_transformer.ColumnTransformer",
    options="transformers remainder sparse_threshold n_jobs transformer_weights verbose verbose_feature_names_out "
    "force_int_remainder_cols",
)
def column_transformer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each transformer on its own columns, the results side by side; sparse where the library's result is sparse."""
    names = list(map(str, getattr(step, "feature_names_in_", columns)))
    if not set(columns) < set(names):  # it does without columns that it drops, such as the target
        columns = use_fitted_names(step, columns)
    names = names if set(columns) < set(names) else list(columns)
    if any(value.width > 1 for value in columns.values()):
        raise NoPlanError(
            "ColumnTransformer: found sparse input, expected columns that can be selected; select before vectorizing"
        )
    parts: list[tuple[str, Columns]] = []
    for name, inner, _ in step.transformers_:
        indices = step._transformer_to_input_indices.get(name, [])
        if len(indices) == 0 or (isinstance(inner, str) and inner == "drop"):
            continue
        part = transform(inner, {names[index]: columns[names[index]] for index in indices}, build)
        parts.append((name, _weighted(part, (step.transformer_weights or {}).get(name), build)))
    joined = side_by_side(parts)
    return joined if step.sparse_output_ else _dense(joined, build)


@transformer(
    "sklearn.pipeline.FeatureUnion",
    options="transformer_list n_jobs transformer_weights verbose verbose_feature_names_out",
)
def feature_union(step: Any, columns: Columns, build: Builder) -> Columns:
    """Every transformer on all columns, the results side by side."""
    parts = []
    for name, inner in step.transformer_list:
        if isinstance(inner, str) and inner == "drop":
            continue
        part = transform(inner, columns, build)
        parts.append((name, _weighted(part, (step.transformer_weights or {}).get(name), build)))
    return side_by_side(parts)


def _weighted(part: Columns, weight: float | None, build: Builder) -> Columns:
    """The columns times a weight: `transform(X) * weight` (sklearn.pipeline._transform_one)."""
    if weight is None:
        return part
    return {
        name: build.sparse_scale(value, weights=np.full(value.width, float(weight)))
        if value.dtype == "bag"
        else value * float(weight)
        for name, value in part.items()
    }


def _dense(columns: Columns, build: Builder) -> Columns:
    """The columns, with one column for each number of a sparse one."""
    result: Columns = {}
    for name, value in columns.items():
        if value.dtype == "bag":
            items = build.items(build.sparse_to_vector(value))
            result |= {f"{name}_{index}": item for index, item in enumerate(items)}
        else:
            result[name] = value
    return result


def side_by_side(parts: Sequence[tuple[str, Columns]]) -> Columns:
    """Named parts as one set of columns, under distinct names."""
    joined: Columns = {}
    for name, part in parts:
        for column, value in part.items():
            label = f"{name}__{column}"
            while label in joined:
                label += "_"
            joined[label] = value
    return joined


@transformer("feature_engine.wrappers.wrappers.SklearnTransformerWrapper", options="transformer variables")
def wrapper(step: Any, columns: Columns, build: Builder) -> Columns:
    """A scikit-learn transformer on some columns.

    A selector drops columns, a transformer that creates columns appends them in place of its inputs, any other
    changes its columns where they are.
    """
    columns = use_fitted_names(step, columns)
    if hasattr(step, "features_to_drop_"):  # a selector: its choice was made in fit
        dropped = set(map(str, step.features_to_drop_))
        return {name: value for name, value in columns.items() if name not in dropped}
    variables = list(map(str, step.variables_))
    inner = step.transformer_
    part = split_columns(transform(inner, {name: columns[name] for name in variables}, build).values(), build)
    if type(inner).__name__ in ("OneHotEncoder", "PolynomialFeatures"):
        result = list(map(str, inner.get_feature_names_out(step.variables_)))
        kept = {name: value for name, value in columns.items() if name not in variables}
        twice = sorted(set(result) & set(kept))
        if twice:
            raise NoPlanError(
                f"SklearnTransformerWrapper: found a second column {twice[0]!r}, expected new names; "
                "rename the column in `load`"
            )
        return kept | dict(zip(result, part, strict=True))
    if len(part) != len(variables):
        raise NoPlanError(
            f"SklearnTransformerWrapper: found {len(part)} columns that {qualified_name(type(inner))} makes of "
            f"{len(variables)}, expected one for one; use a ColumnTransformer"
        )
    return columns | dict(zip(variables, part, strict=True))
