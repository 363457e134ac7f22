"""XGBoost and LightGBM models: raw scores with equal bits, probabilities within ULPs of the precision that they use."""

import importlib

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, same_bits

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(0)
ROWS = 120
X = pd.DataFrame(
    {
        "a": RNG.normal(size=ROWS),
        "b": RNG.integers(0, 6, ROWS),
        "c": RNG.integers(0, 2, ROWS).astype(bool),
        "zeros": np.where(RNG.random(ROWS) < 0.5, 0.0, RNG.normal(size=ROWS)),
    }
)
X.loc[::7, "a"] = np.nan
Y = np.nan_to_num(X["a"]) * 3 + X["b"] - X["c"] + X["zeros"]
TEXT = X.assign(city=pd.Series(RNG.choice(["Ames", "Oslo", "Rom", "Bern", "Lima", "Bonn"], ROWS), dtype="category"))
PRICES = Y + TEXT["city"].map({"Ames": 3.0, "Rom": -2.0, "Lima": 5.0}).astype(float).fillna(0.0)
ODD = X.assign(
    a=np.resize([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e39, 1e-40, -1e-36, 1e300], ROWS),
    zeros=np.resize([np.nan, 0.0, 1e-36, -1e-36, 1e-35, 2e-35, np.inf], ROWS),
)
CLASSES = {"two": (Y > 2).astype(int), "three": np.digitize(Y, [1, 4])}


def written(model, columns, build):
    return {"prediction": predict(model, list(columns.values()), build).prediction[0]}


def library(name):
    """The library, where it and the system libraries that it links are installed (LightGBM: libgomp)."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        pytest.skip(f"{name} cannot be loaded here: {error}")


@pytest.fixture
def xgboost():
    return library("xgboost")


@pytest.fixture
def lightgbm():
    return library("lightgbm")


XGB_OBJECTIVES = (
    "reg:squarederror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:quantileerror",
    "reg:logistic",
    "binary:logitraw",
    "count:poisson",
    "reg:gamma",
    "reg:tweedie",
)


@pytest.mark.parametrize("objective", XGB_OBJECTIVES)
def test_xgboost_regressors(xgboost, objective):
    target = Y > 2 if "logi" in objective else np.abs(Y) + 0.5
    options = {"quantile_alpha": 0.4} if "quantile" in objective else {}
    model = xgboost.XGBRegressor(n_estimators=12, max_depth=4, objective=objective, **options).fit(X, target)
    check_estimator(model, X)
    check_estimator(model, ODD)


@pytest.mark.parametrize("classes", CLASSES)
def test_xgboost_classifiers(xgboost, classes):
    model = xgboost.XGBClassifier(n_estimators=12, max_depth=3).fit(X, CLASSES[classes])
    check_estimator(model, X)
    check_estimator(model, ODD)


@pytest.mark.filterwarnings("ignore:.XGBRFRegressor. is deprecated")
def test_xgboost_forests_several_targets_and_early_stopping(xgboost):
    check_estimator(xgboost.XGBRFRegressor(n_estimators=5, random_state=0).fit(X, Y), X)
    check_estimator(xgboost.XGBRegressor(n_estimators=5).fit(X, np.column_stack([Y, -Y])), X)
    quantiles = xgboost.XGBRegressor(n_estimators=5, objective="reg:quantileerror", quantile_alpha=[0.2, 0.7])
    check_estimator(quantiles.fit(X, Y), X)
    stopped = xgboost.XGBRegressor(n_estimators=80, learning_rate=0.9, early_stopping_rounds=2)
    stopped.fit(X[:80], Y[:80], eval_set=[(X[80:], Y[80:])], verbose=False)
    assert stopped.best_iteration < 60
    check_estimator(stopped, X)


@pytest.mark.parametrize("one_hot", [1, 10])
def test_xgboost_categories(xgboost, one_hot):
    model = xgboost.XGBRegressor(n_estimators=8, max_depth=4, enable_categorical=True, max_cat_to_onehot=one_hot)
    model.fit(TEXT, PRICES)
    check_estimator(model, TEXT)
    check_estimator(model, TEXT.assign(city=TEXT["city"].where(np.arange(ROWS) % 5 != 0)))
    unseen = np.resize(["Rom", "Kyiv"], ROWS)  # XGBoost 3.2 takes it for Lima, later versions refuse it
    with pytest.raises(InputError, match=r"XGBRegressor: found 'Kyiv' in column 'city', expected one of 'Ames'"):
        same_bits(lambda columns, build: written(model, columns, build), TEXT.assign(city=unseen.astype(object)))
    coded = TEXT.assign(city=TEXT["city"].cat.codes.astype(float))
    types = ["q", "int", "i", "q", "c"]
    numbers = xgboost.XGBRegressor(
        n_estimators=8, max_cat_to_onehot=one_hot, feature_types=types, enable_categorical=True
    )
    numbers.fit(coded, PRICES)
    check_estimator(numbers, coded)
    check_estimator(numbers, coded.assign(city=np.resize([np.nan, -1.0, 2.5, 5.0, 6.0, 40.0, -0.5, -0.0], ROWS)))


def test_xgboost_refusals_name_the_option(xgboost):
    fitted = xgboost.XGBRegressor(n_estimators=2).fit(X, Y)
    fitted.set_params(device="cuda")
    build = Builder()
    with pytest.raises(NoPlanError, match="device='cuda', expected cpu"):
        predict(fitted, [build.input(name, "float64") for name in X], build)
    fitted.set_params(device=None, other=1)
    with pytest.raises(NoPlanError, match="found options other that its adapter does not know"):
        predict(fitted, [build.input(name, "float64") for name in X], build)


def test_xgboost_sums_in_float32_are_noticed(xgboost, monkeypatch):
    from pipeline_lib.compiler.adapters.boosters import xgboost as boosters

    plain = boosters.sum_of_trees
    model = xgboost.XGBRegressor(n_estimators=12).fit(X, Y)
    monkeypatch.setattr(boosters, "sum_of_trees", lambda *args, **more: plain(*args, **{**more, "float32": False}))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


SMALL = {"n_estimators": 8, "min_child_samples": 4, "verbose": -1, "n_jobs": 1}
LGB_OBJECTIVES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie")


@pytest.mark.parametrize("objective", LGB_OBJECTIVES)
def test_lightgbm_regressors(lightgbm, objective):
    model = lightgbm.LGBMRegressor(objective=objective, **SMALL).fit(X, np.abs(Y) + 0.5)
    check_estimator(model, X)
    check_estimator(model, ODD)


@pytest.mark.parametrize(
    "options",
    [
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting_type": "dart"},
        {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
        {"reg_sqrt": True},
        {"objective": "cross_entropy"},
        {"num_leaves": 100, "min_child_samples": 1},
    ],
    ids=str,
)
def test_lightgbm_options(lightgbm, options):
    target = (Y > 2).astype(float) if "objective" in options else Y
    model = lightgbm.LGBMRegressor(**SMALL | options).fit(X, target)
    check_estimator(model, X)
    check_estimator(model, ODD)
    without = lightgbm.LGBMRegressor(**SMALL | options).fit(X.fillna(0.0), target)
    check_estimator(without, ODD)


@pytest.mark.parametrize("objective", [None, "multiclassova"])
@pytest.mark.parametrize("labels", [[3, -1, 7], ["no", "yes", "unknown"]], ids=["int", "str"])
def test_lightgbm_classifiers(lightgbm, labels, objective):
    target = np.array(labels, dtype=object if isinstance(labels[0], str) else None)[CLASSES["three"]]
    model = lightgbm.LGBMClassifier(objective=objective, **SMALL).fit(X, target)
    check_estimator(model, X)
    if objective is None:
        check_estimator(lightgbm.LGBMClassifier(**SMALL).fit(X, target == target[0]), ODD)


def test_a_lightgbm_classifier_of_one_class_gives_it(lightgbm):
    target = np.full(ROWS, "only", dtype=object)
    result = check_estimator(lightgbm.LGBMClassifier(**SMALL).fit(X, target), X)
    assert set(result["prediction_0"]) == {"only"}


def test_lightgbm_categories(lightgbm):
    options = SMALL | {"min_data_per_group": 2, "cat_smooth": 1.0, "max_cat_to_onehot": 2}
    model = lightgbm.LGBMRegressor(**options).fit(TEXT, PRICES)
    check_estimator(model, TEXT)
    unseen = pd.Series(np.resize(["Rom", "Kyiv", "Ames", None], ROWS)).astype("category")
    check_estimator(model, TEXT.assign(city=unseen))
    coded = TEXT.assign(city=TEXT["city"].cat.codes.astype(float))
    numbers = lightgbm.LGBMRegressor(**options).fit(coded, PRICES, categorical_feature=["city"])
    check_estimator(numbers, coded)
    check_estimator(numbers, coded.assign(city=np.resize([np.nan, -1.0, 2.5, 5.0, 6.0, 40.0, -0.5, -0.0], ROWS)))


def test_lightgbm_stops_early_at_the_best_iteration(lightgbm):
    model = lightgbm.LGBMRegressor(**SMALL | {"n_estimators": 80, "learning_rate": 0.9})
    stop = lightgbm.early_stopping(2, verbose=False)
    model.fit(X[:80], Y[:80], eval_X=X[80:], eval_y=Y[80:], callbacks=[stop])
    assert model.best_iteration_ < 60
    check_estimator(model, X)


def test_lightgbm_refusals_name_the_option(lightgbm):
    fitted = lightgbm.LGBMRegressor(**SMALL).fit(X.fillna(0.0), Y)
    build = Builder()
    columns = [build.input(name, "float64") for name in X]
    with pytest.raises(NoPlanError, match="found 1 columns of text and categories, 0 columns of categories in the"):
        predict(fitted, [*columns[:-1], build.input("word", "str")], build)
    fitted.set_params(pred_early_stop=True)  # predicts from some of the trees
    with pytest.raises(NoPlanError, match="found options pred_early_stop that its adapter does not know"):
        predict(fitted, columns, build)


def test_lightgbm_a_default_side_ignored_is_noticed(lightgbm, monkeypatch):
    from pipeline_lib.compiler.adapters.boosters import lightgbm_model as boosters_lightgbm

    nodes = boosters_lightgbm.TreeNodes
    model = lightgbm.LGBMRegressor(**SMALL).fit(X, Y)
    wrong = {"missing_left": True}
    monkeypatch.setattr(boosters_lightgbm, "TreeNodes", lambda **parts: nodes(**parts | {n: ~parts[n] for n in wrong}))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)
