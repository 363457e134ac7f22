"""What depends on the word of one raw text is a table by word for one row, with the bits and refusals of Python."""

import itertools
import math
import struct
from typing import Any

import pytest

from pipeline_lib.compiled.native import row, row_words
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.row import core_row, growing_row
from pipeline_lib.compiled.native.row_words import encode_row
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(built() is None, reason="found no native core, which needs a C compiler"),
]
SCHEMA = RowSchema(
    (
        Column("place", "string"),
        Column("grade", "string", nullable=True),
        Column("kind", "string", nullable=True),
        Column("x", "number", nullable=True),
    )
)
ROWS = [
    {"place": place, "grade": grade, "kind": kind, "x": x}
    for place, grade, kind, x in itertools.product(
        ("hill", "lake", "moon", "", "none"),
        ("a", "é", None, "none", "another", "hill"),
        ("a", "b", None, "unknown"),
        (1.0, None, -0.0, -2.5),
    )
]


def demanded(build: Builder, value: Any, condition: Any) -> Any:
    return build.apply("demand", value, condition, name="place", where="", expected="hill or lake", advice="correct it")


def word_plan() -> tuple[Plan, list[int]]:
    """Chains of each kind; a place that they do not know is refused, by two columns with one condition."""
    build = Builder()
    place, grade, kind = (build.input(name, "str") for name in ("place", "grade", "kind"))
    x = build.input("x", "float64")
    own = build.lookup(place, {"hill": 1.5, "lake": -0.0, "none": math.nan}, "float64", unseen=None, missing=None)
    known = ~build.is_missing(own)
    own = demanded(build, own, known)
    named = build.lookup(grade, {}, "str", unseen=None, missing="none", mode="keep")
    number = build.lookup(named, {"none": 7, "a": 2**53 + 1, "é": -2}, "int64", unseen=3, missing=4)
    is_known = ~build.lookup(named, {"a": True}, "bool", unseen=False, missing=False)
    of_kind = build.lookup(kind, {"a": -0.0, "b": 0.1}, "float64", unseen=math.nan, missing=1.0)
    both = build.where(build.text_equal(kind, grade), of_kind * 3.0, demanded(build, x, known))
    roots = [own * 2.0 + x, build.where(is_known, build.apply("to_float", number) + 1.0, x), both]
    return Plan(build.nodes, {}), [root.node for root in roots]


def bits(values: tuple[Any, ...]) -> list[Any]:
    return [struct.pack("<d", value) if isinstance(value, float) else value for value in values]


def instructions(data: bytes) -> int:
    return int.from_bytes(data[40:48], "little")  # as native/plan.c has the header


def test_rows_have_the_bits_and_refusals_of_python() -> None:
    plan, roots = word_plan()
    own, expected = core_row(plan, roots, SCHEMA, tables=True), row_function(plan, roots, SCHEMA)
    assert own is not None
    refused = 0
    for each in ROWS:
        try:
            wanted = expected(each)
        except InputError:
            assert own(each) is False
            refused += 1
        else:
            found = own(each)
            assert isinstance(found, tuple)
            assert bits(found) == bits(wanted)
    assert 0 < refused < len(ROWS)


def test_a_chain_of_one_text_is_one_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, roots = word_plan()
    whole, short = encode(plan, roots), encode_row(plan, roots)
    assert whole is not None
    assert short is not None
    assert instructions(short.data) < instructions(whole.data) - 5
    monkeypatch.setattr(row_words, "_MOST_WORDS", 0)
    assert encode_row(plan, roots) is None  # too many words


def test_tables_are_made_once_many_rows_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, roots = word_plan()
    monkeypatch.setattr(row, "ROWS_BEFORE_TABLES", 3)
    later: list[Any] = []
    own = growing_row(plan, roots, SCHEMA, later.append)
    assert own is not None
    counts = []
    for each in ROWS[:5]:
        own(each)
        counts.append(len(later))
    assert counts == [0, 0, 1, 1, 1]
    assert [repr(later[0](each)) for each in ROWS] == [repr(own(each)) for each in ROWS]
    monkeypatch.setattr(row_words, "_MOST_WORDS", 0)
    other = growing_row(plan, roots, SCHEMA, later.append)
    assert other is not None
    answers = [other(each) for each in ROWS[:4]]
    assert repr(later[1](ROWS[0])) == repr(answers[0])  # without tables the first function stays


def test_numbers_alone_are_not_counted() -> None:
    build = Builder()
    total = build.input("x", "float64") + 1.0
    own = growing_row(Plan(build.nodes, {}), [total.node], RowSchema((Column("x", "number"),)), pytest.fail)
    assert own is not None
    assert own.__name__ == "row"  # the core's own method
    assert own({"x": 1.0}) == (2.0,)


def test_a_condition_of_two_columns_is_checked_once() -> None:
    counts = []
    for conditions in (1, 2):
        build = Builder()
        x, y = build.input("x", "float64"), build.input("y", "float64")
        first = build.apply("less", x, y)
        second = build.apply("less", y, x) if conditions == 2 else first
        total = demanded(build, x, first) + demanded(build, y, second)
        core = encode(Plan(build.nodes, {}), [total.node])
        assert core is not None
        counts.append(instructions(core.data))
    assert counts == [3, 5]
