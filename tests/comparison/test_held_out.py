"""Fresh rows that two models answer whose `Row` differ."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd

from pipeline_lib.comparison.held_out import given_rows
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.csv_rows import TextOptions


def model_of(*columns: Column, reads: tuple[str, ...]) -> Any:
    """What a contender is to `given_rows`: the model's schema and the columns that it reads."""
    return SimpleNamespace(reference="a", model=SimpleNamespace(row=RowSchema(columns), reads=reads))


def test_the_challengers_row_says_which_column_is_the_entity() -> None:
    size, day = Column("size", "number"), Column("day", "date", time=True)
    champion = model_of(size, day, Column("ticket", "string", entity=True), reads=("size", "day", "ticket"))
    challenger = model_of(size, Column("customer", "integer", entity=True), reads=("size",))
    frame = pd.DataFrame({"size": [1.5], "customer": [7], "ticket": ["A 5"], "day": [date(2026, 11, 30)]})
    given = given_rows((frame, [1.0]), [champion, challenger], None, TextOptions())
    assert given.row.names == ("size", "customer", "day", "ticket")
    assert (given.row.entity, given.row.time) == ("customer", None)
    given = given_rows((frame, [1.0]), [challenger, champion], None, TextOptions())
    assert (given.row.names, given.row.entity, given.row.time) == (("size", "day", "ticket"), "ticket", "day")
