"""Changes in a statement's text that leave the rest as its author wrote it."""

import ast
import copy
import io
import json
import textwrap
import tokenize
from collections.abc import Iterable
from contextlib import suppress

from pipeline_lib.project.from_notebook.source import Statement

Edit = tuple[ast.AST, str]
"""A part of a statement's tree and the text that replaces it, or what `added` returned."""


class _Added(ast.keyword):
    """A keyword argument that a call gets, placed where the call closes."""

    call: ast.Call


def added(call: ast.Call, text: str) -> Edit:
    """The edit that gives a call one more argument, such as `random_state=0`."""
    line, column = call.end_lineno or call.lineno, (call.end_col_offset or 1) - 1
    node = _Added(None, ast.Constant(None), lineno=line, col_offset=column, end_lineno=line, end_col_offset=column)
    node.call = call
    return node, text


def edited(statement: Statement, edits: Iterable[Edit]) -> str:
    """The statement's text with parts replaced; inner parts of a replaced one are ignored.

    >>> from pipeline_lib.project.from_notebook.source import SourceCell, statements
    >>> (one,) = statements([SourceCell(1, "code", "x = f(3)  # three", "x = f(3)  # three")])
    >>> edited(one, [(one.node.value.args[0], "params.three"), added(one.node.value, "seed=0")])
    'x = f(params.three, seed=0)  # three'
    """
    chosen = _outermost(list(edits))
    if not chosen:
        return statement.text
    if not statement.alone:
        return _rewritten(statement.node, chosen)
    result = "\n".join(edited_lines(statement.text.splitlines(), statement.start, chosen))
    return result if _parses(result) else _rewritten(statement.node, chosen)


def edited_lines(text: list[str], first: int, edits: Iterable[Edit]) -> list[str]:
    """Lines of a cell with parts replaced, without parts inside each other; `first` is the number of the first line."""
    lines = [line.encode() for line in text]
    for node, text_of in sorted(edits, key=lambda edit: _at(edit[0]), reverse=True):
        start, column, end, end_column = _at(node)
        separator = _separator(lines, first, node) if isinstance(node, _Added) else ""
        before, after = lines[start - first][:column], lines[end - first][end_column:]
        lines[start - first : end - first + 1] = [before + (separator + text_of).encode() + after]
    return [line.decode() for line in lines]


def _separator(lines: list[bytes], first: int, node: _Added) -> str:
    """What goes before one more argument: nothing after `(` or a comma."""
    until = [*lines[node.call.lineno - first : node.lineno - first], lines[node.lineno - first][: node.col_offset]]
    until[0] = until[0][node.call.col_offset :]
    last = ""
    with suppress(tokenize.TokenError):  # the call is not closed
        for token in tokenize.generate_tokens(io.StringIO(b"\n".join(until).decode()).readline):
            last = token.string if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER) else last
            last = "text" if token.type == tokenize.STRING else last
    return "" if last in ("(", ",") else ", "


def edited_node(node: ast.expr, edits: Iterable[Edit]) -> str:
    """The source of an expression with parts replaced, on one line."""
    inside = {id(part) for part in ast.walk(node)}
    mine = [edit for edit in edits if id(edit[0].call if isinstance(edit[0], _Added) else edit[0]) in inside]
    return _rewritten(node, _outermost(mine))


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


def _at(node: ast.AST) -> tuple[int, int, int, int]:
    return (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def _outermost(edits: list[Edit]) -> list[Edit]:
    replaced = [node for node, _ in edits if not isinstance(node, _Added)]
    inside = {id(part) for node in replaced for part in ast.walk(node) if part is not node}
    whole = {id(node) for node in replaced}
    return [
        (node, text)
        for node, text in edits
        if (id(node.call) not in inside | whole if isinstance(node, _Added) else id(node) not in inside)
    ]


def _rewritten(node: ast.stmt | ast.expr, edits: list[Edit]) -> str:
    """The source of a changed copy of a statement or expression, without its comments."""
    memo: dict[int, object] = {}
    copied = copy.deepcopy(node, memo)
    texts = {id(memo[id(part)]): text for part, text in edits if id(part) in memo}
    more = {id(memo[id(part.call)]): text for part, text in edits if isinstance(part, _Added)}

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if id(node) in texts:
                return ast.parse(texts[id(node)], mode="eval").body
            added_text = more.get(id(node))
            result: ast.AST = super().visit(node)
            if added_text is not None and isinstance(result, ast.Call):
                call = ast.parse(f"f({added_text})", mode="eval").body
                assert isinstance(call, ast.Call)  # noqa: S101
                result.keywords += call.keywords
            return result

    return ast.unparse(Replace().visit(copied))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
