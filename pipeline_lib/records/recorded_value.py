"""The business value that a record keeps: `value.json`, its mean and total over the evidence rows and its unit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import VALUE
from pipeline_lib.records.record import REPAIR, Record


@dataclass(frozen=True)
class RecordedValue:
    """What the predictions are worth on the evidence: more is better; `mean` is for one row, in `unit`."""

    unit: str
    mean: float
    total: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """JSON values, as `value.json` has them."""
        return {"unit": self.unit, "mean": self.mean, "total": self.total, "rows": self.rows}

    def __str__(self) -> str:
        return f"{amount(self.mean)} {self.unit} a row ({amount(self.total)} {self.unit} on {self.rows:,} rows)"


def amount(number: float) -> str:
    """A value with its sign, to read: four digits, thousands separated.

    >>> amount(2.34567), amount(-10520.7), amount(0.0)
    ('+2.346', '-10,521', '0')
    """
    if number == 0:
        return "0"
    return f"{number:+,.0f}" if abs(number) >= 1000 else f"{number:+.4g}"


def recorded_value(record: Record) -> RecordedValue | None:
    """The value that a record keeps; None where its pipeline exports no `value`. Raises InputError for another file."""
    content = record.read_json(VALUE)
    if content is None:
        return None
    match content:
        case {"unit": str(unit), "mean": int() | float() as mean, "total": int() | float() as total, "rows": int(rows)}:
            if math.isfinite(mean) and math.isfinite(total):
                return RecordedValue(unit, float(mean), float(total), rows)
    found = sorted(content) if isinstance(content, Mapping) else type(content).__name__
    raise InputError(
        f"{record.folder / VALUE}: found {found}, expected unit, mean, total and rows; "
        f"{REPAIR.format(record.reference)}"
    )
