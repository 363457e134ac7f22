"""Which values to try in the input columns of a step: those on which its library and its plan may part.

raw column                 what `Row` allows of: missing, the smallest and largest training value and beyond, the
                           bounds of `Row`, zero, one, their opposites; empty, unseen and rewritten words; ends of
                           years, months, days
output of an earlier step  the smallest and largest value of the training rows, zero and one between them; missing
                           where a training row is
both                       what the plan compares with or looks up, and constants of own code; numbers and dates
                           each with both neighbors
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.list_columns import ListColumn, SharedListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.code_constants import Constant
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.edge_rows import UNSEEN_LABEL, accepted_values, neighbors

_KINDS = {"float64": "number", "int64": "integer", "bool": "boolean", "str": "string"}
_UNSEEN = (UNSEEN_LABEL, "Straße Łódź")  # upper and lower case of the second depend on how text is stored
_SPARSE_COLUMNS = 8  # of a sparse vector
_MOST_THRESHOLDS = 8  # of trees, for one column
_YEARS = range(1600, 2400)  # integers that may be a year
_LONGEST = 86_400_000_000 * 999_999_999  # microseconds of a timedelta
_DAY, _MOMENT = timedelta(days=1), timedelta(microseconds=1)


@dataclass(frozen=True)
class InputColumn:
    """A column of a step's input: its number there, its name, its kind, and what `Row` says of a raw one.

    It is the number `offset` of the plan's column `source`, where that holds several. `own` are the values that the
    plan compares with. `is_used` says whether the plan does more than pass it on.
    """

    index: int
    name: str
    kind: str
    source: str
    offset: int = 0
    raw: Column | None = None
    own: tuple[Constant, ...] = ()
    is_used: bool = True


def input_columns(before: Mapping[str, Value], plan: Plan, raw: Mapping[str, Column]) -> list[InputColumn]:
    """The columns of a step's input: each number of a vector by itself, of a sparse vector the first ones.

    `raw` are the raw columns by name; `plan` is the step's plan over the columns `before`.
    """
    own, used = compared_values(plan), columns_used(plan)
    columns: list[InputColumn] = []
    index = 0
    for name, value in before.items():
        node = value.build.nodes[value.node]
        schema = raw.get(node.settings["column"]) if node.operation == "input" else None
        if value.dtype in ("vector", "bag"):
            count = value.width if value.dtype == "vector" else min(value.width, _SPARSE_COLUMNS)
            columns += [InputColumn(index + at, f"{name}[{at}]", "number", name, at) for at in range(count)]
        else:
            kind = schema.kind if schema is not None else _KINDS.get(value.kind, value.kind)
            compared = tuple(own.get(name, ()))
            columns.append(InputColumn(index, name, kind, name, raw=schema, own=compared, is_used=name in used))
        index += value.width
    return columns


def compared_values(plan: Plan) -> dict[str, list[Constant]]:
    """What a plan compares each input column with: constants, keys of look-ups, edges of intervals, tree thresholds."""
    values: dict[str, list[Constant]] = {name: list(own) for name, own in plan.own_values().items()}
    for node in plan.nodes:
        inputs = [plan.nodes[number] for number in node.inputs]
        names = [each.settings["column"] if each.operation == "input" else None for each in inputs]
        for setting in ("edges", "x"):
            if setting in node.settings and names[0] is not None:
                values.setdefault(names[0], []).extend(np.ravel(node.settings[setting]).tolist())
        if node.operation == "trees":
            _add_thresholds(values, node.settings, names)
    return values


def _add_thresholds(
    values: dict[str, list[Constant]], settings: Mapping[str, Any], names: Sequence[str | None]
) -> None:
    """Some thresholds of each input column of trees."""
    feature, threshold = np.asarray(settings["feature"]), np.asarray(settings["threshold"], dtype=float)
    for number, name in enumerate(names):
        if name is not None:
            own = np.unique(threshold[(feature == number) & np.isfinite(threshold)])
            chosen = own[np.unique(np.linspace(0, len(own) - 1, min(_MOST_THRESHOLDS, len(own))).astype(int))]
            values.setdefault(name, []).extend(chosen.tolist())


def columns_used(plan: Plan) -> set[str]:
    """The input columns that some operation of a plan takes; others pass through."""
    taken = {number for node in plan.nodes for number in node.inputs}
    return {plan.nodes[number].settings["column"] for number in taken if plan.nodes[number].operation == "input"}


def values_to_try(column: InputColumn, training: PlanColumn, constants: Sequence[Constant]) -> list[Any]:
    """The edge values of an input column, most telling first, each once; None is missing.

    `training` is the column in the training rows, `constants` are those of own code.
    """
    own = [*column.own, *constants]
    if isinstance(training, TextColumn):
        words = [word for word in training.words[:-1] if word is not None]
        values = _words(column, words, own)
        missing = bool((training.codes < 0).any())
    elif column.kind == "boolean":
        values, missing = [True, False], bool(np.isnan(np.asarray(training, dtype=float)).any())
    elif column.kind in ("datetime", "date", "duration"):
        times = np.asarray(training)
        present = times[times != NAT]
        values = _durations(present, own) if column.kind == "duration" else _dates(column, present, own)
        missing = len(present) < len(times)
    else:
        numbers = np.asarray(training, dtype=None)
        present = numbers[np.isfinite(numbers)] if numbers.dtype == np.float64 else numbers
        values, missing = _numbers(column, present, own), bool(np.isnan(np.asarray(numbers, dtype=float)).any())
    if column.raw is not None:
        return _distinct(accepted_values(column.raw, [None, *values]))
    return _distinct([*([None] if missing else []), *values])


def training_values(column: InputColumn, columns: Mapping[str, PlanColumn]) -> PlanColumn:
    """The training rows' values of an input column; of a column of child rows, those of all child rows."""
    values = columns[column.source]
    if isinstance(values, ListColumn | SharedListColumn):
        return values.slice(0, len(values)).values
    if isinstance(values, SparseColumn):
        return values.sums(np.where(values.indices == column.offset, values.values, 0.0))
    return values[column.offset] if isinstance(values, np.ndarray) and values.ndim == 2 else values


def _numbers(column: InputColumn, present: Any, own: Sequence[Constant]) -> list[Any]:
    whole = column.kind == "integer"
    constants = [value for value in own if isinstance(value, int | float) and math.isfinite(value)]
    values = [near for value in constants for near in neighbors(math.floor(value) if whole else float(value))]
    low, high = (present.min().item(), present.max().item()) if len(present) else (0, 0)
    if whole:
        low, high = int(low), int(high)
    ends = [*neighbors(low), *neighbors(high)]
    common = [0, 1, -1] if whole else [0.0, -0.0, 1.0, -1.0]
    if column.raw is None:
        return [*(value for value in [*ends, *common] if low <= value <= high), *values]
    bounds = [bound for bound in (column.raw.ge, column.raw.gt, column.raw.le, column.raw.lt) if bound is not None]
    declared = [near for bound in bounds for near in neighbors(bound if whole else float(bound))]  # type: ignore[arg-type]
    return [*values, *ends, *declared, *(column.raw.allowed or ()), *common, -low, -high]


def _words(column: InputColumn, training: Sequence[str], own: Sequence[Constant]) -> list[Any]:
    constants = [value for value in own if isinstance(value, str)]
    if column.raw is None:
        return constants
    known = next((word for word in training if word.strip() and len(word) <= 40), "")
    rewritten = [known.upper(), known.lower(), known.title(), f" {known}", f"{known} "] if known else []
    return ["", *_UNSEEN, *constants, *(column.raw.allowed or ()), *rewritten, " "]


def _dates(column: InputColumn, present: Any, own: Sequence[Constant]) -> list[Any]:
    """Ends of years within and just outside the training range, leap days, each month and weekday, and constants."""
    low, high = (_moment(present.min()), _moment(present.max())) if len(present) else (datetime(2000, 1, 1),) * 2
    years = {low.year - 1, low.year, high.year, high.year + 1}
    years |= {value for value in own if type(value) is int and value in _YEARS}
    values: list[datetime] = [near for value in own if (at := _as_moment(value)) for near in neighbors(at)]
    for year in sorted(year for year in years if 1 < year < 9999):
        first = datetime(year, 1, 1)
        values += [first, first - _DAY, datetime(year, 12, 31), datetime(year, 12, 31) + _DAY - _MOMENT]
    leap = next(year for year in range(high.year, high.year - 9, -1) if _is_leap(year) or year <= 4)
    values += [datetime(leap, 2, 28) + _DAY, low, high, low - _MOMENT, high + _MOMENT]
    values += [datetime(high.year, month, 1) for month in range(1, 13)] + [high - _DAY * day for day in range(1, 7)]
    return [value.date() for value in values] if column.kind == "date" else values


def _durations(present: Any, own: Sequence[Constant]) -> list[Any]:
    """The shortest and longest training value and zero, and the plan's constants, which are microseconds."""
    low, high = (int(present.min()), int(present.max())) if len(present) else (0, 0)
    constants = [near for value in own if type(value) is int for near in (value - 1, value, value + 1)]
    return [timedelta(microseconds=value) for value in (low, high, 0, *constants) if abs(value) < _LONGEST]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _moment(microseconds: Any) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=int(microseconds))


def _as_moment(value: Constant) -> datetime | None:
    """A constant as a point in time: a date, text in ISO 8601, or microseconds since 1970, as plans have them."""
    try:
        if type(value) is int and abs(value) > _YEARS.stop:
            return _moment(value)
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, date):
            moment = datetime.fromisoformat(value.isoformat()[:26])
            return moment.replace(tzinfo=None)
    except (ValueError, OverflowError):
        pass
    return None


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Values told apart by type and sign: 0.0 is not -0.0."""
    return list({(type(value), repr(value)): value for value in values}.values())
