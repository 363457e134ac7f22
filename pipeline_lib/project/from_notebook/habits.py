"""Habits of exploration that production cannot repeat, or that only the author can decide about."""

from pipeline_lib.project.from_notebook import cell_habits, model_habits, table_habits
from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.parameters import Parameters
from pipeline_lib.project.from_notebook.plan import Plan


def decisions(plan: Plan, parameters: Parameters | None = None, facts: Facts | None = None) -> list[Decision]:
    """Everything that is left to decide, by cell; what only the original's run can tell needs `facts`."""
    found = [
        *cell_habits.order(plan, facts),
        *cell_habits.hidden_state(plan, facts),
        *cell_habits.failed(plan, facts),
        *cell_habits.not_python(plan, facts),
        *table_habits.fitted_on_all_rows(plan, facts),
        *table_habits.table_work(plan, facts),
        *table_habits.cast_columns(plan, facts),
        *cell_habits.paths(plan, facts),
        *model_habits.models(plan, facts),
        *cell_habits.unused(plan, facts),
        *cell_habits.imports(plan, facts),
        *model_habits.transformed_target(plan, facts),
        *model_habits.refitted(plan, facts),
        *model_habits.random(plan, facts, parameters),
        *model_habits.data_values(plan, facts),
        *model_habits.scores(plan, facts),
    ]
    return sorted(dict.fromkeys(found), key=lambda decision: decision.cell)
