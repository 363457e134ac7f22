"""A fitted nearest-neighbour search as settings of operations: points, metric, and how it decides ties."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.distances import is_usable
from pipeline_lib.compiler.adapters.inputs import column_names, split_columns, vector_input
from pipeline_lib.compiler.adapters.outputs import to_float64
from pipeline_lib.compiler.adapters.registry import NoPlanError, option_error
from pipeline_lib.compiler.builder import Builder, Value

SEARCH_OPTIONS = "algorithm leaf_size p metric metric_params n_jobs"
_NAMES = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan", "p": "minkowski", "infinity": "chebyshev"}
_PARAMETERS = {"minkowski": {"p", "w"}, "seuclidean": {"V"}, "mahalanobis": {"V", "VI"}}
"""What each metric may be given; scikit-learn leaves p, w out again where they are 1, 2 or none."""


def search_settings(step: Any) -> dict[str, Any]:
    """The settings of a search: points, metric with its parameters, formula of squares."""
    name = _metric_name(step)
    tree = step._fit_method != "brute"
    dense = not hasattr(step._fit_X, "toarray")  # one array for all plans: it is prepared for a search once
    points = np.asarray(step._fit_X, dtype=np.float64) if dense else to_float64(step._fit_X)
    expanded = not tree and name in ("euclidean", "sqeuclidean", "nan_euclidean")
    return {"points": points, "metric": name, "expanded": expanded} | _metric_parameters(step, name)


def tie_settings(step: Any, count: int) -> dict[str, Any]:
    """How a search for `count` neighbours decides among points at the same distance."""
    if step._fit_method != "brute":
        return _tree_settings(step._tree)
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    points = np.asarray(step._fit_X) if not hasattr(step._fit_X, "tocsr") else step._fit_X
    if not ArgKmin.is_usable_for(points, points, step.effective_metric_):
        return {}  # numpy.argpartition, whose choice depends on the CPU
    return {"ties": "heap"}


def neighbor_inputs(step: Any, values: Sequence[Value], build: Builder) -> Value:
    """The input columns as one vector of finite numbers; some may be missing where the metric allows it."""
    if step.metric != "nan_euclidean":
        return vector_input(step, values, build)
    where = type(step).__name__
    flat = zip(split_columns(values, build), column_names(step, values), strict=True)
    return build.stack([build.not_infinite(build.number(value), name=name, where=where) for value, name in flat])


def _metric_name(step: Any) -> str:
    metric = step.effective_metric_
    if not isinstance(metric, str):
        raise NoPlanError(
            f"{type(step).__name__}: found metric={metric!r}, expected the name of a metric; a function of one's own "
            "is code, which a plan cannot hold: name the metric that it computes"
        )
    name = _NAMES.get(metric, metric)
    if metric == "precomputed":
        raise NoPlanError(
            f"{type(step).__name__}: found metric='precomputed', expected a metric that production can compute from a "
            "row; fit on the rows, with the metric by name"
        )
    if not is_usable(name, _power(step)):
        raise option_error(step, "metric", "a metric of sklearn.neighbors.VALID_METRICS")
    unknown = {key for key, value in step.effective_metric_params_.items() if value is not None}
    if unknown - _PARAMETERS.get(name, set()):
        raise option_error(step, "metric_params", f"parameters of {name}: {sorted(_PARAMETERS.get(name, ()))}")
    return name


def _power(step: Any) -> float:
    return float(step.effective_metric_params_.get("p") or 2.0)


def _metric_parameters(step: Any, name: str) -> dict[str, Any]:
    parameters = {key: value for key, value in step.effective_metric_params_.items() if value is not None}
    if name == "minkowski":
        weights = parameters.get("w")
        powers = {"p": _power(step)}
        return powers if weights is None else powers | {"column_weights": np.asarray(weights, dtype=np.float64)}
    if name == "seuclidean":
        return {"column_weights": np.asarray(parameters["V"], dtype=np.float64)}
    if name == "mahalanobis":
        inverse = parameters.get("VI")
        inverse = np.linalg.inv(parameters["V"]) if inverse is None else inverse
        return {"inverse": np.asarray(inverse, dtype=np.float64)}
    return {}


def _tree_settings(tree: Any) -> dict[str, Any]:
    """The order of a tree's points, where its leaves start, and the bounds of its nodes."""
    _, order, nodes, bounds = tree.get_arrays()
    leaves = nodes["is_leaf"].astype(bool)
    if leaves[: len(nodes) // 2].any():  # a branch that ends early: more nodes than points
        return {}
    settings: dict[str, Any] = {
        "ties": "tree",
        "tree_order": np.asarray(order, dtype=np.int64),
        "tree_starts": np.append(nodes["idx_start"][leaves], len(order)).astype(np.int64),
    }
    if len(bounds) == 2:
        return settings | {"tree_low": np.array(bounds[0]), "tree_high": np.array(bounds[1])}
    return settings | {"tree_centers": np.array(bounds[0]), "tree_radii": np.array(nodes["radius"])}
