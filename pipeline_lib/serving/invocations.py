"""MLflow's scoring routes: `/invocations` with the bodies that its clients send."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform_errors import Problem
from pipeline_lib.scoring.csv_rows import TextOptions
from pipeline_lib.scoring.input_files import CSV, InputFile
from pipeline_lib.scoring.read_blocks import read_blocks
from pipeline_lib.serving.arrow_stream import MAX_ROWS
from pipeline_lib.serving.http import HttpError, Request, Response, to_json
from pipeline_lib.serving.predictions import (
    answer_headers,
    check_one_table,
    is_mapping_with,
    json_of,
    predicted,
    predictions_of,
    refusal,
    rows_of,
)
from pipeline_lib.serving.served_model import ServedModel

_CSV = "text/csv"
_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def invocations(served: ServedModel, request: Request, body: bytes) -> Response:
    """The answer to an invocation: `{"predictions": […]}`. Raises HttpError."""
    check_one_table(served)
    rows = _csv_rows(served, body) if request.content_type == _CSV else _json_rows(served, request, body)
    table = predicted(served, rows, probabilities=False)
    body = to_json({"predictions": predictions_of(table)})
    return Response(body, headers=answer_headers(table), rows=table.num_rows)


def _json_rows(served: ServedModel, request: Request, body: bytes) -> list[dict[str, Any]]:
    value = json_of(request, body, _CSV)
    forms = [form for form in _FORMS if is_mapping_with(value, form)]
    if len(forms) != 1 or not set(value) <= {forms[0], "params"} or value.get("params"):
        raise HttpError(400, f"found another value, expected an object with one of {', '.join(_FORMS)}, and no params")
    rows = value[forms[0]]
    if forms[0] == "dataframe_split":
        return rows_of(served, _split_rows(rows))
    if forms[0] == "inputs" and isinstance(rows, dict):
        return rows_of(served, _by_column(rows))
    if forms[0] in ("instances", "inputs") and isinstance(rows, list) and any(isinstance(row, list) for row in rows):
        return rows_of(served, _named(rows, served.row.names, "rows"))
    return rows_of(served, rows)


def _split_rows(value: Any) -> list[dict[str, Any]]:
    """The rows of a frame as pandas splits it."""
    if not is_mapping_with(value, "columns", "data"):
        raise HttpError(400, "found no columns and data in dataframe_split, expected both")
    columns = value["columns"]
    if not isinstance(columns, list) or not all(type(name) is str for name in columns):
        raise HttpError(400, "found columns that are no list of names, expected one")
    if len(set(columns)) < len(columns):
        raise HttpError(400, "found a column's name more than once, expected each once")
    return _named(value["data"], columns, "data")


def _named(rows: Any, names: Sequence[str], what: str) -> list[dict[str, Any]]:
    """Rows whose values are in the order of these names."""
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise HttpError(400, f"found {what} of another length, expected a list of {len(names)} values for each row")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _by_column(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of columns by name, all lists of one length; single values are one row."""
    if not any(isinstance(values, list) for values in value.values()):
        return [value]
    if len({len(values) if isinstance(values, list) else -1 for values in value.values()}) > 1:
        raise HttpError(400, "found columns of different lengths, expected one value a row in each")
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]


class _Body:
    """A body as a file system with one file."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def open(self, path: str, mode: str) -> Any:
        """The body as a file."""
        return pa.PythonFile(io.BytesIO(self._body), mode="r")


def _csv_rows(served: ServedModel, body: bytes) -> pa.Table:
    if max(body.count(b"\n"), body.count(b"\r")) > MAX_ROWS + 1:
        raise HttpError(413, f"found more than {MAX_ROWS:,} lines, expected fewer; send them in parts")
    file = InputFile("body", "body", CSV, None, ",", {}, len(body), "", _Body(body))
    problems: list[Problem] = []
    tables = []
    start = 0
    try:
        for block in read_blocks([file], served.row, options=TextOptions()):
            problems += [_shifted(problem, start) for problem in block.problems]
            tables.append(block.rows)
            start += len(block.rows)
    except InputError:
        raise HttpError(400, "found no CSV that can be read, expected UTF-8 with a first line of names") from None
    if problems:
        raise refusal(problems)
    return pa.concat_tables(tables)


def _shifted(problem: Problem, start: int) -> Problem:
    return replace(problem, rows=tuple(start + row for row in problem.rows or ()))
