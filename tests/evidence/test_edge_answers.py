"""Edge rows: production's answers at the edges of each raw column are kept, and another answer is named."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel, Field

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.edge_answers import EDGE_ANSWERS, read_edge_answers, repeat_edge_rows, write_edge_answers
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of


class Row(BaseModel):
    area: float = Field(gt=0)
    zone: str | None
    unread: int


class Later(BaseModel):
    area: float = Field(gt=1)
    zone: str | None
    unread: int


ROWS = [{"area": 2.0, "zone": "RL", "unread": 1}]
GRADES = {"RL": 1.0, "RM": 2.0}


def model(
    grades: dict[str, float] = GRADES, *, missing: float = 0.0, unseen: float = 9.0, above: float = 5.0, row: Any = Row
) -> CompiledPipeline:
    """Grades of zones, times the area where that is below a threshold."""
    build = Builder()
    area = build.input("area", "float64")
    grade = build.lookup(build.input("zone", "str"), grades, "float64", missing=missing, unseen=unseen)
    price = build.where(area < above, area * grade, grade)
    plan = Plan(build.nodes, {"prediction": price.node}, {"grade": {"zone": grade.node}})
    return CompiledPipeline(plan, schema_of(row))


def inputs() -> pa.Table:
    return conform(ROWS, schema_of(Row))


@pytest.fixture
def kept(tmp_path: Path) -> pa.Table:
    write_edge_answers(tmp_path, model(), inputs())
    table = read_edge_answers(tmp_path)
    assert table is not None
    return table


def answers(table: pa.Table, column: str, value: str) -> dict[str, str]:
    return {row["step"]: row["found"] for row in table.to_pylist() if (row["column"], row["value"]) == (column, value)}


def test_edge_rows_have_missing_values_unseen_labels_and_every_known_label(kept: pa.Table) -> None:
    assert answers(kept, "zone", "null") == {"grade": "0.0", "outputs": "0.0"}
    assert answers(kept, "zone", '"a label that no row has"') == {"grade": "9.0", "outputs": "18.0"}
    assert answers(kept, "zone", '"RM"') == {"grade": "2.0", "outputs": "4.0"}
    assert answers(kept, "zone", '"RL"') == {"(nothing changes)": ""}


def test_edge_rows_have_both_sides_of_thresholds_and_bounds(kept: pa.Table) -> None:
    assert answers(kept, "area", "5.0") == {"outputs": "1.0"}
    assert answers(kept, "area", "4.999999999999999") == {"outputs": "4.999999999999999"}
    assert answers(kept, "area", "5e-324") == {"outputs": "5e-324"}
    assert answers(kept, "area", "0.0") == {
        "(refused)": "area: found 0.0 in row 0, expected a value > 0; correct it, or Row"
    }


def test_refusals_are_kept_word_for_word(kept: pa.Table) -> None:
    assert "found no zone" in answers(kept, "zone", "absent")["(refused)"]
    assert "expected a number" in answers(kept, "area", '"text"')["(refused)"]


def test_columns_that_nothing_reads_have_no_edge_rows(kept: pa.Table) -> None:
    assert set(kept.column("column").to_pylist()) == {"area", "zone"}


def test_the_same_model_answers_the_same(kept: pa.Table) -> None:
    assert repeat_edge_rows(model(), inputs(), kept) is None


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (model(missing=0.5), "edge row zone=null: step grade: column 'zone': expected 0.0, found 0.5; 1 of"),
        (
            model(unseen=8.0),
            "edge row zone=\"\": step grade: column 'zone': expected 9.0, found 8.0",
        ),
        (model({"RL": 1.0}), "edge row zone=\"RM\": step grade: column 'zone': expected 2.0, found 9.0"),
        (
            model(above=5.000000000000001),
            "edge row area=5.0: step outputs: column 'prediction': expected 1.0, found 5.0",
        ),
        (model(row=Later), "edge row area=-0.0: (refused): expected area: found -0.0 in row 0, expected a value > 0"),
    ],
    ids=["missing", "unseen", "category", "threshold", "bound"],
)
def test_a_difference_that_no_evidence_row_shows_is_named(kept: pa.Table, other: CompiledPipeline, named: str) -> None:
    assert other.predict(inputs()).tolist() == model().predict(inputs()).tolist()
    assert named in str(repeat_edge_rows(other, inputs(), kept))


def test_answers_in_another_order_are_named(kept: pa.Table) -> None:
    swapped = kept.take([1, 0, *range(2, kept.num_rows)])
    assert "probes.parquet: expected each answer once, in order" in str(repeat_edge_rows(model(), inputs(), swapped))


def test_a_model_that_fails_is_a_difference(kept: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, theirs = model(), CompiledPipeline.trace_row

    def trace(self: CompiledPipeline, row: Any, *, context: Any = None) -> Any:
        if row.get("zone") is None:
            raise ZeroDivisionError
        return theirs(self, row)

    monkeypatch.setattr(CompiledPipeline, "trace_row", trace)
    assert "found ZeroDivisionError (failed)" in str(repeat_edge_rows(broken, inputs(), kept))


def test_a_folder_without_edge_answers_has_none(tmp_path: Path) -> None:
    assert read_edge_answers(tmp_path) is None


@pytest.mark.parametrize("content", [b"no table", None])
def test_damaged_edge_answers_are_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        pq.write_table(pa.table({"column": ["area"]}), tmp_path / EDGE_ANSWERS)
    else:
        (tmp_path / EDGE_ANSWERS).write_bytes(content)
    with pytest.raises(InputError, match=r"probes\.parquet: found .* run again"):
        read_edge_answers(tmp_path)
