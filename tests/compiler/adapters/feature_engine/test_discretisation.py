import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.discretisation import (
    ArbitraryDiscretiser,
    DecisionTreeDiscretiser,
    EqualFrequencyDiscretiser,
    EqualWidthDiscretiser,
    GeometricWidthDiscretiser,
)
from plans import check_transformer

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import discretisation as fe_discretisation
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

X = pd.DataFrame(
    {
        "a": [0.1, 0.2, 0.3, 1.5, 2.25, 2.5, 3.0, 7.0, 1000.0, 3.0],
        "n": [1, 2, 3, 4, 5, 6, 7, 8, 9, 90],
        "word": [*"abcdefghij"],
    }
)
Y = pd.Series([1.0, 1.1, 3.0, 2.0, 2.5, 2.25, 9.0, 8.0, 1 / 3, 7.0])
BINARY = pd.Series([0, 0, 1, 0, 1, 1, 0, 1, 1, 0])
LEARNED = [
    (EqualFrequencyDiscretiser, {"q": 4}),
    (EqualWidthDiscretiser, {"bins": 3}),
    (EqualWidthDiscretiser, {"bins": 1}),
    (GeometricWidthDiscretiser, {"bins": 4}),
]
RETURNS = [{}, {"return_object": True}, {"return_boundaries": True, "precision": 1}, {"return_boundaries": True}]


def around(edges):
    """Rows at the edges, the floats next to them, and far outside."""
    edges = [edge for edge in edges if np.isfinite(edge)]
    near = [f(edge, to) for edge in edges for f, to in ((np.nextafter, -9e9), (max, edge), (np.nextafter, 9e9))]
    values = [*near, -1e300, 1e300, -0.0]
    return pd.DataFrame({"a": values, "n": range(len(values)), "word": ["x"] * len(values)})


@pytest.mark.parametrize(("kind", "options"), LEARNED)
@pytest.mark.parametrize("returns", RETURNS)
def test_fitted_bins(kind, options, returns):
    step = fitted(kind(**options, **returns), X)
    checked(step, X)
    checked(step, around(step.binner_dict_["a"]))


@pytest.mark.parametrize("returns", RETURNS)
@pytest.mark.parametrize("kind", [EqualFrequencyDiscretiser, EqualWidthDiscretiser, GeometricWidthDiscretiser])
def test_a_constant_column(kind, returns):
    rows = pd.DataFrame({"a": [2.0, 2.0, 2.0]})
    step = fitted(kind(**returns, **({"q": 2} if kind is EqualFrequencyDiscretiser else {"bins": 2})), rows)
    checked(step, pd.DataFrame({"a": [2.0, 1.0, 3.0]}))


@pytest.mark.parametrize("returns", RETURNS)
@pytest.mark.parametrize("edges", [[0, 2, 5], [0.1, 0.25, 7.0], [-np.inf, 1.0, 5], [1.0, 1.00000001, np.inf], [2, 2]])
def test_arbitrary_bins(edges, returns):
    step = fitted(ArbitraryDiscretiser({"a": edges, "n": edges}, **returns), X)
    checked(step, X)
    checked(step, around(edges))


@pytest.mark.parametrize("returns", RETURNS)
def test_numbers_outside_of_all_bins_are_refused_where_the_option_says_so(returns):
    step = fitted(ArbitraryDiscretiser({"a": [0.1, 2, 1000]}, errors="raise", **returns), X)
    checked(step, X)
    outside = X.assign(a=[*X["a"][:-1], 0.05])
    check_refused(step, outside, "found 0.05 in column 'a', expected a number from 0.1 to 1000.0")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [EqualWidthDiscretiser, DecisionTreeDiscretiser])
def test_missing_and_infinite_numbers_are_refused(kind, bad):
    check_refused(fitted(kind(variables=["a"]), X, Y), X.assign(a=[*X["a"][:-1], bad]), "expected a finite number")


def test_edges_that_do_not_rise_are_refused():
    step = fitted(ArbitraryDiscretiser({"a": [5, 2, 9]}), X)
    with pytest.raises(NoPlanError, match=r"found edges \[5.0, 2.0, 9.0\] of column 'a', expected each above"):
        transform(step, _inputs(), Builder())


def test_edges_that_float64_does_not_hold_are_refused_for_integers():
    step = fitted(ArbitraryDiscretiser({"n": [0, 2**53, 2**54]}), X)
    with pytest.raises(NoPlanError, match="found edges beyond"):
        transform(step, _inputs(), Builder())


@pytest.mark.parametrize("precision", [None, 1, 3])
@pytest.mark.parametrize(("regression", "y"), [(True, Y), (False, BINARY)])
def test_tree_predictions(precision, regression, y):
    scoring = "neg_mean_squared_error" if regression else "accuracy"
    grid = {"max_depth": [3]}
    options = {"param_grid": grid, "scoring": scoring, "cv": 2, "random_state": 0}
    step = fitted(DecisionTreeDiscretiser(regression=regression, precision=precision, **options), X, y)
    tree = step.binner_dict_["a"].best_estimator_.tree_
    checked(step, X)
    rows = around(tree.threshold[tree.feature == 0])
    checked(step, rows.assign(a=rows["a"].clip(-1e38, 1e38)))


def test_tree_of_one_leaf():
    step = fitted(DecisionTreeDiscretiser(param_grid={"min_samples_leaf": [9]}, cv=2), X, Y)
    assert set(checked(step, X)["a"]) == {Y.mean()}


@pytest.mark.parametrize("output", ["bin_number", "boundaries"])
def test_bins_of_a_tree(output):
    step = fitted(DecisionTreeDiscretiser(bin_output=output, precision=2, cv=2, random_state=0), X, Y)
    checked(step, X)
    checked(step, around(step.binner_dict_["a"]))


def test_numbers_that_a_tree_cannot_hold_are_refused():
    step = fitted(DecisionTreeDiscretiser(variables=["a", "n"], cv=2), X, Y)
    with pytest.warns(RuntimeWarning, match="overflow"):
        check_refused(step, X.assign(a=[*X["a"][:-1], 1e39]), "found inf in column 'a', expected a finite number")
    with pytest.raises(InputError, match="expected an integer below"):
        check_transformer(step, X.assign(n=[*X["n"][:-1], 2**53 + 1]))


def test_edges_on_the_other_side_are_found(monkeypatch):
    def wrong(number, edges, labels, build):
        return build.apply("search", number, edges=edges, side="right") - 1

    monkeypatch.setattr(fe_discretisation, "_cut", wrong)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(ArbitraryDiscretiser({"n": [0, 4, 99]}), X), X)


def test_one_swapped_leaf_is_found(monkeypatch):
    right = fe_discretisation._leaves

    def wrong(tree, leaf_value):
        edges, values = right(tree, leaf_value)
        return edges, values[::-1]

    monkeypatch.setattr(fe_discretisation, "_leaves", wrong)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(DecisionTreeDiscretiser(cv=2), X, Y), X)


def _inputs():
    build = Builder()
    return {"a": build.input("a", "float64"), "n": build.input("n", "int64"), "word": build.input("word", "str")}
