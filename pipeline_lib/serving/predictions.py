"""Rows of a request in, answers out. Nothing of what was sent is in a message."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from pipeline_lib.compiled.operations.refusals import RefusedRowError
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform_errors import HIDDEN, Problem, RefusedColumnsError
from pipeline_lib.scoring.json_rows import parse_json
from pipeline_lib.scoring.json_values import parse_texts
from pipeline_lib.serving.http import HttpError
from pipeline_lib.serving.served_model import ServedModel

_VALUE = "a value"
_MOST_PROBLEMS = 100
"""At most so many problems, and so many row numbers of one, are told."""


def json_of(body: bytes) -> Any:
    """The value of a JSON body. Raises HttpError, which says where the fault is and not what was sent."""
    try:
        return parse_json(body)
    except UnicodeDecodeError as error:
        raise HttpError(400, f"found bytes that are not UTF-8 at byte {error.start}, expected JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise HttpError(400, f"found no JSON ({error.msg} at {place}), expected a JSON value") from None
    except RecursionError:
        raise HttpError(400, "found lists nested too deep, expected rows") from None
    except ValueError:
        found = "a key more than once in an object, NaN, Infinity, or a number beyond 64 bits"
        raise HttpError(400, f"found {found}, expected JSON with each key once and finite numbers") from None


@contextmanager
def told_by_row() -> Iterator[None]:
    """Inside this context what a model refuses is an HttpError with fields and row numbers."""
    try:
        yield
    except RefusedColumnsError as error:
        raise refusal(error.problems) from error
    except RefusedRowError as error:
        message = _without_values(error.reason)
        problem = {"field": None, "rows": [error.row], "found": None, "expected": message}
        raise HttpError(422, f"row {error.row}: {message}", problems=[problem]) from error
    except InputError as error:
        raise HttpError(422, _without_values(str(error))) from error


def refusal(problems: Sequence[Problem]) -> HttpError:
    """The error of refused rows, with each problem as JSON values."""
    listed = [
        {
            "field": ": ".join(part for part in (problem.table, problem.column) if part) or None,
            "rows": None if problem.rows is None else list(problem.rows[:_MOST_PROBLEMS]),
            "found": problem.type or _VALUE,
            "expected": problem.expected,
        }
        for problem in problems[:_MOST_PROBLEMS]
    ]
    lines = [_without_values(replace(problem, remedy="").text()).removesuffix("; ") for problem in problems]
    return HttpError(422, "\n".join(lines), problems=listed)


def _without_values(message: str) -> str:
    return message.replace(HIDDEN, _VALUE)


def rows_of(served: ServedModel, rows: Any) -> list[dict[str, Any]]:
    """The rows of a request, its texts of dates as dates. Raises HttpError for what is no list of objects."""
    if not isinstance(rows, list):
        raise HttpError(400, f"found {_kind(rows)}, expected a list of rows, each an object")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise HttpError(400, f"found {_kind(row)} as row {number}, expected an object with a value for each column")
    if served.texts:
        problems = parse_texts(rows, served.texts)
        if problems:
            raise refusal(problems)
    return rows


def answer_row(served: ServedModel, row: dict[str, Any], *, probabilities: bool) -> dict[str, Any]:
    """The answer to one row: the prediction, and by label the probabilities."""
    if served.texts:
        rows_of(served, [row])
    with told_by_row():
        answer = {PREDICTION: json_value(served.model.predict_row(row))}
        if probabilities:
            values = served.model.predict_proba_row(row)
            answer["probabilities"] = _by_label(served, _flat(values))
    answer["record"] = served.reference
    return answer


def answer_rows(served: ServedModel, rows: Any, *, probabilities: bool, context: Any = None) -> dict[str, Any]:
    """The answers to rows, in their order; `context` are the rows just before them."""
    table = predicted(served, rows_of(served, rows), probabilities=probabilities, context=context)
    names = [name for name in table.column_names if name.partition("[")[0] == PREDICTION]
    columns = [json_values(table[name]) for name in names]
    answer: dict[str, Any] = {
        "predictions": columns[0] if names == [PREDICTION] else list(map(list, zip(*columns, strict=True)))
    }
    if probabilities:
        columns = [json_values(table[name]) for name in served.probabilities]
        answer["probabilities"] = [_by_label(served, row) for row in zip(*columns, strict=True)]
    answer["record"] = served.reference
    return answer


def predicted(served: ServedModel, rows: Any, *, probabilities: bool, context: Any = None) -> pa.Table:
    """The outputs for rows. Raises HttpError for those that are refused."""
    if probabilities and not served.probabilities:
        raise HttpError(400, f"found probabilities asked of {served.name}, expected a classifier that gives them")
    kinds = (PREDICTION, PROBABILITY) if probabilities else (PREDICTION,)
    with told_by_row():
        if isinstance(rows, list) and not rows:
            rows = pa.table({column.name: pa.nulls(0) for column in served.row.columns})
        return served.model.predict_table(rows, outputs=kinds, context=context)


def json_value(value: Any) -> Any:
    """An output of one row as JSON has it: what is not finite is null, a tuple a list."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple):
        return list(map(json_value, value))
    return value.isoformat() if isinstance(value, date | datetime) else value


def json_values(column: Any) -> list[Any]:
    """A column of outputs as JSON has them."""
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(column.type):
        return [value if value is not None and math.isfinite(value) else None for value in values]
    return values


def _by_label(served: ServedModel, values: Sequence[Any]) -> dict[str, Any]:
    """Probabilities by their labels, as the output names have them: `probability[LABEL]`."""
    labels = (name.partition("[")[2][:-1] for name in served.probabilities)
    return dict(zip(labels, map(json_value, values), strict=True))


def _flat(values: Sequence[Any]) -> list[Any]:
    return [each for value in values for each in (value if isinstance(value, tuple) else (value,))]


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def arrow_rows(body: bytes) -> pa.Table:
    """The rows of an Arrow IPC stream, checked before anything reads them. Raises HttpError."""
    try:
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            batches = []
            for batch in reader:
                batch.validate(full=True)
                batches.append(batch)
            return pa.Table.from_batches(batches, reader.schema)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise HttpError(400, f"found no Arrow stream that can be read ({type(error).__name__}), expected one") from None


def arrow_body(table: pa.Table, served: ServedModel) -> bytes:
    """A table as an Arrow IPC stream that names the record."""
    metadata = {"pipeline_lib.record": served.reference, "pipeline_lib.digest": served.digest}
    sink = pa.BufferOutputStream()
    described = table.replace_schema_metadata(metadata)
    with pa.ipc.new_stream(sink, described.schema) as stream:
        stream.write_table(described)
    return bytes(sink.getvalue())


def is_mapping_with(value: Any, *keys: str) -> bool:
    """Whether a value is an object with these keys."""
    return isinstance(value, Mapping) and all(key in value for key in keys)
