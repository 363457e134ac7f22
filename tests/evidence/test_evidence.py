"""Evidence: its tables, the rows that are traced, and the refusal of incomplete evidence."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.evidence.evidence import other_artifact, read_evidence, traced_rows, write_evidence
from pipeline_lib.rows.model import schema_of


class Row(BaseModel):
    area: float
    zone: str | None


def doubling() -> CompiledPipeline:
    """Predicts twice the area, in one step."""
    build = Builder()
    doubled = (build.input("area", "float64") * 2.0).node
    plan = Plan(build.nodes, {"prediction": doubled}, {"double": {"prediction": doubled}})
    return CompiledPipeline(plan, schema_of(Row))


ROWS = [{"area": 1.5, "zone": "RL"}, {"area": -0.0, "zone": None}]


def write(folder: Path, rows: Any = ROWS, target: Any = (3.0, 4.0)) -> Any:
    return write_evidence(folder, doubling(), rows, target)


def test_evidence_reads_back_bit_for_bit(tmp_path: Path) -> None:
    written = write(tmp_path / "evidence")
    found = read_evidence(tmp_path / "evidence")
    for name in ("inputs", "outputs", "target"):
        assert first_difference(getattr(written, name), getattr(found, name)) is None
    assert first_difference(found.outputs, pa.table({"prediction": [3.0, -0.0]})) is None
    assert first_difference(found.steps["double"], found.outputs) is None
    assert found.inputs.to_pylist() == ROWS
    assert found.target.to_pydict() == {"target": [3.0, 4.0]}
    assert found.traced.to_pylist() == [0, 1]


def test_steps_are_kept_for_the_traced_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.evidence.evidence.traced_rows", lambda inputs: pa.array([1], pa.int64()))
    found = write(tmp_path / "evidence")
    assert found.outputs.num_rows == 2
    assert found.steps["double"].to_pydict() == {"prediction": [0.0]}
    assert found.traced.to_pylist() == [1]


@pytest.mark.parametrize(("rows", "target"), [(ROWS, [1.0]), ([], []), (ROWS[:1], [1.0, 2.0])])
def test_rows_and_target_must_match_and_not_be_empty(tmp_path: Path, rows: Any, target: list[float]) -> None:
    with pytest.raises(InputError):
        write(tmp_path / "evidence", rows, target)
    assert not (tmp_path / "evidence").exists()


def test_rows_outside_the_schema_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="area"):
        write(tmp_path / "evidence", [{"area": "wide", "zone": None}], [1.0])


@pytest.mark.parametrize(
    "name", ["evidence.json", "inputs.parquet", "outputs.parquet", "target.parquet", "step_00.parquet"]
)
def test_missing_and_torn_files_make_evidence_incomplete(tmp_path: Path, name: str) -> None:
    write(tmp_path / "evidence")
    path = tmp_path / "evidence" / name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="found incomplete evidence"):
        read_evidence(tmp_path / "evidence")
    path.unlink()
    with pytest.raises(InputError, match="found incomplete evidence"):
        read_evidence(tmp_path / "evidence")


@pytest.mark.parametrize("content", ["{}", '{"steps": [], "rows": 2}', '{"steps": [], "traced": ["x"]}'])
def test_a_description_that_says_too_little_is_incomplete(tmp_path: Path, content: str) -> None:
    write(tmp_path / "evidence")
    (tmp_path / "evidence" / "evidence.json").write_text(content)
    with pytest.raises(InputError, match="found incomplete evidence"):
        read_evidence(tmp_path / "evidence")


def test_few_rows_are_all_traced() -> None:
    assert traced_rows(pa.table({"x": [1, 2, 3]}), most=3).to_pylist() == [0, 1, 2]


def test_edges_and_categories_are_traced_first() -> None:
    table = pa.table({"x": [5, 5, 9, 1, 5, None, 5, 5], "z": ["a", "a", "a", "a", "a", "a", "b", "a"]})
    assert traced_rows(table, most=5).to_pylist() == [0, 2, 3, 5, 6]


def test_other_rows_are_spread_evenly() -> None:
    table = pa.table({"x": np.arange(101.0)})
    assert traced_rows(table, most=5).to_pylist() == [0, 1, 50, 99, 100]


def test_at_most_the_requested_rows_are_traced_and_none_twice() -> None:
    table = pa.table({"z": [str(number) for number in range(60)]})
    found = traced_rows(table, most=10).to_pylist()
    assert found == list(range(10))
    more = traced_rows(table, most=55).to_pylist()
    assert len(more) == len(set(more)) == 55


def test_a_column_of_nulls_is_traced_once() -> None:
    table = pa.table({"x": pa.array([None] * 4, pa.float64())})
    assert traced_rows(table, most=2).to_pylist() == [0, 1]


def test_evidence_has_the_digests_of_its_artifact(tmp_path: Path) -> None:
    artifact, model = tmp_path / "artifact", doubling()
    artifact.mkdir()
    (artifact / "plan").write_text("twice")
    any_model: Any = model
    found = write_evidence(tmp_path / "evidence", any_model, ROWS, (3.0, 4.0), artifact=artifact)
    assert other_artifact(found, artifact) == []
    assert other_artifact(write(tmp_path / "other"), artifact)[0].startswith("evidence.json: found no digests")
    (artifact / "plan").write_text("thrice")
    (artifact / "more").write_text("")
    assert [problem.partition(",")[0] for problem in other_artifact(found, artifact)] == [
        "artifact/plan: found other bytes",
        "artifact/more: found a file that was not there",
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("inputs", "1 rows of inputs, not 2"),
        ("outputs", "1 rows of outputs, not 2"),
        ("target", "1 rows of target, not 2"),
        ("step_00", "1 rows of step double, not 2"),
    ],
)
def test_a_dropped_row_is_refused_by_table(tmp_path: Path, table: str, problem: str) -> None:
    write(tmp_path / "evidence")
    path = tmp_path / "evidence" / f"{table}.parquet"
    pq.write_table(pq.read_table(path).slice(0, 1), path)
    with pytest.raises(InputError, match=problem):
        read_evidence(tmp_path / "evidence")
