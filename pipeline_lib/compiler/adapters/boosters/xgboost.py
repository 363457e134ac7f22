"""XGBRegressor, XGBClassifier, XGBRFRegressor and XGBRFClassifier, read from the JSON of `Booster.save_raw`.

XGBoost computes in float32: a number x goes left where `float32(x) < split`, a missing one where `default_left`
says, a category right where it belongs to the split's set. Sums start at the base score and are rounded to float32
after every tree. Sources: src/predictor/cpu_predictor.cc, src/common/categorical.h; for the links of the objectives
src/objective and src/common/math.h.
"""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline_lib.compiled.portable_math.logarithms import log_scalar
from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.outputs import class_prediction, maximum
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, option_error, state_error
from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, float32_thresholds, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (
    "objective base_score booster callbacks colsample_bylevel colsample_bynode colsample_bytree device "
    "early_stopping_rounds enable_categorical eval_metric feature_types feature_weights gamma grow_policy "
    "importance_type interaction_constraints learning_rate max_bin max_cat_threshold max_cat_to_onehot max_delta_step "
    "max_depth max_leaves min_child_weight missing monotone_constraints multi_strategy n_estimators n_jobs "
    "num_parallel_tree random_state reg_alpha reg_lambda sampling_method scale_pos_weight subsample tree_method "
    "validate_parameters verbosity quantile_alpha tweedie_variance_power huber_slope"
)
_IDENTITY = (
    "reg:squarederror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:quantileerror",
    "binary:logitraw",
)
_LOGISTIC = ("reg:logistic", "binary:logistic")
_LOG = ("count:poisson", "reg:gamma", "reg:tweedie")
_SINGLE_ULP = 2.0**29  # one ULP of float32 (24 bits) in ULPs of float64 (53 bits)
_EXP_LIMIT = 88.7  # `Sigmoid` in src/common/math.h: exp of more would overflow float32


@estimator("xgboost.sklearn.XGBRegressor", "xgboost.sklearn.XGBRFRegressor", options=_OPTIONS)
def xgboost_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The trees' sum through the objective's inverse link."""
    objective, raw = _raw(step, values, build)
    if objective in _IDENTITY:
        return Outputs(raw)
    if objective in _LOGISTIC:
        return Outputs([_logistic(build, value) for value in raw])
    if objective in _LOG:
        return Outputs([_single(build, build.exp(value), 1) for value in raw])
    raise state_error(step, f"objective {objective}", f"one of {', '.join((*_IDENTITY, *_LOGISTIC, *_LOG))}")


@estimator("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier", options=_OPTIONS)
def xgboost_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second of two classes where its probability is above 1/2; of more classes the most probable one."""
    objective, raw = _raw(step, values, build)
    count = int(step.n_classes_)
    if objective == "binary:logistic" and len(raw) == 1:
        share = _logistic(build, raw[0])
        return Outputs([build.integer(share > 0.5)], [_round(build, 1.0 - share), share], classes=[0, 1])
    if objective != "multi:softprob" or len(raw) != count:
        raise state_error(step, f"objective {objective} of {len(raw)} scores", "binary:logistic or multi:softprob")
    shares = _softmax(build, raw)
    classes = list(range(count))
    return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)


def _round(build: Builder, value: Value) -> Value:
    return build.round32(value)


def _single(build: Builder, value: Value, ulps: float) -> Value:
    """The value as float32; XGBoost's own float32 function may differ by `ulps`."""
    return build.allow_ulps(_round(build, value), ulps * _SINGLE_ULP)


def _logistic(build: Builder, raw: Value) -> Value:
    power = _single(build, build.exp(build.smaller(-raw, _float32(_EXP_LIMIT))), 1)
    return _single(build, 1.0 / _round(build, power + 1.0), 1)


def _softmax(build: Builder, raw: Sequence[Value]) -> list[Value]:
    most = maximum(build, raw)
    powers = [_single(build, build.exp(_round(build, value - most)), 1) for value in raw]
    total = _round(build, build.sum(powers))
    return [_single(build, power / total, 1) for power in powers]


def _float32(number: Any) -> float:
    return float(np.float32(number))


def _raw(step: Any, values: Sequence[Value], build: Builder) -> tuple[str, list[Value]]:
    """The objective's name, and the sum of base score and trees, one value per target or class."""
    if not step.missing != step.missing:
        raise option_error(step, "missing", "nan")
    if step.booster not in (None, "gbtree"):
        raise option_error(step, "booster", "gbtree")
    if step.device not in (None, "cpu"):
        raise option_error(step, "device", "cpu, as a GPU may add in another order")
    learner = json.loads(bytes(step.get_booster().save_raw("json")))["learner"]
    name = str(learner["objective"]["name"])
    model = learner["gradient_booster"].get("model")
    if model is None or any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in model["trees"]):
        raise state_error(step, "trees with several numbers a leaf, or another booster", "one number a leaf")
    count = _tree_count(learner, model)
    trees = [_nodes(tree) for tree in model["trees"][:count]]
    start = _base_margins(step, name, learner["learner_model_param"])
    inputs = _inputs(step, values, model, build)
    outputs = [int(output) for output in model["tree_info"][:count]]
    by_set = {int(index) for tree in trees for index in tree.feature[np.asarray(tree.category) >= 0]}

    def check(value: Value, index: int) -> Value:
        if index not in by_set:
            return value
        single = _round(build, value)  # 4.9999999999999 is category 5
        return build.where(single < 0.0, -1.0, single)  # in no set; -0.5, truncated, would be category 0

    return name, sum_of_trees(build, inputs, trees, check, start=start, outputs=outputs, float32=True)


def _tree_count(learner: dict[str, Any], model: dict[str, Any]) -> int:
    """The count of trees that predict: those up to the best iteration, where training stopped early."""
    best = learner.get("attributes", {}).get("best_iteration")
    return len(model["trees"]) if best is None else int(model["iteration_indptr"][int(best) + 1])


def _base_margins(step: Any, objective: str, parameters: dict[str, str]) -> list[float]:
    """The base score of each output as a raw score (`ProbToMargin` of the objective)."""
    width = max(int(parameters["num_class"]), int(parameters["num_target"]), 1)
    scores = np.array(json.loads(parameters["base_score"]), dtype=np.float32).ravel()
    scores = np.broadcast_to(scores, (width,))
    if objective in _LOGISTIC:
        odds = np.float32(1) / scores - np.float32(1)
        return [_float32(-log_scalar(float(value))) for value in odds]
    if objective in _LOG:
        return [_float32(log_scalar(float(score))) for score in scores]
    return [float(score) for score in scores]


def _nodes(tree: dict[str, Any]) -> TreeNodes:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    leaf = left < 0
    splits = np.array(tree["split_conditions"], dtype=np.float32)
    by_set = np.array(tree["split_type"]) == 1
    below = np.nextafter(splits, np.float32(-np.inf))  # x < t is x <= the float32 before t
    category = np.full(len(leaf), -1)
    category[np.array(tree["categories_nodes"], dtype=int)] = np.arange(len(tree["categories_nodes"]))
    size = max(tree["categories"], default=-1) + 1
    sets = np.ones((len(tree["categories_nodes"]), size + 1), dtype=np.bool_)
    for row, start, count in zip(sets, tree["categories_segments"], tree["categories_sizes"], strict=True):
        row[tree["categories"][start : start + count]] = False
    return TreeNodes(
        feature=np.where(leaf, -1, tree["split_indices"]),
        threshold=np.where(by_set | leaf, 0.0, float32_thresholds(below)),
        left=left,
        right=right,
        missing_left=np.array(tree["default_left"]).astype(np.bool_),
        value=splits.astype(np.float64)[:, None],
        category=category,
        sets=sets,
    )


def _inputs(step: Any, values: Sequence[Value], model: dict[str, Any], build: Builder) -> list[Value]:
    """The columns as numbers; a category becomes its index among those of the training rows."""
    names = column_names(step, values)
    encodings = model.get("cats", {}).get("enc") or [{"values": []}] * len(values)
    if len(encodings) != len(values):
        return list(values)
    return [
        _coded(step, build, value, name, encoding) if encoding["values"] else _number(step, value, name)
        for value, encoding, name in zip(values, encodings, names, strict=True)
    ]


def _number(step: Any, value: Value, name: str) -> Value:
    if value.dtype in ("str", "datetime"):
        raise state_error(step, f"{value.dtype} column {name!r}", "numbers, or a category column as in training")
    return value


def _coded(step: Any, build: Builder, value: Value, name: str, encoding: dict[str, Any]) -> Value:
    """Each category's index; an unseen one is refused, where XGBoost raises or takes the next category for it."""
    if "offsets" in encoding:
        text, ends = bytes(encoding["values"]), encoding["offsets"]
        known: list[Any] = [text[start:end].decode() for start, end in pairwise(ends)]
    else:
        known = list(encoding["values"])
    indices = {word: float(index) for index, word in enumerate(known)}
    return build.lookup(
        value, indices, "float64", missing=math.nan, mode="refuse", name=name, where=type(step).__name__
    )
