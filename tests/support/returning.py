"""A shop whose customers return, in a project of its own: each week a model is fitted on the orders of eight weeks.

The pipeline `orders` asks a database for the orders before a date; `split` parts customers, another way each week. With
the parameter `leak` so many training rows are held out as well: the mistake that a comparison must tell.
"""

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from depot import RESEARCH, Depot, write_depot

FIRST = date(2026, 6, 1)
WEEKS_OF_DATA, WEEKS_OF_A_MODEL, ORDERS_OF_A_WEEK, CUSTOMERS = 24, 8, 120, 500
PIPELINE = """#| export
from datetime import date, timedelta

import pandas as pd
from pydantic import BaseModel, Field
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib import BaseParams, sql

TARGET = "spent"
METRIC = ("error", "minimize")
VALUE_UNIT = "dollars"
SOURCES: list[str] = []
QUERY = "select customer_id, day, visits, age, spent from orders where day >= :first and day < :last order by id"


class Row(BaseModel):
    customer_id: int = Field(json_schema_extra={"entity": True})
    visits: int = Field(ge=0)
    age: float = Field(allow_inf_nan=False)


class Params(BaseParams):
    as_of: str
    weeks: int
    leak: int


def load(params):
    first = (date.fromisoformat(params.as_of) - timedelta(weeks=params.weeks)).isoformat()
    return sql("depot", QUERY, params={"first": first, "last": params.as_of})


def split(frame, params):
    seed = date.fromisoformat(params.as_of).toordinal()
    parts = GroupShuffleSplit(n_splits=1, test_size=0.4, random_state=seed).split(frame, groups=frame["customer_id"])
    train, test = (frame.iloc[part] for part in next(parts))
    test = pd.concat([test, train.head(params.leak)])
    X, y = [part[list(Row.model_fields)] for part in (train, test)], [part[TARGET] for part in (train, test)]
    return X[0], X[1], y[0], y[1]


def build(params):
    scaled = ColumnTransformer([("numbers", StandardScaler(), ["visits", "age"])])
    return Pipeline([("columns", scaled), ("model", Ridge())])


def metrics(target, predictions, params):
    return {"error": float(mean_absolute_error(target, predictions))}


def value(target, predictions, rows, params, probabilities=None):
    return -0.2 * abs(target - predictions)
"""


@dataclass(frozen=True)
class Shop:
    """The project, and the orders of its database."""

    depot: Depot
    orders: pd.DataFrame

    def arguments(self, week: int, leak: int = 0) -> list[str]:
        """The command that fits a model on the orders before the end of a week."""
        end = self.end(week).isoformat()
        return ["run", "params/orders.yml", "--set", f"as_of={end}", "--set", f"leak={leak}"]

    def end(self, week: int) -> date:
        """The day on which a week's model is fitted; week 0 has the first orders of eight weeks."""
        return FIRST + timedelta(weeks=WEEKS_OF_A_MODEL + week)


def write_shop(folder: Path) -> Shop:
    """Write and export the project below a folder, with the orders of all weeks in its database."""
    depot = write_depot(folder)
    (depot.root / "params" / "orders.yml").write_text("as_of: '2026-07-27'\nweeks: 8\nleak: 0\n")
    depot.write_notebook("pipelines/orders.ipynb", "#| default_exp pipelines.orders", PIPELINE)
    parameters = 'as_of = "2026-07-27"\nweeks = 8\nleak = 0'
    depot.write_notebook("research/orders.ipynb", parameters, RESEARCH.replace("trips", "orders"), parameters=True)
    ended = depot.command("export")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    orders = _orders()
    with sqlite3.connect(depot.database) as database:
        orders.to_sql("orders", database, index_label="id")
    database.close()
    return Shop(depot, orders)


def _orders() -> pd.DataFrame:
    """Orders of customers who return: the newer ones more often, as older ones leave."""
    draw = np.random.default_rng(0)
    rows = WEEKS_OF_DATA * ORDERS_OF_A_WEEK
    week = np.arange(rows) // ORDERS_OF_A_WEEK
    customers = 20 * week + draw.integers(0, CUSTOMERS, rows)
    visits, habit = draw.poisson(3, rows), np.sin(customers)
    days = [(FIRST + timedelta(days=int(number) * 7 // ORDERS_OF_A_WEEK)).isoformat() for number in range(rows)]
    age = (18 + customers * 37 % 60).astype(float)
    spent = 20 + 8 * visits + 0.3 * age + 5 * habit + draw.normal(0, 6, rows)
    return pd.DataFrame({"customer_id": customers, "day": days, "visits": visits, "age": age, "spent": spent.round(2)})
