"""Fitted tables joined to the rows by keys: `X.merge(self.table_, on="store", how="left")`, `X.join(table, on=...)`.

    X                    self.table_                 result
    store  units         store  mean  rows           store  units  mean  rows
    "a"    3             "a"    2.5   10             "a"    3      2.5   10
    "c"    1             "b"    7.0   4              "c"    1      NaN   NaN

A key is in the table once, so each row stays one row. A missing key finds a missing one of the table, as in pandas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.frames.assignment import numbered
from pipeline_lib.compiler.tracing.frames.builders import side_by_side
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, rule
from pipeline_lib.compiler.tracing.selection import Rows

_SHARED = ("left", "inner")


@dataclass(frozen=True)
class Keys:
    """The keys of a join: columns of the frame, and those of a fitted table, one list for each of its rows."""

    left: Sequence[Value]
    right: Sequence[Sequence[Any]]

    def looked_up(self, build: Builder, columns: Sequence[Any]) -> list[Value]:
        """Columns of the table by the frame's keys; missing where the table has no such key."""
        kinds = [_kind(column) for column in columns]
        values = [_scalars(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        if len(columns) == 1:
            return [self._table(build, values[0], kinds[0], None)]
        row = self._table(build, list(range(len(self.right))), "int64", len(self.right))
        return [build.choose(row, [*each, None], kind) for each, kind in zip(values, kinds, strict=True)]

    def _table(self, build: Builder, values: list[Any], gives: str, absent: Any) -> Value:
        if len(self.left) > 1:
            keys = [list(key) for key in self.right]
            return build.apply("lookup_rows", *self.left, keys=keys, values=values, gives=gives, unseen=absent)
        table = {key: value for (key,), value in zip(self.right, values, strict=True)}
        missing = table.pop(None, absent)
        return build.lookup(self.left[0], table, gives, missing=missing, unseen=absent)


def _kind(column: Any) -> str:
    """The dtype of a table's column in the plan."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf":
        return "float64"
    if kind in "Mm":
        return "datetime" if kind == "M" else "duration"
    if kind == "b" or not all(is_missing(each) or isinstance(each, str) for each in column):
        refuse(
            f"a table with column {column.name!r} of {'bools' if kind == 'b' else 'several kinds of values'}",
            "its dtype depends on whether each row finds its key",
            "cast it in `fit`: bools with astype(int), objects with astype(str)",
        )
    return "str"


def _scalars(column: Any, kind: str) -> list[Any]:
    if kind in ("datetime", "duration"):
        values = np.asarray(column, dtype="datetime64[us]" if kind == "datetime" else "timedelta64[us]")
        return [None if np.isnat(each) else int(each.astype(np.int64)) for each in values]
    if kind == "float64":
        return [None if is_missing(each) else float(each) for each in column.tolist()]
    return [None if is_missing(each) else each for each in column.tolist()]


def make_keys(left: Sequence[Value], right: pd.DataFrame) -> tuple[Keys, Any]:
    """The keys of a join, and which rows of the table can be found at all. `right` are the key columns of the table."""
    if right.duplicated().any():
        names = ", ".join(map(repr, right.columns))
        refuse(
            f"a table with the same key ({names}) in several rows",
            "each of them makes a row of its own, and production predicts each row that it gets",
            f"keep one in `fit`: table.drop_duplicates([{names}]), or groupby(...).agg(...)",
        )
    columns = [_keys_for(value, right.iloc[:, place]) for place, value in enumerate(left)]
    rows = list(zip(*columns, strict=True))
    kept = [index for index, row in enumerate(rows) if _NEVER not in row]
    return Keys(left, [list(rows[index]) for index in kept]), kept


_NEVER = object()


def _keys_for(value: Value, column: Any) -> list[Any]:
    """A key column of a table as keys of a column of the plan."""
    keys = column.tolist()
    if value.kind == "str":
        good = all(is_missing(key) or isinstance(key, str) for key in keys)
    elif value.kind in ("int64", "float64"):
        good = column.dtype.kind in "iuf"
    else:
        good = value.kind == "bool" and column.dtype.kind == "b"
    if not good:
        refuse(
            f"a {value.kind} column joined with keys of dtype {column.dtype}",
            "the recorder looks up text, numbers and bools of one kind",
            "cast both sides alike",
        )
    if value.kind == "int64":
        return [int(key) if not is_missing(key) and key == int(key) else _NEVER for key in keys]
    if value.kind == "float64":
        return [None if is_missing(key) else float(key) for key in keys]
    return [None if is_missing(key) else key for key in keys]


@rule("frame", "merge", raw=True)
def merge_method(call: Call, right: Any, *args: Any, **options: Any) -> Any:
    """The frame with the columns of a fitted table."""
    return _merge(call, call.owner, right, *args, **options)


@function("pandas.merge", raw=True)
def merge_function(call: Call, left: Any, right: Any, *args: Any, **options: Any) -> Any:
    """A frame with the columns of a fitted table."""
    return _merge(call, left, right, *args, **options)


def _merge(
    call: Call,
    left: Any,
    right: Any,
    how: str = "inner",
    on: Any = None,
    left_on: Any = None,
    right_on: Any = None,
    left_index: bool = False,
    right_index: bool = False,
    suffixes: Any = ("_x", "_y"),
    validate: Any = None,
) -> Any:
    if not isinstance(left, Recorded) or left._kind != "frame":
        refuse("a fitted table merged with the rows", "its rows come first", "write X.merge(table, how='left')")
    if left_index and right_index and how in _SHARED and isinstance(right, Recorded):
        return _beside(call, left, [right], {"how": how, "suffixes": suffixes}, merged=True)
    table = _table(right, "merge")
    if how != "left":
        refuse(f"merge(how={how!r})", "rows without a key are dropped, or rows are added", "write how='left'")
    if left_index or validate not in (None, "m:1", "many_to_one"):
        refuse("merge with these arguments", "the recorder has no rule for it", "write on='column', how='left'")
    left_names = _names(on if on is not None else left_on)
    right_names = _names(on if on is not None else right_on)
    if on is None and left_on is None and right_on is None and not right_index:
        left_names = right_names = [name for name in left._reals[0].columns if name in table.columns]
    right_keys = table.index.to_frame(index=False) if right_index else table[right_names]
    options = {"how": how, "on": on, "left_on": left_on, "right_on": right_on, "right_index": right_index}
    joined = {a for a, b in zip(left_names, right_names, strict=False) if a == b}
    return _joined(
        call,
        left,
        lambda frame: pd.merge(frame, table, suffixes=suffixes, **options),
        (left_names, right_keys),
        table[[name for name in table.columns if name not in joined]],
        left._rows if right_index else numbered(left._rows),
    )


def _table(right: Any, name: str) -> pd.DataFrame:
    if isinstance(right, pd.Series) and right.name is not None:
        return right.to_frame()
    if not isinstance(right, pd.DataFrame):
        found = right._title if isinstance(right, Recorded) else type(right).__name__
        refuse(
            f"{name} with a {found}",
            "a table is looked up only if it was fitted",
            "learn the table in `fit`, or write pd.concat([...], axis=1) for columns of the same rows",
        )
    return right


def _names(names: Any) -> list[Any]:
    return [] if names is None else list(names) if isinstance(names, list | tuple | pd.Index) else [names]


def _joined(call: Call, left: Recorded, real: Any, keys: Any, columns: pd.DataFrame, rows: Rows) -> Any:
    """A frame with columns of a table by its keys: names in the frame, and the table's key columns."""
    names, right_keys = keys

    def write(reals: list[Any]) -> list[Value]:
        labels = list(left._reals[0].columns)
        if len(set(labels)) < len(labels) or not names or len(names) != right_keys.shape[1]:
            refuse(f"{call.name} with these keys", "the recorder has no rule for it", PLAN)
        made, kept = make_keys([left._values[labels.index(name)] for name in names], right_keys)
        found = [columns.iloc[kept, place] for place in range(columns.shape[1])]
        return [*left._values, *(made.looked_up(call.build, found) if found else [])]

    return call.recording.perform(call.name, lambda number: real(left._reals[number]), write, rows)


@rule("frame", "join", raw=True)
def join(
    call: Call,
    other: Any,
    on: Any = None,
    how: str = "left",
    lsuffix: str = "",
    rsuffix: str = "",
    suffixes: Any = None,
) -> Any:
    """The frame with columns of the same rows, or with those of a fitted table, whose index is the key."""
    left = call.owner
    options: dict[str, Any] = {"how": how}
    options |= {"lsuffix": lsuffix, "rsuffix": rsuffix} if suffixes is None else {"suffixes": suffixes}
    others = other if isinstance(other, list) else [other]
    if on is None and how in _SHARED and all(isinstance(each, Recorded) for each in others):
        return _beside(call, left, others, options if not isinstance(other, list) else {})
    table = _table(other, "join")
    if how != "left" or on is None:
        refuse(
            "join by the labels of the rows" if on is None else f"join(how={how!r})",
            "production has other labels",
            "name the column with the keys: X.join(table, on='column')",
        )
    return _joined(
        call,
        left,
        lambda frame: frame.join(table, on=on, **options),
        (_names(on), table.index.to_frame(index=False)),
        table,
        left._rows,
    )


def _beside(call: Call, left: Recorded, others: list[Any], options: dict[str, Any], *, merged: bool = False) -> Any:
    """Frames of the same rows side by side, joined by their labels."""
    rows = side_by_side([left, *others], call.name)

    def real(number: int) -> Any:
        frame, parts = left._reals[number], of_shadow(others, number)
        if merged:
            return pd.merge(frame, parts[0], left_index=True, right_index=True, **options)
        return frame.join(parts if len(parts) > 1 else parts[0], **options)

    values = [value for part in (left, *others) for value in part._values]
    return call.recording.perform(call.name, real, lambda reals: values, rows)
