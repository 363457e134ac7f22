"""`/predict`: one row, many rows, or an Arrow stream."""

from typing import Any

from pipeline_lib.serving.arrow_stream import write_stream
from pipeline_lib.serving.http import ARROW, HttpError, Request, Response, to_json
from pipeline_lib.serving.predictions import (
    answer_headers,
    answer_row,
    answer_rows,
    arrow_rows,
    json_of,
    predicted,
    rows_of,
    tables_of,
)
from pipeline_lib.serving.served_model import ServedModel

_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


def predict(served: ServedModel, request: Request, body: bytes) -> Response:
    """The answer to a body of rows, in its own format. Raises HttpError."""
    request.check_parameters("probabilities")
    probabilities = _flag(request, "probabilities")
    if request.content_type == ARROW:
        table = predicted(served, arrow_rows(served, body), probabilities=probabilities)
        facts = {"pipeline_lib.record": served.reference, "pipeline_lib.digest": served.digest}
        headers = answer_headers(table)
        return Response(write_stream(table, facts), ARROW.encode(), headers=headers, rows=table.num_rows)
    value = json_of(request, body, ARROW)
    context = None
    if served.row.key is not None:
        value = tables_of(served, value)
        many = isinstance(value[served.row.name], list)
    else:
        if _has_rows(value):
            context = None if value.get("context") is None else rows_of(served, value["context"])
            value = value["rows"]
        many = not isinstance(value, dict)
        rows_of(served, value if many else [value])
    if many:
        answer = answer_rows(served, value, probabilities=probabilities, context=context)
        return Response(to_json(answer), rows=len(answer["predictions"]))
    return Response(to_json(answer_row(served, value, probabilities=probabilities)), rows=1)


def _has_rows(value: Any) -> bool:
    """Whether an object holds a list of rows under the name `rows`; the values of a row are no lists."""
    return isinstance(value, dict) and isinstance(value.get("rows"), list) and set(value) <= {"rows", "context"}


def _flag(request: Request, name: str) -> bool:
    given = request.query.get(name, "").lower()
    if given not in (*_YES, *_NO):
        raise HttpError(400, f"found another value of the parameter {name}, expected true or false")
    return given in _YES
