"""The OpenAPI document of a server, and the page that people read."""

from typing import Any

from pipeline_lib.compiled.pipeline import PREDICTION
from pipeline_lib.rows.column import Column
from pipeline_lib.serving.about import json_schema
from pipeline_lib.serving.http import ARROW, to_json
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.open_inference import datatype
from pipeline_lib.serving.predictions import json_value
from pipeline_lib.serving.served_model import ServedModel
from pipeline_lib.system.html_page import Markup, element, joined, page, summary_box, table

ROUTES = (
    ("POST", "/predict", "one row as an object, many as a list, or an Arrow stream; also ?probabilities=true"),
    ("POST", "/models/{name}/predict", "the same, where there are several models; /predict asks the first"),
    ("POST", "/invocations", "MLflow's: dataframe_split, dataframe_records, instances, inputs, or CSV"),
    ("GET", "/v2", "Open Inference Protocol: the server"),
    ("GET", "/v2/models/{name}", "Open Inference Protocol: what the model takes and gives"),
    ("GET", "/v2/models/{name}/ready", "Open Inference Protocol: whether the model answers"),
    ("POST", "/v2/models/{name}/infer", "Open Inference Protocol: predictions"),
    ("GET", "/v2/health/live", "whether the process is there"),
    ("GET", "/v2/health/ready", "whether it takes requests"),
    ("GET", "/ping", "MLflow's: whether it takes requests"),
    ("GET", "/schema", "the JSON Schema of a row; ?model=NAME where there are several, here and for the next two"),
    ("GET", "/record", "which record answers, its metrics and parity"),
    ("GET", "/drift", "the rows of today and yesterday compared with training"),
    ("GET", "/metrics", "counts for Prometheus"),
    ("GET", "/openapi.json", "this interface as OpenAPI"),
    ("GET", "/docs", "this page"),
)


OPEN_ROUTES = ("/ping", "/health", "/v2/health/live", "/v2/health/ready")
"""Routes that need no token."""


def openapi(models: Models, *, needs_token: bool) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, Any] = {}
    for method, path, summary in ROUTES:
        paths.setdefault(path, {})[method.lower()] = _operation(models, method, path, summary)
    document = {
        "openapi": "3.1.0",
        "info": {"title": ", ".join(served.name for served in models), "version": models.first.version},
        "paths": paths,
        "components": {
            "schemas": {_component(served): _without_dialect(json_schema(served)) for served in models},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return {**document, "security": [{"token": []}]} if needs_token else document


def _operation(models: Models, method: str, path: str, summary: str) -> dict[str, Any]:
    names = {"type": "string", "enum": [served.name for served in models]}
    parameters: list[dict[str, Any]] = []
    if "{name}" in path:
        parameters.append({"name": "name", "in": "path", "required": True, "schema": names})
    if path in ("/schema", "/record", "/drift"):
        parameters.append({"name": "model", "in": "query", "schema": names})
    if path.endswith("/predict") and any(served.probabilities for served in _asked(models, path)):
        parameters.append({"name": "probabilities", "in": "query", "schema": {"type": "boolean"}})
    responses = _responses(method, path, names=any(each["schema"] is names for each in parameters))
    operation: dict[str, Any] = {"summary": summary, "parameters": parameters, "responses": responses}
    if method == "POST":
        operation["requestBody"] = {"required": True, "content": _content(models, path)}
    if path in OPEN_ROUTES:
        operation["security"] = []
    return operation


def _asked(models: Models, path: str) -> list[ServedModel]:
    """The models that a route of predictions may ask."""
    return [models.first] if path == "/predict" else list(models)


def _responses(method: str, path: str, *, names: bool) -> dict[str, Any]:
    codes = {"200": "the answer"}
    if method == "POST":
        codes |= {
            "400": "no rows can be read from the body",
            "401": "the token is missing or another one",
            "408": "the body took too long",
            "413": "the body is too long",
            "415": "another content type",
            "422": "a row is refused; `problems` names field, rows and what was expected",
            "503": "the server is stopping or busy; Retry-After says when to try again",
        }
    if names:
        codes["404"] = "no such model"
    if path in ("/v2/health/ready", "/ping"):
        codes["503"] = "the server is stopping"
    return {code: {"description": text} for code, text in codes.items()}


def _content(models: Models, path: str) -> dict[str, Any]:
    if path.startswith("/v2"):
        fields = {name: {"type": "string"} for name in ("name", "datatype")} | {
            name: {"type": "array"} for name in ("shape", "data")
        }
        tensor = {"type": "object", "required": list(fields), "properties": fields}
        inputs = {"inputs": {"type": "array", "items": tensor}}
        return {"application/json": {"schema": {"type": "object", "required": ["inputs"], "properties": inputs}}}
    if path == "/invocations":
        return {"application/json": {"schema": {"type": "object"}}, "text/csv": {"schema": {"type": "string"}}}
    choices: list[dict[str, Any]] = []
    for served in _asked(models, path):
        row = {"$ref": f"#/components/schemas/{_component(served)}"}
        rows = {"type": "array", "items": row}
        context = {"context": rows} if served.model.context else {}
        many = {"type": "object", "required": ["rows"], "properties": {"rows": rows, **context}}
        choices += [row] if served.row.key is not None else [row, rows, many]
    content: dict[str, Any] = {"schema": {"anyOf": choices}}
    if models.first.example is not None:
        content["example"] = models.first.example
    return {"application/json": content, ARROW: {"schema": {"type": "string", "format": "binary"}}}


def _component(served: ServedModel) -> str:
    return f"{served.name}_row"


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "$schema"}


def docs_page(models: Models, host: str, *, needs_token: bool) -> str:
    """The page of documentation; it asks for nothing from elsewhere."""
    served = list(models)
    names = ", ".join(each.name for each in served)
    listed = [joined(method, " ", element("code", path), element("small", text)) for method, path, text in ROUTES]
    routes = table([], [(each,) for each in listed])
    facts = [(each.name, each.reference) for each in served]
    box = summary_box("The same raw rows give the bits of the record.", facts=facts, kind="good")
    examples = [part for each in served for part in _example(each, models, host, needs_token=needs_token)]
    rows = [part for each in served for part in _row(each)]
    problems = " names field, rows, found and expected. Nothing that is sent is repeated."
    errors = element(
        "p",
        "An error says what was found and expected. 422 is for refused rows: ",
        element("code", "problems"),
        problems,
    )
    return page(f"Predictions of {names}", box, *examples, element("h2", "Routes"), routes, errors, *rows)


def _example(served: ServedModel, models: Models, host: str, *, needs_token: bool) -> list[Markup]:
    if served.example is None:
        return []
    path = "/predict" if served is models.first else f"/models/{served.name}/predict"
    token = ' -H "Authorization: Bearer $TOKEN"' if needs_token else ""
    quoted = to_json(served.example).decode().replace("'", "'\\''")
    answer = to_json({PREDICTION: json_value(served.answer), "record": served.reference}).decode()
    made_up = f"Made up, as they are sensitive: {', '.join(served.sensitive)}." if served.sensitive else ""
    return [
        element("h2", f"A row of {served.name}, and its answer"),
        element("p", made_up) if made_up else Markup(""),
        element("pre", f"curl -s http://{host}{path}{token} -H 'Content-Type: application/json' -d '{quoted}'"),
        element("pre", answer),
    ]


def _row(served: ServedModel) -> list[Markup]:
    rows = [
        (name, f"{column.kind} or null" if column.nullable else column.kind, datatype(column), _limits(column))
        for name, column in served.row.by_name.items()
    ]
    return [element("h2", f"The columns of {served.name}"), table(["column", "kind", "protocol", "limits"], rows)]


def _limits(column: Column) -> str:
    bounds = {"from": column.ge, "above": column.gt, "to": column.le, "below": column.lt}
    lengths = {"at least": column.min_length, "at most": column.max_length}
    parts = [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]
    parts += [f"{word} {length} characters" for word, length in lengths.items() if length is not None]
    parts += ["finite"] if column.finite else []
    parts += [f"matches {column.pattern}"] if column.pattern is not None else []
    parts += [f"one of {', '.join(map(str, column.allowed))}"] if column.allowed is not None else []
    return "; ".join(parts if column.required else [*parts, f"{column.default!r} where it is left out"])
