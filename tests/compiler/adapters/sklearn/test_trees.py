"""Trees and forests of scikit-learn: equal bits, because leaves are looked up and added in tree order."""

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, check_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from pipeline_lib.compiler.adapters import tree_nodes as treenodes
from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "a": RNG.normal(size=60),
        "b": RNG.integers(0, 5, 60),
        "c": RNG.integers(0, 2, 60).astype(bool),
        "d": RNG.normal(size=60).astype(np.float32).astype(float) * 1e30,
    }
)
Y = np.round(X["a"] * 3 + X["b"] - X["c"], 2).to_numpy()
WITH_MISSING = X.assign(a=X["a"].where(np.arange(60) % 7 != 0))
REGRESSORS = (
    DecisionTreeRegressor(),
    DecisionTreeRegressor(criterion="absolute_error", max_depth=3),
    DecisionTreeRegressor(max_leaf_nodes=5, ccp_alpha=0.01),
    ExtraTreeRegressor(),
    RandomForestRegressor(n_estimators=5),
    ExtraTreesRegressor(n_estimators=5, bootstrap=True, oob_score=False),
)
CLASSIFIERS = (
    DecisionTreeClassifier(max_depth=3),
    DecisionTreeClassifier(criterion="entropy", class_weight="balanced"),
    ExtraTreeClassifier(),
    RandomForestClassifier(n_estimators=6, max_depth=3),
    ExtraTreesClassifier(n_estimators=6, max_depth=3),
)


def of(model):
    return model.set_params(random_state=0)


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
@pytest.mark.parametrize("rows", [X, X.iloc[:1], X.iloc[:0].assign(c=False)], ids=["all", "one", "none"])
def test_regressors(model, rows):
    fitted = of(model).fit(X, Y)
    if len(rows):
        check_estimator(fitted, rows)
    else:
        assert len(predict_columns(fitted, rows)) == 0


@pytest.mark.parametrize("model", [m for m in REGRESSORS if "absolute" not in str(m)], ids=str)
def test_missing_values_go_where_the_tree_learned(model):
    fitted = of(model).fit(WITH_MISSING, Y)
    check_estimator(fitted, WITH_MISSING.assign(d=np.nan))


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
def test_several_targets(model):
    check_estimator(of(model).fit(X, np.column_stack([Y, -Y, Y * 2])), X)


SEVERAL = {
    "int": [np.array([3, -1, 7]), np.array([0, 1, 2])],
    "str": [np.array(["no", "yes", "unknown"], dtype=object), np.array(["a", "b", "a"], dtype=object)],
    "short": [np.array(["n", "y", "u"]), np.array(["apple", "pear", "apple"])],
}


@pytest.mark.parametrize("labels", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_several_targets_of_classes(model, labels):
    groups = np.digitize(Y, np.quantile(Y, [0.3, 0.7]))
    fitted = of(model).fit(WITH_MISSING, np.column_stack([labels[0][groups], labels[1][groups[::-1]]]))
    result, expected = check_estimator(fitted, WITH_MISSING), fitted.predict(WITH_MISSING)
    assert result[["prediction_0", "prediction_1"]].to_numpy().tolist() == expected.tolist()


LABELS = {
    "int": np.array([3, -1, 7]),
    "str": np.array(["no", "yes", "unknown"], dtype=object),
    "bool": np.array([False, True, True]),
    "float": np.array([1.0, -0.0, 7.0]),
    "one": np.array(["only", "only", "only"], dtype=object),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_classifiers(model, labels):
    target = labels[np.digitize(Y, np.quantile(Y, [0.3, 0.7]))]
    fitted = of(model).fit(WITH_MISSING, target)
    check_estimator(fitted, WITH_MISSING)
    result = predict_columns(fitted, WITH_MISSING)
    assert (result.tolist() if hasattr(result, "tolist") else result) == fitted.predict(WITH_MISSING).tolist()


def predict_columns(fitted, rows):
    from plans import plan_dtype

    from pipeline_lib.compiled.distinct_values import make_executor
    from pipeline_lib.compiled.library_columns import plan_column
    from pipeline_lib.compiled.plan import Plan

    build = Builder()
    dtypes = {name: plan_dtype(rows[name]) for name in rows}
    outputs = predict(fitted, [build.input(name, dtype) for name, dtype in dtypes.items()], build)
    executor = make_executor(Plan(build.nodes, {}), [outputs.prediction[0].node])
    return executor.run({name: plan_column(rows[name], dtype) for name, dtype in dtypes.items()}, len(rows))[0]


def test_the_most_probable_class_is_the_first_of_equal_ones():
    fitted = DecisionTreeClassifier(max_depth=1).fit([[0.0], [0.0], [1.0], [1.0]], ["b", "a", "b", "a"])
    assert predict_columns(fitted, pd.DataFrame({"x": [0.0, 1.0]})).tolist() == ["a", "a"]


def test_threads_add_trees_in_any_order_within_the_bound():
    check_estimator(RandomForestRegressor(n_estimators=9, n_jobs=2, random_state=0).fit(X, Y), X)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("bad", [np.inf, -np.inf, 3.5e38])
def test_numbers_beyond_float32_are_refused_as_scikit_learn_refuses_them(bad):
    fitted = RandomForestRegressor(n_estimators=2, random_state=0).fit(X, Y)
    rows = X.iloc[:3].assign(a=[0.0, bad, 0.0])
    with pytest.raises(ValueError, match="too large"):
        fitted.predict(rows)
    with pytest.raises(InputError, match=r"row 1: RandomForestRegressor: found .* in column 'a'.*float32"):
        predict_columns(fitted, rows)


def test_thresholds_hold_for_every_neighbour_of_the_boundary():
    """The translated threshold tells doubles apart exactly as a comparison after a cast to float32 does."""
    singles = RNG.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    largest = np.finfo(np.float32).max
    edges = np.array([0.0, -0.0, 1.0, largest, -largest, 1e-45, -1e-45, 1.17549435e-38], dtype=np.float32)
    singles = np.concatenate([singles[np.isfinite(singles)], edges]).astype(float)
    thresholds = np.concatenate([singles, np.nextafter(singles, np.inf), np.nextafter(singles, -np.inf)])
    bounds = treenodes.float32_thresholds(thresholds)
    for x in (bounds, np.nextafter(bounds, np.inf), np.nextafter(bounds, -np.inf), thresholds):
        inside = np.abs(x) < treenodes.BEYOND_SINGLE
        with np.errstate(all="ignore"):
            expected = x.astype(np.float32).astype(float) <= thresholds
        assert ((x <= bounds) == expected)[inside].all()
    assert treenodes.float32_thresholds([np.inf, -np.inf]).tolist() == [np.inf, -treenodes.BEYOND_SINGLE]


def test_plain_thresholds_would_be_noticed(monkeypatch):
    """A number that float32 rounds to the threshold goes left; without the translation it goes right."""
    monkeypatch.setattr(
        "pipeline_lib.compiler.adapters.sklearn.trees.float32_thresholds", lambda plain: np.asarray(plain)
    )
    fitted = DecisionTreeRegressor().fit(pd.DataFrame({"x": [1.0, 1.0 + 2.0**-22]}), [0.0, 1.0])
    above = pd.DataFrame({"x": [1.0 + 2.0**-23 + 2.0**-26]})  # the threshold is 1 + 2**-23, as is this in float32
    assert fitted.predict(above).tolist() == [0.0]
    with pytest.raises(InputError, match=r"found 1.0 from the plan in row 0, expected 0.0"):
        check_estimator(fitted, above)
    monkeypatch.undo()
    check_estimator(fitted, above)


def test_an_ignored_missing_route_would_be_noticed(monkeypatch):
    nodes = treenodes.TreeNodes

    def right(**parts):
        return nodes(**{**parts, "missing_left": ~parts["missing_left"]})

    monkeypatch.setattr("pipeline_lib.compiler.adapters.sklearn.trees.TreeNodes", right)
    fitted = DecisionTreeRegressor(random_state=0).fit(WITH_MISSING, Y)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(fitted, WITH_MISSING)


def refused(model, *columns):
    build = Builder()
    predict(model, [build.input(name, "float64") for name in columns], build)


def test_refusals_name_the_option():
    mixed = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    mixed.classes_ = np.array([0, "a"], dtype=object)
    with pytest.raises(NoPlanError, match="class labels of int, str"):
        refused(mixed, "x")


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("options", [{}, {"sparse_output": False}, {"max_leaf_nodes": 5}], ids=str)
def test_leaves_of_random_trees_are_columns(options, seed):
    step = RandomTreesEmbedding(n_estimators=4, random_state=seed, **options).fit(X)
    check_transformer(step, X)
