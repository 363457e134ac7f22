import itertools

import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.creation import (
    CyclicalFeatures,
    DecisionTreeFeatures,
    GeoDistanceFeatures,
    MathFeatures,
    RelativeFeatures,
)
from plans import named

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import creation as fe_creation
from pipeline_lib.compiler.adapters.feature_engine import statistics as fe_statistics
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

NAN, INF = np.nan, np.inf
WHOLE = pd.DataFrame({"a": [1, 2, 2**62, 4, -3], "b": [2, 3, 2**62, 5, -3], "c": [2, 2, 2**62, -7, 0]})
MIXED = pd.DataFrame(
    {
        "a": [1.5, NAN, NAN, -0.0, 3.0, 0.1, 1e308, -7.5],
        "b": [2, 3, 4, 0, 3, 7, 1, 9],
        "c": [NAN, NAN, 1.0, 0.0, 3.0, 0.7, 1e308, 2.25],
        "d": [0.1, 0.2, 0.3, 0.4, -6.0, 1e-3, 5e-324, 1e16],
    }
)
ENDLESS = pd.DataFrame(
    {"a": [INF, INF, INF, NAN], "b": [1.0, -INF, -INF, NAN], "c": [INF, 1.0, NAN, NAN], "d": [1.0, 2.0, 3.0, NAN]}
)
DRAWN = pd.DataFrame(
    np.random.default_rng(0).lognormal(0.0, 4.0, (60, 9)) * np.random.default_rng(1).choice([-1.0, 1.0, NAN], (60, 9)),
    columns=list("abcdefghi"),
)
FUNCTIONS = [name for name in fe_statistics.STATISTICS if not name.startswith("numpy_")]
CALLABLES = list(fe_creation._CALLABLES)
LISTS = [["sum"], ["sum", "min", "count"], ["min", "max", "median"], ["std", "var", "sem", "mean"], [np.sum, np.mean]]


@pytest.mark.parametrize("function", [*FUNCTIONS, *CALLABLES, *LISTS], ids=named)
@pytest.mark.parametrize("rows", [WHOLE, MIXED, ENDLESS, DRAWN], ids=["whole", "mixed", "endless", "drawn"])
def test_statistics_of_a_row(function, rows):
    result = checked(fitted(MathFeatures(list(rows), func=function, missing_values="ignore"), rows), rows)
    assert len(result.columns) > len(rows.columns)


@pytest.mark.parametrize(
    ("function", "dtype"), [("sum", "int64"), ("max", "int64"), ("mean", "float64"), ("any", "bool")]
)
def test_whole_numbers_stay_whole_where_pandas_keeps_them(function, dtype):
    names = ["made"]
    result = checked(fitted(MathFeatures(["a", "b"], func=function, new_variables_names=names), WHOLE), WHOLE)
    assert str(result["made"].dtype) == dtype


@pytest.mark.parametrize("options", [{"drop_original": True}, {"new_variables_names": ["x", "y"]}])
def test_statistics_of_complete_rows(options):
    rows = DRAWN[["a", "b", "c"]].dropna().reset_index(drop=True)
    step = fitted(MathFeatures(["a", "c"], func=["sum", "std"], **options), rows)
    checked(step, rows)
    check_refused(step, pd.DataFrame({"a": [1.0, NAN], "b": [1.0, 1.0], "c": 2.0}), "a missing value in column 'a'")
    check_refused(step, pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 1.0], "c": [1.0, INF]}), "inf in column 'c'")


@pytest.mark.parametrize("function", ["mode", "skew", "idxmax", len, max, ["sum", "any"]], ids=named)
def test_statistics_without_a_plan_are_refused_by_name(function):
    step = fitted(MathFeatures(["a", "b"], func=function), WHOLE)
    build = Builder()
    with pytest.raises(NoPlanError, match="MathFeatures: found func"):
        transform(step, {name: build.input(name, "int64") for name in WHOLE}, build)


PAIRS = pd.DataFrame(
    {
        "i": [1, 2, -7, 5, 0, 2**40],
        "f": [1.5, NAN, -INF, 0.1, -0.0, 3.0],
        "j": [2, -3, 2, 1, 5, 7],
        "g": [2.5, 0.5, -3.0, NAN, INF, 1e-300],
    }
)


@pytest.mark.parametrize("function", ["add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow"])
@pytest.mark.parametrize("fill_value", [None, -9.5, 3])
@pytest.mark.parametrize("reference", ["j", "g"])
def test_pairs(function, fill_value, reference):
    rows = PAIRS.assign(j=PAIRS["j"].abs()) if function == "pow" else PAIRS
    step = RelativeFeatures(["i", "f"], [reference], [function], fill_value=fill_value)
    result = checked(fitted(step, rows), rows)
    whole = reference == "j" and function not in ("div", "truediv")
    filled = function in ("floordiv", "mod") and fill_value is not None
    assert str(result[f"i_{function}_{reference}"].dtype) == ("int64" if whole and not filled else "float64")


@pytest.mark.parametrize("function", ["div", "truediv", "floordiv", "mod"])
@pytest.mark.parametrize("zero", [0, -0.0])
def test_division_by_zero_is_filled_or_refused(function, zero):
    rows = PAIRS.assign(j=[*PAIRS["j"][:-1], zero])
    checked(fitted(RelativeFeatures(["i", "f"], ["j"], [function], fill_value=7), rows), rows)
    step = fitted(RelativeFeatures(["i"], ["j"], [function]), PAIRS.astype({"j": rows["j"].dtype}))
    check_refused(step, rows, "found -?0(.0)? in column 'j', expected a number to divide by")


def test_whole_numbers_have_no_negative_powers():
    step = fitted(RelativeFeatures(["i"], ["j"], ["pow"]), PAIRS)
    check_refused(step, PAIRS.iloc[:2], "found -3 in column 'j'")


def test_powers_of_whole_numbers_wrap_around():
    pairs = list(itertools.product([0, 1, -1, 3, -7, 2**40, 2**63 - 1, -(2**63)], [0, 1, 2, 3, 41, 63, 64, 2**62]))
    rows = pd.DataFrame(pairs, columns=["a", "b"], dtype="int64")
    checked(fitted(RelativeFeatures(["a"], ["b"], ["pow"]), rows), rows)


@pytest.mark.parametrize("function", ["floordiv", "mod"])
def test_quotients_of_every_special_number(function):
    numbers = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.1, 7.0, 5e-324, 1e308, -1e308, INF, -INF, NAN]
    pairs = [(a, b) for a, b in itertools.product(numbers, numbers) if b != 0]
    rows = pd.DataFrame(pairs, columns=["a", "b"])
    checked(fitted(RelativeFeatures(["a"], ["b"], [function]), rows), rows)


def test_several_pairs_at_once():
    rows = PAIRS.iloc[[0, 5]].reset_index(drop=True)
    step = RelativeFeatures(["i", "f"], ["j", "g"], ["sub", "add"], missing_values="raise", drop_original=True)
    checked(fitted(step, rows.assign(k=1)), rows.assign(k=1))
    check_refused(fitted(step, rows), PAIRS.iloc[:2], "a missing value in column 'f'")


@pytest.mark.parametrize("options", [{}, {"max_values": {"hour": 24, "day": 6.5}}, {"drop_original": True}])
def test_cycles(options):
    rows = pd.DataFrame({"hour": range(24), "day": np.linspace(-3.0, 3.5, 24)})
    checked(fitted(CyclicalFeatures(**options), rows), rows)
    step = fitted(CyclicalFeatures(["day"]), rows)
    check_refused(step, rows.iloc[:1].assign(day=NAN), "a missing value in column 'day'")
    check_refused(step, rows.iloc[:1].assign(day=-INF), "-inf in column 'day'")


PLACES = pd.DataFrame(
    {
        "lat": [51.5, 0.0, -90.0, 48.85, 10.0],
        "lon": [0.0, 179.0, 0.0, 2.35, 20.0],
        "lat2": [48.85, 0.0, 90.0, 48.85, -10.0],
        "lon2": [2.35, -179.0, 0.0, 2.3500001, -160.0],
    }
)


@pytest.mark.parametrize("method", ["haversine", "euclidean", "manhattan"])
@pytest.mark.parametrize("unit", ["km", "miles", "meters", "feet"])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_distances_on_earth(method, unit, dtype):
    rows = PLACES.astype(dtype).assign(x=1)
    step = GeoDistanceFeatures(
        "lat", "lon", "lat2", "lon2", method=method, output_unit=unit, drop_original=unit == "km"
    )
    checked(fitted(step, rows), rows)


def test_places_are_present_but_need_not_be_on_earth():
    step = fitted(GeoDistanceFeatures("lat", "lon", "lat2", "lon2", output_col="apart"), PLACES)
    checked(step, PLACES.assign(lat=[200.0, INF, -INF, 90.0, 1e10]))
    check_refused(step, PLACES.iloc[:1].assign(lon=NAN), "a missing value in column 'lon'")


GROWN = pd.DataFrame(
    {"a": np.arange(60.0) % 7, "b": np.arange(60) % 5, "c": np.sin(np.arange(60.0)), "y": np.arange(60) % 7 * 1.3}
)


@pytest.mark.parametrize("combine", [None, 1, [1, 3], ("a", ("b", "c"))])
@pytest.mark.parametrize("precision", [None, 1])
def test_trees_of_columns(combine, precision):
    rows = GROWN[["a", "b", "c"]]
    step = DecisionTreeFeatures(features_to_combine=combine, precision=precision, cv=2, param_grid={"max_depth": [3]})
    checked(fitted(step, rows, GROWN["y"]), rows)


@pytest.mark.parametrize("labels", [[0, 1], [2, 5, 9]])
@pytest.mark.parametrize("precision", [None, 2])
def test_trees_of_classes(labels, precision):
    rows, y = GROWN[["a", "b", "c"]], np.array(labels)[(GROWN["c"] * 3).round().astype(int) % len(labels)]
    step = DecisionTreeFeatures(["a", "c"], precision=precision, cv=2, scoring="accuracy", regression=False)
    checked(fitted(step, rows, y), rows)
    check_refused(step, rows.iloc[:1].assign(a=NAN), "a missing value in column 'a'")


@pytest.mark.parametrize("name", ["sum", "std", "min"])
def test_a_wrong_formula_is_found(name, monkeypatch):
    monkeypatch.setitem(fe_statistics.STATISTICS, name, fe_statistics.STATISTICS["mean"])
    with pytest.raises(InputError, match="as the library computes it"):
        checked(fitted(MathFeatures(["a", "b"], func=name, missing_values="ignore"), MIXED), MIXED)


def test_an_ignored_option_is_found():
    step = fitted(RelativeFeatures(["i"], ["j"], ["div"], fill_value=7), PAIRS)
    rows = PAIRS.assign(j=0)
    expected = step.transform(rows)
    step.fill_value = 8.0
    build = Builder()
    result = transform(step, {name: build.input(name, "float64") for name in PAIRS}, build)
    assert expected["i_div_j"].eq(7).all()
    assert result["i_div_j"].dtype == "float64"
    step.transform = lambda rows: expected
    with pytest.raises(InputError, match=r"found 8\.0 from the plan"):
        checked(step, rows)


def test_whole_numbers_where_the_library_has_fractions_are_found(monkeypatch):
    monkeypatch.setitem(fe_statistics.STATISTICS, "median", fe_statistics.STATISTICS["min"])
    rows = pd.DataFrame({"a": [1, 4], "b": [2, 5]})
    with pytest.raises(InputError, match="found values of dtype float64 from the library, expected int64"):
        checked(fitted(MathFeatures(["a", "b"], func="median"), rows), rows)
