"""What a server says of its models: the schema of a row, an example, the record."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.records.index import read_parity
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.edge_rows import accepted_values
from pipeline_lib.serving.served_model import ServedModel

_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
_EXAMPLES: dict[str, tuple[Any, ...]] = {
    "integer": (1, 0),
    "number": (1.0, 0.0),
    "string": ("text", "a"),
    "boolean": (True,),
    "datetime": (datetime(2024, 1, 31, 12, 0),),
    "date": (date(2024, 1, 31),),
}
_EVIDENCE = "evidence/inputs.parquet"


def json_schema(served: ServedModel) -> dict[str, Any]:
    """The JSON Schema of a row, with the columns that reach a prediction."""
    columns = served.row.columns
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A row of {served.name}",
        "type": "object",
        "properties": {column.name: column_schema(column) for column in columns},
        "required": [column.name for column in columns if column.required],
        "additionalProperties": True,
    }


def column_schema(column: Column) -> dict[str, Any]:
    """The JSON Schema of one column's values."""
    kind = _TYPES.get(column.kind, "string")
    schema: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind}
    if column.kind == "date":
        schema["format"] = "date"
    if column.kind == "datetime":
        schema["description"] = "a date and time without a zone, such as 2024-01-31T12:00:00"
    names = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    for option, name in names.items():
        bound = getattr(column, option)
        if bound is not None and column.kind in ("integer", "number"):
            schema[name] = bound
        elif bound is not None:
            schema["description"] = f"{schema.get('description', '')} {option} {bound}".strip()
    if column.min_length is not None:
        schema["minLength"] = column.min_length
    if column.max_length is not None:
        schema["maxLength"] = column.max_length
    if column.pattern is not None:
        schema["pattern"] = column.pattern
    if column.allowed is not None:
        schema["enum"] = [*column.allowed, *([None] if column.nullable else [])]
    if not column.required:
        schema["default"] = column.default
    return schema


def record_facts(served: ServedModel) -> dict[str, Any]:
    """Which record answers: its identity, metrics and parity. No value of a row is in it."""
    manifest = served.record.manifest()
    parity = read_parity(served.record)
    return {
        "name": served.name,
        "record": served.reference,
        "digest": served.digest,
        "hashes": manifest.get("hashes"),
        "metrics": served.metrics,
        "parity": None if parity is None else {"exact": parity["exact"], "full": parity.get("full") is True},
        "columns": list(served.row.names),
        "outputs": list(served.model.plan.outputs),
    }


@lru_cache(maxsize=16)
def example_row(served: ServedModel) -> dict[str, Any] | None:
    """A row of the record's evidence as JSON values, with made-up values where a column is sensitive.

    None where the record keeps no rows, or has no row that is answered with those values.
    """
    path = served.record.folder / _EVIDENCE
    if not path.is_file() or served.row.key is not None or served.model.context:
        return None
    row = {}
    sensitive = served.row.sensitive
    for name, values in pq.read_table(path, columns=list(served.row.names)).slice(0, 1).to_pydict().items():
        column = served.row.by_name[name]
        row[name] = _made_up(column) if name in sensitive else values[0]
    try:
        served.model.predict_row(row)
    except InputError:
        return None
    return {name: value.isoformat() if isinstance(value, date | datetime) else value for name, value in row.items()}


def _made_up(column: Column) -> Any:
    if column.nullable:
        return None
    bounds = [bound for bound in (column.ge, column.le) if bound is not None]
    values = accepted_values(column, [*(column.allowed or ()), *bounds, *_EXAMPLES[column.kind]])
    return values[0] if values else None
