"""Gaussian processes with every kernel: within rounding of the library, the same bits everywhere."""

import numpy as np
import pandas as pd
import pytest
from matrices import slow
from plans import check_estimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Kernel,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def rows(seed: int) -> pd.DataFrame:
    """Negative and repeated numbers; after the training rows others."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=40), "b": rng.normal(size=40) * 3, "n": rng.integers(0, 3, 40) * 1.0})
    return pd.concat([frame, frame.head(5) + 0.25, frame.head(2) * 9], ignore_index=True)


def target(frame: pd.DataFrame) -> np.ndarray:
    return (np.sin(frame["a"]) * 3 + frame["b"] - frame["n"]).to_numpy()


KERNELS = [
    None,
    RBF(2.0),
    1.5 * RBF([1.0, 2.0, 0.5]) + WhiteKernel(0.1),
    *(Matern(1.5, nu=nu) for nu in (0.5, 1.5, 2.5, np.inf)),
    RationalQuadratic(length_scale=1.2, alpha=0.7) + WhiteKernel(0.1),
    ExpSineSquared(1.0, 5.0) + WhiteKernel(30.0),
    DotProduct(0.5) + WhiteKernel(1.0),
    DotProduct(1.0) ** 2 + ConstantKernel(3.0) + WhiteKernel(1.0),
    RBF(1.0) * DotProduct(1.0) + WhiteKernel(0.5),
    RBF(2.0) * ConstantKernel(2.0) ** 2 + ConstantKernel(1.0) * ConstantKernel(2.0) + WhiteKernel(0.5),
    PairwiseKernel(metric="rbf", gamma=0.3) + WhiteKernel(0.1),
    ConstantKernel(2.0) + WhiteKernel(1.0),
]


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_regressors(kernel, seed):
    frame = rows(seed)
    model = GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-3, normalize_y=bool(seed))
    model.fit(frame.head(40), target(frame.head(40)))
    found = check_estimator(model, frame)["prediction_0"]
    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("normalize", [False, True])
def test_several_targets_and_a_fitted_kernel(normalize):
    frame = rows(0)
    targets = np.column_stack([target(frame), frame["a"] * 100])
    kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(0.1)
    check_estimator(GaussianProcessRegressor(kernel, normalize_y=normalize).fit(frame, targets), frame)


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize(
    "kernel",
    [None, 2.0 * RBF(1.5), Matern(nu=1.5) + WhiteKernel(0.2), DotProduct(1.0) ** 2, RBF(1.0) * ConstantKernel(0.5)],
    ids=str,
)
@pytest.mark.parametrize("classes", [2, 3])
def test_classifiers(kernel, classes, seed):
    frame = rows(seed)
    labels = np.array(["no", "yes", "maybe"])[np.digitize(target(frame), [0.0, 2.0][: classes - 1])]
    model = GaussianProcessClassifier(kernel, optimizer=None).fit(frame, labels)
    found = check_estimator(model, frame)
    assert found["prediction_0"].tolist() == model.predict(frame).tolist()
    shares = found[[f"probability_{index}" for index in range(classes)]].to_numpy()
    np.testing.assert_allclose(shares, model.predict_proba(frame), rtol=1e-8, atol=1e-8)


def refused(kernel: Kernel, match: str) -> None:
    frame = rows(0)
    model = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1).fit(frame, target(frame))
    build = Builder()
    with pytest.raises(NoPlanError, match=match):
        predict(model, [build.input(name, "float64") for name in frame], build)


class OwnKernel(RBF):
    """A kernel that scikit-learn does not know."""


def test_other_kernels_are_refused():
    refused(Matern(nu=0.7), r"found Matern with nu=0.7, expected nu of 0.5, 1.5, 2.5 or inf")
    refused(OwnKernel(), "found a kernel OwnKernel, expected those of sklearn")
