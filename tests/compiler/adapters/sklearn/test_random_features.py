"""Random maps of scikit-learn: within rounding of the library, the same bits everywhere."""

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.kernel_approximation import AdditiveChi2Sampler, PolynomialCountSketch, RBFSampler, SkewedChi2Sampler
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.errors import InputError


def rows(seed: int) -> pd.DataFrame:
    """Negative, large and repeated numbers."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(40, 3)) * [1.0, 300.0, 0.2], columns=list("abc"))
    frame["d"] = rng.integers(0, 3, 40).astype(float)
    return pd.concat([frame, frame.head(4), frame.head(1) * 0.0], ignore_index=True)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "step",
    [
        RBFSampler(n_components=20),
        RBFSampler(gamma="scale", n_components=5),
        PolynomialCountSketch(n_components=8),
        PolynomialCountSketch(degree=1, n_components=8),
        PolynomialCountSketch(gamma=0.3, degree=3, coef0=2, n_components=10),
        GaussianRandomProjection(3),
        SparseRandomProjection(3),
        SparseRandomProjection(3, density=1 / 3, dense_output=True, compute_inverse_components=True),
    ],
    ids=str,
)
def test_random_maps(step, seed):
    frame = rows(seed)
    check_transformer(step.set_params(random_state=seed).fit(frame), frame)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "step",
    [
        SkewedChi2Sampler(n_components=6, random_state=0),
        SkewedChi2Sampler(skewedness=0.1, n_components=6, random_state=0),
        *(AdditiveChi2Sampler(sample_steps=steps) for steps in (1, 2, 3)),
        AdditiveChi2Sampler(sample_steps=4, sample_interval=0.3),
    ],
    ids=str,
)
def test_maps_of_numbers_that_are_not_negative(step, seed):
    frame = rows(seed).abs()
    check_transformer(step.fit(frame), frame)


@pytest.mark.parametrize(
    ("step", "match"),
    [
        (SkewedChi2Sampler(skewedness=2.0, random_state=0), "a number above -2.0"),
        (AdditiveChi2Sampler(), "not negative"),
    ],
)
def test_numbers_that_the_library_refuses(step, match):
    frame = rows(0).abs()
    step.fit(frame)
    with pytest.raises(ValueError, match=r"Negative|smaller"):
        step.transform(frame.assign(a=-5.0))
    with pytest.raises(InputError, match=match):
        same_bits(lambda columns, build: transform(step, columns, build), frame.assign(a=-5.0))


@pytest.mark.parametrize("kind", [RBFSampler, SparseRandomProjection])
def test_counts_of_words(kind):
    step = kind(n_components=3, random_state=0)
    frame = pd.DataFrame({"t": ["one two two", "", "three one", "two zero nine", "nine nine one"]})
    words = ColumnTransformer([("t", CountVectorizer(), "t")], sparse_threshold=1.0)
    check_transformer(make_pipeline(words, step).fit(frame), frame)
