"""Recorded frames of the parts of a text: `.str.split(",", expand=True)`, `.str.partition(" ")`.

How many columns `expand=True` makes depends on the rows of the batch. The recorded frame has those of the training
rows. One of its columns is exact in any batch; where all of them are used, as in `X[["b", "c"]] = ...`, rows with more
parts are refused, as pandas raises an error for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.frames.frame import RecordedFrame
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recording import RowCheck


@dataclass(frozen=True)
class Parts:
    """The lists that a method makes of a text: how the plan writes one part, their number, and all of them joined.

    `most` is the largest number of parts, None where there is no limit.
    """

    text: Value
    item: Callable[[int], Value]
    count: Callable[[], Value]
    join: Callable[[str], Value] | None = None
    most: int | None = None


class RecordedPartFrame(RecordedFrame):
    """The frame of `expand=True`: a column for each part."""

    __slots__ = ("_checked", "_columns", "_parts")
    _parts: Parts
    _columns: Sequence[Value]
    _checked: bool

    @property
    def _values(self) -> list[Value]:
        if not self._checked:
            object.__setattr__(self, "_checked", True)
            _refuse_more(self, len(self._columns))
        return list(self._columns)

    @_values.setter
    def _values(self, values: Sequence[Value]) -> None:
        object.__setattr__(self, "_columns", values)

    def __getitem__(self, key: Any) -> Any:
        key, recording = unwrap(key), self._recording
        if isinstance(key, Recorded):
            return super().__getitem__(key)
        columns = self._reals[0].columns
        if isinstance(key, int) and key not in columns and columns.dtype.kind == "i":
            self._stop(
                f"part {key} of `expand=True`",
                f"the training rows that are recorded have {len(columns)} parts, and pandas makes no more columns",
                f"leave expand out and write .str[{key}], which is missing where a row has fewer parts",
            )
        numbers = pd.DataFrame([range(len(self._columns))], columns=columns)

        def write(reals: list[Any]) -> list[Value]:
            return [self._columns[number] for number in np.ravel(numbers[key].to_numpy())]

        return recording.perform("frame[columns]", lambda number: self._reals[number][key], write, self._rows)


def part_frame(call: Call, parts: Parts, method: Callable[..., Any]) -> Any:
    """The recorded frame of the parts, with the columns that the training rows have.

    Each shadow is expanded together with the training rows, as in one batch.
    """
    recording, owner = call.recording, call.owner
    series = owner._series._reals
    width = method(series[0].str, expand=True).shape[1]

    def real(number: int) -> Any:
        both = pd.concat([series[number], series[0]]) if number else series[0]
        return method(both.str, expand=True).iloc[: len(series[number]), :width]

    def write(reals: list[Any]) -> Any:
        columns = [parts.item(index) for index in range(width)]
        recording.compare(call.name, reals, columns, owner._rows)
        made = RecordedPartFrame(recording, reals, columns, owner._rows)
        object.__setattr__(made, "_checked", parts.most is not None and width >= parts.most)
        object.__setattr__(made, "_parts", parts)
        return made

    return recording.perform(call.name, real, write, owner._rows)


def _refuse_more(frame: RecordedPartFrame, width: int) -> None:
    """Refuse rows with more parts than columns: pandas would make more columns, and what follows would raise."""
    recording, build = frame._recording, frame._recording.build
    more = build.less(float(width), frame._parts.count())
    if frame._rows.condition is not None:
        more = build.logical_and(frame._rows.condition, more)
    for number in recording.living():
        recording.answered[number] = recording.answered[number] & ~recording.evaluated(more, number)
    recording.checks.append(RowCheck(more, f"ValueError: more than {width} parts"))
