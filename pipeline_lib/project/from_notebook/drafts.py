"""The files of the new pipeline as bytes: two notebooks, parameters, parity test, page."""

import re
from pathlib import Path
from typing import Any

from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.module import ModuleDraft, NewCell
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.research import ResearchDraft
from pipeline_lib.project.new_pipeline import fill, new_files
from pipeline_lib.project.notebooks import notebook_bytes
from pipeline_lib.project.project import Project

_KERNEL = {"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}}


def drafts(plan: Plan, facts: Facts, project: Project, name: str, shown: str) -> dict[Path, bytes]:
    """The files of a new pipeline from an original notebook, which messages call `shown`."""
    chosen = parameters(plan, facts)
    paths = new_files(project, name)
    module = ModuleDraft(plan, facts, chosen, name, shown).cells()
    research = ResearchDraft(plan, facts, chosen, name, project.library).cells()
    return {
        paths["pipeline.ipynb"]: notebook_bytes(_notebook(module)),
        paths["research.ipynb"]: notebook_bytes(_notebook(research)),
        paths["params.yml"]: chosen.yaml(name, shown).encode(),
        paths["test.py"]: fill("test.py", project, name).encode(),
    }


def page_path(project: Project, name: str) -> Path:
    """Where the page about an original lies: beside the research notebook."""
    return project.research_notebook(name).with_name(f"{name}.from-notebook.md")


def _notebook(new: list[NewCell]) -> dict[str, Any]:
    cells = []
    for kind, cell_id, source, tags in new:
        cell: dict[str, Any] = {"cell_type": kind, "id": re.sub(r"[^a-zA-Z0-9_-]", "-", cell_id)[:64]}
        cell |= {"metadata": {"tags": list(tags)} if tags else {}, "source": source.splitlines(keepends=True)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    return {"cells": cells, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}
