"""Habits around split and model: several models, searches, draws without a seed, learning from test rows."""

import ast
from collections.abc import Iterator

from pipeline_lib.project.from_notebook.calls import argument, calls, method
from pipeline_lib.project.from_notebook.decision import Decision, first_line
from pipeline_lib.project.from_notebook.estimators import lacks_seed
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.parameters import SPLIT, Parameters
from pipeline_lib.project.from_notebook.plan import Plan


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
    """Draws without a seed."""
    split = plan.roles.split
    if parameters and SPLIT in parameters.added_seeds and split:
        origin = f"np.random.seed({plan.seed})" if plan.seed is not None else "no seed"
        yield Decision(
            plan.cell_of(split.statement),
            "random",
            f"the split draws at random with {origin}; `random_state` is now {plan.seed or 0}",
        )
    for index in sorted(plan.build):
        for call in calls(plan.statements[index].node):
            made = plan.roles.imports.makes_estimator(call)
            if made and lacks_seed(made, call):
                added = bool(parameters and any(name != SPLIT for name in parameters.added_seeds))
                yield Decision(
                    plan.cell_of(index),
                    "random",
                    f"{made} draws at random without a seed" + ("; `random_state` is now 0" if added else "; give one"),
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
            "found no number that judges the model on test rows; `metrics` has the usual ones",
        )
