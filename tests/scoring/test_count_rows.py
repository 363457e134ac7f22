"""Rows are counted with the predictions that they would have, whatever the blocks; refused ones without."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.scoring.count_rows import count_rows
from pipeline_lib.scoring.csv_rows import TextOptions
from pipeline_lib.scoring.file_source import FileSource
from pipeline_lib.scoring.progress import Progress
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.statistics import Statistics, training_statistics

RECORDS = Path(__file__).parents[1] / "data" / "records"
FIRST = datetime(2024, 3, 1)


def days(count: int) -> list[dict[str, Any]]:
    return [
        {"day": (FIRST + timedelta(days=number)).isoformat(), "sold": 10.0 + number % 7 + number / 10}
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return load_model(next((RECORDS / "daily").glob("2*")) / "artifact")


@pytest.fixture(scope="module")
def statistics(model: CompiledPipeline) -> Statistics:
    rows = conform([{**row, "day": datetime.fromisoformat(row["day"])} for row in days(60)], model.row)
    answers = model.predict_table(rows.slice(model.context), context=rows.slice(0, model.context))
    return training_statistics(rows, model.row, model.reads).with_outputs(answers)


def counted(model: CompiledPipeline, statistics: Statistics, folder: Path, rows: Any, size: int) -> Accumulator:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    source = FileSource(str(path), format=None, keep=[], options=TextOptions(), block_rows=size)
    accumulator = Accumulator(statistics)
    count_rows(model, source, accumulator, Progress(quiet=True))
    return accumulator


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_the_first_rows_are_the_context_of_the_next(
    model: CompiledPipeline, statistics: Statistics, tmp_path: Path, size: int
) -> None:
    found = counted(model, statistics, tmp_path, days(40), size)
    assert (found.rows, found.refused) == (40, 0)
    assert found.outputs["prediction"].rows == 40 - model.context
    assert found.to_json() == counted(model, statistics, tmp_path, days(40), 7).to_json()


def test_after_a_refused_row_the_next_block_begins_anew(
    model: CompiledPipeline, statistics: Statistics, tmp_path: Path
) -> None:
    rows = days(40)
    rows[15]["sold"] = "many"
    found = counted(model, statistics, tmp_path, rows, 10)
    assert (found.rows, found.refused, found.columns["sold"].invalid) == (40, 10, 1)
    assert found.outputs["prediction"].rows == 10 - model.context + 20 - model.context


def test_a_file_without_the_columns_is_refused_where_rows_need_no_others(tmp_path: Path) -> None:
    model = load_model(next((RECORDS / "tiny").glob("20261129T123837487*")) / "artifact")
    rows = [{"size": 1.0 * number, "rooms": 3, "built": 1990.0} for number in range(40)]
    known = training_statistics(conform(rows, model.row), model.row, model.reads)
    assert counted(model, known, tmp_path, rows, 10).refused == 0
    (tmp_path / "rows.csv").write_text("other\n1\n")
    source = FileSource(str(tmp_path / "rows.csv"), format=None, keep=[], options=TextOptions(), block_rows=10)
    with pytest.raises(InputError, match="size"):
        count_rows(model, source, Accumulator(known), Progress(quiet=True))
