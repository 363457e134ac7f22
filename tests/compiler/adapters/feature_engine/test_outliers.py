import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.outliers import ArbitraryOutlierCapper, OutlierTrimmer, Winsorizer
from plans import check_transformer

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import outliers as fe_outliers
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

X = pd.DataFrame(
    {
        "a": [1.0, 2.0, 3.0, 4.0, 5.5, -0.0, 7.0, 8.0],
        "n": [1, 2, 3, 4, 5, 6, 7, 90],
        "word": [*"abcdefgh"],
    }
)
FAR = X.assign(a=X["a"] * -1e6, n=X["n"] * 1000 - 5000)
GAPS = X.assign(a=[1.0, np.nan, 3.0, np.inf, 5.5, -np.inf, 7.0, 1e300])


@pytest.mark.parametrize("method", ["gaussian", "iqr", "quantiles", "mad"])
@pytest.mark.parametrize("tail", ["left", "right", "both"])
@pytest.mark.parametrize("indicators", [False, True])
def test_winsorizer(method, tail, indicators):
    step = fitted(Winsorizer(method, tail, add_indicators=indicators), X)
    checked(step, X)
    checked(step, FAR)


@pytest.mark.parametrize("indicators", [False, True])
def test_missing_and_infinite_numbers_that_are_let_through(indicators):
    step = fitted(Winsorizer("iqr", "both", 0.1, indicators, missing_values="ignore"), X)
    result = checked(step, GAPS)
    assert np.isnan(result["a"][1])
    assert result["a"][3] == step.right_tail_caps_["a"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", [Winsorizer(), ArbitraryOutlierCapper({"a": 4})])
def test_missing_and_infinite_numbers_are_refused(step, bad):
    check_refused(fitted(step, X), X.assign(a=[*X["a"][:-1], bad]), "in column 'a', expected a finite number")


@pytest.mark.parametrize(
    ("most", "least"),
    [
        ({"a": 4, "n": 5}, None),
        (None, {"a": 2.5, "n": 2.5}),
        ({"n": 5.0}, {"a": 2}),
        ({"a": 0.0, "n": 4.5}, {"a": 3.0, "n": 6}),
        ({"a": np.inf, "n": 2.0**60}, {"a": float("nan")}),
    ],
)
@pytest.mark.parametrize("missing", ["raise", "ignore"])
def test_arbitrary_caps(most, least, missing):
    step = fitted(ArbitraryOutlierCapper(most, least, missing), X)
    checked(step, X)
    checked(step, FAR)


def test_whole_caps_keep_integers_exact():
    rows = pd.DataFrame({"n": [2**60 + 1, 7, -(2**60) - 1]})
    step = fitted(ArbitraryOutlierCapper(min_capping_dict={"n": 8}), rows)
    assert checked(step, rows)["n"].tolist() == [2**60 + 1, 8, 8]


def test_float32_numbers():
    rows = X.astype({"a": "float32"})
    checked(fitted(Winsorizer("iqr", "both"), rows), rows)


def test_trimmer_is_refused():
    with pytest.raises(RefusedStepError, match="drops rows, expected one row out for each row in"):
        transform(fitted(OutlierTrimmer(), X), _inputs(), Builder())


def test_an_indicator_named_like_a_column_is_refused():
    rows = X.assign(a_right=1.0)
    step = fitted(Winsorizer(variables=["a"], add_indicators=True), rows)
    with pytest.raises(NoPlanError, match="second column 'a_right'"):
        transform(step, _inputs() | {"a_right": Builder().input("a_right", "float64")}, Builder())


def test_swapped_caps_are_found(monkeypatch):
    right = fe_outliers._clip
    monkeypatch.setattr(
        fe_outliers,
        "_clip",
        lambda operation, *rest: right({"smaller": "larger", "larger": "smaller"}[operation], *rest),
    )
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(ArbitraryOutlierCapper({"a": 4}), X), X)


def _inputs():
    build = Builder()
    return {"a": build.input("a", "float64"), "n": build.input("n", "int64"), "word": build.input("word", "str")}
