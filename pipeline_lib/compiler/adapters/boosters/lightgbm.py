"""LGBMRegressor and LGBMClassifier, read from the text format of `Booster.model_to_string`.

LightGBM computes in float64: leaves, which include the learning rate, are added in tree order from 0 on. Sources:
`Tree::NumericalDecision` and `CategoricalDecision` in include/LightGBM/tree.h for the way through a tree,
`ConvertOutput` in src/objective for the links of the objectives.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction, expit, softmax
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, state_error
from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (
    "alpha bagging_fraction bagging_freq bagging_seed boost_from_average boosting_type cat_l2 cat_smooth "
    "class_weight colsample_bytree data_sample_strategy deterministic drop_rate drop_seed early_stopping_round "
    "early_stopping_rounds extra_trees fair_c feature_fraction feature_fraction_seed force_col_wise force_row_wise "
    "importance_type interaction_constraints is_unbalance learning_rate linear_tree max_bin max_cat_threshold "
    "max_cat_to_onehot max_depth max_drop metric min_child_samples min_child_weight min_data_in_bin "
    "min_data_per_group min_split_gain monotone_constraints n_estimators n_jobs num_class num_leaves objective "
    "other_rate path_smooth poisson_max_delta_step random_state reg_alpha reg_lambda reg_sqrt scale_pos_weight seed "
    "sigmoid skip_drop subsample subsample_for_bin subsample_freq top_rate tweedie_variance_power use_missing "
    "verbose verbosity zero_as_missing "
)
_IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_EXP = ("poisson", "gamma", "tweedie")
_TINY = float(np.float32(1e-35))  # kZeroThreshold of include/LightGBM/meta.h: LightGBM takes numbers up to it for 0
_NONE, _ZERO, _NAN = 0, 1, 2  # MissingType of include/LightGBM/bin.h: the values that a split takes for missing


@estimator("lightgbm.sklearn.LGBMRegressor", options=_OPTIONS)
def lightgbm_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The trees' sum through the objective's inverse link."""
    objective, raw = _raw(step, values, build)
    name, *settings = objective.split()
    if len(raw) != 1 or name not in (*_IDENTITY, *_EXP, "cross_entropy"):
        raise state_error(step, f"objective {objective!r}", ", ".join((*_IDENTITY, *_EXP, "cross_entropy")))
    if "sqrt" in settings:
        sign = build.where(raw[0] > 0.0, 1.0, build.where(raw[0] < 0.0, -1.0, 0.0))
        return Outputs([sign * raw[0] * raw[0]])
    if name == "cross_entropy":
        return Outputs([expit(build, raw[0])])
    return Outputs([build.exp(raw[0]) if name in _EXP else raw[0]])


@estimator("lightgbm.sklearn.LGBMClassifier", options=_OPTIONS)
def lightgbm_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The class of the largest probability, the first of equal ones."""
    objective, raw = _raw(step, values, build)
    name = objective.split()[0]
    if name == "binary":
        share = expit(build, raw[0] * _sigmoid(objective))
        shares = [1.0 - share, share]
    elif name == "multiclass":
        shares = softmax(build, raw)
    elif name == "multiclassova":
        shares = [expit(build, value * _sigmoid(objective)) for value in raw]
    else:
        raise state_error(step, f"objective {objective!r}", "binary, multiclass or multiclassova")
    classes = class_labels(step.classes_)
    chosen = class_prediction(build, shares, classes) if len(classes) > 1 else build.value(classes[0])
    return Outputs([chosen], shares, raw, classes)


def _sigmoid(objective: str) -> float:
    return next((float(word.partition(":")[2]) for word in objective.split() if word.startswith("sigmoid:")), 1.0)


@dataclass(frozen=True)
class _Model:
    """A model's text: its first lines, and each tree's lines, by name."""

    header: dict[str, str]
    trees: list[dict[str, str]]

    @classmethod
    def of(cls, text: str) -> "_Model":
        """Parse the result of `Booster.model_to_string`, which holds the trees up to the best iteration."""
        head, *blocks = text.partition("end of trees")[0].split("\nTree=")
        return cls(_named(head), [_named(block) for block in blocks])


def _named(block: str) -> dict[str, str]:
    return {name: value for name, equals, value in (line.partition("=") for line in block.splitlines())}


def _raw(step: Any, values: Sequence[Value], build: Builder) -> tuple[str, list[Value]]:
    """The objective with its settings, and the sum of the trees, one value per class."""
    model = _Model.of(step.booster_.model_to_string())
    if any(tree.get("is_linear", "0") != "0" for tree in model.trees):
        raise state_error(step, "linear_tree=True", "trees with a number a leaf")
    trees: list[TreeNodes] = []
    missing: dict[int, int] = {}
    for tree in model.trees:
        nodes, kinds = _nodes(tree)
        trees.append(nodes)
        for index, kind in kinds:
            if missing.setdefault(index, kind) != kind:
                raise state_error(step, f"column {index} with two kinds of missing values", "one kind")
    inputs = _inputs(step, values, build)

    def check(value: Value, index: int) -> Value:
        if missing.get(index) != _ZERO:
            return value
        return build.where(abs(value) <= _TINY, math.nan, value)

    width = int(model.header["num_tree_per_iteration"])
    outputs = [number % width for number in range(len(trees))]
    raw = sum_of_trees(build, inputs, trees, check, start=[0.0] * width, outputs=outputs)
    if "average_output" in model.header:
        raw = [value / float(len(trees) // width) for value in raw]
    return model.header.get("objective", "custom"), raw


def _nodes(tree: dict[str, str]) -> tuple[TreeNodes, set[tuple[int, int]]]:
    """A tree, inner nodes before leaves, and the pairs of (column index, missing type) of its splits."""
    leaves = np.array(tree["leaf_value"].split(), dtype=np.float64)
    inner = len(leaves) - 1
    feature, kind, left, right = (
        np.array(tree.get(name, "").split(), dtype=np.int64)[:inner]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    threshold = np.array(tree.get("threshold", "").split(), dtype=np.float64)[:inner]
    by_set, missing = (kind & 1).astype(np.bool_), kind >> 2 & 3
    sets = _sets(tree, threshold[by_set])
    zero_left = threshold >= 0.0  # with missing type _NONE a missing value counts as 0
    missing_left = np.where(missing == _NONE, zero_left, (kind & 2) != 0) & ~by_set
    tiny = np.where(zero_left, _TINY, np.nextafter(-_TINY, -np.inf))
    threshold = np.where((np.abs(threshold) <= _TINY) & (missing != _ZERO), tiny, threshold)
    pad = np.zeros(len(leaves))
    nodes = TreeNodes(
        feature=np.concatenate([feature, pad - 1]).astype(np.int64),
        threshold=np.concatenate([np.where(by_set, 0.0, threshold), pad]),
        left=np.concatenate([np.where(left < 0, inner - left - 1, left), pad]).astype(np.int64),
        right=np.concatenate([np.where(right < 0, inner - right - 1, right), pad]).astype(np.int64),
        missing_left=np.concatenate([missing_left, pad]).astype(np.bool_),
        value=np.concatenate([np.zeros(inner), leaves])[:, None],
        category=np.concatenate([np.where(by_set, np.cumsum(by_set) - 1, -1), pad - 1]).astype(np.int64),
        sets=sets,
    )
    return nodes, set(zip(feature[~by_set].tolist(), missing[~by_set].tolist(), strict=True))


def _sets(tree: dict[str, str], chosen: Any) -> Any:
    """For each split by category, which categories go left; others, and missing, go right."""
    bounds = np.array(tree.get("cat_boundaries", "").split(), dtype=np.int64)
    words = np.array(tree.get("cat_threshold", "").split(), dtype=np.uint32)
    size = 32 * int(np.diff(bounds).max(initial=0))
    sets = np.zeros((len(chosen), size + 1), dtype=np.bool_)
    for row, number in zip(sets, chosen.astype(np.int64).tolist(), strict=True):
        part = words[bounds[number] : bounds[number + 1]]
        bits = part[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
        row[: 32 * len(part)] = bits.ravel()
    return sets


def _inputs(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The columns as numbers: text becomes its index among the training rows' categories, unseen text missing."""
    names = column_names(step, values)
    known = list(step.booster_.pandas_categorical or ())
    texts = [name for name, value in zip(names, values, strict=True) if value.dtype == "str"]
    if any(value.dtype == "datetime" for value in values) or len(texts) != len(known):
        raise state_error(
            step,
            f"{len(texts)} text columns and {len(known)} columns of categories",
            "numbers, and text for categories",
        )
    indices = {
        name: {word: float(index) for index, word in enumerate(words)} for name, words in zip(texts, known, strict=True)
    }
    return [
        build.lookup(value, indices[name], "float64") if name in indices else value
        for name, value in zip(names, values, strict=True)
    ]
