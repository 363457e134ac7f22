"""`loc` and `iloc` of frames and series: columns by name or position, rows by a condition or by an index."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.array import is_view
from pipeline_lib.compiler.tracing.frames.assignment import (
    ROWS,
    assign_series,
    condition_rows,
    given_dtypes,
    index_mask,
    masked_value,
    put,
    set_columns,
)
from pipeline_lib.compiler.tracing.frames.structure import chosen, refuse_recorded
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.errors import InputError

_ALL = slice(None)


class Location:
    """`frame.loc` or `frame.iloc`, before it is indexed."""

    def __init__(self, owner: Recorded, name: str) -> None:
        self._owner = owner
        self._name = name

    def __getitem__(self, key: Any) -> Any:
        owner, name = self._owner, self._name
        try:
            rows, columns = self._parts(unwrap(key))
            chosen_rows = owner._rows if rows is None else condition_rows(owner, rows)
        except InputError as error:
            owner._recording.refused(error)

        def choose_columns(frame: Any) -> Any:
            return getattr(frame, name)[:, columns]

        def write(reals: list[Any]) -> list[Value]:
            whole = columns is _ALL or owner._kind == "series"
            return list(owner._values) if whole else chosen(owner, f"{owner._title}.{name}", choose_columns)

        return owner._recording.perform(
            f"{owner._title}.{name}",
            lambda number: getattr(owner._reals[number], name)[self._index(rows, columns, number)],
            write,
            chosen_rows,
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        owner, value = self._owner, unwrap(value)
        try:
            rows, columns = self._parts(unwrap(key))
        except InputError as error:
            owner._recording.refused(error)
        if owner._kind == "series" and rows is not None:
            assign_series(owner, rows, value)
            return
        self._assign(rows, columns, value)

    def _parts(self, key: Any) -> tuple[Recorded | None, Any]:
        """The condition of rows (None for all rows) and the columns of an index."""
        owner = self._owner
        rows, columns = key if isinstance(key, tuple) and len(key) == 2 else (key, _ALL)
        if callable(rows) and not isinstance(rows, Recorded):
            rows = unwrap(rows(owner))
        refuse_recorded(f"{self._name}[...]", columns)
        if isinstance(columns, slice) and columns == _ALL:
            columns = _ALL
        if rows is Ellipsis or (isinstance(rows, slice) and rows == _ALL):
            return None, columns
        if isinstance(rows, Recorded) and rows._kind == "index" and self._name == "loc":
            return index_mask(owner, rows), columns
        if not isinstance(rows, Recorded) or rows._kind not in ("series", "array"):
            refuse(f"a row taken by {self._name}[{_shown(rows)}]", *ROWS)
        return rows, columns

    def _index(self, rows: Recorded | None, columns: Any, number: int) -> Any:
        """The index of one shadow."""
        mask = _ALL if rows is None else of_shadow(rows, number)
        return mask if self._owner._kind == "series" else (mask, columns)

    def _assign(self, rows: Recorded | None, columns: Any, value: Any) -> None:
        """`frame.loc[condition, columns] = value`."""
        frame, name = self._owner, self._name
        recording = frame._recording
        call = Call(recording, frame, f"{frame._title}.{name}[...] = value", [])

        def real(number: int) -> Any:
            changed = frame._reals[number].copy(deep=False)
            getattr(changed, name)[self._index(rows, columns, number)] = of_shadow(value, number)
            return changed

        def write(reals: list[Any]) -> list[Value]:
            if frame._kind == "series":
                refuse("all rows of a Series set in place", "the recorder has no rule for it", "write column = value")
            known = list(frame._reals[0].columns)
            labels = _labels(name, known, columns)
            whole = frame._rows if rows is None else condition_rows(frame, rows)
            if len(labels) > 1 and is_view(value):
                refuse(
                    f"an array that may be a view (.values) set in several columns by {name}",
                    "pandas may overwrite it column by column on the way",
                    "write array.copy(), or to_numpy(copy=True)",
                )
            values = masked_value(call, value, whole, labels)
            given = given_dtypes(value, len(values))
            dtypes = dict(zip(known, frame._reals[0].dtypes, strict=True))
            olds = dict(zip(known, frame._values, strict=True))
            condition = call.build.value(True) if rows is None else rows._values[0]
            news = [
                new
                if rows is None and label not in olds
                else put(call.build, condition, new, olds.get(label), dtypes.get(label), dtype)
                for label, new, dtype in zip(labels, values, given, strict=True)
            ]
            return set_columns(frame, labels, news, reals[0])

        frame._replace(recording.perform(call.name, real, write, frame._rows, trusted=frame._values))


@rule("frame", "loc", "iloc", attribute=True, raw=True)
@rule("series", "loc", "iloc", attribute=True, raw=True)
def location(call: Call) -> Any:
    """Rows and columns by label or position."""
    return Location(call.owner, call.name.rsplit(".", 1)[1])


def _labels(name: str, labels: list[Any], columns: Any) -> list[Any]:
    """The labels of the columns that an index chooses; new ones are set by `loc`."""
    if name == "loc" and not isinstance(columns, slice) and not _is_mask(columns):
        several = isinstance(columns, list) or type(columns).__name__ in ("Index", "ndarray")
        return list(columns) if several else [columns]
    numbers = pd.DataFrame([range(len(labels))], columns=labels)
    return [labels[number] for number in np.ravel(getattr(numbers, name)[:, columns])]


def _is_mask(columns: Any) -> bool:
    """Whether columns are chosen by bools, one for each."""
    return isinstance(columns, list | np.ndarray | pd.Series) and np.asarray(columns).dtype == bool


def _shown(key: Any) -> str:
    return f"a {key._title}" if isinstance(key, Recorded) else repr(key)
