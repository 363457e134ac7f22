"""A pipeline that is drafted from the rows of a query reads the same from the database and from its sample."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from drafts import Drafted, loans, trial

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.create import create_from_query
from pipeline_lib.project.drafting.draft import Options, make_draft
from pipeline_lib.project.drafting.raw_data import query_rows
from pipeline_lib.project.drafting.sample import sample_bytes
from pipeline_lib.project.project import Project
from pipeline_lib.runner.queries import sql

QUERY = "select * from loans order by day"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    frame = loans(
        day=pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d"),
        stars=pd.array([None, 1, 2, 3] * 15, dtype="Int64"),
        note=[None, "a", "b"] * 20,
        half=[0.5, None, 1.25] * 20,
    )
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    frame.to_sql("loans", connection, index=False)
    connection.close()
    return path


@pytest.mark.parametrize("source", ["shop", "data/shop.sqlite"])
def test_rows_of_the_database_and_of_the_sample_are_equal(database: Path, tmp_path: Path, source: str) -> None:
    rows = sql(database, QUERY)
    made = make_draft("loans", source, query_rows(rows, QUERY, source), Options("rate"))
    assert trial(made, rows) == ""
    sample = tmp_path / "sample.parquet"
    sample.write_bytes(sample_bytes(made, 0))
    drafted = Drafted(made, sample)
    drafted.module.__dict__["sql"] = lambda *asked: rows
    asked = drafted.module.load(drafted.params)
    kept = drafted.module.load(drafted.params.model_copy(update={"data": made.sample}))
    pd.testing.assert_frame_equal(asked, kept, check_exact=True)
    assert asked.dtypes.astype("str").to_dict() == {
        "income": "float64",
        "months": "int64",
        "home": "str",
        "day": "datetime64[us]",
        "stars": "float64",
        "note": "str",
        "half": "float64",
        "rate": "float64",
    }


def test_files_are_written_and_hold_the_query(database: Path, project: Project) -> None:
    made = create_from_query(project, "loans", "shop", "select * from loans", sql(database, QUERY), Options("rate"))
    assert "tests/data/loans.parquet" in made.files
    assert 'data: "shop"' in (project.params / "loans.yml").read_text()
    module = (project.package / "pipelines" / "loans.py").read_text()
    assert 'QUERY = "select * from loans"' in module
    assert "sql(CONNECTION, QUERY)" in module
    assert any("no order by" in guess for guess in made.decisions["nbs/pipelines/loans.ipynb"])
    cells = json.loads((project.root / made.files[1]).read_bytes())["cells"]
    assert any("a query of `shop`" in "".join(cell["source"]) for cell in cells)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (pd.DataFrame({"a": [], "rate": []}), "found no rows"),
        (pd.DataFrame([[1, 2]], columns=["rate", "rate"]), "found the column 'rate' twice"),
    ],
)
def test_rows_that_are_no_table_are_refused(rows: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        query_rows(rows, QUERY, "shop")
