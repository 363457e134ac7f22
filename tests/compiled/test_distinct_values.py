"""Evaluation once per distinct value gives the bits of evaluation row by row, for words and for combinations."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_lib import load_model
from pipeline_lib.compiled import distinct_values
from pipeline_lib.compiled.column_executor import BLOCK_ROWS
from pipeline_lib.compiled.columns import slice_rows
from pipeline_lib.compiled.distinct_values import DistinctValues, combinations, make_executor
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan, RawTable
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference

pytestmark = pytest.mark.core
RECORDS = Path(__file__).parents[1] / "data" / "records"


def bits(results: Any) -> list[bytes]:
    return [column.tobytes() for column in results]


@pytest.mark.parametrize("record", ["titanic/20261129T123814406-17fc1e", "tiny/20261129T123837487-9fa751"])
def test_a_pipeline_gives_the_same_bits_with_the_pass_off(record: str) -> None:
    model = load_model(RECORDS / record / "artifact")
    rows = pq.read_table(RECORDS / record / "evidence" / "inputs.parquet")
    many = pa.concat_tables([rows] * (2 * BLOCK_ROWS // rows.num_rows + 1)).combine_chunks()
    off = CompiledPipeline(model.plan, model.row, distinct_values=False)
    assert off.predict(many).tobytes() == model.predict(many).tobytes()
    steps = model.evaluate(many, steps=True).steps
    for name, found in off.evaluate(many, steps=True).steps.items():
        assert first_difference(found, steps[name]) is None


def scored(mode: str = "default") -> tuple[Plan, list[int]]:
    build = Builder()
    text, size = build.input("t", "str"), build.input("x", "float64")
    score = build.lookup(text, {"a": 1.5, "b": -0.0}, "float64", unseen=9.0, mode=mode, name="t", where="Scores")
    total = build.fill(score, 3.0) * 0.1 + size
    return Plan(build.nodes, {}), [total.node, score.node]


def columns(words: list[str | None], rows: int = 200) -> dict[str, Any]:
    texts = [words[i % len(words)] for i in range(rows)]
    return {"t": TextColumn.of(texts), "x": np.linspace(-1, 1, rows)}


@pytest.mark.parametrize("words", [["a", "b"], ["a", None, "other"], [None], ["b"]])
def test_distinct_words_give_the_bits_that_rows_give(words: list[str | None]) -> None:
    plan, roots = scored()
    given = columns(words)
    known = DistinctValues(plan, roots).evaluate(given, 200, 0)
    assert [len(column) for column, _ in known.values()] == [len(set(words))] * 2  # the sum's part, and the score
    by_row = make_executor(plan, roots, distinct_values=False).run(given, 200)
    assert bits(make_executor(plan, roots).run(given, 200)) == bits(by_row)


def test_distinct_words_of_rows_behind_a_context_give_the_same_bits() -> None:
    build = Builder(context=2)
    score = build.lookup(
        build.input("t", "str"), {"a": 1.5, "b": -0.0}, "float64", unseen=9.0, name="t", where="Scores"
    )
    roots = [build.earlier(score, 2, "Lag").node, score.node]
    plan = Plan(build.nodes, {}, tables=(RawTable(context=2),))
    given = {"t": TextColumn.of(["a", "b", None, "b"] * 50)}
    by_row = make_executor(plan, roots, distinct_values=False).run(given, 198)
    assert bits(make_executor(plan, roots).run(given, 198)) == bits(by_row)
    assert repr([column[:3].tolist() for column in by_row]) == repr([[1.5, -0.0, math.nan], [math.nan, -0.0, 1.5]])


def test_only_a_word_that_a_row_has_is_refused_with_the_number_of_the_row() -> None:
    plan, roots = scored("refuse")
    given = columns(["a", "b"])
    given["t"].words.insert(2, "unused")
    assert len(make_executor(plan, roots).run(given, 200)[0]) == 200
    with pytest.raises(InputError, match="row 1: Scores: found 'c' in column 't'"):
        make_executor(plan, roots).run(columns(["a", "c"]), 200)


def waves() -> tuple[Plan, list[int]]:
    """Sines of hours and weekdays, and an angle of two looked-up texts: all of few distinct values."""
    build = Builder()
    timestamp, one, two, size = (
        build.input(*given) for given in (("m", "datetime"), ("a", "str"), ("b", "str"), ("x", "float64"))
    )
    hour = build.number(build.apply("calendar", timestamp, field="hour"))
    weekday = build.number(build.apply("calendar", timestamp, field="day_of_week"))
    hour = build.where(timestamp.missing(), math.nan, hour)
    scores = [build.lookup(text, {"p": 1.25, "q": -0.0}, "float64", name="t", where="Places") for text in (one, two)]
    angles = [build.apply("sin", hour * 0.2), build.apply("cos", hour * 0.4), build.apply("cos", weekday)]
    far = build.apply("arctan2", scores[0] - scores[1], build.fill(scores[1], 0.5))
    return Plan(build.nodes, {}), [*(each.node for each in angles), (far + size).node, far.node]


def timestamps(rows: int, words: tuple[str | None, ...] = ("p", "q", None, "other")) -> dict[str, Any]:
    draw = np.random.default_rng(3)
    when = draw.integers(0, 10**15, rows)
    when[draw.integers(0, rows, 50)] = NAT
    texts = {name: TextColumn.of([words[code] for code in draw.integers(0, len(words), rows)]) for name in "ab"}
    return {"m": when, **texts, "x": draw.normal(size=rows)}


def test_combinations_of_values_give_the_bits_that_rows_give(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, roots = waves()
    rows = BLOCK_ROWS + 57
    given, found = timestamps(rows), []
    monkeypatch.setattr(distinct_values, "combinations", lambda *args: found.append(combinations(*args)) or found[-1])
    by_row = make_executor(plan, roots, distinct_values=False).run(given, rows)
    assert bits(make_executor(plan, roots).run(given, rows)) == bits(by_row)
    assert sorted(len(one[0][0]) for one in found) == [7, 16, 24 + 1]  # weekdays, pairs of texts, hours and missing
    few = {name: slice_rows(column, 0, 100) for name, column in given.items()}
    assert bits(make_executor(plan, roots).run(few, 100)) == bits(column[:100] for column in by_row)
    assert len(found) == 3  # a hundred rows are not worth it


def test_a_combination_that_is_refused_is_refused_with_the_number_of_its_row() -> None:
    build = Builder()
    texts = [build.input(name, "str") for name in "ab"]
    one, two = (build.lookup(text, {"p": 1.0}, "float64", mode="refuse", name="t", where="Places") for text in texts)
    plan, roots = Plan(build.nodes, {}), [build.apply("sin", one + two).node]
    given = timestamps(BLOCK_ROWS, words=("p",))
    assert len(make_executor(plan, roots).run(given, BLOCK_ROWS)[0]) == BLOCK_ROWS
    given["b"] = TextColumn.of([*["p"] * 4000, "z", *["p"] * (BLOCK_ROWS - 4001)])
    with pytest.raises(InputError, match="row 4000: Places: found 'z' in column 't'"):
        make_executor(plan, roots).run(given, BLOCK_ROWS)


def test_combinations_are_those_of_the_rows() -> None:
    draw = np.random.default_rng(4)
    text = TextColumn.of([["a", None, "b"][code] for code in draw.integers(0, 3, 500)])
    given = [text, draw.integers(-5, 5, 500), draw.integers(0, 2, 500).astype(bool)]
    combined = combinations(given, 500)
    assert combined is not None
    distinct, codes = combined
    assert [column.tolist() for column in given] == [
        np.array(column.tolist(), dtype=object)[codes].tolist() for column in distinct
    ]
    rows = list(zip(*(column.tolist() for column in distinct), strict=True))
    assert len(set(rows)) == len(rows)
    assert distinct[2].dtype == bool
    assert combinations([np.arange(500)], 500) is None  # rows are seldom alike
    assert combinations([np.array([0, 2**62] * 250)], 500) is None  # far apart
    assert combinations([draw.integers(0, 4000, 500) for _ in "ab"], 500) is None  # too many
