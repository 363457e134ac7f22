"""Logged answers counted for comparison with training: the rows and the answers as they were given."""

from pathlib import Path

import pyarrow as pa

from pipeline_lib.answers.log_format import DESCRIPTION, OUTPUTS, ROW, logs_in
from pipeline_lib.errors import InputError
from pipeline_lib.watching.accumulator import Accumulator


def is_log(folder: Path) -> bool:
    """Whether a folder holds logs of answers."""
    return (folder / DESCRIPTION).is_file() or next(folder.glob(f"*/*/{DESCRIPTION}"), None) is not None


def count_log(folder: Path, reference: str, accumulator: Accumulator) -> None:
    """Count what a record has answered. Raises InputError where it has answered nothing in the folder."""
    logs = logs_in(folder)
    own = [log for log in logs if log.reference == reference]
    if not own:
        found = ", ".join(sorted({log.reference for log in logs}))
        raise InputError(f"{folder}: found answers of {found}, expected those of {reference}; name one of the former")
    for log in own:
        for table in log.tables():
            if log.row is None:
                accumulator.rows += table.num_rows
            else:
                accumulator.add_rows(pa.Table.from_struct_array(table[ROW].combine_chunks()))
            accumulator.add_outputs(pa.Table.from_struct_array(table[OUTPUTS].combine_chunks()))
