"""Questions about the whole batch that only guard it: `if (X["age"] < 0).any(): raise ValueError(...)`.

Whether any row meets a condition differs from batch to batch, so nothing may be computed from it. A branch that raises
an error where some row does is another thing: those rows are refused, alone as in a batch.
"""

from typing import Any, NoReturn

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.own_code.scan import only_shown
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, recorded_in
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, own_frame
from pipeline_lib.compiler.tracing.registry import RULES, rule
from pipeline_lib.compiler.tracing.rows.choices import one_of
from pipeline_lib.compiler.tracing.rows.values import make_value
from pipeline_lib.errors import InputError

GUARD = "use it only to raise an error: `if condition.any(): raise ValueError(...)`; learn numbers in `fit`"


WIDE = "write .any() behind it for an answer about all columns"


class BatchTruth(Recorded):
    """Whether any row meets a condition; `_negated`: whether none does.

    `_wide`: an answer for each column of a frame, `X.isna().any()`, before `.any()` or `.sum()` makes it one.
    """

    __slots__ = ("_negated", "_wide")
    _kind = "batch"
    _title = "batch-wide answer"

    @property
    def _condition(self) -> Value:
        value: Value = self._values[0]
        return value

    def __getattr__(self, name: str) -> Any:
        if (self._kind, name) not in RULES and not name.startswith("_"):
            self._as_value()
        return super().__getattr__(name)

    def _as_value(self, *args: Any) -> NoReturn:
        self._stop("an answer about all rows used as a value", ONE_ROW, GUARD)

    __index__ = __getitem__ = __iter__ = __hash__ = __len__ = _as_value
    __array__ = _as_value  # type: ignore[assignment]

    def __repr__(self) -> str:
        frame = own_frame(self._recording.codes)
        return "..." if frame is None or only_shown(frame) else self._as_value()

    __str__ = __repr__

    def __bool__(self) -> bool:
        if self._wide:
            self._stop("answers for each column used as one condition", ONE_ROW, WIDE)
        try:
            return bool(self._recording.decide_batch(self._condition)) is not self._negated
        except InputError as error:
            self._recording.refused(error)

    def __invert__(self) -> Any:
        return truth(self._recording, self._condition, negated=not self._negated, wide=self._wide)

    def _combine(self, other: Any, *, conjunction: bool) -> Any:
        if (
            type(other) is not BatchTruth
            or {self._negated, other._negated} != {conjunction}
            or other._wide is not self._wide
        ):
            self._stop("two answers about the batch in one expression", ONE_ROW, "write `and` or `or` between them")
        return truth(
            self._recording,
            self._recording.build.logical_or(self._condition, other._condition),
            negated=self._negated,
            wide=self._wide,
        )

    def __or__(self, other: Any) -> Any:
        return self._combine(other, conjunction=False)

    def __and__(self, other: Any) -> Any:
        return self._combine(other, conjunction=True)

    def _compare(self, other: Any, name: str) -> Any:
        """A count of rows compared with 0 or 1: whether there is any."""
        none, some = (getattr(count, name)(other) for count in (0, 10**9))
        if type(other) not in (int, float) or other > 1 or (other == 1 and name not in ("__ge__", "__lt__")):
            self._stop("a number of rows compared with another number than 0", ONE_ROW, GUARD)
        if self._negated or (self._wide and none == some):
            self._as_value()
        if none == some:
            return bool(none)
        if self._wide:  # a count for each column
            return truth(self._recording, self._condition, negated=not some, wide=True)
        return bool(self) is bool(some)

    def __eq__(self, other: object) -> Any:
        return self._compare(other, "__eq__")

    def __ne__(self, other: object) -> Any:
        return self._compare(other, "__ne__")

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, "__gt__")

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, "__ge__")

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, "__lt__")

    def __le__(self, other: Any) -> Any:
        return self._compare(other, "__le__")


def truth(recording: Recording, condition: Value, *, negated: bool = False, wide: bool = False) -> BatchTruth:
    """Whether any row meets a condition, or with `negated` whether none does; `wide` for each column."""
    answer = BatchTruth(recording, [None] * len(recording.shadows), [condition], recording.all_rows)
    object.__setattr__(answer, "_negated", negated)
    object.__setattr__(answer, "_wide", wide)
    return answer


def any_row(call: Call, values: list[Value]) -> BatchTruth:
    """Whether any value of some bool columns is true in any row."""
    if any(value.kind != "bool" for value in values):
        call.stop(f"{call.name} of values that are no conditions", ONE_ROW, GUARD)
    condition = values[0]
    for value in values[1:]:
        condition = call.build.logical_or(condition, value)
    return truth(call.recording, condition, wide=getattr(call.owner, "_kind", "") == "frame")


def all_rows(call: Call, values: list[Value]) -> BatchTruth:
    """Whether every value of some bool columns is true in all rows."""
    if any(value.kind != "bool" for value in values):
        call.stop(f"{call.name} of values that are no conditions", ONE_ROW, GUARD)
    answer = any_row(call, [call.build.logical_not(value) for value in values])
    return truth(call.recording, answer._condition, negated=True, wide=answer._wide)


@rule("series", "any", raw=True)
def series_any(call: Call) -> Any:
    """Whether any row meets the condition."""
    return any_row(call, call.values)


@rule("series", "all", raw=True)
def series_all(call: Call) -> Any:
    """Whether all rows meet the condition."""
    return all_rows(call, call.values)


@rule("series", "sum", raw=True)
def series_sum(call: Call) -> Any:
    """How many rows meet a condition, for a comparison with 0."""
    return any_row(call, call.values)


@rule("series", "hasnans", attribute=True, raw=True)
def hasnans(call: Call) -> Any:
    """Whether any row is missing."""
    return any_row(call, [call.value.missing()])


@rule("batch", "any", "sum", "max", "all", "item", raw=True)
def again(call: Call) -> Any:
    """`frame.isna().any().any()`: an answer for each column as one; of one answer the same."""
    owner, name = call.owner, call.name.rsplit(".", 1)[-1]
    if owner._wide and (name == "item" or owner._negated is not (name == "all")):
        call.stop(f"`{name}` of answers for each column", ONE_ROW, GUARD)
    return truth(call.recording, owner._condition, negated=owner._negated)


@rule("batch", "int", "bool", "float", raw=True)
def as_number(call: Call) -> Any:
    """`int(condition.sum())`: the same answer."""
    return call.owner


class Values:
    """The different values of a column; how many there are, and which comes first, depends on the batch."""

    def __init__(self, owner: Recorded) -> None:
        self.owner = owner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._stop()

    def _stop(self, *args: Any) -> NoReturn:
        self.owner._stop(
            "the different values of a column, which depend on the rows at hand",
            ONE_ROW,
            "keep them in `fit`: self.values_ = sorted(X['a'].unique())",
        )

    __len__ = __getitem__ = __contains__ = __bool__ = __eq__ = __hash__ = _stop
    __array__ = __str__ = __repr__ = _stop
    __and__ = __or__ = __xor__ = __rsub__ = __rand__ = __ror__ = __rxor__ = __ge__ = __gt__ = __lt__ = _stop


class Unique(Values):
    """The different values of a column, `X["grade"].unique()`: any of them stands for each row's value."""

    def __iter__(self) -> Any:
        recording = self.owner._recording
        recording.batch.values_seen.append(recording.line())
        return iter([make_value(recording, self.owner._values[0])] * recording.batch.values)

    def tolist(self) -> list[Any]:
        """The values as a list."""
        return list(self)


class UniqueSet(Values):
    """The different values of a column as a set: `set(X["grade"].unique()) - set(known)`."""

    def __sub__(self, other: Any) -> BatchTruth:
        """Those of the values that are not among others: whether there are any."""
        recording, choices = self.owner._recording, list(other)
        if recorded_in(choices):
            self.owner._stop("a difference of two columns' values", ONE_ROW, GUARD)
        build = recording.build
        return truth(recording, build.logical_not(one_of(build, self.owner._values[0], choices)))

    difference = __sub__

    def issubset(self, other: Any) -> BatchTruth:
        """Whether each value is one of others."""
        unknown = self - other
        return truth(unknown._recording, unknown._condition, negated=True)

    __le__ = issubset


@rule("series", "unique", raw=True)
def unique(call: Call) -> Any:
    """The different values, to be looked at one by one."""
    return Unique(call.owner)
