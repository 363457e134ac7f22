"""The results of a function of one row's values: paths joined in columns, and compared with the library's errors."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import constant, is_missing, missing
from pipeline_lib.compiler.tracing.frames.assignment import choose
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.recording import Recording, RowCheck
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.rows.operands import KIND_OF_TYPE
from pipeline_lib.compiler.tracing.rows.paths import (
    GUARD,
    MARK,
    Leaf,
    Tree,
    constant_condition,
    error_message,
    explore,
    guarded_when,
    leaves_of,
    refused_when,
)
from pipeline_lib.compiler.tracing.rows.python import text_of
from pipeline_lib.compiler.tracing.rows.values import make_value
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.errors import InputError

Parts = Callable[[Any], dict[Any, Any]]
"""The results that one path returned, by the name of the column that each belongs to."""


def paths_of(recording: Recording, run: Callable[[], Any]) -> Tree:
    """The paths through a function of one row's values. Raises TraceRefusedError where each of them raises an error."""
    tree = explore(recording, lambda: formatted(recording, run()))
    leaves = leaves_of(tree)
    if all(leaf.error is not None for leaf in leaves):
        refuse(
            f"a function of one row's values that raises {error_message(leaves[0].error)}",
            "it must answer for the training rows",
            "correct the line",
        )
    return tree


def by_row(
    recording: Recording, tree: Tree, raised: Sequence[Any], rows: Rows, parts: Parts = lambda result: {"": result}
) -> dict[Any, Value]:
    """The columns of a function of one row's values, by name, from its paths.

    `raised` are, by shadow, the rows for which the function raised an error. Rows that a path refuses become checks of
    the recording.
    """
    answers = [parts(leaf.result) for leaf in leaves_of(tree) if leaf.error is None]
    names = list(answers[0])
    if any(list(each) != names for each in answers):
        refuse("a function of a row that returns other columns on other paths", "a row has one set of columns", PLAN)
    _check_rows(recording, tree, raised, rows)
    columns = {}
    for name in names:
        results = [each[name] for each in answers]
        kind = joined_kind(results)
        value = columns[name] = _joined(recording.build, tree, kind, functools.partial(_part, parts, name))
        if kind == "float64" and "int64" in kinds_of(results):
            recording.mixed.add(value.node)
    return columns


def _part(parts: Parts, name: Any, result: Any) -> Any:
    return parts(result)[name]


def formatted(recording: Recording, result: Any) -> Any:
    """A result whose formatted texts are put together: `f"{a}_{b}"`."""
    if not isinstance(result, str) or MARK not in result:
        return result
    build, parts = recording.build, []
    for place, part in enumerate(result.split(MARK)):
        if place % 2 == 0:
            parts += [build.value(part)] if part else []
            continue
        value = recording.scope.formatted[int(part)]
        settled = value._settled()
        text = text_of(value) if settled is value else str(settled)
        parts.append(text._values[0] if isinstance(text, Recorded) else build.value(text))
    return make_value(recording, parts[0] if len(parts) == 1 else build.concatenate(*parts))


def _check_rows(recording: Recording, tree: Tree, raised: Sequence[Any], rows: Rows) -> None:
    """Refuse the rows that raise an error or leave 64 bits; they must be those on which the library raises one."""
    build = recording.build
    guarded, refused = guarded_when(build, tree), refused_when(build, tree)
    if rows.condition is not None:
        guarded, refused = (build.logical_and(rows.condition, each) for each in (guarded, refused))
    if constant_condition(build, guarded) is not False:
        for number in list(recording.living()):
            beyond, _ = _evaluated(recording, guarded, number)
            if number == 0 and beyond.any():
                refuse(
                    "a training row whose numbers a plan cannot hold",
                    f"it takes {GUARD}",
                    "cast with astype(float) before, or write np.float64(value)",
                )
            recording.answered[number] &= ~beyond
        recording.checks.append(RowCheck(guarded, GUARD))
    for number in list(recording.living()):
        wrong, unsure = _evaluated(recording, refused, number)
        errors = raised[number]
        if errors is None:
            continue
        apart = (wrong != errors) & ~unsure & recording.answered[number] if number else wrong != errors
        recording.answered[number] &= ~errors & ~wrong
        if apart.any():
            which = "refuses a row that the library answers" if wrong[apart][0] else "answers where the library raises"
            refuse(f"a function of one row's values, for which the recorder {which}", "its rule is not exact", PLAN)
        if not recording.answered[number].any():
            recording.alive[number] = False
    if constant_condition(build, refused) is not False:
        errors = dict.fromkeys(error_message(leaf.error) for leaf in leaves_of(tree) if leaf.error is not None)
        recording.checks.append(RowCheck(refused, "; ".join(errors)))


def _evaluated(recording: Recording, condition: Value, number: int) -> tuple[Any, Any]:
    """Which rows of a shadow meet a condition, and for which rounding leaves that open."""
    try:
        column, bound = recording.evaluated(condition, number), recording.error_bound(condition, number)
    except InputError:
        if number == 0:
            raise
        recording.alive[number] = False
        none = np.zeros(len(recording.answered[number]), dtype=bool)
        return none, ~none
    unsure = np.zeros(column.shape, dtype=bool) if bound is None else np.broadcast_to(bound, column.shape) > 0
    return np.array(column, dtype=bool), unsure


def _joined(build: Builder, tree: Tree, kind: str, part: Callable[[Any], Any]) -> Value:
    """One column of the results of all paths."""
    value = _join(build, tree, kind, part)
    if value is None:
        raise TypeError("found no path that returns a result, expected one")
    return value


def _join(build: Builder, tree: Tree, kind: str, part: Callable[[Any], Any]) -> Value | None:
    """The tree as nested `where`; None where every path raises."""
    if isinstance(tree, Leaf):
        return None if tree.error is not None else _as_kind(build, part(tree.result), kind)
    then, other = _join(build, tree.then, kind, part), _join(build, tree.other, kind, part)
    if then is None or other is None:
        return other if then is None else then
    if then.node == other.node:
        return then
    if kind == "bool" and constant_condition(build, then) is True and constant_condition(build, other) is False:
        return tree.condition
    return choose(build, tree.condition, then, other)


def _kind_of(result: Any) -> str:
    if isinstance(result, Recorded):
        if result._kind != "value":
            refuse(f"a function of one row's values that returns a {result._title}", "it must return one value", PLAN)
        if type(result._operand.sample).__name__ == "date":
            refuse(
                "a function of one row's values that returns a date",
                "pandas keeps dates without time as Python objects",
                "return the Timestamp, with normalize(), and compare Timestamps",
            )
        return str(result._values[0].kind)
    if type(result).__name__ in ("NaTType", "NAType"):
        return type(result).__name__
    if is_missing(result):
        return "missing"
    kind = KIND_OF_TYPE.get(type(result))
    if kind is None:
        refuse(f"a function of one row's values that returns {type(result).__name__}", "it must return one value", PLAN)
    return kind


def kinds_of(results: Iterable[Any]) -> set[str]:
    """The dtypes of several results; a missing one is `missing`, `NaTType` or `NAType`."""
    return {_kind_of(result) for result in results}


def joined_kind(results: list[Any]) -> str:
    """The dtype of a column of several results, as pandas infers it."""
    kinds = kinds_of(results)
    gaps = kinds & {"missing", "NaTType", "NAType"}
    present = kinds - gaps
    if ("NAType" in gaps and present != {"str"}) or ("NaTType" in gaps and not present <= {"datetime", "duration"}):
        refuse(
            "a function of one row's values that returns pd.NA or pd.NaT among other values",
            "pandas keeps them as Python objects",
            "return np.nan",
        )
    if not present:
        return "datetime" if "NaTType" in gaps else "float64"
    if present <= {"int64", "float64"}:
        return "float64" if gaps or len(present) == 2 else present.pop()
    if present == {"bool"} and gaps:
        return "float64"
    if len(present) > 1:
        refuse(
            f"a function of one row's values that returns {' and '.join(sorted(present))}",
            "a column of production has one dtype",
            "return one kind of value on every path, for example int(condition)",
        )
    return present.pop()


def _as_kind(build: Builder, result: Any, kind: str) -> Value:
    if isinstance(result, Recorded):
        value: Value = result._values[0]
    elif is_missing(result):
        return missing(build, kind)
    else:
        value = constant(build, result)
    return build.number(value) if kind == "float64" else value
