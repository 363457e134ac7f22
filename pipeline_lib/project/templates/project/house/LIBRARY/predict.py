"""Predict raw rows with an artifact, where only the production requirements are installed.

    python -m LIBRARY.predict runs/NAME/ID/artifact < rows.jsonl

reads one JSON object a line and writes one prediction a line, both UTF-8. A date is ISO text, such as
"2026-11-23T08:30:00", since JSON has no dates. A row that does not fit is refused: the exit code is 2, and the message
names the line.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pipeline_lib


def predictions(artifact: str, lines: Iterable[str]) -> Iterator[Any]:
    """One prediction for each line that holds a row. Raises InputError for a row that does not fit."""
    model = pipeline_lib.load_model(artifact, library="LIBRARY")
    readers = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
    dates = {column.name: readers[column.kind] for column in model.row.columns if column.kind in readers}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = model.predict_row(read_row(line, dates))
        except pipeline_lib.InputError as error:
            raise pipeline_lib.InputError(f"line {number}: {error}") from error
        yield value.item() if hasattr(value, "item") else value


def read_row(line: str, dates: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """The row that a line holds; `dates` read ISO text by column. Raises InputError for other than a JSON object."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise pipeline_lib.InputError(f"found no JSON ({error}), expected a row as an object; correct it") from error
    if not isinstance(row, dict):
        raise pipeline_lib.InputError(f"found {type(row).__name__}, expected a row as an object; correct it")
    for name, read in dates.items():
        if isinstance(row.get(name), str):
            try:
                row[name] = read(row[name])
            except ValueError:
                raise pipeline_lib.InputError(
                    f"{name}: found {row[name]!r}, expected a date such as 2026-11-23T08:30:00; correct it"
                ) from None
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
