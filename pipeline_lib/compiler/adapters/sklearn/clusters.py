"""KMeans, MiniBatchKMeans, BisectingKMeans, Birch, MeanShift, AffinityPropagation, FeatureAgglomeration.

A cluster is a centre. `predict` gives the label of the nearest centre, `transform` the distance from each. Source:
sklearn/cluster; `_labels_inertia` of _kmeans.py and `pairwise_distances_argmin` compare `c*c - 2*x*c`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs, sparse_input, vector_input
from pipeline_lib.compiler.adapters.outputs import affine, float64_of, label_at, maximum
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    Outputs,
    estimator,
    option_error,
    transformer,
)
from pipeline_lib.compiler.builder import Builder, Value

_CLUSTER = "sklearn.cluster."
_KMEANS = "n_clusters init n_init max_iter tol verbose random_state copy_x algorithm"
_MINI_BATCH = (
    "n_clusters init max_iter batch_size verbose compute_labels random_state tol max_no_improvement init_size n_init "
    "reassignment_ratio"
)
_BISECTING = "n_clusters init n_init random_state max_iter verbose tol copy_x algorithm bisecting_strategy"
_BIRCH = "threshold branching_factor n_clusters compute_labels"


def nearest_centre(step: Any, values: Sequence[Value], build: Builder, centres: Any, squares: Any) -> Value:
    """The index of the nearest centre; `squares` are the squared lengths of the centres, as the library adds them."""
    if any(value.dtype == "bag" for value in values):
        bag = sparse_input(step, values, build)
        return build.argmax(affine([bag], 2.0 * centres, -np.asarray(squares), build))
    return build.nearest_centre(vector_input(step, values, build), centres=centres, squares=squares)


def centre_distances(step: Any, values: Sequence[Value], build: Builder, centres: Any) -> list[Value]:
    """The distance from each centre."""
    if not any(value.dtype == "bag" for value in values):
        vector = vector_input(step, values, build)
        return build.items(build.point_distances(vector, points=centres, metric="euclidean", expanded=True))
    bag = sparse_input(step, values, build)
    squared = build.sparse_sum_of_squares(bag)
    parts = build.items(affine([bag], -2.0 * centres, (centres * centres).sum(axis=1), build))
    return [build.sqrt(build.larger(part + squared, 0.0)) for part in parts]


def _row_norms(centres: Any) -> Any:
    """The squared lengths that `KMeans.predict` computes of its centres."""
    from sklearn.utils.extmath import row_norms

    return row_norms(centres, squared=True)


@estimator(f"{_CLUSTER}_kmeans.KMeans", options=_KMEANS)
@estimator(f"{_CLUSTER}_kmeans.MiniBatchKMeans", options=_MINI_BATCH)
def k_means(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The index of the nearest centre."""
    centres = float64_of(step, "cluster_centers_")
    return Outputs([nearest_centre(step, values, build, centres, _row_norms(centres))])


@transformer(f"{_CLUSTER}_kmeans.KMeans", options=_KMEANS)
@transformer(f"{_CLUSTER}_kmeans.MiniBatchKMeans", options=_MINI_BATCH)
@transformer(f"{_CLUSTER}_bisect_k_means.BisectingKMeans", options=_BISECTING)
def k_distances(step: Any, columns: Columns, build: Builder) -> Columns:
    """The distance from each centre."""
    distances = centre_distances(step, list(columns.values()), build, float64_of(step, "cluster_centers_"))
    return {f"cluster{index}": value for index, value in enumerate(distances)}


@estimator(f"{_CLUSTER}_bisect_k_means.BisectingKMeans", options=_BISECTING)
def bisecting(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """From the root of a tree of centres always to the nearer of two, down to a leaf (`_predict_recursive`)."""
    float64_of(step, "cluster_centers_")
    return Outputs([_descend(step, step._bisecting_tree, values, build)])


def _descend(step: Any, node: Any, values: Sequence[Value], build: Builder) -> Value:
    if node.left is None:
        return build.value(int(node.label))
    centres = np.vstack((node.left.center, node.right.center)) + getattr(step, "_X_mean", 0.0)
    right = nearest_centre(step, values, build, centres, _row_norms(centres)).equals(1)
    low, high = _descend(step, node.left, values, build), _descend(step, node.right, values, build)
    return build.where(right, high, low)


@estimator(f"{_CLUSTER}_birch.Birch", options=_BIRCH)
def birch(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The label of the nearest subcluster."""
    centres = float64_of(step, "subcluster_centers_")
    nearest = nearest_centre(step, values, build, centres, float64_of(step, "_subcluster_norms"))
    return Outputs([label_at(build, nearest, np.asarray(step.subcluster_labels_).tolist())])


@transformer(f"{_CLUSTER}_birch.Birch", options=_BIRCH)
def birch_distances(step: Any, columns: Columns, build: Builder) -> Columns:
    """The distance from each subcluster."""
    distances = centre_distances(step, list(columns.values()), build, float64_of(step, "subcluster_centers_"))
    return {f"subcluster{index}": value for index, value in enumerate(distances)}


@estimator(
    f"{_CLUSTER}_mean_shift.MeanShift",
    options="bandwidth seeds bin_seeding min_bin_freq cluster_all n_jobs max_iter",
)
def mean_shift(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The index of the nearest centre."""
    centres = float64_of(step, "cluster_centers_")
    return Outputs([nearest_centre(step, values, build, centres, _dots(centres))])


@estimator(
    f"{_CLUSTER}_affinity_propagation.AffinityPropagation",
    options="damping max_iter convergence_iter copy preference affinity verbose random_state",
)
def affinity(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The index of the nearest exemplar; -1 for every row where fitting found none."""
    if step.affinity != "euclidean":
        raise option_error(step, "affinity", "euclidean, since a precomputed one has no exemplars to compare with")
    centres = float64_of(step, "cluster_centers_")
    if not len(centres):
        return Outputs([build.value(-1)])
    return Outputs([nearest_centre(step, values, build, centres, _dots(centres))])


def _dots(centres: Any) -> Any:
    """The squared lengths that `pairwise_distances_argmin` computes."""
    return np.array([np.dot(centre, centre) for centre in centres])


def _mean(build: Builder, values: Sequence[Value]) -> Value:
    return build.sum(values) / float(len(values))


def _minimum(build: Builder, values: Sequence[Value]) -> Value:
    least = values[0]
    for value in values[1:]:
        least = build.smaller(least, value)
    return least


_POOLING: dict[Any, Callable[[Builder, Sequence[Value]], Value]] = {
    np.mean: _mean,
    np.sum: lambda build, values: build.sum(values),
    np.max: maximum,
    np.min: _minimum,
    np.median: lambda build, values: build.median(*values, plain=True),
}


@transformer(
    f"{_CLUSTER}_agglomerative.FeatureAgglomeration",
    options="n_clusters metric memory connectivity compute_full_tree linkage pooling_func distance_threshold "
    "compute_distances",
)
def agglomerated(step: Any, columns: Columns, build: Builder) -> Columns:
    """The columns of each cluster pooled into one: their mean, median, sum, largest or smallest."""
    pool = next((pool for function, pool in _POOLING.items() if step.pooling_func is function), None)
    if pool is None:
        raise option_error(step, "pooling_func", "numpy.mean, numpy.median, numpy.sum, numpy.max or numpy.min")
    inputs, labels = dense_inputs(step, list(columns.values()), build), np.asarray(step.labels_)
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return {f"pool{index}": pool(build, [inputs[i] for i in group]) for index, group in enumerate(groups)}
