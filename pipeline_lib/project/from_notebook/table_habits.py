"""Habits of work on the table before the split: learning from all rows, cleaning, dropping rows."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.calls import argument, assigned, calls, method, receiver
from pipeline_lib.project.from_notebook.decision import Decision, first_line
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import Plan

_DROPS = ("dropna", "drop_duplicates", "query", "sample", "nlargest", "nsmallest", "head", "tail", "truncate")
_STATISTICS = ("mean", "median", "mode", "std", "var", "min", "max", "quantile", "sum", "rank", "value_counts")
_WHOLE = ("get_dummies", "factorize", "qcut", "cut")
_SELECTS = ("drop", "copy", "to_numpy", "ravel", "head", "reset_index")


def fitted_on_all_rows(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Statements before the split that learn from all rows."""
    split = plan.roles.split
    moved = {step.statement for step in plan.model.chain.steps if step.before_split}
    for index in sorted(moved):
        yield Decision(
            plan.cell_of(index),
            "fit before split",
            f"`{first_line(plan.statements[index].text)}` fits on all rows, test rows too; in the pipeline it is a "
            "step that fits on the training rows, so numbers differ from here on",
        )
    for index in sorted(plan.load):
        statement = plan.statements[index]
        if index in moved or _only_target(plan, facts, index):
            continue
        for call in calls(statement.node):
            reason = _whole_table(plan, facts, call)
            if reason and (split is None or index < split.statement):
                yield Decision(
                    statement.cell,
                    "fit before split",
                    f"`{first_line(statement.text)}`: {reason}; it stays in `load`, where production will not have it: "
                    "make it a step of `build`",
                )
                break


def table_work(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Statements that drop rows, and those that change the table."""
    for index in sorted(plan.load):
        statement = plan.statements[index]
        if _drops_rows(plan, facts, index):
            yield Decision(
                statement.cell,
                "dropped rows",
                f"`{first_line(statement.text)}`{_counts(plan, facts, index)}; production has to answer for such rows, "
                "too: let the pipeline handle them, or `Row` refuse them",
            )
        elif not _only_target(plan, facts, index) and (reason := _cleans(plan, facts, index)):
            yield Decision(
                statement.cell,
                "cleaning",
                f"`{first_line(statement.text)}` {reason}; production will not have done it: `Row` describes the rows "
                "after it; make it a step of `build` if raw rows arrive without it",
            )


def _whole_table(plan: Plan, facts: Facts | None, call: ast.Call) -> str:
    name = plan.roles.imports.name(call.func).rpartition(".")[2] or method(call)
    on = receiver(call)
    if method(call) in ("fit", "fit_transform", "fit_resample") and on is not None:
        return "learns from all rows, test rows too"
    if name in _WHOLE and not (name == "cut" and isinstance(argument(call, 1, "bins"), ast.List)):
        return f"`{name}` depends on all rows, test rows too"
    if method(call) in ("fillna", "replace", "sub", "div") and any(
        method(inner) in _STATISTICS for part in call.args for inner in calls(part)
    ):
        return "fills with a statistic of all rows, test rows too"
    return ""


def _only_target(plan: Plan, facts: Facts | None, index: int) -> bool:
    """Whether a statement makes nothing but the target."""
    target, at = plan.target
    wanted = [(name.id, at) for name in ast.walk(target) if isinstance(name, ast.Name)]
    rows = plan.model.chain.source
    others = [(n.id, plan.model.chain.at) for n in ast.walk(rows) if isinstance(n, ast.Name)]
    return index in plan.flow.needed(wanted) and index not in plan.flow.needed(others)


def cast_columns(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Columns whose dtype production does not deliver."""
    casts = facts.casts if facts else {}
    if casts:
        shown = ", ".join(f"{name} ({dtype})" for name, dtype in list(casts.items())[:5])
        more = f" and {len(casts) - 5} more" if len(casts) > 5 else ""
        yield Decision(
            plan.cell_of(plan.model.chain.at),
            "dtype",
            f"columns of narrower or other dtypes are cast to what production delivers: {shown}{more}",
        )


def _counts(plan: Plan, facts: Facts | None, index: int) -> str:
    counts = facts.rows.get(index) if facts else None
    return f" ({counts[0]:,} → {counts[1]:,} rows)" if counts and counts[0] != counts[1] else ""


def _drops_rows(plan: Plan, facts: Facts | None, index: int) -> bool:
    counts = facts.rows.get(index) if facts else None
    if counts:
        return counts[0] > counts[1]
    return drops_rows(plan.statements[index].node)


def _cleans(plan: Plan, facts: Facts | None, index: int) -> str:
    node = plan.statements[index].node
    if isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try):
        return "changes the table" if plan.flow.names[index].changes else ""
    if any(_whole_table(plan, facts, call) for call in calls(node)):
        return ""
    if isinstance(node, ast.Expr) and plan.flow.names[index].changes:
        selects = isinstance(node.value, ast.Call) and method(node.value) == "drop"
        return "" if selects else "changes the table in place"
    if isinstance(node, ast.AugAssign):
        return "changes a column"
    targets = node.targets if isinstance(node, ast.Assign) else []
    if any(isinstance(target, ast.Subscript) for target in targets):
        return "" if _feeds_target_only(plan, facts, targets[0]) else "makes or changes a column"
    found = assigned(node)
    value = found[1] if found else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in plan.roles.functions:
        return "changes the table by a function of the notebook"
    on = receiver(value) if isinstance(value, ast.Call) else None
    table = isinstance(on, ast.Name) and on.id not in plan.roles.imports.full
    changes = ("fillna", "replace", "assign", "apply", "astype", "merge", "join", "map", "interpolate", "clip")
    return "changes the table" if isinstance(value, ast.Call) and table and method(value) in changes else ""


def _feeds_target_only(plan: Plan, facts: Facts | None, target: ast.expr) -> bool:
    """Whether a column that is made here is the target."""
    name = facts.target_name if facts else ""
    key = target.slice if isinstance(target, ast.Subscript) else None
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return False
    text = ast.unparse(plan.target[0])
    return key.value == name or repr(key.value) in text or f".{key.value}" in text


def drops_rows(node: ast.stmt) -> bool:
    """Whether a statement may drop rows of a table, by its form."""
    for call in calls(node):
        if method(call) in _DROPS and isinstance(node, ast.Assign | ast.Expr):
            return isinstance(node, ast.Assign) or any(keyword.arg == "inplace" for keyword in call.keywords)
        if method(call) == "drop" and (argument(call, 99, "index") is not None):
            return True
    found = assigned(node)
    value = found[1] if found else None
    while isinstance(value, ast.Call) and method(value) in _SELECTS and receiver(value) is not None:
        value = receiver(value)
    if not isinstance(value, ast.Subscript):
        return False
    return isinstance(value.slice, ast.Compare | ast.BoolOp | ast.UnaryOp) or (
        isinstance(value.slice, ast.BinOp) and isinstance(value.slice.op, ast.BitAnd | ast.BitOr)
    )
