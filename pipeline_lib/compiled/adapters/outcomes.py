"""What classifiers share: class labels as values, the class of the largest score, softmax."""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiled.adapters.registry import NoPlanError
from pipeline_lib.compiled.plan import Builder, Value

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


def binary_prediction(build: Builder, decision: Value, classes: Sequence[Any]) -> Value:
    """The second label where the decision is above 0, else the first."""
    first, second = labels(classes)
    return build.where(decision > 0.0, second, first)


def softmax(build: Builder, scores: Sequence[Value] | Value) -> list[Value]:
    """`exp(x - max)` over its sum from left to right, as `sklearn.utils.extmath.softmax` has it."""
    values = build.items(scores) if isinstance(scores, Value) else list(scores)
    most = values[0]
    for value in values[1:]:
        most = build.apply("larger", most, value)
    powers = [build.apply("exp", value - most) for value in values]
    total = build.sum(powers)
    return [power / total for power in powers]


def shares(build: Builder, values: Sequence[Value]) -> list[Value]:
    """Values divided by their sum from left to right."""
    total = build.sum(values)
    return [value / total for value in values]
