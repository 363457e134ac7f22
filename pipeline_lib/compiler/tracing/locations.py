"""`loc` and `iloc` of frames and series: columns by name or position, rows by a condition."""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.assignment import ROWS, assign_series, choose, condition_rows, masked_value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, rule, unwrap
from pipeline_lib.compiler.tracing.recording import PLAN
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.structure import structure
from pipeline_lib.errors import InputError


class Location:
    """`frame.loc` or `frame.iloc`, before it is indexed."""

    def __init__(self, owner: Recorded, name: str) -> None:
        self._owner = owner
        self._name = name

    def __getitem__(self, key: Any) -> Any:
        owner = self._owner
        try:
            rows, columns = self._parts(unwrap(key))
        except InputError as error:
            owner._recording.refused(error)
        if owner._kind == "frame" and columns is not None:
            # rows are chosen after, since pandas gives a column of the same labels either way
            whole = slice(None)
            owner = structure(owner, f"frame.{self._name}", lambda frame: getattr(frame, self._name)[whole, columns])
        return owner if rows is None else owner[rows]

    def __setitem__(self, key: Any, value: Any) -> None:
        owner, value = self._owner, unwrap(value)
        try:
            rows, columns = self._parts(unwrap(key))
        except InputError as error:
            owner._recording.refused(error)
        if owner._kind == "series":
            assign_series(owner, rows, value)
            return
        _assign(owner, self._name, rows, columns, value)

    def _parts(self, key: Any) -> tuple[Recorded | None, Any]:
        """The condition of rows (None for all rows) and the columns (None for all) of an index."""
        rows, columns = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
        if isinstance(rows, slice) and rows == slice(None):
            return None, columns
        if not isinstance(rows, Recorded) or rows._kind not in ("series", "array"):
            refuse(f"a row taken by {self._name}[{rows!r}]", *ROWS)
        return rows, columns


@rule("frame", "loc", "iloc", attribute=True, raw=True)
@rule("series", "loc", "iloc", attribute=True, raw=True)
def location(call: Call) -> Any:
    """Rows and columns by label or position."""
    return Location(call.owner, call.name.rsplit(".", 1)[1])


def _assign(frame: Recorded, name: str, rows: Recorded | None, columns: Any, value: Any) -> None:
    """`frame.loc[condition, columns] = value`."""
    recording = frame._recording
    call = Call(recording, frame, f"frame.{name}[...] = value", [])
    key = (slice(None) if rows is None else rows, slice(None) if columns is None else columns)

    def real(number: int) -> Any:
        changed = frame._reals[number].copy()
        place = of_shadow(key, number)
        getattr(changed, name)[place] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> list[Value]:
        labels = list(frame._reals[0].columns)
        chosen = _labels(name, labels, columns)
        whole = frame._rows if rows is None else condition_rows(frame, rows)
        values = masked_value(call, value, whole, len(chosen))
        by_label = dict(zip(labels, frame._values, strict=True))
        for label, new in zip(chosen, values, strict=True):
            by_label[label] = _set(call, rows, by_label.get(label), new)
        return [by_label[label] for label in reals[0].columns]

    frame._replace(recording.perform(call.name, real, write, frame._rows))


def _set(call: Call, rows: Recorded | None, old: Value | None, new: Value) -> Value:
    if rows is None:
        return new
    if old is None:  # a new column is missing where the condition does not hold
        old = call.of(np.nan)
    return choose(call.build, rows._values[0], new, old)


def _labels(name: str, labels: list[Any], columns: Any) -> list[Any]:
    """The labels of the columns that an index chooses."""
    if columns is None:
        return labels
    if name == "iloc":
        return list(np.atleast_1d(np.array(labels, dtype=object)[columns]))
    if isinstance(columns, slice):
        refuse("a slice of columns set by loc", "the recorder has no rule for it", PLAN)
    if isinstance(columns, list) or type(columns).__name__ in ("Index", "ndarray"):
        return list(columns)
    return [columns]
