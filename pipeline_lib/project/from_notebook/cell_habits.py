"""Habits that single cells show: order, hidden state, IPython's lines, paths, unused cells."""

import ast
from collections.abc import Iterator, Mapping

from pipeline_lib.project.from_notebook.calls import calls, method
from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.kept import kept_statements, moved_statements
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.source import in_order
from pipeline_lib.project.notebooks import RAISES

_INSTALLS = ("pip", "conda", "mamba", "apt", "apt-get", "uv")


def order(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Cells that ran in another order than they stand in, and cells that did not run."""
    for earlier, later in in_order(plan.cells):
        yield Decision(
            later.number,
            "order",
            f"ran before cell {earlier.number}, which stands above it (execution counts {later.count} and "
            f"{earlier.count})" + ("; the cells are taken in the order of the counts" if plan.order else ""),
        )
    ran = any(cell.count is not None for cell in plan.cells)
    for cell in plan.cells:
        if ran and cell.kind == "code" and cell.count is None and cell.source.strip():
            yield Decision(cell.number, "order", "was not run when the notebook was saved")


def hidden_state(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Names that are read before any cell binds them."""
    for index, name, later in plan.flow.unbound():
        where = f"first bound in cell {plan.cell_of(later)}" if later is not None else "bound in no cell"
        yield Decision(plan.cell_of(index), "hidden state", f"reads `{name}`, {where}: it ran in another session")


def failed(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Cells that raised an error as the original ran."""
    for number, error in sorted(facts.failed.items() if facts else ()):
        yield Decision(number, "error", f"raises {error.rstrip('.')}; tagged `{RAISES}`: correct the cell or delete it")


def not_python(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Lines and cells of IPython and of the shell."""
    for cell in plan.cells:
        if cell.problem:
            yield Decision(cell.number, "no Python", f"{cell.problem}; kept as comments")
        for magic in cell.magics:
            if magic.text.startswith(("%matplotlib", "%config")) or (cell.problem and len(cell.magics) == 1):
                continue
            package = installs(magic.text)
            what = "name the package in settings.ini instead" if package else "do its work in Python if needed"
            kind = "shell" if package or magic.text.startswith("!") or "!" in magic.text.partition("=")[2] else "magic"
            yield Decision(cell.number, kind, f"`{magic.text}` is left out; {what}")


def paths(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Files that are read by a path relative to the notebook, and addresses."""
    known = facts.files if facts else {}
    for statement in plan.statements:
        for path in _texts(plan, statement.node, known):
            if "://" in path:
                yield Decision(statement.cell, "path", f"reads {path} over the network; keep a copy in the project")
            elif path in known:
                text = f"names the file {path!r}; the pipeline reads `data_path({known[path]!r})`"
                yield Decision(statement.cell, "path", text)
            elif not path.startswith("/"):
                yield Decision(statement.cell, "path", f"reads {path!r}, a path relative to the notebook")


def _texts(plan: Plan, node: ast.stmt, known: Mapping[str, str]) -> Iterator[str]:
    """Texts in a statement that name a file: those of known files, and the first argument of a reader."""
    readers = [
        call.args[0]
        for call in calls(node)
        if call.args and _is_reader(plan.roles.imports.name(call.func).rpartition(".")[2] or method(call))
    ]
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and (part.value in known or part in readers):
            yield part.value


def _is_reader(name: str) -> bool:
    return name.startswith(("read_", "load")) or name in ("open", "genfromtxt")


def unused(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Cells whose results no other statement reads, and that show nothing."""
    kept, moved = kept_statements(plan), moved_statements(plan)
    for cell in plan.cells:
        mine = [s for s in plan.statements if s.cell == cell.number]
        quiet = [s for s in mine if not isinstance(s.node, ast.Import | ast.ImportFrom)]
        if not quiet or any(s.index in moved or s.magic for s in quiet):
            continue
        shows = any(isinstance(s.node, ast.Expr | ast.For | ast.While | ast.If | ast.With) for s in quiet)
        used = any(user for s in quiet for user in plan.flow.users(s.index) if user not in {q.index for q in quiet})
        if not shows and not used and any(s.index in kept for s in quiet):
            yield Decision(cell.number, "unused", "no other cell reads what this one makes, and it shows nothing")


def imports(plan: Plan, facts: Facts | None) -> Iterator[Decision]:
    """Imports of everything."""
    for index in sorted(plan.imports):
        node = plan.statements[index].node
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield Decision(plan.cell_of(index), "star import", f"`{ast.unparse(node)}`: name what is used")


def installs(line: str) -> bool:
    """Whether a line of IPython or of the shell installs packages, which would change the environment.

    >>> installs("!pip install seaborn"), installs("%pip install seaborn"), installs("!ls")
    (True, True, False)
    """
    words = line.strip().lstrip("!%").split()
    return line.lstrip().startswith(("!", "%")) and bool(words) and words[0] in _INSTALLS
