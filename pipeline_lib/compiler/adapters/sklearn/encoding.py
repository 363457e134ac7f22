"""OneHotEncoder, OrdinalEncoder, TargetEncoder, LabelEncoder, LabelBinarizer; MultiLabelBinarizer is refused.

Formulas: sklearn/preprocessing/_encoders.py, _target_encoder.py and _label.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.plan import Scalar
from pipeline_lib.compiler.adapters.inputs import fitted_columns, refuse_sparse
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, RefusedStepError, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_KINDS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "float64": (int, float, bool),
    "int64": (int, float, bool),
    "bool": (int, float, bool),
}


@dataclass(frozen=True)
class Codes:
    """A column's fitted categories: the index of each, and that of missing where missing is a category."""

    indices: Mapping[Any, int]
    missing: int | None

    def lookup(
        self,
        value: Value,
        values: Sequence[Scalar],
        gives: str,
        other: Scalar | None,
        name: str,
        step: Any,
        build: Builder,
    ) -> Value:
        """The value of each category by its index; `other` for unseen words and missing, which None refuses."""
        result = build.lookup(
            value,
            {key: float(values[index]) for key, index in self.indices.items()},
            "float64",  # int64 has no missing value
            missing=other if self.missing is None else float(values[self.missing]),
            unseen=other,
            mode="refuse" if other is None else "default",
            name=name,
            where=type(step).__name__,
        )
        return result if gives == "float64" else build.truncate_int(result)


def codes(step: Any, name: str, value: Value, categories: Sequence[Any]) -> Codes:
    """The indices of a column's categories, whose type must be that of the column."""
    indices: dict[Any, int] = {}
    missing = None
    for index, category in enumerate(_plain(categories)):
        if category is None or category != category:
            if missing is not None:
                raise _unlike(step, name, value, "None and NaN as two categories")
            missing = index
        elif not isinstance(category, _KINDS.get(value.dtype, ())):
            raise _unlike(step, name, value, f"category {category!r}")
        else:
            indices[category] = index
    return Codes(indices, missing)


def _plain(categories: Any) -> list[Any]:
    plain = categories.tolist() if hasattr(categories, "tolist") else list(categories)
    return [item.item() if isinstance(item, np.generic) else item for item in plain]


def _unlike(step: Any, name: str, value: Value, found: str) -> NoPlanError:
    return NoPlanError(
        f"{type(step).__name__}: found {found} of {value.dtype} column {name!r}, expected text in a text column and "
        "numbers in a column of numbers; cast the column in `load`"
    )


def _coded(step: Any, columns: Columns, build: Builder) -> list[tuple[str, Value, Codes]]:
    """The columns with their categories; infinite numbers are refused, as by scikit-learn."""
    refuse_sparse(step, columns)
    result = []
    for (name, value), categories in zip(fitted_columns(step, columns).items(), step.categories_, strict=True):
        if value.dtype == "float64" and not value.abs_max < np.inf:
            value = build.not_infinite(value, name=name, where=type(step).__name__)
        result.append((name, value, codes(step, name, value, categories)))
    return result


@transformer(
    "sklearn.preprocessing._encoders.OneHotEncoder",
    options="categories drop sparse_output dtype handle_unknown min_frequency max_categories feature_name_combiner",
)
def one_hot(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column of 0 and 1 for each category that is not dropped; infrequent ones share one."""
    result: Columns = {}
    for index, (name, value, known) in enumerate(_coded(step, columns, build)):
        targets, other = _one_hot_targets(step, index, known)
        code = known.lookup(value, targets, "int64", other, name, step, build)
        for number in range(int(step._n_features_outs[index])):
            result[f"{name}_{number}"] = build.number(code.equals(number))
    return result


def _one_hot_targets(step: Any, index: int, known: Codes) -> tuple[list[int], int | None]:
    """The output column that each category of a column sets, -1 for none; the one that an unknown category sets."""
    count = len(step.categories_[index])
    mapping = _infrequent_mapping(step, index)
    dropped = None if step._drop_idx_after_grouping is None else step._drop_idx_after_grouping[index]

    def target(category: int) -> int:
        code = category if mapping is None else int(mapping[category])
        if dropped is None:
            return code
        return -1 if code == dropped else code - (code > dropped)

    if step.handle_unknown == "error":
        return [target(category) for category in range(count)], None
    shared = mapping is not None and step.handle_unknown in ("infrequent_if_exist", "warn")
    other = target(int(step._infrequent_indices[index][0])) if shared else -1
    return [target(category) for category in range(count)], other


def _infrequent_mapping(step: Any, index: int) -> Any:
    return step._default_to_infrequent_mappings[index] if step._infrequent_enabled else None


@transformer(
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    options="categories dtype handle_unknown unknown_value encoded_missing_value min_frequency max_categories",
)
def ordinal(step: Any, columns: Columns, build: Builder) -> Columns:
    """The index of each category, `encoded_missing_value` for missing; others give `unknown_value` or are refused."""
    dtype = np.dtype(step.dtype)
    if dtype.kind not in "fiu":
        raise option_error(step, "dtype", "a float or integer dtype")
    gives = "float64" if dtype.kind == "f" else "int64"

    def cast(number: Any) -> Scalar:
        return float(dtype.type(number)) if gives == "float64" else int(dtype.type(number))

    result: Columns = {}
    for index, (name, value, known) in enumerate(_coded(step, columns, build)):
        mapping = _infrequent_mapping(step, index)
        numbers = [
            cast(step.encoded_missing_value)
            if category == known.missing and step.categories_[index][category] is not None  # None is one like others
            else cast(category if mapping is None else mapping[category])
            for category in range(len(step.categories_[index]))
        ]
        other = cast(step.unknown_value) if step.handle_unknown == "use_encoded_value" else None
        result[name] = known.lookup(value, numbers, gives, other, name, step, build)
    return result


@transformer(
    "sklearn.preprocessing._target_encoder.TargetEncoder",
    options="categories target_type smooth cv shuffle random_state",
)
def target(step: Any, columns: Columns, build: Builder) -> Columns:
    """The fitted mean of each category, the target's mean for others; with several classes one column per class."""
    several = step.target_type_ == "multiclass"
    classes = len(step.classes_) if several else 1
    means = [float(mean) for mean in np.ravel(step.target_mean_)]
    result: Columns = {}
    for index, (name, value, known) in enumerate(_coded(step, columns, build)):
        for number in range(classes):
            averages = [float(mean) for mean in step.encodings_[index * classes + number]]
            encoded = known.lookup(value, averages, "float64", means[number], name, step, build)
            result[f"{name}_{number}" if several else name] = encoded
    return result


def _label(step: Any, columns: Columns) -> tuple[str, Value, Codes]:
    """The one column of labels, which has no missing value."""
    refuse_sparse(step, columns)
    if len(columns) != 1:
        raise NoPlanError(f"{type(step).__name__}: found {len(columns)} columns, expected one column of labels")
    ((name, value),) = columns.items()
    return name, value, codes(step, name, value, step.classes_)


@transformer("sklearn.preprocessing._label.LabelEncoder", options="")
def label(step: Any, columns: Columns, build: Builder) -> Columns:
    """The index of each label; others are refused."""
    name, value, known = _label(step, columns)
    return {name: known.lookup(value, list(range(len(step.classes_))), "int64", None, name, step, build)}


@transformer("sklearn.preprocessing._label.LabelBinarizer", options="neg_label pos_label sparse_output")
def label_binarizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """`pos_label` in the column of the row's label, else `neg_label`; of two labels only the second has a column."""
    if step.y_type_ not in ("binary", "multiclass"):
        raise NoPlanError(
            f"LabelBinarizer: found a target of kind {step.y_type_!r}, expected binary or multiclass labels"
        )
    name, value, known = _label(step, columns)
    count = len(step.classes_)
    code = known.lookup(value, list(range(count)), "int64", -1, name, step, build)
    if count == 1:
        return {name: build.where(code.equals(code), int(step.neg_label), int(step.neg_label))}
    shown = [1] if count == 2 else range(count)
    return {
        f"{name}_{index}": build.where(code.equals(index), int(step.pos_label), int(step.neg_label)) for index in shown
    }


@transformer("sklearn.preprocessing._label.MultiLabelBinarizer", options="classes sparse_output")
def multi_label_binarizer(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: its rows are lists of labels, and a plan has no such column."""
    raise RefusedStepError(
        "MultiLabelBinarizer: found a step whose rows are lists of labels, expected columns of numbers and text; "
        "make one column for each label in `load`"
    )
