"""Deliveries through files. A careful writer keeps every bit; the lossy ones are named after the call that loses."""

import csv
import io
import json
import warnings
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver, of_each_table, one_part

if TYPE_CHECKING:
    import pandas as pd


@of_each_table
def parquet(rows: RowsToDeliver) -> Delivery:
    """Parquet, written and read by Arrow."""
    pq.write_table(rows.table, rows.folder / "rows.parquet")
    return one_part(rows, pq.read_table(rows.folder / "rows.parquet"))


@of_each_table
def parquet_by_pandas(rows: RowsToDeliver) -> Delivery:
    """Parquet, written and read by pandas."""
    import pandas as pd

    rows.frame.to_parquet(rows.folder / "rows.parquet")
    return one_part(rows, pd.read_parquet(rows.folder / "rows.parquet"))


@of_each_table
def feather(rows: RowsToDeliver) -> Delivery:
    """Feather (Arrow IPC), written and read by Arrow."""
    from pyarrow import feather as file

    file.write_feather(rows.table, rows.folder / "rows.feather")
    return one_part(rows, file.read_table(rows.folder / "rows.feather"))


@of_each_table
def csv_by_schema(rows: RowsToDeliver) -> Delivery:
    """CSV: shortest exact floats, ISO dates, a mark for missing values that no text equals; read by Row's kinds."""
    mark, path = _missing_mark(rows), rows.folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(rows.table.column_names)
        for row in rows.table.to_pylist():
            writer.writerow([mark if value is None else _as_text(value) for value in row.values()])
    kinds = {column.name: column.kind for column in rows.schema.columns}
    with path.open(newline="", encoding="utf-8") as stream:
        parsed = [
            {name: None if text == mark else READ[kinds[name]](text) for name, text in row.items()}
            for row in csv.DictReader(stream)
        ]
    return one_part(rows, parsed)


@of_each_table
def csv_by_pandas(rows: RowsToDeliver) -> Delivery:
    """CSV by pandas: read as text, one mark for missing values, converted by Row's kinds."""
    mark, path = _missing_mark(rows), rows.folder / "rows.csv"
    rows.frame.to_csv(path, index=False, na_rep=mark, quoting=csv.QUOTE_NONNUMERIC)
    return one_part(rows, _read_csv(rows, path, mark))


@of_each_table
def json_lines(rows: RowsToDeliver) -> Delivery:
    """JSON lines: shortest exact floats, ISO dates, null for missing; read by Row's kinds."""
    path = rows.folder / "rows.jsonl"
    lines = [json.dumps(row, default=_as_text, ensure_ascii=False) for row in rows.table.to_pylist()]
    path.write_text("\n".join(lines), encoding="utf-8")
    dates = {column.name: READ[column.kind] for column in rows.schema.columns if column.kind in ("date", "datetime")}
    parsed = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for row in parsed:
        row |= {name: read(row[name]) for name, read in dates.items() if row[name] is not None}
    return one_part(rows, parsed)


@of_each_table
def frame_to_json(rows: RowsToDeliver) -> Delivery:
    """`DataFrame.to_json()` keeps ten decimals; `read_json` guesses dtypes and dates."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its defaults will change
        return one_part(rows, pd.read_json(io.StringIO(rows.frame.to_json())))


@of_each_table
def csv_float_format(rows: RowsToDeliver) -> Delivery:
    """`to_csv(float_format="%.6g")` keeps six digits."""
    mark, path = _missing_mark(rows), rows.folder / "rows.csv"
    rows.frame.to_csv(path, index=False, na_rep=mark, quoting=csv.QUOTE_NONNUMERIC, float_format="%.6g")
    return one_part(rows, _read_csv(rows, path, mark))


@of_each_table
def read_csv_defaults(rows: RowsToDeliver) -> Delivery:
    """`read_csv()` reads texts such as 'None' and 'NA' as missing, and guesses dtypes."""
    import pandas as pd

    rows.frame.to_csv(rows.folder / "rows.csv", index=False)
    return one_part(rows, pd.read_csv(rows.folder / "rows.csv"))


@of_each_table
def float32(rows: RowsToDeliver) -> Delivery:
    """float32 columns keep seven digits."""
    kinds = [pa.float32() if pa.types.is_float64(field.type) else field.type for field in rows.table.schema]
    fields = [pa.field(name, kind) for name, kind in zip(rows.table.column_names, kinds, strict=True)]
    return one_part(rows, rows.table.cast(pa.schema(fields)))


def _as_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else repr(value)


READ: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "string": str,
    "boolean": {"True": True, "False": False}.__getitem__,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def _missing_mark(rows: RowsToDeliver) -> str:
    """A text that no value of the rows equals."""
    texts = {text for column in rows.table.columns if pa.types.is_string(column.type) for text in column.to_pylist()}
    mark = "\\N"
    while mark in texts:
        mark += "N"
    return mark


def _read_csv(rows: RowsToDeliver, path: Path, mark: str) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[mark])
    frame.columns = pd.Index([column.name for column in rows.schema.columns])  # pandas renames an empty one
    for column in rows.schema.columns:
        if column.kind != "string":
            read = _whole_number if column.kind == "integer" else READ[column.kind]
            values = [None if pd.isna(text) else read(text) for text in frame[column.name]]
            frame[column.name] = pd.Series(values, dtype=object, index=frame.index)
    return frame


def _whole_number(text: str) -> float | int:
    """An integer; pandas writes one as a float where the column has missing values."""
    return int(text) if text.lstrip("-").isdigit() else float(text)
