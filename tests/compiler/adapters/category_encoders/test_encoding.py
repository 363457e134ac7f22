"""Encoders of category_encoders: the library's numbers for known, missing and unseen categories, in every executor."""

import warnings
from typing import Any

import category_encoders as ce
import numpy as np
import pandas as pd
import pytest
from category_encoders.glmm import GLMMEncoder
from fe_plans import check_refused, checked, fitted
from matrices import sample
from plans import check_transformer, named
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from pipeline_lib import compile_pipeline, load_model
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")  # which the library still sets

ROWS = 60
rng = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "city": rng.choice(["Lyon", "Graz", "Łódź", "Åre"], ROWS, p=[0.5, 0.3, 0.15, 0.05]),
        "area": rng.normal(size=ROWS),
        "size": rng.choice(["S", "M", "L"], ROWS),
        "code": rng.integers(1, 4, ROWS),
    }
).astype({"city": "str", "size": "str"})
Y = pd.Series(np.round(X["area"] * 10 + X["city"].str.len()))
BINARY = (Y.median() < Y).astype(int)
UNSEEN = X.assign(city=["Oslo", "Rome", *X["city"][2:]])
MISSING = X.assign(city=[None, *X["city"][1:-1], None], size=["S", None, *X["size"][2:]]).astype({"city": "str"})
BY_VALUE = (
    ce.OrdinalEncoder,
    ce.OneHotEncoder,
    ce.BinaryEncoder,
    ce.BaseNEncoder,
    ce.GrayEncoder,
    ce.RankHotEncoder,
    ce.CountEncoder,
    ce.SumEncoder,
    ce.HelmertEncoder,
    ce.PolynomialEncoder,
    ce.BackwardDifferenceEncoder,
    ce.TargetEncoder,
    ce.LeaveOneOutEncoder,
    ce.JamesSteinEncoder,
    ce.MEstimateEncoder,
    ce.CatBoostEncoder,
    ce.QuantileEncoder,
    ce.SummaryEncoder,
)
BY_CLASS = (ce.WOEEncoder, GLMMEncoder, ce.CountTargetEncoder)
ENCODERS = (*BY_VALUE, *BY_CLASS)


def target(kind: type) -> pd.Series:
    """The target of an encoder: some take two classes only."""
    return BINARY if kind in BY_CLASS else Y


def fit(kind: type, rows: pd.DataFrame = X, **options: Any) -> Any:
    return fitted(kind(**options), rows, target(kind))


def agrees(step: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """The plan's columns: the library's numbers and names, the same bits in every executor; not asked on edge rows."""
    made = check_transformer(step, rows, edge_rows=False)
    assert list(made) == list(map(str, step.transform(rows).columns))
    return made


every_encoder = pytest.mark.parametrize("kind", ENCODERS, ids=lambda kind: kind.__name__)
some_encoders = pytest.mark.parametrize("kind", sample(ENCODERS, every=4), ids=lambda kind: kind.__name__)


@every_encoder
def test_categories_missing_and_unseen_ones_get_the_library_s_numbers(kind: type) -> None:
    step = fit(kind)
    checked(step, X)
    agrees(step, UNSEEN)
    agrees(step, MISSING)


@some_encoders
def test_missing_may_be_a_category_of_the_training_rows(kind: type) -> None:
    step = fit(kind, MISSING)
    agrees(step, MISSING)
    agrees(step, X)
    agrees(step, UNSEEN)


@some_encoders
def test_values_may_become_missing(kind: type) -> None:
    step = fit(kind, handle_missing="return_nan", handle_unknown="return_nan")
    made = agrees(step, UNSEEN)
    assert made.isna().any().any()
    agrees(step, MISSING)


@pytest.mark.parametrize("kind", sample([kind for kind in ENCODERS if kind is not ce.CountEncoder], every=4))
def test_missing_and_unseen_rows_are_refused_where_the_encoder_refuses_them(kind: type) -> None:
    step = fit(kind, handle_missing="error", handle_unknown="error")
    agrees(step, X)
    check_refused(step, UNSEEN.iloc[[2, 0]].reset_index(drop=True), "'city'")
    check_refused(step, MISSING.iloc[[2, 0]].reset_index(drop=True), "missing value in column 'city'")


@pytest.mark.slow
@every_encoder
@pytest.mark.parametrize("dtype", ["object", "category"])
def test_text_may_be_stored_in_any_way(kind: type, dtype: str) -> None:
    rows = X.astype({"city": dtype, "size": dtype})
    agrees(fit(kind, rows), rows)


@some_encoders
def test_numbers_are_categories_where_the_encoder_is_asked_for_them(kind: type) -> None:
    step = fit(kind, cols=["code", "size"])
    agrees(step, X)
    agrees(step, X.assign(code=[9, -4, *X["code"][2:]]))
    half = X.assign(code=X["code"] / 2)
    agrees(fit(kind, half, cols=["code"]), half.assign(code=[np.nan, 0.25, *half["code"][2:]]))


@some_encoders
def test_columns_that_never_vary_may_be_dropped(kind: type) -> None:
    rows = X.assign(size="S").astype({"size": "str"})
    agrees(fit(kind, rows, drop_invariant=True), rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [
        ce.OneHotEncoder(use_cat_names=True),
        ce.OneHotEncoder(handle_unknown="indicator", handle_missing="indicator", use_cat_names=True),
        ce.OneHotEncoder(handle_missing="ignore"),
        ce.OrdinalEncoder(cols=["city"], mapping=[{"col": "city", "mapping": {"Lyon": 5, "Graz": 2}}]),
        ce.BinaryEncoder(handle_unknown="indicator", handle_missing="indicator"),
        ce.BaseNEncoder(base=3),
        ce.BaseNEncoder(base=1),
        ce.HelmertEncoder(handle_unknown="indicator", handle_missing="indicator"),
        ce.CountEncoder(normalize=True),
        ce.CountEncoder(min_group_size=10),
        ce.CountEncoder(min_group_size=0.2, min_group_name="rest", combine_min_nan_groups="force"),
        ce.CountEncoder(handle_unknown=-1),
        ce.TargetEncoder(min_samples_leaf=1, smoothing=1.0),
        ce.TargetEncoder(handle_unknown=-3.5, handle_missing=-4.5),
        ce.TargetEncoder(min_group_size=10),
        ce.JamesSteinEncoder(model="pooled"),
        ce.MEstimateEncoder(m=5.0),
        ce.CatBoostEncoder(a=2.0),
        ce.LeaveOneOutEncoder(sigma=0.3, random_state=0),
        ce.QuantileEncoder(quantile=0.25, m=0.0),
        ce.SummaryEncoder(quantiles=(0.1, 0.5, 0.9)),
    ],
    ids=named,
)
def test_options(step: Any) -> None:
    for training in (X, MISSING):
        fitted(step, training, Y)
        for rows in (X, MISSING, UNSEEN):
            agrees(step, rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [
        ce.JamesSteinEncoder(model="beta"),
        ce.JamesSteinEncoder(model="binary"),
        ce.WOEEncoder(regularization=0.5),
        ce.MEstimateEncoder(randomized=True, random_state=0),
        ce.WOEEncoder(randomized=True, sigma=0.5, random_state=0),
        GLMMEncoder(binomial_target=True),
    ],
    ids=named,
)
def test_options_for_two_classes(step: Any) -> None:
    fitted(step, X, BINARY)
    for rows in (X, MISSING, UNSEEN):
        agrees(step, rows)


def test_a_column_for_each_of_several_classes() -> None:
    step = fitted(ce.CountTargetEncoder(), X, np.searchsorted([-5, 5], Y))
    assert agrees(step, UNSEEN).shape[1] == 8


def test_count_encoder_refuses_what_it_has_not_counted() -> None:
    step = fit(ce.CountEncoder, handle_unknown="error")
    agrees(step, X)
    check_refused(step, UNSEEN.iloc[[2, 0]].reset_index(drop=True), "'city'")


def test_an_array_has_the_same_columns() -> None:
    step = fit(ce.SumEncoder, return_df=False)
    build = Builder()
    made = transform(
        step, {name: build.input(name, "str" if name in ("city", "size") else "float64") for name in X}, build
    )
    assert len(made) == step.transform(X).shape[1]


def test_columns_of_several_others_have_no_look_up() -> None:
    step = fit(ce.TargetEncoder, composite_cols=[("city", "size")])
    build = Builder()
    columns = {name: build.input(name, "str" if name in ("city", "size") else "float64") for name in X}
    with pytest.raises(NoPlanError, match="composite_cols"):
        transform(step, columns, build)


def test_a_category_that_is_no_text_in_a_column_of_text_is_refused() -> None:
    rows = X.astype({"city": object})
    rows.loc[0, "city"] = 7
    step = fit(ce.CountEncoder, rows)
    build = Builder()
    with pytest.raises(NoPlanError, match="found category 7 of str column 'city'"):
        transform(
            step, {name: build.input(name, "str" if name in ("city", "size") else "float64") for name in X}, build
        )


@every_encoder
def test_a_pipeline_goes_to_production(kind: type, tmp_path: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(kind(), Ridge()).fit(X, target(kind))
        model = compile_pipeline(pipeline, like=X)
        expected = pipeline.predict(UNSEEN)
    assert model.exact
    model.save(tmp_path / "artifact")
    loaded = load_model(tmp_path / "artifact")
    batch = loaded.predict(UNSEEN)
    np.testing.assert_allclose(batch, expected, rtol=1e-12)
    assert [loaded.predict_row(row) for row in UNSEEN.to_dict("records")] == batch.tolist()


def test_a_wrong_number_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline_lib.compiler.adapters.category_encoders.answers import Encoder

    honest = Encoder._transform
    monkeypatch.setattr(Encoder, "_transform", lambda self, values: honest(self, values) + 1e-9)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        agrees(fit(ce.TargetEncoder), X)
