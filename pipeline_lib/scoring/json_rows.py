"""JSON lines: an object a line. A value keeps its type; dates and times are text, as JSON has no others."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.scoring.input_files import InputFile


def json_rows(file: InputFile, rows: int) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """The rows of a file, so many at a time, each with its line from 1. Raises InputError, with the line."""
    try:
        with closing(io.BufferedReader(file.open())) as stream:
            numbered = ((line, content) for line, content in enumerate(stream, 1) if content.strip())
            while part := list(islice(numbered, rows)):
                yield [(line, _row(file, line, content)) for line, content in part]
    except OSError as error:
        raise InputError(f"{file.shown}: found {error}, expected a whole file; copy it again") from error


def _row(file: InputFile, line: int, content: bytes) -> dict[str, Any]:
    try:
        row = parse_json(content)
    except (ValueError, RecursionError) as error:
        found = "lists that are nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InputError(
            f"{file.shown}: line {line}: found {found}, expected one object in JSON a line; correct it there"
        ) from None
    if not isinstance(row, dict):
        raise InputError(
            f"{file.shown}: line {line}: found {type(row).__name__}, expected one object in JSON a line, such as "
            '{"size": 100.0}'
        )
    return row


def parse_json(content: bytes | str) -> Any:
    """The value of a JSON text in UTF-8, where each key stands once and numbers are finite. Raises ValueError."""
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} more than once")
    return values


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text}, which JSON does not have")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text if len(text) < 40 else 'a number'}, which is beyond 64 bits")
    return value
