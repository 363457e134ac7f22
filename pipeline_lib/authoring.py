"""For authors of steps and metrics: checks of what comes in, and the base class of transformers.

NumPy is all that the checks need; scikit-learn is loaded when `RowwiseTransformer` is first used.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline_lib.errors import InputError

_Method = Callable[..., Any]


def check_columns(step: Any, X: Any, columns: Iterable[str]) -> None:
    """Raise InputError, in the step's name, for anything but a DataFrame and for a column that it does not have.

    >>> import pandas as pd
    >>> class PerHead: ...
    >>> check_columns(PerHead(), pd.DataFrame({"fare": [8.05]}), ["fare", "party"])
    Traceback (most recent call last):
    pipeline_lib.errors.InputError: PerHead: found the columns fare, expected also 'party'; add it or correct the name
    """
    where = type(step).__name__
    if not _is_frame(X):
        raise InputError(f"{where}: found {type(X).__name__}, expected a DataFrame; pass one with named columns")
    for column in columns:
        if column not in X.columns:
            found = ", ".join(map(str, X.columns))
            raise InputError(
                f"{where}: found the columns {found}, expected also {column!r}; add it or correct the name"
            )


def check_dtypes(step: Any, X: Any, columns: Iterable[str], *, text: bool) -> None:
    """Raise InputError as `check_columns` does, and for columns that are no text (`str`), or no numbers (`text=False`).

    >>> import pandas as pd
    >>> class PerHead: ...
    >>> check_dtypes(PerHead(), pd.DataFrame({"fare": ["8.05"]}), ["fare"], text=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    pipeline_lib.errors.InputError: PerHead: found str in column 'fare', expected numbers; cast it, ...
    """
    names = list(columns)
    check_columns(step, X, names)
    expected, cast = ("text", "str") if text else ("numbers", "float64")
    for column in names:
        dtype = X[column].dtype
        if not (dtype == "str" if text else getattr(dtype, "kind", "") in "iuf"):
            raise InputError(
                f"{type(step).__name__}: found {dtype} in column {column!r}, expected {expected}; cast it, for example "
                f"X.astype({{{column!r}: {cast!r}}})"
            )


def check_tables(step: Any, X: Any, columns: Mapping[str, Iterable[str]]) -> None:
    """Raise InputError, in the step's name, for anything but a mapping of frames with these columns by table.

    >>> import pandas as pd
    >>> class FlightRows: ...
    >>> check_tables(FlightRows(), {"flights": pd.DataFrame({"origin": ["JFK"]})}, {"flights": ["origin", "dest"]})
    Traceback (most recent call last):
    pipeline_lib.errors.InputError: FlightRows: flights: found no dest, expected these columns; add them
    """
    where = type(step).__name__
    if not isinstance(X, Mapping) or not all(_is_frame(X.get(name)) for name in columns):
        found = f"tables {', '.join(map(str, X))}" if isinstance(X, Mapping) else type(X).__name__
        raise InputError(
            f"{where}: found {found}, expected a mapping of the frames {', '.join(columns)}; pass all of them"
        )
    for name, expected in columns.items():
        if absent := [column for column in expected if column not in X[name].columns]:
            raise InputError(f"{where}: {name}: found no {', '.join(absent)}, expected these columns; add them")


def check_regression(
    target: ArrayLike, predictions: ArrayLike, *, rows: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Targets and predictions of numbers as float64 arrays of shape (rows,), for a pipeline's `metrics`.

    Raises InputError for other or unequal shapes, for fewer than `rows` rows, and for numbers that are not finite.

    >>> actual, predicted = check_regression([200_000, 150_000], [190_000, 160_000])
    >>> float(abs(predicted - actual).mean())
    10000.0
    """
    actual, predicted = np.asarray(target, dtype="float64"), np.asarray(predictions, dtype="float64")
    if actual.shape != predicted.shape or actual.ndim != 1 or len(actual) < rows:
        raise InputError(
            f"metrics: found targets of shape {actual.shape} and predictions of shape {predicted.shape}, expected one "
            f"column of the same length, {rows} rows or more; pass what run.evidence returns, and the target of the "
            "same rows"
        )
    if not np.isfinite([actual, predicted]).all():
        raise InputError("metrics: found a number that is not finite, expected finite ones; correct the rows")
    return actual, predicted


def check_classification(
    target: ArrayLike,
    predictions: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[Any],
    *,
    all_present: bool = False,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Targets, predictions, both of shape (rows,), and probabilities, (rows, classes), for a pipeline's `metrics`.

    `classes` are the labels in the order of the probabilities' columns. With `all_present` each must occur among the
    targets: a ROC curve, for example, needs both of two.

    Raises InputError for shapes that do not fit together, and for targets of other classes.

    >>> actual, predicted, chances = check_classification([1, 0], [1, 1], [[0.2, 0.8], [0.4, 0.6]], classes=(0, 1))
    >>> float((predicted == actual).mean()), float(chances[:, 1].mean())
    (0.5, 0.7)
    """
    actual, predicted, chances = np.asarray(target), np.asarray(predictions), np.asarray(probabilities, dtype="float64")
    labels, known = set(actual.ravel().tolist()), set(classes)
    shapes_fit = actual.shape == predicted.shape and chances.shape == (*actual.shape, len(classes))
    if not shapes_fit or not labels <= known or (all_present and labels != known):
        raise InputError(
            f"metrics: found targets {', '.join(sorted(map(str, labels))[:5])} of shape {actual.shape}, predictions "
            f"of shape {predicted.shape} and probabilities of shape {chances.shape}, expected "
            f"{'each of' if all_present else 'only'} the classes {', '.join(map(str, classes))}, one column of the "
            f"same length and {len(classes)} probabilities a row; pass what run.evidence and model.predict_proba "
            "return, and the target of the same rows"
        )
    return actual, predicted, chances


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "iloc")


def _names(where: str, frame: Any) -> NDArray[np.object_]:
    names = list(frame.columns)
    if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{where}: found the columns {', '.join(map(repr, names))}, expected different names, each of them text; "
            "rename them, for example with X.rename(columns=str)"
        )
    return np.array(names, dtype=object)


def _difference(found: Iterable[str], expected: Iterable[str]) -> str:
    """How two lists of column names differ, in words; empty where they do not."""
    left, right = list(found), list(expected)
    if left == right:
        return ""
    words = [f"no column {name!r}" for name in right if name not in left]
    words += [f"also a column {name!r}" for name in left if name not in right]
    return ", ".join(words[:5]) or "the columns in another order"


def _own_fit(fit: _Method) -> _Method:
    """A step's own `fit`, which may do without a target: then it gets none."""
    parameters = inspect.signature(fit).parameters.values()
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(positional) > 2 or any(each.kind == each.VAR_POSITIONAL for each in parameters):
        return fit

    @wraps(fit)
    def without_target(self: Any, X: Any, *args: Any, **params: Any) -> Any:
        return fit(self, X, *args[1:], **params)

    return without_target


def _checked_fit(own: _Method) -> _Method:
    """A step's own `fit`, with the columns checked before and the columns that come out noted after."""

    @wraps(own)
    def fit(self: "_Rowwise", X: Any, *args: Any, **params: Any) -> Any:
        try:
            self._fit(own, X, args, params)
        except BaseException:
            self._forget()  # a step whose fit failed is not fitted
            raise
        return self

    return fit


def _checked_transform(own: _Method) -> _Method:
    """A step's own `transform`, with its columns checked before and its result after."""

    @wraps(own)
    def transform(self: "_Rowwise", X: Any, *args: Any, **params: Any) -> Any:
        self._check_input(X)
        result = own(self, X, *args, **params)
        self._check_result(X, result)
        return result

    return transform


def _outermost(name: str, own: _Method, checked: _Method) -> _Method:
    """The checked method for a caller, the step's own one where a subclass's method calls it through `super()`."""

    @wraps(checked)
    def method(self: Any, X: Any, *args: Any, **params: Any) -> Any:
        through_super = inspect.unwrap(getattr(type(self), name)) is not inspect.unwrap(own)
        return (own if through_super else checked)(self, X, *args, **params)

    method._is_checked = True  # type: ignore[attr-defined]
    return method


class _Rowwise:
    """Base class of own steps: a subclass has `transform`, and `fit` where it learns something.

    Both take a DataFrame; `transform` returns a DataFrame with one row for each row that goes in. The base class
    checks that it is a DataFrame with the columns that `fit` saw, in their order, and that what comes out has the
    columns that came out for the training rows. It keeps `feature_names_in_`, `n_features_in_` and
    `feature_names_out_`, and answers `get_feature_names_out`; `clone`, `set_output`, `fit_transform`, pickle and skops
    work. A constructor keeps its arguments under their own names and does nothing else, as scikit-learn asks.

    Raises InputError for other input, for a `fit` that does not return the step, and for a result of `transform` that
    is no such DataFrame; scikit-learn's NotFittedError before `fit`.

    >>> import pandas as pd
    >>> from pipeline_lib import RowwiseTransformer
    >>> class DebtRatio(RowwiseTransformer):
    ...     def fit(self, X, y=None):
    ...         self.median_ = X["income"].median()
    ...         return self
    ...
    ...     def transform(self, X):
    ...         return X.assign(debt_ratio=X["debt"] / X["income"].fillna(self.median_))
    >>> frame = pd.DataFrame({"income": [100.0, None, 300.0], "debt": [20.0, 50.0, 30.0]})
    >>> step = DebtRatio().fit(frame)
    >>> step.transform(frame.tail(2))
       income  debt  debt_ratio
    1     NaN  50.0        0.25
    2   300.0  30.0        0.10
    >>> [str(name) for name in step.get_feature_names_out()]
    ['income', 'debt', 'debt_ratio']
    """

    feature_names_in_: NDArray[np.object_]
    n_features_in_: int
    feature_names_out_: NDArray[np.object_]
    if TYPE_CHECKING:
        transform: _Method

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the class's own `fit` and `transform`, and those that it takes from a mixin."""
        methods = {name: getattr(cls, name, None) for name in ("fit", "transform")}
        own = {name: each for name, each in methods.items() if each and not hasattr(each, "_is_checked")}
        if "fit" in own:
            own["fit"] = _own_fit(own["fit"])
            cls.fit = _checked_fit(own["fit"])  # type: ignore[method-assign]
        if "transform" in own:
            cls.transform = _checked_transform(own["transform"])
        super().__init_subclass__(**options)  # scikit-learn adds what set_output does to a class's own transform
        for name, method in own.items():
            setattr(cls, name, _outermost(name, method, getattr(cls, name)))

    def fit(self, X: Any, y: Any = None) -> Self:
        """Note the names of the columns; nothing is learned from the rows."""
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """`fit`, and what `transform` makes of the same rows."""
        self._training_result = None  # asks `fit` to keep it, so that it is made once
        try:
            self.fit(X, *(() if y is None else (y,)), **params)
            return self._training_result
        finally:
            del self._training_result

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns that came out for the training rows, in their order."""
        from sklearn.base import OneToOneFeatureMixin

        OneToOneFeatureMixin.get_feature_names_out(self, input_features)  # fitted, and with these names
        return self.feature_names_out_

    def _fit(self, own: _Method, X: Any, args: tuple[Any, ...], params: dict[str, Any]) -> None:
        """Fit, and transform the training rows, for the names that come out and for `fit_transform`."""
        self._forget()
        check_columns(self, X, ())
        self.feature_names_in_ = _names(type(self).__name__, X)
        self.n_features_in_ = len(self.feature_names_in_)
        result = own(self, X, *args, **params)
        if result is not self:
            raise InputError(
                f"{type(self).__name__}.fit: found {type(result).__name__} as its result, expected the step; end it "
                "with `return self`"
            )
        self.__dict__.pop("feature_names_out_", None)  # `fit` itself may have called `transform`
        result = self.transform(X)
        if hasattr(self, "_training_result"):
            self._training_result = result

    def _forget(self) -> None:
        for name in ("feature_names_in_", "n_features_in_", "feature_names_out_"):
            self.__dict__.pop(name, None)

    def _check_input(self, X: Any) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "feature_names_in_")
        check_columns(self, X, ())
        if difference := _difference(X.columns, self.feature_names_in_):
            raise InputError(
                f"{type(self).__name__}: found {difference}, expected the columns that fit saw; pass all of them in "
                "their order, X[step.feature_names_in_], or fit again"
            )

    def _check_result(self, X: Any, result: Any) -> None:
        where = f"{type(self).__name__}.transform"
        if not _is_frame(result):
            raise InputError(
                f"{where}: found {type(result).__name__} as its result, expected a DataFrame; return one, for example "
                "X.assign(name=values)"
            )
        if len(result) != len(X):
            raise InputError(
                f"{where}: found {len(result)} rows for {len(X)}, expected one for each; add or drop rows in `load`"
            )
        names = _names(where, result)
        expected = self.__dict__.setdefault("feature_names_out_", names)  # not known before the training rows
        if difference := _difference(names, expected):
            raise InputError(
                f"{where}: found {difference}, expected the columns that came out for the training rows; make the "
                "same columns of any rows"
            )


if TYPE_CHECKING:
    from sklearn.base import BaseEstimator, TransformerMixin

    class RowwiseTransformer(_Rowwise, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
        __doc__ = _Rowwise.__doc__

else:

    def __getattr__(name):
        if name != "RowwiseTransformer":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from sklearn.base import BaseEstimator, TransformerMixin

        step = type(name, (_Rowwise, TransformerMixin, BaseEstimator), {"__doc__": _Rowwise.__doc__})
        return globals().setdefault(name, step)  # the first of two threads decides
