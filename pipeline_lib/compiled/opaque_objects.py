"""Objects of an opaque step's state: those that skops does not store are made here, those of trees are checked."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipeline_lib.errors import InputError

MODEL_FILES = {"lightgbm": "txt", "xgboost": "ubj", "catboost": "cbm"}
"""The ending of a booster's own model file, by its library."""
_CATBOOST = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")


def _lightgbm(content: Mapping[str, Any]) -> Any:
    import lightgbm

    booster = lightgbm.Booster(model_str=content["file"].decode())
    booster.best_iteration = int(content["best_iteration"])
    return booster


def _xgboost(content: Mapping[str, Any]) -> Any:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content["file"]))
    return booster


def _catboost(content: Mapping[str, Any]) -> Any:
    import catboost

    if content["class"] not in _CATBOOST:
        raise InputError(f"found the class {content['class']!r}, expected one of {', '.join(_CATBOOST)}; run again")
    return getattr(catboost, content["class"])().load_model(blob=content["file"], format="cbm")


def _birch(content: Mapping[str, Any]) -> Any:
    from sklearn.cluster import Birch

    model = Birch.__new__(Birch)
    vars(model).update(content["attributes"])
    return model


def _dtype(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    if content["name"] == "category":
        return pd.CategoricalDtype(content["categories"], ordered=bool(content["ordered"]))
    if content["name"] == "str":
        return pd.StringDtype(na_value=np.nan)
    return pd.api.types.pandas_dtype(content["name"])


def _series(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.Series(content["values"], index=content["index"], dtype=content["dtype"], name=content["name"])


def _index(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.Index(content["values"], dtype=content["dtype"], name=content["name"])


def _frame(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(content["series"])), index=content["index"])
    frame.columns = content["columns"]
    return frame


PARTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "birch": _birch,
    "dtype": _dtype,
    "series": _series,
    "index": _index,
    "frame": _frame,
}
"""What makes an object from its description, by kind; of a booster `file` holds its model file."""


def _check_tree(tree: Any) -> None:
    """Refuse a tree with a child or a column out of range: scikit-learn would read memory that is not its own."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    nodes = np.arange(len(left))
    good = (left > nodes) & (right > nodes) & (left < len(left)) & (right < len(left))
    good &= (feature >= 0) & (feature < tree.n_features)
    if not good[inner].all() or not (right[~inner] == -1).all():
        raise InputError("found a damaged tree in an opaque step, expected children behind their nodes; run again")


def _check_histogram_trees(model: Any) -> None:
    """The same for the trees of HistGradientBoosting."""
    for predictor in (tree for trees in model._predictors for tree in trees):
        nodes = predictor.nodes
        inner, index = nodes["is_leaf"] == 0, np.arange(len(nodes))
        good = (nodes["left"] > index) & (nodes["right"] > index)
        good &= (nodes["left"] < len(nodes)) & (nodes["right"] < len(nodes))
        good &= nodes["feature_idx"] < model.n_features_in_
        categories = len(predictor.raw_left_cat_bitsets)
        good &= (nodes["is_categorical"] == 0) | (nodes["bitset_idx"] < categories)
        if not good[inner].all():
            raise InputError("found a damaged tree in an opaque step, expected children behind their nodes; run again")


def _check_neighbor_tree(tree: Any) -> None:
    """Refuse a KDTree or BallTree whose nodes name rows that it does not hold."""
    data, index, nodes, _ = tree.get_arrays()
    rows = len(data)
    good = bool(((index >= 0) & (index < rows)).all()) and len(index) == rows
    good = good and bool(((nodes["idx_start"] >= 0) & (nodes["idx_end"] <= rows)).all())
    if not good:
        raise InputError("found a damaged tree of neighbours in an opaque step, expected rows that it holds; run again")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "Tree": _check_tree,
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _check_histogram_trees),
    **dict.fromkeys(("KDTree", "KDTree64", "BallTree", "BallTree64"), _check_neighbor_tree),
}


def check_object(thing: Any) -> None:
    """Raise InputError for an object of scikit-learn whose indices would make it read memory that is not its own."""
    check = _CHECKS.get(type(thing).__name__)
    if check is not None and type(thing).__module__.startswith("sklearn."):
        check(thing)
