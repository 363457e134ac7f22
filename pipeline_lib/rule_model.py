"""A rule as a model: a function of the columns becomes an estimator of scikit-learn.

    fit       learn(X, y) ---> learned_          numbers learned from the training rows, where there are any
    predict   rule(X, learned_) ---> answers     one for each row, by the function alone

So what a team decides by today is fitted, recorded, compiled and compared as every other model is. The methods that
answer are recorded as own steps are: they call the rule, and write nothing on the model.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, Tags, assert_all_finite, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from pipeline_lib.errors import InputError

Kind = Literal["classifier", "regressor"]
KINDS = ("classifier", "regressor")
_LARGEST = 2**53  # whole numbers up to here are float64, as answers are on their way to labels
FILL = "end the rule with .fillna(...) or a default"


class RuleModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """An estimator whose answers a function gives: the rules that a team has today, or a baseline.

    `rule(X)` returns one answer for each row of `X`, as a Series or an array of shape (rows,): a label for a
    classifier, a number for a regressor. With `learn`, `fit` calls `learn(X, y)` with the training rows and keeps what
    it returns, such as a dict of numbers and Series, as `learned_`; the rule is then called as `rule(X, learned_)`.

    `kind` is "classifier" or "regressor". Without it the target decides: text, bools and two different values make a
    classifier, numbers with fractions a regressor; whole numbers could be either, so they need `kind`.

    With `probability=True` the rule returns the probability of the second of two classes, a float from 0 to 1. The
    model then has `predict_proba`, of shape (rows, 2), and predicts the second class above 0.5. Bools as answers stand
    for the classes 0 and 1.

    The rule works on columns, as a step of your own does, and each row is computed by itself. A row for which it gives
    no answer (missing, infinite, no probability) is refused, in research and in production.

    Raises InputError for a rule or `learn` that does not return this, for answers that are no class of the target, and
    for a `kind` that fits no target. Methods raise scikit-learn's NotFittedError before `fit`.

    >>> import numpy as np, pandas as pd
    >>> from pipeline_lib import RuleModel, compile_pipeline
    >>> def women_and_children(X):
    ...     return np.where((X["sex"] == "female") | (X["age"] < 15), 1, 0)
    >>> X = pd.DataFrame({"sex": ["female", "male", "male"], "age": [30.0, 4.0, None]})
    >>> model = RuleModel(women_and_children).fit(X, [1, 1, 0])
    >>> model.predict(X).tolist()
    [1, 1, 0]
    >>> compile_pipeline(model, like=X).predict_row({"sex": "male", "age": 14.0})
    1

    A rule with numbers that come from the training rows:

    >>> def learn(X, y):
    ...     prices = y / X["area"]
    ...     return {"here": prices.groupby(X["place"]).median(), "anywhere": prices.median()}
    >>> def by_area(X, learned):
    ...     return X["area"] * X["place"].map(learned["here"]).fillna(learned["anywhere"])
    >>> X = pd.DataFrame({"place": ["hill", "hill", "river"], "area": [100.0, 50.0, 80.0]})
    >>> model = RuleModel(by_area, learn=learn, kind="regressor").fit(X, pd.Series([200.0, 100.0, 240.0]))
    >>> model.predict(pd.DataFrame({"place": ["river", "market"], "area": [10.0, 10.0]})).tolist()
    [30.0, 20.0]
    """

    def __init__(
        self,
        rule: Callable[..., Any],
        *,
        learn: Callable[[Any, Any], Any] | None = None,
        kind: Kind | None = None,
        probability: bool = False,
    ) -> None:
        self.rule = rule
        self.learn = learn
        self.kind = kind
        self.probability = probability

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn what the rule needs, and check its answers for the training rows; `y` has shape (rows,)."""
        for name in ("kind_", "classes_", "learned_"):
            self.__dict__.pop(name, None)
        self._check_options()
        if isinstance(X, Mapping) and not hasattr(X, "tocsr"):
            raise InputError(
                "RuleModel: found several tables, expected one; join them in a step before, as the documentation of "
                "several tables shows"
            )
        X, target = _input(self, X, reset=True), column_or_1d(y, warn=True)
        check_consistent_length(X, target)
        assert_all_finite(target, input_name="y")
        self.kind_ = _kind(self, target)
        if self.kind_ == "classifier":
            self.classes_ = _classes(self, target)
        if self.learn is not None:
            self.learned_ = self.learn(X, y if hasattr(y, "iloc") else target)
            if self.learned_ is None:
                raise InputError(
                    f"{_name(self.learn)}: found nothing as its result, expected what the rule needs; end it with "
                    'return, for example return {"median": y.median()}'
                )
        _check_answers(self, self._asked(X), len(target))
        self.predict(X)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The rule's answers: labels of a classifier, numbers of a regressor (float64), shape (rows,)."""
        check_is_fitted(self, "kind_")
        if self.probability:
            other, label = self.classes_.tolist()
            chance: NDArray[Any] = np.where(self._chance(X) > 0.5, label, other)
            return chance
        if self.kind_ == "regressor" or self.classes_.dtype.kind in "biuf":
            numbers = _finite(self._asked(_input(self, X)))
            return numbers if self.kind_ == "regressor" else _number_labels(numbers, self.classes_)
        labels: NDArray[Any] = np.asarray(self._asked(_input(self, X)))
        if pd.isna(labels).any():
            raise InputError(f"found a missing value as the rule's answer, expected a label; {FILL}")
        return labels

    @available_if(lambda self: self.probability)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probabilities of both classes in the order of `classes_`, shape (rows, 2)."""
        check_is_fitted(self, "kind_")
        chance = self._chance(X)
        return np.column_stack([1.0 - chance, chance])

    def score(self, X: Any, y: ArrayLike) -> float:
        """Accuracy of a classifier, R² of a regressor."""
        judge = accuracy_score if self.__sklearn_tags__().estimator_type == "classifier" else r2_score
        return float(judge(y, self.predict(X)))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        kind = getattr(self, "kind_", None) or self.kind or ("classifier" if self.probability else None)
        tags.estimator_type = kind
        tags.classifier_tags = tags.regressor_tags = None
        if kind == "classifier":
            tags.classifier_tags = ClassifierTags(poor_score=True, multi_class=not self.probability)
        elif kind == "regressor":
            tags.regressor_tags = RegressorTags(poor_score=True)  # a rule is as good as it is
        tags.target_tags.required = True
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def _asked(self, X: Any) -> Any:
        return self.rule(X) if self.learn is None else self.rule(X, self.learned_)

    def _chance(self, X: Any) -> Any:
        """The probability of the second class."""
        chance = np.asarray(self._asked(_input(self, X)), dtype="float64")
        if not ((chance >= 0) & (chance <= 1)).all():
            raise InputError("found no probability as the rule's answer, expected a number from 0 to 1; clip it")
        return chance

    def _check_options(self) -> None:
        for name in ("rule", "learn"):
            value = getattr(self, name)
            if not callable(value) and (name == "rule" or value is not None):
                raise InputError(
                    f"RuleModel: found {type(value).__name__} as {name}, expected a function of the columns; pass the "
                    "function itself, without brackets"
                )
        if self.kind not in (None, *KINDS):
            raise InputError(f"RuleModel: found kind={self.kind!r}, expected {' or '.join(KINDS)}; correct it")
        if self.probability and self.kind == "regressor":
            raise InputError(
                'RuleModel: found probability=True with kind="regressor", expected a classifier; leave one of them out'
            )


def _input(model: RuleModel, X: Any, *, reset: bool = False) -> Any:
    """The columns, with the names (of an array: the number) that `fit` saw; other containers become an array."""
    if hasattr(X, "iloc"):
        return validate_data(model, X, reset=reset, skip_check_array=True)
    return validate_data(model, X, reset=reset, dtype=None, ensure_all_finite=False)


def _finite(answers: Any) -> NDArray[np.float64]:
    """Answers as float64; rows for which the rule has none are refused."""
    numbers: NDArray[np.float64] = np.asarray(answers, dtype="float64")
    if not np.isfinite(numbers).all():
        raise InputError(f"found a missing value or infinity as the rule's answer, expected a number; {FILL}")
    return numbers


def _number_labels(numbers: Any, classes: Any) -> NDArray[Any]:
    """Numbers as labels in the type of the classes; bools stand for 0 and 1."""
    labels: NDArray[Any] = numbers.astype(classes.dtype)
    if (labels != numbers).any():
        raise InputError("found a number as the rule's answer that is no label, expected one of the classes; round it")
    return labels


def _name(function: Any) -> str:
    """A function as messages name it; of one with some of its arguments, the function itself."""
    inner = function.func if isinstance(function, partial) else function
    return str(getattr(inner, "__name__", type(inner).__name__))


def _kind(model: RuleModel, target: Any) -> Kind:
    """Whether the target's values are labels or numbers."""
    if model.probability:
        return "classifier"
    if model.kind is not None:
        return model.kind
    values = pd.Series(target)
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or values.nunique() == 2:
        return "classifier"
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        return "regressor"
    raise InputError(
        f"RuleModel: found a target of whole numbers, {values.nunique():,} different ones, expected to know what they "
        'are; write kind="regressor" for amounts, kind="classifier" for labels'
    )


def _classes(model: RuleModel, target: Any) -> NDArray[Any]:
    """The labels of the target in order."""
    check_classification_targets(target)
    classes: NDArray[Any] = np.unique(target)
    if classes.dtype.kind == "O":
        classes = np.array(classes.tolist())
    if classes.dtype.kind in "iu" and abs(classes).max() > _LARGEST:
        raise InputError("RuleModel: found whole numbers beyond 2**53 as labels, expected smaller ones; make them text")
    if model.probability and len(classes) != 2:
        raise InputError(
            f"RuleModel: found {len(classes)} classes in the target, expected two for a rule with probability=True; "
            "return labels from the rule, without probability=True"
        )
    return classes


def _check_answers(model: RuleModel, answers: Any, rows: int) -> None:
    """Check what a rule returned for the training rows: its shape, its type, and labels that the target has."""
    where, shape = _name(model.rule), np.shape(answers)
    if shape != (rows,):
        found = "nothing" if answers is None else f"{type(answers).__name__} of shape {shape}"
        raise InputError(
            f"{where}: found {found} as the rule's answers, expected one for each of {rows:,} rows; return a Series or "
            "an array of one dimension, for a constant np.full(len(X), value)"
        )
    values = np.asarray(answers)
    numbers = model.probability or model.kind_ == "regressor"
    if numbers and values.dtype.kind not in "biuf":
        raise InputError(
            f"{where}: found answers of {values.dtype}, expected numbers; return float64, for example with "
            '.astype("float64"), or write kind="classifier" for labels'
        )
    if not numbers:
        _check_labels(where, values, model.classes_)


def _check_labels(where: str, answers: Any, classes: Any) -> None:
    """Check that a rule's answers are labels of the target; missing ones are refused where they are predicted."""
    given = answers[~pd.isna(answers)]
    known = set(classes.tolist())
    others = sorted({repr(label) for label in given.tolist() if label not in known})
    if others:
        raise InputError(
            f"{where}: found the answers {', '.join(others[:5])}, expected the classes of the target, "
            f"{', '.join(map(repr, classes.tolist()[:10]))}; return these, for example with np.where"
        )
