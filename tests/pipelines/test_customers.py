"""The step over purchases and the campaign pipeline: few literal households by hand, then some of the real ones."""

import math
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.pipelines import customers
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.split_tables import as_rows
from pipeline_lib.steps.purchases import PurchaseFeatures

Frames = dict[str, pd.DataFrame]
PARAMS: dict[str, Any] = {
    "test_share": 0.4,
    "seed": 0,
    "window": {"until": "2017-10-30", "weeks": 20, "departments": 6},
    "encoding": {"rare_share": 0.02},
    "estimator": {"strength": 0.02, "max_iter": 1000},
    "business": {"mailing": 1.5, "response": 6.0},
}
GIVEN = customers.Params.model_validate(PARAMS)


def bought(household: int, day: str, dollars: float, product: int, basket: int, **more: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{day}T12:00:00")
    plain = {"store_id": 1, "retail_disc": 0.0, "coupon_disc": 0.0}
    keys = {"household_id": household, "basket_id": basket, "product_id": product}
    return keys | plain | {"sales_value": dollars, "transaction_timestamp": at} | more


def small() -> Frames:
    """Two weeks before 15 January: one household of two baskets, one without purchases, one outside the window."""
    rows = [
        bought(1, "2017-01-01", 10.1, 11, 1, coupon_disc=1.0),
        bought(1, "2017-01-01", 20.2, 12, 1, retail_disc=9.7),
        bought(1, "2017-01-09", 60.0, 99, 2, store_id=2),
        bought(3, "2016-12-31", 5.0, 11, 3),
        bought(3, "2017-01-15", 5.0, 11, 4),
    ]
    return {
        "households": pd.DataFrame({"household_id": [2, 1, 3], "size": ["1", "2", "1"]}, index=[7, 8, 9]),
        "transactions": pd.DataFrame(rows).astype({"transaction_timestamp": "datetime64[us]"}),
        "products": pd.DataFrame({"product_id": [12, 11], "department": ["MEAT", "GROCERY"]}),
    }


def step(**changes: Any) -> PurchaseFeatures:
    return PurchaseFeatures(**{"until": "2017-01-15", "weeks": 2, "departments": 2, **changes})


def test_features_are_what_their_names_say() -> None:
    features = step().fit_transform(small())
    assert features.index.to_list() == [7, 8, 9]
    assert features.loc[8].to_dict() == {
        "size": "2", "baskets": 2, "items": 3, "products": 3, "stores": 2, "spent": 90.3, "basket": 45.15,
        "recency": 6, "tenure": 14, "trend": 29.7, "coupons": 1 / 3, "discount": 970 / 10_000, "MEAT": 2020 / 9030,
        "GROCERY": 1010 / 9030,
    }  # fmt: skip


@pytest.mark.parametrize("household", [7, 9])
def test_without_purchases_in_the_window_all_is_zero_and_long_ago(household: int) -> None:
    features = step().fit_transform(small()).loc[household].drop("size")
    assert features.pop("recency") == 14
    assert features.pop("tenure") == 0
    assert set(features) == {0.0}


def test_fewer_departments_keep_those_with_the_largest_spending() -> None:
    fitted = step(departments=1).fit(small())
    assert fitted.departments_ == ["MEAT"]
    assert list(fitted.get_feature_names_out()) == list(fitted.transform(small()))
    assert list(fitted.get_feature_names_out())[-1] == "MEAT"


def test_only_fitting_reads_the_catalogue_and_nothing_that_goes_in_is_changed() -> None:
    tables = small()
    fitted = step().fit(tables)
    whole = fitted.transform(tables)
    del tables["products"]
    assert fitted.transform(tables).equals(whole)
    assert all(tables[name].equals(small()[name]) for name in tables)


def test_a_clone_has_the_same_parameters_and_is_not_fitted() -> None:
    copy = clone(step(weeks=5).fit(small()))
    assert copy.get_params() == {"until": "2017-01-15", "weeks": 5, "departments": 2}
    for ask in (lambda: copy.transform(small()), copy.get_feature_names_out):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize(
    ("changes", "tables", "message"),
    [
        ({"until": "15.1.2017"}, {}, r"until='15\.1\.2017', expected a day"),
        ({"weeks": 1}, {}, "expected at least 2 weeks"),
        ({"departments": 0}, {}, "1 department"),
        ({}, {"products": None}, "expected a mapping of the frames households, transactions, products"),
        ({}, {"transactions": pd.DataFrame({"household_id": [1]})}, "transactions: found no store_id, basket_id"),
        ({}, {"households": pd.DataFrame({"household_id": [4, 4]})}, "found household_id 4 twice"),
    ],
)
def test_what_it_cannot_answer_is_refused(changes: Any, tables: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step(**changes).fit(small() | tables)
    with pytest.raises(InputError, match="found list, expected a mapping"):
        step().fit([])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def parts() -> Any:
    """A tenth of the households: enough to meet missing demographics and every department."""
    tables = customers.load()
    few = tables["households"].iloc[::10]
    own = tables["transactions"][tables["transactions"]["household_id"].isin(few["household_id"])]
    return customers.split(tables | {"households": few, "transactions": own}, GIVEN)


@pytest.fixture(scope="module")
def fitted(parts: Any) -> Pipeline:
    return customers.build(GIVEN).fit(parts[0], parts[2])


@pytest.fixture(scope="module")
def model(parts: Any, fitted: Pipeline) -> CompiledPipeline:
    return compile_pipeline(fitted, like=parts[0], row=schema_of(customers.Row))


def test_each_side_has_the_purchases_of_its_own_households(parts: Any) -> None:
    for tables, target in (parts[0], parts[2]), (parts[1], parts[3]):
        assert set(tables["transactions"]["household_id"]) <= set(tables["households"]["household_id"])
        assert tables["households"].index.equals(target.index)
    assert not set(parts[0]["households"]["household_id"]) & set(parts[1]["households"]["household_id"])


def test_the_pipeline_is_exact_and_its_features_are_the_library_s_own(model: CompiledPipeline) -> None:
    assert model.report is not None
    assert model.exact
    assert all(each.exact for each in model.report.steps)
    assert [each.ulps for each in model.report.steps if each.name == "purchases"] == [0.0]
    assert "transactions.quantity" not in model.reads


def test_one_household_alone_and_shuffled_purchases_get_the_bits_of_the_batch(
    parts: Any, model: CompiledPipeline
) -> None:
    table = conform(parts[1], model.row)
    batch = model.predict_proba(parts[1])
    rows = as_rows(table.slice(0, 12), model.row)
    assert [model.predict_proba_row(row) for row in rows] == [tuple(row) for row in batch[:12].tolist()]
    shuffled = parts[1] | {"transactions": parts[1]["transactions"].sample(frac=1, random_state=3)}
    first, second = (model.evaluate(each, steps=True) for each in (table, shuffled))
    assert first_difference(first.steps["purchases"], second.steps["purchases"]) is None
    assert first_difference(first.outputs, second.outputs) is None


def test_later_purchases_change_nothing_and_a_household_without_any_is_answered(
    parts: Any, model: CompiledPipeline
) -> None:
    bought = parts[1]["transactions"]
    before = bought[bought["transaction_timestamp"] < GIVEN.window.until]
    assert len(before) < len(bought)
    assert (model.predict_proba(parts[1] | {"transactions": before}) == model.predict_proba(parts[1])).all()
    fields = model.row.tables[0].names
    silent = {"households": dict.fromkeys(fields) | {"household_id": 1}, "transactions": []}
    assert model.trace_row(silent)["purchases"]["spent"] == 0.0
    assert 0 < model.predict_proba_row(silent)[1] < customers.break_even(GIVEN)


def test_metrics_count_dollars() -> None:
    chances = [[0.2, 0.8], [0.7, 0.3], [0.9, 0.1], [0.8, 0.2]]
    values = customers.metrics([1, 0, 0, 0], [1, 1, 0, 0], GIVEN, chances)
    assert (values["profit"], values["profit_all"], values["gain"]) == (0.75, 0.0, 0.75)
    assert math.isfinite(values["log_loss"])
    with pytest.raises(InputError, match="expected each of the classes 0, 1"):
        customers.metrics([1, 1], [1, 1], GIVEN, np.ones((2, 2)))


def test_a_campaign_without_households_is_refused() -> None:
    with pytest.raises(InputError, match="found campaign 99"):
        customers.load(99)
