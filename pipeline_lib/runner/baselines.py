"""Baselines: what a model must beat. Answers that know the training target and no column of a row.

    target           baseline        answer
    numbers          mean, median    of the training target, for each target where there are several
    in order of time seasonal naive  the value one season before; `SEASON = 52` in the module says how many rows
    labels           majority        the most frequent label, with probability 1
    two labels       minority        the other label: treat all where the majority treats none
    labels           label shares    the majority, with the shares of the labels as probabilities

`run.compile(..., target=y_train)` keeps them in the record; the module's own metrics and value score them.
"""

import types
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import Evidence, read_evidence
from pipeline_lib.evidence.targets import target_of
from pipeline_lib.records.baseline_scores import NO_BASELINE, BaselineScore
from pipeline_lib.records.layout import BASELINE, SEASON_VALUES
from pipeline_lib.records.record import Record
from pipeline_lib.rows.conform import is_dataframe
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.metrics import computed_metrics
from pipeline_lib.runner.value import values_of_evidence
from pipeline_lib.system.files import canonical_json, write_atomic

Answer = tuple[NDArray[Any], NDArray[np.float64] | None]
"""Predictions, shape (rows,) or (rows, targets), and probabilities, shape (rows, labels), or None."""
_SEASON = "SEASON"
_PLAIN = (bool, int, float, str)
"""Types of labels that JSON keeps."""


@dataclass(frozen=True)
class Baselines:
    """What is known of a training target: of numbers `mean` and `median`, of labels `labels` and `shares`.

    `season` are the last values before the evidence, where rows are in order of time. Of several targets `mean`,
    `median` and `majority` have an entry for each, and there are no shares.
    """

    rows: int
    mean: tuple[float, ...] = ()
    median: tuple[float, ...] = ()
    majority: tuple[Any, ...] = ()
    labels: tuple[Any, ...] = ()
    shares: tuple[float, ...] = ()
    season: tuple[float, ...] = ()
    several: bool = False

    def predictions(self, rows: int, *, target: Any = None, follows_training: bool = True) -> dict[str, Answer]:
        """The answers of each baseline for so many rows, by its name: predictions, and probabilities or None.

        `seasonal naive` is there only for rows that follow the training rows without a gap (`follows_training`): with
        their `target` each row gets the true value one season before; without it the last season is repeated.

            baselines = read_baselines(record)
            predictions, probabilities = baselines.predictions(300)["median"]
        """
        answers: dict[str, Answer] = {}
        for name, numbers in (("mean", self.mean), ("median", self.median)):
            if numbers:
                answers[name] = (self._repeated(numbers, rows), None)
        if self.season and follows_training:
            answers["seasonal naive"] = (self._seasonal(rows, target), None)
        if self.majority:
            answers |= self._of_labels(rows)
        return answers

    def to_json(self) -> dict[str, Any]:
        """JSON values, without the season, whose values are single rows' targets."""
        return {
            "rows": self.rows,
            "mean": list(self.mean),
            "median": list(self.median),
            "majority": list(self.majority),
            "labels": list(self.labels),
            "shares": list(self.shares),
            "several": self.several,
        }

    def _repeated(self, values: Sequence[Any], rows: int) -> NDArray[Any]:
        one = np.asarray(values)
        return np.tile(one, (rows, 1)) if self.several else np.repeat(one, rows)

    def _seasonal(self, rows: int, target: Any) -> NDArray[np.float64]:
        last = np.asarray(self.season, dtype=np.float64)
        if target is None:
            return np.resize(last, rows)
        return np.concatenate([last, np.asarray(target, dtype=np.float64)])[:rows]

    def _of_labels(self, rows: int) -> dict[str, Answer]:
        majority = self._repeated(self.majority, rows)
        if not self.labels:
            return {"majority": (majority, None)}
        certain = np.asarray([float(label == self.majority[0]) for label in self.labels])
        answers: dict[str, Answer] = {"majority": (majority, np.tile(certain, (rows, 1)))}
        if len(self.labels) == 2:
            other = [label for label in self.labels if label != self.majority[0]]
            answers["minority"] = (np.repeat(np.asarray(other), rows), np.tile(1.0 - certain, (rows, 1)))
        answers["label shares"] = (majority, np.tile(np.asarray(self.shares), (rows, 1)))
        return answers


def baselines_of(fitted: Any, target: Any, module: types.ModuleType) -> Baselines:
    """The baselines of a fitted pipeline's training target, a sequence or a DataFrame with a column for each target.

    Raises InputError for a target without rows or with missing values, for labels that are no text, number or bool, and
    for a SEASON that does not fit.
    """
    values = np.asarray(target)
    if values.ndim not in (1, 2) or len(values) == 0:
        raise InputError(f"target: found shape {values.shape}, expected (rows,) or (rows, targets); pass y_train")
    columns = [values] if values.ndim == 1 else [values[:, number] for number in range(values.shape[1])]
    columns = [np.asarray(column.tolist()) if column.dtype == object else column for column in columns]
    several = values.ndim == 2
    if _is_classifier(fitted, columns):
        return _of_labels(fitted, columns, several)
    numbers = [_numbers(column) for column in columns]
    return Baselines(
        len(values),
        mean=tuple(float(column.mean()) for column in numbers),
        median=tuple(float(np.median(column)) for column in numbers),
        season=() if several else _season(module, numbers[0]),
        several=several,
    )


def keep_baselines(record: Record, fitted: Any, module: types.ModuleType, *, like: Any, target: Any) -> None:
    """Keep the baselines of a training target in a record, in place of those of an earlier one; none without a target.

    `like` are the rows of the fit. Raises InputError for a target of other rows, and as `baselines_of` does.
    """
    for name in (BASELINE, SEASON_VALUES):
        (record.folder / name).unlink(missing_ok=True)
    if target is None:
        return
    schema = schema_of(module.Row)
    rows = like[schema.name] if schema.key and isinstance(like, Mapping) else like
    if len(target) != len(rows):
        raise InputError(
            f"target: found {len(target):,} values and {len(rows):,} rows, expected one for each row of the fit; pass "
            "run.compile(fitted, like=X_train, target=y_train) what `split` returned"
        )
    check_target_index(rows, target)
    write_baselines(record, baselines_of(fitted, target, module))


def check_target_index(rows: Any, target: Any) -> None:
    """InputError for a target whose index is not that of its rows, where both have one."""
    index: Any = getattr(target, "index", None)
    if is_dataframe(rows) and hasattr(index, "equals") and len(rows) == len(index) and not rows.index.equals(index):
        raise InputError(
            "found a target whose index is not that of the rows, expected the same rows in the same order; pass both "
            "as `split` returned them"
        )


def write_baselines(record: Record, baselines: Baselines, scores: Sequence[BaselineScore] = ()) -> None:
    """Keep baselines, and their scores once there are some, in a record."""
    content = {**baselines.to_json(), "scores": [score.to_json() for score in scores]}
    write_atomic(record.folder / BASELINE, canonical_json(content))
    if baselines.season:
        write_atomic(record.folder / SEASON_VALUES, canonical_json(list(baselines.season)))


def read_baselines(record: Record) -> Baselines:
    """The baselines that a record keeps. Raises InputError where it keeps none, or damaged ones."""
    content = record.read_json(BASELINE)
    if content is None:
        raise InputError(f"{record.reference}: found {NO_BASELINE}, and run again")
    names = ("mean", "median", "majority", "labels", "shares")
    try:
        tuples = {name: tuple(content[name]) for name in names}
        season = tuple(record.read_json(SEASON_VALUES) or ())
        return Baselines(int(content["rows"]), **tuples, season=season, several=bool(content["several"]))
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{record.folder / BASELINE}: found {error!r}, expected what run.compile keeps; run again"
        ) from error


def score_baselines(module: types.ModuleType, record: Record, params: Any) -> None:
    """Score a record's baselines on its evidence, and keep the scores; nothing where it keeps no baselines."""
    if not (record.folder / BASELINE).is_file():
        return
    baselines, evidence = read_baselines(record), read_evidence(record.evidence)
    target = target_of(evidence.target)
    answers = baselines.predictions(evidence.inputs.num_rows, target=target if baselines.season else None)
    scores = [_score(module, evidence, params, name, answer) for name, answer in answers.items()]
    write_baselines(record, baselines, scores)


def _score(module: types.ModuleType, evidence: Evidence, params: Any, name: str, answer: Answer) -> BaselineScore:
    """The module's metrics and value of one baseline; a note where the module's code refuses its answers."""
    predictions, probabilities = answer
    score = BaselineScore(name, {})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # undefined correlations, labels that are never predicted
        try:
            metrics = computed_metrics(module, target_of(evidence.target), predictions, params, lambda: probabilities)
            finite = {key: float(value) for key, value in metrics.items() if np.isfinite(value)}
            score = replace(score, metrics=finite)
        except Exception as error:  # the module's own code, on answers that no model gives
            score = replace(score, note=f"metrics: {type(error).__name__}: {error}")
        try:
            values = values_of_evidence(module, evidence, params, answer)
        except Exception as error:
            return replace(score, note=f"{score.note} value: {type(error).__name__}: {error}".strip())
    return score if values is None else replace(score, value=float(values.mean()))


def _is_classifier(fitted: Any, columns: Sequence[NDArray[Any]]) -> bool:
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(fitted):
        return True
    return not is_regressor(fitted) and any(column.dtype.kind not in "iuf" for column in columns)


def _of_labels(fitted: Any, columns: Sequence[NDArray[Any]], several: bool) -> Baselines:
    counted = [np.unique(column, return_counts=True) for column in columns]
    majority = tuple(labels.tolist()[counts.argmax()] for labels, counts in counted)
    rows = len(columns[0])
    if several:
        return Baselines(rows, majority=majority, several=True)
    labels, counts = counted[0]
    if not all(isinstance(label, _PLAIN) for label in labels.tolist()):
        found = ", ".join(sorted({type(label).__name__ for label in labels.tolist()}))
        raise InputError(f"target: found labels of type {found}, expected texts, numbers or bools; convert them")
    known = np.asarray(getattr(fitted, "classes_", labels))
    if known.shape == labels.shape and known.dtype.kind == labels.dtype.kind:  # the order of the probabilities
        order = [int(np.flatnonzero(labels == label)[0]) for label in known if label in labels]
        if len(order) == len(labels):
            labels, counts = labels[order], counts[order]
    shares = tuple(float(count) / rows for count in counts)
    return Baselines(rows, majority=majority, labels=tuple(labels.tolist()), shares=shares)


def _numbers(column: NDArray[Any]) -> NDArray[np.float64]:
    try:
        numbers: NDArray[np.float64] = column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"target: found {error}, expected numbers; pass y_train, as the fit got it") from error
    if not np.isfinite(numbers).all():
        raise InputError(
            f"target: found {int((~np.isfinite(numbers)).sum()):,} values that are missing or not finite, expected "
            "numbers; pass y_train, as the fit got it"
        )
    return numbers


def _season(module: types.ModuleType, target: NDArray[np.float64]) -> tuple[float, ...]:
    season = getattr(module, _SEASON, None)
    if season is None:
        return ()
    if not isinstance(season, int) or isinstance(season, bool) or not 0 < season <= len(target):
        raise InputError(
            f"{_SEASON}: found {season!r}, expected the number of rows from a row to the same season before, 1 to "
            f"{len(target):,} training rows; correct it, or rename the constant if it means something else"
        )
    return tuple(target[-season:].tolist())
