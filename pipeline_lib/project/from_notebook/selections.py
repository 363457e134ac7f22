"""Selections of columns: they keep every row, so they may stand before a split as well as after it."""

import ast
from collections.abc import Container

from pipeline_lib.project.from_notebook.calls import argument, method, receiver
from pipeline_lib.project.from_notebook.estimators import is_literal


def selected_root(value: ast.expr, constants: Container[str]) -> str | None:
    """The variable whose columns an expression selects, None for any other expression.

    `constants` are names of literals: another name in brackets may be a mask of rows.

    >>> selected_root(ast.parse("frame[['a', 'b']].drop(columns=OUT)", mode="eval").body, {"OUT"})
    'frame'
    >>> selected_root(ast.parse("frame[mask]", mode="eval").body, {"OUT"}) is None
    True
    """
    inner = value
    while not isinstance(inner, ast.Name):
        found = _inside(inner, constants)
        if found is None:
            return None
        inner = found
    return inner.id if inner is not value else None


def _inside(value: ast.expr, constants: Container[str]) -> ast.expr | None:
    match value:
        case ast.Subscript(value=ast.Attribute(value=table, attr="loc"), slice=ast.Tuple(elts=[ast.Slice(), columns])):
            whole = value.slice.elts[0]  # type: ignore[attr-defined]
            fine = whole.lower is None and whole.upper is None and _is_known(columns, constants)
            return table if fine else None
        case ast.Subscript(value=table, slice=columns) if _is_known(columns, constants):
            return table
        case ast.Call() if method(value) == "drop":
            dropped = argument(value, 99, "columns")
            axis = argument(value, 1, "axis")
            if dropped is None and isinstance(axis, ast.Constant) and axis.value in (1, "columns"):
                dropped = argument(value, 0, "labels")
            return receiver(value) if dropped is not None and _is_known(dropped, constants) else None
    return None


def _is_known(columns: ast.expr, constants: Container[str]) -> bool:
    if isinstance(columns, ast.Name):
        return columns.id in constants
    if isinstance(columns, ast.BinOp) and isinstance(columns.op, ast.Add):
        return _is_known(columns.left, constants) and _is_known(columns.right, constants)
    return (is_literal(columns) and not isinstance(columns, ast.Constant | ast.Tuple)) or _is_text(columns)


def _is_text(columns: ast.expr) -> bool:
    return isinstance(columns, ast.Constant) and isinstance(columns.value, str)


def column_root(value: ast.expr, constants: Container[str]) -> str | None:
    """The variable of which an expression takes columns, `frame.price` included."""
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        return value.value.id
    return selected_root(value, constants)


def as_brackets(value: ast.expr) -> ast.expr:
    """`frame["price"]` for `frame.price`; other expressions as they are."""
    if isinstance(value, ast.Attribute):
        return ast.Subscript(value.value, ast.Constant(value.attr), ast.Load())
    return value


def any_root(value: ast.expr) -> str | None:
    """The variable that an expression of attributes, calls and brackets begins with."""
    while isinstance(value, ast.Attribute | ast.Subscript | ast.Call):
        value = value.func if isinstance(value, ast.Call) else value.value
    return value.id if isinstance(value, ast.Name) else None


def substituted(value: ast.expr, root: str, new: ast.expr) -> ast.expr:
    """A copy of an expression that begins with `new` in place of the variable `root`."""

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return new if node.id == root else node

    result: ast.expr = Replace().visit(ast.parse(ast.unparse(value), mode="eval").body)
    return result
