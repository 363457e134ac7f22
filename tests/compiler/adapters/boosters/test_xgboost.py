"""XGBoost: boosters, links in float32, absent and missing numbers, categories; equal bits unless said otherwise."""

import numpy as np
import pandas as pd
import pytest
from boosted import ROWS, booster_rows
from feature_engine.preprocessing import MatchCategories
from plans import check_estimator
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, SplineTransformer, StandardScaler

from pipeline_lib.compiler.adapters.boosters import xgboost as adapter
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

try:
    import xgboost
except (ImportError, OSError) as error:  # a library of the system is missing
    pytest.skip(f"XGBoost cannot be loaded here: {error}", allow_module_level=True)

RNG = np.random.default_rng(0)
X = booster_rows(RNG)
Y = (np.nan_to_num(X["a"]) + X["b"] + X["zeros"]).to_numpy()
THREE, TARGETS = np.digitize(Y, [1, 4]), np.column_stack([Y, -Y, Y * Y])
SMALL = {"n_estimators": 8, "max_depth": 3, "n_jobs": 1}
PLACES = pd.DataFrame({"city": RNG.choice(["Ames", "Łódź", "Åre", "Zoë"], ROWS), "kind": RNG.choice(["u", "v"], ROWS)})
PRICES = PLACES["city"].map({"Ames": 1.0, "Łódź": 5.0, "Åre": -3.0, "Zoë": 0.0}).to_numpy() + X["b"]
MANY = pd.DataFrame(np.random.default_rng(5).normal(size=(1500, 3)), columns=["x", "y", "z"])
COUNTS = np.exp(MANY["x"] / 2) + MANY["y"].abs() + MANY["z"] ** 2
AS_CATEGORIES = PLACES.astype("category").assign(size=X["b"])


def same(fitted, rows, **options):
    """The compiled pipeline, whose outputs have the library's own bits."""
    model = compile_pipeline(fitted, like=rows, **options)
    assert model.report.exact
    assert model.predict(rows).tolist() == np.asarray(fitted.predict(rows)).tolist()
    assert [model.predict_row(row) for row in rows.head(9).to_dict("records")] == model.predict(rows)[:9].tolist()
    return model


def test_links_with_exp_have_the_librarys_own_bits():
    """Its exp is not the nearest float32 in every row: 1 of 600 numbers is the one beside it."""
    for objective in ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"):
        same(xgboost.XGBRegressor(objective=objective, n_estimators=40, n_jobs=1).fit(MANY, COUNTS), MANY)
    classes = np.digitize(COUNTS, [2.0, 4.0])
    for labels in (classes > 1, classes):
        model = xgboost.XGBClassifier(n_estimators=40, n_jobs=1).fit(MANY, labels)
        compiled = compile_pipeline(model, like=MANY)
        assert compiled.predict_proba(MANY).tobytes() == model.predict_proba(MANY).astype(float).tobytes()
        assert compiled.report.outputs[1].changed == 0


def test_an_exp_rounded_to_the_nearest_float32_would_differ(monkeypatch):
    model = xgboost.XGBRegressor(objective="count:poisson", n_estimators=40, n_jobs=1).fit(MANY, COUNTS)
    monkeypatch.setattr(adapter, "_exp", lambda build, value: build.round32(build.exp(value)))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        compile_pipeline(model, like=MANY)


@pytest.mark.filterwarnings("ignore:.*`booster=dart` is deprecated")
@pytest.mark.parametrize("booster", ["dart", "gblinear"])
@pytest.mark.parametrize("target", [Y, np.abs(Y) + 0.5, Y > 2, THREE], ids=["value", "count", "two", "three"])
def test_other_boosters(booster, target):
    options = {"n_estimators": 8, "booster": booster} | ({"rate_drop": 0.4} if booster == "dart" else {})
    if target.dtype.kind == "f":
        objective = "reg:squarederror" if target is Y else "count:poisson"
        check_estimator(xgboost.XGBRegressor(objective=objective, **options).fit(X, target), X)
    else:
        check_estimator(xgboost.XGBClassifier(**options).fit(X, target), X)


def test_softmax_has_equal_labels_and_shares_within_float32():
    """The wrapper answers with SciPy's softmax of float32 numbers, which the report names."""
    model = xgboost.XGBClassifier(objective="multi:softmax", **SMALL).fit(X, THREE)
    check_estimator(model, X)
    compiled = compile_pipeline(model, like=X)
    assert compiled.predict(X).tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(compiled.predict_proba(X), model.predict_proba(X), rtol=1e-6)
    assert compiled.report.outputs[1].reason in ("", "float32")


@pytest.mark.parametrize("objective", ["binary:hinge", "binary:logitraw"])
def test_labels_without_probabilities(objective):
    check_estimator(xgboost.XGBClassifier(objective=objective, **SMALL).fit(X, Y > 2), X)


@pytest.mark.parametrize("strategy", ["multi_output_tree", "one_output_per_tree"])
def test_several_targets(strategy):
    check_estimator(xgboost.XGBRegressor(multi_strategy=strategy, **SMALL).fit(X, TARGETS), X)
    labels = (TARGETS > 1).astype(int)
    check_estimator(xgboost.XGBClassifier(multi_strategy=strategy, **SMALL).fit(X, labels), X)


@pytest.mark.parametrize("booster", ["gbtree", "gblinear"])
@pytest.mark.parametrize("missing", [-1.0, 0.0])
def test_a_number_that_means_missing(missing, booster):
    rows = X.assign(a=X["a"].fillna(missing), zeros=X["zeros"].where(X.index % 5 > 0, missing))
    check_estimator(xgboost.XGBRegressor(missing=missing, booster=booster, n_estimators=8).fit(rows, Y), rows)
    if booster == "gbtree":
        check_estimator(xgboost.XGBRegressor(missing=missing, **SMALL).fit(X, Y), X)  # NaN is missing besides


@pytest.mark.parametrize("objective", ["rank:pairwise", "rank:ndcg", "rank:map"])
def test_rankers(objective):
    model = xgboost.XGBRanker(objective=objective, **SMALL)
    check_estimator(model.fit(X, Y > 2, qid=np.arange(ROWS) // 15), X)


@pytest.mark.filterwarnings("ignore:.*`booster=dart` is deprecated")
def test_trees_after_the_best_iteration_are_left_out():
    for booster in ("gbtree", "dart"):
        model = xgboost.XGBRegressor(booster=booster, n_estimators=60, learning_rate=0.9, early_stopping_rounds=2)
        model.fit(X[:60], Y[:60], eval_set=[(X[60:], Y[60:])], verbose=False)
        assert model.best_iteration < 50
        check_estimator(model, X)


@pytest.mark.parametrize("sparse", [True, False])
def test_zeros_of_a_sparse_matrix_are_missing_and_those_of_a_dense_one_are_numbers(sparse):
    rows = pd.concat([PLACES, X[["a", "zeros"]]], axis=1)
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=sparse), ["city", "kind"]),
        (SimpleImputer(), ["a", "zeros"]),
        sparse_threshold=1.0 if sparse else 0.0,
    )
    fitted = make_pipeline(encode, xgboost.XGBRegressor(**SMALL)).fit(rows, PRICES)
    same(fitted, rows)
    alone = make_pipeline(OneHotEncoder(sparse_output=sparse), xgboost.XGBRegressor(**SMALL)).fit(PLACES, PRICES)
    same(alone, PLACES)
    inner = make_pipeline(OneHotEncoder(sparse_output=sparse), xgboost.XGBRegressor(**SMALL))
    same(VotingRegressor([("one", inner), ("two", alone)]).fit(PLACES, PRICES), PLACES)


def test_stored_zeros_of_few_columns_are_noticed():
    """To XGBoost a stored 0 is a number, but a plan of few columns does not say which zeros are stored."""
    splines = make_column_transformer(
        (SplineTransformer(n_knots=4, sparse_output=True), ["b", "zeros"]), sparse_threshold=1.0
    )
    fitted = make_pipeline(splines, xgboost.XGBRegressor(**SMALL)).fit(X, Y)
    assert (fitted[0].transform(X).data == 0.0).any()
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        compile_pipeline(fitted, like=X)


def test_names_of_categories_beyond_ascii():
    """XGBoost stores too few bytes of the names; the step before and the raw column know them."""
    model = xgboost.XGBRegressor(enable_categorical=True, max_cat_to_onehot=1, **SMALL)
    same(make_pipeline(model).fit(AS_CATEGORIES, PRICES), AS_CATEGORIES)
    two = AS_CATEGORIES.assign(city=AS_CATEGORIES["city"].cat.set_categories(["Åre", "Łódź"]))
    same(make_pipeline(model).fit(two, PRICES), two)
    match = MatchCategories(variables=["city", "kind"], missing_values="ignore")
    fitted = make_pipeline(match, model).fit(AS_CATEGORIES, PRICES)
    compiled = same(fitted, AS_CATEGORIES)
    one = compiled.predict(AS_CATEGORIES.assign(city="Łódź", kind="u"))
    assert one.tolist() == fitted.predict(AS_CATEGORIES.assign(city="Łódź", kind="u")).tolist()
    assert compiled.predict_row({"city": "Łódź", "kind": "u", "size": int(AS_CATEGORIES["size"][0])}) == one[0]


def test_names_that_are_lost_are_refused_with_a_way_out():
    model = xgboost.XGBRegressor(enable_categorical=True, **SMALL).fit(AS_CATEGORIES, PRICES)
    with pytest.raises(InputError, match=r"stores only 'AmesZoëÅreŁ'.*put feature-engine's MatchCategories before"):
        check_estimator(model, AS_CATEGORIES)


NESTS = {
    "voting": VotingRegressor([("a", xgboost.XGBRegressor(**SMALL)), ("b", xgboost.XGBRegressor(n_estimators=3))]),
    "stacking": StackingRegressor([("a", xgboost.XGBRegressor(**SMALL))], Ridge(), cv=2),
    "bagging": BaggingRegressor(xgboost.XGBRegressor(**SMALL), 2, random_state=0),
    "log": TransformedTargetRegressor(xgboost.XGBRegressor(**SMALL), func=np.log1p, inverse_func=np.expm1),
    "scaled": TransformedTargetRegressor(xgboost.XGBRegressor(**SMALL), transformer=StandardScaler()),
    "power": TransformedTargetRegressor(xgboost.XGBRegressor(**SMALL), transformer=PowerTransformer()),
}


@pytest.mark.parametrize("name", NESTS)
def test_models_of_float32_answers_alone_compute_in_float32(name):
    """What is made of XGBoost's answers is float32, too: it is within that of the plan, and the report says so."""
    target = Y - Y.min() + 1.0
    fitted = NESTS[name].fit(X.fillna(0.0), target)
    model = compile_pipeline(fitted, like=X.fillna(0.0))
    predicted, library = model.predict(X.fillna(0.0)), fitted.predict(X.fillna(0.0))
    assert library.dtype == np.float32
    assert model.report.exact
    np.testing.assert_allclose(predicted, library, rtol=1e-6)
    (output,) = model.report.outputs
    assert output.changed == np.count_nonzero(predicted != library)
    assert output.reason == ("float32" if output.changed else "")
