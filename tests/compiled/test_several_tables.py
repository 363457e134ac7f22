"""Pipelines over several raw tables: one row has the bits of a batch, and no order of child rows changes a bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tables import Bought, compiled, fitted, frames, one_customer, refusal, schema

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import as_rows


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compiled()


def same_bits(left: Any, right: Any) -> bool:
    return bool(np.asarray(left).tobytes() == np.asarray(right).tobytes())


def test_other_tables_and_columns_are_not_read(model: CompiledPipeline) -> None:
    data = frames()
    more = {name: frame.assign(other=1) for name, frame in data.items()} | {"products": pd.DataFrame({"x": [1]})}
    assert same_bits(model.predict(more), model.predict(data))


@pytest.mark.parametrize("seed", range(3))
def test_one_customer_alone_gets_the_bits_of_the_batch(model: CompiledPipeline, seed: int) -> None:
    data = frames(seed, customers=30, purchases=400)
    batch = model.predict(data)
    assert same_bits([model.predict_row(row) for row in as_rows(conform(data, schema()), schema())], batch)


def test_shuffled_customers_and_purchases_change_no_bit(model: CompiledPipeline) -> None:
    data = frames(4, customers=40, purchases=3_000)
    table, batch = conform(data, schema()), model.predict(data)
    order = np.random.default_rng(0).permutation(40)
    shuffled = data | {"purchases": data["purchases"].sample(frac=1, random_state=5)}
    moved = shuffled | {"customers": data["customers"].iloc[order]}
    assert same_bits(model.predict(moved), batch[order])
    steps = [model.evaluate(conform(each, schema()), steps=True).steps["bought"] for each in (data, shuffled)]
    assert first_difference(*steps) is None
    assert same_bits(model.predict(table.slice(10, 7)), batch[10:17])


def test_many_child_rows_go_in_blocks_and_give_the_same_bits(
    model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = frames(6, customers=50, purchases=2_000)
    batch = model.predict(data)
    monkeypatch.setattr("pipeline_lib.compiled.column_executor.BLOCK_CHILDREN", 100)
    assert same_bits(model.predict(data), batch)


def test_complete_texts_in_unsorted_child_rows_change_no_bit(model: CompiledPipeline) -> None:
    data = frames(8, customers=30, purchases=500)
    data["purchases"]["kind"] = data["purchases"]["kind"].fillna("food")
    by_customer = data | {"purchases": data["purchases"].sort_values("customer", kind="stable")}
    assert same_bits(model.predict(data), model.predict(by_customer))


def test_batches_of_many_child_rows_are_joined_in_parts(
    model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = frames(7, customers=50, purchases=2_000)
    batch = model.predict(data)
    monkeypatch.setattr("pipeline_lib.compiled.batch_evaluator.PART_CHILDREN", 100)
    assert same_bits(model.predict(data), batch)
    infinite = data["customers"].assign(age=np.where(np.arange(50) == 40, np.inf, 1.0))
    assert "row 40: LinearRegression: found inf" in refusal(lambda: model.predict(data | {"customers": infinite}))


def test_a_customer_without_purchases_has_a_defined_answer(model: CompiledPipeline) -> None:
    steps = model.trace_row(one_customer() | {"purchases": []})["bought"]
    assert steps == {
        "count": 0, "cents": 0, "dollars": 0.0, "days": 0, "last": 0.0, "largest": -1.0, "food": 0.0, "fuel": 0.0,
        "age": 0.0,
    }  # fmt: skip


def test_the_artifact_repeats_every_bit(model: CompiledPipeline, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert same_bits(loaded.predict(frames()), model.predict(frames()))
    assert [table.key for table in loaded.plan.tables] == ["customer", "customer"]
    assert loaded.reads == schema().names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purchases": [one_customer()["purchases"][0] | {"customer": 8}]}, "purchases: customer: found 8 in row 0"),
        (
            {"customers": [{"customer": 7, "age": 1.0}, {"customer": 8, "age": 1.0}]},
            "customers: found 2 rows, expected",
        ),
        ({"customers": {"age": 1.0}}, "customers: found no customer in row 0"),
    ],
)
def test_one_row_is_refused_as_a_batch_is(model: CompiledPipeline, change: Any, message: str) -> None:
    assert message in refusal(lambda: model.predict_row(one_customer() | change))


class OneTooMany(Bought):
    """A plan that counts one purchase too many."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        made = super().plan(tables, build)
        return made | {"count": made["count"] + 1}


class PerPurchase(Bought):
    """A plan that leaves a value for each purchase."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        return super().plan(tables, build) | {"count": tables["purchases"]["dollars"]}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (OneTooMany(), "step bought, column 'count': found"),
        (PerPurchase(), "step bought: found count with a value for each row of the table purchases"),
    ],
)
def test_a_step_whose_plan_differs_is_refused(step: Bought, message: str) -> None:
    pipeline = fitted(frames())
    pipeline.steps[0] = ("bought", step.fit(frames()))
    assert message in refusal(lambda: compile_pipeline(pipeline, like=frames(), row=schema()))


def test_a_library_step_over_several_tables_and_a_missing_schema_are_refused() -> None:
    pipeline = fitted(frames())
    assert "expected row=" in refusal(lambda: compile_pipeline(pipeline, like=frames()))
    assert "several raw tables" in refusal(lambda: compile_pipeline(pipeline, like=frames(), row=schema(), context=1))
