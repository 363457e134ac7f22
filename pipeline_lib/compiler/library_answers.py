"""What a fitted pipeline and its steps themselves answer for the training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.library_columns import pandas_frame
from pipeline_lib.compiled.pipeline import DECISION, PREDICTION, PROBABILITY
from pipeline_lib.compiler.adapters.registry import RefusedStepError
from pipeline_lib.errors import InputError

_ANSWERS = (bool, int, float, str, np.bool_, np.integer, np.floating)
METHODS = {PREDICTION: "predict", PROBABILITY: "predict_proba", DECISION: "decision_function"}
"""The method of an estimator for each kind of output."""


@dataclass(frozen=True)
class LibraryAnswers:
    """The answers of a fitted pipeline for the rows after the context, or after the first that lack earlier rows.

    `data` are the training rows as the pipeline takes them, the context first. `last` are the answers of the last
    step by method, for the rows from the context on, or for more rows. Where it is `alone`, they are the pipeline's.
    """

    fitted: Any
    data: Any
    context: int
    last: Mapping[str, Any]
    alone: bool = False

    def answer(self, method: str) -> Any:
        """The result of a method such as `predict`, as the library gives it.

        With a context it is that of the last step: the pipeline itself refuses the first rows, whose lags are missing.
        """
        if self.context or self.alone:
            return self.last_answer(method)
        return getattr(self.fitted, method)(self.data)

    def last_answer(self, method: str) -> Any:
        """The result of a method of the last step, for the rows after the context; it was computed before."""
        answers = self.last[method]
        if isinstance(answers, list):
            return [each[len(each) - self._rows :] for each in answers]
        return answers[answers.shape[0] - self._rows :]

    @property
    def _rows(self) -> int:
        return int(self.data.shape[0]) - self.context


def library_outputs(name: str, final: Any, data: Any) -> dict[str, Any]:
    """What an estimator answers, by kind; a method other than predict that it has, but that raises, gives nothing.

    ClassifierChain has predict_proba for targets of more than two classes, but it only answers for two.
    """
    outputs = {}
    for kind, method in METHODS.items():
        if hasattr(final, method):
            try:
                outputs[kind] = getattr(final, method)(_copy(data))
            except Exception as error:
                if kind == PREDICTION:  # the library's own checks, in whatever words
                    raise _library_error(f"step {name}", final, data, error) from error
                if not isinstance(error, ValueError | NotImplementedError):
                    raise
    _check_predictions(name, outputs.get(PREDICTION))
    return outputs


def _check_predictions(name: str, predictions: Any) -> None:
    """Raise RefusedStepError for predictions whose type a plan cannot hold, in exact and opaque steps alike."""
    values = np.asarray(predictions)
    types = {type(value) for value in values.ravel().tolist()} if values.dtype.kind == "O" else {values.dtype.type}
    found, remedy = "", "give the target one of these types, for example y.astype(str)"
    if not all(issubclass(kind, _ANSWERS) for kind in types) or len({issubclass(kind, str) for kind in types}) > 1:
        found = ", ".join(sorted(kind.__name__ for kind in types))
    elif values.dtype.kind == "u" and values.max(initial=0) > np.iinfo(np.int64).max:
        found = f"{values.dtype} beyond 2**63"
    elif any(issubclass(kind, str) for kind in types) and not _is_unicode(values):
        found, remedy = "text that is not Unicode, with a lone surrogate", "decode the target's text again"
    if found:
        raise RefusedStepError(
            f"step {name}: found predictions of {found}, expected bools, whole numbers of 64 bits, numbers or text; "
            f"{remedy}, and fit again"
        )


def _is_unicode(values: Any) -> bool:
    try:
        "".join(value for value in values.ravel().tolist() if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _copy(data: Any) -> Any:
    """A copy of a step's input, an array in the same order of memory, on which the bits of a library's sums depend."""
    return data.copy(order="K") if isinstance(data, np.ndarray) else data.copy()


def training_output(name: str, step: Any, data: Any) -> Any:
    """The output of a step for the training rows. Raises InputError where the step raises an error."""
    try:
        return pandas_frame(step.transform(_copy(data)))  # a copy, since some steps change their input
    except InputError:
        raise
    except Exception as error:  # the library's own checks, in whatever words
        raise _library_error(f"step {name}", step, data, error) from error


def _library_error(where: str, step: Any, data: Any, error: Exception) -> InputError:
    """The error for training rows for which a library's own method raises one."""
    advice = "pass the rows that `fit` got, in the same container"
    if hasattr(step, "build_analyzer") and hasattr(data, "columns"):
        advice = "pass a column of texts: like=frame['text']"
    elif type(step).__name__ in ("DictVectorizer", "FeatureHasher"):
        advice = "raw rows are columns, and it takes mappings: use OneHotEncoder on a frame of them"
    return InputError(
        f"{where}: found {type(error).__name__}: {error}, expected an output for the rows of `like`; {advice}"
    )


def few_rows_output(where: str, step: Any, part: Any) -> Any:
    """The output of a step for few rows, as production sends them. Raises InputError where the step raises an error."""
    try:
        return pandas_frame(step.transform(part.copy()))
    except Exception as error:  # the step's own code
        raise InputError(
            f"{where}: found {type(error).__name__}: {error}, expected an answer as for all training rows; does the "
            'code need a value that they lack? fill what is missing first, for example column.fillna("")'
        ) from error
