import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, check_transformer
from scipy.sparse import csr_matrix
from sklearn import linear_model as lm
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.svm import LinearSVC, LinearSVR

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.outputs import softmax
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.adapters.sklearn import linear as sklearn_linear
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.fidelity import check_step
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(5)
X = pd.DataFrame(
    {
        "a": _RNG.normal(size=40),
        "b": _RNG.normal(size=40) * 1e6,
        "count": _RNG.integers(0, 9, size=40),
        "flag": _RNG.integers(0, 2, size=40).astype(bool),
        "constant": 3.0,
    }
)
SCALED = X.assign(b=X["b"] / 1e6)
Y = (2 * X["a"] - X["b"] / 1e6 + X["count"] + _RNG.normal(size=40)).to_numpy()
TWO = np.column_stack([Y, X["a"] - Y])
POSITIVE = np.exp(Y / 10)
BINARY = np.where(np.median(Y) < Y, "yes", "no")
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))


def fitted(model, rows, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, target)


def deprecated(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(lm, name)(random_state=0)


REGRESSORS = [
    lm.LinearRegression(),
    lm.LinearRegression(fit_intercept=False),
    lm.Ridge(),
    lm.RidgeCV(),
    lm.Lasso(),
    lm.LassoCV(cv=3),
    lm.ElasticNet(),
    lm.ElasticNetCV(cv=3),
    lm.Lars(),
    lm.LarsCV(cv=3),
    lm.LassoLars(alpha=0.1),
    lm.LassoLarsCV(cv=3),
    lm.LassoLarsIC(),
    lm.OrthogonalMatchingPursuit(),
    lm.OrthogonalMatchingPursuitCV(cv=3),
    lm.BayesianRidge(),
    lm.ARDRegression(),
    lm.HuberRegressor(),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=50),
    lm.RANSACRegressor(random_state=0),
    lm.RANSACRegressor(lm.Ridge(), random_state=0, min_samples=8),
    lm.QuantileRegressor(alpha=0.01),
    lm.SGDRegressor(random_state=0),
    deprecated("PassiveAggressiveRegressor"),
    LinearSVR(random_state=0),
    PLSRegression(n_components=2),
    lm.TweedieRegressor(power=0),
    lm.TweedieRegressor(power=0, link="log"),
    lm.TweedieRegressor(power=-1),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
def test_a_regressor_is_its_weights(model):
    check_estimator(fitted(model, SCALED, Y), SCALED)


@pytest.mark.parametrize("rows", [X, X.iloc[:1]], ids=len)
def test_columns_of_unlike_scales(rows):
    check_estimator(lm.LinearRegression().fit(X, Y), rows)


@pytest.mark.parametrize(
    "model",
    [
        lm.LinearRegression(),
        lm.LinearRegression(fit_intercept=False),
        lm.Ridge(),
        lm.RidgeCV(),
        lm.MultiTaskLasso(alpha=0.1),
        lm.MultiTaskLassoCV(cv=3),
        lm.MultiTaskElasticNet(alpha=0.1),
        lm.MultiTaskElasticNetCV(cv=3),
        lm.Lars(),
        lm.OrthogonalMatchingPursuit(),
        PLSRegression(n_components=2),
        PLSCanonical(n_components=1),
        CCA(n_components=1),
    ],
    ids=str,
)
def test_several_targets(model):
    frame = check_estimator(fitted(model, SCALED, TWO), SCALED)
    assert list(frame) == ["prediction_0", "prediction_1"]


@pytest.mark.parametrize("model", [PLSRegression(), PLSCanonical(), CCA(), PLSSVD(scale=False)], ids=str)
def test_scores_of_partial_least_squares(model):
    check_transformer(fitted(model, SCALED, TWO), SCALED)


@pytest.mark.parametrize("model", [lm.PoissonRegressor(), lm.GammaRegressor(), lm.TweedieRegressor(power=1.5)], ids=str)
def test_a_log_link_ends_in_exp(model):
    check_estimator(fitted(model, SCALED, POSITIVE), SCALED)


CLASSIFIERS = [
    lm.LogisticRegression(),
    lm.LogisticRegression(C=np.inf, class_weight="balanced"),
    lm.LogisticRegressionCV(cv=3, Cs=3, use_legacy_attributes=False, l1_ratios=(0.0,), scoring="accuracy"),
    lm.RidgeClassifier(),
    lm.RidgeClassifierCV(),
    lm.SGDClassifier(random_state=0),
    lm.SGDClassifier(loss="log_loss", random_state=0),
    lm.SGDClassifier(loss="modified_huber", random_state=0, average=True),
    lm.Perceptron(random_state=0),
    deprecated("PassiveAggressiveClassifier"),
    LinearSVC(random_state=0),
]


@pytest.mark.parametrize(
    "target",
    [BINARY, THREE, THREE * 2.0, BINARY == "yes", THREE.astype(str)],
    ids=["str", "int", "float", "bool", "digits"],
)
@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_a_classifier_chooses_gives_scores_and_probabilities(model, target):
    frame = check_estimator(fitted(model, SCALED, target), SCALED)
    assert set(frame["prediction_0"]) <= set(target.tolist())


def test_shares_that_are_all_0_become_equal_ones():
    rows = pd.DataFrame({"x": [-5.0, -1.0, 0.0, 0.5, 5.0]})
    model = lm.SGDClassifier(loss="modified_huber", random_state=0).fit(rows, [0, 1, 2, 2, 1])
    model.coef_, model.intercept_ = np.array([[1.0], [1.0], [1.0]]), np.zeros(3)
    assert check_estimator(model, rows)["probability_0"].tolist()[:2] == [1 / 3, 1 / 3]


def test_equal_scores_choose_the_first_class():
    rows = pd.DataFrame({"x": [-5.0, 0.0, 5.0]})
    model = lm.LogisticRegression().fit(rows, ["b", "a", "c"])
    model.coef_, model.intercept_ = np.array([[1.0], [1.0], [0.0]]), np.zeros(3)
    assert check_estimator(model, rows)["prediction_0"].tolist() == ["c", "a", "a"]


def test_several_labels_a_row():
    labels = np.column_stack([Y > 0, np.median(Y) < Y, SCALED["a"] > 0]).astype(int)
    check_estimator(lm.RidgeClassifier().fit(SCALED, labels), SCALED)


@pytest.mark.parametrize("average", [False, True])
def test_one_class(average):
    check_estimator(lm.SGDOneClassSVM(nu=0.5, random_state=0, average=average).fit(SCALED), SCALED)


def test_weights_that_are_all_0_give_the_intercept():
    frame = check_estimator(lm.Lasso(alpha=1e9).fit(SCALED, Y), SCALED)
    assert frame["prediction_0"].nunique() == 1
    check_estimator(lm.LogisticRegression(C=1e-3, l1_ratio=1, solver="liblinear").fit(SCALED, BINARY), SCALED)


@pytest.mark.parametrize("model", [lm.Ridge(), lm.LogisticRegression(), lm.SGDClassifier(loss="log_loss")], ids=str)
@pytest.mark.parametrize("alone", [True, False])
def test_sparse_columns_beside_others(model, alone):
    dense = _RNG.integers(0, 3, size=(40, 6)) * _RNG.normal(size=(40, 6))
    data = csr_matrix(dense if alone else np.hstack([SCALED[["a", "b"]], dense]))
    fitted(model, data, Y if isinstance(model, lm.Ridge) else THREE)
    build = Builder()
    columns = {"words": build.input("words", "bag", width=6)}
    columns = columns if alone else {name: build.input(name, "float64") for name in ("a", "b")} | columns
    for kind, method in (
        ("prediction", "predict"),
        ("probability", "predict_proba"),
        ("decision", "decision_function"),
    ):
        if hasattr(model, method):

            def write(values, build, kind=kind):
                return getattr(predict(model, list(values.values()), build), kind)

            check_step("test", write, columns, data, getattr(model, method)(data))


def test_shares_below_the_smallest_double_are_0_as_scipy_has_them():
    rows = pd.DataFrame({"x": [-1.0, 0.5, 1.0]})
    model = lm.SGDClassifier(loss="log_loss", random_state=0).fit(rows, [0, 1, 1])
    model.coef_, model.intercept_ = np.array([[735.0]]), np.zeros(1)
    assert check_estimator(model, rows)["probability_1"][0] == 0


def test_sparsified_weights():
    check_estimator(fitted(lm.SGDClassifier(random_state=0), SCALED, THREE).sparsify(), SCALED)


def test_missing_and_infinite_inputs_are_refused_as_the_library_does():
    model = lm.Ridge().fit(SCALED, Y)
    build = Builder()
    outputs = predict(model, [build.input(name, "float64") for name in SCALED], build)
    executor = make_executor(Plan(build.nodes, {}), [outputs.prediction[0].node])
    for bad in (np.nan, np.inf):
        columns = {name: np.array([1.0, bad]) for name in SCALED}
        with pytest.raises(InputError, match=r"row 1: Ridge: found .* in column 'a', expected a finite number"):
            executor.run(columns, 2)


def test_other_columns_are_refused():
    build = Builder()
    values = [build.input(name, "float64") for name in SCALED]
    with pytest.raises(NoPlanError, match="found 2 columns, expected the 5 it was fitted with"):
        predict(lm.Ridge().fit(SCALED, Y), values[:2], build)


@pytest.mark.parametrize("formula", [lambda scores, build: scores, lambda scores, build: softmax(build, scores)])
def test_a_wrong_formula_is_seen(monkeypatch, formula):
    model = lm.SGDClassifier(loss="log_loss", random_state=0).fit(SCALED, THREE)
    monkeypatch.setattr(sklearn_linear, "one_against_rest", formula)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, SCALED)


def test_a_weight_that_is_one_part_in_ten_to_the_12_off_is_seen(monkeypatch):
    model = lm.Ridge().fit(SCALED, Y)
    unchanged = sklearn_linear.float64_of
    monkeypatch.setattr(sklearn_linear, "float64_of", lambda step, name: unchanged(step, name) * (1 + 1e-12))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, SCALED)
