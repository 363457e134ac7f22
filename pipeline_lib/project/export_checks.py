"""What a notebook must be for its export to be a module that imports: directives, cell ids, code, definitions.

nbdev leaves a cell out without a word when it does not recognise its directive, and copies code that a cell may have
and a module may not. Each check returns its problems, one a line, so that all of a notebook's are shown at once.
"""

import ast
import difflib
import io
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from pipeline_lib.project.notebooks import Cell, id_problem

_EXPORTING = ("default_exp", "export", "exporti", "exports", "exportd")
"""nbdev's directives that decide what is exported."""
_DIRECTIVE = re.compile(r"\s*#\s*\|\s*([^\s:]+)\s*:?\s*(.*?)\s*$")
_LEADING = re.compile(r"\s*(#\s*\||%%\w|$)")
"""A line above which nbdev still looks for directives: a directive, a cell magic, an empty line."""
_WITHOUT_BAR = re.compile(r"\s*#\s*(default_exp\s+[\w.]+|export[is]?)\s*$")
"""A directive as nbdev 1 had it."""
_CLOSE = 0.75
"""How alike a word must be to a directive to count as misspelt, as difflib measures it: `exprt` to `export` is 0.91."""


def directive_problems(shown: str, cells: Sequence[Cell], module: str) -> list[str]:
    """Misspelt and misplaced directives, and wrong arguments of right ones. `module` is the one of the notebook."""
    problems = []
    for cell in cells:
        if cell.kind != "code":
            continue
        lines = cell.source.splitlines()
        top = next((number for number, line in enumerate(lines) if not _LEADING.match(line)), len(lines))
        found = [
            (number, match[1], match[2])
            for number, line in enumerate(lines[:top], start=1)
            if (match := _DIRECTIVE.match(line))
        ]
        if top < len(lines) and _WITHOUT_BAR.match(lines[top]) and not any(name in _EXPORTING for _, name, _ in found):
            words = lines[top].strip().lstrip("# ")
            problems.append(
                f"{shown}: {cell}, line {top + 1}: found `{lines[top].strip()}`, expected `#| {words}`; add the bar"
            )
        texts = [text for number, name, value in found if (text := _spelling_or_value(number, name, value, module))]
        texts += [
            f", line {number}: found `{comment}` below other lines, expected it at the top of the cell; move it there"
            for number, comment in _comments(cell.source)
            if number > top and (match := _DIRECTIVE.match(comment)) and match[1] in _EXPORTING
        ]
        problems += [f"{shown}: {cell}{text}" for text in texts]
    return problems


def _spelling_or_value(number: int, name: str, value: str, module: str) -> str | None:
    """What is wrong with one directive; None for a right one and for one that has nothing to do with export."""
    near = [name] if name in _EXPORTING else difflib.get_close_matches(name.lower(), _EXPORTING, n=1, cutoff=_CLOSE)
    if not near:
        return None
    right = f"#| default_exp {module}" if near[0] == "default_exp" else f"#| {near[0]}"
    if name not in _EXPORTING:
        return f", line {number}: found the directive `#| {name}`, expected `{right}`; correct the word"
    if name == "default_exp" and len(value.split()) != 1:
        return f", line {number}: found `#| {f'{name} {value}'.strip()}`, expected `{right}`; name one module"
    if name != "default_exp" and value not in ("", "true"):
        return f", line {number}: found `#| {name} {value}`, expected plain `{right}`: one notebook, one module"
    return None


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """The comments of a cell with their lines; up to where it stops to be Python."""
    with suppress(SyntaxError, tokenize.TokenError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def id_problems(shown: str, exported: Sequence[Cell]) -> list[str]:
    """Exported cells that the module cannot name: without an id, with a wrong one, with that of another cell."""
    counts = Counter(cell.id for cell in exported)
    problems = []
    for cell in exported:
        problem = id_problem(cell)
        if problem:
            problems.append(f"{shown}: cell {cell.number}: {problem}")
        elif not cell.id:
            problems.append(
                f"{shown}: {cell}: found an exported cell without an id, expected one, as notebooks of format 4.5 "
                "have; save it again from JupyterLab"
            )
        elif counts[cell.id] > 1 and cell != next(other for other in exported if other.id == cell.id):
            problems.append(
                f"{shown}: {cell}: found the id of an earlier cell, expected one of its own; copy the cell's text "
                "into a new cell, and delete this one"
            )
    return problems


def code_problems(shown: str, exported: Sequence[Cell], package: str) -> list[str]:
    """Exported cells that are no Python, or no Python for a module of this package; names that two cells define."""
    problems = [f"{shown}: {cell}{text}" for cell in exported for text in _cell_problems(cell, package)]
    return problems or _definition_problems(shown, exported)


def _cell_problems(cell: Cell, package: str) -> list[str]:
    try:
        cell.source.encode()
        tree = ast.parse(cell.source)
    except ValueError as error:  # half of a surrogate pair, a NUL
        return [f": found {error}, expected text that a file can hold; fix the cell"]
    except SyntaxError as error:
        return [
            f", line {error.lineno}: found a syntax error in an exported cell ({error.msg}), expected plain Python; "
            "fix the cell"
        ]
    refused = module_error(tree)
    if refused:
        return [f", line {refused.lineno}: {describe_module_error(refused)}"]
    return [
        f", line {node.lineno}: found `{ast.unparse(node)}`, expected {_absolute(node, package)}: a notebook is in no "
        "package; write the whole name, export makes it relative"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def module_error(code: ast.Module | str) -> SyntaxError | None:
    """Why Python cannot compile this code as a module; None where it can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code, "<exported>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error
    return None


def describe_module_error(error: SyntaxError) -> str:
    """The part of a message that says what a module cannot have, and what to do."""
    outside = "outside" in error.msg  # 'await' outside function, 'return' outside function
    remedy = "move it into a function, or into a cell that is not exported" if outside else "change the cell"
    return f"found code that a module cannot have ({error.msg}), expected a module that imports; {remedy}"


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """A relative import as the notebook must write it."""
    parents = package.split(".")
    if node.level > len(parents):
        return "an import of a module of this project"
    name = ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])
    return f"`{ast.unparse(ast.ImportFrom(name, node.names, 0))}`"


def _definition_problems(shown: str, exported: Sequence[Cell]) -> list[str]:
    first: dict[str, str] = {}
    problems = []
    for cell in exported:
        for statement in ast.parse(cell.source).body:
            here = f"{cell}, line {statement.lineno}"
            for name in _defined_names(statement):
                if name in first and not _uses(statement, name):
                    problems.append(
                        f"{shown}: {here}: found a second definition of {name} (the first: {first[name]}), expected "
                        "one for each name of a module; remove or rename one"
                    )
                first.setdefault(name, here)
    return problems


def _defined_names(statement: ast.stmt) -> list[str]:
    """Names that a statement of the module defines, but for those that may be defined several times."""
    names: list[str] = []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        words = [re.split(r"\W", ast.unparse(decorator)) for decorator in statement.decorator_list]
        if not any(word.startswith("patch") or word == "overload" for name in words for word in name):
            names = [statement.name]
    elif isinstance(statement, ast.Assign):
        names = [node.id for target in statement.targets for node in _parts(target) if isinstance(node, ast.Name)]
    elif isinstance(statement, ast.AnnAssign) and statement.value and isinstance(statement.target, ast.Name):
        names = [statement.target.id]
    return [name for name in names if name not in ("_", "_all_")]


def _parts(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _uses(statement: ast.stmt, name: str) -> bool:
    """Whether a definition builds on the earlier one of its name: `x = f(x)`, `@f.register`."""
    parts: list[ast.expr] = []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        parts = [*statement.decorator_list, *getattr(statement, "bases", ())]
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
        parts = [statement.value]
    return any(isinstance(node, ast.Name) and node.id == name for part in parts for node in ast.walk(part))
