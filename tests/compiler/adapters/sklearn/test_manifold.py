"""Isomap and LocallyLinearEmbedding: places of rows by their neighbours, within rounding of the library."""

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer
from sklearn.manifold import Isomap, LocallyLinearEmbedding

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder


def rows(seed: int) -> pd.DataFrame:
    """Negative, large and repeated numbers, and rows that were not fitted."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(34, 3)) * [1.0, 30.0, 5.0], columns=list("abc"))
    frame = pd.concat([frame, frame.head(6)], ignore_index=True)
    return pd.concat([frame, frame.head(8) * 1.1 - 0.2], ignore_index=True)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "step",
    [
        Isomap(n_neighbors=8),
        Isomap(n_neighbors=10, n_components=3, metric="manhattan", path_method="D"),
        Isomap(n_neighbors=8, neighbors_algorithm="brute"),
        LocallyLinearEmbedding(n_neighbors=6, eigen_solver="dense"),
        LocallyLinearEmbedding(n_neighbors=8, n_components=1, reg=0.1, eigen_solver="dense"),
        LocallyLinearEmbedding(n_neighbors=9, method="modified", eigen_solver="dense"),
        LocallyLinearEmbedding(n_neighbors=9, method="ltsa", eigen_solver="dense", neighbors_algorithm="brute"),
    ],
    ids=str,
)
def test_places(step, seed):
    frame = rows(seed)
    step.fit(frame.head(40))
    found = check_transformer(step, frame)
    # among all pairs the library subtracts squares: equal rows are up to a millionth apart, by the CPU's order of sums
    noise = 1e-5 if getattr(step, "neighbors_algorithm", "") == "brute" else 1e-9
    np.testing.assert_allclose(found, step.transform(frame), rtol=1e-8, atol=noise)


def test_neighbours_within_a_radius_are_refused():
    frame = rows(0)
    step, build = Isomap(n_neighbors=None, radius=60.0).fit(frame), Builder()
    with pytest.raises(NoPlanError, match="found n_neighbors=None, expected a number of neighbours"):
        transform(step, {name: build.input(name, "float64") for name in frame}, build)
