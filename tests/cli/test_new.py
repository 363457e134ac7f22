"""The command `new`."""

from pathlib import Path
from typing import Any

import pytest
from command_line import invoke

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.create import NewPipeline
from pipeline_lib.project.drafting.findings import AGAIN
from pipeline_lib.project.project import Project, find_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = bank\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    return find_project(tmp_path)


def test_options_reach_the_draft_and_its_findings_are_printed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def create(project: Project, name: str, file: Path, options: Any, *, copy: bool) -> NewPipeline:
        asked.extend([name, file, options, copy])
        guesses = {"nbs/pipelines/loans.ipynb": [f"guess {n}" for n in range(14)], "nbs/research/loans.ipynb": []}
        return NewPipeline(["params/loans.yml"], ["data: 60 rows"], guesses)

    monkeypatch.setattr("pipeline_lib.project.drafting.create.create_from_data", create)
    words = "new loans --data a.csv --target rate --task regression --time day --sensitive x --sensitive y --copy"
    result = invoke(*words.split(), project=project)
    assert result.stdout.splitlines() == [
        "data: 60 rows",
        "wrote params/loans.yml",
        "14 guesses to decide, marked `# decide:` in nbs/pipelines/loans.ipynb:",
        *(f"  guess {n}" for n in range(12)),
        "  and 2 more",
        "next: pipeline-lib run params/loans.yml",
    ]
    name, file, options, copy = asked
    assert (name, file, copy) == ("loans", Path("a.csv"), True)
    assert (options.target, options.task, options.time, options.group) == ("rate", "regression", "day", None)
    assert options.sensitive == ("x", "y")


def test_one_guess_is_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    made = NewPipeline([], [], {"nbs/pipelines/loans.ipynb": ["is it?"]})
    monkeypatch.setattr("pipeline_lib.project.drafting.create.create_from_data", lambda *given, **options: made)
    assert "1 guess to decide, marked" in invoke("new", "loans", "--data", "a", "--target", "b", project=project).output


def test_a_finding_that_asks_to_draft_again_comes_with_the_line_to_copy(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["nbs/a b.ipynb", "params/loans.yml"]
    for finding, shown in ((f"not numbers: x; {AGAIN} --missing abc", True), ("data: 60 rows", False)):
        made = NewPipeline(files, [finding], {})
        monkeypatch.setattr("pipeline_lib.project.drafting.create.create_from_data", lambda *a, made=made, **o: made)
        printed = invoke("new", "loans", "--data", "a", "--target", "b", project=project).output
        assert ("to draft again: rm 'nbs/a b.ipynb' params/loans.yml\n" in printed) == shown


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("new loans --data a.csv", "found raw data without --target"),
        ("new loans --target rate", "found options of a draft without raw data"),
        ("new loans --copy", "found options of a draft without raw data"),
        ("new loans --sql shop:select --data a.csv --target rate", "found --sql with --data"),
        ("new loans --sql shop --target rate", "found --sql with --data or --copy, or without a query"),
        ("new loans --sql nowhere:select --target rate", "found no connection 'nowhere'"),
        ("new loans --sql data/no.sqlite:select --target rate", "--sql: found 'data/no.sqlite'"),
        ("new class --data a.csv --target rate", "found the name 'class'"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(project: Project, words: str, problem: str) -> None:
    result = invoke(*words.split(), project=project)
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(problem)


def test_a_missing_file_is_named(project: Project) -> None:
    result = invoke("new", "loans", "--data", project.root / "none.csv", "--target", "rate", project=project)
    assert "none.csv: found no such file" in str(result.exception)
