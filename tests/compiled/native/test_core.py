"""The core: which level runs, what a hostile plan may do, and what it leaves to NumPy."""

import math
import os
import random
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from own_process import counts
from shadowed import same_bits, shadowed

from pipeline_lib.compiled.columns import PlanColumn, slice_rows
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native import core, core_turn, thread_shares
from pipeline_lib.compiled.native import executor as executor_module
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.core
needs_core = pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler")
ROWS = 700  # more than one block
ROOT = Path(__file__).parents[3]


def house() -> tuple[Plan, dict[str, object]]:
    """A small plan of every kind of column, and its columns."""
    build = Builder()
    size, rooms, place = build.input("size", "float64"), build.input("rooms", "int64"), build.input("place", "str")
    known = build.lookup(place, {"hill": 1.5, "lake": -2.0}, gives="float64", unseen=0.25)
    wide = build.where(size.missing(), 90.0, size)
    price = build.exp(wide * 0.01) + known / build.number(rooms + 1)
    kind = build.where(price < 3.0, build.lookup(place, {"hill": "high"}, gives="str", unseen="flat"), "dear")
    plan = Plan(build.nodes, {"price": price.node, "kind": kind.node, "many": (rooms < 4).node})
    rng = np.random.default_rng(5)
    sizes = rng.normal(100, 40, ROWS)
    sizes[::9] = np.nan
    places = TextColumn.of([["hill", "lake", "moon", None][number] for number in rng.integers(0, 4, ROWS)])
    return plan, {"size": sizes, "rooms": rng.integers(0, 9, ROWS), "place": places}


@needs_core
def test_every_level_has_the_bits_of_numpy_and_gives_the_same_kinds_of_columns() -> None:
    plan, columns = house()
    roots = list(plan.outputs.values())
    expected = make_executor(plan, roots).run(columns, ROWS)
    for level in map(core.LEVELS.__getitem__, core.built().levels()):  # type: ignore[union-attr]
        with patch.dict(os.environ, {core.VARIABLE: level}):
            executor = core_executor(plan, roots, make_executor)
            assert isinstance(executor, CoreExecutor), level
            found = executor.run(columns, ROWS)
        assert [type(column) for column in found] == [type(column) for column in expected]
        assert all(same_bits(own, other, ROWS) for own, other in zip(found, expected, strict=True)), level


@needs_core
def test_a_wrong_bit_is_seen() -> None:
    plan, columns = house()
    roots = list(plan.outputs.values())
    wrong = Plan([_moved(node) for node in plan.nodes], plan.outputs)
    executor = core_executor(wrong, roots, make_executor)
    assert isinstance(executor, CoreExecutor)
    found = executor.run(columns, ROWS)
    assert not same_bits(found[0], make_executor(plan, roots).run(columns, ROWS)[0], ROWS)


def _moved(node: Node) -> Node:
    if node.operation == "constant" and node.settings["value"] == 0.01:
        return Node("constant", (), {"value": math.nextafter(0.01, 1)}, node.dtype)
    return node


@needs_core
def test_a_refusal_has_the_words_and_the_row_of_numpy() -> None:
    build = Builder()
    size = build.input("size", "float64")
    plan = Plan(build.nodes, {"y": build.finite(size * 2.0, name="size", where="step").node})
    column = np.ones(ROWS)
    column[600:] = np.inf
    roots = list(plan.outputs.values())
    executor = core_executor(plan, roots, make_executor)
    assert isinstance(executor, CoreExecutor)
    with pytest.raises(InputError, match=r"^row 600: step: found inf in column 'size'"):
        executor.run({"size": column}, ROWS)
    assert executor.run({"size": column[:600]}, 600)[0].tolist() == [2.0] * 600


@needs_core
def test_what_the_core_does_not_carry_stays_in_numpy() -> None:
    build = Builder()
    text, number = build.input("text", "str"), build.input("number", "float64")
    length = build.text_length(build.apply("extract", text, pattern="([a-z]+)"))
    plan = Plan(build.nodes, {"y": (length * 0.5 + number).node})
    roots = list(plan.outputs.values())
    carried = encode(plan, roots)
    assert carried is not None
    assert {plan.nodes[node].operation for node in carried.taken} == {"extract", "input"}
    with shadowed() as shadow:
        found = make_executor(plan, roots).run({"text": TextColumn.of(["ab", None]), "number": np.array([1.0, 2.0])}, 2)
    assert found[0].tolist()[0] == 2.0
    assert shadow.carried == 1


@needs_core
def test_what_numpy_hands_over_comes_in_parts_and_the_first_refused_row_is_named() -> None:
    build = Builder()
    text, number = build.input("text", "str"), build.input("number", "float64")
    length = build.finite(build.text_length(text) * number, name="length", where="step")
    plan = Plan(build.nodes, {"y": length.node, "text": text.node, "half": (number * 0.5).node})
    roots = list(plan.outputs.values())
    texts = TextColumn.of(["a" * (row % 7) for row in range(ROWS)])
    columns: dict[str, PlanColumn] = {"text": texts, "number": np.arange(ROWS, dtype=np.float64)}
    executor = core_executor(plan, roots, make_executor)
    expected = make_executor(plan, roots).run(columns, ROWS)
    with patch.object(executor_module, "PART_ROWS", 64):
        found = executor.run(columns, ROWS)  # type: ignore[union-attr]
        assert all(same_bits(own, other, ROWS) for own, other in zip(found, expected, strict=True))
        columns["number"][[650, 333]] = np.inf
        with pytest.raises(InputError, match=r"^row 1333: step: found inf in column 'length'"):
            executor.run(columns, ROWS, 1000)  # type: ignore[union-attr]
    empty = {name: slice_rows(column, 0, 0) for name, column in columns.items()}
    assert [len(column) for column in executor.run(empty, 0)] == [0, 0, 0]  # type: ignore[union-attr]


def test_a_level_is_chosen_by_the_variable() -> None:
    with patch.dict(os.environ, {core.VARIABLE: "off"}):
        assert (core.level(), core.name()) == (None, "numpy")
    wrong = "PIPELINE_LIB_CORE: found 'fast', expected off, baseline, avx2, avx512"
    with patch.dict(os.environ, {core.VARIABLE: "fast"}), pytest.raises(InputError, match=wrong):
        core.level()
    with patch.object(core, "built", lambda: None):
        assert core.level() is None
        plan, _ = house()
        assert core_executor(plan, list(plan.outputs.values()), make_executor) is None


@needs_core
def test_evidence_is_written_by_numpy_alone_whose_bits_the_core_repeats() -> None:
    plan, _ = house()
    model = CompiledPipeline(
        Plan(plan.nodes, {"prediction": plan.outputs["price"]}),
        RowSchema((Column("size", "number", nullable=True), Column("rooms", "integer"), Column("place", "string"))),
    )
    rows = [{"size": 90.5, "rooms": 3, "place": "hill"}, {"size": None, "rooms": 1, "place": "moon"}]
    with patch.object(CoreExecutor, "run", side_effect=AssertionError("the core ran")):
        with core.numpy_alone():
            alone = model.predict(rows).tolist(), [model.predict_row(row) for row in rows]
        with pytest.raises(AssertionError, match="the core ran"):
            model.predict(rows)
    assert alone == (model.predict(rows).tolist(), [model.predict_row(row) for row in rows])


@needs_core
def test_threads_share_the_rows_and_each_row_keeps_its_bits() -> None:
    plan, columns = house()
    roots = list(plan.outputs.values())
    expected = make_executor(plan, roots).run(columns, ROWS)
    with (
        patch.object(thread_shares, "ROWS_OF_A_THREAD", 64),
        patch.object(core_turn, "run_in_shares", wraps=thread_shares.run_in_shares) as spread,
    ):
        for threads in (1, 2, 3, 64):
            executor = core_executor(plan, roots, make_executor, threads)
            found = executor.run(columns, ROWS)  # type: ignore[union-attr]
            assert all(same_bits(own, other, ROWS) for own, other in zip(found, expected, strict=True)), threads
    assert [call.args[2] for call in spread.call_args_list] == [2, 3, 10]
    with pytest.raises(InputError, match="found threads=0, expected a whole number from 1 on"):
        CompiledPipeline(plan, RowSchema((Column("size", "number"),)), threads=0)


@needs_core
def test_a_plan_that_the_core_does_not_read_stays_in_numpy_with_a_warning() -> None:
    plan, _ = house()
    roots = list(plan.outputs.values())
    warned = pytest.warns(UserWarning, match="NumPy carries this plan out: found an operation that is not known")
    with patch.dict(core.operations(), {"exp": (10**6, "d:d")}), warned:
        assert core_executor(plan, roots, make_executor) is None
    assert core_executor(plan, roots, make_executor) is not None


@needs_core
def test_bytes_that_are_no_plan_are_refused_and_end_no_process() -> None:
    refused, ran = counts(__file__)
    assert refused > 100
    assert ran > 10


def spoil(trials: int = 4000) -> tuple[int, int]:
    """Change bytes of a plan at random and run what is not refused: how many were, and how many ran."""
    plan, columns = house()
    roots = list(plan.outputs.values())
    carried = encode(plan, roots)
    module = core.built()
    if carried is None or module is None:
        raise InputError("found no core, expected one")
    draw, refused, ran = random.Random(7), 0, 0  # noqa: S311 (no secret)
    words = carried.words.of_batch(columns["place"].words)  # type: ignore[attr-defined]
    taken = {"size": columns["size"], "rooms": columns["rooms"], "place": (columns["place"].codes, words)}  # type: ignore[attr-defined]
    given = [taken[plan.nodes[node].settings["column"]] for node in carried.taken]
    for _ in range(trials):
        data = bytearray(carried.data)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(data) if draw.random() < 0.3 else min(len(data), 1400))
            data[place] = draw.choice((0, 1, 2, 255, draw.randrange(256)))
        try:
            native = module.Plan(bytes(data), draw.choice(module.levels()))
        except (ValueError, MemoryError):
            refused += 1
            continue
        results = [np.zeros(ROWS * 8) for _ in roots]
        try:
            native.run(given, results, 0, ROWS)
            ran += 1
        except (ValueError, TypeError, MemoryError):
            refused += 1
    return refused, ran


if __name__ == "__main__":
    print(*spoil())


@needs_core
def test_a_core_of_other_sources_is_left_alone_with_a_warning() -> None:
    module = core.built()
    plan, _ = house()
    with patch.object(module, "INTERFACE", 0):
        core.built.cache_clear()
        with pytest.warns(UserWarning, match="make setup"):
            assert core.built() is None
        assert core_executor(plan, list(plan.outputs.values()), make_executor) is None
    core.built.cache_clear()
    assert core.built() is module


@needs_core
def test_a_second_import_leaves_plans_that_are_there_at_work() -> None:
    code = """
import importlib, sys
import pyarrow as pa
from pipeline_lib.compiled.native import core
first = core.built()
name = first.__name__
del sys.modules[name]
second = importlib.import_module(name)
assert second is not first
rows = pa.record_batch({"x": [1.0]})
reader = second.Reader((("x", "d", False, 0.0, 9.0, 0, 0, None),))
batch = reader.batches(reader.layout(rows.schema.__arrow_c_schema__()), [rows])
assert type(batch) is first.Batch
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)  # noqa: S603
