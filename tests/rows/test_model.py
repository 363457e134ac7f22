"""What a raw row may be is declared, travels as JSON, and is checked the same way for every source."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, Optional, Union

import numpy as np
import pyarrow as pa
import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NaiveDatetime,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.draft_row import draft_row
from pipeline_lib.rows.frames import dtype_differences, to_frame
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema

core = pytest.mark.core


class Letter(Enum):
    A = "a"
    B = "b"


class Text(StrEnum):
    A = "a"


class Mixin(str, Enum):  # noqa: UP042  the older spelling still exists
    A = "a"


class Level(IntEnum):
    LOW = 1
    HIGH = 3


class Row(BaseModel):
    area: float = Field(alias="Lot.Area", gt=0, le=1e6)
    rooms: int = Field(ge=0, lt=20)
    garage: Annotated[int, Field(ge=1800)] | None
    zone: Literal["RL", "RM"]
    note: str | None = Field(None, max_length=3, json_schema_extra={"sensitive": True})
    central: bool
    sold: datetime | None
    day: date | None
    grade: Level


SCHEMA = schema_of(Row)
GOOD: dict[str, Any] = {
    "Lot.Area": 9600.5,
    "rooms": 3,
    "garage": None,
    "zone": "RL",
    "note": "ab",
    "central": True,
    "sold": datetime(2020, 1, 2, 3, 4, 5, 6),
    "day": date(2020, 2, 29),
    "grade": 3,
}


def one(kind: str, values: Any, nullable: bool = True, **options: Any) -> Any:
    """The column that comes out of a one-column Arrow table or list of rows."""
    schema = RowSchema((Column("x", kind, nullable=nullable, **options),))
    data = pa.table({"x": values}) if isinstance(values, pa.Array) else [{"x": value} for value in values]
    table = conform(data, schema)
    assert table.schema == schema.arrow
    return table.column("x").to_pylist()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


@core
def test_a_row_becomes_a_declarative_schema() -> None:
    assert SCHEMA.columns == (
        Column("Lot.Area", "number", gt=0, le=1e6),
        Column("rooms", "integer", ge=0, lt=20),
        Column("garage", "integer", nullable=True, ge=1800),
        Column("zone", "string", allowed=("RL", "RM")),
        Column("note", "string", nullable=True, max_length=3, sensitive=True, required=False),
        Column("central", "boolean"),
        Column("sold", "datetime", nullable=True),
        Column("day", "date", nullable=True),
        Column("grade", "integer", allowed=(1, 3)),
    )
    assert SCHEMA.sensitive == ("note",)
    assert SCHEMA.names[:2] == ("Lot.Area", "rooms")
    assert SCHEMA.arrow.field("sold") == pa.field("sold", pa.timestamp("us"), nullable=True)
    assert not SCHEMA.arrow.field("rooms").nullable


@core
def test_the_usual_spellings_of_a_type_are_one() -> None:
    class Spelt(BaseModel):
        model_config = ConfigDict(frozen=True, allow_inf_nan=False)
        a: Optional[int]  # noqa: UP045  spellings are what is tested
        b: Union[int, None]  # noqa: UP007
        c: Annotated[int | None, Field(ge=1.0, lt=3)]
        d: PositiveInt
        e: FiniteFloat
        f: Annotated[str, StringConstraints(min_length=1, pattern="^[a-z]+$")]
        g: Literal["a", None]
        h: Letter
        i: NaiveDatetime
        j: int = Field(strict=True)
        k: Letter = Letter.B

    columns = {column.name: column for column in schema_of(Spelt).columns}
    assert columns["a"] == Column("a", "integer", nullable=True)
    assert columns["b"] == Column("b", "integer", nullable=True)
    assert columns["c"] == Column("c", "integer", nullable=True, ge=1, lt=3)
    assert columns["d"] == Column("d", "integer", gt=0)
    assert columns["e"] == Column("e", "number", finite=True)
    assert columns["f"] == Column("f", "string", min_length=1, pattern="^[a-z]+$")
    assert columns["g"] == Column("g", "string", nullable=True, allowed=("a",))
    assert columns["h"] == Column("h", "string", allowed=("a", "b"))
    assert columns["i"] == Column("i", "datetime")
    assert columns["j"] == Column("j", "integer")
    assert columns["k"].default == "b"


class Inner(BaseModel):
    a: int


@core
@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, AfterValidator(abs)],
        Inner,
        int | str,
        int | float,
        Decimal,
        bytes,
        list[int],
        dict[str, int],
        Any,
        AwareDatetime,
        Literal[1, "a"],
        Literal[True],
        Literal[None],
        object,
        Annotated[int, "units: m"],
        Annotated[int, Field(multiple_of=2)],
        Annotated[int, Field(le=2**63)],
        Annotated[float, Field(ge=-math.inf)],
        Annotated[str, StringConstraints(strip_whitespace=True)],
        Annotated[str, Field(pattern=r"^\d+$")],
        Annotated[str, Field(pattern=r"(?i)a")],
        Annotated[datetime, Field(gt=datetime(2020, 1, 1, tzinfo=UTC))],
    ],
    ids=str,
)
def test_what_cannot_be_declared_is_refused_with_the_field(annotation: Any) -> None:
    row = type("Row", (BaseModel,), {"__annotations__": {"fine": int, "bad": annotation}})
    message = refusal(lambda: schema_of(row))
    assert message.startswith("Row.bad: ")
    assert "found" in message
    assert "expected" in message
    assert "\n" not in message


@core
def test_code_in_a_row_is_refused_with_its_field() -> None:
    class Checked(BaseModel):
        model_config = ConfigDict(str_strip_whitespace=True)
        a: int
        b: int = Field(validation_alias=AliasChoices("b", "B"))
        c: list[int] = Field(default_factory=list)
        d: int = Field(default_factory=int)

        @field_validator("a")
        @classmethod
        def _positive(cls, value: int) -> int:
            return value

        @model_validator(mode="after")
        def _whole(self) -> "Checked":
            return self

        def model_post_init(self, _context: object) -> None:
            pass

    lines = refusal(lambda: schema_of(Checked)).split("\n")
    found = [line.split(", expected")[0] for line in lines]
    assert found == [
        "Checked.a: found the validator _positive",
        "Checked: found the model validator _whole",
        "Checked: found its own model_post_init",
        "Checked: found str_strip_whitespace=True in model_config",
        "Checked.b: found AliasChoices(choices=['b', 'B'])",
        "Checked.c: found list",
        "Checked.d: found default_factory",
    ]


@core
@pytest.mark.parametrize("default", ["x", 100, 1.5, None, True])
def test_a_default_must_itself_conform(default: Any) -> None:
    row = type("Row", (BaseModel,), {"__annotations__": {"bad": int}, "bad": Field(default, lt=50)})
    assert refusal(lambda: schema_of(row)).startswith("bad: found ")


@core
def test_what_is_no_row_model_is_refused() -> None:
    for wrong in (int, "Row", Inner(a=1)):
        assert "pydantic.BaseModel" in refusal(lambda wrong=wrong: schema_of(wrong))
    assert "no columns" in refusal(lambda: schema_of(type("Row", (BaseModel,), {})))


@core
def test_a_schema_survives_json() -> None:
    bounds = RowSchema(
        (
            *SCHEMA.columns,
            Column("when", "datetime", ge=datetime(2000, 1, 1, 0, 0, 0, 1)),
            Column("until", "date", lt=date(2030, 1, 1), required=False),
            Column("ratio", "number", ge=-0.1, finite=True),
            Column("code", "string", pattern="^[A-Z]{2}$", min_length=2, required=False, default="XX"),
        )
    )
    text = json.dumps(bounds.to_json(), allow_nan=False)
    assert RowSchema.from_json(json.loads(text)) == bounds


@core
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"format": 4}, "found format 4, expected 1"),
        ({"more": 1}, "found keys ['columns', 'format', 'more']"),
        ({"columns": {}}, "expected a list of columns"),
        ({"columns": []}, "found no columns"),
        ({"columns": [{"name": "a"}]}, "found a column with ['name']"),
        ({"columns": ["a"]}, "found a column with str"),
        ({"columns": [{"name": "a", "kind": "integer", "code": "x"}]}, "'code'"),
        ({"columns": [{"name": "a", "kind": "object"}]}, "a: found kind 'object'"),
        ({"columns": [{"name": 1, "kind": "integer"}]}, "1: found 1 as a name"),
        ({"columns": [{"name": "a", "kind": "integer", "nullable": 1}]}, "a: found nullable 1"),
        ({"columns": [{"name": "a", "kind": "integer", "ge": 1.5}]}, "a: found ge=1.5"),
        ({"columns": [{"name": "a", "kind": "integer", "ge": True}]}, "a: found ge=True"),
        ({"columns": [{"name": "a", "kind": "string", "ge": "b"}]}, "a: found ge='b'"),
        ({"columns": [{"name": "a", "kind": "date", "ge": "b"}]}, "a: found"),
        ({"columns": [{"name": "a", "kind": "integer", "pattern": "b"}]}, "a: found pattern"),
        ({"columns": [{"name": "a", "kind": "string", "pattern": "("}]}, "a pattern that RE2 reads"),
        ({"columns": [{"name": "a", "kind": "string", "min_length": -1}]}, "a: found min_length=-1"),
        ({"columns": [{"name": "a", "kind": "number", "allowed": [1]}]}, "a: found allowed values"),
        ({"columns": [{"name": "a", "kind": "integer", "allowed": []}]}, "a: found allowed values"),
        ({"columns": [{"name": "a", "kind": "integer", "allowed": 5}]}, "a: found"),
        ({"columns": [{"name": "a", "kind": "integer", "default": [1]}]}, "a: found default [1]"),
        ({"columns": [{"name": "a", "kind": "integer", "finite": True}]}, "a: found finite"),
        ({"columns": [{"name": "a", "kind": "integer"}] * 2}, "found a twice"),
    ],
)
def test_foreign_schemas_are_refused(change: dict[str, Any], found: str) -> None:
    message = refusal(lambda: RowSchema.from_json({**SCHEMA.to_json(), **change}))
    assert found in message
    assert "expected" in message


@core
def test_a_row_a_list_and_a_table_conform_to_the_same_table() -> None:
    table = conform(GOOD, SCHEMA)
    assert table.schema == SCHEMA.arrow
    assert table.to_pylist() == [GOOD]
    others = pa.table({"extra": ["x"], **{name: [GOOD[name]] for name in reversed(SCHEMA.names)}})
    for same in ([GOOD], {**GOOD, "extra": object()}, table, others, table.to_batches()[0], (GOOD,)):
        assert conform(same, SCHEMA).equals(table)
    assert conform([GOOD, GOOD], SCHEMA).num_rows == 2
    assert conform([], SCHEMA).equals(SCHEMA.arrow.empty_table())
    assert conform(SCHEMA.arrow.empty_table(), SCHEMA).num_rows == 0


@core
def test_an_absent_column_takes_its_declared_default_only() -> None:
    schema = RowSchema((Column("a", "integer"), Column("b", "string", required=False, default="x")))
    assert conform([{"a": 1}, {"a": 2, "b": "y"}], schema).column("b").to_pylist() == ["x", "y"]
    assert conform(pa.table({"a": [1, 2]}), schema).column("b").to_pylist() == ["x", "x"]
    assert refusal(lambda: conform({"a": 1, "b": None}, schema)).startswith("b: found None in row 0")


@core
def test_all_absent_columns_are_named_at_once() -> None:
    short = {key: value for key, value in GOOD.items() if key not in ("rooms", "zone", "note")}
    for data in (short, pa.Table.from_pylist([short])):
        assert refusal(lambda data=data: conform(data, SCHEMA)).startswith("found no rooms, zone")
    message = refusal(lambda: conform([GOOD, short, short], SCHEMA))
    assert message.startswith("found no rooms, zone in rows 1, 2, expected all 9 columns of Row")


@core
def test_what_is_no_rows_is_refused() -> None:
    for wrong in (None, 5, "text", [1], [GOOD, None], {"a", "b"}, np.zeros((2, 2)), iter([GOOD])):
        assert refusal(lambda wrong=wrong: conform(wrong, SCHEMA)).startswith("found ")
    twice = pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])
    assert "found 2 columns of this name" in refusal(lambda: conform(twice, RowSchema((Column("x", "integer"),))))


BIG = 2**53
ACCEPTED: list[tuple[str, Any, list[Any]]] = [
    ("integer", [1, None, -(2**63), 2**63 - 1], [1, None, -(2**63), 2**63 - 1]),
    ("integer", [1.0, math.nan, np.float32(3), np.int8(4), None], [1, None, 3, 4, None]),
    ("integer", [Level.HIGH, np.uint64(2**63 - 1)], [3, 2**63 - 1]),
    ("integer", [float(BIG)], [BIG]),
    ("integer", pa.array([1.0, None, float(-BIG), math.nan]), [1, None, -BIG, None]),
    ("integer", pa.array([1, 2], pa.uint64()), [1, 2]),
    ("integer", pa.array([5, None, 5]).dictionary_encode(), [5, None, 5]),
    ("integer", pa.nulls(2), [None, None]),
    ("number", [1, 0.1, None, math.nan, np.float32(0.5), math.inf], [1.0, 0.1, None, None, 0.5, math.inf]),
    ("number", [BIG, -BIG, np.float16(2)], [float(BIG), float(-BIG), 2.0]),
    ("number", pa.array([BIG, -BIG, None]), [float(BIG), float(-BIG), None]),
    ("number", pa.array([1, 2], pa.uint8()), [1.0, 2.0]),
    ("number", pa.array([0.5, math.nan], pa.float32()), [0.5, None]),
    ("number", pa.array(np.array([0.5, 2], np.float16)), [0.5, 2.0]),
    ("string", ["a", None, "", math.nan, np.str_("b"), "é\0😀"], ["a", None, "", None, "b", "é\0😀"]),
    ("string", [Text.A, Mixin.A], ["a", "a"]),
    ("string", pa.array(["a", None], pa.large_string()), ["a", None]),
    ("string", pa.array(["a", None], pa.string_view()), ["a", None]),
    ("string", pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
    ("boolean", [True, np.False_, None, math.nan], [True, False, None, None]),
    ("boolean", pa.array([True, None]), [True, None]),
    ("datetime", [datetime(1, 1, 1), None], [datetime(1, 1, 1), None]),
    ("datetime", [np.datetime64("2020-01-02")], [datetime(2020, 1, 2)]),
    ("datetime", [np.datetime64("NaT", "us"), math.nan], [None, None]),
    ("datetime", pa.array([1_000, None], pa.timestamp("ns")), [datetime(1970, 1, 1, 0, 0, 0, 1), None]),
    ("datetime", pa.array([1], pa.timestamp("s")), [datetime(1970, 1, 1, 0, 0, 1)]),
    ("date", [date(2020, 2, 29), None], [date(2020, 2, 29), None]),
    ("date", pa.array([86_400_000], pa.date64()), [date(1970, 1, 2)]),
]  # fmt: skip


@core
@pytest.mark.parametrize(("kind", "values", "expected"), ACCEPTED, ids=str)
def test_exact_values_are_accepted(kind: str, values: Any, expected: list[Any]) -> None:
    found = one(kind, values)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


@core
def test_signed_zero_and_the_smallest_numbers_keep_their_bits() -> None:
    for data in ([-0.0, 5e-324], pa.array([-0.0, 5e-324])):
        assert list(map(repr, one("number", data))) == ["-0.0", "5e-324"]


REFUSED: list[tuple[str, Any, list[int]]] = [
    ("integer", [1, "2", "x"], [1, 2]),
    ("integer", [1, True], [1]),
    ("integer", [1, 1.5, math.inf, BIG + 2.0], [1, 2, 3]),
    ("integer", [0, 2**63, -(2**63) - 1], [1, 2]),
    ("integer", [1, Decimal(1), [1], np.timedelta64(1, "s")], [1, 2, 3]),
    ("integer", pa.array([1.0, 1.5, math.inf, None]), [1, 2]),
    ("integer", pa.array([1.0, BIG + 2.0]), [1]),
    ("integer", pa.array([0, 2**63], pa.uint64()), [1]),
    ("number", [1.5, "2"], [1]),
    ("number", [True, 1.5], [0]),
    ("number", [0, BIG + 1, -BIG - 1, np.int64(BIG + 1), 10**400], [1, 2, 3, 4]),
    ("number", [np.longdouble(1)], [0]),
    ("number", pa.array([0, BIG + 1, -BIG - 1]), [1, 2]),
    ("number", pa.array([0, BIG + 1], pa.uint64()), [1]),
    ("string", ["a", 5, 5.0, None, b"x"], [1, 2, 4]),
    ("string", ["a", "\ud800"], [1]),
    ("boolean", [True, 1, 0.0, "true"], [1, 2, 3]),
    ("datetime", [datetime(2020, 1, 1), "2020-01-01", date(2020, 1, 1)], [1, 2]),
    ("datetime", [datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)], [1]),
    ("datetime", [np.datetime64("2020-01-01T00:00:00.000000001")], [0]),
    ("datetime", pa.array([1_000, 1], pa.timestamp("ns")), [1]),
    ("date", [date(2020, 1, 1), datetime(2020, 1, 1), "2020-01-01"], [1, 2]),
]


@core
@pytest.mark.parametrize(("kind", "values", "rows"), REFUSED, ids=str)
def test_a_wrong_value_is_refused_with_its_rows(kind: str, values: Any, rows: list[int]) -> None:
    message = refusal(lambda: one(kind, values))
    where = f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}"
    assert f" in {where}, expected " in message
    shown = values[rows[0]]
    assert message.startswith(f"x: found {repr(shown)[:50]}" if isinstance(values, list) else "x: found ")


@core
@pytest.mark.parametrize(
    ("kind", "array"),
    [
        ("integer", pa.array(["1"])),
        ("integer", pa.array([True])),
        ("integer", pa.array([Decimal(1)])),
        ("number", pa.array([True])),
        ("number", pa.array(["1"]).dictionary_encode()),
        ("string", pa.array([1])),
        ("string", pa.array([b"a"])),
        ("boolean", pa.array([1])),
        ("datetime", pa.array([1], pa.timestamp("us", tz="UTC"))),
        ("datetime", pa.array([date(2020, 1, 1)])),
        ("datetime", pa.array([2**60], pa.timestamp("s"))),
        ("date", pa.array([datetime(2020, 1, 1)])),
        ("string", pa.array([["a"]])),
    ],
    ids=str,
)
def test_a_wrong_type_of_column_is_refused_once(kind: str, array: pa.Array) -> None:
    message = refusal(lambda: one(kind, array))
    value_type = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    assert f"x: found {value_type}" in message


@core
@pytest.mark.parametrize("kind", ["integer", "number", "string", "boolean", "datetime", "date"])
def test_a_missing_value_is_refused_where_row_allows_none(kind: str) -> None:
    good = {
        "integer": 1, "number": 1.0, "string": "a", "boolean": True,
        "datetime": datetime(2020, 1, 1), "date": date(2020, 1, 1),
    }[kind]  # fmt: skip
    for values in ([good, None, math.nan], pa.array([good, None, None])):
        assert "in rows 1, 2, expected " in refusal(lambda values=values: one(kind, values, nullable=False))
        assert one(kind, values) == [good, None, None]
    assert "in rows 0, 1" in refusal(lambda: one(kind, pa.nulls(2), nullable=False))
    assert one(kind, [], nullable=False) == []


DEMANDS: list[tuple[str, dict[str, Any], list[Any], list[int]]] = [
    ("integer", {"ge": 0, "lt": 3}, [0, 2, None, 3], [3]),
    ("integer", {"gt": BIG}, [BIG + 1, BIG], [1]),
    ("number", {"gt": 0, "le": 0.3}, [0.3, 0.1 + 0.2, 5e-324], [1]),
    ("number", {"gt": 0}, [0.0, -0.0, 1.0], [0, 1]),
    ("number", {"finite": True}, [1.0, math.inf, None], [1]),
    ("datetime", {"lt": datetime(2020, 1, 1)}, [datetime(2019, 12, 31, 23), datetime(2020, 1, 1)], [1]),
    ("date", {"ge": date(2020, 1, 1)}, [date(2020, 1, 1), date(2019, 12, 31)], [1]),
    ("string", {"min_length": 2}, ["😀😀", "😀", None], [1]),
    ("string", {"max_length": 2}, ["éé", "ééé", ""], [1]),
    ("string", {"pattern": "^a.$"}, ["ab", "abc", "ab\n", "a", None], [1, 2, 3]),
    ("string", {"pattern": "b"}, ["abc", "ac"], [1]),
    ("string", {"allowed": ("a", "b")}, ["a", None, "A", "b "], [2, 3]),
    ("integer", {"allowed": (1, 3)}, [1, 2, None, 3], [1]),
]


@core
@pytest.mark.parametrize(("kind", "options", "values", "rows"), DEMANDS, ids=str)
def test_values_outside_what_is_declared_are_refused(
    kind: str, options: dict[str, Any], values: list[Any], rows: list[int]
) -> None:
    message = refusal(lambda: one(kind, values, **options))
    assert f" in row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}, expected " in message
    good = [value for i, value in enumerate(values) if i not in rows]
    assert one(kind, good, **options) == good


@core
def test_the_first_rows_and_their_number_are_named() -> None:
    message = refusal(lambda: one("integer", ["x"] * 1200))
    assert message.startswith("x: found 'x' (str) in rows 0, 1, 2, 3, 4 and 1,195 more, expected a whole number")


@core
def test_all_problems_come_at_once_and_sensitive_values_stay_hidden() -> None:
    bad = {**GOOD, "rooms": 99, "note": "secret", "zone": 5, "Lot.Area": None}
    lines = refusal(lambda: conform([GOOD, bad], SCHEMA)).split("\n")
    assert [line.split(":")[0] for line in lines] == ["Lot.Area", "rooms", "zone", "note"]
    assert lines[1] == "rooms: found 99 in row 1, expected a value < 20; correct it, or Row"
    assert (
        lines[3]
        == "note: found a value (hidden: sensitive) in row 1, expected at most 3 characters; correct it, or Row"
    )


@core
def test_conforming_imports_neither_pandas_nor_pydantic() -> None:
    code = """
import datetime, sys
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.conform import conform
schema = RowSchema((
    Column("i", "integer", ge=0, allowed=(1, 2)), Column("n", "number", lt=2.5, finite=True),
    Column("s", "string", pattern="a", min_length=1, allowed=("a",)), Column("b", "boolean", nullable=True),
    Column("t", "datetime", gt=datetime.datetime(2000, 1, 1)), Column("d", "date", ge=datetime.date(2000, 1, 1)),
))
row = {"i": 1, "n": 1, "s": "a", "b": None, "t": datetime.datetime(2020, 1, 1), "d": datetime.date(2020, 1, 1)}
table = conform(row, RowSchema.from_json(schema.to_json()))
assert conform(table, schema).to_pylist() == [row]
print(sorted({"pandas", "pydantic"} & set(sys.modules)))
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"  # noqa: S603  our code


@core
def test_text_beyond_one_arrow_chunk_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.rows.arrow_arrays._MAX_STRING_BYTES", 4)
    values = ["abc", None, "", "é", "ab", "abcd", None]
    assert one("string", values) == values


@core
def test_built_columns_are_what_arrow_builds() -> None:
    for count in range(20):  # across the bytes of the bitmaps
        for kind, value in [
            ("integer", lambda i: i - 5), ("number", lambda i: i / 7), ("string", lambda i: "é" * (i % 3)),
            ("boolean", lambda i: i % 3 == 0), ("datetime", lambda i: datetime(1960 + i, 1, 1, 0, 0, 0, i)),
            ("date", lambda i: date(1960 + i, 1, 1)),
        ]:  # fmt: skip
            values = [None if i % 4 == 2 else value(i) for i in range(count)]
            table = conform([{"x": item} for item in values], RowSchema((Column("x", kind, nullable=True),)))
            table.validate(full=True)
            assert table.column("x").combine_chunks().equals(pa.array(values, table.schema.field("x").type))


# Below, pandas is needed.


def frame(**columns: Any) -> Any:
    pd = pytest.importorskip("pandas")
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})


def series(kind: str, values: Any, **options: Any) -> list[Any]:
    pd = pytest.importorskip("pandas")
    table = conform(pd.DataFrame({"x": values}), RowSchema((Column("x", kind, nullable=True, **options),)))
    found: list[Any] = table.column("x").to_pylist()
    return found


def test_columns_of_a_frame_conform_by_their_values() -> None:
    pd = pytest.importorskip("pandas")
    nat = [pd.Timestamp("2020-01-01"), None]
    for kind, values, expected in [
        ("integer", pd.Series([1, None, 3]), [1, None, 3]),
        ("integer", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("integer", pd.Series([1, 2, None]).astype("category"), [1, 2, None]),
        ("integer", pd.Series([1, pd.NA, 2.0], dtype=object), [1, None, 2]),
        ("number", pd.Series([1, 2], dtype="int8"), [1.0, 2.0]),
        ("number", pd.Series([1, None], dtype="Float64"), [1.0, None]),
        ("number", pd.Series([1, None], dtype="double[pyarrow]"), [1.0, None]),
        ("string", pd.Series(["a", None]), ["a", None]),
        ("string", pd.Series(["a", None, np.nan, pd.NA], dtype=object), ["a", None, None, None]),
        ("string", pd.Series(["a", None], dtype="string"), ["a", None]),
        ("string", pd.Series(["a", None]).astype("category"), ["a", None]),
        ("string", pd.Series([None, None]), [None, None]),
        ("boolean", pd.Series([True, False]), [True, False]),
        ("boolean", pd.Series([True, None], dtype="boolean"), [True, None]),
        ("boolean", pd.Series([True, None], dtype=object), [True, None]),
        ("datetime", pd.Series(nat), [datetime(2020, 1, 1), None]),
        ("datetime", pd.Series(nat).astype("datetime64[ns]"), [datetime(2020, 1, 1), None]),
        ("datetime", pd.Series([*nat, pd.NaT], dtype=object), [datetime(2020, 1, 1), None, None]),
        ("date", pd.Series([date(2020, 1, 1), None], dtype=object), [date(2020, 1, 1), None]),
        ("number", pd.Series(pd.arrays.SparseArray([0.0, 1.0])), [0.0, 1.0]),
        ("integer", pd.Series([], dtype=object), []),
    ]:
        assert series(kind, values) == expected, (kind, values)


def test_wrong_columns_of_a_frame_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    for kind, values, found in [
        ("integer", pd.Series(["1", "2"]), "large_string"),
        ("integer", pd.Series([1, "2"], dtype=object), "'2' (str) in row 1"),
        ("integer", pd.Series([1.5, 2]), "found 1.5 in row 0, expected"),
        ("integer", pd.Series([1, "b"], dtype=object).astype("category"), "'b' (str) in row 1"),
        ("number", pd.Series([True]), "bool"),
        ("number", pd.Series([1 + 2j]), "complex"),
        ("string", pd.Series([1]), "int64"),
        ("string", pd.Series(pd.period_range("2020", periods=1, freq="M")), "period"),
        ("string", pd.Series(pd.interval_range(0, 1)), "interval"),
        ("datetime", pd.Series(pd.to_datetime(["2020"], utc=True)), "timestamp[us, tz=UTC]"),
        ("datetime", pd.Series([pd.Timestamp(1, unit="ns")], dtype=object), "in row 0"),
        ("datetime", pd.Series([pd.Timestamp("2020", tz="UTC")], dtype=object), "in row 0"),
        ("datetime", pd.Series(pd.to_timedelta(["1s"])), "duration"),
    ]:
        message = refusal(lambda kind=kind, values=values: series(kind, values))
        assert found.lower() in message.lower(), message


def test_a_frame_keeps_its_rows_and_order_whatever_its_index() -> None:
    data = frame(a=[3, 1, 2], b=["x", None, "z"])
    data.index = [7, 7, 1]
    schema = RowSchema((Column("b", "string", nullable=True), Column("a", "integer")))
    assert conform(data, schema).to_pydict() == {"b": ["x", None, "z"], "a": [3, 1, 2]}
    data["a"] = [3, 1, -1]
    narrow = RowSchema((Column("a", "integer", ge=0),))
    assert "found -1 in row 2" in refusal(lambda: conform(data, narrow))
    data.columns = ["a", "a"]
    assert "found 2 columns of this name" in refusal(lambda: conform(data, narrow))


def test_dtypes_depend_on_the_schema_alone() -> None:
    pd = pytest.importorskip("pandas")
    kinds = ["integer", "number", "string", "boolean", "datetime", "date"]
    schema = RowSchema((*(Column(k, k) for k in kinds), *(Column(f"{k}?", k, nullable=True) for k in kinds)))
    good = {
        "integer": 1, "number": 1.5, "string": "a", "boolean": True,
        "datetime": datetime(2020, 1, 1), "date": date(2020, 1, 1),
    }  # fmt: skip
    full = {**good, **{f"{key}?": value for key, value in good.items()}}
    none = {**good, **{f"{key}?": None for key in good}}
    expected = {
        "integer": "int64", "number": "float64", "string": "str", "boolean": "bool",
        "datetime": "datetime64[us]", "date": "object", "integer?": "float64", "number?": "float64",
        "string?": "str", "boolean?": "object", "datetime?": "datetime64[us]", "date?": "object",
    }  # fmt: skip
    for rows in ([], [full], [none], [full, none], [none] * 3):
        result = to_frame(conform(rows, schema))
        assert {name: str(dtype) for name, dtype in result.dtypes.items()} == expected
        assert isinstance(result.index, pd.RangeIndex)
        assert len(result) == len(rows)
        assert result["string"].dtype == pd.Series(["a"]).dtype
        assert result.columns.dtype == pd.DataFrame({"a": [1]}).columns.dtype
    missing = to_frame(conform([none], schema)).iloc[0]
    for name in ("integer?", "number?", "string?", "boolean?", "date?"):
        assert isinstance(missing[name], float), name
    assert missing["datetime?"] is pd.NaT
    assert to_frame(conform([full], schema))["boolean?"].tolist() == [True]


def test_a_frame_conforms_again_to_the_same_table() -> None:
    table = conform([GOOD, {**GOOD, "garage": 1900, "note": None, "sold": None, "day": None}], SCHEMA)
    assert conform(to_frame(table), SCHEMA).equals(table)
    assert dtype_differences(to_frame(table), SCHEMA) == []


def test_a_frame_survives_parquet(tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    table = conform([GOOD], SCHEMA)
    pq.write_table(table, tmp_path / "x.parquet")
    back = pq.read_table(tmp_path / "x.parquet")
    assert back.schema == table.schema
    assert to_frame(back).equals(to_frame(table))


def test_integers_that_float64_cannot_hold_are_refused() -> None:
    pytest.importorskip("pandas")
    schema = RowSchema((Column("x", "integer", nullable=True),))
    assert to_frame(conform([{"x": BIG}, {"x": -BIG}], schema))["x"].tolist() == [float(BIG), float(-BIG)]
    table = conform([{"x": BIG + 1}, {"x": None}], schema)
    assert "x: found 1 integers beyond 2**53" in refusal(lambda: to_frame(table))
    exact = RowSchema((Column("x", "integer"),))
    assert to_frame(conform({"x": BIG + 1}, exact))["x"].tolist() == [BIG + 1]


def test_dtypes_that_production_will_not_deliver_are_named() -> None:
    pd = pytest.importorskip("pandas")
    schema = RowSchema(
        (
            Column("text", "string", nullable=True),
            Column("whole", "integer", nullable=True),
            Column("flag", "boolean", nullable=True),
            Column("gone", "number"),
        )
    )
    wrong = frame(
        text=pd.Series(["a", None], dtype=object),
        whole=pd.Series([1, 2]),
        flag=pd.Series([True, None], dtype=object),
    )
    assert dtype_differences(wrong, schema) == [
        "text: found dtype object, expected str: convert the column where the data is loaded",
        "whole: found dtype int64, expected float64: convert the column where the data is loaded",
        "flag: found missing values as NoneType, expected NaN",
        "gone: found no such column, expected dtype float64",
    ]
    right = frame(text=["a", None], whole=[1, None], flag=pd.Series([True, np.nan], dtype=object), gone=[0.5, 1])
    assert dtype_differences(right, schema) == []


def drafted(data: Any, target: str | None = None) -> Any:
    space: dict[str, Any] = {}
    exec(draft_row(data, target), space)  # noqa: S102  that it runs is what is tested
    return space["Row"]


def test_a_draft_is_written_as_a_person_would() -> None:
    pd = pytest.importorskip("pandas")
    data = frame(
        **{
            "Lot.Area": [1, 2],
            "MSZoning": ["a", None],
            "garage": [1, None],
            "pool": [True, False],
            "sold": pd.to_datetime(["2020", None]),
            "price": [1.5, 2],
        }
    )
    text = draft_row(data, "price")
    assert text == (
        "from datetime import datetime\n\n"
        "from pydantic import BaseModel, Field\n\n\n"
        "class Row(BaseModel):\n"
        '    """One raw row, without the target price."""\n\n'
        '    lot_area: int = Field(alias="Lot.Area")\n'
        '    ms_zoning: str | None = Field(alias="MSZoning")\n'
        "    garage: float | None\n"
        "    pool: bool\n"
        "    sold: datetime | None\n"
    )
    assert repr(text) == text
    assert isinstance(text, str)


def test_a_draft_accepts_its_frame_whatever_the_names() -> None:
    pd = pytest.importorskip("pandas")
    names = [
        "class", "1stFlrSF", "X1st", "x1st", "a b", "a.b", "a_b", "A-B", "", " ", "²", "Größe", "面积", "ﬁ", "fi",
        "json", "copy", "model_dump", "model_fields", "model_x", "date", "datetime", "int", "str", "float", "bool",
        "Field", "BaseModel", "self", "None", "True", "_private", "__x", "schema", "validate", "😀",
        'quo"te', "back\\slash", "new\nline", "tab\t", "\x7f", "a\u2028b", "x" * 300, "Row", "match", "type", "print",
    ]  # fmt: skip
    data = pd.DataFrame({name: [i, i + 1] for i, name in enumerate(names)})
    row = drafted(data)
    schema = schema_of(row)
    assert schema.names == tuple(names)
    assert conform(data, schema).to_pydict() == {name: [i, i + 1] for i, name in enumerate(names)}
    assert row.model_validate(dict.fromkeys(names, 1)).model_dump(by_alias=True) == dict.fromkeys(names, 1)


def test_a_draft_accepts_its_frame_whatever_the_dtypes() -> None:
    pd = pytest.importorskip("pandas")
    data = frame(
        i=[1, 2],
        u=pd.Series([1, 2], dtype="uint8"),
        f=[0.5, 1],
        g=[1.0, None],
        s=["a", "b"],
        o=pd.Series(["a", None], dtype=object),
        c=pd.Series(["a", None]).astype("category"),
        k=pd.Series([1, 2]).astype("category"),
        n=pd.Series([1, None], dtype="Int64"),
        b=pd.Series([True, None], dtype="boolean"),
        p=pd.Series([True, None], dtype=object),
        m=pd.Series([1, 2.5], dtype=object),
        d=pd.Series([date(2020, 1, 1), None], dtype=object),
        t=pd.Series(pd.to_datetime(["2020", None])).astype("datetime64[ns]"),
        string=pd.Series(["a", None], dtype="string"),
        arrow=pd.Series([1, None], dtype="int64[pyarrow]"),
        empty=pd.Series([None, None], dtype="float64"),
    )
    kinds = {column.name: (column.kind, column.nullable) for column in schema_of(drafted(data)).columns}
    assert kinds == {
        "i": ("integer", False), "u": ("integer", False), "f": ("number", False), "g": ("number", True),
        "s": ("string", False), "o": ("string", True), "c": ("string", True), "k": ("integer", False),
        "n": ("integer", True), "b": ("boolean", True), "p": ("boolean", True), "m": ("number", False),
        "d": ("date", True), "t": ("datetime", True), "string": ("string", True), "arrow": ("integer", True),
        "empty": ("number", True),
    }  # fmt: skip
    assert conform(data, schema_of(drafted(data))).num_rows == 2


def test_a_draft_that_cannot_be_written_says_why() -> None:
    pd = pytest.importorskip("pandas")
    mixed = frame(
        fine=[1, 2],
        mixed=pd.Series([1, "a"], dtype=object),
        lists=pd.Series([[1], [2]], dtype=object),
        nothing=pd.Series([None, None], dtype=object),
        zone=pd.to_datetime(["2020", "2021"], utc=True),
        took=pd.to_timedelta(["1s", "2s"]),
    )
    lines = refusal(lambda: draft_row(mixed)).split("\n")
    assert lines[0].startswith("mixed: found types int, str, expected values of one type")
    assert lines[1].startswith("lists: found types list, expected")
    assert lines[2].startswith("nothing: found no value that is not missing, expected")
    assert lines[3].startswith("zone: found dtype datetime64[us, UTC], expected")
    assert lines[4].startswith(f"took: found dtype {mixed['took'].dtype}, expected")
    assert "found column names 0, (1,)" in refusal(lambda: draft_row(pd.DataFrame({0: [1], (1,): [2]})))
    assert "'a' twice" in refusal(lambda: draft_row(pd.DataFrame([[1, 2]], columns=["a", "a"])))
    assert "no target column 'y'" in refusal(lambda: draft_row(frame(a=[1]), "y"))
    assert "without columns" in refusal(lambda: draft_row(frame(a=[1]), "a"))
    assert "a pandas DataFrame" in refusal(lambda: draft_row([1]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "values", "remedy"),
    [
        ("datetime", ["2020-01-01"], "convert it first: datetime.fromisoformat(text), or pandas.to_datetime(column)"),
        ("date", ["2020-01-01"], "convert it first: date.fromisoformat(text), or pandas.to_datetime(column)"),
        ("datetime", [datetime(2020, 1, 1, tzinfo=UTC)], "bring it to one time zone and drop the zone"),
        ("datetime", pa.array([0], pa.timestamp("us", "UTC")), "bring it to one time zone and drop the zone"),
        ("integer", ["30"], "convert the column first"),
    ],
)
def test_values_of_another_type_come_with_what_to_do(kind: str, values: Any, remedy: str) -> None:
    schema = RowSchema((Column("x", kind),))
    data = pa.table({"x": values}) if isinstance(values, pa.Array) else [{"x": value} for value in values]
    message = refusal(lambda: conform(data, schema))
    assert remedy in message
    assert ("zone" in message) == ("zone" in remedy)


def test_a_missing_date_is_one_sentence() -> None:
    schema = RowSchema((Column("x", "datetime"),))
    assert refusal(lambda: conform([{"x": None}], schema)) == (
        "x: found None in row 0, expected a naive datetime in whole microseconds in every row, as Row allows no "
        "missing value here; fill it where the data is loaded, or declare `| None` in Row"
    )


def test_a_shuffled_frames_own_label_is_named_too() -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": [1.0, None]}, index=[7, 1742])
    message = refusal(lambda: conform(frame, RowSchema((Column("x", "number"),))))
    assert "in row 1 (the first is 1742 in the frame's index)" in message
    assert "index" not in refusal(lambda: conform(frame.reset_index(drop=True), RowSchema((Column("x", "number"),))))


@pytest.mark.parametrize("data", ["", b"", bytearray()])
def test_empty_text_is_no_rows(data: Any) -> None:
    assert "expected rows as a DataFrame" in refusal(lambda: conform(data, RowSchema((Column("x", "number"),))))


def test_arrow_text_that_is_no_utf8_is_refused() -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")]
    )
    message = refusal(lambda: conform(pa.table({"x": broken}), RowSchema((Column("x", "string"),))))
    assert message.startswith("x: found bytes that are none")
    assert "expected text in UTF-8; decode it first" in message


def test_an_option_of_another_kind_is_told_in_whole_words() -> None:
    assert refusal(lambda: Column("x", "integer", finite=True)) == (
        "x: found finite in a column of kind integer, expected it only for numbers; correct the field of Row"
    )


@pytest.mark.parametrize(
    ("names", "counted"),
    [
        (
            [f"pixel_{y}_{x}" for y in range(3) for x in range(4)],
            '[f"pixel_{a}_{b}" for a in range(3) for b in range(4)]',
        ),
        ([f"x{n}" for n in range(1, 10)], '[f"x{a}" for a in range(1, 10)]'),
        ([f"t{n}_end" for n in range(8)], '[f"t{a}_end" for a in range(8)]'),
    ],
)
def test_many_columns_that_only_count_are_drafted_in_one_line(names: list[str], counted: str) -> None:
    text = draft_row(frame(**{name: [1] for name in names}))
    assert f"COLUMNS = {counted}\n" in text
    space: dict[str, Any] = {"__name__": "drafted"}
    exec(text, space)  # noqa: S102  that it runs is what is tested
    assert schema_of(space["Row"]) == RowSchema(tuple(Column(name, "integer") for name in names))


@pytest.mark.parametrize(
    "names",
    [
        [f"x{n}" for n in range(7)],  # few
        [f"x{n}" for n in (0, 1, 2, 3, 4, 5, 6, 99_999_999)],  # a gap
        [f"x{n}" for n in (1, 0, 2, 3, 4, 5, 6, 7)],  # another order
        [f"x{n:02}" for n in range(8)],  # filled up
        [f"X{n}" for n in range(8)],  # no field names
        [f"{stem}{n}" for stem in "xy" for n in range(4)],
        list("abcdefgh"),
    ],
)
def test_columns_that_do_more_than_count_have_a_field_each(names: list[str]) -> None:
    assert draft_row(frame(**{name: [1] for name in names})).count(": int") == len(names)


def test_columns_of_several_types_have_a_field_each() -> None:
    columns = {f"x{n}": [1.5 if n == 3 else 1] for n in range(8)}
    assert "    x3: float\n" in draft_row(frame(**columns))
