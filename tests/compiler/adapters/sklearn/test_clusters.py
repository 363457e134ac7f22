"""Clusterings of scikit-learn: its own labels, also of rows between two centres, and its distances within rounding."""

import numpy as np
import pandas as pd
import pytest
from matrices import slow
from plans import check_estimator, check_transformer
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib.compiler.adapters.catalog import predict, transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder


def numbers(seed: int) -> pd.DataFrame:
    """Negative, large and repeated numbers."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {"a": rng.normal(size=80), "b": rng.normal(size=80) * 1e4 - 3e4, "count": rng.integers(0, 4, 80).astype(float)}
    )
    return pd.concat([rows, rows.head(9)], ignore_index=True)


def ties(seed: int) -> pd.DataFrame:
    """One-hot columns and whole numbers, and rows in the middle of two others."""
    rng = np.random.default_rng(seed)
    rows = np.hstack([np.eye(5)[rng.integers(0, 5, 150)], rng.integers(0, 3, (150, 1)).astype(float)])
    middle = (rows + rows[rng.permutation(150)]) / 2
    return pd.DataFrame(np.vstack([rows, middle]), columns=list("vwxyzn"))


def predicted(model, rows):
    """The plan's labels, once they have been compared with the library's and between executors."""
    return check_estimator(model, rows)["prediction_0"].tolist()


MODELS = [
    KMeans(4, n_init=2, random_state=0),
    KMeans(3, init="random", n_init=1, algorithm="elkan", random_state=0),
    MiniBatchKMeans(4, n_init=2, random_state=0),
    BisectingKMeans(5, random_state=0),
    BisectingKMeans(4, bisecting_strategy="largest_cluster", random_state=0),
    Birch(n_clusters=3, threshold=0.3),
    Birch(n_clusters=None, threshold=0.3),
]


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize("make", [numbers, ties])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_labels_are_the_librarys(model, make, seed):
    rows = make(seed)
    model.fit(rows)
    assert predicted(model, rows) == model.predict(rows).tolist()
    check_transformer(model, rows)


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize(
    ("model", "make"),
    [
        (MeanShift(), numbers),
        (MeanShift(bandwidth=0.9), ties),
        (AffinityPropagation(random_state=0, damping=0.9, max_iter=1000), numbers),
        (AffinityPropagation(random_state=0, damping=0.95, preference=-9, max_iter=2000), ties),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_nearest_of_found_centres(model, make, seed):
    rows = make(seed)
    model.fit(rows)
    assert len(model.cluster_centers_) > 1
    assert predicted(model, rows) == model.predict(rows).tolist()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_affinity_without_exemplars_answers_minus_1():
    rows = numbers(0)
    model = AffinityPropagation(max_iter=1, random_state=0).fit(rows)
    assert len(model.cluster_centers_) == 0
    assert set(predicted(model, rows.head(3))) == {-1}


def test_a_precomputed_affinity_is_refused():
    rows = pd.DataFrame({"a": [0.0, -1.0, -9.0], "b": [-1.0, 0.0, -9.0], "c": [-9.0, -9.0, 0.0]})
    model = AffinityPropagation(affinity="precomputed", random_state=0).fit(rows)
    build = Builder()
    with pytest.raises(NoPlanError, match="found affinity='precomputed', expected euclidean"):
        predict(model, [build.input(name, "float64") for name in rows], build)


def test_equal_centres_give_the_first():
    rows = pd.DataFrame({"x": [0.0, 1.0, 4.0, 5.0]})
    model = KMeans(3, n_init=1, random_state=0).fit(rows)
    model.cluster_centers_ = np.array([[0.0], [4.0], [4.0]])
    assert predicted(model, rows) == [0, 0, 1, 1]


def test_distances_are_columns_of_a_pipeline():
    rows = numbers(1)
    model = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0), MiniBatchKMeans(2, random_state=0))
    model.fit(rows)
    assert predicted(model, rows) == model.predict(rows).tolist()


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans, BisectingKMeans, Birch])
def test_texts_stay_sparse(kind):
    texts = ["red apple", "green apple", "red pear", "blue sea", "blue sky", "", "sky sea sky", "green pear"] * 4
    rows = pd.DataFrame({"text": texts})
    words = ColumnTransformer([("words", TfidfVectorizer(), "text")], sparse_threshold=1.0)
    model = make_pipeline(words, kind(n_clusters=3) if kind is Birch else kind(n_clusters=3, random_state=0)).fit(rows)
    assert predicted(model, rows) == model.predict(rows).tolist()
    check_transformer(model, rows)
    build = Builder()
    transform(model, {"text": build.input("text", "str")}, build)
    assert "bag_vector" not in {node.operation for node in build.nodes}


@pytest.mark.parametrize("function", [np.mean, np.median, np.sum, np.max, np.min])
@pytest.mark.parametrize("seed", [0, slow(1)])
def test_pooled_columns(function, seed):
    check_transformer(FeatureAgglomeration(2, pooling_func=function).fit(ties(seed)), ties(seed).head(40))


def test_another_pooling_is_refused():
    rows = ties(0)
    step, build = FeatureAgglomeration(2, pooling_func=np.ptp).fit(rows), Builder()
    with pytest.raises(NoPlanError, match=r"found pooling_func=.*, expected numpy.mean, numpy.median"):
        transform(step, {name: build.input(name, "float64") for name in rows}, build)
