"""Predict raw rows with an artifact, where only the production requirements are installed.

    python -m LIBRARY.predict runs/NAME/ID/artifact < rows.jsonl

reads one JSON object a line and writes one prediction a line, both UTF-8. A row that does not fit is refused: the exit
code is 2, and the message names the line.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pipeline_lib


def predictions(artifact: str, lines: Iterable[str]) -> Iterator[Any]:
    """One prediction for each line that holds a row. Raises InputError for a row that does not fit."""
    model = pipeline_lib.load_model(artifact, library="LIBRARY")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = model.predict_row(read_row(line))
        except pipeline_lib.InputError as error:
            raise pipeline_lib.InputError(f"line {number}: {error}") from error
        yield value.item() if hasattr(value, "item") else value


def read_row(line: str) -> dict[str, Any]:
    """The row that a line holds. Raises InputError for anything but a JSON object."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise pipeline_lib.InputError(f"found no JSON ({error}), expected a row as an object; correct it") from error
    if not isinstance(row, dict):
        raise pipeline_lib.InputError(f"found {type(row).__name__}, expected a row as an object; correct it")
    return row


def main() -> None:
    """Predict the rows on standard input with the artifact that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m LIBRARY.predict ARTIFACT < ROWS.jsonl")
    try:
        for value in predictions(sys.argv[1], sys.stdin):
            sys.stdout.write(f"{json.dumps(value)}\n")
    except pipeline_lib.PipelineLibError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
