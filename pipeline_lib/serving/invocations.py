"""MLflow's scoring routes: `/invocations` with the bodies that its clients send."""

import io
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform_errors import Problem
from pipeline_lib.scoring.csv_rows import TextOptions
from pipeline_lib.scoring.input_files import CSV, InputFile
from pipeline_lib.scoring.read_blocks import read_blocks
from pipeline_lib.serving.http import HttpError, Request, Response, to_json
from pipeline_lib.serving.predictions import answer_rows, is_mapping_with, json_of, json_values, predicted, refusal
from pipeline_lib.serving.served_model import ServedModel

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def invocations(served: ServedModel, request: Request, body: bytes) -> Response:
    """The answer to an invocation: `{"predictions": […]}`. Raises HttpError."""
    if request.content_type == "text/csv":
        table = predicted(served, _csv_rows(served, body), probabilities=False)
        names = table.column_names
        columns = [json_values(table[name]) for name in names]
        predictions = columns[0] if len(names) == 1 else list(map(list, zip(*columns, strict=True)))
        return Response(to_json({"predictions": predictions}))
    if request.content_type != "application/json":
        raise HttpError(415, "found another content type, expected application/json or text/csv")
    value = json_of(body)
    forms = [form for form in _FORMS if is_mapping_with(value, form)]
    if len(forms) != 1 or not set(value) <= {*_FORMS, "params"} or value.get("params"):
        raise HttpError(400, f"found another object, expected one of {', '.join(_FORMS)}, and no params")
    answer = answer_rows(served, _rows(served, forms[0], value[forms[0]]), probabilities=False)
    return Response(to_json({"predictions": answer["predictions"]}))


def _rows(served: ServedModel, form: str, value: Any) -> Any:
    if form == "dataframe_split":
        return _split_rows(value)
    if form == "inputs" and isinstance(value, dict):
        return _by_column(value)
    if form in ("instances", "inputs") and isinstance(value, list) and any(isinstance(row, list) for row in value):
        names = served.row.names
        if any(not isinstance(row, list) or len(row) != len(names) for row in value):
            raise HttpError(400, f"found rows of other lengths, expected {len(names)} values each: {', '.join(names)}")
        return [dict(zip(names, row, strict=True)) for row in value]
    return value


def _split_rows(value: Any) -> list[dict[str, Any]]:
    """The rows of a frame as pandas splits it."""
    if not is_mapping_with(value, "columns", "data"):
        raise HttpError(400, "found no columns and data in dataframe_split, expected both")
    columns, data = value["columns"], value["data"]
    if not isinstance(columns, list) or len(set(map(str, columns))) < len(columns):
        raise HttpError(400, "found columns that are no list of different names, expected one")
    if not isinstance(data, list) or any(not isinstance(row, list) or len(row) != len(columns) for row in data):
        raise HttpError(400, f"found data that is no list of rows of {len(columns)} values, expected one")
    names = list(map(str, columns))
    return [dict(zip(names, row, strict=True)) for row in data]


def _by_column(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of columns by name, all lists of one length; single values are one row."""
    if not any(isinstance(values, list) for values in value.values()):
        return [value]
    lengths = {len(values) if isinstance(values, list) else -1 for values in value.values()}
    if len(lengths) > 1:
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
