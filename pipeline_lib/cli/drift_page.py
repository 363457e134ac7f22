"""The page of a comparison with training, as the commands that count rows write it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.records.deployed import Deployed
    from pipeline_lib.watching.drift import Drift
    from pipeline_lib.watching.statistics import Statistics

_OF_ROWS = ("format", "delimiter", "encoding", "missing", "query", "param")
"""Options that say which rows are meant."""


def statistics_of(record: "Deployed") -> "Statistics":
    """The statistics of a record's training rows. Raises InputError for a record of an earlier version."""
    from pipeline_lib.watching.statistics import STATISTICS, read_statistics

    statistics = read_statistics(record.artifact)
    if statistics is None:
        raise InputError(
            f"{record.reference}: found no {STATISTICS} in its artifact, expected the statistics of its training rows, "
            f"which earlier versions did not keep; `pipeline-lib run {record.name}` makes a record with them"
        )
    return statistics


def check_page(record: "Deployed", file: str) -> None:
    """Raise InputError where the page could not be written after all the work."""
    statistics_of(record)
    check_folder(file)


def check_folder(file: str | None) -> None:
    """Raise InputError for a file in a folder that is not there."""
    if file is not None and not Path(file).absolute().parent.is_dir():
        raise InputError(f"{file}: found no folder {Path(file).absolute().parent}, expected one for the page; make it")


def look_command(ref: str, rows: str, options: Mapping[str, Any]) -> str:
    """The command that shows how the rows of `predict` have drifted."""
    words = ["pipeline-lib", "drift", ref, rows]
    for name in _OF_ROWS:
        value = options["input_format" if name == "format" else name]
        values = [value] if isinstance(value, str) else value or ()
        words += [word for each in values if (name, each) != ("encoding", "utf-8") for word in (f"--{name}", each)]
    return shlex.join([*words, "--html", "drift.html"])


def write_page(file: str | None, result: "Drift | None") -> Path | None:
    """Write the page of a comparison where a file is named, and return its path."""
    if file is None or result is None:
        return None
    from pipeline_lib.watching.page import write_drift_page

    path = Path(file).absolute()
    write_drift_page(path, result)
    return path
