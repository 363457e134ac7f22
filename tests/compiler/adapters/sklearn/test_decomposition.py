"""Projections of scikit-learn: within rounding of its own results, the same bits everywhere."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn import decomposition
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.sklearn import decomposition as sklearn_decomposition
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(3)
FIT = pd.DataFrame(RNG.normal(size=(50, 6)) @ RNG.normal(size=(6, 6)) + [0, 1e3, -5, 0, 2, 1], columns=list("abcdef"))
FIT["same"] = 4.0
FIT["count"] = RNG.integers(0, 9, 50)
ROWS = pd.concat([FIT.head(15), pd.DataFrame([[0.0] * 8, [1e8, -1e8, 1e-9, 0, 0, 0, 4.0, 0]], columns=FIT.columns)])
AFFINE = [
    decomposition.PCA(),
    decomposition.PCA(n_components=3, whiten=True),
    decomposition.PCA(n_components=2, svd_solver="covariance_eigh"),
    decomposition.PCA(n_components=2, svd_solver="randomized", random_state=0),
    decomposition.IncrementalPCA(n_components=2, batch_size=20),
    decomposition.IncrementalPCA(n_components=2, whiten=True),
    decomposition.TruncatedSVD(n_components=3, random_state=0),
    decomposition.TruncatedSVD(n_components=2, algorithm="arpack", random_state=0),
    decomposition.FastICA(n_components=3, random_state=0, whiten="unit-variance", max_iter=2000, tol=0.1),
    decomposition.FastICA(n_components=3, random_state=0, whiten="arbitrary-variance", max_iter=2000, tol=0.1),
    decomposition.FastICA(random_state=0, whiten=False, max_iter=2000, tol=10),
    decomposition.FactorAnalysis(n_components=2, random_state=0, tol=1),
    decomposition.FactorAnalysis(n_components=2, rotation="varimax", random_state=0, tol=1),
    decomposition.SparsePCA(n_components=2, random_state=0, max_iter=20),
    decomposition.MiniBatchSparsePCA(n_components=3, random_state=0, max_iter=5, ridge_alpha=0.5),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("step", AFFINE, ids=str)
def test_projections_are_within_rounding(step):
    needs_spread = isinstance(step, decomposition.FactorAnalysis | decomposition.FastICA)  # else it divides 0 by 0
    step.fit(FIT.drop(columns="same") if needs_spread else FIT)
    rows = ROWS[step.feature_names_in_]
    check_transformer(step, rows)
    if "SparsePCA" not in type(step).__name__:  # of one row the library makes an array of one dimension
        check_transformer(step, rows.head(1))


def test_a_constant_column_alone_has_no_spread():
    constant = pd.DataFrame({"a": [2.0] * 5, "b": [1.0, 2.0, 3.0, 4.0, 5.0]})
    check_transformer(decomposition.PCA(whiten=True).fit(constant), constant)


@pytest.mark.parametrize(
    "step",
    [
        decomposition.TruncatedSVD(n_components=2, random_state=0),
        decomposition.PCA(n_components=2, svd_solver="arpack", random_state=0),
    ],
    ids=str,
)
def test_counts_of_words_are_projected_without_becoming_dense(step):
    rows = pd.DataFrame(
        {"t": ["one two two", "", "three one", "two zero nine", "nine nine one"], "n": [1.0, 0.0, -2.0, 5.0, 3.0]}
    )
    words = ColumnTransformer([("t", CountVectorizer(), "t"), ("n", "passthrough", ["n"])], sparse_threshold=1.0)
    pipeline = Pipeline([("words", words), ("project", step)]).fit(rows)
    check_transformer(pipeline, rows)
    build = Builder()
    transform(pipeline, {"t": build.input("t", "str"), "n": build.input("n", "float64")}, build)
    assert "bag_affine" in {node.operation for node in build.nodes}


def test_missing_numbers_are_refused():
    pca = decomposition.PCA(2).fit(FIT)
    with pytest.raises(InputError, match="row 0: PCA: found a missing value in column 'a'"):
        same_bits(lambda columns, build: transform(pca, dict(columns), build), FIT.assign(a=math.nan))


def test_a_projection_that_is_not_centred_is_refused(monkeypatch):
    pca = decomposition.PCA(2).fit(FIT)
    monkeypatch.setattr(sklearn_decomposition, "_projected", lambda matrix, vector: np.zeros(len(matrix)))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(pca, ROWS)


@pytest.mark.parametrize("seed", [0, 1])
def test_weighted_sums_of_other_modules(seed):
    labels = (FIT["a"] > FIT["a"].median()).astype(int)
    check_transformer(NeighborhoodComponentsAnalysis(2, random_state=seed, max_iter=5).fit(FIT, labels), ROWS)
    rows = FIT.clip(0, 1)
    check_transformer(BernoulliRBM(3, n_iter=2, random_state=seed).fit(rows), rows)


WORDS = [
    "red",
    "green",
    "blue",
    "apple",
    "pear",
    "plum",
    "sea",
    "sky",
    "sun",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
]


def documents(seed: int) -> pd.DataFrame:
    """Texts of different lengths, some empty, some of unseen words."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS[start : start + 9], rng.integers(1, 30))) for start in rng.integers(0, 7, 14)]
    return pd.DataFrame({"text": [*texts, "", "unseen", texts[0]]})


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "options",
    [
        {"n_components": 3},
        {"n_components": 12, "max_iter": 3},
        {"n_components": 4, "doc_topic_prior": 0.01, "learning_method": "online"},
        {"n_components": 2, "max_doc_update_iter": 3, "mean_change_tol": 1e-8, "topic_word_prior": 0.5},
    ],
    ids=str,
)
def test_topics_of_texts(options, seed):
    rows = documents(seed)
    words = ColumnTransformer([("words", CountVectorizer(), "text")], sparse_threshold=1.0)
    topics = decomposition.LatentDirichletAllocation(random_state=seed, **options)
    pipeline = Pipeline([("words", words), ("topics", topics)]).fit(rows)
    found = check_transformer(pipeline, rows)
    np.testing.assert_allclose(found, pipeline.transform(rows), rtol=1e-9, atol=1e-12)


def test_topics_of_columns():
    rows = pd.DataFrame(RNG.integers(0, 4, size=(30, 5)) * 1.0, columns=list("abcde"))
    step = decomposition.LatentDirichletAllocation(3, random_state=0).fit(rows)
    check_transformer(step, rows)
    with pytest.raises(InputError, match="expected a count of 0 or more"):
        same_bits(lambda columns, build: transform(step, columns, build), rows.assign(b=-1.0))
