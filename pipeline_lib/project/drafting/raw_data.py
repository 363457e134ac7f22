"""Reading the first rows of a raw file as they are: CSV as text, the typed formats with their types."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pandas as pd

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.odd_values import csv_line
from pipeline_lib.project.drafting.text_format import FORMATS, TextFormat, fields_that_fit, opened, text_format

PROFILE_ROWS = 100_000
"""Of longer files only the first rows are profiled."""
PROFILE_CELLS = 20_000_000
_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
_ARROW = (".arrow", ".feather", ".ipc")
_EXCEL = (".xlsx", ".xlsm")
_NESTED = ("list", "struct", "map", "union", "binary", "time32", "time64", "duration", "interval", "extension")


@dataclass(frozen=True)
class RawData:
    """The rows that were read of a file; `whole` when these are all. A CSV's cells are text, missing ones too.

    `path` is that of a CSV file.
    """

    kind: str
    suffix: str
    frame: pd.DataFrame
    whole: bool = True
    text: TextFormat = field(default_factory=TextFormat)
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()
    unreadable: dict[str, str] = field(default_factory=dict)
    query: str = ""
    path: Path | None = None

    def place(self, position: int) -> str:
        """Where a row is, for a person who looks for it: by its line in a text file, by its number elsewhere."""
        if self.path is not None:
            return f"line {csv_line(self.path, self.text, position)}"
        return f"row {position + 2} of the sheet" if self.kind == "excel" else f"row {position + 1}"


def query_rows(frame: pd.DataFrame, query: str, shown: str, limit: int = PROFILE_ROWS) -> RawData:
    """The rows of a query, as `pipeline_lib.sql` returns them; raises InputError for none, and for equal names."""
    _check_names(frame.columns, shown)
    if frame.empty:
        raise InputError(f"{shown}: found no rows, expected some; correct the query")
    rows = _bounded(limit, len(frame.columns))
    return RawData("sql", ".parquet", frame.head(rows), len(frame) <= rows, query=query)


def read_raw(path: Path, shown: str, limit: int = PROFILE_ROWS) -> RawData:
    """Read a raw file, at most `limit` rows of it.

    Raises InputError for a file that cannot be read, of another format, without rows, or whose columns have no
    different names.
    """
    if path.is_dir():
        raise InputError(f"{shown}: found a folder, expected one file; name a file, or write one from the folder")
    if not path.is_file():
        raise InputError(f"{shown}: found no such file, expected raw data; check the path")
    name = path.name.lower()
    readers: dict[tuple[str, ...], Callable[[Path, str, int], RawData]] = {
        _TEXT: _read_csv,
        (".parquet", ".pq"): _read_parquet,
        _ARROW: _read_arrow,
        _EXCEL: _read_excel,
    }
    for suffixes, reader in readers.items():
        if name.endswith(suffixes):
            raw = reader(path, shown, limit)
            if raw.frame.empty:
                raise InputError(f"{shown}: found no rows, expected raw data below the header; write them into it")
            return raw
    raise InputError(f"{shown}: found the ending {path.suffix or 'none'!r}, expected {', '.join(_TEXT[:3])}, "
                     f".parquet, {', '.join(_ARROW[:2])} or .xlsx; {FORMATS}")  # fmt: skip


def _read_csv(path: Path, shown: str, limit: int) -> RawData:
    found = text_format(path, shown)
    header = _csv_header(path, shown, found)
    rows = _bounded(limit, len(header))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, sep=found.sep, encoding=found.encoding, skipinitialspace=found.skipinitialspace, dtype="str",
                keep_default_na=False, na_filter=False, nrows=rows + 1, index_col=False,
            )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, UnicodeError) as error:
        cause = " ".join(str(error).removeprefix("Error tokenizing data. C error: ").split())
        raise _no_rows_of(header, cause, shown, found) from error
    suffix = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:])
    return RawData("csv", suffix.removesuffix(".gz"), frame.head(rows), len(frame) <= rows, text=found, path=path)


def _csv_header(path: Path, shown: str, found: TextFormat) -> list[str]:
    """The header's names; refuses a header with fewer names than the rows have fields, and names that occur twice."""
    with (
        opened(path) as file,
        io.TextIOWrapper(file, encoding=found.encoding, newline="") as text,
        fields_that_fit(shown),
    ):
        reader = csv.reader(text, delimiter=found.sep)
        (_, header), *rows = [(reader.line_num, row) for row in islice(reader, 100) if row]
    longer = [(line, len(row)) for line, row in rows if len(row) > len(header)]
    if len(longer) > len(rows) / 2:
        raise InputError(
            f"{shown}: found {len(header)} names in the header and {max(fields for _, fields in longer)} fields in the "
            "rows, expected a name for each column; complete the header, or remove the lines above it"
        )
    if longer:  # pandas counts from the first row, so it takes this one for right where it is the first
        line, fields = longer[0]
        raise _no_rows_of(header, f"Expected {len(header)} fields in line {line}, saw {fields}", shown, found)
    if all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", name.strip()) for name in header):
        raise InputError(f"{shown}: found only numbers in the first line, expected names of columns; write a header")
    _check_names(header, shown)
    return header


def _no_rows_of(header: list[str], cause: str, shown: str, text: TextFormat) -> InputError:
    return InputError(
        f"{shown}: found lines that are no rows of the header ({cause}), expected as many fields in each as the "
        f"header has ({len(header)}, separated by {text.sep!r}); correct the line"
    )


def _read_parquet(path: Path, shown: str, limit: int) -> RawData:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        rows = _bounded(limit, len(names))
        _check_names(names, shown)
        unreadable = _unreadable(file.schema_arrow)
        kept = [name for name in names if name not in unreadable]
        total = file.metadata.num_rows
        batches = []
        for batch in file.iter_batches(batch_size=rows, columns=kept):
            batches.append(batch)
            if sum(map(len, batches)) >= rows:
                break
        schema = pa.schema([file.schema_arrow.field(name) for name in kept])
        table = pa.Table.from_batches(batches, schema=None if batches else schema).slice(0, rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{shown}: found no Parquet file ({error}), expected one; {FORMATS}") from error
    frame = table.to_pandas(ignore_metadata=True)
    return RawData("parquet", ".parquet", frame, total <= rows, unreadable=unreadable)


def _read_arrow(path: Path, shown: str, limit: int) -> RawData:
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(str(path))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{shown}: found no Arrow file ({error}), expected the file format of Arrow (Feather), not a stream; "
            "write it with pyarrow.feather.write_feather"
        ) from error
    rows = _bounded(limit, table.num_columns)
    _check_names(table.column_names, shown)
    unreadable = _unreadable(table.schema)
    kept = [name for name in table.column_names if name not in unreadable]
    frame = table.select(kept).slice(0, rows).to_pandas(ignore_metadata=True)
    return RawData("arrow", path.suffix.lower(), frame, table.num_rows <= rows, unreadable=unreadable)


def _read_excel(path: Path, shown: str, limit: int) -> RawData:
    import zipfile

    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            first = pd.read_excel(book, sheet_name=sheets[0], header=None, nrows=1, dtype=object, na_filter=False)
            if first.empty:
                raise InputError(f"{shown}: found nothing on the sheet {sheets[0]!r}, expected a header and rows")
            header = [str(name) for name in first.iloc[0]]
            rows = _bounded(limit, len(header))
            _check_names(header, shown)
            frame = pd.read_excel(book, sheet_name=sheets[0], dtype=object, na_filter=False, nrows=rows + 1)
    except ImportError as error:
        raise InputError(
            f"{shown}: found no package openpyxl, expected it to read Excel files; "
            "pip install 'nb-pipeline-lib[excel]', or save the sheet as CSV"
        ) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{shown}: found no Excel workbook ({error}), expected an .xlsx file; {FORMATS}") from error
    whole, frame = len(frame) <= rows, frame.rename(columns=str)
    return RawData("excel", ".xlsx", frame.head(rows), whole, sheet=sheets[0], other_sheets=tuple(sheets[1:]))


def _bounded(limit: int, columns: int) -> int:
    return max(min(limit, PROFILE_CELLS // max(columns, 1)), 1000)


def _check_names(names: Iterable[str], shown: str) -> None:
    known = [str(name).strip() for name in names]
    twice = sorted({name for name in known if name and known.count(name) > 1})
    if twice:
        raise InputError(
            f"{shown}: found the column {', '.join(map(repr, twice))} twice, expected different names; rename or "
            "remove one in the file"
        )


def _unreadable(schema: object) -> dict[str, str]:
    """Columns of an Arrow schema whose type no `Row` can declare, each with its type."""
    fields = {field.name: str(field.type) for field in schema}  # type: ignore[attr-defined]
    return {name: text for name, text in fields.items() if text.startswith(_NESTED) or "binary" in text}
