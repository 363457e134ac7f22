"""`new --from`: what is printed, and the exit code."""

from dataclasses import replace
from pathlib import Path

import pytest
from command_line import invoke

from pipeline_lib.cli.from_notebook import next_of
from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.page import CellPlace, Comparison
from pipeline_lib.project.project import Project
from pipeline_lib.runner.from_notebook import FromNotebook


def outcome(*, proven: bool) -> FromNotebook:
    places = [CellPlace(1, "# Flats", "kept", "research notebook"), CellPlace(2, "x = 1", "to decide", "`load`")]
    return FromNotebook(
        ["nbs/pipelines/flats.ipynb"],
        Path("nbs/research/flats.from-notebook.md"),
        places,
        [Decision(2, "cleaning", "changes a column")],
        [Comparison("predictions", 7, "equal" if proven else "differs", "30")],
        ["The original runs from the first cell to the last."],
        proven,
    )


@pytest.mark.parametrize("proven", [True, False])
def test_cells_comparisons_and_decisions_are_printed(
    project: Project, monkeypatch: pytest.MonkeyPatch, proven: bool
) -> None:
    page = project.notebooks / "research" / "flats.from-notebook.md"
    monkeypatch.setattr(
        "pipeline_lib.runner.from_notebook.pipeline_from_notebook",
        lambda *given: replace(outcome(proven=proven), page=page),
    )
    result = invoke("new", "flats", "--from", "notes.ipynb", project=project)
    assert result.exit_code == (0 if proven else 1)
    assert result.output.splitlines() == [
        "wrote nbs/pipelines/flats.ipynb",
        "2 cells: 1 kept, 0 moved, 1 to decide",
        "The original runs from the first cell to the last.",
        f"  {'equal       ' if proven else 'differs     '}  predictions (cell 7): 30",
        "to decide:",
        "  cell 2, cleaning: changes a column",
        "next: decide what nbs/research/flats.from-notebook.md lists; pipeline-lib export; "
        "pipeline-lib run params/flats.yml; pipeline-lib parity flats",
    ]


def test_the_next_commands_are_those_of_this_pipeline(project: Project) -> None:
    whole = outcome(proven=True)
    page = project.notebooks / "research" / "flats.from-notebook.md"
    assert next_of(project, "flats", replace(whole, page=page, decisions=[])) == "pipeline-lib parity flats"
    assert next_of(project, "flats", replace(whole, page=page, ran=False)) == (
        "correct the notebooks flats.ipynb in nbs; pipeline-lib export; pipeline-lib run params/flats.yml"
    )


def test_a_notebook_that_does_not_exist_is_refused(project: Project) -> None:
    result = invoke("new", "flats", "--from", "no such.ipynb", project=project)
    assert "no such.ipynb: found no such notebook" in str(result.exception)
