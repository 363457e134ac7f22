"""What estimators share: their inputs, weighted sums, class labels, the class of the largest score, softmax."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.adapters.registry import NoPlanError, finite_inputs
from pipeline_lib.compiled.builder import Builder, Value

_DTYPES: dict[type, str] = {bool: "bool", int: "int64", float: "float64", str: "str"}


def labels(classes: Sequence[Any]) -> list[Any]:
    """Class labels as Python values: bool, int, float or str, all of one type."""
    plain = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    kinds = {type(label) for label in plain}
    if len(kinds) != 1 or not kinds <= set(_DTYPES):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise NoPlanError(
            f"found class labels of {names}, expected all bool, all int, all float or all str; "
            "give the target one of these types and fit again"
        )
    return plain


def labels_dtype(classes: Sequence[Any]) -> str:
    """The dtype of a prediction of these classes: bool, int64, float64 or str."""
    return _DTYPES[type(labels(classes)[0])]


def class_prediction(build: Builder, scores: Sequence[Value] | Value, classes: Sequence[Any]) -> Value:
    """The label of the largest of the scores, a vector or one number a class; the first of equal ones."""
    vector = scores if isinstance(scores, Value) else build.stack(scores)
    if vector.width != len(classes):
        raise NoPlanError(f"found {vector.width} scores, expected one for each of {len(classes)} classes")
    return label_at(build, build.apply("largest", vector), classes)


def label_at(build: Builder, place: Value, classes: Sequence[Any]) -> Value:
    """The label at an int64 place of the classes."""
    return build.choose(place, labels(classes), labels_dtype(classes))


def binary_prediction(build: Builder, decision: Value, classes: Sequence[Any], above: float = 0.0) -> Value:
    """The second label where the decision is above a threshold, else the first."""
    first, second = labels(classes)
    return build.where(decision > above, second, first)


def expit(build: Builder, value: Value) -> Value:
    """1 / (1 + exp(-x)), as `scipy.special.expit` has it: 0 where exp overflows."""
    return 1.0 / (1.0 + build.apply("exp", -value))


def softmax(build: Builder, scores: Sequence[Value] | Value) -> list[Value]:
    """`exp(x - max)` over its sum from left to right, as `sklearn.utils.extmath.softmax` has it."""
    values = build.items(scores) if isinstance(scores, Value) else list(scores)
    most = largest(build, values)
    powers = [build.apply("exp", value - most) for value in values]
    total = build.sum(powers)
    return [power / total for power in powers]


def doubles(step: Any, attribute: str) -> Any:
    """A fitted attribute as a float64 array; float32 is refused, as its library then computes in float32."""
    return as_doubles(step, attribute, getattr(step, attribute))


def as_doubles(step: Any, attribute: str, found: Any) -> Any:
    """An array of a fitted attribute, as `doubles` has it."""
    found = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
    if found.dtype == np.float32:
        raise NoPlanError(
            f"{type(step).__name__}: found {attribute} of float32, expected float64; fit it on float64 columns, or "
            "compile with allow_opaque=True"
        )
    return found.astype(np.float64)


def dense_inputs(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The input columns as finite numbers; vectors and bags are taken apart."""
    _check_width(step, sum(value.width for value in values))
    return finite_inputs(step, positional(values, build), build)


def positional(values: Sequence[Value], build: Builder) -> list[Value]:
    """The input columns one by one; vectors and bags are taken apart."""
    flat: list[Value] = []
    for value in values:
        dense = build.apply("bag_vector", value) if value.dtype == "bag" else value
        flat += build.items(dense) if dense.dtype == "vector" else [dense]
    return flat


def vector_input(step: Any, values: Sequence[Value], build: Builder) -> Value:
    """The input columns as one vector of finite numbers."""
    if any(value.dtype == "bag" for value in values):
        return build.apply("bag_vector", _joined(step, values, build))
    return build.stack(dense_inputs(step, values, build))


def weighted_sums(step: Any, values: Sequence[Value], build: Builder, weights: Any, starts: Any = None) -> list[Value]:
    """For each row of `weights` the sum of inputs times weights, left to right, plus its start; bags are welcome."""
    matrix = np.atleast_2d(weights)
    if not np.isfinite(matrix).all():
        raise NoPlanError(
            f"{type(step).__name__}: found a weight that is not finite, expected numbers; smooth or regularise more, "
            "or compile with allow_opaque=True"
        )
    offsets: list[float | None] = [None] * len(matrix)
    if starts is not None:
        offsets = np.broadcast_to(np.ravel(starts), (len(matrix),)).tolist()
    if not any(value.dtype == "bag" for value in values):
        numbers = dense_inputs(step, values, build)
        return [build.dot(numbers, row, start) for row, start in zip(matrix, offsets, strict=True)]
    bag = _joined(step, values, build)
    if len(matrix) == 1:
        return [build.apply("bag_dot", bag, weights=np.ascontiguousarray(matrix[0]), start=offsets[0])]
    offset = None if starts is None else np.array(offsets)
    return build.items(build.apply("bag_affine", bag, matrix=np.ascontiguousarray(matrix), offset=offset))


def _joined(step: Any, values: Sequence[Value], build: Builder) -> Value:
    """All input columns as one bag of finite numbers."""
    _check_width(step, sum(value.width for value in values))
    parts = [value if value.dtype in ("vector", "bag") else build.number(value) for value in values]
    bag = parts[0] if len(parts) == 1 else build.apply("bag_join", *parts)
    return bag if math.isfinite(bag.limit) else build.apply("bag_finite", bag, where=type(step).__name__)


def _check_width(step: Any, width: int) -> None:
    expected = getattr(step, "n_features_in_", width)
    if width != expected:
        raise NoPlanError(f"{type(step).__name__}: found {width} columns, expected the {expected} it was fitted with")


def largest(build: Builder, scores: Sequence[Value]) -> Value:
    """The largest of the scores."""
    most = scores[0]
    for score in scores[1:]:
        most = build.apply("larger", most, score)
    return most


def log_softmax(build: Builder, scores: Sequence[Value]) -> list[Value]:
    """Scores less the log of the sum of their exponentials, the largest taken out first."""
    most = largest(build, scores)
    apart = [score - most for score in scores]
    total = build.apply("log", build.sum([build.apply("exp", value) for value in apart]))
    return [value - total for value in apart]


def pair_places(classes: int) -> list[tuple[int, int]]:
    """All pairs of classes, the first with each behind it, then the second, and so on."""
    return [(i, j) for i in range(classes) for j in range(i + 1, classes)]


def added(values: Sequence[Value]) -> Value:
    """The sum from left to right, where the library adds in the same order: equal bits."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
