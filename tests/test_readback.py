"""Evidence is predicted from what was read back from Parquet, not from what was written."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from pipeline_lib.compiled import Evaluation
from pipeline_lib.evidence import write_evidence
from pipeline_lib.rows import schema_of


class Row(BaseModel):
    area: float


class Doubling:
    """Stands for a compiled pipeline: predicts twice the area."""

    row = schema_of(Row)

    def evaluate(self, table: pa.Table, *, steps: bool = False) -> Evaluation:
        doubled = pa.table({"prediction": pc.multiply(table.column("area"), 2.0)})
        return Evaluation(doubled, {"double": doubled} if steps else {})


def test_outputs_and_steps_follow_from_the_rows_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pq.write_table

    def rounding(table: pa.Table, path: Path, **options: Any) -> None:
        if path.name == "inputs.parquet":
            table = pa.table({"area": pc.round(table.column("area"))}).cast(table.schema)
        theirs(table, path, **options)

    monkeypatch.setattr(pq, "write_table", rounding)
    model: Any = Doubling()
    written = write_evidence(tmp_path / "evidence", model, [{"area": 1.4}, {"area": 2.0}], np.array([3.0, 4.0]))
    assert written.outputs.column("prediction").to_pylist() == [2.0, 4.0]
    assert written.steps["double"].column("prediction").to_pylist() == [2.0, 4.0]
