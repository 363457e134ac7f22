"""Pipelines over a table that is looked up: one row has the bits of a batch, and plans are checked on missing rows."""

from pathlib import Path
from typing import Any

import pytest
from flights import Windy, frames, schema
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import as_rows


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    pipeline = Pipeline([("windy", Windy()), ("linear", LinearRegression())]).fit(frames(), [1.0, 2.0, 4.0, 3.0])
    return compile_pipeline(pipeline, like=frames(), row=schema())


def test_a_row_has_the_same_bits_alone_and_in_a_batch(model: CompiledPipeline, tmp_path: Path) -> None:
    data = frames()
    assert model.exact
    batch = model.predict(data)
    rows = as_rows(conform(data, schema()), schema())
    assert [model.predict_row(row) for row in rows] == batch.tolist()
    assert model.trace_row(rows[3])["windy"] == {"seats": 90.0, "wind": -1.0, "known": 0}
    other = data | {"weather": data["weather"].iloc[::-1]}
    assert first_difference(model.evaluate(conform(other, schema())).outputs, model.evaluate(data).outputs) is None
    model.save(tmp_path / "artifact")
    assert load_model(tmp_path / "artifact").predict(data).tobytes() == batch.tobytes()


class Becalmed(Windy):
    """A plan with no wind for a missing hour, where the step has -1."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        right = super().plan(tables, build)
        return right | {"wind": build.fill(build.extreme(tables["weather"]["wind"], "max"), 0.0)}


def test_a_plan_that_treats_a_missing_row_otherwise_than_its_step_is_refused() -> None:
    pipeline = Pipeline([("windy", Becalmed()), ("linear", LinearRegression())]).fit(frames(), [1.0, 2.0, 4.0, 3.0])
    with pytest.raises(InputError, match="step windy"):
        compile_pipeline(pipeline, like=frames(), row=schema())
