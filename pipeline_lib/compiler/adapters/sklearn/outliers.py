"""IsolationForest and EllipticEnvelope.

Source: sklearn/ensemble/_iforest.py, sklearn/covariance/_elliptic_envelope.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_width, vector_input
from pipeline_lib.compiler.adapters.outputs import float64_of
from pipeline_lib.compiler.adapters.registry import Outputs, estimator
from pipeline_lib.compiler.adapters.sklearn.trees import tree_nodes
from pipeline_lib.compiler.adapters.tree_nodes import TreeNodes, sum_of_trees
from pipeline_lib.compiler.builder import Builder, Value

_SAME = 8.0 * np.finfo(np.float64).eps  # scores are at most 1: powers of 2 differ by less between libraries


@estimator(
    "sklearn.ensemble._iforest.IsolationForest",
    options="n_estimators max_samples contamination max_features bootstrap n_jobs random_state verbose warm_start",
)
def isolation_forest(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """1 for inliers, -1 where the mean depth of a row's leaves is small; missing and infinite values are allowed.

    The offset may be the score of a training row. A decision that is 0 but for the rounding of a power of 2 is 0.
    """
    from sklearn.ensemble._iforest import _average_path_length

    check_width(step, values)
    trees = [_depths(step, index) for index in range(len(step.estimators_))]
    (depths,) = sum_of_trees(build, values, trees, lambda value, index: value, start=[0.0])
    scale = len(trees) * float(_average_path_length([step._max_samples])[0])
    mean = build.allow_ulps(depths / scale, 4) if scale else depths * 0.0 + 1.0
    apart = -build.pow(2.0, -mean) - float(step.offset_)
    decision = build.where(abs(apart) <= _SAME, 0.0, apart)
    decision = build.allow_ulps(decision, 8.0, build.value(1.0))  # where the library's is not 0
    return Outputs([build.where(decision < 0.0, -1, 1)], decision=[decision])


def _depths(step: Any, index: int) -> TreeNodes:
    """A tree whose leaves hold the path to them plus what a larger tree would have added, less 1."""
    tree, columns = step.estimators_[index].tree_, np.asarray(step.estimators_features_[index])
    depths = step._decision_path_lengths[index] + step._average_path_length_per_tree[index] - 1.0
    nodes = tree_nodes(tree, np.asarray(depths, dtype=np.float64)[:, None])
    inner = nodes.feature >= 0
    return replace(nodes, feature=np.where(inner, columns[np.where(inner, nodes.feature, 0)], -1))


@estimator(
    "sklearn.covariance._elliptic_envelope.EllipticEnvelope",
    options="store_precision assume_centered support_fraction contamination random_state",
)
def elliptic_envelope(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Minus the squared Mahalanobis distance, minus the offset; below 0 a row is an outlier."""
    location, precision = float64_of(step, "location_"), np.asarray(step.get_precision(), dtype=np.float64)
    columns = len(location)
    centred = build.affine(vector_input(step, values, build), matrix=np.eye(columns), offset=-location)
    turned = build.affine(centred, matrix=precision, offset=None)
    squared = build.items(
        build.affine(build.vector_pair(centred, turned, kind="multiply"), matrix=np.ones((1, columns)), offset=None)
    )[0]
    distance = build.sqrt(squared)  # the library takes the root, then its square
    decision = -(distance * distance) - float(step.offset_)
    return Outputs([build.where(decision >= 0.0, 1, -1)], decision=[decision])
