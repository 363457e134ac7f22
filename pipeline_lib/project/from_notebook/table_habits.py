"""Habits of work on the table before the split: learning from all rows, cleaning, dropping rows."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.calls import argument, calls, method, receiver
from pipeline_lib.project.from_notebook.decision import Decision, first_line
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.table_work import TableWork, Work, inner_calls, uses_statistic

_WHOLE = ("get_dummies", "factorize", "qcut", "cut")
_TAKE_VALUES = ("fillna", "replace", "assign", "where", "mask", "clip", "add", "sub", "mul", "div", "truediv")


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
        reason = _learns(plan, statement.node)
        if reason and (split is None or index < split.statement):
            yield Decision(
                statement.cell,
                "fit before split",
                f"`{first_line(statement.text)}`: {reason}, test rows too; it stays in `load`, where production will "
                "not have it: make it a step of `build`",
            )


def table_work(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Statements that drop rows, and those that change the table, anywhere in a chain."""
    reader = TableWork(plan)
    for index in sorted(plan.load):
        node = plan.statements[index].node
        found = reader.of(node, index)
        skipped = (
            bool(_learns(plan, node))
            or _only_target(plan, facts, index)
            or _makes_target(plan, facts, node)
            or _is_left_out(plan, facts, index)
        )
        yield from _decided(plan, facts, index, found, cleaning=not skipped)
    split = plan.roles.split
    if split is not None and split.statement not in plan.load:
        found = [work for part in split.call.args for work in reader.of_value(part, split.statement)]
        yield from _decided(plan, facts, split.statement, list(dict.fromkeys(found)), cleaning=True)


def _decided(plan: Plan, facts: Facts | None, index: int, found: list[Work], *, cleaning: bool) -> Iterator[Decision]:
    """The decisions about one statement's work on the table."""
    line, cell = first_line(plan.statements[index].text), plan.cell_of(index)
    drops = [work.name for work in found if work.drops]
    changes = [work.name for work in found if not work.drops]
    if drops or _lost_rows(plan, facts, index):
        yield Decision(
            cell,
            "dropped rows",
            f"`{line}` drops rows{_by(drops)}{_counts(facts, index)}; production has to answer for such rows, too: let "
            "the pipeline handle them, or `Row` refuse them",
        )
    if changes and cleaning:
        yield Decision(
            cell,
            "cleaning",
            f"`{line}` changes the table{_by(changes)}; production will not have done it: `Row` describes the rows "
            "after it; make it a step of `build` if raw rows arrive without it",
        )


def _by(names: list[str]) -> str:
    return f" by {', '.join(names)}" if names else ""


def _learns(plan: Plan, node: ast.stmt) -> str:
    """How a statement learns from all rows, "" where it does not."""
    reasons = (_whole_table(plan, call) for call in inner_calls(node))
    if reason := next(filter(None, reasons), ""):
        return reason
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    makes_column = any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets)
    value = node.value if isinstance(node, ast.Assign | ast.AugAssign) else None
    return "uses a statistic of all rows" if makes_column and value is not None and uses_statistic(value) else ""


def _whole_table(plan: Plan, call: ast.Call) -> str:
    name = plan.roles.imports.name(call.func).rpartition(".")[2] or method(call)
    on = receiver(call)
    if method(call) in ("fit", "fit_transform", "fit_resample") and on is not None:
        return "learns from all rows"
    if name in _WHOLE and not (name == "cut" and _is_list(plan, argument(call, 1, "bins"))):
        return f"`{name}` depends on all rows"
    if name == "transform" and on is not None and any(method(inner) == "groupby" for inner in calls(on)):
        return "`groupby` depends on all rows"
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    if method(call) in _TAKE_VALUES and any(uses_statistic(part) for part in parts):
        return "uses a statistic of all rows"
    return ""


def _is_list(plan: Plan, bins: ast.expr | None) -> bool:
    """Whether the edges of bins are written out."""
    return isinstance(bins, ast.List | ast.Tuple) or (isinstance(bins, ast.Name) and bins.id in plan.constants)


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


def _counts(facts: Facts | None, index: int) -> str:
    counts = facts.rows.get(index) if facts else None
    if counts is None or counts[0] < counts[1]:
        return ""
    return f" ({counts[0]:,} → {counts[1]:,} rows)" if counts[0] > counts[1] else f" (none of {counts[0]:,} here)"


def _lost_rows(plan: Plan, facts: Facts | None, index: int) -> bool:
    """Whether a table that a statement puts in its own place, or changes, had fewer rows after it."""
    counts = facts.rows.get(index) if facts else None
    names = plan.flow.names[index]
    return counts is not None and counts[0] > counts[1] and bool((names.binds | names.changes) & names.reads)


def _makes_target(plan: Plan, facts: Facts | None, node: ast.stmt) -> bool:
    """Whether a statement makes a column that is the target."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Subscript) and _is_target(plan, facts, target) for target in targets)


def _is_left_out(plan: Plan, facts: Facts | None, index: int) -> bool:
    """Whether a statement makes one column that is not among the rows, and that no other statement reads."""
    match plan.statements[index].node:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))]):
            others = [plan.statements[other].node for other in plan.load if other != index]
            read = any(_mentions(node, name) for node in others)
            return facts is not None and bool(facts.columns) and name not in facts.columns and not read
    return False


def _mentions(node: ast.AST, name: str) -> bool:
    """Whether code has a column's name outside of a call that drops it."""
    if isinstance(node, ast.Call) and method(node) == "drop":
        return False
    if isinstance(node, ast.Attribute) and node.attr == name:
        return True
    if isinstance(node, ast.Constant) and node.value == name:
        return True
    return any(_mentions(part, name) for part in ast.iter_child_nodes(node))


def _is_target(plan: Plan, facts: Facts | None, target: ast.Subscript) -> bool:
    name = facts.target_name if facts else ""
    key = target.slice
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return False
    text = ast.unparse(plan.target[0])
    return key.value == name or repr(key.value) in text or f".{key.value}" in text
