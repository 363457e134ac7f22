"""Evidence is predicted from what was read back from Parquet, not from what was written."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.rows.model import schema_of


class Row(BaseModel):
    area: float


def doubling() -> CompiledPipeline:
    """Predicts twice the area."""
    build = Builder()
    doubled = (build.input("area", "float64") * 2.0).node
    plan = Plan(build.nodes, {"prediction": doubled}, {"double": {"prediction": doubled}})
    return CompiledPipeline(plan, schema_of(Row))


def test_outputs_and_steps_follow_from_the_rows_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pq.write_table

    def rounding(table: pa.Table, path: Path, **options: Any) -> None:
        if path.name == "inputs.parquet":
            table = pa.table({"area": pc.round(table.column("area"))}).cast(table.schema)
        theirs(table, path, **options)

    monkeypatch.setattr(pq, "write_table", rounding)
    written = write_evidence(tmp_path / "evidence", doubling(), [{"area": 1.4}, {"area": 2.0}], np.array([3.0, 4.0]))
    assert written.outputs.column("prediction").to_pylist() == [2.0, 4.0]
    assert written.steps["double"].column("prediction").to_pylist() == [2.0, 4.0]
