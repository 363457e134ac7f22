"""A log of answers on disk.

FOLDER/PIPELINE/RECORD/
  log.json               which record answers, the schema of the rows that are kept, what is left out
  TIME-PROCESS.arrows    an Arrow stream that a process still appends to, or was killed over
  TIME-PROCESS.parquet   a file that was full, or an hour old

A line of the log is a row and its answer: `id`, `time`, `row` (the raw columns that are read, without sensitive ones)
and `outputs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import read_json

FORMAT = 1
DESCRIPTION, OPEN, FULL = "log.json", ".arrows", ".parquet"
ID, TIME, ROW, OUTPUTS = "id", "time", "row", "outputs"


@dataclass(frozen=True)
class Log:
    """The answers of one record. `row` are the columns that are kept, None where rows are not kept at all.

    `left_out` are the sensitive columns that the model reads: without them no row can be repeated.
    """

    folder: Path
    reference: str
    digest: str
    row: RowSchema | None
    left_out: tuple[str, ...]

    @property
    def hindrance(self) -> str | None:
        """Why the rows cannot be repeated, None where they can be."""
        if self.left_out:
            return f"the sensitive columns {', '.join(self.left_out)} are left out"
        return "rows are not kept" if self.row is None else None

    def files(self) -> list[Path]:
        """The files, oldest first; of a stream that has become Parquet and is not removed yet, the Parquet file."""
        found = {path.stem: path for path in self.folder.glob(f"*{OPEN}")}
        found |= {path.stem: path for path in self.folder.glob(f"*{FULL}")}
        return [found[stem] for stem in sorted(found)]

    def tables(self) -> Iterator[pa.Table]:
        """What was logged, in parts; of a file that was cut off, all up to its last whole batch."""
        for path in self.files():
            if path.suffix == OPEN:
                try:
                    yield from (pa.Table.from_batches([batch]) for batch in whole_batches(path))
                    continue
                except FileNotFoundError:  # it has become Parquet meanwhile
                    path = path.with_suffix(FULL)
            try:
                with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
                    missing = parquet.metadata.num_rows
                    for batch in parquet.iter_batches():
                        batch.validate(full=True)
                        missing -= batch.num_rows
                        yield pa.Table.from_batches([batch])
                if missing:  # no checksum covers the head of a page
                    raise pa.ArrowInvalid(f"{missing:,} rows fewer than it says")
            except FileNotFoundError:  # removed meanwhile, as the log is full
                continue
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{path}: found {error}, expected a file of a log; move it away") from error


def whole_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a stream up to the last whole one."""
    with pa.OSFile(str(path), "rb") as stream:
        try:
            reader = pa_ipc.open_stream(stream)
            while True:
                batch = reader.read_next_batch()
                batch.validate(full=True)
                yield batch
        except (StopIteration, pa.ArrowInvalid, OSError):  # the end, or what a killed process has left of a batch
            return


def logs_in(folder: Path) -> list[Log]:
    """The logs in a folder: of one record, or of several below it. Raises InputError where there is none."""
    found = [read_log(path.parent) for path in sorted(folder.rglob(DESCRIPTION))]
    if not found:
        raise InputError(f"{folder}: found no log, expected the folder that `serve --log` names; correct the path")
    return found


def read_log(folder: Path) -> Log:
    """The log of one record."""
    values: Any = read_json(folder / DESCRIPTION, "move the folder away")
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise InputError(f"{folder / DESCRIPTION}: found format {found!r}, expected {FORMAT}; use a later version")
    try:
        row = RowSchema.from_json(values["row"]) if values["row"] is not None else None
        return Log(folder, values["record"], values["digest"], row, tuple(values["left_out"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / DESCRIPTION}: found {error!r}, expected a log; move the folder away") from error


def find_answer(folder: Path, answer: str) -> tuple[Log, dict[str, Any]]:
    """The line of an answer's ID. Raises InputError where no log in the folder has it."""
    logs = logs_in(folder)
    for log in logs:
        for table in log.tables():
            position = pc.index(table[ID], answer).as_py()
            if position >= 0:
                return log, table.slice(position, 1).to_pylist()[0]
    raise InputError(
        f"{folder}: found no answer {answer!r} in the logs of {', '.join(log.reference for log in logs)}, expected an "
        "ID as the server gave it; of many rows the ID has the row's number behind a slash"
    )
