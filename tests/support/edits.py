"""Edits of a record's files, each of one thing, for tests that show it is seen."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.evidence.fitted_state import SCHEMA
from pipeline_lib.system.files import canonical_json

Edit = Callable[[Any], None]


def edit_json(path: Path, edit: Edit) -> None:
    content = json.loads(path.read_bytes())
    edit(content)
    path.write_bytes(canonical_json(content))


def edit_column(path: Path, name: str, edit: Edit) -> None:
    table = pq.read_table(path)
    values = table.column(name).to_pylist()
    edit(values)
    place = table.column_names.index(name)
    pq.write_table(table.set_column(place, table.schema.field(name), [values]), path)


def one_ulp(values: Any, key: Any) -> None:
    values[key] = math.nextafter(values[key], math.inf)


def nudge_fitted_value(path: Path, name: str) -> None:
    """Move one fitted number by one unit in the last place."""
    rows = pq.read_table(path).to_pylist()
    row = next(row for row in rows if row["name"] == name)
    row["value"] = math.nextafter(float.fromhex(row["value"]), math.inf).hex()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
