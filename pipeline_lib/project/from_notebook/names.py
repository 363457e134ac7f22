"""What a statement reads, binds and changes."""

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__", "In", "Out", "_", "__"}
_CHANGING = frozenset(
    [
        "fit",
        "partial_fit",
        "fit_transform",
        "fit_predict",
        "fit_resample",
        "append",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "update",
        "sort",
        "reverse",
        "clear",
        "add",
        "discard",
        "setdefault",
        "set_params",
        "set_output",
        "set_index_names",
        "seed",
    ]
)
"""Methods that change the object that they are called on."""


@dataclass(frozen=True)
class Names:
    """Names that one statement reads now, reads when a function that it defines is called, binds, and changes.

    `certain` is whether it binds them whenever it runs: a loop or an `if` may not.
    """

    reads: frozenset[str]
    late: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]
    certain: bool


def names_of(node: ast.stmt, changing_functions: Mapping[str, frozenset[int]] | None = None) -> Names:
    """The names of a statement; `changing_functions` names own functions that change their arguments, by position.

    >>> names = names_of(ast.parse('df["a"] = df["b"].fillna(mean)').body[0])
    >>> sorted(names.reads), sorted(names.binds), sorted(names.changes)
    (['df', 'mean'], [], ['df'])
    """
    walker = _Walker(changing_functions or {})
    walker.visit(node)
    certain = not isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.With)
    if isinstance(node, ast.With):
        certain = True
    return Names(
        frozenset(walker.reads - walker.own),
        frozenset(walker.late),
        frozenset(walker.binds),
        frozenset(walker.changes),
        certain,
    )


def changed_arguments(function: ast.FunctionDef) -> frozenset[int]:
    """Positions of a function's arguments that its body changes in place before it assigns other values to them."""
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bound: set[str] = set()
    changed: set[str] = set()
    for statement in function.body:
        names = names_of(statement)
        changed |= names.changes - bound
        bound |= names.binds
    return frozenset(place for place, name in enumerate(parameters) if name in changed)


def free_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Names that expressions read from outside."""
    walker = _Walker({})
    for node in nodes:
        walker.visit(node)
    return frozenset(walker.reads)


class _Walker(ast.NodeVisitor):
    def __init__(self, changing_functions: Mapping[str, frozenset[int]]) -> None:
        self.reads: set[str] = set()
        self.late: set[str] = set()
        self.binds: set[str] = set()
        self.changes: set[str] = set()
        self.own: set[str] = set()  # bound inside this statement before it reads them
        self._functions = changing_functions

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.binds:
                self.reads.add(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.binds.add(node.id)
        else:
            self.changes.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._target(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
            self._target(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._target(node.target)
        if isinstance(node.target, ast.Name):
            self.reads.add(node.target.id)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.reads.add(target.id)
            else:
                self._target(target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._target(node.target)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        self.binds |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.binds |= {alias.asname or alias.name for alias in node.names}

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self.visit(part)
        self.late |= _inside(node.body, node.args)
        self.binds.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)
        self.late |= _inside(node.body, None)
        self.binds.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.reads |= _inside([ast.Expr(node.body)], node.args)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        bound: set[str] = set()
        for generator in node.generators:
            self.reads |= free_names([generator.iter]) - bound
            bound |= {part.id for part in ast.walk(generator.target) if isinstance(part, ast.Name)}
            self.reads |= free_names(generator.ifs) - bound
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.reads |= free_names(results) - bound

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        inplace = any(
            keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            for keyword in node.keywords
        )
        if isinstance(node.func, ast.Attribute) and (inplace or node.func.attr in _CHANGING):
            root = root_name(node.func.value)
            if root:
                self.changes.add(root)
        if isinstance(node.func, ast.Name):
            for place in self._functions.get(node.func.id, ()):
                if place < len(node.args) and (root := root_name(node.args[place])):
                    self.changes.add(root)

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.binds.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._target(part)
        elif isinstance(target, ast.Starred):
            self._target(target.value)
        else:
            root = root_name(target)
            if root:
                self.changes.add(root)
            self.visit(target)


def root_name(node: ast.AST) -> str | None:
    """The variable that `df["a"].values` and the like begin with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _inside(body: list[ast.stmt], arguments: ast.arguments | None) -> set[str]:
    """Names that the body of a function reads from outside of it."""
    own = {"__class__"}
    if arguments:
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        own |= {argument.arg for argument in every}
        own |= {argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument}
    walker = _Walker({})
    for statement in body:
        walker.visit(statement)
    return (walker.reads | walker.late | walker.changes) - own - walker.binds
