"""Isomap and LocallyLinearEmbedding: a row's place by the places of its nearest training rows.

Source: sklearn/manifold/_isomap.py, _locally_linear.py.
"""

from typing import Any

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import float64_of, to_float64
from pipeline_lib.compiler.adapters.registry import Columns, option_error, transformer
from pipeline_lib.compiler.adapters.sklearn.kernels import projected_kernels
from pipeline_lib.compiler.adapters.sklearn.neighbors import nearest_points
from pipeline_lib.compiler.builder import Builder

_MANIFOLD = "sklearn.manifold."


@transformer(
    f"{_MANIFOLD}_isomap.Isomap",
    options="n_neighbors radius n_components eigen_solver tol max_iter path_method neighbors_algorithm n_jobs metric p "
    "metric_params",
)
def isomap(step: Any, columns: Columns, build: Builder) -> Columns:
    """The kernel PCA of squared lengths of the shortest ways to all training rows."""
    if step.n_neighbors is None:
        raise option_error(step, "n_neighbors", "a number of neighbours")
    nearest = nearest_points(step.nbrs_, list(columns.values()), build, int(step.nbrs_.n_neighbors))
    paths = build.path_lengths(nearest, ways=float64_of(step, "dist_matrix_"))
    squared = build.vector_pair(paths, paths, kind="multiply")
    return projected_kernels(step.kernel_pca_, build.vector_scale(squared, factor=-0.5, offset=0.0), build)


@transformer(
    f"{_MANIFOLD}_locally_linear.LocallyLinearEmbedding",
    options="n_neighbors n_components reg eigen_solver tol max_iter method hessian_tol modified_tol "
    "neighbors_algorithm random_state n_jobs",
)
def locally_linear(step: Any, columns: Columns, build: Builder) -> Columns:
    """The places of the nearest training rows, weighted so that the rows have this one in their middle."""
    values = list(columns.values())
    nearest = nearest_points(step.nbrs_, values, build, int(step.n_neighbors))
    place = build.barycenter(
        nearest,
        vector_input(step, values, build),
        points=to_float64(step.nbrs_._fit_X),
        places=float64_of(step, "embedding_"),
        reg=float(step.reg),
    )
    return {f"x{index}": value for index, value in enumerate(build.items(place))}
