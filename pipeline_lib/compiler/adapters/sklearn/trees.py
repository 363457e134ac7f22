"""DecisionTree, ExtraTree, RandomForest and ExtraTrees (Regressor, Classifier), RandomTreesEmbedding.

Inputs are compared as float32 (`_validate_X_predict` in sklearn/tree/_classes.py), NaN goes where
`missing_go_to_left` says (`Tree._apply_dense` in sklearn/tree/_tree.pyx); a forest adds its trees in order
and divides by their count (`_accumulate_prediction` in sklearn/ensemble/_forest.py).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import fitted_columns
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction
from pipeline_lib.compiler.adapters.registry import Columns, Outputs, estimator, transformer
from pipeline_lib.compiler.adapters.tree_nodes import (
    Check,
    TreeNodes,
    float32_range,
    float32_thresholds,
    sum_of_trees,
)
from pipeline_lib.compiler.builder import Builder, Value

_GROWING = (
    "criterion max_depth min_samples_split min_samples_leaf min_weight_fraction_leaf max_features max_leaf_nodes "
    "min_impurity_decrease random_state ccp_alpha monotonic_cst class_weight"
)
_FOREST = f"{_GROWING} n_estimators bootstrap oob_score n_jobs verbose warm_start max_samples"


def tree_nodes(tree: Any, value: Any = None) -> TreeNodes:
    """A fitted `sklearn.tree._tree.Tree`; `value` (nodes x numbers) replaces the values of its leaves."""
    values = np.asarray(tree.value, dtype=np.float64)[:, :, 0] if value is None else value
    leaf = np.asarray(tree.children_left) < 0
    return TreeNodes(
        feature=np.where(leaf, -1, tree.feature),
        threshold=float32_thresholds(np.where(leaf, 0.0, tree.threshold)),
        left=np.asarray(tree.children_left),
        right=np.asarray(tree.children_right),
        missing_left=np.asarray(tree.missing_go_to_left).astype(np.bool_),
        value=values,
    )


def input_check(step: Any, tree: Any, values: Sequence[Value], build: Builder) -> Check:
    """The check of a tree's inputs: numbers in float32's range, and NaN where its tags allow it."""
    return float32_range(step, values, build, missing=bool(tree.__sklearn_tags__().input_tags.allow_nan))


def regression(step: Any, trees: Sequence[Any], values: Sequence[Value], build: Builder) -> list[Value]:
    """The sum of fitted tree regressors, one value per target."""
    return _summed(step, trees, [tree_nodes(tree.tree_) for tree in trees], values, build)


def classification(step: Any, trees: Sequence[Any], values: Sequence[Value], build: Builder) -> list[Value]:
    """The sum of fitted tree classifiers' probabilities, one value per class; one target after the other."""
    counts = np.ravel(step.n_classes_).tolist()
    nodes = [tree_nodes(tree.tree_, _shares(tree.tree_.value, counts)) for tree in trees]
    return _summed(step, trees, nodes, values, build)


def _shares(value: Any, counts: Sequence[int]) -> Any:
    """The probabilities in a tree's nodes, of the classes that each target has."""
    shares = np.asarray(value, dtype=np.float64)
    return np.concatenate([shares[:, target, : int(count)] for target, count in enumerate(counts)], axis=1)


def _summed(
    step: Any, trees: Sequence[Any], nodes: Sequence[TreeNodes], values: Sequence[Value], build: Builder
) -> list[Value]:
    check = input_check(step, trees[0], values, build)
    start = None if step is trees[0] else [0.0] * nodes[0].value.shape[1]
    totals = sum_of_trees(build, values, nodes, check, start=start)
    if getattr(step, "n_jobs", None) in (None, 1) or not build.checking:
        return totals
    # with threads the library adds trees in the order in which they finish
    scales = sum(np.abs(tree.value).max(axis=0) for tree in nodes).tolist()
    pairs = zip(totals, scales, strict=True)
    return [build.allow_ulps(total, len(nodes), build.value(scale)) for total, scale in pairs]


def classes(step: Any, probability: list[Value], build: Builder) -> Outputs:
    """Class probabilities and each target's most probable class, the first of equal ones."""
    if step.n_outputs_ == 1:
        labels = class_labels(step.classes_)
        return Outputs([class_prediction(build, probability, labels)], probability, classes=labels)
    chosen, start = [], 0
    for known in step.classes_:
        shares = probability[start : start + len(known)]
        # the library stores the labels of all targets in an array of the first one's dtype
        chosen.append(class_prediction(build, shares, np.asarray(known).astype(step.classes_[0].dtype).tolist()))
        start += len(known)
    return Outputs(chosen, probability, classes=[class_labels(known) for known in step.classes_])


@estimator(
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeRegressor",
    options=f"splitter {_GROWING}",
)
def tree_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The values of the leaf."""
    return Outputs(regression(step, [step], values, build))


@estimator(
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.ExtraTreeClassifier",
    options=f"splitter {_GROWING}",
)
def tree_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The leaf's class probabilities."""
    return classes(step, classification(step, [step], values, build), build)


@estimator(
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    options=_FOREST,
)
def forest_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean of the trees' values."""
    totals = regression(step, step.estimators_, values, build)
    return Outputs([total / float(len(step.estimators_)) for total in totals])


@estimator(
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    options=_FOREST,
)
def forest_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean of the trees' class probabilities."""
    totals = classification(step, step.estimators_, values, build)
    return classes(step, [total / float(len(step.estimators_)) for total in totals], build)


@transformer(
    "sklearn.ensemble._forest.RandomTreesEmbedding",
    options=f"{_FOREST} sparse_output",
)
def embedding(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column of 0 and 1 for each leaf of each tree, in the order of the nodes."""
    values, trees = list(fitted_columns(step, columns).values()), []
    for tree, leaves in zip(step.estimators_, step.one_hot_encoder_.categories_, strict=True):
        places = np.full(tree.tree_.node_count, -1.0)
        places[np.asarray(leaves, dtype=np.int64)] = np.arange(len(leaves))
        trees.append(tree_nodes(tree.tree_, places[:, None]))
    check = input_check(step, step.estimators_[0], values, build)
    count = len(trees)
    codes = sum_of_trees(build, values, trees, check, start=[0.0] * count, outputs=list(range(count)))
    result: Columns = {}
    for index, (code, leaves) in enumerate(zip(codes, step.one_hot_encoder_.categories_, strict=True)):
        number = build.truncate_int(code)
        result |= {f"tree{index}_{leaf}": build.number(number.equals(leaf)) for leaf in range(len(leaves))}
    return result
