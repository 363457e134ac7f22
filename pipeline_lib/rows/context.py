"""A pipeline's declared context: how many earlier rows each row needs, and how rows follow each other in time."""

from dataclasses import dataclass
from datetime import timedelta

from pipeline_lib.errors import InputError


@dataclass(frozen=True)
class Context:
    """The earlier rows that a pipeline with lags or windows needs; a pipeline module exports it as `CONTEXT`.

    `rows` is the number of earlier rows that each row needs, at least 1. `time` names the raw column that orders rows
    (a date, datetime or integer): rows that are out of order, or repeated, are then refused. `every` is the step from
    each row to the next, a timedelta, or an int for a column of integers: a missing row is then refused. `feeds` names
    the raw number column whose value in the next row is the prediction, which `CompiledPipeline.forecast` needs.

    Raises `InputError` for numbers that are not positive, for `every` without `time`, and for `feeds` without `every`.

        >>> from datetime import timedelta
        >>> from pipeline_lib import Context
        >>> CONTEXT = Context(rows=28, time="day", every=timedelta(days=1), feeds="sold")
        >>> Context(rows=0)
        Traceback (most recent call last):
        ...
        pipeline_lib.errors.InputError: Context: found rows=0, expected a whole number from 1 on; correct CONTEXT
    """

    rows: int
    time: str | None = None
    every: timedelta | int | None = None
    feeds: str | None = None

    def __post_init__(self) -> None:
        """Refuse values that contradict each other."""
        if type(self.rows) is not int or self.rows < 1:
            self._refuse(f"rows={self.rows!r}", "a whole number from 1 on")
        if self.every is not None:
            zero = timedelta(0) if isinstance(self.every, timedelta) else 0
            if type(self.every) not in (timedelta, int) or self.every <= zero:  # type: ignore[operator]
                self._refuse(
                    f"every={self.every!r}", "a positive timedelta, or a positive int for a column of integers"
                )
            if self.time is None:
                self._refuse("every= without time=", "the column of times too")
        if self.feeds is not None and self.every is None:
            self._refuse("feeds= without every=", "the step from row to row too, as a forecast makes the next rows")

    def _refuse(self, found: str, expected: str) -> None:
        raise InputError(f"Context: found {found}, expected {expected}; correct CONTEXT")
