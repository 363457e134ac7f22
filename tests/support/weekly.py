"""The project of `depot` in git with a store, retrained week by week: trips up to a date, whose roads become slower."""

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from depot import RESEARCH, Depot, write_depot
from harbours import commit, git, person

FIRST = date(2026, 11, 1)
A_DAY = 12
"""Trips of each day."""
QUERY = "select id, distance, stops, minutes from trips where day <= :as_of order by id"
PIPELINE = """#| export
import pandas as pd
from pydantic import BaseModel, Field
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib import BaseParams, sql

TARGET = "minutes"
METRIC = ("error", "minimize")


class Row(BaseModel):
    id: int
    distance: float = Field(allow_inf_nan=False)
    stops: int


class Params(BaseParams):
    as_of: str


def load(params):
    return sql("depot", "{query}", params={{"as_of": params.as_of}})


def split(frame, params):
    X, y = frame.drop(columns=TARGET), frame[TARGET]
    return X.iloc[:-120], X.iloc[-120:], y.iloc[:-120], y.iloc[-120:]


def build(params):
    return Pipeline([("scale", StandardScaler()), ("model", LinearRegression())])


def metrics(target, predictions, params):
    return {{"error": float(abs(target - predictions).mean())}}
"""


@dataclass(frozen=True)
class Weekly:
    """The checkout, and its commands as those of `depot`."""

    depot: Depot

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.depot.root

    def write_trips(self, slower_from: date, days: int = 30) -> None:
        """Replace the trips: from a day on each takes longer."""
        with sqlite3.connect(self.depot.database) as database:
            database.execute("drop table if exists trips")
            database.execute("create table trips (id integer, day text, distance real, stops integer, minutes real)")
            for number in range(days * A_DAY):
                day = FIRST + timedelta(days=number // A_DAY)
                distance, stops = 1.5 * (number * 31 % 97) + 1, number % 7
                minutes = 2.0 * distance + 3 * stops + (number * 37 % 11)
                minutes += 0.5 * distance * (day >= slower_from)
                row = (number, day.isoformat(), distance, stops, minutes)
                database.execute("insert into trips values (?, ?, ?, ?, ?)", row)
        database.close()


def write_weekly(folder: Path) -> Weekly:
    """Write the project, export and commit it; the store is a folder next to it."""
    depot = write_depot(folder)
    (folder / "store").mkdir()
    settings = depot.root / "settings.ini"
    settings.write_text(settings.read_text() + "store = ../store\n")
    (depot.root / "params" / "trips.yml").write_text("as_of: '2026-11-16'\n")
    (depot.root / ".gitignore").write_text("runs/\n__pycache__/\n")
    depot.write_notebook("pipelines/trips.ipynb", "#| default_exp pipelines.trips", PIPELINE.format(query=QUERY))
    depot.write_notebook("research/trips.ipynb", 'as_of = "2026-11-16"', RESEARCH, parameters=True)
    ended = depot.command("export")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    git(depot.root, "init", "--quiet", "--initial-branch=main")
    person(depot.root, "Anna")
    commit(depot.root)
    weekly = Weekly(depot)
    weekly.write_trips(slower_from=date(2026, 11, 10))
    return weekly
