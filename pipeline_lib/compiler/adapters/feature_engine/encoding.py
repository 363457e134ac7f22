"""feature-engine: the CountFrequency, Mean, Ordinal, WoE, DecisionTree, OneHot, RareLabel, StringSimilarity encoder."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline_lib.compiler.adapters.feature_engine.checks import add, plain_table
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value


@transformer(
    "feature_engine.encoding.count_frequency.CountFrequencyEncoder",
    options="encoding_method variables missing_values ignore_format unseen",
)
@transformer(
    "feature_engine.encoding.mean_encoding.MeanEncoder",
    options="variables missing_values ignore_format unseen smoothing",
)
@transformer(
    "feature_engine.encoding.ordinal.OrdinalEncoder",
    options="encoding_method variables missing_values ignore_format unseen",
)
@transformer("feature_engine.encoding.woe.WoEEncoder", options="variables ignore_format unseen fill_value")
@transformer(
    "feature_engine.encoding.decision_tree.DecisionTreeEncoder",
    options="encoding_method cv scoring regression param_grid random_state variables ignore_format precision unseen "
    "fill_value",
)
def fitted_number(step: Any, columns: Columns, build: Builder) -> Columns:
    """The fitted number of a category; `unseen` and `missing_values` decide about other values.

    A category whose fitted number is missing counts as unseen, and so does missing itself where it is allowed
    (feature_engine.encoding.base_encoder.CategoricalMethodsMixin._encode).
    """
    columns = dict(use_fitted_names(step, columns))
    for name, table in step.encoder_dict_.items():
        columns[str(name)] = _encoded(step, str(name), columns[str(name)], table, build)
    return columns


def _encoded(step: Any, name: str, value: Value, table: dict[Any, Any], build: Builder) -> Value:
    numbers = plain_table(step, name, value, table)
    if step.unseen == "raise" or getattr(step, "missing_values", "raise") == "raise":
        value = check_present(value, name, step)
    if step.unseen == "raise":
        gives = "int64" if all(isinstance(number, int) for number in numbers.values()) else "float64"
        where = type(step).__name__
        return build.lookup(value, numbers, gives, missing=0, unseen=0, mode="refuse", name=name, where=where)
    other = float(step._unseen) if step.unseen == "encode" else None
    return build.lookup(value, numbers, "float64", missing=other, unseen=other)


@transformer(
    "feature_engine.encoding.one_hot.OneHotEncoder",
    options="top_categories drop_last drop_last_binary variables ignore_format",
)
def one_hot(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `NAME_CATEGORY` of 0 and 1 for each fitted category, appended in place of the variable."""

    def indicators(name: str, value: Value, fitted: Sequence[Any]) -> Iterator[tuple[str, Value]]:
        value = check_present(value, name, step)
        for category in fitted:
            table = plain_table(step, name, value, {category: 1})
            yield f"{name}_{category}", build.lookup(value, table, "int64", missing=0, unseen=0)

    return _in_place(step, use_fitted_names(step, columns), indicators)


def _in_place(step: Any, columns: Columns, encode: Callable[[str, Value, Any], Iterator[tuple[str, Value]]]) -> Columns:
    """The columns without the step's variables, then what `encode(name, value, fitted)` yields for each of these."""
    variables = set(map(str, step.variables_))
    result = {name: value for name, value in columns.items() if name not in variables}
    for variable in step.variables_:
        name = str(variable)
        for label, value in encode(name, columns[name], step.encoder_dict_[variable]):
            add(result, label, value, step, columns)
    return result


@transformer(
    "feature_engine.encoding.rare_label.RareLabelEncoder",
    options="tol n_categories max_n_categories replace_with missing_values variables ignore_format",
)
def rare_label(step: Any, columns: Columns, build: Builder) -> Columns:
    """Every category except the fitted frequent ones becomes `replace_with`; missing stays missing, or is refused."""
    columns = dict(use_fitted_names(step, columns))
    rare = step.replace_with
    for variable, labels in step.encoder_dict_.items():
        name = str(variable)
        value = columns[name]
        frequent = plain_table(step, name, value, dict.fromkeys(labels, True))
        if not _holds(value.dtype, rare):
            raise NoPlanError(
                f"RareLabelEncoder: found replace_with={rare!r} for {value.dtype} column {name!r}, expected text in a "
                "text column and a number in a column of numbers, as a column of both has no dtype; change the option"
            )
        if step.missing_values == "raise":
            value = check_present(value, name, step)
        if value.dtype == "str":
            columns[name] = build.lookup(value, {label: label for label in frequent}, "str", unseen=rare)
            continue
        stays = build.lookup(value, frequent, "bool", missing=True, unseen=False)
        columns[name] = build.where(stays, value, float(rare) if value.dtype == "float64" else int(rare))
    return columns


def _holds(dtype: str, rare: Any) -> bool:
    """Whether a column of this dtype can hold the number or text."""
    if isinstance(rare, str):
        return dtype == "str"
    return dtype == "float64" or (dtype == "int64" and float(rare).is_integer())


@transformer(
    "feature_engine.encoding.similarity_encoder.StringSimilarityEncoder",
    options="top_categories keywords missing_values variables ignore_format",
)
def string_similarity(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column for each fitted category or keyword: its similarity with a text (`SequenceMatcher.quick_ratio`)."""

    def similar(name: str, value: Value, fitted: Sequence[Any]) -> Iterator[tuple[str, Value]]:
        value = _similar_text(step, name, value, build)
        for word in fitted:
            label = f"{name}_nan" if isinstance(word, str) and word == "" else f"{name}_{word}"
            yield label, build.similarity(value, keyword=str(word))

    return _in_place(step, use_fitted_names(step, columns), similar)


def _similar_text(step: Any, name: str, value: Value, build: Builder) -> Value:
    if value.dtype != "str":
        raise NoPlanError(
            f"StringSimilarityEncoder: found {value.dtype} column {name!r}, expected text; cast it to str in `load`"
        )
    if step.missing_values == "raise":
        return check_present(value, name, step)
    return build.fill(value, "") if step.missing_values == "impute" else value
