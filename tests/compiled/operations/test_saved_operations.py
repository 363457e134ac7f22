"""Plans with dates, durations, missing constants and tables of lists: saved, loaded, as a table and as one row."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.library_columns import library_series, plan_column
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

SCHEMA = RowSchema((Column("day", "datetime", nullable=True), Column("name", "string", nullable=True)))
ROWS: list[dict[str, Any]] = [
    {"day": datetime(2020, 1, 1, 6), "name": "Émile ß"},
    {"day": None, "name": "x7"},
    {"day": datetime(2019, 12, 31), "name": None},
]


def _model() -> CompiledPipeline:
    build = Builder()
    day, name = build.input("day", "datetime"), build.input("name", "str")
    since = day - build.date("2020-01-01")
    digits = build.regex_replace(name, pattern="[^0-9]", replacement="")
    keys: list[list[Any]] = [[None, 1], ["x7", 1]]
    columns = {
        "since": since,
        "long": abs(since) > timedelta(days=1),
        "upper": build.text_case(name, kind="upper", exceptions=[["ß", "ẞ"]]),
        "digits": build.where(name.missing(), build.missing("str"), digits),
        "found": build.lookup_rows(name, 1, keys=keys, values=[1.5, None], gives="float64", unseen=0.0),
        "first": build.fill(day, build.date("2000-01-01")),
    }
    outputs = {"prediction": build.duration_seconds(since).node}
    return CompiledPipeline(Plan(build.nodes, outputs, {"step": {n: v.node for n, v in columns.items()}}), SCHEMA)


def test_a_saved_plan_gives_the_same(tmp_path: Path) -> None:
    model = _model()
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    table = loaded.transform(ROWS)
    assert repr(table.to_pydict()) == repr(model.transform(ROWS).to_pydict())
    assert table.schema.field("since").type == pa.duration("us")
    assert str(table.column("found").to_pylist()) == "[0.0, nan, 1.5]"
    assert table.drop_columns("found").to_pydict() == {
        "since": [timedelta(hours=6), None, timedelta(days=-1)],
        "long": [False, False, False],
        "upper": ["ÉMILE ẞ", "X7", None],
        "digits": ["", "7", None],
        "first": [datetime(2020, 1, 1, 6), datetime(2000, 1, 1), datetime(2019, 12, 31)],
    }
    traced = [loaded.trace_row(row)["step"] for row in ROWS]
    assert [row["since"] for row in traced] == [6 * 3_600_000_000, None, -86_400_000_000]
    assert [row["upper"] for row in traced] == ["ÉMILE ẞ", "X7", None]
    assert loaded.predict(ROWS).tobytes() == np.array([loaded.predict_row(row) for row in ROWS]).tobytes()


def test_durations_go_to_pandas_and_back() -> None:
    durations = np.array([5, NAT, -1])
    series = library_series(durations, "duration", np.arange(3))
    assert str(series.dtype) == "timedelta64[us]"
    assert series.isna().tolist() == [False, True, False]
    assert plan_column(series, "duration").tolist() == durations.tolist()
    assert plan_column(series.astype("timedelta64[ns]"), "duration").tolist() == durations.tolist()
