"""A small project of its own whose pipeline `trips` loads its rows by a query of the connection `depot`."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

ROWS = 60
QUERY = "select distance, stops, minutes from trips where distance < :farthest order by id"
_SETTINGS = """[project]
lib_name = lorries
nbs_path = nbs
params_path = params
runs_path = runs
"""
_NBDEV = """[tool.nbdev]
lib_path = "lorries"
nbs_path = "nbs"
allowed_cell_metadata_keys = ["tags"]
"""
PIPELINE = """#| export
import pandas as pd
from pydantic import BaseModel, Field
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib import BaseParams, sql

TARGET = "minutes"
SOURCES: list[str] = []


class Row(BaseModel):
    distance: float = Field(allow_inf_nan=False)
    stops: int


class Params(BaseParams):
    farthest: float


def load(params):
    return sql("depot", "{query}", params={{"farthest": params.farthest}})


def split(frame, params):
    X, y = frame.drop(columns=TARGET), frame[TARGET]
    return X.iloc[:-10], X.iloc[-10:], y.iloc[:-10], y.iloc[-10:]


def build(params):
    return Pipeline([("scale", StandardScaler()), ("model", LinearRegression())])


def metrics(target, predictions, params):
    return {{"error": float(abs(target - predictions).mean())}}
"""
RESEARCH = """from lorries.pipelines import trips
from pipeline_lib import start_run

run = start_run(trips, globals())
X_train, X_test, y_train, y_test = trips.split(trips.load(run.params), run.params)
run.compile(trips.build(run.params).fit(X_train, y_train), like=X_train, target=y_train)
run.metrics(trips.metrics(y_test, run.evidence(X_test, y_test), run.params))
"""


@dataclass(frozen=True)
class Depot:
    """The project's folder, its database outside of it, and its commands."""

    root: Path
    database: Path

    @property
    def url(self) -> str:
        """The address of the connection `depot`."""
        return f"sqlite:///{self.database}"

    def write_rows(self, rows: int = ROWS, first: int = 0) -> None:
        """Replace the rows of the table `trips`."""
        with sqlite3.connect(self.database) as database:
            database.execute("drop table if exists trips")
            database.execute("create table trips (id integer, distance real, stops integer, minutes real)")
            numbers = range(first, first + rows)
            values = [(n, 1.5 * n + 1, n % 7, 2.0 * n + 3 * (n % 7) + (n * 37 % 11)) for n in numbers]
            database.executemany("insert into trips values (?, ?, ?, ?)", values)
        database.close()

    def write_notebook(self, name: str, *sources: str, parameters: bool = False) -> None:
        """Write a notebook with one cell for each source, the first tagged `parameters` where there are some."""
        cells = [new_code_cell(source, id=f"cell{number}") for number, source in enumerate(sources)]
        if parameters:
            cells[0].metadata["tags"] = ["parameters"]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = self.root / "nbs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(new_notebook(cells=cells, metadata=kernel), indent=1, ensure_ascii=False) + "\n")

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line in the project."""
        path = os.pathsep.join(filter(None, [str(self.root), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "PIPELINE_LIB_URL_DEPOT": self.url, **variables}
        return subprocess.run(  # noqa: S603 (our own command)
            [str(Path(sys.executable).with_name("pipeline-lib")), *arguments],
            cwd=self.root,
            env={name: value for name, value in environment.items() if value},
            capture_output=True,
            text=True,
            check=False,
        )


def write_depot(folder: Path, research: str = RESEARCH, pipeline: str = PIPELINE) -> Depot:
    """Write and export the project below a folder."""
    depot = Depot(folder / "project", folder / "depot.sqlite")
    files = {
        "settings.ini": _SETTINGS,
        "pyproject.toml": _NBDEV,
        "params/trips.yml": "farthest: 1000.0\n",
        "lorries/__init__.py": "",
        "lorries/steps/__init__.py": "",
        "lorries/pipelines/__init__.py": "",
    }
    for name, text in files.items():
        (depot.root / name).parent.mkdir(parents=True, exist_ok=True)
        (depot.root / name).write_text(text)
    (depot.root / "nbs" / "steps").mkdir(parents=True)
    depot.write_rows()
    depot.write_notebook("pipelines/trips.ipynb", "#| default_exp pipelines.trips", pipeline.format(query=QUERY))
    depot.write_notebook("research/trips.ipynb", "farthest = 1000.0", research, parameters=True)
    ended = depot.command("export")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return depot
