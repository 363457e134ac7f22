"""Rows of a request in, answers out. Nothing of what was sent is in a message."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from pipeline_lib.compiled.operations.refusals import RefusedRowError
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform_errors import HIDDEN, Problem, RefusedColumnsError, expected_values
from pipeline_lib.scoring.json_rows import parse_json
from pipeline_lib.scoring.json_values import is_text, parse_texts
from pipeline_lib.serving.arrow_stream import MAX_ROWS, read_stream, unreadable_types
from pipeline_lib.serving.http import HttpError, Request
from pipeline_lib.serving.served_model import ServedModel

_VALUE = "a value"
_ANSWER = "answer"
_ZONE = re.compile(r", tz=[^\]]*")
_MOST_PROBLEMS = 100
"""At most so many problems, and so many row numbers of one, are told."""
_MOST_AROUND = 10_000
"""Objects and lists of a JSON body besides its rows, such as the columns of the Open Inference Protocol."""


def json_of(request: Request, body: bytes, *accepted: str) -> Any:
    """The value of a JSON body. Raises HttpError, which says where the fault is and not what was sent.

    `accepted` are the content types of other bodies that the route takes; with "" there may be none.
    """
    if request.content_type != "application/json" and ("" not in accepted or request.content_type):
        others = [kind for kind in accepted if kind]
        raise HttpError(415, f"found another content type, expected {' or '.join(['application/json', *others])}")
    if len(body) > MAX_ROWS and body.count(b"{") + body.count(b"[") > MAX_ROWS + _MOST_AROUND:
        raise HttpError(413, f"found more than {MAX_ROWS:,} rows, expected fewer; send them in parts")
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
        raise refusal(error.problems) from None
    except RefusedRowError as error:
        reason = _without_values(error.reason)
        problem = {"field": None, "rows": [error.row], "found": _VALUE, "expected": reason}
        raise HttpError(422, f"row {error.row}: {reason}", problems=[problem]) from None
    except InputError as error:
        raise HttpError(422, _without_values(str(error))) from None


def refusal(problems: Sequence[Problem]) -> HttpError:
    """The error of refused rows, with each problem as JSON values."""
    listed = [
        {
            "field": ": ".join(part for part in (problem.table, problem.column) if part) or None,
            "rows": None if problem.rows is None else list(problem.rows[:_MOST_PROBLEMS]),
            "found": _type_of(problem) or _VALUE,
            "expected": problem.expected,
        }
        for problem in problems[:_MOST_PROBLEMS]
    ]
    shown = (replace(problem, value="", type=_type_of(problem) or _VALUE, remedy="") for problem in problems)
    lines = [problem.text().removesuffix("; ") for problem in islice(shown, _MOST_PROBLEMS)]
    return HttpError(422, "\n".join(lines), problems=listed)


def _type_of(problem: Problem) -> str:
    """The type that was found; the name of a time zone is the client's own text."""
    return _ZONE.sub(", tz", problem.type)


def _without_values(message: str) -> str:
    return message.replace(HIDDEN, _VALUE)


def rows_of(served: ServedModel, rows: Any) -> list[dict[str, Any]]:
    """The rows of a request, its texts of dates as dates. Raises HttpError for what is no list of objects."""
    check_one_table(served)
    _check_rows(rows)
    return _parsed(rows, served.texts)


def check_one_table(served: ServedModel) -> None:
    """Raise HttpError for a model over several tables, whose rows only `/predict` takes."""
    if served.row.key is not None:
        names = ", ".join(table.name for table in served.row.tables)
        raise HttpError(400, f"found rows of one table, expected an object with the tables {names}, sent to /predict")


def tables_of(served: ServedModel, value: Any) -> dict[str, Any]:
    """The rows of several tables by their names; of the main table one as an object, or many. Raises HttpError."""
    names = [table.name for table in served.row.tables]
    if not is_mapping_with(value, *names):
        raise HttpError(400, f"found {_kind(value)}, expected an object with the tables {', '.join(names)}")
    tables = {}
    for table in served.row.tables:
        rows = value[table.name]
        one = isinstance(rows, dict) and table.name == served.row.name
        listed = [rows] if one else rows
        _check_rows(listed, f"{table.name}: ")
        parsed = _parsed(listed, tuple(filter(is_text, table.columns)), table.name)
        tables[table.name] = parsed[0] if one else parsed
    return tables


def _check_rows(rows: Any, where: str = "") -> None:
    if not isinstance(rows, list):
        raise HttpError(400, f"{where}found {_kind(rows)}, expected a list of rows, each an object")
    for number, row in enumerate(rows):
        if type(row) is not dict:
            raise HttpError(
                400, f"{where}found {_kind(row)} as row {number}, expected an object with a value for each column"
            )


def _parsed(rows: list[dict[str, Any]], texts: Sequence[Column], table: str = "") -> list[dict[str, Any]]:
    problems = parse_texts(rows, texts) if texts else ()
    if problems:
        raise refusal([replace(problem, table=table) for problem in problems])
    return rows


def answer_row(served: ServedModel, row: dict[str, Any], *, probabilities: bool) -> dict[str, Any]:
    """The answer to one row, or to a main row with its child rows: the prediction, and by label the probabilities."""
    if probabilities:
        _check_classifier(served)
    if served.observers:
        return _observed_row(served, row, probabilities=probabilities)
    with told_by_row():
        value = served.model.predict_row(row)
        values = _flat(served.model.predict_proba_row(row)) if probabilities else ()
    answer = {PREDICTION: json_value(value)}
    if probabilities:
        answer["probabilities"] = _by_label(served, values)
    answer["record"] = served.reference
    served.count_row(row, value, values)
    return answer


def _observed_row(served: ServedModel, row: dict[str, Any], *, probabilities: bool) -> dict[str, Any]:
    """The answer to one row that an observer sees, with its ID."""
    with told_by_row():
        value = served.model.predict_row(row)
        values = served.model.predict_proba_row(row) if probabilities else ()
    answer = {PREDICTION: json_value(value)}
    names = served.predictions
    outputs = dict(zip(names, value if isinstance(value, tuple) else (value,), strict=True))
    if probabilities:
        flat = _flat(values)
        answer["probabilities"] = _by_label(served, flat)
        outputs |= dict(zip(served.probabilities, flat, strict=True))
    answer["record"] = served.reference
    served.count_row(row, value, _flat(values))
    rows = [row] if served.row.key is None else row
    answer["id"] = served.observed(rows, pa.table({name: [each] for name, each in outputs.items()}))
    return answer


def answer_rows(served: ServedModel, rows: Any, *, probabilities: bool, context: Any = None) -> dict[str, Any]:
    """The answers to rows, in their order; `context` are the rows just before them."""
    table = predicted(served, rows, probabilities=probabilities, context=context)
    answer: dict[str, Any] = {"predictions": predictions_of(table)}
    if probabilities:
        columns = [json_values(table[name]) for name in served.probabilities]
        answer["probabilities"] = [_by_label(served, row) for row in zip(*columns, strict=True)]
    answer["record"] = served.reference
    if served.observers:
        answer["id"] = answer_headers(table)[0][1].decode()
    return answer


def predictions_of(table: pa.Table) -> list[Any]:
    """The prediction of each row as JSON has it; of several targets a list."""
    names = [name for name in table.column_names if name.partition("[")[0] == PREDICTION]
    columns = [json_values(table[name]) for name in names]
    return columns[0] if names == [PREDICTION] else list(map(list, zip(*columns, strict=True)))


def predicted(served: ServedModel, rows: Any, *, probabilities: bool, context: Any = None) -> pa.Table:
    """The outputs for rows. Raises HttpError for those that are refused."""
    if probabilities:
        _check_classifier(served)
    kinds = (PREDICTION, PROBABILITY) if probabilities else (PREDICTION,)
    if isinstance(rows, list) and not rows:
        rows = pa.table({column.name: pa.nulls(0) for column in served.row.columns})
    with told_by_row():
        if _is_one(served, rows) and context is None:
            table = _of_one_row(served, rows[0], probabilities=probabilities)
        else:
            table = served.model.predict_table(rows, outputs=kinds, context=context)
    served.count_rows(rows, table)
    answer = served.observed(rows, table)
    return table if answer is None else table.replace_schema_metadata({_ANSWER: answer})


def _is_one(served: ServedModel, rows: Any) -> bool:
    """Whether rows are a single one that needs no other: then it takes the short way, to the same bits."""
    return isinstance(rows, list) and len(rows) == 1 and served.row.key is None and not served.model.context


def _of_one_row(served: ServedModel, row: dict[str, Any], *, probabilities: bool) -> pa.Table:
    """The outputs of one row as a table."""
    value = served.model.predict_row(row)
    values = [*(value if isinstance(value, tuple) else (value,))]
    names = served.predictions
    if probabilities:
        values += _flat(served.model.predict_proba_row(row))
        names += served.probabilities
    types = served.output_schema
    return pa.table({name: pa.array([each], types.field(name).type) for name, each in zip(names, values, strict=True)})


def answer_headers(table: pa.Table) -> tuple[tuple[bytes, bytes], ...]:
    """The header with the ID under which an answer is logged; none where it is not."""
    answer = (table.schema.metadata or {}).get(_ANSWER.encode())
    return () if answer is None else ((b"x-answer-id", answer),)


def arrow_rows(served: ServedModel, body: bytes) -> pa.Table:
    """The rows of an Arrow IPC stream. Raises HttpError."""
    check_one_table(served)
    table = read_stream(body, served.row.names)
    problems = [
        Problem(name, None, "", found, expected_values(served.row.by_name[name]), "")
        for name, found in unreadable_types(table.schema)
    ]
    if problems:
        raise refusal(problems)
    return table


def _check_classifier(served: ServedModel) -> None:
    if not served.probabilities:
        raise HttpError(400, f"found probabilities asked of {served.name}, expected a classifier that gives them")


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


def is_mapping_with(value: Any, *keys: str) -> bool:
    """Whether a value is an object with these keys."""
    return isinstance(value, dict) and all(key in value for key in keys)
