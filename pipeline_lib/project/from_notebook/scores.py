"""The numbers by which the original judges its model on the test part."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline_lib.project.from_notebook.calls import Imports, argument, assigned, expressions, method
from pipeline_lib.project.from_notebook.names import free_names
from pipeline_lib.project.from_notebook.roles import Fit, Roles

_SCORES = frozenset(
    [
        "accuracy_score",
        "balanced_accuracy_score",
        "precision_score",
        "recall_score",
        "f1_score",
        "fbeta_score",
        "roc_auc_score",
        "log_loss",
        "matthews_corrcoef",
        "cohen_kappa_score",
        "jaccard_score",
        "hamming_loss",
        "brier_score_loss",
        "average_precision_score",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
        "median_absolute_error",
        "r2_score",
        "max_error",
        "explained_variance_score",
        "mean_absolute_percentage_error",
        "mean_squared_log_error",
        "root_mean_squared_log_error",
    ]
)
SCORE = "score"
"""The name of a model's own `score`, whose meaning depends on its kind."""
_ROOTS = ("numpy.sqrt", "math.sqrt")
_POWERS = ("numpy.power", "math.pow", "pow")
_ROOT_NAMES = {"mean_squared_error": "rmse", "mean_squared_log_error": "rmsle"}
"""The names of square roots that the notebook gives none."""


@dataclass(frozen=True)
class Score:
    """One metric: its name, its statement, the original expression, and the same over `actual` and `predicted`.

    `expression` is "" for a model's own `score`. `functions` are statements of own functions that it calls.
    """

    name: str
    statement: int
    original: str
    expression: str
    probabilities: bool = False
    functions: frozenset[int] = field(default_factory=frozenset)

    @property
    def direction(self) -> str:
        """Which direction is better, as the functions of scikit-learn that it calls are named.

        >>> Score("mse", 3, "", "mean_squared_error(actual, predicted)").direction
        'minimize'
        """
        return "minimize" if re.search(r"_error\b|_loss\b|\bmax_error\b", self.expression) else "maximize"

    @property
    def under_root(self) -> str:
        """The expression whose square root this is, "" for any other metric."""
        inner = root_of(ast.parse(self.expression, mode="eval").body) if self.expression else None
        return ast.unparse(inner) if inner is not None else ""


def deciding(scores: Sequence[Score]) -> Score | None:
    """The metric by which runs are compared: the first one, or the square root that is taken of it later."""
    roots = {score.under_root: score for score in reversed(scores) if score.under_root}
    return roots.get(scores[0].expression, scores[0]) if scores else None


def root_of(value: ast.expr, imports: Imports | None = None) -> ast.expr | None:
    """The expression whose square root is taken, as `np.sqrt(x)`, `x ** 0.5`, `pow(x, 0.5)` and the like; else None.

    Without imports any function that is called `sqrt` or `power` counts.
    """
    match value:
        case ast.BinOp(left=inner, op=ast.Pow(), right=exponent) if _is_half(exponent):
            return inner
        case ast.Call(args=[inner]) if _called(value, imports, _ROOTS):
            return inner
        case ast.Call(args=[inner, exponent]) if _is_half(exponent) and _called(value, imports, _POWERS):
            return inner
    return None


def _is_half(value: ast.expr) -> bool:
    return ast.unparse(value) in ("0.5", "1 / 2")


def _called(call: ast.Call, imports: Imports | None, names: Sequence[str]) -> bool:
    if isinstance(call.func, ast.Name) and call.func.id == "pow":
        return "pow" in names
    if imports is not None:
        return imports.name(call.func) in names
    return ast.unparse(call.func).rpartition(".")[2] in {name.rpartition(".")[2] for name in names}


def scores_of(roles: Roles, model: Fit) -> list[Score]:
    """The metrics of the chosen model on the test part, each name once, in the notebook's order."""
    if roles.split is None:
        return []
    finder = _Finder(roles, model)
    result: dict[str, Score] = {}
    for statement in roles.flow.statements[model.statement :]:
        if isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While):
            continue
        for score in finder.of(statement.index):
            if all(score.expression != other.expression or not score.expression for other in result.values()):
                result.setdefault(score.name, score)
    return list(result.values())


class _Finder:
    def __init__(self, roles: Roles, model: Fit) -> None:
        self.roles, self.model = roles, model
        self.uses = {(index, ast.dump(call)): call for index, call in roles.on_test(model)}

    def of(self, index: int) -> list[Score]:
        node = self.roles.flow.statements[index].node
        found = assigned(node)
        if found and self._is_score(found[1], index):
            score = self._score(found[0], found[1], index)
            if score:
                return [score]
        result = []
        under_roots: set[int] = set()
        for value in expressions(node):
            inner = root_of(value, self.roles.imports)
            if inner is not None and (name := self._root_name(inner, index)):
                under_roots |= {id(part) for part in ast.walk(inner)}
                result.append(self._score(name, value, index))
            elif isinstance(value, ast.Call) and id(value) not in under_roots and self._is_call(value, index):
                name = self.roles.imports.name(value.func).rpartition(".")[2]
                result.append(self._score(name or SCORE, value, index))
        return [score for score in result if score]

    def _is_score(self, value: ast.expr, index: int) -> bool:
        """Whether a value is a metric or the square root of one."""
        inner = root_of(value, self.roles.imports)
        if inner is not None:
            return bool(self._root_name(inner, index))
        return isinstance(value, ast.Call) and self._is_call(value, index)

    def _is_call(self, call: ast.Call, index: int) -> bool:
        if self.roles.imports.name(call.func).rpartition(".")[2] in _SCORES:
            average = argument(call, 99, "average")  # None gives a number for each class
            return not (isinstance(average, ast.Constant) and average.value is None)
        return (index, ast.dump(call)) in self.uses and method(call) == "score"

    def _root_name(self, inner: ast.expr, index: int) -> str:
        """The name of the square root of an expression, "" where that is no metric."""
        if isinstance(inner, ast.Name):
            found = self.value_of(inner.id, index)
            return self._root_name(found[0], found[1]) if found else ""
        if not isinstance(inner, ast.Call):
            return ""
        name = self.roles.imports.name(inner.func).rpartition(".")[2]
        return _ROOT_NAMES.get(name, f"root_{name}") if name in _SCORES else ""

    def _score(self, name: str, value: ast.expr, index: int) -> Score | None:
        original = ast.unparse(value)
        if (index, ast.dump(value)) in self.uses and method(value) == "score":  # type: ignore[arg-type]
            return Score(name, index, original, "")
        rewriter = _Rewriter(self, index)
        expression = rewriter.visit(ast.parse(original, mode="eval").body)
        known = {"actual", "predicted", "probabilities", "pow", *self.roles.imports.full}
        if not rewriter.predicted or not free_names([expression]) <= known:
            return None
        return Score(name, index, original, ast.unparse(expression), rewriter.probabilities)

    def is_target(self, value: ast.expr, index: int) -> bool:
        """Whether an expression is the target of the test part."""
        split = self.roles.split
        if split is None:
            return False
        if split.of_tables:
            column = self.roles.column(value, index)
            target = ast.unparse(self.roles.target(self.model).source)
            return column is not None and column.part == "test" and ast.unparse(column.source) == target
        bound = self.roles.flow.bound_by(value.id, index) if isinstance(value, ast.Name) else None
        return isinstance(value, ast.Name) and value.id == split.names[3] and bound == split.statement

    def value_of(self, name: str, index: int) -> tuple[ast.expr, int] | None:
        """The value of a variable that a single assignment has made, and its statement."""
        made = self.roles.flow.made_by(name, index)
        found = assigned(self.roles.flow.statements[made[0]].node) if made else None
        return (found[1], made[0]) if found and found[0] == name else None


class _Rewriter(ast.NodeTransformer):
    """The expression of a metric over `actual`, `predicted` and `probabilities`."""

    def __init__(self, finder: _Finder, index: int) -> None:
        self.finder, self.index = finder, index
        self.predicted = self.probabilities = False

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.finder.roles.imports.full:
            return node
        if self.finder.is_target(node, self.index):
            return ast.Name("actual", ast.Load())
        found = self.finder.value_of(node.id, self.index)
        if not found or found[1] <= self.finder.model.statement:
            return node
        inner = _Rewriter(self.finder, found[1])
        result: ast.expr = inner.visit(ast.parse(ast.unparse(found[0]), mode="eval").body)
        if not inner.predicted:
            return node
        self.predicted = True
        self.probabilities = self.probabilities or inner.probabilities
        return result

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return ast.Name("actual", ast.Load()) if self.finder.is_target(node, self.index) else self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Name("actual", ast.Load()) if self.finder.is_target(node, self.index) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if (self.index, ast.dump(node)) in self.finder.uses and argument(node, 0, "X") is not None:
            if method(node) == "predict":
                self.predicted = True
                return ast.Name("predicted", ast.Load())
            if method(node) == "predict_proba":
                self.predicted = self.probabilities = True
                return ast.Name("probabilities", ast.Load())
        result = self.generic_visit(node)
        assert isinstance(result, ast.expr)  # noqa: S101
        return result
