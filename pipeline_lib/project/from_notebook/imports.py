"""Import lines for code that is moved: only what it uses, sorted as the style checker wants them."""

import ast
import sys
from collections.abc import Iterable

from pipeline_lib.project.from_notebook.names import free_names
from pipeline_lib.project.from_notebook.source import Statement


def used_names(sources: Iterable[str]) -> set[str]:
    """Names that some code reads and does not bind itself at its top level."""
    result: set[str] = set()
    for source in sources:
        tree = ast.parse(source)
        result |= free_names(tree.body)
        result |= {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}
    return result


def import_lines(statements: Iterable[Statement], used: set[str], added: Iterable[str] = ()) -> list[str]:
    """Lines that import the used names as the notebook did, and lines of our own, in sections.

    >>> from pipeline_lib.project.from_notebook.source import SourceCell, statements
    >>> code = "import os, numpy as np\\nfrom sklearn.svm import SVC, SVR"
    >>> import_lines(statements([SourceCell(1, "code", code, code)]), {"np", "SVC"})
    ['import numpy as np', 'from sklearn.svm import SVC']
    """
    plain: dict[str, None] = {}
    parts: dict[str, set[str]] = {}
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) in used:
                    plain[f"import {ast.unparse(alias)}"] = None
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.module == "sklearn.experimental":
                    plain[f"from {node.module} import {alias.name}  # noqa: F401"] = None  # it switches a class on
                elif (alias.asname or alias.name) in used or alias.name == "*":
                    parts.setdefault("." * node.level + (node.module or ""), set()).add(ast.unparse(alias))
    for line in added:
        node = ast.parse(line).body[0]
        if isinstance(node, ast.ImportFrom):
            parts.setdefault(node.module or "", set()).update(ast.unparse(alias) for alias in node.names)
        else:
            plain[line] = None
    return _sorted(plain, parts)


def _sorted(plain: Iterable[str], parts: dict[str, set[str]]) -> list[str]:
    sections: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for line in sorted(plain, key=str.lower):
        sections[_section(line.split()[1])].append(line)
    for module in sorted(parts, key=str.lower):
        names = sorted(parts[module], key=lambda name: (not name.isupper(), name[:1].islower(), name))
        sections[_section(module)].append(f"from {module} import {', '.join(names)}")
    lines: list[str] = []
    for section in sections.values():
        lines += ["", *section] if lines and section else section
    return lines


def _section(module: str) -> int:
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names:
        return 0
    return 2 if root == "pipeline_lib" or module.startswith(".") else 1
