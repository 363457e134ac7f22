import warnings

import numpy as np
import pytest
from estimators import X, Y, refused
from plans import check_estimator, named
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
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


def test_a_target_transformer_without_inverse_plan_is_refused():
    model = TransformedTargetRegressor(KNeighborsRegressor(), transformer=OneHotEncoder(sparse_output=False))
    refused(model.fit(X, X["count"]), "found a target transformer without an inverse plan, expected one of")


def test_a_function_without_inverse_plan_is_refused():
    model = TransformedTargetRegressor(Ridge(), func=np.cbrt, inverse_func=lambda x: x**3, check_inverse=False)
    refused(model.fit(X, Y), "found inverse_func=.*expected np.exp")
