"""LGBMRegressor, LGBMClassifier and LGBMRanker: sums of trees, then the objective's link.

Source: `ConvertOutput` in src/objective; lightgbm/sklearn.py for labels and probabilities.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from pipeline_lib.compiler.adapters.boosters.lightgbm_model import (
    CUSTOM,
    TINY,
    ZERO,
    read_model,
    sum_of_linear_trees,
)
from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction, expit, softmax
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, state_error
from pipeline_lib.compiler.adapters.tree_nodes import sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.known_words import known_words

_OPTIONS = (
    "alpha bagging_fraction bagging_freq bagging_seed boost_from_average boosting_type cat_l2 cat_smooth "
    "class_weight colsample_bytree data_sample_strategy deterministic drop_rate drop_seed early_stopping_round "
    "early_stopping_rounds extra_trees fair_c feature_fraction feature_fraction_seed force_col_wise force_row_wise "
    "importance_type interaction_constraints is_unbalance learning_rate linear_tree max_bin max_cat_threshold "
    "max_cat_to_onehot max_depth max_drop metric min_child_samples min_child_weight min_data_in_bin "
    "min_data_per_group min_split_gain monotone_constraints n_estimators n_jobs num_class num_leaves objective "
    "other_rate path_smooth poisson_max_delta_step random_state reg_alpha reg_lambda reg_sqrt scale_pos_weight seed "
    "sigmoid skip_drop subsample subsample_for_bin subsample_freq top_rate tweedie_variance_power use_missing "
    "verbose verbosity zero_as_missing linear_lambda xgboost_dart_mode uniform_drop categorical_feature lambda_l1 "
    "lambda_l2 min_gain_to_split min_data_in_leaf min_sum_hessian_in_leaf num_iterations eta boosting num_threads "
    "feature_fraction_bynode colsample_bynode bagging_by_query pos_bagging_fraction neg_bagging_fraction "
    "first_metric_only early_stopping_min_delta monotone_constraints_method monotone_penalty feature_contri "
    "enable_bundle feature_pre_filter max_bin_by_feature bin_construct_sample_cnt data_random_seed is_enable_sparse "
    "histogram_pool_size nthread lambdarank_truncation_level lambdarank_norm label_gain eval_at max_position top_k "
    "stochastic_rounding use_quantized_grad num_grad_quant_bins quant_train_renew_leaf extra_seed objective_seed "
    "device device_type max_delta_step bagging feature_fraction_seed boost_from_average cegb_tradeoff "
)
_IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", CUSTOM)
_EXP = ("poisson", "gamma", "tweedie")
_LINKS = (*_IDENTITY, *_EXP, "cross_entropy", "cross_entropy_lambda")


@estimator("lightgbm.sklearn.LGBMRegressor", "lightgbm.sklearn.LGBMRanker", options=_OPTIONS)
def lightgbm_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The trees' sum through the objective's inverse link."""
    objective, _, raw = _raw(step, values, build)
    name, *settings = objective.split()
    if len(raw) != 1 or name not in _LINKS:
        raise state_error(step, f"objective {objective!r}", ", ".join(_LINKS))
    if "sqrt" in settings:
        sign = build.where(raw[0] > 0.0, 1.0, build.where(raw[0] < 0.0, -1.0, 0.0))
        return Outputs([sign * raw[0] * raw[0]])
    if name == "cross_entropy":
        return Outputs([expit(build, raw[0])])
    if name == "cross_entropy_lambda":
        return Outputs([build.log1p(build.exp(raw[0]))])
    return Outputs([build.exp(raw[0]) if name in _EXP else raw[0]])


@estimator("lightgbm.sklearn.LGBMClassifier", options=_OPTIONS)
def lightgbm_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The class of the largest probability, the first of equal ones."""
    objective, sums, raw = _raw(step, values, build)
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
    return Outputs([chosen], shares, sums, classes)


def _sigmoid(objective: str) -> float:
    return next((float(word.partition(":")[2]) for word in objective.split() if word.startswith("sigmoid:")), 1.0)


def _raw(step: Any, values: Sequence[Value], build: Builder) -> tuple[str, list[Value], list[Value]]:
    """The objective with its settings, the sums of the trees, one per class, and what the objective's link takes."""
    model = read_model(step.booster_.model_to_string())
    missing: dict[int, int] = {}
    for index, kind in model.missing:
        if missing.setdefault(index, kind) != kind:
            raise state_error(step, f"column {index} with two kinds of missing values", "one kind")
    inputs = _inputs(step, values, build)

    def check(value: Value, index: int) -> Value:
        if missing.get(index) != ZERO:
            return value
        return build.where(abs(value) <= TINY, math.nan, value)

    outputs = [number % model.width for number in range(len(model.trees))]
    write = sum_of_trees if model.linear is None else partial(sum_of_linear_trees, leaves=model.linear)
    sums = write(build, inputs, model.trees, check, start=[0.0] * model.width, outputs=outputs)
    if not model.averaged:
        return model.objective, sums, sums
    return model.objective, sums, [value / float(len(model.trees) // model.width) for value in sums]


def _inputs(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The columns as numbers: a category becomes its index among those of training, an unseen one missing."""
    names = column_names(step, values)
    known = list(step.booster_.pandas_categorical or ())
    chosen = [name for name, value in zip(names, values, strict=False) if value.dtype == "str" or known_words(value)]
    if any(value.dtype == "datetime" for value in values) or len(chosen) != len(known):
        raise state_error(
            step,
            f"{len(chosen)} columns of text and categories, {len(known)} columns of categories in the model",
            "the categories that it was fitted on, and numbers",
        )
    indices = {
        name: {word: float(index) for index, word in enumerate(words)}
        for name, words in zip(chosen, known, strict=True)
    }
    if not indices:
        return list(values)
    return [
        build.lookup(value, indices[name], "float64") if name in indices else value
        for name, value in zip(names, values, strict=True)
    ]
