"""Outputs that several estimators share: weighted sums, class labels, the class of the largest score, softmax."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs, join_columns, sparse_input
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder, Value

_DTYPES: dict[type, str] = {bool: "bool", int: "int64", float: "float64", str: "str"}


def class_labels(classes: Sequence[Any]) -> list[Any]:
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


def class_dtype(classes: Sequence[Any]) -> str:
    """The dtype of a prediction of these classes: bool, int64, float64 or str."""
    return _DTYPES[type(class_labels(classes)[0])]


def class_prediction(build: Builder, scores: Sequence[Value] | Value, classes: Sequence[Any]) -> Value:
    """The label of the largest score, the first of equal ones; `scores` is a vector or a number per class."""
    vector = scores if isinstance(scores, Value) else build.stack(scores)
    if vector.width != len(classes):
        raise NoPlanError(f"found {vector.width} scores, expected one for each of {len(classes)} classes")
    return label_at(build, build.argmax(vector), classes)


def label_at(build: Builder, index: Value, classes: Sequence[Any]) -> Value:
    """The label at an int64 index of the classes."""
    return build.choose(index, class_labels(classes), class_dtype(classes))


def nearest_label(
    build: Builder, vector: Value, points: Any, classes: Sequence[Any], *, metric: Literal["euclidean", "manhattan"]
) -> Value:
    """The label of the point nearest to a vector, the first of equally near ones; `points` has one point per class."""
    expanded = metric == "euclidean"
    nearest = build.nearest(vector, points=points, count=1, metric=metric, expanded=expanded)
    return label_at(build, build.truncate_int(build.item(nearest, index=1)), classes)


def binary_prediction(build: Builder, decision: Value, classes: Sequence[Any], above: float = 0.0) -> Value:
    """The second label where the decision is above a threshold, else the first."""
    first, second = class_labels(classes)
    return build.where(decision > above, second, first)


def expit(build: Builder, value: Value) -> Value:
    """1 / (1 + exp(-x)), as `scipy.special.expit`: 0 where exp overflows."""
    return 1.0 / (1.0 + build.exp(-value))


def softmax(build: Builder, scores: Sequence[Value] | Value) -> list[Value]:
    """`exp(x - max)` over its sum from left to right, as `sklearn.utils.extmath.softmax`."""
    values = build.items(scores) if isinstance(scores, Value) else list(scores)
    most = maximum(build, values)
    powers = [build.exp(value - most) for value in values]
    total = build.sum(powers)
    return [power / total for power in powers]


def float64_of(step: Any, attribute: str) -> Any:
    """A fitted attribute as a float64 array."""
    return to_float64(getattr(step, attribute))


def to_float64(array: Any) -> Any:
    """A dense or sparse array as a dense float64 array."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array).astype(np.float64)


def weighted_sums(step: Any, values: Sequence[Value], build: Builder, weights: Any, starts: Any = None) -> list[Value]:
    """For each row of `weights` the sum of (dense or sparse) inputs times weights, left to right, plus its start."""
    matrix = np.atleast_2d(weights)
    if not np.isfinite(matrix).all():
        raise NoPlanError(
            f"{type(step).__name__}: found a weight that is not finite, expected numbers; smooth or regularise more"
        )
    offsets: list[float | None] = [None] * len(matrix)
    if starts is not None:
        offsets = np.broadcast_to(np.ravel(starts), (len(matrix),)).tolist()
    if not any(value.dtype == "bag" for value in values):
        numbers = dense_inputs(step, values, build)
        return [build.dot(numbers, row, start) for row, start in zip(matrix, offsets, strict=True)]
    bag = sparse_input(step, values, build)
    if len(matrix) == 1:
        return [build.sparse_dot(bag, weights=np.ascontiguousarray(matrix[0]), start=offsets[0])]
    offset = None if starts is None else np.array(offsets)
    return build.items(affine([bag], matrix, offset, build))


def affine(values: Sequence[Value], matrix: Any, offset: Any, build: Builder) -> Value:
    """`matrix` (outputs x inputs) times the columns, from the first to the last, then `offset` (or None): a vector."""
    whole = join_columns(values, build)
    operation = "bag_affine" if whole.dtype == "bag" else "affine"
    start = None if offset is None else np.array(offset, dtype=np.float64)
    return build.apply(operation, whole, matrix=np.array(matrix, dtype=np.float64), offset=start)


def maximum(build: Builder, scores: Sequence[Value]) -> Value:
    """The largest of the scores."""
    most = scores[0]
    for score in scores[1:]:
        most = build.larger(most, score)
    return most


def log_softmax(build: Builder, scores: Sequence[Value]) -> list[Value]:
    """Scores minus the log of the sum of their exponentials; the largest is subtracted first, against overflow."""
    most = maximum(build, scores)
    apart = [score - most for score in scores]
    total = build.log(build.sum([build.exp(value) for value in apart]))
    return [value - total for value in apart]


def class_pairs(classes: int) -> list[tuple[int, int]]:
    """All pairs (i, j) of class indices, i < j, in lexicographic order."""
    return [(i, j) for i in range(classes) for j in range(i + 1, classes)]


def sums_of_pairs(pairs: Sequence[tuple[Value, Value]], classes: int) -> list[Value]:
    """For each class the sum of its value in every pair, in the order of the pairs."""
    parts: list[list[Value]] = [[] for _ in range(classes)]
    for (i, j), (first, second) in zip(class_pairs(classes), pairs, strict=True):
        parts[i].append(first)
        parts[j].append(second)
    return [sum_in_order(terms) for terms in parts]


def votes_and_confidences(
    votes: Sequence[tuple[Value, Value]], confidences: Sequence[tuple[Value, Value]], classes: int
) -> list[Value]:
    """Votes plus confidences scaled into (-1/3, 1/3) (`sklearn.utils.multiclass._ovr_decision_function`)."""
    sums = zip(sums_of_pairs(votes, classes), sums_of_pairs(confidences, classes), strict=True)
    return [vote + total / (3.0 * (abs(total) + 1.0)) for vote, total in sums]


def sum_in_order(values: Sequence[Value]) -> Value:
    """The sum from left to right, for sums that the library adds in the same order: bits are equal."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
