"""The text of a research notebook's cell tagged `parameters`, as export writes it from the parameters file.

The cell is one assignment of a literal for each field of `Params`. Comments that stand in it stay with the assignment
that they are next to.
"""

import ast
import io
import tokenize
import unicodedata
from collections.abc import Mapping
from typing import Any

HEADING = "# `pipeline-lib export` writes this cell from the parameters file: change the values there"
_WIDTH = 120
"""Columns of a line, as the formatter of the notebooks has it: an assignment that is longer is written over several."""
_INDENT = 4


def cell_text(values: Mapping[str, Any], old: str = "") -> str:
    """The source of a parameters cell that assigns JSON values, with the comments of the cell that it replaces.

        >>> print(cell_text({"seed": 0, "estimator": {"alpha": 0.5}}, "seed = 1  # any"))
        # `pipeline-lib export` writes this cell from the parameters file: change the values there
        seed = 0  # any
        estimator = {"alpha": 0.5}

    `old` is Python. The comments of an assignment that has gone go with it; those below the last one stay at the end.
    """
    above, behind, below = _comments(old)
    lines = [HEADING]
    for name, value in values.items():
        assignment, comment = f"{name} = {literal(value, len(name) + 3)}", behind.get(name, "")
        fits = _columns(assignment.rpartition("\n")[2]) + 2 + _columns(comment) <= _WIDTH
        lines += [*above.get(name, ()), *([comment] if comment and not fits else [])]
        lines.append(f"{assignment}  {comment}" if comment and fits else assignment)
    return "\n".join([*lines, *below])


def literal(value: Any, column: int = 0, indent: int = 0) -> str:
    """A JSON value as Python, formatted as ruff formats it; it begins in `column` of a line with `indent`.

    >>> literal({"name": "a", "rates": [0.5, None]})
    '{"name": "a", "rates": [0.5, None]}'
    """
    line = _on_one_line(value)
    if column + _columns(line) <= _WIDTH or not (isinstance(value, dict | list) and value):
        return line
    inner = indent + _INDENT
    if isinstance(value, dict):
        keys = [f"{_quoted(key)}: " for key in value]
        items = [
            f"{key}{literal(item, inner + _columns(key) + 1, inner)}"
            for key, item in zip(keys, value.values(), strict=True)
        ]
        brackets = "{}"
    else:
        items = [literal(item, inner + 1, inner) for item in value]
        brackets = "[]"
    body = "".join(f"{' ' * inner}{item},\n" for item in items)
    return f"{brackets[0]}\n{body}{' ' * indent}{brackets[1]}"


def _columns(line: str) -> int:
    """How wide a line is: East Asian letters and emoji take two columns."""
    return len(line) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)


def _on_one_line(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(key)}: {_on_one_line(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_on_one_line, value))}]"
    return _quoted(value) if isinstance(value, str) else repr(value).replace("e+", "e")


def _quoted(text: str) -> str:
    """A text as a literal, in double quotes unless they need more escapes than single ones."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    return f"{quote}{''.join(_escaped(letter, quote) for letter in text)}{quote}"


def _escaped(letter: str, quote: str) -> str:
    return f"\\{letter}" if letter == quote else letter if letter in "'\"" else repr(letter)[1:-1]


def _comments(source: str) -> tuple[dict[str, list[str]], dict[str, str], list[str]]:
    """Comments of a parameters cell: lines above each assignment and inside it, one behind it, lines below the last."""
    above: dict[str, list[str]] = {}
    behind: dict[str, str] = {}
    below: list[str] = []
    spans = [(statement.end_lineno or statement.lineno, _name(statement)) for statement in ast.parse(source).body]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or token.string == HEADING:
            continue
        last, name = next((span for span in spans if token.start[0] <= span[0]), (0, None))
        if name is None:
            below.append(token.string)
        elif token.start[0] == last and name not in behind and not token.line[: token.start[1]].isspace():
            behind[name] = token.string
        else:
            above.setdefault(name, []).append(token.string)
    return above, behind, below


def _name(statement: ast.stmt) -> str:
    """The name that an assignment binds."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return target.id if isinstance(target, ast.Name) else ""
