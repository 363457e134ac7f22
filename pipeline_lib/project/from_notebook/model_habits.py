"""Habits around split and model: several models, searches, draws without a seed, learning from test rows."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.calls import argument, calls, method
from pipeline_lib.project.from_notebook.decision import Decision, first_line
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.parameters import Parameters
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import draws, is_split


def models(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Which model was taken, and what of its way is not followed."""
    model = plan.model
    others = [fit for fit in plan.roles.fits if fit is not model]
    if others:
        shown = ", ".join(f"{fit.class_name} (cell {plan.cell_of(fit.statement)})" for fit in others)
        yield Decision(
            plan.cell_of(model.statement),
            "several models",
            f"{model.class_name} is taken, the last one judged on test rows; also fitted: {shown}",
        )
    for index in model.chain.unknown:
        statement = plan.statements[index]
        yield Decision(
            statement.cell,
            "not followed",
            f"`{first_line(statement.text)}` changes the rows between split and fit in a way that is not followed; the "
            "pipeline is written without it",
        )
    if model.search:
        yield Decision(
            plan.cell_of(model.statement),
            "search",
            f"{model.class_name} stays in the research notebook; the pipeline has the parameters that it found",
        )
    if plan.roles.split is None:
        yield Decision(
            plan.cell_of(model.statement),
            "no split",
            f"{model.name or model.class_name} is fitted on rows of no train_test_split; `split` keeps 20 % apart",
        )


_UNITS = {
    f"numpy.{name}" for name in ("log", "log1p", "log2", "log10", "sqrt", "cbrt", "square", "power", "exp", "expm1")
}
"""Functions that give a target another unit."""


def transformed_target(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """A target that is changed before the split: production answers in the changed unit."""
    node, at = plan.target
    names = {ast.unparse(node)}
    for statement in reversed(plan.statements[: at + 1]):
        match statement.node:
            case ast.Assign(targets=[target], value=value) if ast.unparse(target) in names:
                names.add(ast.unparse(value))
                changed = [value]
            case _:
                changed = [node] if statement.index == at else []
        for call in (call for part in changed for call in calls(part)):
            if plan.roles.imports.name(call.func) in _UNITS:
                yield Decision(
                    statement.cell,
                    "target",
                    f"`{ast.unparse(call)}`: the model learns the target in this unit, and production answers in it; "
                    "to answer in the raw unit, wrap the model in TransformedTargetRegressor and take the raw target",
                )


def refitted(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Transformers that learn from the test rows."""
    split = plan.roles.split
    for statement in plan.statements:
        for call in calls(statement.node) if split else ():
            rows = argument(call, 0, "X")
            if method(call) in ("fit", "fit_transform") and rows is not None:
                if method(call) == "fit" and argument(call, 1, "y") is not None:
                    continue
                if plan.roles.chain(rows, statement.index).part == "test":
                    yield Decision(
                        statement.cell,
                        "fit on test rows",
                        f"`{first_line(statement.text)}` learns from the test rows; the pipeline applies what it "
                        "learned from the training rows",
                    )


def random(plan: Plan, facts: Facts | None, parameters: Parameters | None) -> Iterator[Decision]:
    """Draws without a seed: those of the pipeline, which get one where they can, and models that stay in research."""
    origin = f"np.random.seed({plan.seed})" if plan.seed is not None else "no seed"
    kept: dict[str, dict[int, None]] = {}
    for draw in draws(plan):
        cell = plan.cell_of(draw.statement)
        if draw.moved and draw.seedable:
            what = "the split draws" if is_split(plan, draw) else f"{draw.name} may draw"
            text = f"{what} at random with {origin}; `random_state` is now {plan.seed or 0}"
            yield Decision(cell, "random", text)
        elif draw.moved:
            text = f"{draw.name} draws at random without a seed, and each run gives other numbers; give it one"
            yield Decision(cell, "random", text)
        elif plan.seed is None and draw.is_model:
            kept.setdefault(draw.name, {})[cell] = None
    if kept:
        names = [f"{name} (cell{'s' * (len(cells) > 1)} {', '.join(map(str, cells))})" for name, cells in kept.items()]
        yield Decision(
            min(cell for cells in kept.values() for cell in cells),
            "random",
            f"without a seed: {', '.join(names)}; kept in the research notebook, whose numbers may differ from run to "
            "run until each has a `random_state`",
        )


def data_values(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Values in `build` that follow from the data."""
    for name, at in sorted(plan.literals.items()):
        made = plan.flow.bound_by(name, at)
        yield Decision(
            plan.cell_of(made if made is not None else at),
            "value from the data",
            f"`{name}` follows from the rows of this day; `build` has the value that it had",
        )


def scores(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """No metric of the original."""
    if not plan.scores:
        yield Decision(
            plan.cell_of(plan.model.statement),
            "metrics",
            "found no number that judges the model on test rows; `metrics` has the usual ones, and METRIC one of them",
        )
