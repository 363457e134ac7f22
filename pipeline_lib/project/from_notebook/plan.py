"""Where each statement of the original goes: load, split, build, metrics, the module's own names, or research."""

import ast
from dataclasses import dataclass, field

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.calls import assigned, calls, method
from pipeline_lib.project.from_notebook.estimators import constructor, is_literal, searched_estimator
from pipeline_lib.project.from_notebook.flow import Flow
from pipeline_lib.project.from_notebook.names import free_names
from pipeline_lib.project.from_notebook.roles import Fit, Roles
from pipeline_lib.project.from_notebook.scores import Score, scores_of
from pipeline_lib.project.from_notebook.source import SourceCell, Statement, source_cells, statements

_OWN_NAMES = frozenset({"load", "split", "build", "metrics", "Row", "Params", "SOURCES", "METRIC"})


@dataclass(frozen=True)
class Plan:
    """The original with the roles of its statements; each set holds indexes of statements.

    `load` makes the table and the target, `build` makes the unfitted steps and the model; `module` holds functions,
    classes and constants that they need. `literals` are names that `build` reads and only the data can tell.
    """

    cells: list[SourceCell]
    flow: Flow
    roles: Roles
    model: Fit
    imports: frozenset[int]
    module: frozenset[int]
    load: frozenset[int]
    build: frozenset[int]
    literals: dict[str, int]
    scores: tuple[Score, ...]
    seed: int | None
    order: str = ""
    constants: dict[str, int] = field(default_factory=dict)

    @property
    def statements(self) -> list[Statement]:
        """All statements in the order in which they run."""
        return self.flow.statements

    @property
    def target(self) -> tuple[ast.expr, int]:
        """The expression of the target before the split, and the statement that reads it."""
        chain = self.roles.target(self.model)
        return chain.source, chain.at

    def cell_of(self, index: int) -> int:
        """The number of a statement's cell."""
        return self.statements[index].cell

    @property
    def bound_at_split(self) -> bool:
        """Whether all names of rows and target are bound where they are split: names of columns may come later."""
        places = [(self.model.chain.source, self.model.chain.at), self.target]
        return all(self.flow.bound_by(name, at) is not None for value, at in places for name in free_names([value]))


def plan_of(notebook: dict[str, object], shown: str) -> Plan:
    """Read a notebook and decide where its statements go.

    Raises InputError where there is no Python, or no model that a top-level cell fits.
    """
    cells = source_cells(notebook)
    found, order = _in_working_order(cells)
    if not found:
        raise InputError(f"{shown}: found no cell of Python, expected an exploration notebook; check the file's name")
    flow = Flow(found)
    roles = Roles(flow)
    model = roles.model
    if model is None:
        raise InputError(
            f"{shown}: found no cell that fits a model of scikit-learn, XGBoost, LightGBM or an own class, as in "
            "`model.fit(X_train, y_train)`, outside of a loop or function, expected one; write the chosen model's fit "
            "as a cell of its own"
        )
    return _Planner(cells, flow, roles, model, order, shown).plan()


def _in_working_order(cells: list[SourceCell]) -> tuple[list[Statement], str]:
    """The statements in the notebook's order; in that of the execution counts where only that one binds every name."""
    found = statements(cells)
    if not any(later is not None for _, _, later in Flow(found).unbound()):
        return found, ""
    counts = {cell.number: cell.count for cell in cells if cell.kind == "code"}
    last = 1 + max((count for count in counts.values() if count is not None), default=0)
    by_count = sorted(cells, key=lambda cell: last if (count := counts.get(cell.number)) is None else count)
    other = statements(by_count)
    if len(Flow(other).unbound()) < len(Flow(found).unbound()):
        return other, "counts"
    return found, ""


class _Planner:
    def __init__(self, cells: list[SourceCell], flow: Flow, roles: Roles, model: Fit, order: str, shown: str) -> None:
        self.cells, self.flow, self.roles, self.model, self.order = cells, flow, roles, model, order
        self.shown = shown
        self.nodes = [statement.node for statement in flow.statements]
        self.imports = frozenset(i for i, n in enumerate(self.nodes) if isinstance(n, ast.Import | ast.ImportFrom))
        self.seeds = [i for i in range(len(self.nodes)) if self._seed(i) is not None]
        binders: dict[str, int] = {}
        for names in flow.names:
            for name in names.binds:
                binders[name] = binders.get(name, 0) + 1
        self.constants = {
            found[0]: i
            for i, node in enumerate(self.nodes)
            if (found := assigned(node)) and binders[found[0]] == 1 and is_literal(found[1])
        }

    def plan(self) -> Plan:
        chain = self.model.chain
        split = chain.split
        target = self.roles.target(self.model)
        wanted = [
            (name, at if self.flow.bound_by(name, at) is not None else self.model.statement)
            for expression, at in ((chain.source, chain.at), (target.source, target.at))
            for name in free_names([expression])
        ]
        needed = self.flow.needed(wanted, skip=lambda index: index in self.seeds and not self._draws())
        table = {i for i in needed if not self._is_general(i)} - self.imports
        build, literals = self._build(table)
        rest = self._split_names(split.statement) if split else set()
        whole = needed | build | rest | self._steps_functions()
        module = {i for i in self._with_general(whole) if self._is_general(i)} - self.imports
        self._check_names(module | table)
        scores = tuple(scores_of(self.roles, self.model))
        module |= {
            i for i in self._with_general({i for score in scores for i in score.functions}) if self._is_general(i)
        }
        seed = next((self._seed(i) for i in reversed(self.seeds) if i < (split.statement if split else 0)), None)
        return Plan(
            self.cells,
            self.flow,
            self.roles,
            self.model,
            self.imports,
            frozenset(module - self.imports),
            frozenset(table),
            frozenset(i for i in build if not self._is_general(i)),
            literals,
            scores,
            seed,
            self.order,
            self.constants,
        )

    def _check_names(self, moved: set[int]) -> None:
        """Refuse names that the functions of the pipeline have."""
        for index in sorted(moved):
            for name in sorted(self.flow.names[index].binds & _OWN_NAMES):
                cell = self.flow.statements[index].cell
                raise InputError(
                    f"{self.shown}: cell {cell}: found the name {name}, which the pipeline needs for itself, "
                    f"expected another; rename it in the notebook, for example to {name}_of_mine"
                )

    def _draws(self) -> bool:
        return any(
            self.roles.imports.name(call.func).startswith("numpy.random.") and method(call) != "seed"
            for node in self.nodes
            for call in calls(node)
        )

    def _seed(self, index: int) -> int | None:
        node = self.nodes[index]
        for call in calls(node) if isinstance(node, ast.Expr) else ():
            name = self.roles.imports.name(call.func)
            if name in ("numpy.random.seed", "random.seed") and call.args and isinstance(call.args[0], ast.Constant):
                value = call.args[0].value
                return value if isinstance(value, int) and name.startswith("numpy") else None
        return None

    def _is_general(self, index: int) -> bool:
        """Whether a statement can stand in a module: an import, a constant, a definition of such things alone."""
        node = self.nodes[index]
        if index in self.imports or index in self.constants.values():
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
        names = self.flow.names[index]
        inner = [self.flow.bound_by(name, len(self.nodes)) for name in names.late | names.reads]
        return all(i is None or i == index or self._is_general(i) for i in inner)

    def _with_general(self, indexes: set[int]) -> set[int]:
        """Some statements with the definitions and constants that they use."""
        result = set(indexes)
        waiting = list(indexes)
        while waiting:
            index = waiting.pop()
            names = self.flow.names[index]
            for name in names.reads | names.late:
                found = self.flow.bound_by(name, len(self.nodes) if name in names.late else index)
                if found is not None and found not in result and self._is_general(found):
                    result.add(found)
                    waiting.append(found)
        return result

    def _steps_functions(self) -> set[int]:
        return {self.roles.functions[step.name] for step in self.model.chain.steps if step.kind == "function"}

    def _split_names(self, index: int) -> set[int]:
        split = self.roles.split
        if split is None:
            return set()
        names = free_names([*(keyword.value for keyword in split.call.keywords)])
        found = {self.flow.bound_by(name, index) for name in names}
        return {i for i in found if i is not None and self._is_general(i)}

    def _build(self, table: set[int]) -> tuple[set[int], dict[str, int]]:
        """The statements that make steps and model unfitted, and the names in them that come from the data."""
        result: set[int] = set()
        literals: dict[str, int] = {}
        data = set(table) | ({self.roles.split.statement} if self.roles.split else set())
        wanted = []
        if self.model.search:
            searched = searched_estimator(self.nodes[self.model.made])
            wanted += [(name, self.model.made) for name in free_names([searched])]
        elif self.model.made == self.model.statement:
            result.add(self.model.made)
            wanted += [(name, self.model.made) for name in free_names([constructor(self.nodes[self.model.made])])]
        else:
            wanted.append((self.model.name, self.model.statement))
        for step in self.model.chain.steps:
            if step.kind == "fitted" and step.name:
                wanted.append((step.name, step.statement))
            extra = [ast.parse(text, mode="eval").body for text in (step.expression, step.columns) if text]
            wanted += [(name, step.statement) for name in free_names(extra)]
        seen: set[tuple[str, int]] = set()
        while wanted:
            name, at = wanted.pop()
            made = self.flow.bound_by(name, at)
            if made is None or (name, made) in seen or made in self.imports:
                continue
            seen.add((name, made))
            if self._is_general(made):
                result.add(made)
                continue
            value = assigned(self.nodes[made])
            estimator = value and self.roles.class_of(name, made)
            if not estimator and self.flow.needed([(name, at)]) & data:
                literals[name] = at
                continue
            if isinstance(self.nodes[made], ast.Assign | ast.AnnAssign):
                result.add(made)
                wanted += [(read, made) for read in free_names([constructor(self.nodes[made])])]
            for index in range(made + 1, at):
                changes = [call for call in calls(self.nodes[index]) if method(call) in ("set_params", "set_output")]
                if name in self.flow.names[index].changes and changes and isinstance(self.nodes[index], ast.Expr):
                    result.add(index)
                    wanted += [(read, index) for read in self.flow.names[index].reads - {name}]
        return result, literals
