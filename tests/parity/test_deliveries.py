"""Every delivery keeps every bit of hard values, or is known to lose."""

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.parity.deliveries import RowsToDeliver
from pipeline_lib.parity.variations import QUICK, VARIATIONS
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

KINDS = {"n": "number", "i": "integer", "j": "integer", "s": "string", "b": "boolean", "t": "datetime", "d": "date"}


SCHEMA = RowSchema(tuple(Column(name, kind, nullable=name != "i") for name, kind in KINDS.items()))


TEXTS = ["", "None", "NA", "\\N", "nan", 'a,"b"\n', "\r", " x ", "1.0", "é"]


ROWS = [
    {"n": 0.1 + 0.2, "i": 2**63 - 1, "j": 2**53, "b": True, "t": datetime(2024, 2, 29, 1, 2, 3, 4), "d": date(1, 1, 1)},
    {"n": 5e-324, "i": -(2**63), "j": None, "b": None, "t": None, "d": None},
    {"n": -0.0, "i": 0, "j": -(2**53), "b": False, "t": datetime(1969, 12, 31), "d": date(9999, 12, 31)},
    {"n": float("inf"), "i": 1, "j": 7, "b": True, "t": datetime(2024, 1, 1, 12), "d": date(2024, 1, 1)},
    {"n": None, "i": 2, "j": 8, "b": True, "t": datetime(2024, 1, 2), "d": date(2024, 1, 2)},
    *({"n": 1e22 / 3**power, "i": 3, "j": 9, "b": False, "t": None, "d": None} for power in range(6)),
]


CAREFUL = [name for name in QUICK if VARIATIONS[name].group in ("rows", "form", "file")]


LOSSY = [name for name in QUICK if VARIATIONS[name].lossy]


@pytest.fixture
def rows(tmp_path: Path) -> RowsToDeliver:
    mappings = [row | {"s": text} for row, text in zip(ROWS, [*TEXTS, None], strict=True)]
    return RowsToDeliver(conform(mappings, SCHEMA), SCHEMA, tmp_path)


def delivered(rows: RowsToDeliver, name: str) -> pa.Table:
    """The rows as a variation delivers them, in their old order."""
    deliver = VARIATIONS[name].deliver
    assert deliver
    parts = deliver(rows).parts
    order = [int(index) for _, indexes in parts for index in indexes]
    found = pa.concat_tables([conform(data, SCHEMA) for data, _ in parts])
    return found.take(pa.array([order.index(index) for index in range(len(order))]))


@pytest.mark.parametrize("name", CAREFUL)
def test_a_careful_delivery_keeps_every_bit_of_hard_values(rows: RowsToDeliver, name: str) -> None:
    assert first_difference(rows.table, delivered(rows, name)) is None


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_delivery_loses(rows: RowsToDeliver, name: str) -> None:
    try:
        found = delivered(rows, name)
    except (InputError, ValueError, OverflowError):
        return  # refused, which is a loss as well
    assert first_difference(rows.table, found) is not None
