import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, named, same_bits
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.semi_supervised import LabelPropagation, SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import meta as sklearn_meta
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(2)
X = pd.DataFrame({"a": _RNG.normal(size=60), "b": _RNG.normal(size=60), "count": _RNG.integers(0, 5, size=60)})
Y = (X["a"] * 2 + X["b"] + X["count"] / 4 + _RNG.normal(size=60) / 3).to_numpy()
TWO, THREE = np.where(Y > 0.5, "yes", "no"), np.array(["x", "y", "z"])[np.digitize(Y, [-0.5, 1.0])]
TARGETS = {"two": TWO, "three": THREE}
LOGISTIC, BAYES, RIDGE = LogisticRegression(), GaussianNB(), RidgeClassifier()
REGRESSORS = [("ridge", Ridge()), ("near", KNeighborsRegressor(4))]
CLASSIFIERS = [("logistic", LOGISTIC), ("bayes", BAYES), ("near", KNeighborsClassifier(3))]


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


def refused(model, match, kind=NoPlanError):
    build = Builder()
    with pytest.raises(kind, match=match):
        predict(model, [build.input(name, "float64") for name in X], build)


@pytest.mark.parametrize("weights", [None, [0.3, 2.0]])
def test_votes_of_regressors(weights):
    check_estimator(VotingRegressor(REGRESSORS, weights=weights).fit(X, Y), X)


@pytest.mark.parametrize("weights", [None, [2, 1, 1], [0.7, 0.2, 0.2]])
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes_of_classifiers(voting, weights, target):
    check_estimator(VotingClassifier(CLASSIFIERS, voting=voting, weights=weights).fit(X, target), X)


def test_a_dropped_voter_takes_its_weight_along():
    model = VotingClassifier(CLASSIFIERS, voting="soft", weights=[5, 1, 1]).set_params(bayes="drop").fit(X, TWO)
    check_estimator(model, X)


def test_equal_votes_choose_the_first_class():
    voters = [
        ("a", DummyClassifier(strategy="constant", constant=1)),
        ("b", DummyClassifier(strategy="constant", constant=0)),
    ]
    model = VotingClassifier(voters).fit(X, (Y > 0).astype(int))
    assert check_estimator(model, X.iloc[:2])["prediction_0"].tolist() == [0, 0]


@pytest.mark.parametrize("passthrough", [False, True])
def test_stacked_regressors(passthrough):
    check_estimator(StackingRegressor(REGRESSORS, Ridge(), cv=3, passthrough=passthrough).fit(X, Y), X)


@pytest.mark.parametrize("options", [{}, {"passthrough": True}, {"stack_method": "predict"}], ids=named)
def test_stacked_classifiers(options, target):
    members = [*CLASSIFIERS[:2], ("ridge", RIDGE)]
    check_estimator(StackingClassifier(members, LogisticRegression(), cv=3, **options).fit(X, target), X)


def test_stacked_classifiers_that_were_fitted_before(target):
    members = [(name, model.fit(X, target)) for name, model in CLASSIFIERS]
    check_estimator(StackingClassifier(members, RidgeClassifier(), cv="prefit").fit(X, target), X)


@pytest.mark.parametrize("options", [{}, {"max_features": 2}, {"bootstrap_features": True}], ids=named)
def test_bags_of_regressors(options):
    check_estimator(BaggingRegressor(Ridge(), 4, random_state=0, **options).fit(X, Y), X)


@pytest.mark.parametrize("member", [LOGISTIC, RIDGE, BAYES], ids=named)
@pytest.mark.parametrize("options", [{}, {"max_features": 2}], ids=named)
def test_bags_of_classifiers(member, options, target):
    check_estimator(BaggingClassifier(member, 4, random_state=0, **options).fit(X, target), X)


def test_bags_that_missed_a_class():
    rare = np.where(np.arange(60) < 2, "rare", TWO)
    model = BaggingClassifier(KNeighborsClassifier(2), 6, max_samples=12, random_state=0).fit(X, rare)
    assert len({len(inner.classes_) for inner in model.estimators_}) > 1
    check_estimator(model, X)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("member", [LOGISTIC, BAYES, RIDGE], ids=named)
def test_calibration(method, ensemble, member, target):
    check_estimator(CalibratedClassifierCV(member, method=method, ensemble=ensemble, cv=3).fit(X, target), X)


def test_calibration_of_a_classifier_fitted_before():
    check_estimator(CalibratedClassifierCV(FrozenEstimator(LogisticRegression().fit(X, TWO))).fit(X, TWO), X)


FUNCTIONS = [
    (np.log, np.exp),
    (np.log1p, np.expm1),
    (np.sqrt, np.square),
    (np.square, np.sqrt),
    (np.log2, np.exp2),
    (np.exp2, np.log2),
]


@pytest.mark.parametrize(("func", "inverse"), FUNCTIONS)
def test_a_target_behind_functions(func, inverse):
    model = TransformedTargetRegressor(KNeighborsRegressor(), func=func, inverse_func=inverse)
    check_estimator(model.fit(X, Y - Y.min() + 1), X)


@pytest.mark.parametrize(
    "transformer",
    [
        None,
        StandardScaler(),
        StandardScaler(with_mean=False),
        RobustScaler(with_scaling=False),
        RobustScaler(),
        MinMaxScaler((-1, 3)),
        MaxAbsScaler(),
        PowerTransformer(),
        PowerTransformer(standardize=False),
        PowerTransformer("box-cox"),
        QuantileTransformer(n_quantiles=20),
        QuantileTransformer(n_quantiles=20, output_distribution="normal"),
        FunctionTransformer(np.log, np.exp),
        make_pipeline(FunctionTransformer(np.log1p, np.expm1), StandardScaler()),
    ],
    ids=named,
)
@pytest.mark.parametrize("several", [False, True])
def test_a_target_behind_a_transformer(transformer, several):
    target = np.exp(Y / 4)
    model = TransformedTargetRegressor(LinearRegression(), transformer=transformer, check_inverse=False)
    check_estimator(model.fit(X, np.column_stack([target, target + X["count"]]) if several else target), X * 2)


@pytest.mark.parametrize("learned", [0.0, 2.0, 1.3, -0.7])
def test_every_branch_of_yeo_johnson_back(learned):
    model = TransformedTargetRegressor(LinearRegression(), transformer=PowerTransformer(standardize=False)).fit(X, Y)
    model.transformer_.lambdas_[0] = learned
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of powers of negative numbers
        frame = check_estimator(model, X)
    assert frame["prediction_0"].notna().any()


@pytest.mark.parametrize("strategy", ["mean", "median", "quantile", "constant"])
def test_a_dummy_regressor(strategy):
    model = DummyRegressor(strategy=strategy, quantile=0.3, constant=[[1.5], [2.0]])
    check_estimator(model.fit(X, np.column_stack([Y, -Y])), X.iloc[:3])


@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
@pytest.mark.parametrize("target", [TWO, Y > 1, Y.round().astype(int)], ids=["str", "bool", "int"])
def test_a_dummy_classifier(strategy, target):
    check_estimator(DummyClassifier(strategy=strategy, constant=[target[0]]).fit(X, target), X.iloc[:3])


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_a_dummy_that_draws_is_refused(strategy):
    refused(DummyClassifier(strategy=strategy).fit(X, TWO), "draws a class at random", RefusedStepError)


def test_several_targets():
    pair = np.column_stack([Y, -Y])
    check_estimator(MultiOutputRegressor(Ridge()).fit(X, pair), X)
    check_estimator(RegressorChain(Ridge(), order=[1, 0]).fit(X, pair), X)
    labels = np.column_stack([Y > 0, Y > 1]).astype(int)
    check_estimator(MultiOutputClassifier(RidgeClassifier()).fit(X, labels), X)
    refused(MultiOutputClassifier(LogisticRegression()).fit(X, labels), "found predict_proba, which gives a list")
    refused(ClassifierChain(LogisticRegression()).fit(X, labels), "its classes are numbers of a chain")


@pytest.mark.parametrize("member", [LOGISTIC, BAYES, Ridge(), LinearSVC()], ids=named)
def test_one_against_the_rest(member, target):
    check_estimator(OneVsRestClassifier(member).fit(X, target), X)


def test_one_against_the_rest_of_several_labels():
    labels = np.column_stack([Y > 0, Y > 1, X["a"] > 0]).astype(int)
    check_estimator(OneVsRestClassifier(LOGISTIC).fit(X, labels), X)
    with pytest.warns(UserWarning, match="Label 3 is present in all"):
        model = OneVsRestClassifier(LOGISTIC).fit(X, np.column_stack([labels, np.ones(60, dtype=int)]))
    check_estimator(model, X)


@pytest.mark.parametrize("member", [LOGISTIC, BAYES, LinearSVC()], ids=named)
def test_one_against_one(member, target):
    check_estimator(OneVsOneClassifier(member).fit(X, target), X)


@pytest.mark.parametrize("member", [LOGISTIC, BAYES], ids=named)
def test_codes(member):
    check_estimator(OutputCodeClassifier(member, random_state=0).fit(X, THREE), X)


def test_searches():
    check_estimator(GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3).fit(X, THREE), X)
    check_estimator(RandomizedSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2, cv=3).fit(X, Y), X)
    refused(GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3, refit=False).fit(X, Y), "found refit=False")


@pytest.mark.parametrize(
    "options", [{}, {"threshold": 0.3}, {"threshold": -0.2, "response_method": "decision_function"}]
)
@pytest.mark.parametrize("positive", [None, "no", "yes"])
def test_a_fixed_threshold(options, positive):
    check_estimator(FixedThresholdClassifier(LOGISTIC, pos_label=positive, **options).fit(X, TWO), X)
    check_estimator(FixedThresholdClassifier(LinearSVC(), pos_label=positive).fit(X, TWO), X)


def test_a_tuned_threshold():
    check_estimator(TunedThresholdClassifierCV(LOGISTIC, cv=3).fit(X, TWO), X)
    check_estimator(TunedThresholdClassifierCV(LinearSVC(), cv=3).fit(X, Y > 0), X)


def test_self_training():
    unlabelled = np.where(np.arange(60) % 3 == 0, -1, (Y > 0.5).astype(int))
    check_estimator(SelfTrainingClassifier(LOGISTIC).fit(X, unlabelled), X)


@pytest.mark.parametrize("bounds", ["clip", "nan", "raise"])
def test_isotonic_regression(bounds):
    model = IsotonicRegression(out_of_bounds=bounds).fit(X[["a"]], Y)
    check_estimator(model, X[["a"]] if bounds == "raise" else X[["a"]] * 1.5)
    if bounds == "raise":
        with pytest.raises(InputError, match=r"found 9\.0 in column 'x', expected a number from"):
            same_bits(lambda c, b: {"y": predict(model, list(c.values()), b).prediction[0]}, pd.DataFrame({"a": [9.0]}))


def test_isotonic_regression_of_one_point():
    check_estimator(
        IsotonicRegression().fit([[1.0], [1.0]], [2.0, 4.0]), pd.DataFrame({"a": [1.0, 5.0]}).set_axis([0], axis=1)
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (GaussianProcessRegressor(), "it adds over all training rows .* use SVR or KernelRidge"),
        (RadiusNeighborsRegressor(), "any number of neighbours; use KNeighbors"),
        (
            TransformedTargetRegressor(Ridge(), func=np.cbrt, inverse_func=lambda x: x**3),
            "found inverse_func=.*expected np.exp",
        ),
    ],
    ids=named,
)
def test_what_has_no_plan_is_refused_by_name(model, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused(model.fit(X, Y), message)


@pytest.mark.parametrize("model", [GaussianProcessClassifier(), LabelPropagation()], ids=named)
def test_what_classifiers_have_no_plan_is_refused_by_name(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused(model.fit(X, np.digitize(Y, [0])), "found an estimator without an exact plan")


def test_a_target_transformer_without_inverse_plan_is_refused():
    model = TransformedTargetRegressor(KNeighborsRegressor(), transformer=OneHotEncoder(sparse_output=False))
    refused(model.fit(X, X["count"]), "found a target transformer without an inverse plan, expected one of")


def test_ignored_weights_are_seen(monkeypatch):
    model = VotingClassifier(CLASSIFIERS, voting="soft", weights=[5, 1, 1]).fit(X, TWO)
    monkeypatch.setattr(sklearn_meta, "_weights", lambda step: None)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


def test_swapped_columns_of_a_bag_are_seen(monkeypatch):
    model = BaggingRegressor(Ridge(), 4, max_features=2, random_state=0).fit(X, Y)
    monkeypatch.setattr(sklearn_meta, "positional", lambda values, build: list(values)[::-1])
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)
