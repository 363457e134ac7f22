"""A `Row` with a column of every kind, a row that conforms to it, and helpers to conform one column."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal

import pyarrow as pa
import pytest
from pydantic import BaseModel, Field

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema

BIG = 2**53


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


def frame(**columns: Any) -> Any:
    pd = pytest.importorskip("pandas")
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
