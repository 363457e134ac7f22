"""The values of one row, as functions get them that pandas calls row by row: `map(f)`, `apply(f, axis=1)`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arithmetic import SYMBOLS, operate
from pipeline_lib.compiler.tracing.assignment import choose
from pipeline_lib.compiler.tracing.constants import constant, is_missing, missing
from pipeline_lib.compiler.tracing.operators import Operators
from pipeline_lib.compiler.tracing.paths import Branch, Leaf, constant_condition, explore, leaves_of, refused_when
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recording import PLAN, Recording, RowCheck
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.errors import InputError


class RecordedValue(Operators):
    """One value of any row. `_reals` holds a sample value, for messages; `_flavour` is python or numpy.

    The two flavours differ: `1 / 0` is an error to Python and infinite to NumPy.
    """

    __slots__ = ("_flavour",)
    _kind = "value"
    _title = "value of a row"

    def __bool__(self) -> bool:
        try:
            return decide(self._recording, truth(self))
        except InputError as error:
            self._recording.refused(error)

    def _of_row(self, name: str, other: Any, *, swapped: bool) -> Any:
        """An operator of a row's value."""
        recording, build = self._recording, self._recording.build
        call = Call(recording, self, f"`{SYMBOLS[name]}`", [])
        try:
            right = other._values[0] if type(other) is RecordedValue else constant(build, other)
            left: Value = self._values[0]
            value = operate(call, name, right, left) if swapped else operate(call, name, left, right)
        except InputError as error:
            recording.refused(error)
        return make_value(recording, value, self._flavour)

    def _unary(self, name: str, write: Any) -> Any:
        try:
            return make_value(self._recording, write(self._values[0]), self._flavour)
        except InputError as error:
            self._recording.refused(error)

    def _is_in(self, choices: Any) -> bool:
        """Whether the value is one of a set of constants, as `value in {...}`."""
        try:
            return decide(self._recording, one_of(self._recording.build, self._values[0], list(choices)))
        except InputError as error:
            self._recording.refused(error)


def decide(recording: Recording, condition: Value) -> bool:
    """Which way to take at a branch on a row's value, or on whether any row meets a condition."""
    known = constant_condition(recording.build, condition)
    if known is not None:
        return known
    if recording.scope is not None:
        return recording.scope.decide(condition)
    return recording.decide_batch(condition)


def make_value(recording: Recording, value: Value, flavour: str = "python") -> RecordedValue:
    """A row's value of a column of the plan."""
    made = RecordedValue(recording, [None] * len(recording.shadows), [value], recording.all_rows)
    object.__setattr__(made, "_flavour", flavour)
    return made


def truth(value: RecordedValue) -> Value:
    """The truth of a value, as Python's `bool`: NaN is true, empty text is not; missing text is NaN."""
    build, column = value._recording.build, value._values[0]
    if column.kind == "bool":
        return column
    if column.kind in ("int64", "float64"):
        return build.logical_not(column == 0)
    if column.kind == "str":
        return build.logical_not(build.text_equal(column, ""))
    refuse(f"a branch on a value of {column.kind}", "the recorder has no rule for it", "compare it")


def one_of(build: Builder, column: Value, choices: list[Any]) -> Value:
    """Whether a value equals one of some constants."""
    words = [each for each in choices if isinstance(each, str)]
    numbers = [each for each in choices if isinstance(each, int | float | np.number) and not is_missing(each)]
    keys = words if column.kind == "str" else numbers
    if column.kind not in ("str", "int64", "float64", "bool"):
        refuse(f"`in` of a value of {column.kind}", "the recorder has no rule for it", PLAN)
    if not keys:
        return build.value(False)
    if column.kind == "int64":
        keys = [int(each) for each in keys if each == int(each)]
    elif column.kind != "str":
        keys = [float(each) for each in keys]
    return build.lookup(column, dict.fromkeys(keys, True), "bool", missing=False, unseen=False)


def joined(recording: Recording, tree: Branch | Leaf) -> Value:
    """The results of all paths in one column; paths that raise an error are refused rows."""
    build = recording.build
    results = [leaf.result for leaf in leaves_of(tree) if leaf.error is None]
    if not results:
        raise leaves_of(tree)[0].error or InputError("no path")
    kind = _joined_kind(build, results)
    value = _join(build, tree, kind)
    assert value is not None
    condition = refused_when(build, tree)
    if constant_condition(build, condition) is False:
        return value
    messages = dict.fromkeys(f"{type(l.error).__name__}: {l.error}" for l in leaves_of(tree) if l.error is not None)
    recording.checks.append(RowCheck(condition, "; ".join(messages)))
    return value


def _join(build: Builder, tree: Branch | Leaf, kind: str) -> Value | None:
    """The tree as nested `where`; None where every path raises."""
    if isinstance(tree, Leaf):
        return None if tree.error is not None else _as_kind(build, tree.result, kind)
    then, other = _join(build, tree.then, kind), _join(build, tree.other, kind)
    if then is None or other is None:
        return other if then is None else then
    return then if then.node == other.node else choose(build, tree.condition, then, other)


def _kind_of(result: Any) -> str:
    if isinstance(result, Recorded):
        if len(result._values) != 1 or result._kind != "value":
            refuse(f"a function of one row's values that returns a {result._title}", "it must return one value", PLAN)
        return str(result._values[0].kind)
    if is_missing(result):
        return "missing"
    result = result.item() if isinstance(result, np.generic) else result
    for kind, name in ((bool, "bool"), (int, "int64"), (float, "float64"), (str, "str")):
        if isinstance(result, kind):
            return name
    return {"Timestamp": "datetime", "datetime": "datetime", "Timedelta": "duration"}.get(type(result).__name__, "")


def _joined_kind(build: Builder, results: list[Any]) -> str:
    """The dtype of a column of several results, as pandas infers it."""
    kinds = {_kind_of(result) for result in results}
    present = kinds - {"missing"}
    if "" in kinds:
        found = next(type(result).__name__ for result in results if not _kind_of(result))
        refuse(f"a function of one row's values that returns {found}", "it must return one value", PLAN)
    if len(present) == 1 and ("missing" not in kinds or present & {"str", "float64", "datetime", "duration"}):
        return present.pop()
    if present <= {"int64", "float64"} or (present == {"bool"} and "missing" in kinds):
        return "float64"
    refuse(
        f"a function that returns {' and '.join(sorted(kinds))}",
        "a column of production has one dtype",
        "return one kind of value",
    )


def _as_kind(build: Builder, result: Any, kind: str) -> Value:
    if isinstance(result, Recorded):
        value: Value = result._values[0]
    elif is_missing(result):
        return missing(build, kind)
    else:
        value = constant(build, result)
    return build.number(value) if kind == "float64" else value


def by_row(recording: Recording, function: Callable[..., Any], *args: Any) -> Value:
    """The column of a function of one row's values; its paths are explored."""
    return joined(recording, explore(recording, lambda: function(*args)))
