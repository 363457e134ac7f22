"""The function `metrics` of the pipeline notebook."""

import ast
from dataclasses import replace

from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.scores import SCORE, Score, deciding


def metrics_source(plan: Plan, facts: Facts) -> str:
    """The source of METRIC and `metrics`: the numbers of the original, the usual ones where it has none."""
    scores = [_of_kind(score, facts) for score in plan.scores or _usual(facts)]
    decides = deciding(scores) or scores[0]
    with_chances = any(score.probabilities for score in scores)
    more = ", probabilities: ArrayLike" if with_chances else ""
    signature = "target: ArrayLike, predictions: ArrayLike, params: Params"
    whose = f"cell {plan.cell_of(decides.statement)}" if plan.scores else "the usual one"
    lines = [f"# runs are compared by {decides.name}, {whose}: name another if that one decides"]
    lines += [f'METRIC = ("{decides.name}", "{decides.direction}")', "", ""]
    lines += [f"def metrics({signature}{more}) -> dict[str, float]:"]
    lines += ['    """The numbers of the original, over targets and predictions of shape (rows,)."""']
    lines += ["    actual, predicted = np.asarray(target), np.asarray(predictions)"]
    lines += ["    probabilities = np.asarray(probabilities)"] if with_chances else []
    lines += ["    return {"]
    lines += [f'        "{score.name}": float({_bare(score.expression)}),' for score in scores]
    return "\n".join([*lines, "    }"])


def _usual(facts: Facts) -> list[Score]:
    """The metrics of a notebook that has none."""
    if facts.classifier:
        return [Score(SCORE, 0, "", "")]
    names = ("r2_score", "root_mean_squared_error")
    return [Score(name, 0, "", f"{name}(actual, predicted)") for name in names]


def _of_kind(score: Score, facts: Facts) -> Score:
    """A model's own `score` as what it is: the accuracy of a classifier, R2 of a regression."""
    own = "accuracy_score" if facts.classifier else "r2_score"
    return score if score.expression else replace(score, expression=f"{own}(actual, predicted)")


def _bare(expression: str) -> str:
    """An expression whose functions of sklearn.metrics are called by their own names."""

    class Bare(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            self.generic_visit(node)
            if node.attr.endswith(("_score", "_error", "_loss", "_coef")):
                return ast.Name(node.attr, ast.Load())
            return node

    return ast.unparse(Bare().visit(ast.parse(expression, mode="eval").body))
