"""Mutations of the evidence: values, rows and columns of its Parquet tables."""

import io
import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.records.layout import FITTED_STATE
from tools.mutations.kinds import Draw, Kind, Mutation, json_kind

_FLOAT: Callable[[pa.DataType], bool] = pa.types.is_float64
_INTEGER: Callable[[pa.DataType], bool] = pa.types.is_int64
_TEXT: Callable[[pa.DataType], bool] = pa.types.is_string
Changed = tuple[pa.Table, str] | None


def _table_kind(change: Callable[[pa.Table, random.Random], Changed], *only: str) -> Draw:
    """Change a Parquet file of the evidence, one of `only`."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        folder = tree / "record" / "evidence"
        files = [path for path in sorted(folder.glob("*.parquet")) if not only or path.stem in only]
        path = generator.choice(files)
        changed = change(pq.read_table(path), generator)
        if changed is None:
            return None
        table, text = changed
        stream = io.BytesIO()
        pq.write_table(table, stream)
        names = _evidence_names(tree, path.stem)
        return Mutation("", f"{path.name}: {text}", {f"record/evidence/{path.name}": stream.getvalue()}, names)

    return draw_one


def _evidence_names(tree: Path, stem: str) -> tuple[str, ...]:
    """The names by which checks call a table: a step by its name; raw rows and edge rows change any step."""
    steps = json.loads((tree / "record/evidence/evidence.json").read_bytes())["steps"]
    if stem.startswith("step_"):
        return (f"{steps[int(stem.removeprefix('step_'))]}",)
    if stem in ("inputs", "probes"):
        return (*steps, "outputs", "raw input", stem, "(refused)")
    return (stem,)


def _cell(types: Callable[[pa.DataType], bool], other: Callable[[Any], Any]) -> Callable[..., Changed]:
    """Change one value of a column of some types by `other`."""

    def change(table: pa.Table, generator: random.Random) -> Changed:
        columns = [index for index, field in enumerate(table.schema) if types(field.type)]
        if not columns:
            return None
        index, row = generator.choice(columns), generator.randrange(table.num_rows)
        values = table.column(index).to_pylist()
        before, values[row] = values[row], other(values[row])
        if repr(before) == repr(values[row]):
            return None
        field = table.schema.field(index)
        array = pa.array(values, field.type, from_pandas=False)
        changed = table.set_column(index, field.with_nullable(field.nullable or values[row] is None), array)
        return changed, f"{field.name}, row {row}: {before!r} → {values[row]!r}"

    return change


def _ulp(value: Any) -> Any:
    return value if value is None else math.nextafter(value, math.inf)


def _other_sign(value: Any) -> Any:
    return -value if value == 0 else value


def _swapped_rows(table: pa.Table, generator: random.Random) -> Changed:
    one, other = sorted(generator.sample(range(table.num_rows), 2))
    if table.slice(one, 1).equals(table.slice(other, 1)):
        return None
    order = list(range(table.num_rows))
    order[one], order[other] = other, one
    return table.take(order), f"rows {one} and {other} swapped"


def _without_row(table: pa.Table, generator: random.Random) -> tuple[pa.Table, str]:
    dropped = generator.randrange(table.num_rows)
    return table.take([row for row in range(table.num_rows) if row != dropped]), f"row {dropped} dropped"


def _renamed(table: pa.Table, generator: random.Random) -> tuple[pa.Table, str]:
    name = generator.choice(table.column_names)
    return table.rename_columns([f"{n}_" if n == name else n for n in table.column_names]), f"{name!r} renamed"


def _without_column(table: pa.Table, generator: random.Random) -> tuple[pa.Table, str]:
    name = generator.choice(table.column_names)
    return table.drop_columns([name]), f"{name!r} dropped"


def _reordered(table: pa.Table, generator: random.Random) -> Changed:
    names = table.column_names
    if len(names) < 2:
        return None
    index = generator.randrange(len(names) - 1)
    names[index], names[index + 1] = names[index + 1], names[index]
    return table.select(names), f"{names[index]!r} and {names[index + 1]!r} swapped"


def _other_type(table: pa.Table, generator: random.Random) -> tuple[pa.Table, str]:
    index = generator.randrange(table.num_columns)
    field = table.schema.field(index)
    other = {pa.float64(): pa.float32(), pa.int64(): pa.float64(), pa.string(): pa.large_string()}
    kind = other.get(field.type, pa.string())
    column = table.column(index).cast(kind, safe=False)
    return table.set_column(index, pa.field(field.name, kind, field.nullable), column), f"{field.name} as {kind}"


def _fitted_state(tree: Path, generator: random.Random) -> Mutation | None:
    """Change one fitted value that is compared: a float by one ULP, another value by a letter."""
    file = f"record/{FITTED_STATE}"
    table = pq.read_table(tree / file)
    row = generator.randrange(table.num_rows)
    values = table.column("value").to_pylist()
    value, name = values[row], table.column("name")[row].as_py()
    values[row] = _ulp(float.fromhex(value)).hex() if "0x" in value else f"{value}x"
    if table.column("type")[row].as_py() == "seconds" or values[row] == value:
        return None
    index = table.column_names.index("value")
    stream = io.BytesIO()
    pq.write_table(table.set_column(index, table.schema.field(index), pa.array(values, pa.string())), stream)
    location = f"{FITTED_STATE}: {name}: {value} → {values[row]}"
    return Mutation("", location, {file: stream.getvalue()}, (name,))


TABLES: Sequence[Kind] = (
    Kind("evidence: a number by one ULP", 16, _table_kind(_cell(_FLOAT, _ulp))),
    Kind("evidence: a whole number by one", 6, _table_kind(_cell(_INTEGER, lambda value: (value or 0) + 1))),
    Kind("evidence: the sign of a zero", 4, _table_kind(_cell(_FLOAT, _other_sign))),
    Kind("evidence: a label", 6, _table_kind(_cell(_TEXT, lambda value: f"{value}x"))),
    Kind("evidence: a value made missing", 5, _table_kind(_cell(lambda kind: True, lambda value: None))),
    Kind("evidence: NaN in place of a number", 4, _table_kind(_cell(_FLOAT, lambda value: math.nan))),
    Kind("evidence: two rows swapped", 7, _table_kind(_swapped_rows)),
    Kind("evidence: a row dropped", 6, _table_kind(_without_row)),
    Kind("evidence: a column renamed", 5, _table_kind(_renamed)),
    Kind("evidence: a column dropped", 4, _table_kind(_without_column)),
    Kind("evidence: columns in another order", 4, _table_kind(_reordered)),
    Kind("evidence: a column of another type", 6, _table_kind(_other_type)),
    Kind("evidence: the target", 4, _table_kind(_cell(_INTEGER, lambda value: value + 1), "target")),
    Kind("evidence: its description", 5, json_kind("record/evidence/evidence.json")),
    Kind("learned state: a value", 6, _fitted_state),
)
