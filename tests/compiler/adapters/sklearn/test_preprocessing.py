"""Scalers, bins, polynomials, splines and functions of scikit-learn: their own results, the same bits everywhere."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, plan_dtype, same_bits
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.fidelity import check_step
from pipeline_lib.errors import InputError

NAN = math.nan
RNG = np.random.default_rng(5)
FIT = pd.DataFrame(
    {
        "wide": RNG.lognormal(3, 2, 60),
        "count": RNG.integers(-4, 9, 60),
        "flag": RNG.random(60) < 0.4,
        "same": np.full(60, 7.25),
    }
)
ROWS = pd.concat(
    [
        FIT.head(20),
        pd.DataFrame(
            {
                "wide": [0.0, -0.0, 1e-300, 1e9],
                "count": [0, 99, -99, 1],
                "flag": [True] * 4,
                "same": [7.25, 7.5, 0.0, -3.0],
            }
        ),
    ],
    ignore_index=True,
)
GAPS = ROWS.assign(wide=ROWS["wide"].mask(ROWS.index % 5 == 0), same=ROWS["same"].mask(ROWS.index % 7 == 3))
POSITIVE = FIT[["wide", "same"]]
SCALERS = [
    MinMaxScaler(),
    MinMaxScaler(feature_range=(-2, 0.3), clip=True),
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    MaxAbsScaler(),
    MaxAbsScaler(clip=True),
    RobustScaler(),
    RobustScaler(with_centering=False, unit_variance=True),
    RobustScaler(with_scaling=False, quantile_range=(10, 80)),
    PowerTransformer(),
    PowerTransformer(standardize=False),
    QuantileTransformer(n_quantiles=20),
    QuantileTransformer(n_quantiles=60, output_distribution="normal"),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_scalers_keep_missing_values_and_constant_columns(scaler):
    scaler.fit(FIT)
    check_transformer(scaler, ROWS)
    check_transformer(scaler, GAPS)
    check_transformer(scaler, ROWS.head(1))


@pytest.mark.parametrize(
    "scaler", [StandardScaler(with_mean=False), MaxAbsScaler(), RobustScaler(with_centering=False)], ids=str
)
def test_dense_columns_are_divided_to_the_last_bit(scaler):
    scaler.fit(FIT)
    build = Builder()
    inputs = {name: build.input(name, plan_dtype(ROWS[name])) for name in ROWS}
    distance = check_step(
        "t", lambda c, b: list(transform(scaler, dict(c), b).values()), inputs, ROWS, scaler.transform(ROWS)
    )
    assert distance.ulps == 0


@pytest.mark.parametrize("scaler", [StandardScaler(), QuantileTransformer(n_quantiles=5), PowerTransformer()], ids=str)
def test_infinite_numbers_are_refused_as_the_library_does(scaler):
    scaler.fit(FIT)
    rows = ROWS.assign(wide=ROWS["wide"].replace(1e9, math.inf))
    with pytest.raises(ValueError, match="infinity"):
        scaler.transform(rows)
    with pytest.raises(InputError, match="found inf in column 'wide', expected a finite or missing number"):
        written(scaler, rows)


def written(step, rows):
    """The plan's columns for `rows`, without the library."""
    return same_bits(lambda columns, build: transform(step, dict(columns), build), rows)


def test_box_cox_takes_positive_numbers_alone():
    power = PowerTransformer(method="box-cox").fit(POSITIVE + RNG.random((60, 2)))
    check_transformer(power, POSITIVE.mask(POSITIVE.index.to_series() % 4 == 1))
    with pytest.raises(InputError, match=r"PowerTransformer: found 0\.0 in column 'wide', expected a number above 0"):
        written(power, POSITIVE.assign(wide=0.0))


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_are_normalised_unless_they_vanish(norm):
    rows = pd.DataFrame(
        {"a": [3.0, 0.0, 1e-16, -1e200, 5e-324], "b": [-4.0, -0.0, 0.0, 1e199, 0.0], "c": [1, 0, 0, 2, 0]}
    )
    check_transformer(Normalizer(norm=norm).fit(rows), rows)
    wide = pd.DataFrame(RNG.normal(size=(9, 40))).add_prefix("c")
    check_transformer(Normalizer(norm=norm).fit(wide), wide)


def test_binarizer_and_missing():
    binarizer = Binarizer(threshold=0.5).fit(FIT)
    check_transformer(binarizer, ROWS)
    with pytest.raises(InputError, match="found a missing value in column 'wide'"):
        written(binarizer, GAPS)


def test_quantiles_repeat_at_ties():
    ties = pd.DataFrame({"x": [0.0] * 20 + [1.0] * 20 + [2.0, 3.0, 3.0, 9.0]})
    rows = pd.DataFrame({"x": [-1.0, 0.0, 5e-8, 0.5, 1.0, 2.5, 3.0, 9.0 - 5e-8, 9.0, 10.0, NAN]})
    for output in ("uniform", "normal"):
        check_transformer(QuantileTransformer(n_quantiles=15, output_distribution=output).fit(ties), rows)


@pytest.mark.parametrize("encode", ["ordinal", "onehot", "onehot-dense"])
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("dtype", [None, np.float32])
def test_bins(encode, strategy, dtype):
    numbers = FIT[["wide", "count"]]
    bins = KBinsDiscretizer(
        n_bins=3, encode=encode, strategy=strategy, dtype=dtype, quantile_method="averaged_inverted_cdf"
    ).fit(numbers)
    edges = pd.DataFrame({"wide": [*bins.bin_edges_[0], -1.0, 1e12], "count": 1})
    check_transformer(bins, pd.concat([numbers, edges]))
    with pytest.raises(InputError, match="found a missing value"):
        written(bins, GAPS[["wide", "count"]])


@pytest.mark.parametrize("degree", [0, 1, 2, 3, (2, 3), (0, 2)])
@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("include_bias", [False, True])
def test_polynomials_have_the_bits_of_the_library(degree, interaction_only, include_bias):
    if degree == 0 and not include_bias:
        pytest.skip("the library refuses it")
    numbers = FIT[["wide", "count", "same"]]
    polynomial = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=include_bias).fit(numbers)
    check_transformer(polynomial, ROWS[["wide", "count", "same"]])


@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic"])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("handle_missing", ["error", "zeros"])
def test_splines_within_and_beyond_their_knots(extrapolation, degree, include_bias, handle_missing):
    fitted_on = pd.DataFrame({"a": np.linspace(0, 1, 30), "b": np.linspace(-3, 8, 30) ** 3, "c": np.arange(30)})
    spline = SplineTransformer(
        degree=degree, extrapolation=extrapolation, include_bias=include_bias, handle_missing=handle_missing
    ).fit(fitted_on)
    beyond = pd.DataFrame(
        {"a": [-0.5, 0.0, 1.0, 1.5, 0.33], "b": [-99.0, -27.0, 512.0, 600.0, 0.0], "c": [-3, 0, 29, 40, 11]}
    )
    if (extrapolation, degree) == ("constant", 0):  # the library itself fails above the last knot
        with pytest.raises(InputError, match=r"found 1\.5 in column 'a', expected a number up to 1\.0"):
            written(spline, beyond)
        beyond = beyond.drop(index=3)
    if handle_missing == "zeros":
        beyond.loc[4, "a"] = NAN
    check_transformer(spline, pd.concat([fitted_on, beyond], ignore_index=True))


def test_splines_refuse_numbers_beyond_their_knots():
    numbers = pd.DataFrame({"a": np.linspace(0, 1, 30)})
    spline = SplineTransformer(extrapolation="error", sparse_output=True).fit(numbers)
    check_transformer(spline, numbers)
    with pytest.raises(
        InputError, match=r"SplineTransformer: found 1.5 in column 'a', expected a number from 0.0 to 1.0"
    ):
        written(spline, pd.DataFrame({"a": [1.5]}))


@pytest.mark.parametrize(
    "function",
    [None, np.log1p, np.abs, np.square, np.sqrt, np.negative, np.floor, np.sin, np.exp, np.cbrt, np.rint],
)
def test_known_functions(function):
    rows = pd.DataFrame({"a": [0.0, -0.5, 2.5, 12.75, NAN, math.inf], "b": [3, -2, 0, 2**40, 1, 2]})
    with np.errstate(all="ignore"):
        check_transformer(FunctionTransformer(function).fit(rows), rows)


def test_functions_that_no_plan_knows_are_refused():
    build = Builder()
    with pytest.raises(NoPlanError, match="FunctionTransformer: found func="):
        transform(FunctionTransformer(lambda x: x), {"a": build.input("a", "float64")}, build)
    with pytest.raises(NoPlanError, match="found kw_args="):
        transform(FunctionTransformer(np.log, kw_args={"where": True}), {"a": build.input("a", "float64")}, build)
    with pytest.raises(NoPlanError, match=r"found str column 'a', expected numbers for np\.log"):
        transform(FunctionTransformer(np.log), {"a": build.input("a", "str")}, build)


def test_text_is_no_number():
    build = Builder()
    scaler = StandardScaler().fit(FIT[["wide"]])
    with pytest.raises(NoPlanError, match="StandardScaler: found str column 'wide', expected numbers"):
        transform(scaler, {"wide": build.input("wide", "str")}, build)
    with pytest.raises(NoPlanError, match="found 2 columns, expected the 1 it was fitted with"):
        transform(scaler, {"wide": build.input("wide", "float64"), "b": build.input("b", "float64")}, build)


def test_an_adapter_that_ignores_an_option_is_refused(monkeypatch):
    scaler = MinMaxScaler(clip=True).fit(FIT)
    monkeypatch.setattr(Builder, "clip", lambda build, value, low, high: value)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(scaler, ROWS)


def test_one_ulp_in_a_learned_number_is_seen():
    scaler = StandardScaler().fit(FIT)
    other = StandardScaler().fit(FIT)
    other.scale_ = np.nextafter(other.scale_, np.inf)
    build = Builder()
    inputs = {name: build.input(name, plan_dtype(ROWS[name])) for name in ROWS}
    with pytest.raises(InputError, match=r"expected .* as the library computes it"):
        check_step("t", lambda c, b: list(transform(other, dict(c), b).values()), inputs, ROWS, scaler.transform(ROWS))
