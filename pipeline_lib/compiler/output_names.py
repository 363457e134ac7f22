"""The names of a plan's outputs, which say the shape of the library's answers.

prediction                                one target: shape (rows,)
prediction[0], prediction[1], …           two dimensions: shape (rows, targets), also for a single target
probability[LABEL]                        shape (rows, classes), in the order of the classes
probability[TARGET][LABEL]                several targets of classes: a list with an array for each target
probability[TARGET]                       labels that a row may have or not: shape (rows, labels)
decision, decision[LABEL]                 shape (rows,), or (rows, classes)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY
from pipeline_lib.compiler.builder import Value


def output_nodes(kind: str, values: Sequence[Value], output: Any, final: Any) -> dict[str, int]:
    """The nodes of one kind of output by name; `output` is what the library answers."""
    nodes = [value.node for value in values]
    if kind != PROBABILITY and not isinstance(output, list) and len(output.shape) == 1:
        return {kind: nodes[0]}
    classes = class_labels(final)
    if isinstance(output, list):
        labels = [f"{target}][{label}" for target, own in enumerate(classes) for label in own]
    else:
        labels = [] if kind == PREDICTION or _several(classes) else [str(label) for label in _labels(final)]
    if len(labels) != len(nodes) or len(set(labels)) != len(labels):
        labels = [str(index) for index in range(len(nodes))]
    return {f"{kind}[{label}]": node for label, node in zip(labels, nodes, strict=True)}


def side_by_side(output: Any) -> Any:
    """A library's answer as one array: the probabilities of several targets are a list of arrays."""
    return np.hstack(output) if isinstance(output, list) else output


def class_labels(final: Any) -> tuple[Any, ...]:
    """The labels of a classifier as Python values, or a tuple of them for each of several targets.

    None where they are of other types.
    """
    labels = _labels(final)
    if labels and all(isinstance(each, np.ndarray | list) for each in labels):
        several = tuple(_plain(each) for each in labels)
        return several if all(several) else ()
    return _plain(labels)


def _labels(final: Any) -> list[Any]:
    labels = getattr(final, "classes_", ())
    return [labels[index] for index in range(len(labels))]


def _several(classes: Sequence[Any]) -> bool:
    return bool(classes) and isinstance(classes[0], tuple)


def _plain(labels: Any) -> tuple[Any, ...]:
    plain = tuple(label.item() if isinstance(label, np.generic) else label for label in labels)
    return plain if all(isinstance(label, bool | int | float | str) for label in plain) else ()


def column_names(step: Any, output: Any, after: Mapping[str, Value]) -> list[str]:
    """The names that the library gives its output columns; those of the plan where it gives none."""
    if hasattr(output, "columns"):
        names = list(map(str, output.columns))
    else:
        try:
            names = list(map(str, step.get_feature_names_out()))
        except (AttributeError, ValueError, TypeError):
            names = []
    return names if len(set(names)) == len(after) == len(names) else list(after)
