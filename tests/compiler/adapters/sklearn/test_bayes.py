import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, check_transformer
from scipy.sparse import csr_matrix
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.catalog import predict, transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs
from pipeline_lib.compiler.adapters.sklearn import bayes as sklearn_bayes
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.fidelity import check_step
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(4)
X = pd.DataFrame({"a": _RNG.normal(size=60), "b": _RNG.normal(size=60) * 1e3, "count": _RNG.integers(0, 5, size=60)})
Y = (X["a"] + X["b"] / 1e3 + _RNG.normal(size=60)).to_numpy()
COUNTS = pd.DataFrame(_RNG.integers(0, 4, size=(60, 4)), columns=list("pqrs")).assign(never=0)
TARGETS = {"two": np.where(Y > 0, "yes", "no"), "three": np.digitize(Y, [-0.5, 0.5])}


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


@pytest.mark.parametrize("options", [{}, {"var_smoothing": 0.1}], ids=str)
def test_normal_densities(target, options):
    check_estimator(GaussianNB(**options).fit(X, target), X)


def test_priors_given_and_0():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianNB(priors=[0.0, 1.0]).fit(X, TARGETS["two"])
        frame = check_estimator(model, X)
    assert set(frame["probability_0"]) == {0.0}


@pytest.mark.parametrize(
    "model",
    [
        MultinomialNB(),
        MultinomialNB(alpha=0.1, fit_prior=False),
        ComplementNB(),
        ComplementNB(norm=True),
        BernoulliNB(),
        BernoulliNB(binarize=1.5),
        BernoulliNB(binarize=0.0, alpha=2.0),
    ],
    ids=str,
)
def test_counts(model, target):
    check_estimator(model.fit(COUNTS, target), COUNTS)


def test_events_without_binarizing(target):
    events = (COUNTS > 1).astype(int)
    check_estimator(BernoulliNB(binarize=None).fit(events, target), events)


@pytest.mark.parametrize("model", [MultinomialNB(), ComplementNB(), BernoulliNB(), BernoulliNB(binarize=2)], ids=str)
def test_sparse_counts(model, target):
    sparse = csr_matrix(COUNTS.to_numpy(dtype=float))
    model.fit(sparse, target)
    bag = {"words": Builder().input("words", "bag", 9.0, width=5)}
    for kind, expected in (("prediction", model.predict(sparse)), ("probability", model.predict_proba(sparse))):

        def write(columns, build, kind=kind):
            outputs: Outputs = predict(model, list(columns.values()), build)
            return getattr(outputs, kind)

        check_step("test", write, bag, sparse, expected)


@pytest.mark.parametrize("options", [{}, {"min_categories": 6}, {"fit_prior": False, "alpha": 0.5}], ids=str)
def test_categories(target, options):
    check_estimator(CategoricalNB(**options).fit(COUNTS, target), COUNTS)
    check_estimator(CategoricalNB(**options).fit(COUNTS + 0.25, target), COUNTS + 0.25)


def test_an_unseen_category_is_refused():
    model, build = CategoricalNB().fit(COUNTS, TARGETS["two"]), Builder()
    outputs = predict(model, [build.input(name, "int64") for name in COUNTS], build)
    executor = make_executor(Plan(build.nodes, {}), [outputs.prediction[0].node])
    for bad in (-1, 4):
        with pytest.raises(InputError, match=f"row 1: CategoricalNB: found {bad} in column 'p', expected one of 0, 1"):
            executor.run({name: np.array([0, bad if name == "p" else 0]) for name in COUNTS}, 2)


@pytest.mark.parametrize(
    "model",
    [
        LinearDiscriminantAnalysis(),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.2),
        QuadraticDiscriminantAnalysis(),
        QuadraticDiscriminantAnalysis(reg_param=0.1),
        QuadraticDiscriminantAnalysis(solver="eigen", shrinkage="auto"),
    ],
    ids=str,
)
def test_discriminants(model, target):
    check_estimator(model.fit(X, target), X * 1.2)
    check_estimator(model, X.iloc[:1])


@pytest.mark.parametrize("solver", ["svd", "eigen"])
def test_axes_that_separate_classes(solver, target):
    check_transformer(LinearDiscriminantAnalysis(solver=solver, n_components=1).fit(X, target), X)
    with pytest.raises(NoPlanError, match="found solver='lsqr', expected svd or eigen"):
        transform(LinearDiscriminantAnalysis(solver="lsqr").fit(X, target), {}, Builder())


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (MultinomialNB(alpha=0.0), COUNTS),
        (BernoulliNB(alpha=0.0), COUNTS),
        (GaussianNB(var_smoothing=0), COUNTS),
    ],
    ids=str,
)
def test_what_has_no_finite_likelihood_is_refused(model, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, TARGETS["two"])
    build = Builder()
    with pytest.raises(NoPlanError, match=r"found a (weight that is not finite|variance of 0), expected"):
        predict(model, [build.input(name, "int64") for name in rows], build)


def test_missing_priors_are_seen(monkeypatch):
    model = GaussianNB().fit(X, TARGETS["three"])
    unchanged = sklearn_bayes.float64_of
    ones = np.ones(3) / 3
    monkeypatch.setattr(sklearn_bayes, "float64_of", lambda s, n: ones if n == "class_prior_" else unchanged(s, n))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


def test_an_ignored_threshold_is_seen(monkeypatch):
    model = BernoulliNB(binarize=1.5).fit(COUNTS, TARGETS["three"])
    monkeypatch.setattr(sklearn_bayes, "_above", lambda build, value, threshold: build.number(value))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, COUNTS)
