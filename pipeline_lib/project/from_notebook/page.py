"""The page about an original: each cell as kept, moved or to decide, and what was proven."""

from dataclasses import dataclass

from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.kept import kept_statements, moved_statements
from pipeline_lib.project.from_notebook.parameters import Parameters
from pipeline_lib.project.from_notebook.plan import Plan

KEPT, MOVED, DECIDE = "kept", "moved", "to decide"


@dataclass(frozen=True)
class CellPlace:
    """Where one original cell went: its number, first line, status, and places in words."""

    number: int
    first_line: str
    status: str
    places: str


@dataclass(frozen=True)
class Comparison:
    """One value of the original and of the new pipeline: `result` is "equal", "differs" or "not compared"."""

    value: str
    cell: int
    result: str
    detail: str = ""


def cell_places(plan: Plan, parameters: Parameters, found: list[Decision]) -> list[CellPlace]:
    """Every cell of the original, in its order."""
    kept, moved = kept_statements(plan), moved_statements(plan)
    decided = {decision.cell for decision in found}
    result = []
    for cell in plan.cells:
        mine = [statement.index for statement in plan.statements if statement.cell == cell.number]
        places = list(dict.fromkeys(place for index in mine for place in _places(plan, parameters, index, kept, moved)))
        if cell.kind != "code":
            places = ["research notebook"]
        elif cell.problem:
            places = ["research notebook, as comments"]
        elif not mine:
            places = ["research notebook"] if cell.source.strip() else ["empty"]
        status = (
            MOVED if any(not place.startswith(("research", "empty", "unused", "imports")) for place in places) else KEPT
        )
        status = DECIDE if cell.number in decided else status
        first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
        result.append(CellPlace(cell.number, first, status, ", ".join(places)))
    return result


def _places(plan: Plan, parameters: Parameters, index: int, kept: set[int], moved: set[int]) -> list[str]:
    split = plan.roles.split
    places = []
    if index in plan.imports:
        names = plan.flow.names[index].binds
        used = any(names & plan.flow.names[other].reads | names & plan.flow.names[other].late for other in moved)
        both = [*(["imports of the pipeline"] if used else []), *(["research notebook"] if index in kept else [])]
        return both or ["unused import"]
    if index in parameters.constants.values():
        places.append("parameters")
    elif index in plan.module:
        places.append("pipeline notebook")
    if index in plan.load:
        places.append("`load`")
    if split and index == split.statement:
        places.append("`split`")
    if index in plan.build or (plan.model.search and index == plan.model.statement):
        places.append("`build`")
    elif index in moved and not places:
        scores = any(score.statement == index for score in plan.scores)
        places.append("`metrics`" if scores else "the run's own calls")
    elif any(score.statement == index for score in plan.scores):
        places.append("`metrics`")
    if index in kept and index not in plan.module:
        places.append("research notebook")
    return places or ["unused"]


def page(
    title: str,
    places: list[CellPlace],
    found: list[Decision],
    comparisons: list[Comparison],
    notes: list[str],
) -> str:
    """The page as Markdown."""
    counts = {status: sum(place.status == status for place in places) for status in (KEPT, MOVED, DECIDE)}
    lines = [
        f"# {title}",
        "",
        "Written by `pipeline-lib new --from`. No command reads this page: delete it when all is decided.",
        "",
    ]
    lines += [f"{len(places)} cells: {', '.join(f'{count} {status}' for status, count in counts.items())}.", ""]
    lines += ["## Proof", "", *[f"- {note}" for note in notes], ""]
    if comparisons:
        lines += ["Values of the original and of the new pipeline, compared bit for bit:", ""]
        lines += ["| value | cell | result | detail |", "|---|---|---|---|"]
        lines += [f"| {c.value} | {c.cell} | {c.result} | {_escaped(c.detail)} |" for c in comparisons] + [""]
    lines += ["## To decide", ""]
    if found:
        lines += [
            "What was found and what was done about it. Where you decide otherwise, change the notebooks, then run "
            "`pipeline-lib export` and the pipeline.",
            "",
        ]
    lines += [f"- **cell {one.cell}, {one.kind}**: {one.text}" for one in found] or ["Nothing."]
    lines += ["", "## Cells", "", "| cell | first line | status | now in |", "|---|---|---|---|"]
    lines += [
        f"| {place.number} | {_code(place.first_line)} | {place.status} | {_escaped(place.places)} |"
        for place in places
    ]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    short = text if len(text) <= 60 else f"{text[:60]}…"
    return f"`{_escaped(short).replace('`', '')}`" if short else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
