"""CatBoostRegressor, CatBoostClassifier, CatBoostRanker and CatBoost: sums of trees, then the loss's link.

Sources: catboost/libs/model/eval_processing.h for labels and probabilities, catboost/core.py for what `predict` gives.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.boosters.catboost_model import Model, read_model
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.outputs import class_prediction, expit, label_at, softmax
from pipeline_lib.compiler.adapters.registry import Outputs, estimator, state_error
from pipeline_lib.compiler.adapters.tree_nodes import sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value


@estimator("catboost.core.CatBoostRegressor", "catboost.core.CatBoostRanker", "catboost.core.CatBoost", options="*")
def catboost_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The raw scores, or exp of them where the loss predicts a logarithm."""
    raw = _raw(step, values, build)
    kind = step._get_default_prediction_type() if type(step).__name__ == "CatBoostRegressor" else "RawFormulaVal"
    if kind == "Exponent":
        return Outputs([build.exp(value) for value in raw])
    if kind == "RMSEWithUncertainty":
        return Outputs([raw[0], build.exp(raw[1] * 2.0)])
    if kind != "RawFormulaVal":
        raise state_error(step, f"predictions of type {kind}", "RawFormulaVal, Exponent or RMSEWithUncertainty")
    return Outputs(raw)


@estimator("catboost.core.CatBoostClassifier", options="*")
def catboost_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The second of two classes for a score above the threshold's; of more classes that of the largest score."""
    raw = _raw(step, values, build)
    classes, loss = np.asarray(step.classes_).tolist(), str(step.get_all_params().get("loss_function", ""))
    if loss.startswith(("MultiLogloss", "MultiCrossEntropy")):
        shares = [expit(build, value) for value in raw]
        return Outputs([build.integer(value > 0.0) for value in raw], shares)
    if len(raw) == 1 and len(classes) == 2:
        share = expit(build, raw[0])
        border = _logit(float(step.get_probability_threshold() or 0.5))
        return Outputs([label_at(build, build.integer(raw[0] > border), classes)], [1.0 - share, share], (), classes)
    if len(raw) != len(classes):
        raise state_error(step, f"{len(raw)} scores for {len(classes)} classes", "one for each class")
    shares = [expit(build, value) for value in raw] if loss.startswith("MultiClassOneVsAll") else softmax(build, raw)
    return Outputs([class_prediction(build, raw, classes)], shares, (), classes)


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share)) if share != 0.5 else 0.0


def _raw(step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
    """The raw scores."""
    model = read_model(step)
    inputs = _inputs(step, model, values, build)
    if model.oblivious is None:
        sums = sum_of_trees(build, inputs, model.trees, lambda value, index: value, start=[0.0] * len(model.bias))
    else:
        result = build.oblivious_trees(*inputs, **model.oblivious)
        sums = build.items(result) if result.dtype == "vector" else [result]
    if model.scale == 1.0 and not any(model.bias):
        return sums
    return [value * model.scale + bias for value, bias in zip(sums, model.bias, strict=True)]


def _inputs(step: Any, model: Model, values: Sequence[Value], build: Builder) -> list[Value]:
    """What the splits compare: numbers, and 1 where a category is the one of a split, else 0."""
    names = list(map(str, step.feature_names_))  # n_features_in_ is 0 in a model that was pickled
    flat = [
        item
        for value in values
        for item in (build.items(build.sparse_to_vector(value)) if value.dtype == "bag" else [value])
    ]
    if len(flat) != len(names):
        raise state_error(step, f"{len(flat)} columns", f"the {len(names)} that it was fitted with")
    hashes = {index: _hash(step, flat[index], names[index], build) for index in model.categories}
    inputs = []
    for index, hashed in model.inputs:
        if hashed is not None:
            inputs.append(build.number(hashes[index].equals(float(hashed))))
            continue
        number = build.number(flat[index])
        inputs.append(build.where(number.missing(), math.inf, number) if index in model.above else number)
    return inputs or [build.value(0.0)]  # of trees without splits


def _hash(step: Any, value: Value, name: str, build: Builder) -> Value:
    """The hash by which CatBoost knows a category; integers are categories by their digits, truths as 0 and 1."""
    if value.dtype in ("int64", "bool"):
        value = build.text_of_number(build.integer(value), how="python")
    if value.dtype != "str":
        raise state_error(step, f"categories in {value.dtype} column {name!r}", "text or whole numbers")
    return build.city_hash(check_present(value, name, step))
