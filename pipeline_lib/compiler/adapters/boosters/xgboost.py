"""XGBRegressor, XGBClassifier, XGBRanker and their random forests: sums of trees or weights, then the objective's link.

XGBoost computes its links in float32. Sources: src/objective and src/common/math.h; xgboost/sklearn.py for labels and
probabilities; float32 functions are those of glibc (`operations.float32_functions`).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.boosters.xgboost_inputs import coded_inputs
from pipeline_lib.compiler.adapters.boosters.xgboost_model import Model, read_model
from pipeline_lib.compiler.adapters.outputs import class_prediction, maximum
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, option_error, state_error
from pipeline_lib.compiler.adapters.tree_nodes import compared_numbers, float32_range, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (
    "objective base_score booster callbacks colsample_bylevel colsample_bynode colsample_bytree device "
    "early_stopping_rounds enable_categorical eval_metric feature_types feature_weights gamma grow_policy "
    "importance_type interaction_constraints learning_rate max_bin max_cat_threshold max_cat_to_onehot max_delta_step "
    "max_depth max_leaves min_child_weight missing monotone_constraints multi_strategy n_estimators n_jobs "
    "num_parallel_tree random_state reg_alpha reg_lambda sampling_method scale_pos_weight subsample tree_method "
    "validate_parameters verbosity quantile_alpha tweedie_variance_power huber_slope "
    "rate_drop skip_drop one_drop sample_type normalize_type updater feature_selector top_k num_class eta alpha lambda "
    "seed nthread kwargs aft_loss_distribution aft_loss_distribution_scale ndcg_exp_gain lambdarank_pair_method "
    "lambdarank_num_pair_per_sample lambdarank_normalization lambdarank_score_normalization lambdarank_unbiased "
    "lambdarank_bias_norm max_cached_hist_node extmem_single_page refresh_leaf process_type seed_per_iteration"
)
_IDENTITY = (
    "reg:squarederror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:quantileerror",
    "binary:logitraw",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
)
_LOGISTIC = ("reg:logistic", "binary:logistic")
_EXP = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft")
_LINKS = (*_IDENTITY, *_LOGISTIC, *_EXP, "binary:hinge")
_SINGLE_ULP = 2.0**29  # one ULP of float32 (24 bits) in ULPs of float64 (53 bits)
_EXP_LIMIT = float(np.float32(88.7))  # `Sigmoid` in src/common/math.h: exp of more would overflow float32
_SCIPY_ULPS = 4.0  # of NumPy's exp and a quotient in float32; its sums are in another order besides


@estimator(
    "xgboost.sklearn.XGBRegressor",
    "xgboost.sklearn.XGBRFRegressor",
    "xgboost.sklearn.XGBRanker",
    options=_OPTIONS,
)
def xgboost_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The raw scores through the objective's inverse link."""
    objective, raw = _raw(step, values, build)
    if objective not in _LINKS:
        raise state_error(step, f"objective {objective}", f"one of {', '.join(_LINKS)}")
    return Outputs([_linked(build, objective, value) for value in raw])


@estimator("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier", options=_OPTIONS)
def xgboost_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second of two classes where its probability is above 1/2; of more classes the most probable one."""
    objective, raw = _raw(step, values, build)
    count = int(step.n_classes_)
    classes = list(range(count))
    if objective == "multi:softmax" and len(raw) == count:
        return Outputs([class_prediction(build, raw, classes)], _softmax_of_scipy(build, raw), classes=classes)
    if objective == "multi:softprob" and len(raw) == count > 2:
        shares = _softmax(build, raw)
        return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)
    if objective not in _LINKS:
        expected = f"multi:softprob, multi:softmax or one of {', '.join(_LINKS)}"
        raise state_error(step, f"objective {objective} of {len(raw)} scores", expected)
    linked = [_linked(build, objective, value) for value in raw]
    if len(raw) == 1:
        (share,) = linked
        return Outputs([build.integer(share > 0.5)], [_round(build, 1.0 - share), share], classes=classes)
    return Outputs([build.number(share > 0.5) for share in linked], linked)  # several targets of two classes


def _linked(build: Builder, objective: str, raw: Value) -> Value:
    """A raw score through the inverse link of an objective."""
    if objective in _LOGISTIC:
        power = _exp(build, build.smaller(-raw, _EXP_LIMIT))
        return _single(build, 1.0 / _round(build, power + 1.0), 1)
    if objective in _EXP:
        return _exp(build, raw)
    return build.where(raw > 0.0, 1.0, 0.0) if objective == "binary:hinge" else raw


def _round(build: Builder, value: Value) -> Value:
    return build.round32(value)


def _single(build: Builder, value: Value, ulps: float) -> Value:
    """The value as float32; XGBoost's own float32 function may differ by `ulps`."""
    return build.allow_ulps(_round(build, value), ulps * _SINGLE_ULP)


def _exp(build: Builder, value: Value) -> Value:
    """exp of a float32 number; in a system without glibc or musl XGBoost may differ by one ULP."""
    return build.allow_ulps(build.exp_float32(value), _SINGLE_ULP)


def _softmax(build: Builder, raw: Sequence[Value]) -> list[Value]:
    """XGBoost's own: powers are added in float64."""
    powers = _powers(build, raw)
    total = _round(build, build.sum(powers))
    return [_single(build, power / total, 1) for power in powers]


def _softmax_of_scipy(build: Builder, raw: Sequence[Value]) -> list[Value]:
    """`scipy.special.softmax` of float32 numbers, by which the wrapper answers for multi:softmax."""
    powers = _powers(build, raw)
    total = powers[0]
    for power in powers[1:]:
        total = _round(build, total + power)
    return [_single(build, power / total, _SCIPY_ULPS + len(powers)) for power in powers]


def _powers(build: Builder, raw: Sequence[Value]) -> list[Value]:
    most = maximum(build, raw)
    apart = build.stack([_round(build, value - most) for value in raw])
    powers = build.items(build.exp_float32(apart))
    return [build.allow_ulps(power, _SINGLE_ULP) for power in powers]


def _raw(step: Any, values: Sequence[Value], build: Builder) -> tuple[str, list[Value]]:
    """The objective's name and the raw scores, one for each target or class."""
    if step.device not in (None, "cpu"):
        raise option_error(step, "device", "cpu, as a GPU may add in another order")
    model = read_model(step.get_booster())
    inputs = coded_inputs(step, values, model.encodings, build)
    if model.weights is not None:
        return model.objective, _linear(step, model, inputs, build)
    by_set = {int(index) for tree in model.trees for index in tree.feature[np.asarray(tree.category) >= 0]}

    def check(value: Value, index: int) -> Value:
        value = _without_missing(step, value, build)
        if index not in by_set:
            return value
        single = _round(build, value)  # 4.9999999999999 is category 5
        return build.where(single < 0.0, -1.0, single)  # in no set; -0.5, truncated, would be category 0

    scores = sum_of_trees(
        build,
        inputs,
        model.trees,
        check,
        start=model.start,
        outputs=model.outputs,
        float32=True,
        absent=math.nan,  # a number that a sparse matrix does not store is missing
    )
    return model.objective, scores


def _without_missing(step: Any, value: Value, build: Builder) -> Value:
    """The value, and NaN where it equals the option `missing` in float32."""
    missing = float(np.float32(step.missing))
    return value if missing != missing else build.where(_round(build, value).equals(missing), math.nan, value)


def _linear(step: Any, model: Model, inputs: Sequence[Value], build: Builder) -> list[Value]:
    """The sums of booster gblinear: bias and base score, then each present number times its weight, in float32."""
    assert model.weights is not None  # noqa: S101  checked by the caller
    places = list(range(len(model.weights) - 1))
    within = float32_range(step, inputs, build, missing=True)

    def check(value: Value, index: int) -> Value:
        return within(_without_missing(step, value, build), index)

    numbers = compared_numbers(build, inputs, places, check, absent=math.nan)
    scores = []
    for weights, start in zip(model.weights.T, model.start, strict=True):
        first = float(weights[-1] + np.float32(start))
        scores.append(build.dot_float32(*numbers, weights=weights[:-1].astype(np.float64), start=first))
    return scores
