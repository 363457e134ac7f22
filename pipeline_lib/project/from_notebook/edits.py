"""Changes in a statement's text that leave the rest as its author wrote it."""

import ast
import copy
import json
import textwrap
from collections.abc import Iterable

from pipeline_lib.project.from_notebook.source import Statement

Edit = tuple[ast.AST, str]
"""A part of a statement's tree and the text that replaces it."""


def edited(statement: Statement, edits: Iterable[Edit]) -> str:
    """The statement's text with parts replaced; inner parts of a replaced one are ignored.

    >>> from pipeline_lib.project.from_notebook.source import SourceCell, statements
    >>> (one,) = statements([SourceCell(1, "code", "x = f(3)  # three", "x = f(3)  # three")])
    >>> edited(one, [(one.node.value.args[0], "params.three")])
    'x = f(params.three)  # three'
    """
    chosen = _outermost(list(edits))
    if not chosen:
        return statement.text
    if not statement.alone:
        return _rewritten(statement.node, chosen)
    lines = [line.encode() for line in statement.text.splitlines()]
    first = statement.start
    for node, text in sorted(chosen, key=lambda edit: _at(edit[0]), reverse=True):
        start, column, end, end_column = _at(node)
        before, after = lines[start - first][:column], lines[end - first][end_column:]
        lines[start - first : end - first + 1] = [before + text.encode() + after]
    result = b"\n".join(lines).decode()
    return result if _parses(result) else _rewritten(statement.node, chosen)


def indented(text: str, by: int = 4) -> str:
    """A statement's text inside a function; texts over several lines keep their content."""
    result = textwrap.indent(text, " " * by)
    try:
        same = ast.dump(ast.parse(textwrap.dedent(f"if 1:\n{result}")).body[0].body[0])  # type: ignore[attr-defined]
        if same == ast.dump(ast.parse(text).body[0]):
            return result
    except (SyntaxError, IndexError):
        pass
    return textwrap.indent(ast.unparse(ast.parse(text)), " " * by)


def path_edits(node: ast.AST, files: dict[str, str]) -> list[Edit]:
    """`data_path(...)` in place of the names of data files."""
    return [
        (part, f"data_path({json.dumps(files[part.value], ensure_ascii=False)})")
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in files
    ]


def edited_expression(node: ast.expr, edits: dict[int, str]) -> str:
    """The source of an expression with parts replaced."""
    text = ast.unparse(node)
    for part in ast.walk(node):
        if id(part) in edits and isinstance(part, ast.Constant):
            text = text.replace(repr(part.value), edits[id(part)])
    return text


def _at(node: ast.AST) -> tuple[int, int, int, int]:
    return (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def _outermost(edits: list[Edit]) -> list[Edit]:
    inside = {id(part) for node, _ in edits for part in ast.walk(node) if part is not node}
    return [edit for edit in edits if id(edit[0]) not in inside]


def _rewritten(node: ast.stmt, edits: list[Edit]) -> str:
    """The source of a changed copy of a statement, without its comments."""
    memo: dict[int, object] = {}
    copied = copy.deepcopy(node, memo)
    texts = {id(memo[id(part)]): text for part, text in edits if id(part) in memo}

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if id(node) in texts:
                return ast.parse(texts[id(node)], mode="eval").body
            result: ast.AST = super().visit(node)
            return result

    return ast.unparse(Replace().visit(copied))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
