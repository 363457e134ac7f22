"""The function `build` of the pipeline notebook."""

import ast
import json
from collections.abc import Callable, Iterable

from pipeline_lib.project.from_notebook.calls import PIPELINES
from pipeline_lib.project.from_notebook.edits import Edit, edited, edited_node, indented
from pipeline_lib.project.from_notebook.estimators import constructor, searched_estimator
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.parameters import Parameters, searched_name
from pipeline_lib.project.from_notebook.plan import Plan


def build_source(plan: Plan, facts: Facts, parameters: Parameters) -> str:
    """The source of `build`: the statements that make steps and model, without their fit."""
    names = {name: _constant_name(name) for name in sorted(facts.literals)}
    literals = [f"{constant} = {_literal(facts.literals[name])}" for name, constant in names.items()]
    lines = [*literals, "", ""] if literals else []
    lines += [
        f"def build({parameters.argument}: Params) -> Pipeline:",
        '    """The unfitted pipeline, from rows to predictions."""',
    ]
    lines += [f"    {name} = {constant}" for name, constant in names.items() if name != constant]
    order = sorted(plan.build)
    lines += body(plan, order, lambda index: _fit_edits(plan, parameters, index))
    steps = [_step_source(plan, position) for position in range(len(plan.model.chain.steps))]
    name = plan.model.name
    if plan.model.search:
        searched = searched_estimator(plan.statements[plan.model.made].node)
        name = searched_name(plan)
        known = parameters.values.get(name, {})
        given = [
            f'"{key}": {parameters.argument}.{name}.{key}' if key in known else f'"{key}": {value!r}'
            for key, value in facts.best.items()
        ]
        lines.append(f"    # the search of cell {plan.cell_of(plan.model.statement)} found these")
        lines.append(f"    best = {{{', '.join(given)}}}")
        source = edited_node(searched, parameters.edits.get(plan.model.made, []))
        lines.append(f"    {name} = {callable_source(source)}.set_params(**best)")
    if plan.roles.is_pipeline(plan.model) or _searches_pipeline(plan):
        lines.append(
            f"    return Pipeline([{', '.join([*steps, f'*{name}.steps'])}])" if steps else f"    return {name}"
        )
    else:
        lines.append(f"    return Pipeline([{', '.join([*steps, f'({json.dumps(name)}, {name})'])}])")
    return "\n".join(lines)


def _constant_name(name: str) -> str:
    return f"{name.upper()}_" if name.upper() in ("TARGET", "SOURCES", "METRIC") else name.upper()


def _searches_pipeline(plan: Plan) -> bool:
    if not plan.model.search:
        return False
    searched = searched_estimator(plan.statements[plan.model.made].node)
    if isinstance(searched, ast.Name):
        made = plan.flow.bound_by(searched.id, plan.model.made)
        return made is not None and plan.roles.class_of(searched.id, made) in PIPELINES
    return plan.roles.imports.makes_estimator(searched) in PIPELINES


def _step_source(plan: Plan, position: int) -> str:
    step = plan.model.chain.steps[position]
    before = [other.name for other in plan.model.chain.steps[:position]]
    name = step.name or step.expression.partition("(")[0].rpartition(".")[2].lower()
    label = name if name not in before else f"{name}_{position + 1}"
    source = f"FunctionTransformer({step.name})" if step.kind == "function" else (step.name or step.expression)
    if step.columns:
        source = f"SklearnTransformerWrapper({source}, variables={step.columns})"
    return f"({json.dumps(label)}, {source})"


def _fit_edits(plan: Plan, parameters: Parameters, index: int) -> list[Edit]:
    """Parameters in place of literals, and no fit."""
    edits = list(parameters.edits.get(index, []))
    node = plan.statements[index].node
    whole = constructor(node)
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if value is not None and value is not whole:
        return [(value, edited_node(whole, edits))]
    return edits


def body(plan: Plan, indexes: Iterable[int], edits_of: Callable[[int], list[Edit]]) -> list[str]:
    """Statements inside a function, with comments that name the cells they come from."""
    lines: list[str] = []
    cell = 0
    for index in indexes:
        if plan.cell_of(index) != cell:
            cell = plan.cell_of(index)
            lines.append(f"    # cell {cell}")
        lines.append(indented(edited(plan.statements[index], edits_of(index))))
    return lines


def callable_source(text: str) -> str:
    """An expression that a method can be called on."""
    node = ast.parse(text, mode="eval").body
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return text if simple else f"({text})"


def _literal(value: object) -> str:
    text = repr(value)
    return text.replace("'", '"') if isinstance(value, list) and '"' not in text and "\\" not in text else text
