"""True values and answers of several models in one form: the kind of task, the labels, the order of probabilities."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.comparison.contenders import Answers, Contender
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.losses import Kind


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
    number, and where no model knows any of the labels: a metric of such rows says nothing.

    >>> true_values(np.array(["1.0", "0", "True"], dtype=object), "binary", (0, 1), "FILE").tolist()
    [1, 0, 1]
    """
    if kind == "regression":
        return _numbers(target, shown)
    if target.ndim > 1:
        return target
    known = {_form(label): label for label in labels} | {str(label): label for label in labels}
    values = [known.get(str(value), known.get(_form(value), value)) for value in target.tolist()]
    strange = unknown_labels(values, labels)
    if len(strange) == len(values):
        shown_labels, found = (", ".join(map(repr, each[:5])) for each in (list(labels), list(dict.fromkeys(strange))))
        raise InputError(
            f"{shown}: found the true values {found}, none of which a model knows, expected {shown_labels}; write them "
            "as the models predict them, or name another --target"
        )
    texts = [isinstance(value, str) for value in values]
    if not any(texts):
        return np.array(values)
    return np.array(values, dtype=object)


def unknown_labels(values: Iterable[Any], labels: Sequence[Any]) -> list[Any]:
    """The true values that are no label of any model."""
    known = set(labels)
    return [value for value in values if value not in known]


def _form(value: Any) -> Any:
    """What labels that mean the same share: 1, 1.0, True, "1", "1.0", "true". Other text is itself."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "false"):
            return float(text.lower() == "true")
        try:
            return float(text)
        except ValueError:
            return text
    return float(value) if isinstance(value, bool | int | float | np.number | np.bool_) else str(value)


def _numbers(target: np.ndarray[Any, Any], shown: str) -> np.ndarray[Any, Any]:
    if target.dtype.kind in "mM":
        raise InputError(f"{shown}: found times as true values, expected numbers as the models predict; name --target")
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
