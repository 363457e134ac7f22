"""A `Row` model becomes a declarative schema, or is refused with the field that cannot."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Optional, Union

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
    create_model,
    field_validator,
    model_validator,
)
from row_examples import SCHEMA, refusal

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.model import Tables, schema_of

core = pytest.mark.core


class Letter(Enum):
    A = "a"
    B = "b"


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
def test_a_protected_column_is_marked_and_others_keep_their_json() -> None:
    class Marked(BaseModel):
        sex: Literal["female", "male"] = Field(json_schema_extra={"protected": True, "sensitive": True})
        age: float | None = Field(json_schema_extra={"protected": False})

    schema = schema_of(Marked)
    assert schema.protected == schema.sensitive == ("sex",)
    assert [column.get("protected") for column in schema.to_json()["columns"]] == [True, None]
    assert type(schema).from_json(schema.to_json()) == schema


@core
def test_a_mark_is_true_or_false() -> None:
    class Marked(BaseModel):
        age: float = Field(json_schema_extra={"protected": "yes"})

    assert "found protected 'yes', expected true or false" in refusal(lambda: schema_of(Marked))


@core
def test_entity_and_time_are_marked_and_others_keep_their_json() -> None:
    class Marked(BaseModel):
        customer: int | None = Field(json_schema_extra={"entity": True})
        day: datetime = Field(json_schema_extra={"time": True})
        age: float

    schema = schema_of(Marked)
    assert (schema.entity, schema.time) == ("customer", "day")
    columns = schema.to_json()["columns"]
    assert [(column.get("entity"), column.get("time")) for column in columns] == [
        (True, None),
        (None, True),
        (None,) * 2,
    ]
    assert type(schema).from_json(schema.to_json()) == schema
    assert (SCHEMA.entity, SCHEMA.time) == (None, None)


@core
@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"a": (int, "entity"), "b": (str, "entity")}, "found entity in the columns a, b"),
        ({"a": (int, "time"), "b": (float, "time")}, "found time in the columns a, b"),
        ({"a": (bool, "entity"), "b": (int, "time")}, "a: found entity in a column of kind boolean"),
        ({"a": (str, "time"), "b": (int, "entity")}, "a: found time in a column of kind string"),
    ],
)
def test_a_mark_is_on_one_column_that_can_have_it(fields: dict[str, tuple[type, str]], found: str) -> None:
    columns: dict[str, Any] = {
        name: (kind, Field(json_schema_extra={mark: True})) for name, (kind, mark) in fields.items()
    }
    row = create_model("Row", **columns)
    assert found in refusal(lambda: schema_of(row))


@core
def test_of_several_tables_the_key_is_the_entity_unless_another_column_is() -> None:
    class Passenger(BaseModel):
        number: int
        ticket: str

    class Ticketed(Passenger):
        ticket: str = Field(json_schema_extra={"entity": True})

    class Meal(BaseModel):
        number: int
        cents: int

    class MarkedMeal(Meal):
        cents: int = Field(json_schema_extra={"entity": True})

    assert schema_of(Tables("number", passengers=Passenger, meals=Meal)).entity == "number"
    assert schema_of(Tables("number", passengers=Ticketed, meals=Meal)).entity == "ticket"
    tables = Tables("number", passengers=Ticketed, meals=MarkedMeal)
    assert "found entity in meals.cents, expected it in a column of passengers" in refusal(lambda: schema_of(tables))
