"""One row with its context, unrolled to straight-line Python: the bits of a batch, and the same refusals."""

import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import shop

from pipeline_lib.compiled.batch_evaluator import BatchEvaluator
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.context import Context

FRAME = shop.days()
EARLIER, ROWS = FRAME.iloc[:3], FRAME.iloc[3:]
DICTS: list[dict[str, Any]] = [{**row, "day": row["day"].to_pydatetime()} for row in FRAME.to_dict("records")]


@pytest.mark.parametrize("context", [shop.CONTEXT, Context(rows=3, time="day"), 3], ids=["step", "order", "rows"])
def test_a_row_with_mappings_as_context_needs_no_column_executor(
    context: Context | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shop.compiled(context)
    whole = model.predict(ROWS, context=EARLIER)
    traced = model.trace_row(DICTS[9], context=FRAME.iloc[:9])
    monkeypatch.setattr(BatchEvaluator, "evaluate", lambda *_: pytest.fail("the column executor was called"))
    alone = [model.predict_row(DICTS[at], context=DICTS[at - 3 : at]) for at in range(3, shop.ROWS)]
    assert np.array(alone).tobytes() == whole.tobytes()
    assert model.trace_row(DICTS[9], context=DICTS[6:9]) == traced


@pytest.mark.parametrize(
    ("at", "change", "message"),
    [
        (1, {"sold": None}, "sold: found None in row 1, expected a number"),
        (0, {"sold": "12"}, "sold: found '12'"),
        (1, {"day": datetime(2024, 1, 1)}, "found 2024-01-01 00:00:00 in earlier row -2 and in earlier row -3"),
        (2, {"day": datetime(2024, 1, 5)}, "found 2024-01-04 00:00:00 in row 0 after 2024-01-05 00:00:00"),
        (2, {"sold": math.inf}, "sold: found inf"),
    ],
)
def test_a_fault_in_any_earlier_row_is_refused(at: int, change: dict[str, Any], message: str) -> None:
    context: list[dict[str, Any]] = [dict(row) for row in DICTS[:3]]
    context[at] |= change
    with pytest.raises(InputError, match=message):
        shop.compiled().predict_row(DICTS[3], context=context)


def test_a_plan_that_would_grow_too_far_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.compiled.context_row.MOST_NODES", 3)
    model = compile_pipeline(shop.fit(FRAME), like=FRAME, row=shop.SCHEMA, context=shop.CONTEXT)
    assert model.predict_row(DICTS[9], context=DICTS[6:9]) == model.predict(ROWS, context=EARLIER)[6]
