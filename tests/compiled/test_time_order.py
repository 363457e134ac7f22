"""Declared contexts: rows in order of time and no others, batches that follow each other, forecasts of more steps."""

import math
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shop
from example import ROOT
from pydantic import BaseModel, Field

from pipeline_lib.compiled.batches import BatchEvaluator
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiled.time_order import check_order, declared_table
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import create_record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.research_run import Run

DAY = timedelta(days=1)
FRAME = shop.days()
EARLIER, ROWS = FRAME.iloc[:3], FRAME.iloc[3:]


def without(frame: pd.DataFrame, *places: int) -> pd.DataFrame:
    return frame.drop(index=frame.index[list(places)])


def doubled(frame: pd.DataFrame, place: int) -> pd.DataFrame:
    return frame.iloc[sorted([*range(len(frame)), place])]


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[::-1]


@pytest.mark.parametrize(
    ("rows", "earlier", "message"),
    [
        (
            without(ROWS, 4),
            EARLIER,
            "day: found 2024-01-09 00:00:00 in row 4 after 2024-01-07 00:00:00, "
            "expected 2024-01-08 00:00:00, 1 day later; give every row once, as none is made up or left out",
        ),
        (
            without(ROWS, 0),
            EARLIER,
            "found 2024-01-05 00:00:00 in row 0 after 2024-01-03 00:00:00, expected 2024-01-04",
        ),
        (doubled(ROWS, 4), EARLIER, "found 2024-01-08 00:00:00 in row 5 and in row 4, expected each time once"),
        (ROWS, doubled(EARLIER, 2), "found 2024-01-03 00:00:00 in earlier row -1 and in earlier row -2, expected each"),
        (
            turned(ROWS),
            EARLIER,
            "found 2024-02-28 00:00:00 in row 1 after 2024-02-29 00:00:00, expected rows in order of time",
        ),
        (
            ROWS,
            turned(EARLIER),
            "found 2024-01-02 00:00:00 in earlier row -2 after 2024-01-03 .*, expected rows in order",
        ),
        (ROWS, FRAME.iloc[:4], "found 2024-01-04 00:00:00 in row 0 and in earlier row -1, expected each time once"),
        (ROWS, EARLIER.iloc[1:], "found 2 earlier rows, expected at least 3"),
        (ROWS, None, "found 0 earlier rows, expected at least 3"),
    ],
    ids=[
        "gap",
        "gap after context",
        "doubled",
        "doubled context",
        "turned",
        "turned context",
        "overlap",
        "few",
        "none",
    ],
)
def test_rows_that_do_not_follow_each_other_are_refused(rows: pd.DataFrame, earlier: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop.compiled().predict(rows, context=earlier)


def test_one_row_is_held_to_the_same_order() -> None:
    row = FRAME.iloc[10].to_dict()
    model = shop.compiled()
    assert model.predict_row(row, context=FRAME.iloc[:10]) == model.predict(ROWS, context=EARLIER)[7]
    for ask in (model.predict_row, model.trace_row):
        with pytest.raises(InputError, match=r"found 2024-01-11 00:00:00 in row 0 after 2024-01-09 00:00:00"):
            ask(row, context=FRAME.iloc[:9])


PLAIN: list[dict[str, Any]] = [{**row, "day": row["day"].to_pydatetime()} for row in FRAME.to_dict("records")]


@pytest.mark.parametrize("context", [shop.CONTEXT, Context(rows=3, time="day"), 3], ids=["step", "order", "rows"])
def test_a_row_behind_plain_mappings_is_answered_by_python_alone(
    context: Context | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shop.compiled(context)
    whole = model.predict(ROWS, context=EARLIER)
    traced = model.trace_row(PLAIN[9], context=FRAME.iloc[:9])
    monkeypatch.setattr(BatchEvaluator, "evaluate", lambda *_: pytest.fail("the column executor was called"))
    alone = [model.predict_row(PLAIN[at], context=PLAIN[at - 3 : at]) for at in range(3, shop.ROWS)]
    assert np.array(alone).tobytes() == whole.tobytes()
    assert model.trace_row(PLAIN[9], context=PLAIN[6:9]) == traced


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
def test_a_fault_in_any_earlier_row_is_refused_there_too(at: int, change: dict[str, Any], message: str) -> None:
    context: list[dict[str, Any]] = [dict(row) for row in PLAIN[:3]]
    context[at] |= change
    with pytest.raises(InputError, match=message):
        shop.compiled().predict_row(PLAIN[3], context=context)


def test_a_plan_that_would_grow_too_far_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.compiled.context_row.MOST_NODES", 3)
    model = compile_pipeline(shop.fit(FRAME), like=FRAME, row=shop.SCHEMA, context=shop.CONTEXT)
    assert model.predict_row(PLAIN[9], context=PLAIN[6:9]) == model.predict(ROWS, context=EARLIER)[6]


def test_gaps_before_the_context_are_of_no_concern() -> None:
    gapped = without(FRAME.iloc[:20], 5)
    model = shop.compiled()
    assert (
        model.predict(FRAME.iloc[20:], context=gapped).tobytes() == model.predict(ROWS, context=EARLIER)[17:].tobytes()
    )


def test_without_a_step_of_time_gaps_pass_and_order_counts() -> None:
    model = shop.compiled(Context(rows=3, time="day"))
    assert len(model.predict(without(ROWS, 4), context=EARLIER)) == len(ROWS) - 1
    with pytest.raises(InputError, match="expected rows in order of time; sort them by 'day'"):
        model.predict(turned(ROWS), context=EARLIER)


def test_a_bare_number_of_rows_takes_them_as_they_come() -> None:
    model = shop.compiled(3)
    assert len(model.predict(turned(ROWS), context=EARLIER)) == len(ROWS)
    assert model.reads == ("sold",)


def test_training_rows_are_held_to_the_order_too() -> None:
    gapped = without(FRAME, 10)
    fitted = shop.fit(gapped)
    with pytest.raises(InputError, match="found 2024-01-12 00:00:00 in row 7 after 2024-01-10 00:00:00"):
        compile_pipeline(fitted, like=gapped, row=shop.SCHEMA, context=shop.CONTEXT)


def test_the_declaration_is_kept_in_the_artifact(tmp_path: Path) -> None:
    shop.compiled().save(tmp_path)
    model = load_model(tmp_path)
    assert model.plan.tables == shop.compiled().plan.tables
    assert model.reads == ("day", "sold")
    with pytest.raises(InputError, match="expected 2024-01-08"):
        model.predict(without(ROWS, 4), context=EARLIER)


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ([["rows", None, "day", 3, 0, "sold"]], "found rows 0 apart in 'day', expected a whole number from 1 on"),
        ([["rows", None, None, 3, 5, None]], "found rows 5 apart in None"),
        ([["rows", None, "week", 3, 5, None]], r"found raw columns \['week'\] in the plan"),
        ([["rows", None, "day", 3, 5, "price"]], r"found raw columns \['price'\] in the plan"),
    ],
)
def test_a_damaged_declaration_is_refused(tmp_path: Path, declaration: Any, message: str) -> None:
    import json

    shop.compiled().save(tmp_path)
    path = tmp_path / "artifact.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tables": declaration}))
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_parts_get_the_parts_before_them_as_context() -> None:
    model = shop.compiled()
    parts = (ROWS.iloc[at : at + 2] for at in range(0, len(ROWS), 2))
    found = np.concatenate(list(model.predict_batches(parts, context=EARLIER)))
    assert found.tobytes() == model.predict(ROWS, context=EARLIER).tobytes()


def test_a_part_that_does_not_follow_is_named() -> None:
    parts = [ROWS.iloc[:5], ROWS.iloc[6:9]]
    with pytest.raises(InputError, match="part 1: day: found 2024-01-10 00:00:00 in row 0 after 2024-01-08 00:00:00"):
        list(shop.compiled().predict_batches(parts, context=EARLIER))


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
        (without(FRAME, 58), 2, "found 2024-02-29 00:00:00 in row 0 after 2024-02-27 00:00:00, expected 2024-02-28"),
    ],
)
def test_a_forecast_that_cannot_be_made_is_refused(rows: pd.DataFrame, steps: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop.compiled().forecast(rows, steps=steps)


def test_a_forecast_needs_to_know_what_a_prediction_is() -> None:
    with pytest.raises(InputError, match="found a pipeline that does not say what a prediction is in the next row"):
        shop.compiled(Context(rows=3, time="day", every=DAY)).forecast(FRAME, steps=1)


def test_a_forecast_refuses_columns_that_nobody_knows_of_later_rows() -> None:
    other = shop.compiled()
    row = RowSchema((*shop.SCHEMA.columns, Column("rain", "number")))
    context = Context(rows=3, time="day", every=DAY, feeds="rain")
    model = CompiledPipeline(other.plan, row)
    model.plan = type(other.plan)(**{**vars(other.plan), "tables": (declared_table(context, row),)})
    with pytest.raises(
        InputError, match="found sold among the columns that reach the output, expected day and rain alone"
    ):
        model.forecast(FRAME.assign(rain=0.0), steps=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": 0}, "found rows=0, expected a whole number from 1 on"),
        ({"rows": True}, "found rows=True"),
        ({"rows": 1, "every": DAY}, "found every= without time="),
        ({"rows": 1, "time": "day", "every": -DAY}, "expected a positive timedelta"),
        ({"rows": 1, "time": "day", "every": 0}, "found every=0"),
        ({"rows": 1, "time": "day", "every": "1D"}, "found every='1D'"),
        ({"rows": 1, "time": "day", "feeds": "sold"}, "found feeds= without every="),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Context(**values)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (Context(2, "time"), "found time='time', expected a column of Row: day, hour, sold, shop"),
        (Context(2, "day", DAY, "price"), "found feeds='price', expected a column of Row"),
        (Context(2, "sold"), "sold: found a column of times that is number, expected a date, a datetime or an integer"),
        (Context(2, "hour"), "hour: found a column of times that is integer or missing"),
        (Context(2, "day", 1), "found every=1, expected a timedelta"),
        (Context(2, "day", timedelta(hours=36)), "expected whole days between dates"),
        (Context(2, "shop", DAY), "expected an int, as its column holds integers"),
        (
            Context(2, "day", DAY, "shop"),
            r"shop: found feeds= of a column that is integer, expected a number \(float\)",
        ),
    ],
)
def test_a_declaration_must_fit_the_row(context: Context, message: str) -> None:
    kinds = {"day": "date", "hour": "integer", "sold": "number", "shop": "integer"}
    row = RowSchema(tuple(Column(name, kind, nullable=name == "hour") for name, kind in kinds.items()))
    with pytest.raises(InputError, match=message):
        declared_table(context, row)


@pytest.mark.parametrize(
    ("times", "every", "shown"),
    [
        (
            [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 2)],
            DAY,
            "found 2024-03-02 in row 2 .*2024-03-01, 1 day",
        ),
        ([1, 2, 4], 1, "found 4 in row 2 after 2, expected 3, 1 later"),
        (
            [datetime(2024, 3, 31, hour) for hour in (0, 1, 3)],
            timedelta(hours=1),
            "expected 2024-03-31 02:00:00, 1:00:00",
        ),
    ],
)
def test_dates_datetimes_and_integers_order_rows(times: list[Any], every: Any, shown: str) -> None:
    kind = {date: "date", int: "integer", datetime: "datetime"}[type(times[0])]
    table = declared_table(Context(1, "t", every), RowSchema((Column("t", kind),)))
    check_order(pa.table({"t": times[:2]}), 1, table)
    with pytest.raises(InputError, match=shown):
        check_order(pa.table({"t": times}), 0, table)


def test_a_sensitive_time_is_not_shown() -> None:
    table = declared_table(Context(1, "t", 1), RowSchema((Column("t", "integer", sensitive=True),)))
    with pytest.raises(InputError) as caught:
        check_order(pa.table({"t": [17, 19]}), 0, table, hidden=True)
    assert "hidden: sensitive" in str(caught.value)
    assert not {"17", "18", "19"} & set(str(caught.value).replace(",", "").split())


class Row(BaseModel):
    day: datetime
    sold: float = Field(allow_inf_nan=False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of a pipeline module that exports a CONTEXT."""
    module: Any = SimpleNamespace(Row=Row, CONTEXT=shop.CONTEXT)
    return Run(module, BaseParams(), create_record(tmp_path, "shop"), find_project(ROOT))


def test_a_run_compiles_with_the_context_of_its_module(run: Run) -> None:
    trained, rows = FRAME.iloc[:40], FRAME.iloc[40:]
    model = run.compile(shop.fit(trained), like=trained)
    assert model.plan.tables[0] == declared_table(shop.CONTEXT, model.row)
    found = run.evidence(rows, rows["sold"], context=trained)
    assert found.tobytes() == model.predict(rows, context=trained).tobytes()
    kept = read_evidence(run.record.evidence).context
    assert kept is not None
    assert kept.column("sold").to_pylist() == trained["sold"].tail(3).tolist()


def test_a_run_asks_for_the_rows_before_its_evidence(run: Run) -> None:
    trained, rows = FRAME.iloc[:40], FRAME.iloc[40:]
    run.compile(shop.fit(trained), like=trained)
    with pytest.raises(InputError, match="found 0 earlier rows, expected at least 3"):
        run.evidence(rows, rows["sold"])
    assert not run.record.evidence.exists()


def test_a_run_may_name_another_context(run: Run) -> None:
    assert run.compile(shop.fit(FRAME), like=FRAME, context=5).context == 5
