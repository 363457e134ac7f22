"""How raw rows may reach production: in which number and order, in which form, through which file.

Each function takes the evidence's rows and gives them as production would hold them. A careful writer keeps every
bit; the lossy ones are known by the name of the call that loses.
"""

import csv
import io
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, split_tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Given:
    """The rows to hand over, what Row says of them, and a folder for files.

    Of several raw tables each row of `table` has its child rows as lists, as `conform` makes them. The
    first `earlier` rows are only there because the others need them: they are the context of the first.
    """

    table: pa.Table
    schema: RowSchema
    folder: Path
    earlier: int = 0

    @property
    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame; needs pandas."""
        from pipeline_lib.rows.frames import to_frame

        return to_frame(self.table)


@dataclass(frozen=True)
class Delivery:
    """Rows as they reach the model: parts as `predict` takes them, each with the places of its rows among the given.

    With `alone` each part is one row as a mapping, for `predict_row`.
    """

    parts: Sequence[tuple[Any, NDArray[np.int64]]]
    alone: bool = False


def of_each_table(deliver: Callable[[Given], Delivery]) -> Callable[[Given], Delivery]:
    """Make a hand-over of one whole table one of several: each by itself, all as a mapping by their names."""

    @wraps(deliver)
    def by_name(given: Given) -> Delivery:
        if given.schema.key is None:
            return deliver(given)
        data: dict[str, Any] = {}
        for part, table in zip(given.schema.tables, split_tables(given.table, given.schema).values(), strict=True):
            folder = given.folder / f"table {len(data)}"
            folder.mkdir()
            data[part.name] = deliver(Given(table, replace(part, key=None), folder)).parts[0][0]
        return _whole(given, data)

    return by_name


@of_each_table
def at_once(given: Given) -> Delivery:
    """All rows as one Arrow table."""
    return _whole(given, given.table)


def one_row(given: Given) -> Delivery:
    """Each row alone, as a table of one row."""
    return _batches(given, 1)


def batches_of_2(given: Given) -> Delivery:
    """Two rows at a time."""
    return _batches(given, 2)


def batches_of_3(given: Given) -> Delivery:
    """Three rows at a time."""
    return _batches(given, 3)


def batches_of_7(given: Given) -> Delivery:
    """Seven rows at a time."""
    return _batches(given, 7)


def batches_of_64(given: Given) -> Delivery:
    """Sixty-four rows at a time."""
    return _batches(given, 64)


def shuffled_rows(given: Given) -> Delivery:
    """All rows in another order; rows that need those before them, each alone."""
    order = np.random.default_rng(0).permutation(given.table.num_rows)
    if given.earlier:
        return Delivery([(given.table.slice(place, 1), np.array([place])) for place in order])
    return Delivery([(_parts(given, given.table.take(pa.array(order))), order)])


def shuffled_child_rows(given: Given) -> Delivery:
    """The rows of each child table in another order."""
    rng = np.random.default_rng(0)
    tables = split_tables(given.table, given.schema)
    orders = {child.name: rng.permutation(tables[child.name].num_rows) for child in given.schema.children}
    return _whole(given, tables | {name: tables[name].take(pa.array(order)) for name, order in orders.items()})


@of_each_table
def other_columns(given: Given) -> Delivery:
    """The columns in another order, among columns that nobody asked for."""
    names = np.random.default_rng(0).permutation(given.table.column_names).tolist()
    table = given.table.select(names)
    for place, kind in ((0, pa.float64()), (len(names) // 2, pa.string()), (len(names), pa.int64())):
        name = f"extra {place}"
        while name in names:
            name += "_"
        table = table.add_column(min(place, table.num_columns), name, pa.nulls(table.num_rows, kind))
    return _whole(given, table)


@of_each_table
def data_frame(given: Given) -> Delivery:
    """A DataFrame with the dtypes that research saw."""
    return _whole(given, given.frame)


def mappings(given: Given) -> Delivery:
    """Each row alone as a mapping."""
    rows = as_rows(given.table, given.schema)
    return Delivery([(row, np.array([place])) for place, row in enumerate(rows)], alone=True)


@of_each_table
def list_of_mappings(given: Given) -> Delivery:
    """All rows as a list of mappings."""
    return _whole(given, given.table.to_pylist())


@of_each_table
def parquet(given: Given) -> Delivery:
    """Parquet, written and read by Arrow."""
    pq.write_table(given.table, given.folder / "rows.parquet")
    return _whole(given, pq.read_table(given.folder / "rows.parquet"))


@of_each_table
def parquet_by_pandas(given: Given) -> Delivery:
    """Parquet, written and read by pandas."""
    import pandas as pd

    given.frame.to_parquet(given.folder / "rows.parquet")
    return _whole(given, pd.read_parquet(given.folder / "rows.parquet"))


@of_each_table
def feather(given: Given) -> Delivery:
    """Feather (Arrow IPC), written and read by Arrow."""
    from pyarrow import feather as file

    file.write_feather(given.table, given.folder / "rows.feather")
    return _whole(given, file.read_table(given.folder / "rows.feather"))


@of_each_table
def csv_by_schema(given: Given) -> Delivery:
    """CSV: shortest exact floats, ISO dates, a mark for missing that no text equals; read by Row's kinds."""
    mark, path = _missing_mark(given), given.folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(given.table.column_names)
        for row in given.table.to_pylist():
            writer.writerow([mark if value is None else _as_text(value) for value in row.values()])
    kinds = {column.name: column.kind for column in given.schema.columns}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = [
            {name: None if text == mark else READ[kinds[name]](text) for name, text in row.items()}
            for row in csv.DictReader(stream)
        ]
    return _whole(given, rows)


@of_each_table
def csv_by_pandas(given: Given) -> Delivery:
    """CSV by pandas: read as text, no values taken for missing but one mark, converted by Row's kinds."""
    mark, path = _missing_mark(given), given.folder / "rows.csv"
    given.frame.to_csv(path, index=False, na_rep=mark, quoting=csv.QUOTE_NONNUMERIC)
    return _whole(given, _read_csv(given, path, mark))


@of_each_table
def json_lines(given: Given) -> Delivery:
    """JSON lines: shortest exact floats, ISO dates, null for missing; read by Row's kinds."""
    path = given.folder / "rows.jsonl"
    lines = [json.dumps(row, default=_as_text, ensure_ascii=False) for row in given.table.to_pylist()]
    path.write_text("\n".join(lines), encoding="utf-8")
    dates = {column.name: READ[column.kind] for column in given.schema.columns if column.kind in ("date", "datetime")}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for row in rows:
        row |= {name: read(row[name]) for name, read in dates.items() if row[name] is not None}
    return _whole(given, rows)


@of_each_table
def frame_to_json(given: Given) -> Delivery:
    """`DataFrame.to_json()` keeps ten decimals; `read_json` guesses dtypes and dates."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its defaults will change
        return _whole(given, pd.read_json(io.StringIO(given.frame.to_json())))


@of_each_table
def csv_float_format(given: Given) -> Delivery:
    """`to_csv(float_format="%.6g")` keeps six digits."""
    mark, path = _missing_mark(given), given.folder / "rows.csv"
    given.frame.to_csv(path, index=False, na_rep=mark, quoting=csv.QUOTE_NONNUMERIC, float_format="%.6g")
    return _whole(given, _read_csv(given, path, mark))


@of_each_table
def read_csv_defaults(given: Given) -> Delivery:
    """`read_csv()` takes texts such as 'None' and 'NA' for missing, and guesses dtypes."""
    import pandas as pd

    given.frame.to_csv(given.folder / "rows.csv", index=False)
    return _whole(given, pd.read_csv(given.folder / "rows.csv"))


@of_each_table
def float32(given: Given) -> Delivery:
    """float32 columns keep seven digits."""
    kinds = [pa.float32() if pa.types.is_float64(field.type) else field.type for field in given.table.schema]
    fields = [pa.field(name, kind) for name, kind in zip(given.table.column_names, kinds, strict=True)]
    return _whole(given, given.table.cast(pa.schema(fields)))


def _batches(given: Given, size: int) -> Delivery:
    parts = [(given.table.slice(start, size), start) for start in range(0, given.table.num_rows, size)]
    return Delivery([(_parts(given, part), np.arange(start, start + part.num_rows)) for part, start in parts])


def _parts(given: Given, table: pa.Table) -> Any:
    """Some rows as production would hold them: of several tables each by its name."""
    return table if given.schema.key is None else split_tables(table, given.schema)


def _whole(given: Given, data: Any) -> Delivery:
    return Delivery([(data, np.arange(given.table.num_rows))])


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


def _missing_mark(given: Given) -> str:
    """A text that no value of the rows equals."""
    texts = {text for column in given.table.columns if pa.types.is_string(column.type) for text in column.to_pylist()}
    mark = "\\N"
    while mark in texts:
        mark += "N"
    return mark


def _read_csv(given: Given, path: Path, mark: str) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[mark])
    frame.columns = pd.Index([column.name for column in given.schema.columns])  # pandas renames an empty one
    for column in given.schema.columns:
        if column.kind != "string":
            read = _whole_number if column.kind == "integer" else READ[column.kind]
            values = [None if pd.isna(text) else read(text) for text in frame[column.name]]
            frame[column.name] = pd.Series(values, dtype=object, index=frame.index)
    return frame


def _whole_number(text: str) -> float | int:
    """An integer; pandas writes one as a float where the column has missing values."""
    return int(text) if text.lstrip("-").isdigit() else float(text)
