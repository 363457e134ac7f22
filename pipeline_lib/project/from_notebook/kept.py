"""Which statements move to the pipeline notebook, and which stay in the research notebook with what they need."""

import ast

from pipeline_lib.project.from_notebook.calls import assigned, method, receiver, value_for
from pipeline_lib.project.from_notebook.plan import Plan


def moved_statements(plan: Plan) -> set[int]:
    """Statements that have a place in the pipeline notebook, or that a call of the run stands for."""
    moved = set(plan.load) | set(plan.build) | set(plan.module) | {plan.model.statement}
    moved |= {plan.roles.split.statement} if plan.roles.split else set()
    chain = plan.model.chain
    for index in range(len(plan.statements)):
        statement = plan.statements[index]
        if _selects(plan, index):
            moved.add(index)
        is_step = any(step.statement == index for step in chain.steps)
        if is_step or _prepares_test(plan, index) or _fits_step(plan, index):
            moved.add(index)
        found = assigned(statement.node)
        if found and any(score.statement == index and score.name == found[0] for score in plan.scores):
            moved.add(index)
        if found and any(at == index and call is found[1] for at, call in plan.roles.on_test(plan.model)):
            moved.add(index)
    return moved


def _selects(plan: Plan, index: int) -> bool:
    """Whether a statement takes columns of the parts of the split, as rows or target of the model."""
    split, names = plan.roles.split, plan.flow.names[index].binds
    if split is None or index <= split.statement or not names:
        return False
    values = [(name, value_for(plan.statements[index].node, name)) for name in names]
    wanted = {ast.unparse(plan.model.chain.source), ast.unparse(plan.target[0])}
    for _, value in values:
        chain = plan.roles.chain(value, index) if value is not None else None
        column = plan.roles.column(value, index) if value is not None else None
        rows = chain is not None and chain.split is split and bool(chain.selections) and not chain.steps
        found = chain.source if chain is not None and rows else column.source if column else None
        if found is None or ast.unparse(found) not in wanted:
            return False
    return True


def _prepares_test(plan: Plan, index: int) -> bool:
    """Whether a statement applies a step of the pipeline to another part of the rows."""
    found = assigned(plan.statements[index].node)
    names = {step.name for step in plan.model.chain.steps if step.name}
    if not found or not isinstance(found[1], ast.Call):
        return False
    on = receiver(found[1])
    if method(found[1]) in ("transform", "fit_transform") and isinstance(on, ast.Name):
        return on.id in names
    function = found[1].func
    return isinstance(function, ast.Name) and function.id in names and function.id in plan.roles.functions


def _fits_step(plan: Plan, index: int) -> bool:
    """Whether a statement is `T.fit(X)` of a step of the pipeline."""
    node = plan.statements[index].node
    names = {step.name for step in plan.model.chain.steps if step.name}
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    on = receiver(node.value)
    return method(node.value) == "fit" and isinstance(on, ast.Name) and on.id in names


def kept_statements(plan: Plan) -> set[int]:
    """Statements that stay in the research notebook: plots, prints, explorations, and what they need."""
    moved = moved_statements(plan)
    split = plan.roles.split
    stops = {split.statement} if split and not split.of_tables else set()
    if not plan.model.search:
        stops.add(plan.model.statement)
    roots = {i for i in range(len(plan.statements)) if i not in moved and i not in plan.imports}
    roots |= {plan.model.statement} if plan.model.search else set()
    between = range(plan.model.made + 1, plan.model.statement)
    if not plan.model.search and not any(plan.model.name in plan.flow.names[i].reads for i in roots & set(between)):
        stops.add(plan.model.made)
    wanted = [
        (name, index)
        for index in roots
        for name in plan.flow.names[index].reads | plan.flow.names[index].changes | plan.flow.names[index].late
    ]
    predicted = {at for at, call in plan.roles.on_test(plan.model) if _assigns(plan, at, call)}
    needed = plan.flow.needed(wanted, skip=lambda index: index in stops or index in predicted)
    result = roots | needed
    used = {name for i in result for name in plan.flow.names[i].reads | plan.flow.names[i].late}
    result |= {i for i in plan.imports if plan.flow.names[i].binds & (used | {"*"})}
    return result


def _assigns(plan: Plan, index: int, call: ast.Call) -> bool:
    found = assigned(plan.statements[index].node)
    return found is not None and found[1] is call and method(call) == "predict"
