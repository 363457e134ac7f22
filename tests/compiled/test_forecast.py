"""A forecast of several steps is `predict_row` in turn, each prediction the input of the next."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import shop

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.time_order import declared_table
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

DAY = timedelta(days=1)
FRAME = shop.days()


def test_a_forecast_is_predict_row_step_by_step() -> None:
    model, steps = shop.compiled(), []
    known = FRAME.to_dict("records")
    for step in range(5):
        steps.append(model.predict_row(known[-1], context=known[:-1]))
        known.append({"day": datetime(2024, 3, 1) + step * DAY, "sold": steps[-1]})
    assert model.forecast(FRAME, steps=5).tobytes() == np.array(steps).tobytes()
    assert model.forecast(FRAME.iloc[-4:], steps=5).tobytes() == np.array(steps).tobytes()
    assert len(set(steps)) == 5


@pytest.mark.parametrize(
    ("rows", "steps", "message"),
    [
        (FRAME.iloc[:3], 2, "found 3 rows, expected at least 4: the context and the latest row"),
        (FRAME, 0, "found steps=0, expected a whole number from 1 on"),
        (FRAME.drop(index=58), 2, "found 2024-02-29 00:00:00 in row 0 after 2024-02-27 00:00:00, expected 2024-02-28"),
    ],
)
def test_a_forecast_that_cannot_be_made_is_refused(rows: pd.DataFrame, steps: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop.compiled().forecast(rows, steps=steps)


def test_a_forecast_needs_the_column_that_a_prediction_feeds() -> None:
    with pytest.raises(InputError, match="found a pipeline that does not say what a prediction is in the next row"):
        shop.compiled(Context(rows=3, time="day", every=DAY)).forecast(FRAME, steps=1)


def test_a_forecast_refuses_columns_unknown_in_later_rows() -> None:
    other = shop.compiled()
    row = RowSchema((*shop.SCHEMA.columns, Column("rain", "number")))
    context = Context(rows=3, time="day", every=DAY, feeds="rain")
    model = CompiledPipeline(other.plan, row)
    model.plan = type(other.plan)(**{**vars(other.plan), "tables": (declared_table(context, row),)})
    with pytest.raises(
        InputError, match="found sold among the columns that reach the output, expected day and rain alone"
    ):
        model.forecast(FRAME.assign(rain=0.0), steps=1)
