"""Two fitted states compared value by value: how many differ in each step, and the first one in full."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.fitted_state import BLOCK, COLUMNS, SCHEMA, SECONDS

_LONGEST = 80  # characters of a value that messages show
_ABSENT = "absent"


@dataclass(frozen=True)
class FittedStateDifference:
    """The difference of two fitted states: `total` values were compared, `steps` counts those that differ by step.

    `first` is the first one as text, `yeo_johnson.lambda_dict_["Lot.Area"]: -12.55 → 0.018 (hex, hex)`; empty when
    none differs.
    """

    total: int
    steps: dict[str, int]
    first: str = ""

    @property
    def count(self) -> int:
        """The number of values that differ."""
        return sum(self.steps.values())


@dataclass(frozen=True)
class _Row:
    step: str
    type: str
    text: str
    block: Any  # the Arrow scalar, so that its bytes are copied only when they are compared

    @property
    def array(self) -> np.ndarray[Any, Any]:
        return np.frombuffer(self.block.as_buffer(), np.dtype(self.text))

    @property
    def size(self) -> int:
        return len(self.array) if self.type == BLOCK else 1


def compare_fitted_state(old: Path, new: Path) -> FittedStateDifference:
    """Compare two files that `write_fitted_state` wrote; measured times are not compared. Raises InputError."""
    before, after = _read(old), _read(new)
    if before.equals(after):
        return FittedStateDifference(_size(_rows(before)), {})
    left, right = _rows(before), _rows(after)
    steps: dict[str, int] = {}
    first = ""
    for name in dict.fromkeys((*left, *right)):
        count, text = _difference(name, left.get(name), right.get(name), left)
        if count:
            first = first or text
            step = (left.get(name) or right[name]).step
            steps[step] = steps.get(step, 0) + count
    alone = {name: row for name, row in right.items() if name not in left}
    return FittedStateDifference(_size(left) + _size(alone), steps, first) if steps else _order(left, right)


def _order(left: dict[str, _Row], right: dict[str, _Row]) -> FittedStateDifference:
    """The first value in another position, where all values are the same."""
    for one, other in zip(left, right, strict=True):
        if one != other:
            return FittedStateDifference(_size(left), {left[one].step: 1}, f"order: {one} → {other}")
    return FittedStateDifference(_size(left), {})


def _difference(name: str, old: _Row | None, new: _Row | None, rows: dict[str, _Row]) -> tuple[int, str]:
    """The number of values that differ under one name, and the first one as text."""
    if old is None or new is None:
        present = old or new
        sizes = present.size if present else 0
        return sizes, f"{name}: {_shown(old)} → {_shown(new)}"
    if old.type == new.type == BLOCK and old.text == new.text:
        return _block_difference(name, old, new, rows)
    if (old.type, old.text) == (new.type, new.text) or old.type == new.type == SECONDS:
        return 0, ""
    if old.type != new.type:
        return 1, f"{name}: {_shown(old)} of type {old.type} → {_shown(new)} of type {new.type}"
    hexes = f" ({old.text}, {new.text})" if old.type.startswith("float") else ""
    return 1, f"{name}: {_shown(old)} → {_shown(new)}{hexes}"


def _block_difference(name: str, old: _Row, new: _Row, rows: dict[str, _Row]) -> tuple[int, str]:
    left, right = old.array, new.array
    unlike = np.array([], dtype=bool)
    if left.shape == right.shape:
        bits = f"V{left.dtype.itemsize}"
        unlike = (left.view(bits) != right.view(bits)) & ~((left != left) & (right != right))  # all NaNs are the same
    if not unlike.any():
        return 0, ""
    first = int(np.argmax(unlike))
    array, _, stretch = name.rpartition("[")
    position = int(stretch.partition(":")[0]) + first
    shape = ast.literal_eval(rows[array].text[rows[array].text.index("(") :])
    index = ",".join(str(int(axis)) for axis in np.unravel_index(position, shape))
    values = [value.item() for value in (left[first], right[first])]
    hexes = f" ({values[0].hex()}, {values[1].hex()})" if left.dtype.kind == "f" else ""
    return int(unlike.sum()), f"{array}[{index}]: {values[0]!r} → {values[1]!r}{hexes}"


def _shown(row: _Row | None) -> str:
    if row is None:
        return _ABSENT
    if row.type == BLOCK:
        return f"{row.size:,} numbers"
    if row.type.startswith("float") and "0x" in row.text:
        value = float.fromhex(row.text)
        return str(np.float32(value)) if row.type == "float32" else repr(value)
    text = repr(row.text) if row.type == "str" else row.text or row.type
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: found {error}, expected the fitted state that a run writes; run again") from error
    if table.schema != SCHEMA:
        raise InputError(f"{path}: found columns {table.column_names}, expected {SCHEMA.names}; run again")
    return table


def _rows(table: pa.Table) -> dict[str, _Row]:
    return {name: _Row(step, kind, text, block) for step, name, kind, text, block in _each(table)}


def _each(table: pa.Table) -> Iterator[tuple[str, str, str, str, Any]]:
    for batch in table.to_batches():
        texts = [batch.column(name).to_pylist() for name in COLUMNS]
        yield from zip(*texts, batch.column("block"), strict=True)


def _size(rows: dict[str, _Row]) -> int:
    return sum(row.size for row in rows.values())
