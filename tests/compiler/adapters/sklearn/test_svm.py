import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from scipy.sparse import csr_matrix
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.adapters.sklearn import svm as sklearn_svm
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(3)
X = pd.DataFrame({"a": _RNG.normal(size=60), "b": _RNG.normal(size=60) * 3, "count": _RNG.integers(0, 5, size=60)})
Y = (X["a"] ** 2 + X["b"] + _RNG.normal(size=60)).to_numpy()
BINARY = np.where(Y > 1, "yes", "no")
FOUR = np.digitize(Y, [-2, 1, 3])
KERNELS = [
    {"kernel": "linear"},
    {"kernel": "rbf", "gamma": 0.3},
    {"kernel": "rbf", "gamma": "auto"},
    {"kernel": "poly", "degree": 2, "coef0": 1.0},
    {"kernel": "poly", "degree": 5, "coef0": 0.5},
    {"kernel": "poly", "degree": 0},
    {"kernel": "sigmoid", "coef0": 0.1},
]


def fitted(model, target, rows=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, target)


@pytest.mark.parametrize("options", KERNELS, ids=str)
@pytest.mark.parametrize("kind", [SVR, NuSVR])
def test_a_regressor(kind, options):
    check_estimator(fitted(kind(**options, max_iter=2000), Y), X)


@pytest.mark.parametrize("options", KERNELS, ids=str)
@pytest.mark.parametrize("target", [BINARY, FOUR], ids=["two", "four"])
def test_a_classifier(options, target):
    frame = check_estimator(fitted(SVC(**options, max_iter=2000), target), X)
    assert set(frame["prediction_0"]) <= set(target.tolist())


@pytest.mark.parametrize("shape", ["ovo", "ovr"])
@pytest.mark.parametrize("target", [BINARY, FOUR], ids=["two", "four"])
def test_shapes_of_decisions(shape, target):
    check_estimator(fitted(NuSVC(nu=0.1, decision_function_shape=shape), target), X)


def test_ties_are_broken_by_confidence_where_asked():
    check_estimator(fitted(SVC(break_ties=True), FOUR), X)


@pytest.mark.parametrize("kind", [SVC, NuSVC])
@pytest.mark.parametrize("target", [BINARY, FOUR], ids=["two", "four"])
def test_probabilities_are_coupled_as_libsvm_does(kind, target):
    options = {"nu": 0.1} if kind is NuSVC else {}
    frame = check_estimator(fitted(kind(probability=True, random_state=0, **options), target), X)
    chances = frame.filter(like="probability")
    assert chances.shape[1] == len(set(target))
    assert np.allclose(chances.sum(axis=1), 1)


@pytest.mark.parametrize("options", KERNELS, ids=str)
def test_one_class(options):
    check_estimator(OneClassSVM(**options, nu=0.2, max_iter=2000).fit(X), X) if options.get("degree") != 0 else None


def test_a_decision_of_exactly_0_is_the_second_class():
    rows = pd.DataFrame({"a": [-1.0, 0.0, 1.0]})
    model = SVC(kernel="linear").fit(pd.DataFrame({"a": [-1.0, 1.0]}), ["no", "yes"])
    frame = check_estimator(model, rows)
    assert frame["decision_0"][1] == 0
    assert frame["prediction_0"][1] == "yes"


def test_one_row_and_far_away_rows():
    model = fitted(SVR(), Y)
    check_estimator(model, X.iloc[:1])
    check_estimator(model, X * 1e6)


@pytest.mark.parametrize("target", [BINARY, FOUR], ids=["two", "four"])
def test_fitted_on_sparse_rows(target):
    model = fitted(SVC(), target, csr_matrix(X.to_numpy(dtype=float)))
    model.feature_names_in_ = np.array(list(X), dtype=object)
    check_estimator(model, X)


@pytest.mark.parametrize("options", KERNELS, ids=str)
def test_kernel_ridge(options):
    if options.get("gamma") == "auto":
        options = {"kernel": "rbf", "gamma": None}
    check_estimator(fitted(KernelRidge(**options), np.column_stack([Y, -Y])), X)


@pytest.mark.parametrize("kernel", ["laplacian", "chi2", "additive_chi2", "polynomial", "cosine", "poly"])
def test_kernel_ridge_of_pairwise_kernels(kernel):
    degree, gamma = (2.5, 0.1) if kernel == "poly" else (2, None if kernel == "cosine" else 0.1)
    check_estimator(fitted(KernelRidge(kernel=kernel, gamma=gamma, degree=degree, coef0=30.0), Y, abs(X)), abs(X))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SVR(kernel=lambda a, b: a @ b.T), "found kernel=.* expected linear, poly, rbf or sigmoid"),
        (KernelRidge(kernel=lambda a, b: a @ b), "a function of one's own is code, which a plan cannot hold"),
    ],
)
def test_other_kernels_are_refused(model, message):
    build = Builder()
    with pytest.raises(NoPlanError, match=message):
        predict(model.fit(abs(X), Y), [build.input(name, "float64") for name in X], build)


@pytest.mark.parametrize("wrong", [{"gamma": 0.31}, {"coef0": 0.2}, {"degree": 2}])
def test_an_ignored_option_is_seen(monkeypatch, wrong):
    model = fitted(SVC(kernel="poly", degree=3, gamma=0.3, coef0=0.1), BINARY)
    apply = Builder.apply

    def other(self, operation, *inputs, **settings):
        return apply(self, operation, *inputs, **(settings | wrong if operation == "kernel" else settings))

    monkeypatch.setattr(Builder, "apply", other)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


def test_swapped_sigmoids_are_seen(monkeypatch):
    model = fitted(SVC(probability=True, random_state=0), FOUR)
    unchanged = sklearn_svm.float64_of
    monkeypatch.setattr(
        sklearn_svm, "float64_of", lambda s, n: unchanged(s, n)[::-1] if n == "_probA" else unchanged(s, n)
    )
    with pytest.raises(InputError, match=r"predict_proba.* cannot be compiled faithfully"):
        check_estimator(model, X)
