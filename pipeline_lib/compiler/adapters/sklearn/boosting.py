"""The regressor and classifier of GradientBoosting and of HistGradientBoosting.

GradientBoosting adds each tree's leaf times the learning rate to the initial estimator's link
(`predict_stages` in sklearn/ensemble/_gradient_boosting.pyx, `_init_raw_predictions` in _gb.py);
HistGradientBoosting adds leaves to a baseline (`_raw_predict` in _hist_gradient_boosting/gradient_boosting.py,
`_predict_one_from_raw_data` in _predictor.pyx). Links are those of sklearn/_loss/link.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction, expit, label_at, softmax
from pipeline_lib.compiler.adapters.registry import (
    NoPlanError,
    Outputs,
    RefusedStepError,
    estimator,
    option_error,
    predict,
    transform,
)
from pipeline_lib.compiler.adapters.sklearn.trees import tree_nodes
from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, absolute_leaves, float32_range, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.float32_values import as_float32

_GRADIENT = (
    "criterion init learning_rate loss max_depth max_features max_leaf_nodes min_impurity_decrease min_samples_leaf "
    "min_samples_split min_weight_fraction_leaf n_estimators n_iter_no_change random_state subsample tol "
    "validation_fraction verbose warm_start ccp_alpha"
)
_HISTOGRAM = (
    "categorical_features early_stopping interaction_cst l2_regularization learning_rate loss max_bins max_depth "
    "max_features max_iter max_leaf_nodes min_samples_leaf monotonic_cst n_iter_no_change random_state scoring tol "
    "validation_fraction verbose warm_start"
)
_EPSILON = 2.0**-52  # np.finfo(np.float64).eps, by which `_init_raw_predictions` clips
_ULPS_OF_FLOAT32 = 2.0**28  # half a unit in the last place of float32, in those of float64
_SET = 256  # categories in a bitset: 8 x 32 bits (sklearn/utils/_bitset.pxd)


@estimator("sklearn.ensemble._gb.GradientBoostingRegressor", options=f"{_GRADIENT} alpha")
def gradient_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The initial prediction plus the trees."""
    return Outputs(_gradient_raw(step, values, build))


@estimator("sklearn.ensemble._gb.GradientBoostingClassifier", options=_GRADIENT)
def gradient_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second of two classes for a raw score of at least 0; of more classes that of the largest score."""
    raw = _gradient_raw(step, values, build)
    if step.loss not in ("log_loss", "exponential"):
        raise option_error(step, "loss", "log_loss or exponential")
    if len(raw) > 1:
        return _several_classes(step, raw, build)
    scaled = raw[0] * 2.0 if step.loss == "exponential" else raw[0]
    return _two_classes(step, raw[0], scaled, raw[0] >= 0.0, build)


def _gradient_raw(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    stages = np.asarray(step.estimators_, dtype=object)
    rate, width = float(step.learning_rate), stages.shape[1]
    nodes = [tree_nodes(tree.tree_) for tree in stages.ravel()]
    nodes = [replace(tree, value=rate * tree.value) for tree in nodes]
    outputs = list(range(width)) * len(stages)
    check = float32_range(step, values, build, missing=False)
    kind = type(step.init_).__name__
    if isinstance(step.init_, str) or kind in ("DummyRegressor", "DummyClassifier"):
        if getattr(step.init_, "strategy", None) in ("stratified", "uniform"):
            raise RefusedStepError(
                f"{type(step).__name__}: found init={kind} with strategy={step.init_.strategy!r}, expected one that "
                "draws no random numbers; use strategy='prior'"
            )
        # a constant, computed by the fitted step itself
        start = np.asarray(step._raw_predict_init(np.zeros((1, step.n_features_in_), dtype=np.float32)))[0].tolist()
        return sum_of_trees(build, values, nodes, check, start=start, outputs=outputs)
    first = _initial(step, [check(build.number(value), index) for index, value in enumerate(values)], build)
    sums = sum_of_trees(build, values, nodes, check, start=[0.0] * width, outputs=outputs)
    scales = sum_of_trees(build, values, absolute_leaves(nodes), check, start=[0.0] * width, outputs=outputs)
    return [
        build.allow_ulps(start + total, len(stages) + 1, abs(start) + scale)
        for start, total, scale in zip(first, sums, scales, strict=True)
    ]


def _initial(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The link of the initial estimator's prediction; that estimator receives float32 inputs."""
    initial = _initial_outputs(step.init_, [as_float32(value, build) for value in values], build)
    if not hasattr(step, "classes_"):
        return [build.number(value) for value in initial.prediction]
    shares = initial.probability if len(initial.probability) > 2 else initial.probability[1:]
    if not shares:
        raise NoPlanError(
            f"{type(step).__name__}: found init={type(step.init_).__name__} without class probabilities, expected "
            "one with; use init=None"
        )
    clipped = [build.clip(share, _EPSILON, 1 - _EPSILON) for share in shares]
    if len(clipped) == 1:
        link = _logit(build, clipped[0])
        return [link * 0.5 if step.loss == "exponential" else link]
    mean = build.sum([build.log(share) for share in clipped]) / float(len(clipped))
    middle = build.exp(mean)
    return [build.log(share / middle) for share in clipped]


def _initial_outputs(model: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The outputs of an initial estimator, which was fitted in float32 and is evaluated in float32.

    Sums of a linear one depend on the order of BLAS. Ours are float64, rounded to float32.
    """
    outputs = predict(model, values, build)
    if getattr(getattr(model, "coef_", None), "dtype", None) != np.float32:
        return outputs
    return Outputs(
        [_in_float32(model, value, values, build) for value in outputs.prediction] if not outputs.classes else [],
        [_in_float32(model, value, values, build) for value in outputs.probability],
    )


def _in_float32(model: Any, value: Value, values: Sequence[Value], build: Builder) -> Value:
    """A weighted sum, or a function of it that is not steeper, rounded to float32."""
    rounded = build.round32(value)
    if not build.checking:
        return rounded
    weights = np.abs(np.atleast_2d(model.coef_)).max(axis=0)
    scale = build.dot([abs(number) for number in values], weights) + (float(np.abs(model.intercept_).max()) + 1.0)
    return build.allow_ulps(rounded, (len(values) + 6) * _ULPS_OF_FLOAT32, scale)


def _logit(build: Builder, share: Value) -> Value:
    """`scipy.special.logit`: near 1/2 by log1p, elsewhere the log of the odds; limits from xsf/log_exp.h."""
    apart = (share - 0.5) * 2.0
    near = build.log1p(apart) - build.log1p(-apart)
    odds = build.log(share / (1.0 - share))
    value = build.where((share < 0.3) | (share > 0.65), odds, near)
    return build.allow_ulps(value, 16, abs(value) + abs(apart))


def _two_classes(step: Any, decision: Value, scaled: Value, second: Value, build: Builder) -> Outputs:
    share = expit(build, scaled)
    prediction = label_at(build, build.integer(second), step.classes_)
    return Outputs([prediction], [1.0 - share, share], [decision], class_labels(step.classes_))


def _several_classes(step: Any, raw: Sequence[Value], build: Builder) -> Outputs:
    prediction = class_prediction(build, raw, step.classes_)
    return Outputs([prediction], softmax(build, raw), raw, class_labels(step.classes_))


@estimator(
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    options=f"{_HISTOGRAM} quantile",
)
def histogram_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The baseline plus the trees, through the inverse link of the loss."""
    (raw,) = _histogram_raw(step, values, build)
    if step.loss in ("poisson", "gamma"):
        return Outputs([build.exp(raw)])
    if step.loss not in ("squared_error", "absolute_error", "quantile"):
        raise option_error(step, "loss", "squared_error, absolute_error, quantile, poisson or gamma")
    return Outputs([raw])


@estimator(
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    options=f"{_HISTOGRAM} class_weight",
)
def histogram_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second of two classes for a raw score above 0; of more classes that of the largest score."""
    raw = _histogram_raw(step, values, build)
    if step.loss != "log_loss":
        raise option_error(step, "loss", "log_loss")
    if len(raw) > 1:
        return _several_classes(step, raw, build)
    return _two_classes(step, raw[0], raw[0], raw[0] > 0.0, build)


def _histogram_raw(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    columns, size = _histogram_inputs(step, values, build)
    trees = [_histogram_nodes(tree, size) for stage in step._predictors for tree in stage]
    start = np.ravel(step._baseline_prediction).tolist()
    outputs = list(range(len(start))) * len(step._predictors)
    return sum_of_trees(build, columns, trees, lambda value, index: value, start=start, outputs=outputs)


def _histogram_inputs(step: Any, values: Sequence[Value], build: Builder) -> tuple[list[Value], int]:
    """The columns in the order of the trees, categorical ones first and encoded; the largest count of categories."""
    names = column_names(step, values)
    if step._preprocessor is None:
        return list(values), 0
    chosen = np.asarray(step.is_categorical_, dtype=np.bool_).tolist()
    encoder = step._preprocessor.named_transformers_["encoder"]
    inputs = zip(names, values, chosen, strict=True)
    encoded = transform(encoder, {name: value for name, value, category in inputs if category}, build)
    numbers = [build.number(value) for value, category in zip(values, chosen, strict=True) if not category]
    return [*encoded.values(), *numbers], min(_SET, max(map(len, encoder.categories_)))


def _histogram_nodes(predictor: Any, size: int) -> TreeNodes:
    nodes = predictor.nodes
    leaf, by_set = nodes["is_leaf"].astype(np.bool_), nodes["is_categorical"].astype(np.bool_)
    missing_left = nodes["missing_go_to_left"].astype(np.bool_)
    by_set &= ~leaf
    words = np.asarray(predictor.raw_left_cat_bitsets, dtype=np.uint32).reshape(-1, _SET // 32)
    words = words[nodes["bitset_idx"][by_set]]
    members = (words[:, np.arange(size) // 32] >> (np.arange(size) % 32).astype(np.uint32)) & 1
    others = missing_left[by_set][:, None]  # an unknown category goes where missing goes
    return TreeNodes(
        feature=np.where(leaf, -1, nodes["feature_idx"]),
        threshold=np.where(leaf | by_set, 0.0, nodes["num_threshold"]),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=missing_left,
        value=nodes["value"].astype(np.float64)[:, None],
        category=np.where(by_set, np.cumsum(by_set) - 1, -1),
        sets=np.concatenate([members.astype(np.bool_), others], axis=1),
    )
