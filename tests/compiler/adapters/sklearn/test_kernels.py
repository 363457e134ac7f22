"""KernelPCA, Nystroem and KernelCenterer with every kernel: within rounding of the library."""

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import KernelPCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, MinMaxScaler

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

POSITIVE = ("chi2", "additive_chi2")
KERNELS = ("linear", "poly", "polynomial", "rbf", "sigmoid", "laplacian", "cosine", *POSITIVE)


def rows(seed: int, *, positive: bool = False) -> pd.DataFrame:
    """Negative, large and repeated numbers, and a row of zeros."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(40, 3)) * [1.0, 3.0, 0.2], columns=list("abc"))
    frame["d"] = rng.integers(0, 3, 40).astype(float)
    frame = pd.concat([frame, frame.head(4), frame.head(1) * 0.0], ignore_index=True)
    return frame.abs() if positive else frame


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kernel", KERNELS)
def test_nystroem(kernel, seed):
    frame = rows(seed, positive=kernel in POSITIVE)
    step = Nystroem(kernel, n_components=7, random_state=seed)
    if kernel in POSITIVE:  # the library cannot measure these of a frame, whose numbers are read-only
        step = make_pipeline(MinMaxScaler(clip=True), step)
    check_transformer(step.fit(frame), frame)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "cosine"])
def test_kernel_pca(kernel, seed):
    frame = rows(seed)
    check_transformer(KernelPCA(3, kernel=kernel).fit(frame), frame)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": "rbf", "gamma": 0.7},
        {"kernel": "poly", "degree": 2, "coef0": 0.5, "gamma": 0.1},
        {"kernel": "poly", "degree": 2.5, "coef0": 99.0, "gamma": 0.01},
        {"kernel": "sigmoid", "coef0": -1.0, "gamma": 0.01},
        {"kernel": "rbf", "fit_inverse_transform": True, "remove_zero_eig": True, "eigen_solver": "dense"},
    ],
    ids=str,
)
def test_options_of_kernels(options):
    frame = rows(0)
    check_transformer(KernelPCA(4, **options).fit(frame), frame)


def test_options_of_nystroem():
    frame = rows(1)
    check_transformer(Nystroem("poly", degree=2, coef0=3, gamma=0.2, n_components=5, random_state=0).fit(frame), frame)
    check_transformer(Nystroem("rbf", kernel_params={"gamma": 0.3}, n_components=5, random_state=0).fit(frame), frame)


def test_precomputed_kernels():
    frame = rows(0)
    kernels = pd.DataFrame(rbf_kernel(frame, frame), columns=[f"k{index}" for index in range(len(frame))])
    check_transformer(KernelPCA(3, kernel="precomputed").fit(kernels), kernels)
    check_transformer(KernelCenterer().fit(kernels), kernels)


@pytest.mark.parametrize("kernel", ["linear", "rbf", "cosine", "poly"])
def test_texts_stay_sparse(kernel):
    texts = ["red apple", "green apple", "red pear", "blue sea", "blue sky", "", "sky sea sky", "green pear"]
    frame = pd.DataFrame({"text": texts * 2})
    words = ColumnTransformer([("words", TfidfVectorizer(), "text")], sparse_threshold=1.0)
    step = make_pipeline(words, Nystroem(kernel, n_components=4, random_state=0)).fit(frame)
    check_transformer(step, frame)
    build = Builder()
    transform(step, {"text": build.input("text", "str")}, build)
    assert "bag_vector" not in {node.operation for node in build.nodes}


def test_own_kernels_are_refused():
    frame = rows(0)
    step, build = Nystroem(lambda a, b: float(np.minimum(a, b).sum()), n_components=4).fit(frame), Builder()
    with pytest.raises(NoPlanError, match=r"found kernel=.*, expected one of additive_chi2, chi2, cosine"):
        transform(step, {name: build.input(name, "float64") for name in frame}, build)


def test_negative_numbers_are_refused_as_by_the_library():
    frame = rows(0, positive=True)
    step = Nystroem("chi2", n_components=4, random_state=0).fit(frame.to_numpy())
    frame.loc[3, "b"] = -1.0
    with pytest.raises(ValueError, match="negative"):
        step.transform(frame.to_numpy())
    with pytest.raises(InputError, match="not negative"):
        same_bits(lambda columns, build: transform(step, columns, build), frame)
