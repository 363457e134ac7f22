"""`new --from`: what is printed, and the exit code."""

from pathlib import Path

import pytest
from command_line import invoke

from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.page import CellPlace, Comparison
from pipeline_lib.project.project import Project
from pipeline_lib.runner.from_notebook import FromNotebook


def outcome(*, proven: bool) -> FromNotebook:
    places = [CellPlace(1, "# Flats", "kept", "research notebook"), CellPlace(2, "x = 1", "to decide", "`load`")]
    return FromNotebook(
        ["nbs/pipelines/flats.ipynb"],
        Path("flats.from-notebook.md"),
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
    monkeypatch.setattr(
        "pipeline_lib.runner.from_notebook.pipeline_from_notebook", lambda *given: outcome(proven=proven)
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
        "next: decide what the page lists, then pipeline-lib run params/flats.yml",
    ]


def test_a_notebook_that_does_not_exist_is_refused(project: Project) -> None:
    result = invoke("new", "flats", "--from", "no such.ipynb", project=project)
    assert "no such.ipynb: found no such notebook" in str(result.exception)
