"""The row executor: a plan as straight-line Python over the values of one row."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import write_over_list
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.rows.column import BOUNDS, MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.schema import RowSchema

_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)  # naive, as raw rows are
_SYMBOLS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


class QuickCheckError(Exception):
    """A row that does not pass the quick checks: it may still be valid, which `conform` decides."""


RowFunction = Callable[[Mapping[str, Any]], Any]


def row_function(plan: Plan, roots: Sequence[int], schema: RowSchema) -> RowFunction:
    """A function of one raw row, a mapping by column names, that returns the values of `roots` as a tuple.

    The function is compiled from Python source with one line for each node. It raises QuickCheckError for a missing
    key and for a value that the quick checks do not pass, and InputError for a value that an operation refuses. Of
    several tables it takes the values of columns that conform, without checks.
    """
    code = Code()
    needed = plan.needed(roots)
    inputs = [number for number in needed if plan.nodes[number].operation == "input"]
    names = {f"v{number}": plan.nodes[number].settings["column"] for number in inputs}
    if schema.key is None:
        _write_reading(code, {variable: schema.by_name[name] for variable, name in names.items()})
    else:
        code.lines += [f"{variable} = row[{name!r}]" for variable, name in names.items()]
    written = {number: f"v{number}" for number in inputs}
    for number in needed:
        node = plan.nodes[number]
        if node.operation == "constant":
            written[number] = code.literal(node.settings["value"])
        elif node.operation != "input":
            arguments = [written[taken] for taken in node.inputs]
            dtypes = [plan.nodes[taken].dtype for taken in node.inputs]
            if node.dtype.endswith(LIST) and not OPERATIONS[node.operation].of_lists:
                constant = [plan.nodes[taken].operation == "constant" for taken in node.inputs]
                function_of_columns = OPERATIONS[node.operation].column(node.settings)
                expression = write_over_list(code, function_of_columns, arguments, dtypes, constant)
            else:
                expression = OPERATIONS[node.operation].row(code, node.settings, arguments, dtypes)
            written[number] = expression if expression.isidentifier() else f"v{number}"
            if not expression.isidentifier():
                code.line(f"v{number} = {expression}")
    code.line(f"return ({''.join(written[root] + ', ' for root in roots)})")
    function: RowFunction = code.function("predict_row", "row", "<compiled pipeline>")
    return function


def _write_reading(code: Code, columns: Mapping[str, Column]) -> None:
    refuse = code.bind(QuickCheckError, "QuickCheck")
    code.line("try:")
    for name, column in columns.items():
        key = repr(column.name)
        reading = f"row[{key}]" if column.required else f"row.get({key}, {code.literal(column.default)})"
        code.line(f"    {name} = {reading}")
    code.line("    pass")
    code.line(f"except KeyError: raise {refuse} from None")
    for name, column in columns.items():
        if column.kind == "number" and column.nullable and not column.finite and not _bounds(name, column, code):
            code.line(f"if type({name}) is not float: {name} = {code.bind(_any_number, 'number')}({name})")
            continue
        check = f"if {_CHECKS[column.kind](name, column, code)}: raise {refuse}"
        if column.nullable:
            code.line(f"if {name} is None: {name} = {_MISSING[column.kind](code)}")
            code.line(f"el{check}")
        else:
            code.line(check)
        conversion = _CONVERSIONS[column.kind](name, column, code)
        if conversion:
            code.line(f"{'else' if column.nullable else 'if True'}: {name} = {conversion}")


def _any_number(value: Any) -> float:
    """A number of a column that takes any, and missing ones; there may be hundreds of such columns."""
    if value is None:
        return math.nan
    if type(value) is not int or not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        raise QuickCheckError
    return float(value)


def _bounds(name: str, column: Column, code: Code) -> str:
    tests = [
        f" or not {name} {_SYMBOLS[option]} {code.bind(getattr(column, option), 'bound')}"
        for option in BOUNDS
        if getattr(column, option) is not None
    ]
    allowed = column.allowed
    return "".join(tests) + (f" or {name} not in {code.bind(frozenset(allowed), 'allowed')}" if allowed else "")


def _check_integer(name: str, column: Column, code: Code) -> str:
    low, high = (-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) if column.nullable else (-(2**63), 2**63 - 1)
    return f"type({name}) is not int or not {low} <= {name} <= {high}" + _bounds(name, column, code)


def _check_number(name: str, column: Column, code: Code) -> str:
    # NaN is missing: only a nullable column may hold it, and no bound excludes it there
    inexact = f"type({name}) is not int or not {-MAX_EXACT_INTEGER} <= {name} <= {MAX_EXACT_INTEGER}"
    bounds = _bounds(name, column, code).replace(" or not ", f" or {name} == {name} and not ")
    missing = "" if column.nullable else f" or {name} != {name}"
    infinite = f" or {name} - {name} != 0 and {name} == {name}" if column.finite else ""
    return f"(type({name}) is not float and ({inexact}))" + missing + infinite + bounds


def _check_string(name: str, column: Column, code: Code) -> str:
    matching = "" if column.pattern is None else f" or not {code.bind(_matching(column.pattern), 'matches')}({name})"
    lengths = "".join(
        f" or not len({name}) {symbol} {length}"
        for symbol, length in ((">=", column.min_length), ("<=", column.max_length))
        if length is not None
    )
    encodable = code.bind(_encodable, "encodable")
    return (
        f"type({name}) is not str or not ({name}.isascii() or {encodable}({name}))"
        + lengths
        + matching
        + _bounds(name, column, code)
    )


def _matching(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches, by RE2 as for columns; the cache serves rows with the same text."""
    import pyarrow.compute as pc

    return lru_cache(maxsize=1024)(lambda text: bool(pc.match_substring_regex(text, pattern).as_py()))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def microseconds(timestamp: datetime) -> int:
    """Microseconds from 1970 to a naive datetime."""
    return (timestamp - _EPOCH) // _MICROSECOND


_CHECKS: dict[str, Callable[[str, Column, Code], str]] = {
    "integer": _check_integer,
    "number": _check_number,
    "string": _check_string,
    "boolean": lambda name, column, code: f"type({name}) is not bool" + _bounds(name, column, code),
    "datetime": lambda name, column, code: (
        f"type({name}) is not {code.bind(datetime, 'datetime')} or {name}.tzinfo is not None"
        + _bounds(name, column, code)
    ),
    "date": lambda name, column, code: f"type({name}) is not {code.bind(date, 'date')}" + _bounds(name, column, code),
}
_MISSING: dict[str, Callable[[Code], str]] = {
    "integer": lambda code: code.bind(math.nan, "nan"),
    "number": lambda code: code.bind(math.nan, "nan"),
    "string": lambda code: "None",
    "boolean": lambda code: code.bind(math.nan, "nan"),
    "datetime": lambda code: str(NAT),
    "date": lambda code: str(NAT),
}
_CONVERSIONS: dict[str, Callable[[str, Column, Code], str]] = {
    "integer": lambda name, column, code: f"float({name})" if column.nullable else "",
    "number": lambda name, column, code: f"float({name})",
    "string": lambda name, column, code: "",
    "boolean": lambda name, column, code: f"float({name})" if column.nullable else "",
    "datetime": lambda name, column, code: f"{code.bind(microseconds, 'microseconds')}({name})",
    "date": lambda name, column, code: f"({name}.toordinal() - 719163) * 86400000000",
}
