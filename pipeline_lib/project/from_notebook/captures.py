"""The original with lines between its statements that keep the values which the new pipeline shares."""

import ast
from dataclasses import dataclass

from pipeline_lib.project.from_notebook.calls import argument, assigned
from pipeline_lib.project.from_notebook.cell_habits import installs
from pipeline_lib.project.from_notebook.edits import Edit, edited_lines
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import seed_edits, seeded
from pipeline_lib.project.from_notebook.source import SourceCell

KEEP = "_pipeline_lib_keep"
PARTS = ("train rows", "test rows", "train target", "test target")
ROWS, TARGET, PREDICTIONS, NAMES, CLASSIFIER, BEST = "rows", "target", "predictions", "names", "classifier", "best"


@dataclass(frozen=True)
class Capture:
    """A value that is kept before or after a statement: `after` is whether after it."""

    statement: int
    after: bool
    key: str
    expression: str


def captures(plan: Plan) -> list[Capture]:
    """Every value to keep."""
    model, split = plan.model, plan.roles.split
    target, target_at = plan.target
    early = plan.bound_at_split
    result = [
        Capture(model.chain.at if early else model.statement, False, ROWS, ast.unparse(model.chain.source)),
        Capture(target_at if early else model.statement, False, TARGET, ast.unparse(target)),
        Capture(model.statement, True, CLASSIFIER, f"__import__('sklearn.base').base.is_classifier({model.name})"),
    ]
    if names := names_expression(plan):
        result.append(Capture(model.chain.at, False, NAMES, f"[str(name) for name in {names}]"))
    if model.search:
        result.append(Capture(model.statement, True, BEST, f"{model.name}.best_params_"))
    if split:
        parts = (*split.names, *split.names) if split.of_tables else split.names
        chains = [model.chain, model.chain, plan.roles.target(model), plan.roles.target(model)]
        values = [
            ast.unparse(chain.selected(ast.Name(name, ast.Load()))) for name, chain in zip(parts, chains, strict=True)
        ]
        at = (split.statement, True) if plan.bound_at_split else (model.statement, False)
        result += [Capture(*at, *pair) for pair in zip(PARTS, values, strict=True)]
    uses = plan.roles.on_test(model)
    rows = argument(uses[0][1], 0, "X") if uses else None
    if rows is not None:
        result.append(Capture(uses[0][0], True, PREDICTIONS, f"{model.name}.predict({ast.unparse(rows)})"))
    result += [Capture(score.statement, True, f"score {score.name}", score.original) for score in plan.scores]
    result += [Capture(at, False, f"literal {name}", name) for name, at in plan.literals.items()]
    for index in sorted(plan.load):
        result += _counts(plan, index)
    return result


def _counts(plan: Plan, index: int) -> list[Capture]:
    """The length of a table before and after a statement."""
    names = plan.flow.names[index]
    made = sorted(names.binds | names.changes)
    if len(made) != 1:
        return []
    found = assigned(plan.statements[index].node)
    source = found[1] if found else None
    while isinstance(source, ast.Attribute | ast.Subscript | ast.Call):
        source = source.func if isinstance(source, ast.Call) else source.value
    before = source.id if isinstance(source, ast.Name) and source.id not in plan.roles.imports.full else made[0]
    return [
        Capture(index, False, f"count {index} before", f"{before}.shape[0]"),
        Capture(index, True, f"count {index} after", f"{made[0]}.shape[0]"),
    ]


def names_expression(plan: Plan) -> str:
    """The source of the column names of an array that comes from a data set of scikit-learn; "" for other tables."""
    source, at = plan.model.chain.source, plan.model.chain.at
    for _ in range(10):
        if isinstance(source, ast.Attribute) and source.attr == "data" and isinstance(source.value, ast.Name):
            return f"{source.value.id}.feature_names"
        if isinstance(source, ast.Subscript) and isinstance(source.value, ast.Name):
            key = source.slice
            return f"{source.value.id}.feature_names" if isinstance(key, ast.Constant) and key.value == "data" else ""
        made = plan.flow.made_by(source.id, at) if isinstance(source, ast.Name) else []
        found = assigned(plan.statements[made[0]].node) if made else None
        if not found:
            return ""
        source, at = found[1], made[0]
    return ""


def instrumented(plan: Plan) -> list[tuple[SourceCell, str]]:
    """Each code cell that can run, in the order in which it runs, with its source and the lines that keep values.

    Draws that the pipeline has get the seed that they have there.
    """
    inserted: dict[int, list[tuple[int, str]]] = {}
    for capture in captures(plan):
        statement = plan.statements[capture.statement]
        line = statement.lines[1] if capture.after else statement.lines[0] - 1
        text = f"{KEEP}({capture.key!r}, lambda: ({capture.expression}))"
        inserted.setdefault(statement.cell, []).append((line, text))
    edits: dict[int, list[Edit]] = {}
    for index in sorted({draw.statement for draw in seeded(plan)}):
        edits.setdefault(plan.cell_of(index), []).extend(seed_edits(plan, index))
    order = list(dict.fromkeys(statement.cell for statement in plan.statements))
    others = [cell.number for cell in plan.cells if cell.kind == "code" and cell.number not in order]
    result = []
    for number in [*order, *others]:
        cell = plan.cells[number - 1]
        lines = ["pass" if installs(line) else line for line in cell.source.splitlines()]
        lines = edited_lines(lines, 1, edits.get(number, []))
        for line, text in sorted(inserted.get(number, []), key=lambda pair: pair[0], reverse=True):
            lines.insert(line, text)
        result.append((cell, "\n".join(lines)))
    return result
