"""Calls as the notebook writes them, with the full names of what it imports."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.source import Statement

_ESTIMATOR_PACKAGES = ("sklearn", "xgboost", "lightgbm", "catboost", "feature_engine", "category_encoders", "imblearn")
SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
PIPELINES = ("Pipeline", "make_pipeline")


class Imports:
    """Full names of imported things by the names that the notebook gives them."""

    def __init__(self, statements: list[Statement]) -> None:
        self.full: dict[str, str] = {}
        for statement in statements:
            node = statement.node
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    self.full[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.full[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def name(self, function: ast.AST) -> str:
        """The full name of a function or class that is called, "" for a method of a value.

        >>> imports = Imports([])
        >>> imports.full["np"] = "numpy"
        >>> imports.name(ast.parse("np.random.seed", mode="eval").body)
        'numpy.random.seed'
        """
        parts: list[str] = []
        while isinstance(function, ast.Attribute):
            parts.append(function.attr)
            function = function.value
        if not isinstance(function, ast.Name) or function.id not in self.full:
            return ""
        return ".".join([self.full[function.id], *reversed(parts)])

    def makes_estimator(self, node: ast.AST) -> str:
        """The class that a call makes an instance of, where it is of a library of estimators; else ""."""
        name = self.name(node.func) if isinstance(node, ast.Call) else ""
        package, _, last = name.partition(".")[0], "", name.rpartition(".")[2]
        estimator = package in _ESTIMATOR_PACKAGES and (last[:1].isupper() or last in ("make_pipeline",))
        return last if estimator and not last.endswith("Warning") else ""


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """Every call in a tree, outer ones first, without those in functions that it defines."""
    return (found for found in expressions(node) if isinstance(found, ast.Call))


def expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Every expression in a tree, outer ones first, without those in functions that it defines."""
    waiting = [node]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, ast.expr):
            yield current
        waiting += [
            child
            for child in ast.iter_child_nodes(current)
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        ]


def method(call: ast.Call) -> str:
    """The method that a call calls, "" for a function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def receiver(call: ast.Call) -> ast.expr | None:
    """What a method is called on."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """An argument by its place or its name."""
    if len(call.args) > place:
        return call.args[place]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def assigned(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """The name and the value of `name = value`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
            return name, value
    return None


def value_for(statement: ast.stmt, name: str) -> ast.expr | None:
    """The value that a statement assigns to a name, also in `a, b = 1, 2`; None where that is no single expression."""
    found = assigned(statement)
    if found:
        return found[1] if found[0] == name else None
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            pairs = zip(targets, values, strict=True)
            return next((value for target, value in pairs if isinstance(target, ast.Name) and target.id == name), None)
    return None


def assigned_tuple(statement: ast.stmt) -> tuple[list[str], ast.expr] | None:
    """The names and the value of `a, b = value`."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=parts)], value=value) if all(
            isinstance(part, ast.Name) for part in parts
        ):
            return [part.id for part in parts if isinstance(part, ast.Name)], value
    return None
