"""Columns of float32: scikit-learn computes in it, and a plan rounds where it does or stays within its digits."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import HuberRegressor, Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import all_estimators

from pipeline_lib.compiler.adapters.sklearn import linear as linear_adapters
from pipeline_lib.compiler.adapters.sklearn import preprocessing as scaler_adapters
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.float32_values import _WIDENING, kept_float32, note_float32
from pipeline_lib.errors import InputError

ROWS = 150
_RNG = np.random.default_rng(8)
NUMBERS = pd.DataFrame(
    {
        "a": _RNG.normal(size=ROWS) * 3 + 7,
        "b": _RNG.normal(size=ROWS) * 100,
        "k": _RNG.integers(0, 5, ROWS),
        "m": _RNG.lognormal(size=ROWS),
    }
).astype("float32")
TARGET = (NUMBERS["a"] - NUMBERS["b"] / 50 + _RNG.normal(size=ROWS)).to_numpy(float)
CLASSES = np.digitize(TARGET, [4, 8])
WORDS = _RNG.choice(["red", "green", "blue"], ROWS)


def sample(values: Sequence[Any], count: int) -> list[Any]:
    """The first values for every run of the tests, the others for the slow one."""
    return [*values[:count], *(pytest.param(value, marks=pytest.mark.slow) for value in values[count:])]


def compiled(fitted: Any, rows: Any = NUMBERS) -> Any:
    """The compiled pipeline, one row of which has the bits of the batch."""
    model = compile_pipeline(fitted, like=rows)
    alone = [model.predict_row(row) for row in rows.head(20).to_dict("records")]
    assert alone == model.predict(rows.head(20)).tolist()
    return model


STEPS = [
    StandardScaler(),
    QuantileTransformer(n_quantiles=20, output_distribution="normal"),
    StandardScaler(with_mean=False),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    RobustScaler(),
    QuantileTransformer(n_quantiles=20),
    PolynomialFeatures(2),
    SplineTransformer(),
    SimpleImputer(),
]


@pytest.mark.parametrize("step", sample(STEPS, 2), ids=str)
@pytest.mark.parametrize("final", [HuberRegressor(), DecisionTreeRegressor(random_state=0)], ids=["sum", "tree"])
def test_steps_of_fixed_order_have_the_bits_of_the_library(step: Any, final: Any) -> None:
    """Both estimators compute in float64, so that a bit of float32 that differs before them would be seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make_pipeline(clone(step), final).fit(NUMBERS, TARGET)
    report = compiled(fitted).report
    assert report.steps[0].ulps == 0
    assert not any(each.float32 for each in report.steps)
    assert report.outputs[0].reason in ("", "rounding")


REGRESSORS = [
    LinearRegression(),
    make_pipeline(PCA(2), Ridge()),
    Ridge(),
    Lasso(0.1),
    MLPRegressor(hidden_layer_sizes=(4,), random_state=0),
]


@pytest.mark.parametrize("final", sample(REGRESSORS, 1), ids=str)
def test_sums_of_float32_agree_within_its_digits_and_the_report_says_so(final: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make_pipeline(StandardScaler(), final).fit(NUMBERS, TARGET)
    assert fitted.predict(NUMBERS).dtype == np.float32
    model = compiled(fitted)
    found = model.predict(NUMBERS)
    assert np.array_equal(found, found.astype("float32"))  # float32 like the library's
    np.testing.assert_allclose(found, fitted.predict(NUMBERS), rtol=1e-5, atol=1e-5)
    output = model.report.outputs[0]
    assert 0 < output.changed < ROWS
    assert output.reason == "float32"
    assert "float32 in the library" in str(model.report)
    assert model.report.exact


CLASSIFIERS = [LogisticRegression(max_iter=2000), SGDClassifier(random_state=0), GaussianNB(), SVC()]


@pytest.mark.parametrize("final", sample(CLASSIFIERS, 1), ids=str)
@pytest.mark.parametrize("scaled", [True, False])
def test_labels_of_float32(final: Any, scaled: bool) -> None:
    fitted = make_pipeline(*([StandardScaler()] if scaled else []), final).fit(NUMBERS, CLASSES)
    model = compiled(fitted)
    assert model.predict(NUMBERS).tolist() == fitted.predict(NUMBERS).tolist()
    assert all(output.reason in ("", "rounding", "float32") for output in model.report.outputs)


def test_rounding_that_a_step_enlarges_is_named_not_refused() -> None:
    """The library's dual weights cancel: its own float32 answers are off in the fourth digit."""
    fitted = KernelRidge().fit(NUMBERS, TARGET)
    output = compiled(fitted).report.outputs[0]
    assert output.relative > 1e-6
    assert (output.reason, output.detail) == ("float32", "float32 in the library, in step kernelridge")


def columns_of_both(final: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(sparse_output=False)
    return make_pipeline(make_column_transformer((numbers, list(NUMBERS)), (words, ["word"])), *final)


def test_a_float64_column_beside_them_makes_one_array_of_float64() -> None:
    """The scaler inside computes in float32, what follows in float64."""
    rows = NUMBERS.assign(word=WORDS)
    rows.loc[::7, "a"] = np.nan
    fitted = columns_of_both([SelectKBest(f_regression, k=3), StandardScaler(), LinearRegression()]).fit(rows, TARGET)
    report = compiled(fitted, rows).report
    assert [step.float32 for step in report.steps] == [False] * 4
    assert report.outputs[0].reason in ("", "rounding")


@pytest.mark.parametrize("dtype", sample(["bool", "float64", "int64", "int8"], 1))
def test_other_columns_of_a_frame(dtype: str) -> None:
    rows = NUMBERS.assign(other=(NUMBERS["k"] > 2).astype(dtype))
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(rows, TARGET)
    report = compiled(fitted, rows).report
    assert report.steps[1].float32 == (dtype in ("bool", "int8"))


@pytest.mark.parametrize("dtype", sample(["Float32", "float[pyarrow]"], 1))
def test_nullable_float32_is_float64_to_scikit_learn(dtype: str) -> None:
    rows = NUMBERS.astype(dtype)
    report = compiled(make_pipeline(StandardScaler(), Ridge()).fit(rows, TARGET), rows).report
    assert not any(step.float32 for step in report.steps)


@pytest.mark.parametrize("step", sample([Normalizer(), PowerTransformer(), FunctionTransformer(np.log1p)], 1), ids=str)
def test_steps_whose_float32_functions_are_their_own(step: Any) -> None:
    rows = NUMBERS.abs()
    fitted = make_pipeline(step, StandardScaler(), HuberRegressor()).fit(rows, TARGET)
    report = compiled(fitted, rows).report
    assert report.steps[0].float32
    assert 0 < report.steps[0].share <= 1
    assert report.outputs[0].reason == "float32"


@pytest.mark.slow
def test_a_union_of_float32() -> None:
    final = LogisticRegression(max_iter=2000)
    fitted = make_pipeline(make_union(StandardScaler(), PCA(2)), final).fit(NUMBERS, CLASSES)
    model = compiled(fitted)
    np.testing.assert_allclose(model.predict_proba(NUMBERS), fitted.predict_proba(NUMBERS), rtol=1e-4)


@pytest.mark.parametrize("share", sample([1e-5, 1e-4], 1))
def test_a_wrong_weight_is_seen(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    right = linear_adapters.float64_of
    monkeypatch.setattr(linear_adapters, "float64_of", lambda step, name: right(step, name) * (1 + share))
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(NUMBERS, TARGET)
    with pytest.raises(InputError, match=r"step ridge, predict.*cannot be compiled faithfully"):
        compile_pipeline(fitted, like=NUMBERS)


def test_a_wrong_centre_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = scaler_adapters.centred_and_scaled
    monkeypatch.setattr(
        scaler_adapters,
        "centred_and_scaled",
        lambda step, columns, mean, scale, build: right(step, columns, mean * np.float32(1.00001), scale, build),
    )
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(NUMBERS, TARGET)
    with pytest.raises(InputError, match=r"step standardscaler, column 0.*cannot be compiled faithfully"):
        compile_pipeline(fitted, like=NUMBERS)


def keeps_float32(kind: type) -> bool | None:
    """Whether a transformer's output for float32 columns is float32; None where it does not take them."""
    rows = NUMBERS.abs()[["a", "m"]] / 200 + np.float32(0.1)
    try:
        output = kind().fit(rows, CLASSES).transform(rows)
    except (TypeError, ValueError, AttributeError):
        return None
    return bool(getattr(output, "dtype", None) == np.float32 or set(getattr(output, "dtypes", [])) == {np.dtype("f4")})


@pytest.mark.slow
def test_transformers_that_keep_float32_are_known() -> None:
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, kind in all_estimators(type_filter="transformer"):
            keeps = keeps_float32(kind)
            if keeps is not None:
                found[name] = keeps
    assert len(found) > 40
    assert {name for name, keeps in found.items() if not keeps} <= set(_WIDENING.split())
    assert not {name for name, keeps in found.items() if keeps} & set(_WIDENING.split())


def test_what_is_noted_follows_the_library() -> None:
    build = Builder()
    columns = {name: build.input(name, "float64") for name in ("a", "m")}
    note_float32(columns, NUMBERS[["a", "m"]].assign(m=1.0))
    assert kept_float32(StandardScaler(), columns, columns, build) == columns  # one of them is float64
    note_float32(columns, NUMBERS[["a", "m"]])
    rounded = kept_float32(StandardScaler(), columns, {"z": columns["a"] + 1.0}, build)
    assert build.nodes[rounded["z"].node].operation == "round32"
    assert kept_float32(OneHotEncoder(), columns, columns, build) == columns
