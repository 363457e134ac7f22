"""`/predict`: one row, many rows, or an Arrow stream."""

from typing import Any

from pipeline_lib.serving.http import ARROW, HttpError, Request, Response, to_json
from pipeline_lib.serving.predictions import (
    answer_row,
    answer_rows,
    arrow_body,
    arrow_rows,
    json_of,
    predicted,
    rows_of,
)
from pipeline_lib.serving.served_model import ServedModel

_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


def predict(served: ServedModel, request: Request, body: bytes) -> Response:
    """The answer to a body of rows, in its own format."""
    probabilities = _flag(request, "probabilities")
    kind = request.content_type
    if kind == ARROW:
        table = predicted(served, arrow_rows(body), probabilities=probabilities)
        return Response(arrow_body(table, served), ARROW.encode())
    if kind != "application/json":
        raise HttpError(415, f"found another content type, expected application/json or {ARROW}")
    value = json_of(body)
    if isinstance(value, list):
        return Response(to_json(answer_rows(served, value, probabilities=probabilities)))
    if _has_rows(served, value):
        context = value.get("context")
        earlier = None if context is None else rows_of(served, context)
        answer = answer_rows(served, value["rows"], probabilities=probabilities, context=earlier)
        return Response(to_json(answer))
    if not isinstance(value, dict):
        raise HttpError(400, "found a single value, expected a row as an object, or a list of rows")
    if probabilities and not served.probabilities:
        raise HttpError(400, f"found probabilities asked of {served.name}, expected a classifier that gives them")
    return Response(to_json(answer_row(served, value, probabilities=probabilities)))


def _has_rows(served: ServedModel, value: Any) -> bool:
    """Whether an object holds rows under the name `rows`, rather than being a row itself."""
    return isinstance(value, dict) and {"rows"} <= set(value) <= {"rows", "context"} and "rows" not in served.row.names


def _flag(request: Request, name: str) -> bool:
    given = request.query.get(name, "").lower()
    if given not in (*_YES, *_NO):
        raise HttpError(400, f"found another value of the parameter {name}, expected true or false")
    return given in _YES
