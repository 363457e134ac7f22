"""The first draft of a `Row`: its source text from a raw DataFrame."""

import math
import re
from itertools import product
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform, is_dataframe
from pipeline_lib.rows.conform_values import value_kind
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.field_names import field_names, quoted

if TYPE_CHECKING:
    import pandas as pd

_TYPE_NAMES = {
    "integer": "int",
    "number": "float",
    "string": "str",
    "boolean": "bool",
    "datetime": "datetime",
    "date": "date",
}
_MIN_NUMBERED = 8  # columns that differ in a number only: fewer are easier to read as a field each


class SourceText(str):
    """Source text whose repr is the text itself, so that a notebook shows it ready to copy."""

    __slots__ = ()

    def __repr__(self) -> str:
        """The text itself."""
        return str(self)


def draft_row(frame: "pd.DataFrame", target: str | None = None) -> SourceText:
    """Return the source of a first `Row` for a raw DataFrame: one typed field per column except `target`.

    Columns hold integers, floats, text, booleans, datetimes without a zone, or dates, also as category, object or
    Arrow dtypes. A column with missing values becomes `| None`. Many columns of one type that differ in a number only,
    such as pixels, become one line. The draft accepts every row of the frame; add ranges and allowed values yourself.
    `Field` is imported for them, and for the `Params` of a new pipeline, below the cell that the draft replaces.

    Raises `InputError` for anything but a DataFrame with columns of distinct text names, and naming every column whose
    type a `Row` cannot declare.

        >>> import pandas as pd
        >>> from pipeline_lib import draft_row
        >>> frame = pd.DataFrame({"Lot.Area": [9600.0, 8450.5], "zone": ["RL", None], "price": [208, 223]})
        >>> draft_row(frame, target="price")
        from pydantic import BaseModel, Field
        <BLANKLINE>
        <BLANKLINE>
        class Row(BaseModel):
            \"\"\"One raw row, without the target price.\"\"\"
        <BLANKLINE>
            lot_area: float = Field(alias="Lot.Area")
            zone: str | None
        <BLANKLINE>
    """
    names = _draft_names(frame, target)
    columns, problems = [], []
    for name in names:
        try:
            columns.append(_draft_column(frame[name], name))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    conform(frame, RowSchema(tuple(columns)))
    numbered = _numbered_names(columns)
    if numbered:
        type_name = _TYPE_NAMES[columns[0].kind] + " | None" * columns[0].nullable
        row = f'Row = create_model("Row", **dict.fromkeys(COLUMNS, ({type_name}, ...)))'
        return SourceText("\n".join(["from pydantic import Field, create_model", "", f"COLUMNS = {numbered}", row, ""]))
    fields = [_draft_field(c, name) for c, name in zip(columns, field_names(names, _TYPE_NAMES.values()), strict=True)]
    dates = sorted({c.kind for c in columns} & {"date", "datetime"})
    lines = [f"from datetime import {', '.join(dates)}", ""] if dates else []
    docstring = f"One raw row, without the target {quoted(target)[1:-1]}." if target else "One raw row."
    lines += ["from pydantic import BaseModel, Field", "", "", "class Row(BaseModel):", f'    """{docstring}"""', ""]
    return SourceText("\n".join([*lines, *fields, ""]))


def _draft_names(frame: Any, target: str | None) -> list[str]:
    if not is_dataframe(frame):
        raise InputError(f"found {type(frame).__name__}, expected a pandas DataFrame of raw rows")
    names = list(frame.columns)
    wrong = [repr(name) for name in names if not isinstance(name, str)]
    if wrong:
        raise InputError(f"found column names {', '.join(wrong)}, expected text: rename the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"found columns {', '.join(map(repr, twice))} twice, expected every name once")
    if target is not None and target not in names:
        raise InputError(f"found no target column {target!r}, expected one of {', '.join(names)}")
    names = [name for name in names if name != target]
    if not names:
        raise InputError("found a frame without columns, expected raw rows")
    return names


def _draft_column(series: Any, name: str) -> Column:
    dtype = getattr(series.dtype, "categories", series).dtype  # a category counts as its values
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
    kind = kinds.get(dtype.kind)
    if str(dtype).startswith("datetime64") and getattr(dtype, "tz", None) is None:
        kind = "datetime"
    elif str(dtype) in ("str", "string"):
        kind = "string"
    elif dtype.kind == "O":
        kind = _object_kind(series, name)
    if kind is None:
        raise InputError(f"{name}: found dtype {dtype}, expected {', '.join(_TYPE_NAMES.values())}: convert the column")
    return Column(name, kind, nullable=bool(series.isna().any()))


def _numbered_names(columns: list[Column]) -> str:
    """A list comprehension that gives the columns' names; "" where they differ in more than consecutive numbers."""
    names = [column.name for column in columns]
    parts = [re.split("([0-9]+)", name) for name in names]
    stems = {(column.kind, column.nullable, *part[::2]) for column, part in zip(columns, parts, strict=True)}
    if len(names) < _MIN_NUMBERED or len(stems) > 1 or columns[0].kind in ("date", "datetime"):
        return ""
    if field_names(names, _TYPE_NAMES.values()) != names:
        return ""
    axes = zip(*(map(int, part[1::2]) for part in parts), strict=True)
    ranges = {chr(ord("a") + number): range(min(axis), max(axis) + 1) for number, axis in enumerate(axes)}
    if math.prod(map(len, ranges.values())) != len(names):
        return ""
    template = (
        "".join(f"{stem}{{{letter}}}" for stem, letter in zip(parts[0][::2], ranges, strict=False)) + parts[0][-1]
    )
    result = [template.format(**dict(zip(ranges, numbers, strict=True))) for numbers in product(*ranges.values())]
    loops = [f"for {letter} in {counts}".replace("(0, ", "(") for letter, counts in ranges.items()]
    return f'[f"{template}" {" ".join(loops)}]' if result == names else ""


def _object_kind(series: Any, name: str) -> str:
    types = sorted({type(value) for value in series[series.notna()]}, key=lambda kind: kind.__name__)
    kinds = {value_kind(kind) for kind in types}
    if kinds == {"integer", "number"}:
        return "number"
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None:
        found = f"types {', '.join(kind.__name__ for kind in types)}" if types else "no value that is not missing"
        raise InputError(f"{name}: found {found}, expected values of one type; convert or drop the column")
    return kind


def _draft_field(column: Column, name: str) -> str:
    optional = " | None" if column.nullable else ""
    alias = f" = Field(alias={quoted(column.name)})" if name != column.name else ""
    return f"    {name}: {_TYPE_NAMES[column.kind]}{optional}{alias}"
