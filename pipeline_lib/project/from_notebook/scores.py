"""The numbers by which the original judges its model on the test part."""

import ast
from dataclasses import dataclass, field

from pipeline_lib.project.from_notebook.calls import argument, assigned, calls, method
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
        if found and self._contains_score(found[1], index):
            score = self._score(found[0], found[1], index)
            if score:
                return [score]
        result = []
        for call in calls(node):
            name = self.roles.imports.name(call.func).rpartition(".")[2]
            if name in _SCORES or ((index, ast.dump(call)) in self.uses and method(call) == "score"):
                score = self._score(name or SCORE, call, index)
                if score:
                    result.append(score)
        return result

    def _contains_score(self, value: ast.expr, index: int) -> bool:
        """Whether a value is a metric, perhaps in a function of numbers such as np.sqrt."""
        if not isinstance(value, ast.Call):
            return False
        name = self.roles.imports.name(value.func)
        if name.rpartition(".")[2] in _SCORES:
            return True
        if name in ("numpy.sqrt", "math.sqrt") and len(value.args) == 1:
            inner = value.args[0]
            return self._contains_score(inner, index) or isinstance(inner, ast.Name)
        return (index, ast.dump(value)) in self.uses and method(value) == "score"

    def _score(self, name: str, value: ast.expr, index: int) -> Score | None:
        original = ast.unparse(value)
        if (index, ast.dump(value)) in self.uses and method(value) == "score":  # type: ignore[arg-type]
            return Score(name, index, original, "")
        rewriter = _Rewriter(self, index)
        expression = rewriter.visit(ast.parse(original, mode="eval").body)
        known = {"actual", "predicted", "probabilities", *self.roles.imports.full}
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
