"""A research run compiles with its module's context, and keeps the rows before its evidence."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import shop
from example import ROOT
from pydantic import BaseModel, Field

from pipeline_lib.compiled.time_order import declared_table
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import create_record
from pipeline_lib.runner.research_run import Run

FRAME = shop.days()


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
