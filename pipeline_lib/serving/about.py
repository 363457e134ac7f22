"""The JSON Schema of the rows that a model takes."""

import re
from typing import Any

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.serving.served_model import ServedModel

_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
_TEXTS = {
    "datetime": "a date and time without a zone, such as 2024-01-31T12:00:00",
    "date": "a date, such as 2024-01-31",
}
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_NOT_OF_JAVASCRIPT = re.compile(r"\(\?(?!:)|\\[AzQEC]|\[\[:")
_WORDS = {"ge": "from", "gt": "after", "le": "to", "lt": "before"}


def json_schema(served: ServedModel) -> dict[str, Any]:
    """The JSON Schema of a row, with the columns that reach a prediction; of several tables that of a body."""
    row = served.row
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if row.key is None:
        return {**schema, "title": f"A row of {served.name}", **_object(row)}
    main = _object(row)
    tables = {child.name: {"type": "array", "items": _object(child)} for child in row.children}
    return {
        **schema,
        "title": f"The rows of {served.name}: one as an object or many as a list, and their child rows",
        "type": "object",
        "properties": {row.name: {"anyOf": [main, {"type": "array", "items": main}]}, **tables},
        "required": [row.name, *tables],
    }


def _object(row: RowSchema) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {column.name: column_schema(column) for column in row.columns},
        "required": [column.name for column in row.columns if column.required],
    }


def column_schema(column: Column) -> dict[str, Any]:
    """The JSON Schema of one column's values."""
    kind = _TYPES.get(column.kind, "string")
    schema: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind}
    if kind == "integer":
        schema["format"] = "int64"
    bounds = {option: getattr(column, option) for option in _KEYWORDS if getattr(column, option) is not None}
    if column.kind in _TEXTS:
        limits = (f"{_WORDS[option]} {bound.isoformat()}" for option, bound in bounds.items())
        schema["description"] = ", ".join([_TEXTS[column.kind], *limits])
    else:
        schema |= {_KEYWORDS[option]: bound for option, bound in bounds.items()}
    options = {"minLength": column.min_length, "maxLength": column.max_length}
    schema |= {keyword: value for keyword, value in options.items() if value is not None}
    if column.pattern is not None:  # RE2; JSON Schema has the patterns of JavaScript, whose groups are others
        schema["description" if _NOT_OF_JAVASCRIPT.search(column.pattern) else "pattern"] = column.pattern
    if column.allowed is not None:
        schema["enum"] = [*column.allowed, *([None] if column.nullable else [])]
    if not column.required:
        schema["default"] = column.default
    return schema
