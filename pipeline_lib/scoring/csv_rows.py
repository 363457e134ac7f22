"""CSV: every field as text, in blocks; a field that holds nothing is missing, and "" is the empty text.

Arrow splits the fields. What it cannot split is looked for once more with Python's reader, which knows the line.
"""

import codecs
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline_lib.errors import InputError
from pipeline_lib.scoring.input_files import InputFile

_CHUNK = 1 << 20
"""Bytes that Arrow splits at a time; a single row must fit."""
_LONGEST_ROW = 1 << 30
_TAIL = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
_IN_A_SHELL = {"\t": r"$'\t'"}


@dataclass(frozen=True)
class TextOptions:
    """How a text file is written: its encoding, the character between fields, texts that mean missing.

    Raises InputError for a delimiter that is no character between fields.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = self.delimiter
        if given is not None and (len(given) != 1 or not given.isascii() or given in '"\r\n\0'):
            raise InputError(
                f"--delimiter: found {given!r}, expected one ASCII character such as ';'; a tab is written $'\\t' in a "
                "shell"
            )


def csv_tables(file: InputFile, options: TextOptions, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of a file as tables of text, the first without rows; at least these columns, if some are given.

    Raises InputError, with file and line, for what is no CSV.
    """
    delimiter = options.delimiter or file.delimiter
    chunk = _CHUNK
    _check_header(file, options, delimiter, columns or ())
    given = 0
    while True:
        read = 0
        try:
            for batch in _batches(file, options, delimiter, columns, chunk):
                read += batch.num_rows
                if read >= given:
                    yield pa.Table.from_batches([batch.slice(batch.num_rows - (read - given))])
                    given = read
        except pa.ArrowInvalid as error:
            if "straddl" in str(error) and chunk < _LONGEST_ROW:
                chunk *= 16  # a row longer than a chunk
                continue
            raise _refusal(file, options, delimiter, error) from error
        except UnicodeError as error:
            raise _refusal(file, options, delimiter, error) from error
        return


def line_of(file: InputFile, options: TextOptions, row: int) -> int:
    """The line at which a row begins, from 1; rows count from 0, after the header."""
    number, line = -1, 1
    with closing(_text(file, options)) as text, _any_length():
        reader = csv.reader(text, delimiter=options.delimiter or file.delimiter)
        header: list[str] = []
        for fields in reader:
            header = header or fields
            if fields or len(header) == 1:  # of several columns an empty line is no row
                if number == row:
                    return line
                number += 1
            line = reader.line_num + 1
    return line


def _batches(
    file: InputFile, options: TextOptions, delimiter: str, columns: Sequence[str] | None, chunk: int
) -> Iterator[pa.RecordBatch]:
    header = _header(file, options, delimiter)
    names = [name for name in header if columns is None or name in columns or name == header[-1]]
    yield pa.RecordBatch.from_arrays([pa.nulls(0, pa.string()) for _ in names], names)
    with closing(_Tail(file.open())) as stream:
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(block_size=chunk, encoding=options.encoding),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(header) > 1
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=names,
                null_values=["", *options.missing],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        batch = None
        with closing(reader):
            for batch in reader:
                yield batch
        if batch and not _is_end(batch.column(len(names) - 1)[-1].as_py(), stream.tail, options, delimiter):
            _check_quotes(file, options, delimiter)


class _Tail:
    """A file that Arrow reads, which keeps its last bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.tail = b""
        self.closed = False

    def read(self, size: int) -> bytes:
        """The next bytes."""
        content: bytes = self._stream.read(size)
        self.tail = (self.tail if len(content) < _TAIL else b"")[-_TAIL:] + content[-_TAIL:]
        return content

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self.closed = True


def _is_end(last: str | None, tail: bytes, options: TextOptions, delimiter: str) -> bool:
    """Whether a file with this tail can end with a last field of this value; Arrow closes quotes that are left open."""
    text = tail.decode(options.encoding, "ignore").rstrip("\r\n")
    if last is None:
        return True
    quoted = '"' + last.replace('"', '""') + '"'
    return any(text.endswith(f"{before}{field}") for before in (delimiter, "\n", "\r") for field in (last, quoted))


def _check_quotes(file: InputFile, options: TextOptions, delimiter: str) -> None:
    """Raise InputError where the last quotes are never closed: rows would be lost in one field."""
    try:
        with closing(_text(file, options)) as text, _any_length():
            for _ in csv.reader(text, delimiter=delimiter, strict=True):
                pass
    except (csv.Error, UnicodeError) as error:
        raise _refusal(file, options, delimiter, error) from error


def _text(file: InputFile, options: TextOptions) -> io.TextIOWrapper:
    encoding = "utf-8-sig" if options.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else options.encoding
    stream = file.open()
    return io.TextIOWrapper(io.BufferedReader(stream), encoding=encoding, newline="")


@contextmanager
def _any_length() -> Iterator[None]:
    """Inside this context Python's reader takes fields of any length."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _header(file: InputFile, options: TextOptions, delimiter: str) -> Sequence[str]:
    with closing(_text(file, options)) as text, _any_length():
        return next(csv.reader(text, delimiter=delimiter, strict=True), [])


def _check_header(file: InputFile, options: TextOptions, delimiter: str, columns: Sequence[str]) -> None:
    """Refuse a file without a first line of names, each once, and one whose names have another delimiter."""
    try:
        names = _header(file, options, delimiter)
    except (csv.Error, UnicodeError, LookupError, pa.ArrowException, OSError) as error:
        raise _refusal(file, options, delimiter, error) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names:
        raise InputError(f"{file.shown}: found an empty file, expected a first line with the columns' names")
    if twice:
        raise InputError(
            f"{file.shown}: line 1: found {', '.join(map(repr, twice))} more than once, expected each name once; rename"
        )
    for other in _DELIMITERS:
        if len(names) == 1 and names[0] not in columns and not set(names[0].split(other)).isdisjoint(columns):
            raise InputError(
                f"{file.shown}: line 1: found columns with {other!r} between, expected {delimiter!r}; --delimiter "
                f"{_IN_A_SHELL.get(other, repr(other))}"
            )


def _refusal(file: InputFile, options: TextOptions, delimiter: str, error: Exception) -> InputError:
    """What is wrong with a file that Arrow could not read, with the line where Python finds it."""
    expected = "rows of as many fields as the first line"
    line, fields = 0, 0
    try:
        with closing(_text(file, options)) as text, _any_length():
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            for row in reader:
                fields = fields or len(row)
                if row and len(row) != fields:
                    return InputError(
                        f"{file.shown}: line {line + 1}: found {len(row)} fields, expected {fields} as in the first "
                        "line; put quotes around a field with the delimiter in it, or say --delimiter"
                    )
                line = reader.line_num
    except UnicodeError as problem:
        return InputError(
            f"{file.shown}: line {_line_of_bytes(file, options)}: found bytes that are not {options.encoding} "
            f"({problem.reason if isinstance(problem, UnicodeDecodeError) else problem}), expected text in it; say "
            "--encoding, such as cp1252 or latin-1"
        )
    except LookupError as problem:
        return InputError(f"{file.shown}: found {problem}, expected an encoding that Python knows; correct --encoding")
    except csv.Error as problem:
        return InputError(
            f"{file.shown}: line {line + 1}: found {problem}, expected {expected}; correct it there, or say --delimiter"
        )
    except (OSError, EOFError) as problem:
        return InputError(f"{file.shown}: found {problem}, expected a whole file; copy it again")
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{file.shown}: found {first}, expected {expected}; correct it there")


def _line_of_bytes(file: InputFile, options: TextOptions) -> int:
    """The first line that cannot be decoded."""
    line = 1
    with suppress(OSError), closing(io.BufferedReader(file.open())) as stream:
        decoder = codecs.getincrementaldecoder(options.encoding)()
        for line, content in enumerate(stream, 1):
            try:
                decoder.decode(content)
            except UnicodeError:
                return line
    return line
