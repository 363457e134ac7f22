"""Draws at random without a seed, wherever they stand: models inside searches, pipelines and votes, splits, samples.

A draw that the pipeline notebook has gets a seed, in the original's run too: then both draw the same, and what is left
of a difference has another cause.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline_lib.project.from_notebook.calls import Imports, argument, method
from pipeline_lib.project.from_notebook.edits import Edit, added
from pipeline_lib.project.from_notebook.estimators import draws_at_random
from pipeline_lib.project.from_notebook.plan import Plan

SEED = "random_state"
_SHUFFLERS = ("KFold", "StratifiedKFold", "StratifiedGroupKFold")
_FUNCTIONS = ("sklearn.utils.shuffle", "sklearn.utils.resample", "sklearn.model_selection.train_test_split")
_SPLITTERS = ("ShuffleSplit", "StratifiedShuffleSplit", "GroupShuffleSplit", "RepeatedKFold", "RepeatedStratifiedKFold")
_GLOBAL = ("numpy.random.", "random.")
_NO_DRAWS = ("seed", "get_state", "set_state", "SeedSequence", "Generator", "PCG64", "Random", "SystemRandom")


@dataclass(frozen=True, eq=False)
class Draw:
    """A call that draws at random without a seed.

    `name` is how the page calls it; `seedable` is whether it takes `random_state`, and `moved` whether it is in code of
    the pipeline notebook.
    """

    statement: int
    call: ast.Call = field(repr=False)
    name: str
    seedable: bool
    moved: bool

    @property
    def is_model(self) -> bool:
        """Whether an estimator, a search or a splitter draws, and not a function."""
        return self.name[:1].isupper()


def draws(plan: Plan) -> list[Draw]:
    """All draws without a seed, in the order of the statements."""
    moved = {*plan.load, *plan.build, *plan.module, *({plan.model.made} if plan.model.search else ())}
    moved |= {plan.model.statement} if plan.model.made == plan.model.statement else set()
    moved |= {plan.roles.split.statement} if plan.roles.split else set()
    return [
        Draw(statement.index, call, name, seedable, statement.index in moved)
        for statement in plan.statements
        for call, name, seedable in _draws_in(plan, statement.node)
    ]


def seeded(plan: Plan) -> list[Draw]:
    """The draws that get a seed, in the pipeline and in the original's run."""
    return [draw for draw in draws(plan) if draw.moved and draw.seedable]


def unseeded(plan: Plan) -> list[Draw]:
    """The draws of the pipeline that stay without a seed, so that no two runs are alike."""
    return [draw for draw in draws(plan) if draw.moved and not draw.seedable]


def is_split(plan: Plan, draw: Draw) -> bool:
    """Whether a draw is that of the split."""
    return plan.roles.split is not None and draw.call is plan.roles.split.call


def seed_edits(plan: Plan, index: int) -> list[Edit]:
    """The edits that give the draws of a statement their seed, written out."""
    return [seed_edit(draw.call, str(plan.seed or 0)) for draw in seeded(plan) if draw.statement == index]


def seed_edit(call: ast.Call, text: str) -> Edit:
    """The edit that gives a call a `random_state`, in place of one that is None."""
    given = argument(call, 99, SEED)
    return (given, text) if given is not None else added(call, f"{SEED}={text}")


def _draws_in(plan: Plan, node: ast.stmt) -> Iterator[tuple[ast.Call, str, bool]]:
    """The calls without a seed in a statement, in functions that it defines too: name, and whether it takes one."""
    imports = plan.roles.imports
    for call in (part for part in ast.walk(node) if isinstance(part, ast.Call)):
        given = argument(call, 99, SEED)
        name = _name(imports, call) if given is None or ast.unparse(given) == "None" else ""
        if name:
            yield call, name, all(keyword.arg for keyword in call.keywords)
        elif (drawn := _global_draw(imports, call)) and not _is_seeded(plan, drawn):
            yield call, drawn, False


def _is_seeded(plan: Plan, name: str) -> bool:
    """Whether the notebook seeds the generator that a function of NumPy or Python draws from."""
    seed = f"{name.rpartition('.')[0]}.seed"
    every = (part for statement in plan.statements for part in ast.walk(statement.node) if isinstance(part, ast.Call))
    return any(plan.roles.imports.name(call.func) == seed and call.args for call in every)


def _name(imports: Imports, call: ast.Call) -> str:
    """What draws at random in a call unless it has a `random_state`; "" for anything else."""
    full, made = imports.name(call.func), imports.makes_estimator(call)
    last = full.rpartition(".")[2]
    if made and draws_at_random(made, call):
        return made
    if full in _FUNCTIONS:
        return last if last != "train_test_split" or not _is_false(argument(call, 99, "shuffle")) else ""
    if full.startswith("sklearn.") and (last in _SPLITTERS or (last in _SHUFFLERS and _shuffles(call))):
        return last
    if full.startswith("sklearn.datasets.make_"):
        return last
    return "sample" if _samples_table(imports, call) else ""


def _samples_table(imports: Imports, call: ast.Call) -> bool:
    """Whether a call is `table.sample(5)`, `table.sample(frac=0.5)` or the like."""
    if method(call) != "sample" or imports.name(call.func) or len(call.args) > 1:
        return False
    return bool(call.args) or any(keyword.arg in ("n", "frac") for keyword in call.keywords)


def _global_draw(imports: Imports, call: ast.Call) -> str:
    """A call that draws from NumPy's or Python's global state, or from a generator that is made without a seed."""
    full = imports.name(call.func)
    last = full.rpartition(".")[2]
    if not full.startswith(_GLOBAL) or last in _NO_DRAWS:
        return ""
    return "" if last in ("default_rng", "RandomState") and (call.args or call.keywords) else full


def _shuffles(call: ast.Call) -> bool:
    shuffle = argument(call, 1, "shuffle")
    return isinstance(shuffle, ast.Constant) and shuffle.value is True


def _is_false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False
