"""What a fitted encoder of category_encoders answers for each category: asked, not modelled.

Of each encoded column it is asked for all categories, for a missing value and for unseen ones, while the other columns
stay at their first category. An output column belongs to the input column with which it changes. One that changes with
several, or for which two unseen values differ, has no look-up.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, state_error

_UNSEEN_WORDS = ("\x00 unseen", "\x00 another")
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "float64": (int, float), "int64": (int, float), "bool": (int,)}
_MISSING = ("str", "float64")  # dtypes whose values may be missing


@dataclass(frozen=True)
class Answer:
    """One output column: the number of each category of its `source`, of a missing value and of an unseen one.

    None stands for a value that the encoder refuses, or that the column cannot hold. `integers` says whether the
    encoder's own column holds integers.
    """

    source: str
    table: Mapping[Any, float]
    missing: float | None
    unseen: float | None
    integers: bool


class Encoder:
    """A fitted encoder, asked about columns of a plan.

    `labels` are the categories of each encoded column; `names` are all output columns in order, `generated` those that
    the encoder makes. `refuses_missing` and `refuses_unseen` name the columns whose missing or unseen values it
    refuses.
    """

    def __init__(self, step: Any, columns: Columns) -> None:
        self._step = step
        inner = step if hasattr(step, "feature_dtypes_in_") else step.encoder_list[0]  # of SummaryEncoder
        self._dtypes = dict(zip(step.feature_names_in_, inner.feature_dtypes_in_, strict=True))
        self._kinds = {name: columns[str(name)].dtype for name in self._dtypes}
        self._labels = {column: _labels(step, column, self._kinds[column]) for column in step.cols}
        self._first = {name: self._labels[name][0] if name in self._labels else None for name in self._dtypes}
        self.labels = {str(column): labels for column, labels in self._labels.items()}
        output = self._transform({})
        self.names = [str(name) for name in output.columns]
        encoded = set(self.labels)
        self.generated = [name for name in self.names if name in encoded or name not in columns]
        self._integers = {str(name): dtype.kind in "iub" for name, dtype in output.dtypes.items()}
        self._usual = _numbers(output, self.generated)
        self.refuses_missing: set[str] = set()
        self.refuses_unseen: set[str] = set()

    def answers(self) -> dict[str, Answer]:
        """The answers of each generated column. Raises NoPlanError for one that no look-up gives."""
        answers: dict[str, Answer] = {}
        constant: dict[str, Answer] = {}
        for column in self._labels:
            for name, answer in self._about(column):
                if not self._changes(name, answer):
                    constant.setdefault(name, answer)
                elif name in answers:
                    raise state_error(
                        self._step,
                        f"column {name!r}, which depends on {answers[name].source!r} and {answer.source!r}",
                        "columns that depend on one each",
                    )
                else:
                    answers[name] = answer
        return constant | answers

    def _changes(self, name: str, answer: Answer) -> bool:
        numbers = [*answer.table.values(), answer.missing, answer.unseen]
        return any(number is not None and not _same(number, self._usual[name][0]) for number in numbers)

    def _about(self, column: Any) -> Iterable[tuple[str, Answer]]:
        """Each generated column's answers about the values of one input column."""
        name, labels, kind = str(column), self._labels[column], self._kinds[column]
        known = self._ask({column: labels})
        if known is None:
            raise state_error(self._step, f"categories of {name!r} that it refuses", "answers for its own categories")
        missing = self._ask({column: [None]}) if kind in _MISSING else None
        unseen = self._ask({column: _unseen(labels, kind)})
        if missing is None and kind in _MISSING:
            self.refuses_missing.add(name)
        if unseen is None:
            self.refuses_unseen.add(name)
        for generated in self.generated:
            if unseen is not None and not _same(*unseen[generated]):
                raise state_error(self._step, f"different codes for unseen values of {name!r}", "one for all of them")
            yield (
                generated,
                Answer(
                    source=name,
                    table=dict(zip(labels, known[generated].tolist(), strict=True)),
                    missing=None if missing is None else float(missing[generated][0]),
                    unseen=None if unseen is None else float(unseen[generated][0]),
                    integers=self._integers[generated],
                ),
            )

    def _ask(self, values: Mapping[Any, Sequence[Any]]) -> dict[str, NDArray[np.float64]] | None:
        """The generated columns for rows with these values; None where the encoder refuses them."""
        try:
            output = self._transform(values)
        except ValueError:  # the encoder's word for missing and unseen values
            return None
        return _numbers(output, self.generated)

    def _transform(self, values: Mapping[Any, Sequence[Any]]) -> Any:
        import pandas as pd

        rows = max((len(column) for column in values.values()), default=1)
        frame = pd.DataFrame(
            {
                name: _series(list(values.get(name, [self._first[name]] * rows)), dtype)
                for name, dtype in self._dtypes.items()
            }
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what an encoder says of unseen values is no matter of the plan
            return self._step.transform(frame, override_return_df=True)


def _series(values: list[Any], dtype: Any) -> Any:
    """Values as a column of a dtype; of categories those that it lacks are added."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        more = [value for value in dict.fromkeys(values) if value is not None and value not in dtype.categories]
        dtype = pd.CategoricalDtype([*dtype.categories, *more], dtype.ordered)
    elif values == [None] * len(values) and getattr(dtype, "kind", "O") in "iub":
        values = [0] * len(values)
    return pd.Series(values, dtype=dtype)


def _numbers(output: Any, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    columns = {str(name): column for name, column in output.items()}
    return {name: np.asarray(columns[name].astype(object), dtype=np.float64) for name in names}


def _same(left: float, right: float) -> bool:
    return bool(left == right or (left != left and right != right))


def _unseen(labels: Sequence[Any], kind: str) -> list[Any]:
    """Two values of a dtype that are no categories."""
    if kind == "str":
        return [word + "'" * labels.count(word) for word in _UNSEEN_WORDS]
    if kind == "bool":
        return [labels[0], labels[0]] if len(set(labels)) == 2 else [not labels[0]] * 2
    largest = max(map(abs, labels), default=0)
    return [int(largest) + 1, -int(largest) - 2]


def _labels(step: Any, column: Any, kind: str) -> list[Any]:
    """The categories of a column, wherever an encoder keeps them. Raises NoPlanError for those of another kind."""
    labels: dict[Any, None] = {}
    for label in _kept(step, column):
        key = label.item() if isinstance(label, np.generic) else label
        if key is None or key != key:
            continue
        if not isinstance(key, _KINDS.get(kind, ())):
            raise NoPlanError(
                f"{type(step).__name__}: found category {key!r} of {kind} column {str(column)!r}, expected text in a "
                "text column and numbers in a column of numbers; cast the column in `load`"
            )
        labels[key] = None
    if not labels:
        raise state_error(step, f"no category of {str(column)!r}", "categories")
    return list(labels)


def _kept(step: Any, column: Any) -> Iterable[Any]:
    """Every value that an encoder's fitted state names for a column."""
    inner = getattr(step, "ordinal_encoder", None)
    if inner is not None:
        yield from _kept(inner, column)
    for encoder in getattr(step, "encoder_list", ())[:1]:  # of SummaryEncoder, one for each quantile
        yield from _kept(encoder, column)
    for lumped in (getattr(step, "min_group_lumping_", {}), getattr(step, "_min_group_categories", {})):
        yield from lumped.get(column, {})
        yield from lumped.get(column, {}).values()
    mapping = getattr(step, "mapping", None)
    if inner is None and isinstance(mapping, dict) and column in mapping:  # labels, not codes
        yield from mapping[column].index
    elif inner is None and isinstance(mapping, list):
        for entry in mapping:
            if entry["col"] == column:
                yield from getattr(entry["mapping"], "index", entry["mapping"])
