"""An XGBoost model as data: trees, weights and start values, read from the JSON of `Booster.save_raw`.

XGBoost computes in float32: a number x goes left where `float32(x) < split`, a missing one where `default_left`
says, a category right where it belongs to the split's set. Sums start at the base score and are rounded to float32
after every tree. Sources: src/predictor/cpu_predictor.cc, src/gbm/gbtree.cc, src/common/categorical.h.
"""

import copy
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, float32_thresholds


@dataclass(frozen=True)
class Model:
    """A model: `trees` with the output to which each adds, or `weights` (inputs and bias x outputs) of gblinear.

    `start` is each output's raw score before the first tree. `outputs` is None where a leaf has a number for each
    output. `encodings` are the categories of each column, as the library stores them.
    """

    objective: str
    start: list[float]
    trees: list[TreeNodes]
    outputs: list[int] | None
    weights: NDArray[np.float32] | None
    encodings: list[dict[str, Any]]


def read_model(booster: Any) -> Model:
    """The model of a fitted booster; trees up to the best iteration, where training stopped early."""
    return _parse(bytes(booster.save_raw("json")))


@lru_cache(maxsize=1)  # a compile reads it once for each output
def _parse(text: bytes) -> Model:
    model = json.loads(text)
    learner = model["learner"]
    booster, parameters = learner["gradient_booster"], learner["learner_model_param"]
    objective = str(learner["objective"]["name"])
    start = _start(model)
    if booster["name"] == "gblinear":
        weights = np.array(booster["model"]["weights"], dtype=np.float32).reshape(-1, len(start))
        return Model(objective, start, [], None, weights, [])
    forest = booster["gbtree"]["model"] if booster["name"] == "dart" else booster["model"]
    best = learner.get("attributes", {}).get("best_iteration")
    count = len(forest["trees"]) if best is None else int(forest["iteration_indptr"][int(best) + 1])
    trees = [_nodes(tree) for tree in forest["trees"][:count]]
    outputs = [int(output) for output in forest["tree_info"][:count]]
    if booster["name"] == "dart":
        trees = _dropped(trees, booster["weight_drop"], [start[output] for output in outputs])
    wide = bool(trees) and trees[0].value.shape[1] > 1
    encodings = forest.get("cats", {}).get("enc") or [{"values": []}] * int(parameters["num_feature"])
    return Model(objective, start, trees, None if wide else outputs, None, encodings)


def _start(model: dict[str, Any]) -> list[float]:
    """Each output's base score as a raw score: what the library answers for a model whose trees add nothing."""
    import xgboost

    learner = copy.copy(model["learner"])
    parameters = learner["learner_model_param"]
    width = max(int(parameters["num_class"]), int(parameters["num_target"]), 1)
    inputs = int(parameters["num_feature"])
    linear = learner["gradient_booster"]["name"] == "gblinear"
    empty = {"boosted_rounds": 1, "weights": [0.0] * ((inputs + 1) * width)} if linear else _leaves_of_0(width, inputs)
    booster_json = {"name": "gblinear" if linear else "gbtree", "model": empty}
    learner |= {"gradient_booster": booster_json, "attributes": {}, "feature_names": [], "feature_types": []}
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps({**model, "learner": learner}).encode()))
    margins = booster.predict(xgboost.DMatrix(np.zeros((1, inputs))), output_margin=True)
    return [float(margin) for margin in np.ravel(margins)]


def _leaves_of_0(width: int, inputs: int) -> dict[str, Any]:
    """The trees of a model with one tree for each output, which is a leaf of 0."""
    links = {"left_children": [-1], "right_children": [-1], "parents": [2147483647], "sum_hessian": [0.0]}
    sets: dict[str, Any] = {f"categories{name}": [] for name in ("", "_nodes", "_segments", "_sizes")}
    size = {"num_deleted": "0", "num_feature": str(inputs), "num_nodes": "1", "size_leaf_vector": "1"}
    zeros = {name: [0.0] for name in ("base_weights", "loss_changes", "split_conditions")}
    zeros |= {name: [0] for name in ("default_left", "split_indices", "split_type")}
    leaf = links | sets | zeros | {"tree_param": size}
    return {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(width)},
        "iteration_indptr": [0, width],
        "tree_info": list(range(width)),
        "trees": [leaf | {"id": number} for number in range(width)],
    }


def _dropped(trees: list[TreeNodes], weights: list[float], starts: list[float]) -> list[TreeNodes]:
    """The trees of booster dart, whose leaves have weights.

    The library adds a tree's leaf to the base score, subtracts the base score, and multiplies by the weight, each
    rounded to float32.
    """
    weighted = []
    for tree, weight, start in zip(trees, weights, starts, strict=False):  # weights of trees after the best, too
        base, leaves = np.float32(start), tree.value.astype(np.float32)
        value = ((base + leaves) - base) * np.float32(weight)
        weighted.append(replace(tree, value=value.astype(np.float64)))
    return weighted


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
        value=_leaf_values(tree, splits, leaf, right),
        category=category,
        sets=sets,
    )


def _leaf_values(tree: dict[str, Any], splits: Any, leaf: Any, right: Any) -> NDArray[np.float64]:
    """Each node's numbers; a leaf of several numbers has its row of `leaf_weights` in place of a right child."""
    width = int(tree["tree_param"]["size_leaf_vector"])
    values = splits[:, None]
    if width > 1:
        values = np.array(tree["leaf_weights"], dtype=np.float32).reshape(-1, width)[np.where(leaf, right, 0)]
    return np.asarray(values, dtype=np.float64)
