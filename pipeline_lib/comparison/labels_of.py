"""True values and answers of several models in one form: the kind of task, the labels, the order of probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.comparison.contenders import Answers, Contender
from pipeline_lib.comparison.scored import Kind
from pipeline_lib.errors import InputError


def task_of(contenders: Sequence[Contender], target: np.ndarray[Any, Any]) -> Kind:
    """What the models predict. Raises InputError where one gives labels and another numbers."""
    labelled = [bool(one.model.classes) for one in contenders]
    if len(set(labelled)) > 1:
        first, other = (contenders[labelled.index(each)].reference for each in (True, False))
        raise InputError(
            f"found labels from {first} and numbers from {other}, expected one kind of prediction; compare models that "
            "answer the same question"
        )
    if target.ndim > 1:
        return "several targets"
    if not labelled[0]:
        return "regression"
    return "binary" if len(all_labels(contenders)) == 2 else "multiclass"


def all_labels(contenders: Sequence[Contender]) -> tuple[Any, ...]:
    """The labels of all models: those of the last one in its order, then what the others add."""
    return tuple(dict.fromkeys(label for one in reversed(contenders) for label in one.model.classes))


def true_values(target: np.ndarray[Any, Any], kind: Kind, labels: Sequence[Any], shown: str) -> np.ndarray[Any, Any]:
    """True values with the type that predictions have: texts of a file become numbers or labels.

    A label that no model knows stays as it is: every model is wrong there. Raises InputError for a text that is no
    number.
    """
    if kind == "regression":
        return _numbers(target, shown)
    if target.dtype != object or target.ndim > 1:
        return target
    known = {str(label): label for label in labels} | {f"{label:g}": label for label in labels if _is_float(label)}
    return np.array([known.get(str(value), value) for value in target], dtype=_label_dtype(labels, target, known))


def _is_float(label: Any) -> bool:
    return isinstance(label, float)


def _label_dtype(labels: Sequence[Any], target: np.ndarray[Any, Any], known: dict[str, Any]) -> Any:
    if all(str(value) in known for value in target) and not any(isinstance(label, str) for label in labels):
        return np.asarray(labels).dtype
    return object


def _numbers(target: np.ndarray[Any, Any], shown: str) -> np.ndarray[Any, Any]:
    try:
        values = target.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{shown}: found a true value that is no number ({error}), expected numbers as the models predict; correct "
            "it, or name another --target"
        ) from None
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(f"{shown}: found the true value {values[row]} in row {row}, expected finite numbers")
    return values


def aligned(answers: Answers, one: Contender, labels: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """A model's probabilities in the order of all labels; 0 for one that it does not know."""
    if answers.probabilities is None or isinstance(one.model.classes[0], tuple):
        return None
    own = list(one.model.classes)
    if own == list(labels):
        return answers.probabilities
    columns = np.zeros((len(answers.predictions), len(labels)))
    for index, label in enumerate(own):
        columns[:, list(labels).index(label)] = answers.probabilities[:, index]
    return columns
