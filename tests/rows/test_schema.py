"""A schema travels as JSON; one that contradicts itself is refused."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from row_examples import SCHEMA, refusal

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

core = pytest.mark.core


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


def test_an_option_of_another_kind_is_refused_with_the_field() -> None:
    assert refusal(lambda: Column("x", "integer", finite=True)) == (
        "x: found finite in a column of kind integer, expected it only for numbers; correct the field of Row"
    )
