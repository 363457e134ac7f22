"""The decision threshold of a classifier with two labels, chosen by the pipeline's own `value`.

Each training row gets a probability from a pipeline that was fitted without it. Since the value of a row depends on
that row alone, two calls give the value of every threshold: with the positive label everywhere, and nowhere. In order
of the probability, from the largest, the mean value of a threshold is

    (sum of the positive values of the first rows + sum of the negative values of the others) / rows
"""

import copy
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiler.fitted_steps import fitted_pipeline, fitted_steps
from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import THRESHOLD
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_threshold import RecordedThreshold
from pipeline_lib.records.recorded_value import amount
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.value import unit_of, value_of
from pipeline_lib.system.files import canonical_json, write_atomic
from pipeline_lib.system.html_page import element, image, joined

_MOST_POINTS = 200
"""Points of a curve that is kept and drawn."""
_EQUAL = 1e-12
"""Relative difference of two mean values that only the order of their sums explains."""


@dataclass(frozen=True)
class ThresholdChoice:
    """The threshold of the highest mean value on out-of-fold probabilities of the training rows.

    `label` is predicted from `threshold` on. `value` and `value_at_half` are means in `unit` at it and at 0.5; the
    first is a little too good, as the same rows chose the threshold. `curve` are pairs of thresholds and mean values.
    """

    threshold: float
    label: Any
    value: float
    value_at_half: float
    unit: str
    rows: int
    folds: int
    curve: tuple[tuple[float, float], ...] = field(repr=False)

    def __str__(self) -> str:
        return (
            f"threshold {self.threshold:.4g} for {self.label}: {amount(self.value)} {self.unit} a row, "
            f"{amount(self.value - self.value_at_half)} against 0.5 "
            f"({self.rows:,} training rows, {self.folds} folds, out of fold)"
        )

    def _repr_html_(self) -> str:
        return joined(element("p", str(self)), image(self._plot(), f"value by threshold, best at {self.threshold:.4g}"))

    def _plot(self) -> bytes:
        import io

        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 2.6), dpi=90, layout="constrained")
        axes = figure.subplots()
        axes.plot(*zip(*self.curve, strict=True))
        axes.axvline(self.threshold, color="tab:red", linestyle="--", label=f"chosen: {self.threshold:.3g}")
        axes.axvline(0.5, color="tab:gray", linewidth=1, label="0.5")
        axes.set(xlabel="threshold", ylabel=f"{self.unit} a row", xlim=(0, 1))
        axes.legend(fontsize="small")
        content = io.BytesIO()
        figure.savefig(content, format="png")
        return content.getvalue()


def choose_threshold(
    module: types.ModuleType, params: Any, X_train: Any, y_train: Any, *, folds: int = 5, groups: Any = None
) -> ThresholdChoice:
    """Choose the decision threshold of the highest mean `value`, by cross-validation on the training rows.

    `module.build(params)` is fitted `folds` times, each time without the rows whose probabilities it then gives. Rows
    of one group, as `groups` says for each row, stay together; by default rows of the entity that `Row` declares.
    `X_train` is a DataFrame (or a mapping of them), `y_train` a Series with two labels; the second in sorted order is
    the positive one. Of equally good thresholds the middle one is taken. Raises InputError for a module without
    `value`, for a value that no threshold changes, and for a classifier without probabilities of two labels.

        choice = choose_threshold(loans, run.params, X_train, y_train)
        fitted = with_threshold(loans.build(run.params).fit(X_train, y_train), choice.threshold)
        model = run.compile(fitted, like=X_train, target=y_train)
    """
    labels = np.unique(np.asarray(y_train))
    if len(labels) != 2:
        raise InputError(f"y_train: found {len(labels):,} labels, expected two; a threshold decides between two labels")
    if getattr(module, "CONTEXT", 0):
        raise InputError(
            "found a pipeline whose rows need earlier rows (CONTEXT), expected rows that folds can take apart; "
            "choose the threshold on a later period, and pass it to with_threshold"
        )
    schema = schema_of(module.Row)
    probabilities = _out_of_fold(module, params, X_train, y_train, schema, folds, groups)
    values = []
    for label in labels:
        predictions = np.repeat(label, len(probabilities))
        worth = value_of(module, y_train, predictions, X_train, params, probabilities)
        if worth is None:
            raise InputError(
                f"{module.__name__}: found no `value`, expected one, by which a threshold is chosen; export value and "
                "VALUE_UNIT in the pipeline notebook"
            )
        values.append(worth)
    return _best(probabilities[:, 1], values[1], values[0], labels.tolist()[1], unit_of(module), folds)


def with_threshold(fitted: Any, threshold: float) -> Any:
    """A fitted classifier of two labels that predicts the second one from this probability on.

    `fitted` is a pipeline (or a search over one, or a classifier alone), which is not changed; its last step is wrapped
    by scikit-learn's FixedThresholdClassifier, in place of one that it has. Its probabilities stay the same. Raises
    InputError for a threshold outside 0 to 1 and for a classifier without probabilities of two labels.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> rows, late = pd.DataFrame({"wind": [1.0, 2.0, 3.0, 4.0]}), [0, 0, 1, 1]
    >>> fitted = make_pipeline(LogisticRegression()).fit(rows, late)
    >>> fitted.predict(rows).tolist(), with_threshold(fitted, 0.2).predict(rows).tolist()
    ([0, 0, 1, 1], [0, 1, 1, 1])
    """
    from sklearn.frozen import FrozenEstimator
    from sklearn.model_selection import FixedThresholdClassifier

    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise InputError(f"threshold: found {threshold!r}, expected a probability, 0 to 1; take choice.threshold")
    fitted = fitted_pipeline(fitted)
    steps = getattr(fitted, "steps", None)
    final = _without_threshold(steps[-1][1] if isinstance(steps, list) else fitted)
    labels = getattr(final, "classes_", ())
    if len(labels) != 2 or not hasattr(final, "predict_proba"):
        raise InputError(
            f"{type(final).__name__}: found {len(labels)} labels "
            f"{'with' if hasattr(final, 'predict_proba') else 'without'} predict_proba, expected a fitted classifier "
            "with probabilities of two labels; wrap one without probabilities in CalibratedClassifierCV"
        )
    wrapped = FixedThresholdClassifier(
        FrozenEstimator(final), threshold=float(threshold), response_method="predict_proba"
    ).fit(None, labels)  # nothing is fitted: the inner estimator is frozen
    if not isinstance(steps, list):
        return wrapped
    changed = copy.copy(fitted)
    changed.steps = [*steps[:-1], (steps[-1][0], wrapped)]
    return changed


def keep_threshold(record: Record, fitted: Any) -> None:
    """Name the threshold of a fitted pipeline's last step in a record, where it has one."""
    path = record.folder / THRESHOLD
    path.unlink(missing_ok=True)
    found = threshold_of(fitted)
    if found:
        write_atomic(path, canonical_json(found.to_json()))


def threshold_of(fitted: Any) -> RecordedThreshold | None:
    """The threshold of a fitted pipeline's last step, FixedThresholdClassifier or TunedThresholdClassifierCV."""
    final = fitted_steps(fitted)[-1][1]
    if not _has_threshold(final):
        return None
    threshold = final.best_threshold_ if hasattr(final, "best_threshold_") else final.threshold
    inner = getattr(final, "estimator_", final.estimator)
    by_probability = final.response_method != "decision_function" and hasattr(inner, "predict_proba")
    if isinstance(threshold, str):  # auto
        threshold = 0.5 if by_probability else 0.0
    positive = getattr(final, "pos_label", None)
    label = np.asarray(final.classes_).tolist()[1] if positive is None else positive
    return RecordedThreshold(float(threshold), label, "probability" if by_probability else "decision value")


def _has_threshold(step: Any) -> bool:
    from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

    return isinstance(step, FixedThresholdClassifier | TunedThresholdClassifierCV)


def _without_threshold(step: Any) -> Any:
    from sklearn.frozen import FrozenEstimator

    while _has_threshold(step) or isinstance(step, FrozenEstimator):
        step = getattr(step, "estimator_", step.estimator)
    return step


def _out_of_fold(
    module: types.ModuleType, params: Any, X: Any, y: Any, schema: RowSchema, folds: int, groups: Any
) -> NDArray[np.float64]:
    """Each row's probabilities from a pipeline that was fitted without it, shape (rows, 2)."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    main = X[schema.name] if schema.key else X
    if groups is None and schema.entity and schema.entity != schema.key:
        groups = main[schema.entity]
    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(folds, shuffle=True, random_state=0)
    target, result = np.asarray(y), np.full((len(main), 2), np.nan)
    try:
        parts = list(splitter.split(np.zeros((len(main), 1)), target, None if groups is None else np.asarray(groups)))
    except ValueError as error:
        raise InputError(f"folds: found {error}, expected rows of both labels in each fold; use fewer folds") from error
    for training, rest in parts:
        if len(np.unique(target[training])) < 2:
            raise InputError("folds: found a fold without one of the labels, expected both; use fewer folds")
        fitted = module.build(params).fit(_take(X, training, schema), _target(y, training))
        if not hasattr(fitted, "predict_proba"):
            raise InputError(
                "build: found a pipeline without predict_proba, expected a classifier with probabilities; wrap it in "
                "CalibratedClassifierCV"
            )
        result[rest] = fitted.predict_proba(_take(X, rest, schema))
    return result


def _take(X: Any, numbers: NDArray[np.int64], schema: RowSchema) -> Any:
    """Some main rows, with their child rows where there are several tables; tables that are looked up stay whole."""
    if not schema.key:
        return X.iloc[numbers]
    main = X[schema.name].iloc[numbers]
    taken = {**X, schema.name: main}
    for child in schema.children:
        if not child.by:
            table = X[child.name]
            taken[child.name] = table[table[schema.key].isin(main[schema.key])]
    return taken


def _target(y: Any, numbers: NDArray[np.int64]) -> Any:
    return y.iloc[numbers] if hasattr(y, "iloc") else np.asarray(y)[numbers]


def _best(
    chances: NDArray[np.float64],
    positive: NDArray[np.float64],
    negative: NDArray[np.float64],
    label: Any,
    unit: str,
    folds: int,
) -> ThresholdChoice:
    """The best threshold, from each row's probability and its value under either label."""
    order = np.argsort(-chances, kind="stable")
    ordered = chances[order]
    gains = np.concatenate([[0.0], np.cumsum((positive - negative)[order])]) / len(chances)
    last = np.concatenate([[True], ordered[:-1] != ordered[1:], [True]])  # no threshold divides equal probabilities
    means = (float(negative.mean()) + gains)[last]
    distinct = np.concatenate([[1.0], ordered[last[1:]], [0.0]])
    thresholds = (distinct[:-1] + distinct[1:]) / 2
    thresholds = np.where(thresholds > distinct[1:], thresholds, distinct[:-1])  # between neighbouring floats is none
    thresholds[-1] = 0.0
    if ordered[0] >= 1.0:
        means, thresholds = means[1:], thresholds[1:]  # 1 is predicted at every threshold
    scale = max(float(np.abs(means).max()), np.finfo(np.float64).tiny)
    ties = np.flatnonzero(means >= means.max() - _EQUAL * scale)
    if len(ties) == len(means):
        raise InputError(
            "value: found the same mean value at every threshold, expected one that the predictions change; let "
            "`value` use `predictions`, or choose nothing"
        )
    chosen = int(ties[len(ties) // 2])
    shown = np.unique(np.linspace(0, len(means) - 1, min(len(means), _MOST_POINTS)).astype(np.int64))
    at_half = float(np.where(chances >= 0.5, positive, negative).mean())
    return ThresholdChoice(
        float(thresholds[chosen]),
        label,
        float(means[chosen]),
        at_half,
        unit,
        len(chances),
        folds,
        tuple((float(thresholds[number]), float(means[number])) for number in shown[::-1]),
    )
