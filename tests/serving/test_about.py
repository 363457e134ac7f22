"""What a server says of itself: the JSON Schema of a row, the record, OpenAPI, the page of documentation."""

import json
import re
import subprocess
import sys
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tables
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from scored import echo, proven, row, table
from served import Client, as_json, client, with_evidence

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.serving.about import column_schema

COLUMNS = [
    Column("a", "number", nullable=True, ge=0, lt=10.5),
    Column("a", "integer", gt=0, le=9),
    Column("a", "integer", allowed=(1, 2), nullable=True),
    Column("a", "string", min_length=1, max_length=3, pattern="^[a-z]+$"),
    Column("a", "string", allowed=("x", "ü")),
    Column("a", "boolean", required=False, default=True),
    Column("a", "datetime", ge=datetime(2020, 1, 1), nullable=True),
    Column("a", "date", lt=date(2030, 1, 1)),
]
VALUES = [None, 0, 1, 2, 9, 10, 11, 0.5, 10.5, True, False, "", "x", "ü", "abc", "abcd", "A1", [], {}, -1]


def test_the_schema_accepts_the_example_and_what_the_model_takes(both: Client) -> None:
    schema = both.get("/schema").json
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert list(schema["properties"]) == ["size", "rooms", "code", "heated", "sold", "day"]
    assert schema["required"] == list(schema["properties"])
    example = both.app.models.first.example
    assert example == {name: value for name, value in as_json(row()).items() if name != "unread"}
    for good in (example, as_json(row(size=None, code=None, sold=None, day=None)), {**example, "more": 1}):
        assert validator.is_valid(good)
        assert both.post("/predict", good).status == 200


@pytest.mark.parametrize(
    "change", [{"rooms": None}, {"rooms": "3"}, {"rooms": 21}, {"rooms": -1}, {"size": 2e16}, {"heated": 1}, {"day": 5}]
)
def test_the_schema_refuses_what_the_model_refuses(both: Client, change: dict[str, Any]) -> None:
    wrong = {**as_json(row()), **change}
    assert not Draft202012Validator(both.get("/schema").json).is_valid(wrong)
    assert both.post("/predict", wrong).status == 422
    less = {name: value for name, value in as_json(row()).items() if name not in change}
    assert not Draft202012Validator(both.get("/schema").json).is_valid(less)
    assert both.post("/predict", less).status == 422


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.kind}-{column.nullable}")
def test_the_schema_of_a_column_says_what_row_says(column: Column) -> None:
    schema = column_schema(column)
    Draft202012Validator.check_schema(schema)
    if column.kind in ("datetime", "date"):
        assert "2020-01-01T00:00:00" in schema["description"] or "before 2030-01-01" in schema["description"]
        return
    accepted = []
    for value in VALUES:
        try:
            conform([{"a": value}], RowSchema((column,)))
            accepted.append(value)
        except InputError:
            pass
    assert accepted
    assert len(accepted) < len(VALUES)
    validator = Draft202012Validator(schema)
    assert [value for value in VALUES if validator.is_valid(value)] == accepted
    assert schema.get("default") is (None if column.required else True)


def test_a_pattern_that_javascript_reads_otherwise_is_only_described() -> None:
    assert column_schema(Column("a", "string", pattern="(?P<x>a)")) == {"type": "string", "description": "(?P<x>a)"}
    assert column_schema(Column("a", "string", pattern="(?:a)+"))["pattern"] == "(?:a)+"


def test_of_several_tables_the_schema_is_of_the_body(runs: Path) -> None:
    only = client(proven(runs, tables.compiled(), "tables"))
    schema = only.get("/schema").json
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = as_json(tables.one_customer())
    for body in (good, {**good, "customers": [good["customers"]]}):
        assert validator.is_valid(body)
        assert only.post("/predict", body).status == 200
    for body in (good["customers"], {**good, "purchases": [{}]}, {"customers": good["customers"]}):
        assert not validator.is_valid(body)
        assert only.post("/predict", body).status in (400, 422)
    OpenAPIV31SpecValidator(only.get("/openapi.json").json).validate()
    assert only.get("/docs").status == 200


def test_the_record_says_who_answers(both: Client, echo_record: Record) -> None:
    facts = both.get("/record").json
    assert facts["record"] == echo_record.reference
    assert facts["digest"] == echo_record.manifest()["digest"]
    assert facts["metrics"] == {"rmse": 2.5}
    assert facts["parity"] == {"exact": True, "full": True}
    assert facts["columns"] == ["size", "rooms", "code", "heated", "sold", "day"]
    assert facts["outputs"] == list(echo().plan.outputs)


def test_the_openapi_document_is_valid_and_lists_every_route(both: Client, echo_record: Record) -> None:
    document = both.get("/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    with pytest.raises(Exception, match="info"):
        OpenAPIV31SpecValidator({**document, "info": {}}).validate()
    for path, operations in document["paths"].items():
        for method in operations:
            assert both.ask(method.upper(), path.replace("{name}", "echo"), {}).status not in (404, 405), path
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert both.post("/predict", content["example"]).status == 200
    assert "security" not in document
    guarded = client(echo_record, token=b"x" * 20)
    secured = guarded.ask("GET", "/openapi.json", headers=[(b"authorization", b"Bearer " + b"x" * 20)]).json
    OpenAPIV31SpecValidator(secured).validate()
    assert secured["security"] == [{"token": []}]
    assert secured["paths"]["/ping"]["get"]["security"] == []
    page = guarded.ask("GET", "/docs", headers=[(b"authorization", b"Bearer " + b"x" * 20)]).body.decode()
    assert "Bearer $TOKEN" in page
    assert "Bearer" not in both.get("/docs").body.decode()
    assert "x" * 20 not in page


class Resources(HTMLParser):
    """What a page would load, and the texts of its preformatted blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[Any] = []
        self.blocks: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.loaded += [value for name, value in names.items() if name in ("src", "href")]
        self.loaded += [tag] if tag == "script" else []
        self._inside = tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks.append(data)


def test_the_page_works_offline_and_its_call_is_answered_as_it_says(both: Client) -> None:
    page = both.get("/docs").body.decode()
    found = Resources()
    found.feed(page)
    assert found.loaded == []
    call, answer = found.blocks[:2]
    match = re.fullmatch(r"curl -s http://127\.0\.0\.1:8000/predict .*? -d '(.*)'", call)
    assert match
    assert both.post("/predict", json.loads(match[1])).json == json.loads(answer)


def test_the_page_says_what_the_columns_may_hold(both: Client) -> None:
    page = both.get("/docs").body.decode()
    for text in (
        "to 1e+16",
        "from 0; to 20",
        "A row of labels, and its answer",
        "The columns of labels",
        "/v2/health/ready",
    ):
        assert text in page


def test_an_example_with_an_apostrophe_can_be_pasted_into_a_shell(runs: Path) -> None:
    record = with_evidence(runs, echo(), table([row(code="l'été <b>")]), "quoted")
    found = Resources()
    found.feed(client(record).get("/docs").body.decode())
    shell = found.blocks[0].replace("curl -s", f"{sys.executable} -c 'import sys; print(sys.argv[-1])'")
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=True)  # noqa: S603
    assert json.loads(done.stdout)["code"] == "l'été <b>"


@pytest.mark.parametrize("rows", [[], [row(size=float("inf"))], [row(rooms=99)]])
def test_without_a_row_that_is_answered_there_is_no_example(runs: Path, rows: list[Any]) -> None:
    record = with_evidence(runs, echo(), table(rows), "bare")
    bare = client(record)
    assert bare.app.models.first.example is None
    assert bare.get("/docs").status == 200
    OpenAPIV31SpecValidator(bare.get("/openapi.json").json).validate()


def test_a_sensitive_column_without_a_made_up_value_has_no_example(runs: Path) -> None:
    build = Builder()
    plan = Plan(build.nodes, {"prediction": (build.input("size", "float64") * 2.0).node})
    schema = RowSchema((Column("size", "number", gt=3.25, lt=3.5, sensitive=True),))
    record = with_evidence(runs, CompiledPipeline(plan, schema), pa.table({"size": [3.3]}), "narrow")
    assert client(record).app.models.first.example is None
