"""Hostile columns through Arrow's C interface: left to `conform`, and never a crash."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.incoming import column_rule
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from tests.support.arrow_structs import Hostile, ReleaseArray, ReleaseSchema, ReleaseStream

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]


def batch_of(hostile: Hostile, column: Column) -> Any | None:
    """The batch of a record batch with one column; None where the core leaves it."""
    module = core.built()
    assert module is not None
    reader = module.Reader((column_rule(column),))
    layout = reader.layout(hostile.schema_capsule())
    return layout and reader.batches(layout, [hostile])


def answer_of(hostile: Hostile, column: Column) -> list[Any] | None:
    """What the core makes of the only column; None where it leaves it."""
    batch = batch_of(hostile, column)
    if batch is None:
        return None
    build = Builder()
    raw = build.input("x", "str" if column.kind == "string" else "float64")
    value = (
        build.lookup(raw, {"a": 1.0, "é": 2.0}, "float64", unseen=0.0, missing=-1.0)
        if column.kind == "string"
        else -raw
    )
    own = core_executor(Plan(build.nodes, {"y": value.node}), [value.node], make_executor)
    assert own is not None
    own.read_raw(RowSchema((column,)))
    results = own.quick({}, len(batch), batch)
    if column.kind == "string" and len(batch):  # the distinct texts are left to `conform` where the rows are
        assert (batch.texts(0) is None) == (results is None)
    return None if results is None else results[0].tolist()


NUMBER, TEXT = Column("x", "number", nullable=True), Column("x", "string", nullable=True)


def numbers() -> Hostile:
    return Hostile(b"g", [b"\xff", np.array([1.0, 2.0]).tobytes()], 2)


def texts(data: bytes = b"ab", ends: Sequence[int] = (0, 1, 2), kind: str = "u") -> Hostile:
    offsets = np.array(ends, np.int32 if kind == "u" else np.int64).tobytes()
    return Hostile(kind.encode(), [None, offsets, data], len(ends) - 1)


def codes(values: Sequence[int] = (0, 1)) -> Hostile:
    return Hostile(b"c", [None, np.array(values, np.int8).tobytes()], len(values), texts())


def views(size: int = 13, buffer: int = 0, at: int = 0) -> Hostile:
    """A view of 13 bytes in a buffer."""
    view = np.array([size, 0, buffer, at], np.int32).tobytes()
    return Hostile(b"vu", [None, view, b"x" * 13, np.array([13], np.int64).tobytes()], 1)


def test_structures_that_are_right_are_read() -> None:
    """The negative control of all that follows: it is not for another reason that they are left."""
    assert answer_of(numbers(), NUMBER) == [-1.0, -2.0]
    assert answer_of(texts(), TEXT) == [1.0, 0.0]
    assert answer_of(texts("aéb".encode(), (0, 1, 3, 4), "U"), TEXT) == [1.0, 2.0, 0.0]
    assert answer_of(codes(), TEXT) == [1.0, 0.0]
    assert answer_of(views(), TEXT) == [0.0]


def spoiled(hostile: Hostile, **values: Any) -> Hostile:
    for name, value in values.items():
        part, _, field = name.partition("_of_")
        setattr(getattr(hostile, field) if field else hostile, part, value)
    return hostile


MOST = 2**63 - 1


@pytest.mark.parametrize(
    "values",
    [
        *({f"{field}_of_column": value} for field in ("length", "offset") for value in (-1, -(2**63), MOST)),
        *({f"{field}_of_table": value} for field in ("length", "offset") for value in (-1, -(2**63), MOST, 3)),
        *({"n_buffers_of_column": value} for value in (-1, 0, 1, 3, MOST)),
        *({"n_children_of_table": value} for value in (-1, 0, 2, MOST)),
        *({"n_buffers_of_table": value} for value in (-1, 0, 2)),
        *({"null_count_of_column": value} for value in (-2, -(2**63))),
        {"null_count_of_table": 1},
        {"length_of_column": 1},
        {"buffers_of_column": None},
        {"buffers_of_table": None},
        {"children_of_table": None},
        {"release_of_column": ReleaseArray()},
        {"n_children_of_schema": -1},
        {"n_children_of_schema": 0},
        {"children_of_schema": None},
        {"name_of_type": None},
        {"name_of_type": b"y"},
        *({"format_of_type": value} for value in (None, b"", b"z", b"+s", b"u", b"tsu:UTC", b"e", b"gg", b"w:8")),
        *({"format_of_schema": value} for value in (None, b"", b"g", b"+l")),
        {"failing_of_": 5},
        {"release_of_table": ReleaseArray()},
        {"release_of_schema": ReleaseSchema()},
    ],
)
def test_structures_that_are_wrong_are_left(values: dict[str, Any]) -> None:
    hostile = numbers()
    assert answer_of(spoiled(hostile, **values), NUMBER) is None


def test_missing_buffers_are_left() -> None:
    hostile = numbers()
    hostile.places[1] = None
    assert answer_of(hostile, NUMBER) is None
    assert answer_of(spoiled(Hostile(b"g", [None, b"\0" * 16], 2), null_count_of_column=1), NUMBER) is None
    for place in (1, 2):
        words = texts()
        words.places[place] = None
        assert answer_of(words, TEXT) is None


@pytest.mark.parametrize("kind", ["u", "U"])
@pytest.mark.parametrize(
    "ends", [(0, 3, 2), (2, 1, 2), (-1, 1, 2), (0, -1, 2), (0, 2, 1), (0, 2**31 - 1, 2), (-9, -8, -7)]
)
def test_offsets_out_of_order_are_left(ends: tuple[int, ...], kind: str) -> None:
    assert answer_of(texts(b"ab", ends, kind), TEXT) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x80",
        b"\xc3",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xe2(\xa1",
        b"a\xc3",
        b"\xf0\x9f\x98a",
    ],
)
def test_bytes_that_are_no_utf8_are_left(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert answer_of(texts(data, (0, len(data))), TEXT) is None


def test_utf8_is_what_python_decodes() -> None:
    draw = random.Random(9)  # noqa: S311 (no secret)
    found = 0
    for _ in range(3000):
        data = bytes(
            draw.choice(b"a\x7f\x80\x8f\x90\x9f\xa0\xbf\xc2\xdf\xe0\xe1\xed\xef\xf0\xf1\xf4")
            for _ in range(draw.randint(1, 4))
        )
        try:
            data.decode()
        except UnicodeDecodeError:
            assert answer_of(texts(data, (0, len(data))), TEXT) is None, data
        else:
            assert answer_of(texts(data, (0, len(data))), TEXT) is not None, data
            found += 1
    assert found > 100


@pytest.mark.parametrize("values", [(0, 2), (-1, 0), (0, 127), (-128, 1)])
def test_codes_beyond_the_dictionary_are_left(values: tuple[int, ...]) -> None:
    assert answer_of(codes(values), TEXT) is None


def test_dictionaries_that_are_wrong_are_left() -> None:
    for words in (numbers(), texts(b"ab", (0, 3, 2)), texts(b"\xff\xff"), spoiled(texts(), length_of_column=-1)):
        assert answer_of(Hostile(b"c", [None, b"\0\1"], 2, words), TEXT) is None
    assert answer_of(spoiled(codes(), dictionary_of_column=None), TEXT) is None
    assert answer_of(spoiled(codes(), dictionary_of_type=None), TEXT) is None


@pytest.mark.parametrize(
    "values", [(-1, 0, 0), (14, 0, 0), (13, 1, 0), (13, -1, 0), (13, 0, 1), (13, 0, -1), (2**31 - 1, 0, 0)]
)
def test_views_beyond_their_buffers_are_left(values: tuple[int, int, int]) -> None:
    assert answer_of(views(*values), TEXT) is None


def test_a_stream_of_a_column_is_read_or_left() -> None:
    module = core.built()
    assert module is not None
    reader = module.Reader((column_rule(NUMBER),))
    assert len(reader.columns([numbers().capsule()])) == 2
    for values in ({"failing_of_": 5}, {"release_of_stream": ReleaseStream()}, {"release_of_type": ReleaseSchema()}):
        assert reader.columns([spoiled(numbers(), **values).capsule()]) is None


def test_what_is_no_capsule_of_its_kind_is_an_error() -> None:
    module = core.built()
    assert module is not None
    reader = module.Reader((column_rule(NUMBER),))
    hostile = numbers()
    for other in (None, [], hostile.capsule(b"arrow_array")):
        with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
            reader.layout(other)
        with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
            reader.batches(other, [hostile])
    with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
        reader.columns([hostile.capsule(b"arrow_array")])
    with pytest.raises(ValueError, match="found other columns"):
        reader.columns([])
    with pytest.raises(TypeError):
        module.Batch()


def test_the_layout_of_another_reader_is_left() -> None:
    module = core.built()
    assert module is not None
    one, two = (
        module.Reader((column_rule(NUMBER),)),
        module.Reader((column_rule(NUMBER), column_rule(Column("y", "number")))),
    )
    layout = one.layout(numbers().schema_capsule())
    assert len(one.batches(layout, [numbers()])) == 2
    assert two.batches(layout, [numbers()]) is None


def test_only_errors_are_left_to_conform() -> None:
    module = core.built()
    assert module is not None
    reader, hostile = module.Reader((column_rule(NUMBER),)), numbers()
    hostile.__dict__["_export_to_c"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        reader.batches(reader.layout(hostile.schema_capsule()), [hostile])
    assert reader.batches(reader.layout(hostile.schema_capsule()), [None]) is None


def interrupted(_: int) -> None:
    raise KeyboardInterrupt


def test_a_batch_that_the_plan_does_not_read_is_an_error() -> None:
    module = core.built()
    assert module is not None
    batch = batch_of(texts(), TEXT)
    build = Builder()
    own = core_executor(Plan(build.nodes, {"y": (-build.input("x", "float64")).node}), [1], make_executor)
    assert own is not None
    for number, first, rows in ((0, 0, 2), (1, 0, 2), (0, 1, 2), (0, 0, 3), (0, 2**63, 2)):
        with pytest.raises(ValueError, match="found another batch"):
            own._turns[0]._native.run([number], [np.empty(rows)], 0, rows, batch, first)
