"""feature-engine: the Arbitrary, EqualFrequency, EqualWidth, GeometricWidth and DecisionTree discretisers."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_condition
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    option_error,
    qualified_name,
    transformer,
    use_fitted_names,
)
from pipeline_lib.compiler.builder import Builder, Value

_EXACT = 2**53  # float64 represents every integer below exactly
_TREES = ("sklearn.tree._classes.DecisionTreeRegressor", "sklearn.tree._classes.DecisionTreeClassifier")


@transformer(
    "feature_engine.discretisation.arbitrary.ArbitraryDiscretiser",
    options="binning_dict return_object return_boundaries precision errors",
)
@transformer(
    "feature_engine.discretisation.equal_frequency.EqualFrequencyDiscretiser",
    options="variables q return_object return_boundaries precision",
)
@transformer(
    "feature_engine.discretisation.equal_width.EqualWidthDiscretiser",
    options="variables bins return_object return_boundaries precision",
)
@transformer(
    "feature_engine.discretisation.geometric_width.GeometricWidthDiscretiser",
    options="variables bins return_object return_boundaries precision",
)
def fitted_bins(step: Any, columns: Columns, build: Builder) -> Columns:
    """The index of a number's bin, or with `return_boundaries` the text of its interval.

    `return_object` changes only the dtype in pandas, not the value.
    """
    columns = dict(use_fitted_names(step, columns))
    for variable in step.variables_:
        name = str(variable)
        edges = _edges(step, name, columns[name], step.binner_dict_[variable])
        number = build.finite(columns[name], name, type(step).__name__)
        if getattr(step, "errors", "ignore") == "raise":
            inside = (number >= edges[0]) & (number <= edges[-1])
            number = check_condition(number, inside, name, step, f"a number from {edges[0]!r} to {edges[-1]!r}")
        labels = _intervals(edges, step.precision) if step.return_boundaries else None
        columns[name] = _cut(number, edges, labels, build)
    return columns


@transformer(
    "feature_engine.discretisation.decision_tree.DecisionTreeDiscretiser",
    options="variables bin_output precision cv scoring param_grid regression random_state",
)
def decision_tree(step: Any, columns: Columns, build: Builder) -> Columns:
    """A tree's prediction for a number, rounded to `precision`, the index of its bin, or the text of its interval."""
    columns = dict(use_fitted_names(step, columns))
    for variable in step.variables_:
        name, fitted = str(variable), step.binner_dict_[variable]
        number = build.finite(columns[name], name, type(step).__name__)
        if step.bin_output == "prediction":
            columns[name] = _predicted(step, name, columns[name].dtype, number, fitted.best_estimator_, build)
        else:
            edges = _edges(step, name, columns[name], fitted)
            labels = _intervals(edges, step.precision) if step.bin_output == "boundaries" else None
            columns[name] = _cut(number, edges, labels, build)
    return columns


def _edges(step: Any, name: str, value: Value, fitted: Sequence[Any]) -> list[float]:
    edges = [float(edge) for edge in fitted]
    rising = all(low < high for low, high in pairwise(edges))
    if not rising and not (len(edges) == 2 and edges[0] == edges[1]):
        raise NoPlanError(
            f"{type(step).__name__}: found edges {edges} of column {name!r}, expected each above the one before, as "
            "pandas requires; change the edges or the number of bins"
        )
    if value.dtype == "int64" and any(math.isfinite(edge) and abs(edge) >= _EXACT for edge in edges):
        raise NoPlanError(
            f"{type(step).__name__}: found edges beyond 2**53 for integers of column {name!r}, expected smaller ones; "
            "cast the column to float in `load`"
        )
    return edges


def _cut(number: Value, edges: list[float], labels: list[str] | None, build: Builder) -> Value:
    """`pandas.cut(number, edges, include_lowest=True)`: intervals (low, high], the first one [low, high].

    Source: pandas.core.reshape.tile._bins_to_cuts. A number outside of all intervals gives missing.
    """
    index = build.search(number, edges=edges, side="left")  # 0 below all, len(edges) above all
    if math.isfinite(edges[0]):
        index = build.where(number.equals(edges[0]), 1, index)
    numbers: Sequence[int | str] = range(len(edges) - 1) if labels is None else labels
    table = dict(enumerate(numbers, 1))
    if labels is not None:
        return build.lookup(index, table, "str")
    if edges[0] == -math.inf and edges[-1] == math.inf:
        return index - 1  # no number is outside
    return build.lookup(index, table, "float64")


def _intervals(edges: list[float], precision: int) -> list[str]:
    """Texts of the intervals, rounded and formatted by pandas at compile time; the plan stores the texts."""
    import pandas as pd

    cut = pd.cut(pd.Series([], dtype="float64"), edges, precision=precision, include_lowest=True)
    return [str(interval) for interval in cut.cat.categories]


def _predicted(step: Any, name: str, dtype: str, number: Value, model: Any, build: Builder) -> Value:
    """The leaf of a tree over one number: a search among its sorted thresholds, between which the leaf is constant.

    scikit-learn compares float32 numbers with float64 thresholds (sklearn.tree._classes._validate_X_predict,
    sklearn.tree._tree), and refuses numbers outside of float32's range.
    """
    if qualified_name(type(model)) not in _TREES or model.n_outputs_ != 1:
        raise option_error(step, "regression", "one decision tree with one target for each variable")
    if dtype == "int64":  # int64 -> float64 -> float32 would round twice
        fits = abs(number) < float(_EXACT)
        number = check_condition(
            number, fits, name, step, "an integer below 2**53", "cast the column to float in `load`"
        )
    tree, decimals = model.tree_, step.precision
    if step.regression:
        edges, values = _leaves(tree, lambda leaf: float(tree.value[leaf, 0, 0]))
    else:
        edges, values = _leaves(tree, lambda leaf: float(tree.value[leaf, 0, 1]))
    if decimals is not None:
        values = [float(np.round(value, decimals)) for value in values]
    single = build.finite(build.round32(number), name, type(step).__name__)
    return build.choose(build.search(single, edges=edges, side="left"), values, "float64")


def _leaves(tree: Any, leaf_value: Callable[[int], float]) -> tuple[list[float], list[float]]:
    """Sorted thresholds of a tree over one feature, and the values below, between and above them."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    thresholds = tree.threshold.tolist()
    edges = sorted({thresholds[node] for node in range(len(left)) if left[node] != right[node]})
    values = []
    for index in range(len(edges) + 1):
        node = 0
        while left[node] != right[node]:
            node = left[node] if index <= bisect_left(edges, thresholds[node]) else right[node]
        values.append(leaf_value(node))
    return edges, values
