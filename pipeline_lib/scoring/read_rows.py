"""Raw rows of files in Python: read by `Row`, not by guess."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa


def read_rows(
    path: str | Path,
    row: RowSchema,
    *,
    format: str | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    missing: Sequence[str] = (),
) -> "pa.Table":
    """The raw rows of a file, a glob, a folder of files or an address, as a table that `predict` takes.

    `path` ends in .csv, .tsv, .jsonl, .parquet or .arrow (with .gz, .zst or .bz2 too), or `format` says which of csv,
    jsonl, parquet and arrow it is. `row` says which columns are read, and of which kind they are: `model.row`, or for
    those alone that the predictions need `model.row.keep(model.reads)`; of several tables, one of `model.row.tables`.
    Text stays text ("007", "None", "NA"); a field of a CSV that holds nothing is missing, `""` is the empty text, and
    the texts of `missing` are missing, too.

    Returns an Arrow table with exactly the columns of `row`. Raises InputError, with file and line, for values that
    `row` does not allow.

    >>> from pathlib import Path
    >>> from pipeline_lib import load_model, read_rows
    >>> model = load_model("runs/houses/ID/artifact")
    >>> _ = Path("rows.csv").write_text("size,rooms,built\\n100,6,1968\\n")
    >>> model.predict(read_rows("rows.csv", model.row))
    array([306.])
    """
    import pyarrow as pa

    from pipeline_lib.rows.conform import conform
    from pipeline_lib.rows.conform_errors import RefusedColumnsError
    from pipeline_lib.scoring.blocks import refused
    from pipeline_lib.scoring.csv_rows import TextOptions
    from pipeline_lib.scoring.input_files import input_files
    from pipeline_lib.scoring.read_blocks import read_blocks

    if row.children:
        names = ", ".join(table.name for table in row.tables)
        raise InputError(f"found a Row of the tables {names}, expected one of them; pass each of row.tables in turn")
    row = replace(row, key=None)  # the tables are matched when they are predicted
    tables = []
    options = TextOptions(encoding, delimiter, tuple(missing))
    for block in read_blocks(input_files(str(path), format), row, options=options):
        if block.problems:
            raise refused(block, block.problems)
        try:
            tables.append(conform(block.rows, row))
        except RefusedColumnsError as error:
            raise refused(block, error.problems) from error
    return pa.concat_tables(tables)
