"""Raw columns that the core reads itself: what `conform` and NumPy answer, or left to them."""

import math
import random
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.native.incoming import column_rule
from pipeline_lib.compiled.native.row import core_row
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler")
WORDS = ("hill", "lake", "", "é", "a longer word than fits into a view")
SCHEMA = RowSchema(
    (
        Column("size", "number", nullable=True),
        Column("lot", "number", finite=True, gt=0.0, le=1000),
        Column("share", "number", nullable=True, ge=-1, lt=1.0),
        Column("rooms", "integer", ge=1, lt=200),
        Column("floors", "integer", nullable=True, gt=-5),
        Column("grade", "integer", allowed=(3, 1, 2)),
        Column("new", "boolean"),
        Column("pool", "boolean", nullable=True),
        Column("place", "string", nullable=True),
        Column("street", "string", min_length=2, max_length=4),
        Column("view", "string", nullable=True, allowed=("north", "south")),
        Column("sold", "datetime", nullable=True, ge=datetime(1990, 1, 1)),
        Column("seen", "datetime"),
        Column("built", "date", nullable=True, lt=date(2030, 1, 1)),
    )
)
GOOD: dict[str, list[Any]] = {
    "size": [1.5, None, -0.0, math.inf, 2.0**60, math.nan],
    "lot": [0.5, 1000.0, 3.0, 1e-300],
    "share": [-1.0, None, 0.999, math.nan, -0.0],
    "rooms": [1, 199, 20],
    "floors": [-4, None, 2**53],
    "grade": [1, 2, 3],
    "new": [True, False],
    "pool": [True, None, False],
    "place": [*WORDS, None, "moon"],
    "street": ["Elm", "öö", "four"],
    "view": ["north", None, "south"],
    "sold": [datetime(1990, 1, 1), None, datetime(2020, 5, 17, 12, 30, 1, 250)],
    "seen": [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999), datetime(1969, 12, 31, 23)],
    "built": [date(2029, 12, 31), None, date(1, 1, 1)],
}
BAD: dict[str, list[Any]] = {
    "lot": [0.0, 1000.1, math.inf, None, math.nan],
    "share": [1.0, -1.5, math.inf],
    "rooms": [0, 200, None],
    "floors": [-5, 2**53 + 1],
    "grade": [4, None],
    "new": [None],
    "street": ["a", "fives", None, "ééééé"],
    "view": ["west", ""],
    "sold": [datetime(1989, 12, 31, 23, 59)],
    "seen": [None],
    "built": [date(2030, 1, 1)],
}
TYPES: dict[str, list[pa.DataType]] = {
    "size": [pa.float64(), pa.float32()],
    "lot": [pa.float64(), pa.float32()],
    "share": [pa.float64(), pa.float32()],
    "rooms": [pa.int64(), pa.int16(), pa.uint8(), pa.uint64(), pa.float64(), pa.float32()],
    "floors": [pa.int64(), pa.float64()],
    "grade": [pa.int64(), pa.int8(), pa.int32(), pa.uint16(), pa.uint32(), pa.float64()],
    "new": [pa.bool_()],
    "pool": [pa.bool_()],
    "sold": [pa.timestamp("us"), pa.timestamp("ns")],
    "seen": [pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("s")],
    "built": [pa.date32()],
}
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
TEXTS += [pa.dictionary(code, pa.string()) for code in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64())]
TEXTS += [pa.dictionary(pa.int32(), pa.large_string())]


def plan() -> Plan:
    """A plan that gives every column back."""
    build = Builder()
    kinds = {"number": "float64", "integer": "int64", "boolean": "bool", "string": "str"}
    outputs = {}
    for column in SCHEMA.columns:
        nullable = column.nullable and column.kind in ("integer", "boolean")
        raw = build.input(column.name, "float64" if nullable else kinds.get(column.kind, "datetime"))
        if column.kind == "string":
            numbers = {word: float(number) for number, word in enumerate([*WORDS, "Elm", "four", "north", "south"])}
            raw = build.lookup(raw, numbers, "float64", unseen=-1.0, missing=-2.0)
        elif column.kind in ("datetime", "date"):
            raw = build.where(raw < datetime(1980, 1, 1), raw, raw)
        elif nullable or column.kind == "number":
            raw = -raw
        else:
            raw = build.where(build.input("new", "bool"), raw, raw) if column.kind == "integer" else ~raw
        outputs[column.name] = raw
    return Plan(build.nodes, {name: value.node for name, value in outputs.items()})


PLAN = plan()
ROOTS = list(PLAN.outputs.values())


def executor(threads: int = 1) -> CoreExecutor:
    """The core's executor, which reads raw rows of SCHEMA."""
    own = core_executor(PLAN, ROOTS, make_executor, threads)
    assert own is not None
    own.read_raw(SCHEMA)
    return own


CORE = executor()


def bits(columns: Sequence[PlanColumn]) -> list[bytes]:
    """The columns' bytes, all NaN alike."""
    arrays = [np.array(column.tolist(), object) if isinstance(column, TextColumn) else column for column in columns]
    return [np.where(a != a, np.nan, a).tobytes() if a.dtype == np.float64 else a.tobytes() for a in arrays]


def expected(data: Any) -> list[bytes]:
    """What `conform` and NumPy answer. Raises InputError."""
    table = conform(data, SCHEMA, for_executor=True)
    return bits(make_executor(PLAN, ROOTS).run(from_arrow(table), table.num_rows))


def array_of(draw: random.Random, values: list[Any], kinds: Sequence[pa.DataType]) -> Any:
    """Values as an Arrow array of one of these types that holds them, sliced out of a longer one."""
    around = draw.randrange(9)
    longer = [draw.choice(values) for _ in range(around)] + values + [draw.choice(values) for _ in range(3)]
    for kind in draw.sample(list(kinds), len(kinds)):
        try:
            array = pa.array(longer, kind.value_type if pa.types.is_dictionary(kind) else kind)
            array = array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
        return array.slice(around, len(values))
    return None


def table_of(draw: random.Random, columns: dict[str, list[Any]]) -> pa.Table | None:
    """Columns of any types and chunks, in any order."""
    names = draw.sample(list(columns), len(columns))
    arrays = {}
    for name in names:
        values, chunks = columns[name], []
        kind = draw.choice(TYPES.get(name, TEXTS))
        start = 0
        while start < len(values):
            stop = draw.choice((len(values), start + 1 + draw.randrange(len(values))))
            chunks.append(array_of(draw, values[start:stop], [kind]))
            start = stop
        if any(chunk is None for chunk in chunks):
            return None
        arrays[name] = pa.chunked_array(chunks)
    return pa.table(arrays)


def drawn(draw: random.Random, rows: int) -> dict[str, list[Any]]:
    return {name: [draw.choice(values) for _ in range(rows)] for name, values in GOOD.items()}


def test_tables_of_any_types_and_chunks_are_answered_as_conform_and_numpy_do() -> None:
    draw, answered = random.Random(5), 0  # noqa: S311 (no secret)
    for _ in range(400):
        table = table_of(draw, drawn(draw, draw.choice((1, 2, 9, 70))))
        if table is None:
            continue
        try:
            answer = expected(table)
        except InputError:  # a float32 of a number that a bound excludes
            assert CORE.run_raw(table) is None
            continue
        own = CORE.run_raw(table)
        assert own is not None, table.schema
        assert bits(own) == answer, table.schema
        answered += 1
    assert answered > 150


def test_what_conform_refuses_is_left_to_it() -> None:
    draw, refused = random.Random(6), 0  # noqa: S311 (no secret)
    for name, values in BAD.items():
        for value in values:
            for _ in range(8):
                columns = drawn(draw, 40)
                columns[name][draw.randrange(40)] = value
                table = table_of(draw, columns)
                if table is None:
                    continue
                with pytest.raises(InputError):
                    expected(table)
                assert CORE.run_raw(table) is None, (name, value)
                refused += 1
    assert refused > 60


def test_a_check_that_is_left_out_would_be_found() -> None:
    """The negative control: without its bound the reader takes what `conform` refuses."""
    own = executor()
    lax = RowSchema(tuple(Column(c.name, c.kind, nullable=c.nullable) for c in SCHEMA.columns))
    own.read_raw(lax)
    columns = drawn(random.Random(7), 5)  # noqa: S311 (no secret)
    columns["rooms"][2] = 0
    table = pa.table({name: pa.array(values, TYPES.get(name, TEXTS)[0]) for name, values in columns.items()})
    with pytest.raises(InputError):
        expected(table)
    assert CORE.run_raw(table) is None
    assert own.run_raw(table) is not None


def test_a_large_table_in_threads_has_the_same_bits() -> None:
    draw = random.Random(8)  # noqa: S311 (no secret)
    table = pa.table(
        {name: pa.array(values, TYPES.get(name, TEXTS)[0]) for name, values in drawn(draw, 30_000).items()}
    )
    coded = table.set_column(table.schema.get_field_index("place"), "place", table.column("place").dictionary_encode())
    chunked = pa.concat_tables([coded.slice(0, 7001), coded.slice(7001, 1), coded.slice(7002)])
    answer = expected(table)
    for threads in (1, 2):
        for each in (table, coded, chunked):
            own = executor(threads).run_raw(each)
            assert own is not None
            assert bits(own) == answer


def test_results_share_no_memory_with_what_came_in() -> None:
    table = pa.table({"x": pa.array([1.0, 2.0])})
    build = Builder()
    plan = Plan(build.nodes, {"prediction": (-build.input("x", "float64")).node})
    own = core_executor(plan, list(plan.outputs.values()), make_executor)
    assert own is not None
    own.read_raw(RowSchema((Column("x", "number"),)))
    results = own.run_raw(table)
    assert results is not None
    results[0][:] = 9.0
    assert table.column("x").to_pylist() == [1.0, 2.0]


def frame() -> pd.DataFrame:
    """A frame of plain dtypes with several rows."""
    return pd.DataFrame(
        {
            "size": [1.5, math.nan, -0.0],
            "lot": np.array([1, 2, 3], np.float32),
            "share": [0.5, math.nan, -1.0],
            "rooms": np.array([1, 2, 3], np.int16),
            "floors": [1, 2, 3],
            "grade": np.array([1, 2, 3], np.uint8),
            "new": [True, False, True],
            "pool": [True, False, True],
            "place": pd.array(["hill", None, "é"], dtype="str"),
            "street": np.array(["Elm", "öö", "four"], object),
            "view": np.array(["north", None, math.nan], object),
            "sold": np.array(["2020-01-01", "NaT", "1999-05-05T01:02:03.000004"], "datetime64[ns]"),
            "seen": np.array(["2020-01-01", "1970-01-01", "1900-05-05"], "datetime64[us]"),
            "built": pd.array([date(2020, 1, 1), None, date(1900, 2, 28)], dtype=pd.ArrowDtype(pa.date32())),
        }
    )


FRAMES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "plain": lambda own: own,
    "strided": lambda own: pd.concat([own] * 3, ignore_index=True).iloc[::2],
    "reversed": lambda own: own.iloc[::-1],
    "columns in another order": lambda own: own[list(own)[::-1]],
    "another column": lambda own: own.assign(more="x"),
    "seconds": lambda own: own.assign(seen=own["seen"].astype("datetime64[s]")),
    "Arrow": lambda own: own.drop(columns=["built"]).convert_dtypes(dtype_backend="pyarrow").assign(built=own["built"]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_answered_as_conform_and_numpy_do(name: str) -> None:
    own = FRAMES[name](frame())
    answer = expected(own)
    results = CORE.run_raw(own)
    assert results is not None
    assert bits(results) == answer


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("size", np.array([1.0, "a", 2.0], object)),
        ("size", np.array([1, 2**53 + 1, 3])),
        ("size", np.array([1, 2, 3], np.float16)),
        ("rooms", np.array([1.0, 2.5, 3.0])),
        ("rooms", np.array([1, 2**64 - 1, 3], np.uint64)),
        ("new", np.array([1, 0, 1])),
        ("place", np.array(["hill", 1, None], object)),
        ("place", np.array(["hill", "\ud800", None], object)),
        ("street", np.array(["Elm", None, "four"], object)),
        ("sold", pd.to_datetime(["2020-01-01 00:00:00.000000001"] * 3)),
        ("sold", pd.to_datetime(["2020-01-01"] * 3).tz_localize("UTC")),
        ("seen", pd.to_datetime(["2020-01-01", None, None])),
        ("view", pd.Categorical(["north", None, "south"])),
    ],
)
def test_other_columns_of_frames_are_left_to_conform(name: str, values: Any) -> None:
    assert CORE.run_raw(frame()) is not None
    other = pd.Series(values, dtype=object) if values.dtype == object else values  # pandas would make it text
    assert CORE.run_raw(frame().assign(**{name: other})) is None


def test_other_rows_are_left_to_conform() -> None:
    good = pa.table({n: pa.array(v[:1] * 2, TYPES.get(n, TEXTS)[0]) for n, v in GOOD.items()})
    assert CORE.run_raw(good) is not None
    assert CORE.run_raw(good.to_batches()[0]) is not None
    for other in (
        good.drop_columns(["size"]),
        good.append_column("size", good.column("size")),
        good.slice(0, 0),
        good.to_pylist(),
        good.set_column(0, "size", pa.array(["1", "2"])),
        good.set_column(0, "size", pa.array([1.0, 2.0]).dictionary_encode()),
        good.set_column(0, "size", pa.array([1.0, 2.0], pa.float16())),
        good.set_column(12, "seen", pa.array([datetime(2020, 1, 1)] * 2, pa.timestamp("us", "UTC"))),
        None,
    ):
        assert CORE.run_raw(other) is None


class Named(pa.ExtensionType):
    """A type of its own over any storage: to a reader of the C interface it looks like the storage."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, "pipeline_lib.test.named")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


@pytest.mark.parametrize("name", ["size", "rooms", "new", "place", "seen"])
def test_extension_types_are_left_to_conform_which_refuses_them(name: str) -> None:
    good = pa.table({n: pa.array(v[:1] * 2, TYPES.get(n, TEXTS)[0]) for n, v in GOOD.items()})
    place, storage = good.schema.get_field_index(name), good.column(name).combine_chunks()
    named = pa.ExtensionArray.from_storage(Named(storage.type), storage)
    about = {"other": "key", "ARROW:extension": "no name"}  # other metadata say nothing of the type
    assert CORE.run_raw(good.set_column(place, good.schema.field(place).with_metadata(about), storage)) is not None
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), named)
    series = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([named])))
    for other in (good.set_column(place, name, named), good.set_column(place, name, codes)):
        with pytest.raises(InputError, match="extension"):
            expected(other)
        assert CORE.run_raw(other) is None
    other = frame().iloc[:2].assign(**{name: series})
    with pytest.raises(InputError, match="extension"):
        expected(other)
    assert CORE.run_raw(other) is None


def test_a_name_with_a_zero_is_not_the_name_before_it() -> None:
    good = pa.table({n: pa.array(v[:1] * 2, TYPES.get(n, TEXTS)[0]) for n, v in GOOD.items()})
    other = good.rename_columns([f"{name}\0more" if name == "size" else name for name in good.column_names])
    with pytest.raises(InputError, match="size"):
        expected(other)
    assert CORE.run_raw(other) is None


def test_a_bound_that_only_infinity_passes_is_checked() -> None:
    build = Builder()
    plan = Plan(build.nodes, {"prediction": (-build.input("x", "float64")).node})
    own = core_executor(plan, list(plan.outputs.values()), make_executor)
    assert own is not None
    own.read_raw(RowSchema((Column("x", "number", nullable=True, gt=sys.float_info.max),)))
    assert own.run_raw(pa.table({"x": [math.inf, None]})) is not None
    assert own.run_raw(pa.table({"x": [1.0, None]})) is None


def test_a_plan_with_a_word_that_has_no_utf8_is_numpys() -> None:
    schema = RowSchema((Column("x", "string"),))
    for word, carried in (("b", True), ("\ud800", False)):
        build = Builder()
        value = build.lookup(build.input("x", "str"), {"a": 1.0, word: 2.0}, "float64", unseen=-1.0)
        plan = Plan(build.nodes, {"prediction": (-value).node})
        roots = list(plan.outputs.values())
        assert (core_executor(plan, roots, make_executor, least=1) is not None) == carried
        assert (core_row(plan, roots, schema) is not None) == carried


def test_a_pattern_is_for_conform_alone() -> None:
    assert column_rule(Column("x", "string", pattern="[a-z]+")) is None
