"""The function `metrics` of the pipeline notebook."""

import ast

from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.scores import Score


def metrics_source(plan: Plan, facts: Facts) -> str:
    """The source of `metrics`: the numbers of the original, the usual ones where it has none."""
    scores = list(plan.scores) or [Score("score", 0, "", "")]
    if not plan.scores and not facts.classifier:
        scores = [
            Score("r2_score", 0, "", "r2_score(actual, predicted)"),
            Score("root_mean_squared_error", 0, "", "root_mean_squared_error(actual, predicted)"),
        ]
    own = "accuracy_score(actual, predicted)" if facts.classifier else "r2_score(actual, predicted)"
    with_chances = any(score.probabilities for score in scores)
    more = ", probabilities: ArrayLike" if with_chances else ""
    signature = "target: ArrayLike, predictions: ArrayLike, params: Params"
    lines = [f"def metrics({signature}{more}) -> dict[str, float]:"]
    lines += ['    """The numbers of the original, over targets and predictions of shape (rows,)."""']
    lines += ["    actual, predicted = np.asarray(target), np.asarray(predictions)"]
    lines += ["    probabilities = np.asarray(probabilities)"] if with_chances else []
    lines += ["    return {"]
    for score in scores:
        expression = _bare(score.expression or own)
        lines.append(f'        "{score.name}": float({expression}),')
    return "\n".join([*lines, "    }"])


def _bare(expression: str) -> str:
    """An expression whose functions of sklearn.metrics are called by their own names."""

    class Bare(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            self.generic_visit(node)
            if node.attr.endswith(("_score", "_error", "_loss", "_coef")):
                return ast.Name(node.attr, ast.Load())
            return node

    return ast.unparse(Bare().visit(ast.parse(expression, mode="eval").body))
