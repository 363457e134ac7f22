"""Several raw tables: how they become rows, what is refused, and that no order of child rows changes a bit."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel
from tables import ROW, Bought, Customer, Purchase, compiled, fitted, frames, schema

from pipeline_lib.compiled.operations.aggregations import exact_sum
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.hash_index import IntegerIndex
from pipeline_lib.compiled.operations.list_columns import ListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.evidence.evidence import Evidence, write_evidence
from pipeline_lib.parity.replay import _outcome
from pipeline_lib.parity.variations import VARIATIONS
from pipeline_lib.rows.conform import conform, conform_in_parts
from pipeline_lib.rows.frames import dtype_differences, to_pipeline_input
from pipeline_lib.rows.join_tables import _take
from pipeline_lib.rows.model import Tables, schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, sort_child_rows, split_tables

NAN = math.nan
MOMENT = pd.Timestamp("2026-01-02 03:04:05").to_pydatetime()
COLUMNS = {
    pa.int64(): [3, -1, 2],
    pa.float64(): [math.inf, -0.0, 1.5],
    pa.string(): ["food", "", "fuel"],
    pa.bool_(): [True, False, True],
    pa.timestamp("us"): [MOMENT, MOMENT.replace(year=1969), MOMENT.replace(second=0)],
    pa.date32(): [MOMENT.date(), MOMENT.date().replace(year=1969), MOMENT.date()],
}


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compiled()


def one() -> dict[str, Any]:
    bought = {"customer": 7, "dollars": 2.5, "kind": "food", "at": pd.Timestamp("2026-01-02").to_pydatetime()}
    return {"customers": {"customer": 7, "age": None}, "purchases": [bought]}


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        act()
    return str(caught.value)


def same(left: Any, right: Any) -> bool:
    return bool(np.asarray(left).tobytes() == np.asarray(right).tobytes())


def test_each_main_row_has_its_child_rows_and_main_rows_keep_their_order() -> None:
    data = frames()
    table = conform(data, schema())
    assert table.column("customer").to_pylist() == data["customers"]["customer"].to_list()
    dollars = data["purchases"].groupby("customer")["dollars"].apply(list)
    assert table.column("purchases.dollars").to_pylist() == [
        dollars.get(key, []) for key in data["customers"]["customer"]
    ]


def test_a_conformed_table_gives_its_tables_back_and_conforms_to_itself() -> None:
    table = conform(frames(), schema()).slice(2, 5)
    assert conform(split_tables(table, schema()), schema()).equals(table)
    assert conform(table, schema()).equals(table)
    rows = [conform(row, schema()) for row in as_rows(table, schema())]
    assert pa.concat_tables(rows).combine_chunks().equals(table)


def test_frames_have_the_dtypes_that_production_delivers() -> None:
    data = frames()
    assert dtype_differences(data, schema()) == []
    assert dtype_differences(to_pipeline_input(conform(data, schema()), schema()), schema()) == []
    wrong = data | {"purchases": data["purchases"].astype({"dollars": "float32"})}
    assert dtype_differences(wrong, schema())[0].startswith("purchases: dollars: found dtype float32, expected float64")
    assert "purchases" in dtype_differences({"customers": data["customers"]}, schema())[0]


def test_child_rows_in_any_order_settle_to_the_same_table() -> None:
    data = frames()
    shuffled = data | {"purchases": data["purchases"].sample(frac=1, random_state=2)}
    first, second = (conform(each, schema()) for each in (data, shuffled))
    assert not first.equals(second)
    assert first_difference(sort_child_rows(first, schema()), sort_child_rows(second, schema())) is None


def test_settling_tells_negative_zero_from_zero() -> None:
    rows = [one()["purchases"][0] | {"dollars": zero} for zero in (0.0, -0.0)]
    orders = [conform(one() | {"purchases": each}, schema()) for each in (rows, rows[::-1])]
    assert first_difference(*(sort_child_rows(each, schema()) for each in orders)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: {"customers": data["customers"]}, "found tables customers, expected a mapping with the tables"),
        (lambda data: data["customers"], "found DataFrame, expected a mapping with the tables customers, purchases"),
        (
            lambda data: data | {"customers": pd.concat([data["customers"], data["customers"].iloc[[3]]])},
            r"customers: customer: found 10\d in rows 3 and 12, expected a key of its own in each row",
        ),
        (
            lambda data: data | {"purchases": data["purchases"].assign(customer=999)},
            r"purchases: customer: found 999 in row 0, expected a key of the table customers \(90 rows have none\)",
        ),
        (lambda data: data | {"purchases": data["purchases"].drop(columns="kind")}, "purchases: found no kind"),
        (lambda data: data | {"purchases": data["purchases"].drop(columns="customer")}, "purchases: found no customer"),
        (
            lambda data: data | {"purchases": data["purchases"].assign(dollars="1")},
            "purchases: dollars: found large_string, expected a number",
        ),
        (
            lambda data: data | {"customers": data["customers"].assign(age="x"), "purchases": [{}]},
            r"(?s)customers: age: found large_string.*purchases: found no customer, dollars, kind, at in row 0",
        ),
        (lambda data: conform(data, schema()).drop_columns(["purchases.at"]), "Arrow table without purchases.at"),
    ],
)
def test_what_does_not_fit_is_named_by_table_row_and_column(change: Any, message: str) -> None:
    assert re.search(message, refusal(lambda: conform(change(frames()), schema())))


def test_other_tables_and_columns_are_not_read(model: CompiledPipeline) -> None:
    data = frames()
    more = {name: frame.assign(other=1) for name, frame in data.items()} | {"products": pd.DataFrame({"x": [1]})}
    assert same(model.predict(more), model.predict(data))


class Named(BaseModel):
    customer: str


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tables("customer", customers=Customer), "found tables customers, expected two or more"),
        (lambda: schema_of(Tables("id", a=Customer, b=Purchase)), "without the column 'id'"),
        (lambda: schema_of(Tables("age", a=Customer, b=Customer)), "found a key of kind number or missing"),
        (lambda: schema_of(Tables("customer", a=Customer, b=Named)), "b.customer: found a key of kind string"),
        (lambda: schema_of(Tables("customer", a=Customer, age=Purchase)), "found a column with a table's name"),
    ],
)
def test_tables_that_nothing_links_are_refused(make: Callable[[], object], message: str) -> None:
    assert message in refusal(make)


def test_a_schema_of_several_tables_survives_its_json() -> None:
    assert RowSchema.from_json(schema().to_json()) == schema()
    assert schema_of(ROW).names == ("customer", "age", "purchases.dollars", "purchases.kind", "purchases.at")
    assert RowSchema.from_json(schema_of(Customer).to_json()).to_json()["format"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_one_customer_alone_gets_the_bits_of_the_batch(model: CompiledPipeline, seed: int) -> None:
    data = frames(seed, customers=30, purchases=400)
    batch = model.predict(data)
    assert same([model.predict_row(row) for row in as_rows(conform(data, schema()), schema())], batch)


def test_shuffled_customers_and_purchases_change_no_bit(model: CompiledPipeline) -> None:
    data = frames(4, customers=40, purchases=3_000)
    table, batch = conform(data, schema()), model.predict(data)
    order = np.random.default_rng(0).permutation(40)
    shuffled = data | {"purchases": data["purchases"].sample(frac=1, random_state=5)}
    moved = shuffled | {"customers": data["customers"].iloc[order]}
    assert same(model.predict(moved), batch[order])
    steps = [model.evaluate(conform(each, schema()), steps=True).steps["bought"] for each in (data, shuffled)]
    assert first_difference(*steps) is None
    assert same(model.predict(table.slice(10, 7)), batch[10:17])


def test_many_child_rows_go_in_blocks_and_give_the_same_bits(
    model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = frames(6, customers=50, purchases=2_000)
    batch = model.predict(data)
    monkeypatch.setattr("pipeline_lib.compiled.column_executor.BLOCK_CHILDREN", 100)
    assert same(model.predict(data), batch)


@pytest.mark.parametrize("missing", [False, True], ids=["complete", "with missing"])
@pytest.mark.parametrize("kind", COLUMNS, ids=str)
def test_child_rows_of_any_kind_are_put_in_the_order_of_their_main_rows(kind: pa.DataType, missing: bool) -> None:
    stored = pa.array([*COLUMNS[kind], None if missing else COLUMNS[kind][0]], kind)
    for values in (stored, stored.slice(1), stored.slice(1, 1), stored[:0]):
        for order in (np.arange(len(values))[::-1], np.arange(len(values)).repeat(2)):
            assert _take(values, order).equals(values.take(pa.array(order)))


def test_complete_texts_in_unsorted_child_rows_change_no_bit(model: CompiledPipeline) -> None:
    data = frames(8, customers=30, purchases=500)
    data["purchases"]["kind"] = data["purchases"]["kind"].fillna("food")
    by_customer = data | {"purchases": data["purchases"].sort_values("customer", kind="stable")}
    assert same(model.predict(data), model.predict(by_customer))


def test_batches_of_many_child_rows_are_brought_together_in_parts(
    model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = frames(7, customers=50, purchases=2_000)
    whole = conform(data, schema())
    for most in (1, 100, 1_999, 10**6):
        parts = list(conform_in_parts(data, schema(), most))
        assert pa.concat_tables(parts).combine_chunks().equals(whole)
        assert (len(parts) > 1) == (most < 2_000)
    batch = model.predict(data)
    monkeypatch.setattr("pipeline_lib.compiled.batches.PART_CHILDREN", 100)
    assert same(model.predict(data), batch)
    infinite = data["customers"].assign(age=np.where(np.arange(50) == 40, np.inf, 1.0))
    assert "row 40: LinearRegression: found inf" in refusal(lambda: model.predict(data | {"customers": infinite}))


def test_a_customer_without_purchases_has_a_defined_answer(model: CompiledPipeline) -> None:
    steps = model.trace_row(one() | {"purchases": []})["bought"]
    assert steps == {
        "count": 0, "cents": 0, "dollars": 0.0, "days": 0, "last": 0.0, "largest": -1.0, "food": 0.0, "fuel": 0.0,
        "age": 0.0,
    }  # fmt: skip


def test_the_artifact_repeats_every_bit(model: CompiledPipeline, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert same(loaded.predict(frames()), model.predict(frames()))
    assert [table.key for table in loaded.plan.tables] == ["customer", "customer"]
    assert loaded.reads == schema().names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purchases": [one()["purchases"][0] | {"customer": 8}]}, "purchases: customer: found 8 in row 0"),
        (
            {"customers": [{"customer": 7, "age": 1.0}, {"customer": 8, "age": 1.0}]},
            "customers: found 2 rows, expected",
        ),
        ({"customers": {"age": 1.0}}, "customers: found no customer in row 0"),
    ],
)
def test_one_row_is_refused_as_a_batch_is(model: CompiledPipeline, change: Any, message: str) -> None:
    assert message in refusal(lambda: model.predict_row(one() | change))


class Wrong(Bought):
    """A plan that counts one purchase too many."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        made = super().plan(tables, build)
        return made | {"count": made["count"] + 1}


class Below(Bought):
    """A plan that leaves a value for each purchase."""

    def plan(self, tables: dict[str, dict[str, Any]], build: Any) -> dict[str, Any]:
        return super().plan(tables, build) | {"count": tables["purchases"]["dollars"]}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Wrong(), "step bought, column 'count': found"),
        (Below(), "step bought: found count with a value for each row of the table purchases"),
    ],
)
def test_a_step_whose_plan_is_another_is_refused(step: Bought, message: str) -> None:
    pipeline = fitted(frames())
    pipeline.steps[0] = ("bought", step.fit(frames()))
    assert message in refusal(lambda: compile_pipeline(pipeline, like=frames(), row=schema()))


def test_a_library_step_over_several_tables_and_a_missing_schema_are_refused() -> None:
    pipeline = fitted(frames())
    assert "expected row=" in refusal(lambda: compile_pipeline(pipeline, like=frames()))
    assert "several raw tables" in refusal(lambda: compile_pipeline(pipeline, like=frames(), row=schema(), context=1))


def test_every_hand_over_repeats_the_evidence_and_a_moved_bit_is_found(model: CompiledPipeline, tmp_path: Path) -> None:
    data = frames(3)
    kept = write_evidence(tmp_path, model, data, np.zeros(12))
    careful = [each for each in VARIATIONS.values() if each.hands_over and not each.lossy]
    verdicts = {each.name: _outcome(each.task(), kept, model).verdict for each in careful}
    assert set(verdicts.values()) == {"exact"}, verdicts
    assert "shuffled child rows" in verdicts
    assert kept.edge_answers is not None
    assert {"purchases", "purchases.kind", "age"} <= set(kept.edge_answers.column("column").to_pylist())
    moved = data["purchases"]["dollars"].to_numpy().copy()
    moved[0] = np.nextafter(moved[0], np.inf)
    other = write_evidence(tmp_path, model, data | {"purchases": data["purchases"].assign(dollars=moved)}, np.zeros(12))
    assert first_difference(kept.inputs, other.inputs) is not None


def verdict(name: str, evidence: Evidence, model: CompiledPipeline) -> str:
    return _outcome(VARIATIONS[name].task(), evidence, model).verdict


@pytest.mark.parametrize("name", ["fresh process", "shuffled child rows", "dict"])
def test_a_lost_purchase_and_one_ulp_in_a_coefficient_turn_parity_red(
    model: CompiledPipeline, tmp_path: Path, name: str
) -> None:
    kept = write_evidence(tmp_path, model, frames(3), np.zeros(12))
    fewer = frames(3)["purchases"].iloc[1:]
    lost = sort_child_rows(conform(frames(3) | {"purchases": fewer}, schema()), schema())
    assert verdict(name, replace(kept, inputs=lost), model) == "different"
    pipeline = fitted(frames())
    weights = pipeline.named_steps["linear"].coef_
    weights[4] = np.nextafter(weights[4], np.inf)  # of the last day, the largest number of a row
    assert verdict(name, kept, compile_pipeline(pipeline, like=frames(), row=schema())) == "different"


def test_a_sum_in_the_order_of_the_rows_is_found_by_shuffling_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_order(values: Sequence[float]) -> float:
        return reduce(operator.add, values, 0.0)

    monkeypatch.setattr("pipeline_lib.compiled.operations.aggregations.exact_sum", in_order)
    model = compiled()
    kept = write_evidence(tmp_path, model, frames(3), np.zeros(12))
    assert verdict("fresh process", kept, model) == "exact"
    assert verdict("shuffled child rows", kept, model) == "different"


LISTS = {
    "float64": [[0.1, 0.2, 0.3], [], [NAN, 1e300, -1e300, 5e-324], [-0.0], [0.0, -0.0]],
    "int64": [[3, 1, 3], [], [2**62, -(2**62), 7], [0], [-1, 0]],
    "bool": [[True, False, True], [], [False], [True], [True, True]],
    "datetime": [[5, NAT, 5], [], [NAT], [-7], [1, 2]],
    "str": [["a", None, "b", "a"], [], [None], ["z"], ["a", "b"]],
}
MATRIX = [
    ("list_count", ("float64",), {}),
    ("list_count", ("str",), {}),
    ("list_sum_int", ("int64",), {}),
    ("list_sum_int", ("bool",), {}),
    ("list_sum", ("float64",), {}),
    ("list_min", ("float64",), {"dates": False}),
    ("list_max", ("float64",), {"dates": False}),
    ("list_min", ("datetime",), {"dates": True}),
    ("list_max", ("datetime",), {"dates": True}),
    *(("list_distinct", (dtype,), {}) for dtype in LISTS),
    ("list_at_largest", ("float64", "float64"), {}),
    ("list_sums_by", ("int64", "int64"), {"places": 4}),
]


def lists(dtype: str, rows: list[list[Any]]) -> ListColumn:
    flat = [value for row in rows for value in row]
    starts = np.cumsum([0, *map(len, rows)])
    kinds = {"float64": np.float64, "int64": np.int64, "bool": np.bool_, "datetime": np.int64}
    return ListColumn(TextColumn.of(flat) if dtype == "str" else np.array(flat, dtype=kinds[dtype]), starts)


@pytest.mark.parametrize(("name", "dtypes", "settings"), MATRIX)
def test_no_order_and_no_batch_of_child_rows_changes_an_aggregate(name: str, dtypes: Any, settings: Any) -> None:
    function = OPERATIONS[name].column(settings)
    whole = function(*(lists(dtype, LISTS[dtype]) for dtype in dtypes))
    turned = function(*(lists(dtype, [row[::-1] for row in LISTS[dtype]]) for dtype in dtypes))
    alone = [function(*(lists(dtype, [LISTS[dtype][row]]) for dtype in dtypes)) for row in range(5)]
    assert same(turned, whole)
    assert same(np.concatenate(alone, axis=-1), whole)


def test_aggregates_are_what_their_names_say() -> None:
    numbers, moments, words = lists("float64", LISTS["float64"]), lists("datetime", LISTS["datetime"]), LISTS["str"]
    assert OPERATIONS["list_min"].column({"dates": False})(numbers).tolist()[:1] == [0.1]
    assert OPERATIONS["list_max"].column({"dates": True})(moments).tolist() == [5, NAT, NAT, -7, 2]
    assert OPERATIONS["list_distinct"].column({})(lists("str", words)).tolist() == [2, 0, 0, 1, 2]
    assert OPERATIONS["list_distinct"].column({})(numbers).tolist() == [3, 0, 3, 1, 1]
    latest = OPERATIONS["list_at_largest"].column({})
    keys = lists("int64", [[1, 9, 9], [], [4, NAT, 3, 1], [0], [0, 0]])
    assert same(latest(numbers, keys), [0.3, NAN, NAN, 0.0, 0.0])
    cents = OPERATIONS["list_sums_by"].column({"places": 2})(
        lists("int64", [[0, 1, 5], [], [1, 1]]), lists("int64", [[7, 8, 9], [], [2**60, 1]])
    )
    assert cents.tolist() == [[7.0, 0.0, 0.0], [8.0, 0.0, float(2**60 + 1)]]


def test_sums_by_place_of_rows_without_children_are_numbers_too() -> None:
    nothing = ListColumn(np.zeros(0, dtype=np.int64), np.zeros(4, dtype=np.int64))
    sums = OPERATIONS["list_sums_by"].column({"places": 2})(nothing, nothing)
    assert sums.dtype == np.float64
    assert sums.tolist() == [[0.0] * 3] * 2


def test_kept_child_rows_are_those_that_the_condition_holds_for() -> None:
    keep = OPERATIONS["list_keep"].column({})
    where = lists("bool", [[True, False, True, False], [], [False], [True], [False, True]])
    kept = keep(lists("str", LISTS["str"]), where)
    assert kept.values.tolist() == ["a", "b", "z", "b"]
    assert kept.starts.tolist() == [0, 2, 2, 2, 3, 4]
    assert keep(lists("str", LISTS["str"][1:3]), lists("bool", [[], [False]])).counts.tolist() == [0, 0]


def test_child_rows_that_were_kept_do_not_mix_with_all() -> None:
    build = Builder()
    value = build.input("t.x", "float64[]", table="t")
    kept = build.keep(value, value > 0.0)
    assert build.total(kept + build.keep(value * 2.0, value > 0.0)).dtype == "float64"
    assert "found values of the tables t, t where" in refusal(lambda: kept + value)


def test_wide_values_are_distinct_by_two_keys() -> None:
    wide = lists("int64", [[2**62, -(2**62), 2**62], [2**62], []])
    assert OPERATIONS["list_distinct"].column({})(wide).tolist() == [2, 1, 0]


@pytest.mark.parametrize("count", [1, 7, 5_000])
def test_hashed_places_are_those_of_the_list(count: int) -> None:
    rng = np.random.default_rng(count)
    keys = rng.permutation(np.unique(rng.integers(-(2**63), 2**63 - 1, count)))
    asked = np.concatenate([rng.permutation(keys), rng.integers(-(2**63), 2**63 - 1, 1_000), [0, -1]])
    places = {key: place for place, key in enumerate(keys.tolist())}
    assert IntegerIndex(keys)(asked).tolist() == [places.get(number, -1) for number in asked.tolist()]


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([], 0.0),
        ([-0.0], 0.0),
        ([1e308, 1e308, -1e308], 1e308),
        ([1e308, 1e308], math.inf),
        ([-1e308, -1e308], -math.inf),
        ([math.inf, 1.0], math.inf),
        ([math.inf, -math.inf], NAN),
        ([NAN, 1.0], NAN),
        ([0.1] * 10, 1.0),
    ],
)
def test_an_exact_sum_is_rounded_once(values: list[float], total: float) -> None:
    assert same(exact_sum(values), total)
    if all(map(math.isfinite, values)) and math.isfinite(total):
        assert exact_sum(values[::-1]) == float(sum(map(Fraction, values), Fraction()))
