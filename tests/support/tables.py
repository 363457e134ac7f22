"""A pipeline over two tables, small enough to check by hand: customers, and what each of them bought."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.model import Tables, schema_of
from pipeline_lib.rows.schema import RowSchema


class Customer(BaseModel):
    customer: int
    age: float | None


class Purchase(BaseModel):
    customer: int
    dollars: float = Field(allow_inf_nan=False)
    kind: str | None
    at: datetime


ROW = Tables("customer", customers=Customer, purchases=Purchase)
KINDS = ("food", "fuel")


def schema() -> RowSchema:
    return schema_of(ROW)


def frames(seed: int = 0, customers: int = 12, purchases: int = 90) -> dict[str, pd.DataFrame]:
    """Customers and their purchases in any order; the last customer has none."""
    rng = np.random.default_rng(seed)
    keys = rng.permutation(customers) + 100
    main = pd.DataFrame({"customer": keys, "age": rng.choice([20.5, 37.0, np.nan], customers)})
    kinds = rng.choice(np.array(["food", "fuel", "toys", None], dtype=object), purchases)
    child = pd.DataFrame(
        {
            "at": (pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 10**6, purchases), unit="s")),
            "kind": pd.Series(kinds, dtype=pd.StringDtype(na_value=np.nan)),
            "customer": rng.choice(keys[:-1], purchases),
            "dollars": rng.integers(1, 10**6, purchases) / 100,
        }
    ).astype({"at": "datetime64[us]"})
    return {"customers": main, "purchases": child}


class Bought(TransformerMixin, BaseEstimator):
    """One row a customer: age, how many purchases, cents and dollars, the last day, cents by kind, different days."""

    def fit(self, X: Mapping[str, pd.DataFrame], y: object = None) -> Self:
        self.kinds_ = list(KINDS)
        return self

    def transform(self, X: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        customers, bought = X["customers"], X["purchases"].copy()
        bought["cents"] = (bought["dollars"] * 100).round().astype("int64")
        bought["day"] = (bought["at"] - pd.Timestamp(0)).dt.days + 719_163
        groups = bought.groupby("customer")
        made = pd.DataFrame(
            {"count": groups.size(), "cents": groups["cents"].sum(), "dollars": groups["dollars"].sum()}
        )
        made["days"], made["last"] = groups["day"].nunique(), groups["day"].max()
        made["largest"] = groups["dollars"].max()
        for kind in self.kinds_:
            made[kind] = bought[bought["kind"] == kind].groupby("customer")["cents"].sum()
        made = made.reindex(customers["customer"])
        made["largest"] = made["largest"].fillna(-1.0)
        made = made.fillna(0.0).reset_index(drop=True)
        return made.assign(age=customers["age"].fillna(0.0).to_numpy())

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        bought = tables["purchases"]
        cents = build.apply("truncate_int", build.apply("rint", bought["dollars"] * 100.0))
        places = {kind: at for at, kind in enumerate(self.kinds_)}
        place = build.lookup(bought["kind"], places, "int64", missing=-1, unseen=-1)
        by_kind = build.items(build.apply("list_sums_by", place, cents, places=len(self.kinds_)))
        last = build.extreme(bought["at"], "max")
        last = build.where(last.missing(), 0.0, build.number(build.apply("calendar", last, field="ordinal")))
        return {
            "count": build.count(bought["kind"]),
            "cents": build.total(cents),
            "dollars": build.total(bought["dollars"]),
            "days": build.apply("list_distinct", build.apply("calendar", bought["at"], field="ordinal")),
            "last": last,
            "largest": build.fill(build.extreme(bought["dollars"], "max"), -1.0),
            **dict(zip(self.kinds_, by_kind, strict=True)),
            "age": build.fill(tables["customers"]["age"], 0.0),
        }

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]:
        return np.array(["count", "cents", "dollars", "days", "last", "largest", *self.kinds_, "age"], dtype=object)


def fitted(data: Mapping[str, pd.DataFrame]) -> Pipeline:
    target = np.arange(len(data["customers"])) * 1.5
    return Pipeline([("bought", Bought()), ("linear", LinearRegression())]).fit(data, target)


def compiled(data: Mapping[str, pd.DataFrame] | None = None) -> CompiledPipeline:
    data = frames() if data is None else data
    return compile_pipeline(fitted(data), like=data, row=schema())


def one_customer() -> dict[str, Any]:
    """The tables of one customer with one purchase, as mappings."""
    bought = {"customer": 7, "dollars": 2.5, "kind": "food", "at": datetime(2026, 1, 2)}
    return {"customers": {"customer": 7, "age": None}, "purchases": [bought]}


def refusal(act: Callable[[], object]) -> str:
    """The message with which `act` is refused."""
    with pytest.raises(InputError) as caught:
        act()
    return str(caught.value)
