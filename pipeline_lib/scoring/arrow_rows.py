"""Parquet and Arrow: columns with types of their own."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pyarrow.ipc as pa_ipc

from pipeline_lib.errors import InputError
from pipeline_lib.scoring.input_files import PARQUET, InputFile

_MAGIC = b"ARROW1"
_BUFFER = 1 << 20
"""Bytes of a column that are read at a time: without it all row groups stay in memory to the end."""


def arrow_tables(
    file: InputFile, rows: int, columns: Sequence[str] | None, texts: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """The rows of a file, about so many at a time, the first without rows; of these columns alone, if some are given.

    The columns `texts` may come as their distinct texts, which saves half the time. Raises InputError for a file that
    is damaged or of another format.
    """
    try:
        yield from _parquet(file, rows, columns, texts) if file.format == PARQUET else _arrow(file, rows, columns)
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{file.shown}: found {first}, expected a whole file of {file.format}; write it again, or say --format"
        ) from error


def _parquet(file: InputFile, rows: int, columns: Sequence[str] | None, texts: Sequence[str]) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    with closing(file.open_plain()) as stream:
        metadata = pq.read_metadata(stream)
        schema = metadata.schema.to_arrow_schema()
        names = schema.names
        wanted = names if columns is None else [name for name in names if name in columns]
        _check_names(file, names)
        distinct = [field.name for field in schema if field.name in texts and _is_text(field.type)]
        parquet = pq.ParquetFile(stream, metadata=metadata, read_dictionary=distinct, buffer_size=_BUFFER)
        yield _selected(_empty(parquet.schema_arrow), columns)
        if wanted:
            batches = parquet.iter_batches(batch_size=rows, columns=wanted)
            yield from map(_checked, batches)
            return
        for group in range(parquet.num_row_groups):  # rows without columns: they are still counted
            yield _without_columns(parquet.metadata.row_group(group).num_rows)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _arrow(file: InputFile, rows: int, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    with closing(file.open()) as probe:
        is_file = probe.read(len(_MAGIC)) == _MAGIC
    if is_file and file.compression is None:
        with closing(file.open_plain()) as stream:
            reader = pa_ipc.open_file(stream)
            _check_names(file, reader.schema.names)
            yield _selected(_empty(reader.schema), columns)
            for number in range(reader.num_record_batches):
                yield _selected(_checked(reader.get_batch(number)), columns)
        return
    with closing(file.open()) as stream:
        streamed = pa_ipc.open_stream(stream)
        _check_names(file, streamed.schema.names)
        yield _selected(_empty(streamed.schema), columns)
        for batch in streamed:
            yield _selected(_checked(batch), columns)


def _empty(schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _checked(batch: pa.RecordBatch) -> pa.Table:
    batch.validate(full=True)  # offsets and codes of a damaged file would be read beyond the end
    return pa.Table.from_batches([batch])


def _selected(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    if columns is None:
        return table
    names = [name for name in table.column_names if name in columns]
    return table.select(names) if names else _without_columns(table.num_rows)


def _without_columns(rows: int) -> pa.Table:
    return pa.table({"": pa.nulls(rows)})


def _check_names(file: InputFile, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"{file.shown}: found the columns {', '.join(map(repr, twice))} more than once, expected each once; rename"
        )
