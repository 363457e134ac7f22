"""One raw row through the core: a dict is read, checked and answered without Python in between."""

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from pipeline_lib.compiled.native.core import level, load_plan
from pipeline_lib.compiled.native.core_plan import CorePlan, encode
from pipeline_lib.compiled.native.row_words import encode_row
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import microseconds
from pipeline_lib.rows.column import BOUNDS, MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.schema import RowSchema

CoreRow = Callable[[Any], tuple[Any, ...] | bool | None]
"""A row's values; None for a row that Python has to judge, False for one that an operation refuses."""
_LARGEST = 2**63 - 1
ROWS_BEFORE_TABLES = 10_000
"""To make tables by word takes some milliseconds; they save about a microsecond a row."""
_FIRST_DAY, _DAY = date(1970, 1, 1).toordinal(), 86_400_000_000
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
Reader = tuple[str, int, int, int, float, int, float, int, int, int, Any, tuple[Any, ...]]


def growing_row(
    plan: Plan, roots: Sequence[int], schema: RowSchema, replace: Callable[[CoreRow], None]
) -> CoreRow | None:
    """As `core_row`; after many rows `replace` gets a function whose plan has tables by word, where that is of use."""
    first = core_row(plan, roots, schema)
    if first is None or all(column.kind != "string" for column in schema.by_name.values()):
        return first
    numbers = itertools.count(1)

    def counted(row: Any) -> tuple[Any, ...] | bool | None:
        if next(numbers) == ROWS_BEFORE_TABLES:  # one row alone has this number, whatever the threads
            replace(core_row(plan, roots, schema, tables=True) or first)
        return first(row)

    return counted


def core_row(plan: Plan, roots: Sequence[int], schema: RowSchema, *, tables: bool = False) -> CoreRow | None:
    """The function of one raw row; None where there is no core, or it does not carry all that `roots` depend on.

    `tables`: with tables by word; None where they are of no use.
    """
    one_table = not plan.context and schema.key is None
    encoder = encode_row if tables else encode
    core = encoder(plan, roots) if one_table and level() is not None else None
    if core is None or not _carries_all(plan, roots, core):
        return None
    names = [plan.nodes[node].settings["column"] for node in core.taken]
    readers = [_reader(schema.by_name[name], kind) for name, kind in zip(names, core.taken_kinds, strict=True)]
    if None in readers:
        return None
    native = load_plan(core.data)
    if native is None:
        return None
    texts = tuple(core.words.column_words())
    native.reads(readers, core.words.words, [texts if kind == "t" else None for kind in core.kinds])
    row: CoreRow = native.row
    return row


def _carries_all(plan: Plan, roots: Sequence[int], core: CorePlan) -> bool:
    raw = all(plan.nodes[node].operation == "input" for node in core.taken)
    return raw and "v" not in core.kinds and core.given == tuple(roots)


def _reader(column: Column, kind: str) -> Reader | None:
    """How the core reads a column's value; None where its checks are for Python alone."""
    absent = () if column.required else (column.default,)
    if column.kind in ("datetime", "date") or column.allowed is not None:
        convert = _converter(column)
        return convert and _spec(column, "c", absent, convert=convert)
    if column.kind == "number":
        low, open_low = _bound(column.ge, column.gt, -math.inf, max)
        high, open_high = _bound(column.le, column.lt, math.inf, min)
        whole = (-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER)
        return _spec(column, "d", absent, floats=(low, open_low, high, open_high), whole=whole)
    if column.kind == "integer":
        return _spec(column, "n" if column.nullable else "i", absent, whole=_whole_bounds(column))
    if column.kind == "boolean":
        return _spec(column, "m" if column.nullable else "b", absent)
    if column.pattern is not None:
        return None
    most = _LARGEST if column.max_length is None else column.max_length
    return _spec(column, kind, absent, whole=(column.min_length or 0, most))


def _spec(
    column: Column,
    kind: str,
    absent: tuple[Any, ...],
    *,
    floats: tuple[float, bool, float, bool] = (-math.inf, False, math.inf, False),
    whole: tuple[int, int] = (-_LARGEST - 1, _LARGEST),
    convert: Any = None,
) -> Reader:
    low, open_low, high, open_high = floats
    checks = (int(column.nullable), int(column.finite), low, int(open_low), high, int(open_high))
    return (column.name, ord(kind), *checks, *whole, convert, absent)


def _bound(closed: Any, opened: Any, none: float, tighter: Callable[..., float]) -> tuple[float, bool]:
    """The tighter of two bounds, and whether it is excluded itself."""
    if closed is None and opened is None:
        return none, False
    if opened is None or (closed is not None and tighter(closed, opened) != opened):
        return float(closed), False
    return float(opened), True


def _whole_bounds(column: Column) -> tuple[int, int]:
    """The least and the largest integer that a column may have."""
    ends = (-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) if column.nullable else (-_LARGEST - 1, _LARGEST)
    least = [ends[0], *_whole(column.ge, 0), *_whole(column.gt, 1)]
    most = [ends[1], *_whole(column.le, 0), *_whole(column.lt, -1)]
    return min(max(least), _LARGEST), max(min(most), -_LARGEST - 1)


def _whole(bound: Any, more: int) -> list[int]:
    return [] if bound is None else [int(bound) + more]


def _converter(column: Column) -> Callable[[Any], int | None] | None:
    """The function that converts a value to an integer of the plan, None for one that Python has to judge."""
    if column.kind == "integer" and not column.nullable:
        known = frozenset(column.allowed or ())
        least, most = _whole_bounds(column)
        return lambda value: value if type(value) is int and value in known and least <= value <= most else None
    if column.kind not in ("datetime", "date"):
        return None
    kind: type[date] = datetime if column.kind == "datetime" else date
    missing = NAT if column.nullable else None
    bounds = [(_HOLDS[option], getattr(column, option)) for option in BOUNDS if getattr(column, option) is not None]

    def convert(value: Any) -> int | None:
        if value is None:
            return missing
        if type(value) is not kind or getattr(value, "tzinfo", None) is not None:
            return None
        if not all(holds(value, bound) for holds, bound in bounds):
            return None
        return microseconds(value) if isinstance(value, datetime) else (value.toordinal() - _FIRST_DAY) * _DAY

    return convert
