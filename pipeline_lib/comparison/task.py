"""True values and answers of several models in one form: the kind of task, the labels, the order of probabilities."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.comparison.contenders import Answers, Contender
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.losses import Kind


def check_question(contenders: Sequence[Contender], *, fresh: bool) -> None:
    """Whether the models can answer one question: labels or numbers alike, with a label and a raw column in common.

    `fresh` rows may have the columns of models that share none. Raises InputError, before any row is read, for models
    that cannot.
    """
    labelled = [bool(one.model.classes) for one in contenders]
    if len(set(labelled)) > 1:
        first, other = (contenders[labelled.index(each)].reference for each in (True, False))
        raise InputError(
            f"found labels from {first} and numbers from {other}, expected one kind of prediction; compare models that "
            "answer the same question"
        )
    champion = contenders[0]
    for one in contenders[1:]:
        if labelled[0] and not _forms(champion).intersection(_forms(one)):
            raise InputError(
                f"found the labels {_shown(champion)} and {_shown(one)}, expected some in common; compare models that "
                "answer the same question"
            )
        if not fresh and not set(champion.model.row.names).intersection(one.model.row.names):
            raise InputError(
                f"found no raw column that both {champion.reference} and {one.reference} have, expected some; compare "
                "models that answer the same question"
            )


def _forms(one: Contender) -> set[Any]:
    """The labels of a model, however they are written; of several targets, none are told apart."""
    classes = one.model.classes
    return {"several targets"} if isinstance(classes[0], tuple) else {_form(label) for label in classes}


def _shown(one: Contender) -> str:
    return f"{', '.join(map(repr, one.model.classes[:5]))} from {one.reference}"


def task_of(contenders: Sequence[Contender], target: np.ndarray[Any, Any]) -> Kind:
    """What the models predict, of which `check_question` says that they agree."""
    if target.ndim > 1:
        return "several targets"
    if not contenders[0].model.classes:
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
