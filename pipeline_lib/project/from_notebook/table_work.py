"""Work on a table before the split: what in a statement drops rows, and what changes values, anywhere in its chain.

An expression is followed along its chain, `table.a(...).b(...)[...]`, into lambdas and into the arguments of functions
that return tables. What is inside brackets, or below a statistic such as `mean`, is no work on the table.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline_lib.project.from_notebook.calls import Imports, argument, assigned, calls, method, receiver
from pipeline_lib.project.from_notebook.plan import Plan

STATISTICS = ("mean", "median", "mode", "std", "var", "min", "max", "quantile", "sum", "rank", "value_counts")
_NUMBERS = (*STATISTICS, "count", "nunique", "unique", "describe", "agg", "aggregate", "size", "any", "all", "idxmax")
_DROPS = (
    *("dropna", "drop_duplicates", "query", "sample", "nlargest", "nsmallest", "head", "tail", "truncate"),
    *("between_time", "at_time"),
)
_CHANGES = frozenset(
    [
        *("fillna", "ffill", "bfill", "pad", "backfill", "interpolate", "replace", "where", "mask", "clip", "astype"),
        *("assign", "map", "applymap", "apply", "transform", "merge", "join", "combine_first", "round", "abs", "eval"),
        *("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow", "shift", "diff", "pct_change", "cumsum"),
        *("rename", "set_axis", "melt", "pivot", "pivot_table", "stack", "unstack", "explode", "update", "strip"),
        *("convert_dtypes", "infer_objects", "tz_localize", "tz_convert", "resample", "rolling", "ewm", "expanding"),
    ]
)
_TEXT = ("str", "dt", "cat")
_FUNCTIONS = {
    *(f"pandas.{name}" for name in ("merge", "merge_asof", "to_numeric", "to_datetime", "to_timedelta", "melt")),
    *(f"numpy.{name}" for name in ("log", "log1p", "log2", "log10", "sqrt", "cbrt", "square", "power", "exp", "expm1")),
    *(f"numpy.{name}" for name in ("where", "nan_to_num", "clip", "round", "abs", "digitize", "select", "sign")),
}
_MASKS = (
    *("isin", "notna", "notnull", "isna", "isnull", "between", "duplicated", "contains", "startswith", "endswith"),
    *("eq", "ne", "gt", "lt", "ge", "le", "isnumeric", "isdigit", "match", "fullmatch", "isfinite", "any", "all"),
)
FILTER, SLICE = "a filter", "a slice"


@dataclass(frozen=True)
class Work:
    """One piece of work: whether it may drop rows, and its name, `()` at the end for a function of the notebook."""

    drops: bool
    name: str


class TableWork:
    """Reads the work in the statements of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.imports: Imports = plan.roles.imports
        self.functions = {
            name: node
            for name, index in plan.roles.functions.items()
            if isinstance(node := plan.statements[index].node, ast.FunctionDef)
        }
        self._open: set[str] = set()

    def of(self, node: ast.stmt, index: int) -> list[Work]:
        """The work of a statement, each name once; `index` is its place, or that of the statement around it."""
        return list(dict.fromkeys(self._statement(node, index)))

    def of_value(self, value: ast.expr, index: int) -> list[Work]:
        """The work of an expression, each name once."""
        return list(dict.fromkeys(self._value(value, index)))

    def _statement(self, node: ast.stmt, index: int) -> Iterator[Work]:
        match node:
            case ast.For() | ast.While() | ast.If() | ast.With() | ast.Try():
                for part in ast.iter_child_nodes(node):
                    parts = part.body if isinstance(part, ast.ExceptHandler) else [part]
                    for inner in (one for one in parts if isinstance(one, ast.stmt)):
                        yield from self._statement(inner, index)
            case ast.Expr(value=ast.Call() as call):
                yield from self._in_place(call)
                if isinstance(call.func, ast.Name) and call.func.id in self.functions and self._changes(index):
                    yield from self._function(call.func.id, index)
            case ast.AugAssign():
                yield Work(False, "an assignment")
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from self._target(target)
                if any(not _is_column(target) for target in targets):
                    yield from self._value(value, index)
            case ast.AnnAssign(value=value) if value is not None:
                yield from self._value(value, index)

    def _changes(self, index: int) -> bool:
        return bool(self.plan.flow.names[index].changes)

    def _target(self, target: ast.expr) -> Iterator[Work]:
        match target:
            case ast.Attribute(attr="columns"):
                yield Work(False, "new names of columns")
            case ast.Attribute(attr="index" | "name"):
                return
            case ast.Subscript() | ast.Attribute():
                yield Work(False, "an assignment")

    def _in_place(self, call: ast.Call) -> Iterator[Work]:
        """`table.dropna(inplace=True)` and the like."""
        if not any(keyword.arg == "inplace" and ast.unparse(keyword.value) == "True" for keyword in call.keywords):
            if method(call) in ("insert", "update"):
                yield Work(False, method(call))
        elif _drops(call):
            yield Work(True, method(call))
        elif method(call) not in ("drop", "reset_index", "set_index", "sort_values", "sort_index"):
            yield Work(False, method(call))

    def _value(self, value: ast.expr, index: int) -> Iterator[Work]:
        match value:
            case ast.Call():
                yield from self._call(value, index)
            case ast.Subscript(value=table, slice=key):
                yield from self._value(table, index)
                yield from self._brackets(table, key, index)
            case ast.Attribute(value=table) if value.attr not in ("shape", "size", "columns", "index"):
                yield from self._value(table, index)
            case ast.BinOp(left=left, right=right) if not isinstance(value.op, ast.BitAnd | ast.BitOr):
                yield from [*self._value(left, index), *self._value(right, index)]
                if _is_table(left) or _is_table(right):
                    yield Work(False, "arithmetic")
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    yield from self._value(part, index)
            case ast.Lambda(body=body):
                yield from self._value(body, index)
            case ast.IfExp(body=body, orelse=other):
                yield from [*self._value(body, index), *self._value(other, index)]
            case ast.NamedExpr(value=inner):
                yield from self._value(inner, index)

    def _call(self, call: ast.Call, index: int) -> Iterator[Work]:
        full, name, on = self.imports.name(call.func), method(call), receiver(call)
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(call.func, ast.Name) and call.func.id in self.functions:
            yield from self._function(call.func.id, index)
        if full or on is None:  # a function: its arguments may be tables
            for part in arguments:
                yield from self._value(part, index)
            if full in _FUNCTIONS:
                yield Work(False, full.rpartition(".")[2])
            return
        if name in _NUMBERS:
            if any(method(inner) == "groupby" for inner in calls(on)):
                yield Work(False, "groupby")
            return
        yield from self._value(on, index)
        if _drops(call):
            yield Work(True, name)
        elif name in _CHANGES or (isinstance(on, ast.Attribute) and on.attr in _TEXT):
            yield Work(False, name)
        for part in arguments:
            if isinstance(part, ast.Lambda):
                yield from self._value(part.body, index)
            elif isinstance(part, ast.Name) and part.id in self.functions:
                yield from self._function(part.id, index)

    def _function(self, name: str, index: int) -> Iterator[Work]:
        """A function of the notebook, with the rows that it drops."""
        if name in self._open:
            return
        self._open.add(name)
        body = self.functions[name].body
        found = [work for node in body for work in [*self._statement(node, index), *self._returned(node, index)]]
        self._open.discard(name)
        yield Work(False, f"{name}()")
        yield from (Work(True, f"{work.name} in {name}()") for work in found if work.drops)

    def _returned(self, node: ast.stmt, index: int) -> Iterator[Work]:
        for part in ast.walk(node):
            if isinstance(part, ast.Return) and part.value is not None:
                yield from self._value(part.value, index)

    def _brackets(self, table: ast.expr, key: ast.expr, index: int) -> Iterator[Work]:
        of = table.attr if isinstance(table, ast.Attribute) else ""
        rows = key.elts[0] if isinstance(key, ast.Tuple) and key.elts else key
        if of in _TEXT:
            yield Work(False, of)
        elif isinstance(rows, ast.Slice) and of != "columns":
            if rows.lower is not None or rows.upper is not None or rows.step is not None:
                yield Work(True, SLICE)
        elif self._is_mask(rows, index):
            yield Work(True, FILTER)

    def _is_mask(self, key: ast.expr, index: int) -> bool:
        """Whether a key in brackets chooses rows by truth values."""
        match key:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Invert() | ast.Not()):
                return True
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
                return True
            case ast.Call():
                return method(key) in _MASKS or self.imports.name(key.func).rpartition(".")[2] in _MASKS
            case ast.Subscript(value=inner) | ast.Attribute(value=inner, attr="values"):
                return isinstance(key, ast.Attribute) and self._is_mask(inner, index)
            case ast.Name(id=name):
                made = self.plan.flow.made_by(name, index)
                found = assigned(self.plan.statements[made[0]].node) if made else None
                return found is not None and found[0] == name and self._is_mask(found[1], made[0])
        return False


def inner_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Every call in a tree, those in lambdas too, but not those in functions that it defines."""
    yield from calls(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Lambda):
            yield from calls(part.body)


def uses_statistic(value: ast.AST) -> bool:
    """Whether an expression has a statistic over the rows, and not over the columns of each row."""
    return any(
        method(call) in STATISTICS and ast.unparse(argument(call, 0, "axis") or call) not in ("1", "'columns'")
        for call in inner_calls(value)
    )


def _drops(call: ast.Call) -> bool:
    """Whether a method may drop rows: `drop` does where it names rows, `dropna` unless it drops columns."""
    name = method(call)
    axis = argument(call, 1 if name == "drop" else 0, "axis")
    of_columns = axis is not None and ast.unparse(axis) in ("1", "'columns'")
    if name == "drop":
        only_columns = argument(call, 99, "columns") is not None and argument(call, 99, "index") is None
        return not of_columns and not only_columns and bool(call.args or call.keywords)
    if name == "sample" and ast.unparse(argument(call, 1, "frac") or call) in ("1", "1.0"):  # it only shuffles
        return False
    return name in _DROPS and not (name == "dropna" and of_columns)


def _is_column(target: ast.expr) -> bool:
    return isinstance(target, ast.Subscript | ast.Attribute)


def _is_table(value: ast.expr) -> bool:
    """Whether an operand of arithmetic may be a table or a column: neither a literal nor a length."""
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Attribute) and value.value.attr == "shape":
        return False
    return isinstance(value, ast.Subscript | ast.Attribute | ast.Name) or (
        isinstance(value, ast.Call) and bool(method(value)) and method(value) not in _NUMBERS
    )
