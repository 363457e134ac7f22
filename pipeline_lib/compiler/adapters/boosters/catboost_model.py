"""A CatBoost model as data: trees read from its JSON export.

CatBoost compares in float32, `x > border`; a missing number is below or above all borders, as its column says. A split
by category asks whether a category's hash is a certain one. Leaves are added in tree order in float64, then scaled, and
a bias is added. Sources in catboost/libs/model: cpu/evaluator_impl.cpp, model_export/json_model_helpers.cpp.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiler.adapters.registry import NoPlanError, state_error
from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, float32_thresholds


@dataclass(frozen=True)
class Model:
    """A model: its columns, and its trees of either kind over the `inputs` that splits compare.

    An input is a column and None, or a column of categories and the hash for which it is 1. `above` are columns in
    which a missing number is above all borders. `oblivious` are the settings of `oblivious_trees`, or None.
    """

    inputs: list[tuple[int, int | None]]
    above: frozenset[int]
    categories: frozenset[int]
    oblivious: dict[str, NDArray[Any]] | None
    trees: list[TreeNodes]
    scale: float
    bias: list[float]


def read_model(step: Any) -> Model:
    """The model of a fitted estimator. Raises NoPlanError for columns coded by statistics of the target, and texts."""
    from catboost import CatBoostError

    for kind, indices in (
        ("text", step.get_text_feature_indices()),
        ("embedding", step.get_embedding_feature_indices()),
    ):
        if indices:
            raise state_error(step, f"{kind} features", "numbers and categories; make numbers of them in a step before")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        try:
            step.save_model(str(path), format="json")
        except CatBoostError as error:
            raise state_error(
                step, f"a model that CatBoost does not export ({error})", "one with a JSON form"
            ) from None
        model = json.loads(path.read_text(encoding="utf-8"))
    columns = model["features_info"]
    if columns.get("ctrs"):
        raise NoPlanError(
            f"{type(step).__name__}: found categories coded by statistics of the target (CTR), expected one-hot "
            "categories; set one_hot_max_size=255, which suits columns of up to 255 categories, or encode the columns "
            "in a step before"
        )
    scale, bias = model["scale_and_bias"]
    numbers, words = columns.get("float_features", []), columns.get("categorical_features", [])
    reader = _Reader(
        {each["feature_index"]: each["flat_feature_index"] for each in numbers},
        {each["feature_index"]: each["flat_feature_index"] for each in words},
    )
    oblivious = _oblivious(model["oblivious_trees"], len(bias), reader) if "oblivious_trees" in model else None
    trees = [] if oblivious else [_nodes(tree, len(bias), reader) for tree in model["trees"]]
    return Model(
        list(reader.inputs),
        frozenset(each["flat_feature_index"] for each in numbers if each["nan_value_treatment"] == "AsTrue"),
        frozenset(reader.words.values()),
        oblivious,
        trees,
        float(scale),
        [float(each) for each in bias],
    )


class _Reader:
    """Numbers the inputs that splits compare, in the order in which they are met."""

    def __init__(self, numbers: dict[int, int], words: dict[int, int]) -> None:
        self.numbers, self.words = numbers, words
        self.inputs: dict[tuple[int, int | None], int] = {}

    def split(self, split: dict[str, Any]) -> tuple[int, float]:
        """A split's input and threshold: a row is above it or not."""
        if split["split_type"] == "FloatFeature":
            key: tuple[int, int | None] = (self.numbers[split["float_feature_index"]], None)
            return self._number(key), float(split["border"])
        return self._number((self.words[split["cat_feature_index"]], int(split["value"]))), 0.5

    def _number(self, key: tuple[int, int | None]) -> int:
        return self.inputs.setdefault(key, len(self.inputs))


def _thresholds(borders: Sequence[float]) -> NDArray[np.float64]:
    return float32_thresholds(np.array(borders, dtype=np.float64).astype(np.float32))


def _oblivious(trees: Sequence[dict[str, Any]], width: int, reader: _Reader) -> dict[str, NDArray[Any]]:
    splits = [[reader.split(split) for split in tree.get("splits") or []] for tree in trees]
    depth = max(map(len, splits), default=0) or 1
    padded = [row + [(0, np.inf)] * (depth - len(row)) for row in splits]
    values = [np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, width) for tree in trees]
    sizes = np.array([len(each) for each in values])
    borders = [border for row in padded for _, border in row]
    return {
        "split_columns": np.array([[number for number, _ in row] for row in padded], dtype=np.int32),
        "thresholds": _thresholds(borders).reshape(len(trees), depth),
        "first": (np.cumsum(sizes) - sizes).astype(np.int32),
        "values": np.concatenate(values),
    }


def _nodes(tree: dict[str, Any], width: int, reader: _Reader) -> TreeNodes:
    """A tree of nested nodes; the right child is for rows above the split."""
    nodes = list(_numbered(tree))
    inner = [reader.split(node["split"]) if "split" in node else (-1, 0.0) for node, _, _ in nodes]
    zeros = [0.0] * width
    return TreeNodes(
        feature=np.array([number for number, _ in inner]),
        threshold=_thresholds([border for _, border in inner]),
        left=np.array([left for _, left, _ in nodes]),
        right=np.array([right for _, _, right in nodes]),
        missing_left=np.array([number >= 0 for number, _ in inner]),
        value=np.array([np.ravel(node.get("value", zeros)) for node, _, _ in nodes], dtype=np.float64),
    )


def _numbered(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int, int]]:
    """The nodes, level by level, each with the numbers of its children."""
    waiting = [tree]
    for node in waiting:  # the list grows while it is read
        if "split" in node:
            waiting += [node["left"], node["right"]]
            yield node, len(waiting) - 2, len(waiting) - 1
        else:
            yield node, -1, -1
