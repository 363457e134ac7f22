"""Columns that a library holds in float32.

scikit-learn keeps float32 where all columns of an array have it: `StandardScaler` then rounds each of its operations to
float32. The plan holds such numbers as float64 and rounds where the library does. A sum, a difference, a product, a
quotient or a root of float32 numbers that is computed in float64 and then rounded has the bits of the same operation
in float32, since float64 has more than twice the digits. What a library adds in an order of its own has no such bits:
`float32_bounds` says how far it may be.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value

_WIDENING = (
    "ColumnTransformer FeatureUnion Pipeline "  # their parts decide
    "CCA FactorAnalysis FeatureAgglomeration HashingVectorizer IncrementalPCA Isomap KNeighborsTransformer "
    "LocallyLinearEmbedding MissingIndicator NeighborhoodComponentsAnalysis OneHotEncoder OrdinalEncoder PLSCanonical "
    "PLSRegression PLSSVD PolynomialCountSketch RadiusNeighborsTransformer RandomTreesEmbedding TargetEncoder"
)
"""Transformers of scikit-learn whose output for float32 columns is not float32; the others keep it."""


def note_float32(columns: Mapping[str, Value], data: Any) -> None:
    """Note which columns of the plan a library holds in float32: those of its input to a step."""
    dtypes = _dtypes(data)
    names: set[int] = set()
    index = 0
    for value in columns.values():
        if value.dtype == "float64" and index < len(dtypes) and dtypes[index] == np.float32:
            names.add(value.node)
        index += value.width
    for value in columns.values():
        value.build.float32_nodes = names


def like_output(columns: Mapping[str, Value], output: Any, build: Builder) -> dict[str, Value]:
    """The columns of a step, rounded where its library's output has float32."""
    dtypes = _dtypes(output)
    rounded, index = {}, 0
    for name, value in columns.items():
        single = index < len(dtypes) and dtypes[index] == np.float32
        rounded[name] = as_float32(value, build) if single else value
        index += value.width
    return rounded


def has_float32(data: Any) -> bool:
    """Whether a frame, array or sparse matrix has float32 columns."""
    return any(dtype == np.float32 for dtype in _dtypes(data))


def computes_float32(step: Any, data: Any) -> bool:
    """Whether a library computes in float32: where it gets float32, and gradient boosting in its initial estimator."""
    initial = getattr(step, "init_", None)
    return has_float32(data) or (hasattr(initial, "predict") and not type(initial).__name__.startswith("Dummy"))


def _dtypes(data: Any) -> list[Any]:
    """The NumPy dtype of each column, None for others; [] for several tables."""
    if hasattr(data, "dtypes") and hasattr(data, "iloc"):
        dtypes = [data.dtypes] if data.ndim == 1 else list(data.dtypes)
        return [dtype if isinstance(dtype, np.dtype) else None for dtype in dtypes]
    if not hasattr(data, "dtype"):
        return []
    return [data.dtype] * (data.shape[1] if len(data.shape) > 1 else 1)


def all_float32(values: Sequence[Value]) -> bool:
    """Whether the library makes one float32 array of columns: bools among them do not widen it."""
    noted = [value.node in value.build.float32_nodes for value in values]
    return any(noted) and all(single or value.dtype == "bool" for single, value in zip(noted, values, strict=True))


def as_float32(value: Value, build: Builder) -> Value:
    """The number rounded to float32, and noted; other dtypes and vectors as they are."""
    if value.dtype != "float64" or value.node in build.float32_nodes:
        return value
    rounded = build.round32(value)
    build.float32_nodes.add(rounded.node)
    return rounded


def rounding(values: Sequence[Value], build: Builder) -> Callable[[Value], Value]:
    """How the library that computes with these columns rounds a result: to float32, or not again."""
    return build.round32 if all_float32(values) else lambda value: value


def kept_float32(
    step: Any, before: Mapping[str, Value], after: Mapping[str, Value], build: Builder
) -> dict[str, Value]:
    """The output of a transformer of scikit-learn, rounded where it keeps the float32 of its input."""
    kind = type(step)
    if not kind.__module__.startswith("sklearn.") or not all_float32(list(before.values())):
        return dict(after)
    if kind.__name__ not in _WIDENING.split():
        return {name: as_float32(value, build) for name, value in after.items()}
    if not all_float32(list(after.values())):  # one array of float64
        build.float32_nodes -= {value.node for value in after.values()}
    return dict(after)
