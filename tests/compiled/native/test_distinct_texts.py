"""What depends on one text alone is computed once for each distinct text, with the bits of NumPy."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from core_bits import levels
from shadowed import same_bits

from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.executor import MANY_ROWS, CoreExecutor, core_executor
from pipeline_lib.compiled.native.segments import turns
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.skipif(built() is None, reason="found no native core, which needs a C compiler")
SCHEMA = RowSchema(
    (
        Column("name", "string", nullable=True),
        Column("place", "string", max_length=80),
        Column("kind", "string", nullable=True, allowed=("a", "é", "a kind of more than twelve bytes")),
        Column("x", "number"),
    )
)
TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
TYPES += [pa.dictionary(pa.int32(), pa.large_string()), pa.dictionary(pa.uint16(), pa.string())]


def plan() -> tuple[Plan, list[int]]:
    """Chains of one text, operations of several texts, and numbers of both."""
    build = Builder()
    name, place, kind = (build.input(each, "str") for each in ("name", "place", "kind"))
    x = build.input("x", "float64")
    lower = build.text_case(build.text_strip(name, side="both"), kind="lower")
    known = build.lookup(lower, {"mr": 1.0, "é": 2.0}, gives="float64", unseen=0.5, missing=-1.0)
    grade = build.lookup(build.text_slice(kind, start=0, stop=1), {"a": 3, "é": 4}, gives="int64", unseen=0, missing=-1)
    word = build.lookup(build.text_slice(place, stop=2), {"ab": "x", "": "y"}, gives="str", unseen="z", missing=None)
    joined = build.text_length(build.concatenate(lower, "-", place))
    roots = [
        known + x,
        build.text_length(name) * 2.0,
        build.apply("to_float", build.text_contains(place, part="b")),
        build.text_starts(place, prefixes=["ab", "é"]),
        grade,
        build.where(build.text_equal(word, "x"), joined, x),
        build.where(build.is_missing(kind), -1.0, build.text_count(place, part="a")),
        build.text_equal(name, place),
    ]
    return Plan(build.nodes, {}), [root.node for root in roots]


PLAN, ROOTS = plan()


def executor(threads: int = 1, schema: RowSchema = SCHEMA) -> CoreExecutor:
    own = core_executor(PLAN, ROOTS, ColumnExecutor, threads)
    assert own is not None
    assert own.bulk is not None
    own.read_raw(schema)
    return own


def texts(draw: random.Random, distinct: int) -> list[str]:
    parts = ("ab", "a", "b", " Mr ", "MR", "é", "É", "", "🙂", "longer than eight")
    return [
        "".join(draw.choice(parts) for _ in range(draw.randrange(4))) + str(own) * (own > 5) for own in range(distinct)
    ]


def table_of(draw: random.Random, distinct: int, rows: int, kinds: Sequence[pa.DataType]) -> pa.Table:
    """Texts of these types in several chunks, sliced out of longer ones."""
    own = texts(draw, distinct)
    values: dict[str, list[Any]] = {
        "name": [draw.choice([*own, None]) for _ in range(rows)],
        "place": [draw.choice(own) for _ in range(rows)],
        "kind": [draw.choice(["a", "é", None, "a kind of more than twelve bytes"]) for _ in range(rows)],
        "x": [draw.random() for _ in range(rows)],
    }
    columns = {"x": pa.array(values["x"])}
    for column in ("name", "place", "kind"):
        kind, chunks = draw.choice(kinds), []
        ends = sorted({0, rows, draw.randrange(rows), draw.randrange(rows)})
        for start, stop in pairwise(ends):
            longer = [None, "not in a row", *values[column][start:stop], "neither"]
            array = pa.array(longer, kind.value_type if pa.types.is_dictionary(kind) else kind)
            array = array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array
            chunks.append(array.slice(2, stop - start))
        columns[column] = pa.chunked_array(chunks)
    return pa.table(columns)


def differs(own: CoreExecutor, data: Any) -> bool:
    """Whether raw rows have other bits than with NumPy."""
    checked = conform(data, SCHEMA, for_executor=True)
    rows = checked.num_rows
    expected = ColumnExecutor(PLAN, ROOTS).run(from_arrow(checked), rows)
    found = own.run_raw(data)
    assert found is not None
    return not all(same_bits(one, other, rows) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("distinct", [1, 6, 90])
def test_few_texts_of_any_type_have_numpys_bits(distinct: int) -> None:
    draw = random.Random(distinct)  # noqa: S311 (no secret)
    for _ in levels():
        for threads in (1, 2):
            table = table_of(draw, distinct, MANY_ROWS + draw.randrange(99), TYPES)
            assert not differs(executor(threads), table), table.schema


def test_many_texts_have_numpys_bits() -> None:
    draw = random.Random(2)  # noqa: S311 (no secret)
    kinds = [kind for kind in TYPES if kind != pa.dictionary(pa.int8(), pa.string())]
    for kind in kinds:
        assert not differs(executor(2), table_of(draw, 9000, 9000, [kind])), kind


def test_frames_and_few_rows_have_numpys_bits() -> None:
    draw = random.Random(3)  # noqa: S311 (no secret)
    table = table_of(draw, 40, MANY_ROWS, [pa.string()])
    assert not differs(executor(), table.to_pandas())
    assert not differs(
        executor(), table.to_pandas().astype({"name": object, "place": "category"}).astype({"place": object})
    )
    for rows in (1, 5, MANY_ROWS - 1):
        assert not differs(executor(), table.slice(0, rows))


def test_a_column_of_numpy_is_taken_as_well() -> None:
    draw = random.Random(4)  # noqa: S311 (no secret)
    own, rows = texts(draw, 30), MANY_ROWS + 7
    for missing in ([None], []):
        name = [draw.choice([*own, *missing]) for _ in range(rows)]
        columns = {
            "name": TextColumn.of(name),
            "place": TextColumn.of([draw.choice(own) for _ in range(rows)]),
            "kind": TextColumn.of(["a"] * rows),
            "x": np.arange(rows) / 3,
        }
        found = executor().quick(columns, rows)
        expected = ColumnExecutor(PLAN, ROOTS).run(columns, rows)
        assert found is not None
        assert all(same_bits(one, other, rows) for one, other in zip(found, expected, strict=True))


def test_what_conform_refuses_is_left_to_it() -> None:
    draw = random.Random(5)  # noqa: S311 (no secret)
    good = table_of(draw, 20, MANY_ROWS, [pa.string()])
    assert executor().run_raw(good) is not None
    for name, value in (("place", None), ("place", "é" * 81), ("kind", "b"), ("kind", "")):
        values = good.column(name).to_pylist()
        values[777] = value
        for kind in (pa.string(), pa.string_view(), pa.large_string()):
            array = pa.array(values, kind)
            for own in (array, pa.array(values).dictionary_encode()):
                bad = good.set_column(good.schema.get_field_index(name), name, own)
                with pytest.raises(InputError):
                    conform(bad, SCHEMA, for_executor=True)
                assert executor().run_raw(bad) is None, (name, value)


def test_bytes_that_are_no_utf8_are_left_to_conform() -> None:
    rows = MANY_ROWS
    good = pa.table({"name": ["a"] * rows, "place": ["b"] * rows, "kind": ["a"] * rows, "x": [1.0] * rows})
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32).tobytes())
    assert executor().run_raw(good) is not None
    bad = pa.Array.from_buffers(pa.string(), rows, [None, offsets, pa.py_buffer(b"a" * (rows - 1) + b"\xff")])
    assert executor().run_raw(good.set_column(0, "name", bad)) is None


def test_a_word_that_no_row_has_is_not_judged() -> None:
    rows = MANY_ROWS
    words = pa.array(["ab", "x" * 99])
    place = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), words)
    table = pa.table({"name": ["a"] * rows, "place": place, "kind": ["a"] * rows, "x": [1.0] * rows})
    assert executor().run_raw(table) is not None


def test_texts_are_counted_once() -> None:
    """What is computed for each distinct text: a missing one is a text of its own, and rows that differ keep theirs."""
    reader = built().Reader((("t", "t", True, -np.inf, np.inf, 0, 2**63 - 1, None),))  # type: ignore[union-attr]

    def counts(values: list[str | None]) -> int:
        rows = pa.record_batch({"t": pa.array(values)})
        numbers, _, count = reader.batches(reader.layout(rows.schema.__arrow_c_schema__()), [rows]).texts(0)
        assert len(numbers) == 4 * len(values)
        return int(count)

    assert counts(["a", "b", None, "a", "", None, "b"]) == 4
    assert counts(["a"] * 5000) == 1
    assert counts([str(row % 1500) for row in range(9000)]) == 1500
    assert counts([str(row) for row in range(6000)] + ["0"] * 50) == 6050


def test_each_text_has_a_turn_of_its_own() -> None:
    alone = [turn.text for turn in turns(PLAN, ROOTS, distinct=True)]
    assert alone == ["kind", "name", "place", None]
    assert [turn.text for turn in turns(PLAN, ROOTS)] == [None]


def test_a_plan_of_one_text_needs_no_other_turn() -> None:
    build = Builder()
    root = build.text_length(build.text_strip(build.input("t", "str"), side="both")) + 1.0
    own = core_executor(Plan(build.nodes, {}), [root.node], ColumnExecutor)
    assert own is not None
    assert own.bulk is not None
    columns = {"t": TextColumn.of([" a ", None, "bc"] * MANY_ROWS)}
    (found,) = own.run(columns, 3 * MANY_ROWS)
    assert same_bits(found, np.array([2.0, np.nan, 3.0] * MANY_ROWS), 3 * MANY_ROWS)


def test_a_plan_without_text_has_no_other_executor() -> None:
    build = Builder()
    own = core_executor(Plan(build.nodes, {}), [(build.input("x", "float64") * 2.0).node], ColumnExecutor)
    assert own is not None
    assert own.bulk is None


def test_shared_numbers_are_checked() -> None:
    build = Builder()
    root = build.input("x", "float64") * 2.0
    own = core_executor(Plan(build.nodes, {}), [root.node], ColumnExecutor)
    assert own is not None
    native, out = own._turns[0]._native, np.zeros(3)  # type: ignore[union-attr]
    numbers = np.array([1.0, 2.0])
    assert native.run([(np.array([1, -1, 0], np.int32), numbers)], [out], 0, 3)
    assert out.tolist() == [4.0, 4.0, 2.0]
    assert not native.run([(np.array([1, 2, 0], np.int32), numbers)], [out], 0, 3)
    for codes, values in ((np.array([0], np.int32), numbers), (np.array([0, 0, -1], np.int32), numbers[:0])):
        with pytest.raises(ValueError, match="too few rows"):
            native.run([(codes, values)], [out], 0, 3)


WORDS_SCHEMA = RowSchema(
    (Column("place", "string"), Column("grade", "string", nullable=True), Column("x", "number", nullable=True))
)


def word_plan() -> tuple[Plan, list[int]]:
    """Chains of look-ups by words; a place that they do not know is refused."""
    build = Builder()
    place, grade, x = build.input("place", "str"), build.input("grade", "str"), build.input("x", "float64")
    own = build.lookup(place, {"hill": 1.5, "lake": -0.0}, "float64", unseen=None, missing=None)
    known = ~build.is_missing(own)
    own = build.apply("demand", own, known, name="place", where="", expected="hill or lake", advice="correct it")
    named = build.lookup(grade, {}, "str", unseen=None, missing="none", mode="keep")
    number = build.lookup(named, {"none": 7, "a": 1, "é": 2}, "int64", unseen=3, missing=4)
    is_known = ~build.lookup(named, {"a": True}, "bool", unseen=False, missing=False)
    roots = [own * 2.0 + x, build.where(is_known, build.apply("to_float", number) + 1.0, x)]
    return Plan(build.nodes, {}), [root.node for root in roots]


@pytest.mark.parametrize("threads", [1, 2])
def test_chains_of_words_have_numpys_bits_and_refusals(threads: int) -> None:
    (plan, roots), rows = word_plan(), 9000
    draw = random.Random(9)  # noqa: S311 (no secret)
    columns: dict[str, list[Any]] = {
        "place": [draw.choice(("hill", "lake")) for _ in range(rows)],
        "grade": [draw.choice(("a", "é", None, "none", "another")) for _ in range(rows)],
        "x": [draw.choice((1.0, None, -0.0)) for _ in range(rows)],
    }
    unknown = {**columns, "place": [*columns["place"][:-1], "moon"]}
    for _ in levels():
        own = core_executor(plan, roots, ColumnExecutor, threads)
        assert own is not None
        own.read_raw(WORDS_SCHEMA)
        assert own.bulk is not None
        for kind in TYPES:
            good, bad = (
                pa.table({name: pa.array(each, _values(kind, name)) for name, each in which.items()})
                for which in (columns, unknown)
            )
            if pa.types.is_dictionary(kind):
                good, bad = _encoded(good, kind), _encoded(bad, kind)
            table = conform(good, WORDS_SCHEMA, for_executor=True)
            expected = ColumnExecutor(plan, roots).run(from_arrow(table), rows)
            parted = pa.concat_tables([good.slice(0, 17), good.slice(17, 1), good.slice(18)])
            for found in (own.run_raw(good), own.run_raw(parted), own.run(from_arrow(table), rows)):
                assert found is not None
                assert all(same_bits(one, other, rows) for one, other in zip(found, expected, strict=True))
            assert own.run_raw(bad) is None
            with pytest.raises(InputError, match="expected hill or lake"):
                own.run(from_arrow(conform(bad, WORDS_SCHEMA, for_executor=True)), rows)
            assert own.run_raw(bad.slice(0, rows - 1)) is not None


def _values(kind: pa.DataType, name: str) -> pa.DataType:
    return pa.float64() if name == "x" else kind.value_type if pa.types.is_dictionary(kind) else kind


def _encoded(table: pa.Table, kind: pa.DataType) -> pa.Table:
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    coded = {name: columns[name].dictionary_encode().cast(kind) for name in ("place", "grade")}
    return pa.table({**columns, **coded})


def test_words_are_looked_up_once_for_each_row() -> None:
    plan, roots = word_plan()
    order = turns(plan, roots, distinct=True)
    assert [turn.text for turn in order] == ["grade", "place", None]
    assert {kind for turn in order[:-1] if turn.core is not None for kind in turn.core.taken_kinds} == {"t"}
    assert "t" not in order[-1].core.taken_kinds  # type: ignore[union-attr]
