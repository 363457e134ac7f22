import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.transformation import (
    ArcSinhTransformer,
    ArcsinTransformer,
    BoxCoxTransformer,
    LogCpTransformer,
    LogTransformer,
    PowerTransformer,
    ReciprocalTransformer,
    YeoJohnsonTransformer,
)
from plans import check_transformer

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import transformation as fe_transformation
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

ABOVE = pd.DataFrame(
    {
        "a": [1e-300, 0.001, 0.5, 1.0, 1.5, 7.25, 1e5, 1e300, 5e-324, 1.7976931348623157e308],
        "n": [1, 2, 3, 4, 5, 6, 7, 8, 9, 2**60],
        "word": [*"abcdefghij"],
    }
)
SIGNED = ABOVE.assign(a=[-1e30, -7.5, -1.0, -1e-9, -0.0, 0.0, 1e-9, 0.5, 3.0, 1e30], n=[*range(-5, 5)])
SHARES = pd.DataFrame({"a": [0.0, 1.0, 0.5, 1e-300, 0.25, 1 - 2**-53, -0.0], "word": [*"abcdefg"]})
STEPS = [
    (LogTransformer(), ABOVE),
    (LogTransformer(base="10"), ABOVE),
    (LogTransformer(variables=["a"]), ABOVE),
    (LogCpTransformer(), SIGNED.assign(a=SIGNED["a"].clip(-9, 9))),
    (LogCpTransformer(base="10"), SIGNED.assign(a=SIGNED["a"].clip(1e-9, 9))),
    (LogCpTransformer(C=1e31), SIGNED),
    (LogCpTransformer(C={"n": 6}), SIGNED),
    (LogCpTransformer(C={"n": 6, "a": 1.25e30}, base="10"), SIGNED),
    (ReciprocalTransformer(), ABOVE),
    (ReciprocalTransformer(), SIGNED.assign(a=[-1e300, *range(1, 10)], n=[-1, *range(1, 10)])),
    (BoxCoxTransformer(variables=["n"]), ABOVE),
    (BoxCoxTransformer(), ABOVE.assign(a=ABOVE["n"] / 7, n=ABOVE["n"].clip(upper=10))),
    (YeoJohnsonTransformer(), SIGNED.assign(a=SIGNED["a"].clip(-9, 9))),
    (ArcsinTransformer(), SHARES),
    (ArcSinhTransformer(), SIGNED),
    (ArcSinhTransformer(loc=2, scale=0.1), ABOVE),
    (ArcSinhTransformer(variables=["n"], loc=-1.5, scale=3), SIGNED),
]


@pytest.mark.parametrize(("step", "rows"), STEPS)
def test_transformers_are_within_their_bounds(step, rows):
    checked(fitted(step, rows), rows)


@pytest.mark.parametrize(("step", "rows"), STEPS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_and_infinite_numbers_are_refused(step, rows, bad):
    column = "n" if step.get_params()["variables"] == ["n"] or getattr(step, "C", None) == {"n": 6} else "a"
    worse = rows.astype({column: float})
    worse.iloc[-1, worse.columns.get_loc(column)] = bad
    check_refused(fitted(step, rows), worse, f"in column '{column}', expected a finite number; correct the row")


@pytest.mark.parametrize("exp", [2, 0.5, -1, 1, 0, 3, -0.5, 1 / 3, 10, -2.5, True])
def test_powers(exp):
    checked(fitted(PowerTransformer(exp=exp), SIGNED), SIGNED)
    checked(fitted(PowerTransformer(exp=exp), ABOVE), ABOVE)


@pytest.mark.parametrize("exp", [2, 0.5, -1, 1, 0])
def test_powers_with_a_short_cut_have_the_librarys_bits(exp):
    rows = pd.DataFrame({"a": np.random.default_rng(0).lognormal(0, 9, 1000)})
    step = fitted(PowerTransformer(exp=exp), rows)
    result = checked(step, rows)
    assert (result["a"] == step.transform(rows)["a"]).all()


@pytest.mark.parametrize("lmbda", [0.0, 2.0, 1.0, -1.5, 3.5, 0.18, 1e-17, 2 + 1e-16, -12.55])
def test_yeo_johnson_of_every_lambda(lmbda):
    rows = SIGNED.drop(columns="n")
    step = fitted(YeoJohnsonTransformer(), rows.assign(a=range(10)))
    step.lambda_dict_ = {"a": lmbda}
    checked(step, rows)


@pytest.mark.parametrize("lmbda", [0.0, 1e-20, 1e-18, 0.18, -0.18, 1.0, -1.0, 2.5, -3.0])
def test_box_cox_of_every_lambda(lmbda):
    rows = ABOVE.drop(columns="n")
    step = fitted(BoxCoxTransformer(), rows.assign(a=range(1, 11)))
    step.lambda_dict_ = {"a": lmbda}
    checked(step, rows)


@pytest.mark.parametrize(
    ("step", "rows", "bad", "match"),
    [
        (LogTransformer(variables=["a"]), ABOVE, 0.0, "found 0.0 in column 'a', expected a number above 0"),
        (
            LogTransformer(base="10", variables=["a"]),
            ABOVE,
            -1.0,
            "found -1.0 in column 'a', expected a number above 0",
        ),
        (LogCpTransformer(variables=["a"], C=2e30), SIGNED, -2e30, "expected a number above -2e[+]30"),
        (BoxCoxTransformer(variables=["n"]), ABOVE, 0, "found 0.0 in column 'n', expected a number above 0"),
        (
            ReciprocalTransformer(variables=["a"]),
            ABOVE,
            -0.0,
            "found -0.0 in column 'a', expected a number other than 0",
        ),
        (ArcsinTransformer(), SHARES, 1.0000000000000002, "in column 'a', expected a number from 0 to 1; correct"),
        (ArcsinTransformer(), SHARES, -5e-324, "in column 'a', expected a number from 0 to 1; correct"),
    ],
)
def test_numbers_that_a_function_is_not_defined_for_are_refused(step, rows, bad, match):
    column = "n" if isinstance(step, BoxCoxTransformer) else "a"
    check_refused(fitted(step, rows), rows.assign(**{column: [*rows[column][:-1], bad]}), match)


def test_arcsine_of_integers_is_refused():
    step = fitted(ArcsinTransformer(), pd.DataFrame({"n": [0, 1]}))
    with pytest.raises(NoPlanError, match="found int64 column 'n', expected float"):
        transform(step, {"n": Builder().input("n", "int64")}, Builder())


@pytest.mark.parametrize("step", [LogTransformer(), LogCpTransformer(), PowerTransformer(), ReciprocalTransformer()])
def test_float32_is_cast_before(step):
    rows = pd.DataFrame({"a": np.array([0.1, 2.0, 3.3], dtype=np.float32)})
    checked(fitted(step, rows), rows)


@pytest.mark.parametrize("step", [ArcsinTransformer(), YeoJohnsonTransformer()])
def test_float32_arithmetic_is_refused(step):
    rows = pd.DataFrame({"a": np.array([0.1, 0.2, 0.33], dtype=np.float32)})
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(step, rows), rows)


def test_another_base_is_found(monkeypatch):
    monkeypatch.setattr(fe_transformation, "_log", lambda base: "log")
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(LogTransformer(base="10"), ABOVE), ABOVE)


def test_a_lambda_that_is_a_little_off_is_found(monkeypatch):
    right = fe_transformation.yeo_johnson_value
    monkeypatch.setattr(
        fe_transformation, "yeo_johnson_value", lambda x, power, build: right(x, power * (1 + 1e-13), build)
    )
    rows = pd.DataFrame({"a": [-1e5, 2e-5, 3e5]})
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(fitted(YeoJohnsonTransformer(), rows), rows)
