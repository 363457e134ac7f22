"""Text that the core gives: the words of NumPy, each once in a run, missing ones, for many rows and for one."""

from typing import Any

import numpy as np
import pytest
from shadowed import same_bits

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.native.row import core_row
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
WORDS = [" Hill ", "lake", None, "", "Äpfel", "ß", " a name of more than eight bytes", "日本 "]


def strip_and_lower() -> Plan:
    build = Builder()
    text = build.apply("text_strip", build.input("place", "str"), side="both")
    lower = build.apply("text_case", text, kind="lower")
    return Plan(build.nodes, {"lower": lower.node, "text": text.node})


def executor_of(plan: Plan, threads: int = 1) -> CoreExecutor:
    executor = core_executor(plan, list(plan.outputs.values()), make_executor, threads, least=1)
    assert executor is not None
    assert executor.alone
    return executor


def both(plan: Plan, values: list[str | None], threads: int = 1) -> tuple[list[Any], list[Any]]:
    """What the core gives, and NumPy."""
    columns, rows = {"place": TextColumn.of(values)}, len(values)
    found = executor_of(plan, threads).quick(columns, rows)
    assert found is not None
    return found, make_executor(plan, list(plan.outputs.values())).run(columns, rows)


def test_text_of_many_rows_is_that_of_numpy_with_each_word_once() -> None:
    values = [WORDS[at % len(WORDS)] for at in range(2000)]  # several blocks
    found, expected = both(strip_and_lower(), values)
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert found[0].words[-1] is None
    assert sorted(found[0].words[:-1]) == ["", "a name of more than eight bytes", "hill", "lake", "ß", "äpfel", "日本"]


def test_a_text_is_written_once_for_each_distinct_one_and_for_other_texts_again() -> None:
    build = Builder()
    place, street, size = build.input("place", "str"), build.input("street", "str"), build.input("size", "float64")
    lower = build.apply("text_case", place, kind="lower")
    both_texts = build.apply("concatenate", lower, street)
    lake = build.lookup(lower, {"lake": 1.5}, gives="float64", unseen=0.5)
    roots = {"lower": lower.node, "both": both_texts.node, "y": (lake + size).node}
    plan, rows = Plan(build.nodes, roots), 3000
    for values in (["Hill", "lake", None] * 1000, [f"A{at // 2}" for at in range(rows)]):
        columns = {
            "place": TextColumn.of(values),
            "street": TextColumn.of(["x", "Y"] * 1500),
            "size": np.arange(rows) / 7,
        }
        executor = executor_of(plan)
        found = executor.quick(columns, rows)
        expected = make_executor(plan, list(plan.outputs.values())).run(columns, rows)
        assert executor.bulk is not None
        assert found is not None
        assert all(same_bits(own, other, rows) for own, other in zip(found, expected, strict=True))


def test_a_hundred_thousand_distinct_texts_keep_their_rows() -> None:
    values = [f" Row {number:x}" for number in range(100_000)]
    found, expected = both(strip_and_lower(), [*values, *values[::-1]])
    assert found[0].tolist() == expected[0].tolist()
    assert len(found[0].words) == len(values) + 1


def test_threads_share_a_list_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.compiled.native.core_turn.shares_of", lambda *each: 3)
    # fewer rows than those from which on distinct texts are looked for
    values = [WORDS[at % 7] if at % 3 else f"Row {at // 2}" for at in range(900)]
    found, expected = both(strip_and_lower(), values, threads=3)
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert len(found[0].words) > len({*expected[0].tolist()})  # a word may be there once for each thread


def test_words_behind_those_of_another_run_are_counted_from_there() -> None:
    plan = encode(strip_and_lower(), [*strip_and_lower().outputs.values()])
    assert plan is not None
    native, codes, words = core.load_plan(plan.data), np.full((2, 2), -7, dtype=np.int32), ["other"]
    assert native is not None
    native.knows(plan.words.words)
    column = (np.array([0, 1], dtype=np.int32), ["A ", None])
    results = [(codes[0], words), (codes[1], [])]
    assert native.run([column], results, 0, 2)
    assert (words, codes.tolist()) == (["other", "a"], [[1, -1], [0, -1]])
    for wrong in (codes[0], (codes[0],), (codes[0], "words"), (codes[0][:1], [])):
        with pytest.raises((TypeError, ValueError)):
            native.run([column], [wrong, results[1]], 0, 2)


def test_one_row_gives_text_or_none() -> None:
    plan = strip_and_lower()
    row = core_row(plan, list(plan.outputs.values()), RowSchema([Column("place", "string", nullable=True)]))
    assert row is not None
    assert row({"place": " Äpfel "}) == ("äpfel", "Äpfel")
    assert row({"place": None}) == (None, None)
    assert row({"place": 3}) is None


def test_half_of_a_surrogate_pair_in_a_setting_stays_what_it_is() -> None:
    build = Builder()
    place = build.apply("text_replace", build.input("place", "str"), old="a", new="\ud800")
    plan = Plan(build.nodes, {"y": place.node})
    found, expected = both(plan, ["ab", "b", None])
    assert found[0].tolist() == expected[0].tolist() == ["\ud800b", "b", None]


def test_text_in_parts_is_joined_with_all_of_their_words() -> None:
    parts = [TextColumn.of(["a", None, "b"]), TextColumn.of(["b", "c"]), TextColumn.of([None])]
    assert TextColumn.concat(parts).tolist() == ["a", None, "b", "b", "c", None]
    # a code beyond the words of the first part would be another's without an offset
    assert TextColumn.concat(parts).codes.tolist() != [0, -1, 1, 0, 1, -1]


def test_a_table_that_keeps_other_texts_and_a_check_give_text() -> None:
    build = Builder()
    place = build.input("place", "str")
    renamed = build.lookup(place, {"lake": "See", "": None}, gives="str", mode="keep", missing="none")
    filled = build.lookup(place, {}, gives="str", mode="keep", missing="none")
    plan = Plan(build.nodes, {"renamed": renamed.node, "filled": filled.node})
    found, expected = both(plan, WORDS * 100)
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert found[0].tolist()[:5] == [" Hill ", "See", "none", None, "Äpfel"]
