"""Which metric decides, and which direction of it is better: as METRIC says, else as the metric's name says.

A pipeline module may export `METRIC = ("roc_auc", "maximize")`. It is read from the module's text, so that a command
that lists runs imports no pipeline.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project

Direction = Literal["minimize", "maximize"]
METRIC = "METRIC"
"""The name of the constant in a pipeline module."""
_LOWER = re.compile(r"(^|_)(rmse|mse|rmsle|msle|mae|mape|smape|error|loss|logloss|cost|brier|deviance|perplexity)($|_)")
_HIGHER = re.compile(
    r"(^|_)(r2|acc|accuracy|precision|recall|f1|auc|auroc|auprc|roc|ap|mcc|ndcg|score|gain|saving|savings|profit)($|_)"
)


@dataclass(frozen=True)
class Metric:
    """The metric by which the runs of a pipeline are compared, and which direction of it is better."""

    name: str
    direction: Direction

    def to_json(self) -> dict[str, str]:
        """JSON values, as a manifest has them."""
        return {"name": self.name, "direction": self.direction}

    @classmethod
    def from_json(cls, values: Any) -> "Metric | None":
        """Read what `to_json` returned; None for anything else, such as the manifest of an earlier version."""
        if not isinstance(values, Mapping) or not isinstance(values.get("name"), str):
            return None
        direction = values.get("direction")
        if direction not in ("minimize", "maximize"):
            return None
        return cls(values["name"], "minimize" if direction == "minimize" else "maximize")


def direction_of(metric: str) -> Direction | None:
    """The direction that is better, None where the name says neither or both. scikit-learn's `neg_` turns it round.

    >>> direction_of("rmse_log"), direction_of("roc_auc"), direction_of("neg_log_loss"), direction_of("lift")
    ('minimize', 'maximize', 'maximize', None)
    """
    if metric.startswith("neg_"):
        return "maximize" if _LOWER.search(metric) else None
    lower, higher = _LOWER.search(metric), _HIGHER.search(metric)
    if bool(lower) == bool(higher):
        return None
    return "minimize" if lower else "maximize"


def declared_metric(project: Project, pipeline: str) -> Metric | None:
    """METRIC of a pipeline's exported module; None where there is no such module or no METRIC in it.

    Raises InputError where METRIC is no pair of a metric's name and a direction, or names a metric that `metrics` does
    not return. The names are known where each `return` of `metrics` is a dict that is written out.
    """
    path = project.package / "pipelines" / f"{pipeline}.py"
    try:
        text = path.read_text(encoding="utf-8")
        module = ast.parse(text) if f"\n{METRIC}" in text else None  # most listed pipelines need no parse
    except (OSError, ValueError, SyntaxError):  # whatever imports the module says what is wrong
        return None
    value = _assigned(module) if module else None
    if module is None or value is None:
        return None
    where = f"{project.shown(project.notebooks / 'pipelines' / f'{pipeline}.ipynb')}: {METRIC}"
    metric = _parse(value, where)
    names = _returned_names(module)
    if names is not None and metric.name not in names:
        raise InputError(
            f"{where}: found {metric.name!r}, which `metrics` does not return, expected one of: {', '.join(names)}; "
            "name one and run `pipeline-lib export`"
        )
    return metric


def check_returned(metric: Metric | None, names: Mapping[str, float]) -> None:
    """InputError where METRIC is not among the names that `metrics` has returned."""
    if metric is not None and metric.name not in names:
        raise InputError(
            f"{METRIC}: found {metric.name!r}, which `metrics` does not return, expected one of: {', '.join(names)}; "
            "name one in the pipeline notebook and run `pipeline-lib export`"
        )


def _assigned(module: ast.Module) -> ast.expr | None:
    """The expression that a module assigns to METRIC last."""
    value = None
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name == METRIC:
                value = statement.value
    return value


def _parse(value: ast.expr, where: str) -> Metric:
    try:
        literal = ast.literal_eval(value)
    except ValueError:
        literal = None
    match literal:
        case (str(name), "minimize" | "maximize" as direction) if name:
            return Metric(name, direction)
    raise InputError(
        f"{where}: found {ast.unparse(value)}, expected a metric's name and what is better, written out, such as "
        '("roc_auc", "maximize") or ("rmse", "minimize"); correct it and run `pipeline-lib export`'
    )


def _returned_names(module: ast.Module) -> list[str] | None:
    """The names in the dicts that the function `metrics` returns; None where they cannot be read."""
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "metrics"]
    names: dict[str, None] = {}
    for node in _returns(functions[-1]) if functions else ():
        if not isinstance(node.value, ast.Dict):
            return None
        for key in node.value.keys:
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            names[key.value] = None
    return list(names) or None


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    """The `return` statements of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _returns(child)
