"""The commands about champions, as a person reads them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from harbours import commit, compared, finished, git, repository

from pipeline_lib.cli.main import commands
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import champion_path


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


def output(project: Project, *arguments: str) -> str:
    """What a command prints, and the text of its error."""
    result = CliRunner().invoke(commands, list(arguments), obj=project)
    return result.output + (str(result.exception) if result.exception else "")


def test_promote_says_how_colleagues_get_it_and_that_works(anna: Project) -> None:
    record = finished(anna)
    lines = output(anna, "promote", "boats", "--reason", "lower error").splitlines()
    assert lines[0] == f"in the store ../store, every byte verified: {record.reference}"
    assert lines[1] == f"boats@champion is {record.reference}"
    add, committed = lines[2].removeprefix("colleagues get it by git: ").split(" && ")
    git(anna.root, *add.split()[1:])
    git(anna.root, "commit", "-m", committed.split('"')[1], *committed.split('"')[2].split())
    assert git(anna.root, "status", "--porcelain") == ""
    assert git(anna.root, "log", "-1", "--format=%s").strip() == f"Promote {record.reference}"


def test_champions_are_listed_with_their_facts(anna: Project) -> None:
    assert output(anna, "champions") == (
        "no champions yet; `pipeline-lib promote REF --reason TEXT` makes a run the champion\n"
    )
    record = finished(anna, 2.5)
    output(anna, "promote", "boats", "--reason", "lower error")
    for arguments in (["champions"], ["champions", "boats"]):
        line = output(anna, *arguments)
        assert line.split("  ")[0] == record.reference
        assert line.split("  ")[1].strip().startswith("since 20")
        assert line.endswith(" UTC  by Anna <anna@example.org>  lower error  rmse 2.5\n")
    (listed,) = json.loads(output(anna, "champions", "--json"))
    assert (listed["pipeline"], listed["reference"], listed["previous"]) == ("boats", record.reference, None)
    assert "found no champions/masts.yml" in output(anna, "champions", "masts")
    assert "lower-case letters" in output(anna, "champions", "../masts")


def test_one_pointer_that_is_malformed_does_not_hide_the_others(anna: Project) -> None:
    record = finished(anna)
    output(anna, "promote", "boats", "--reason", "lower error")
    (anna.root / "champions" / "masts.yml").write_text("broken")
    printed = output(anna, "champions")
    assert printed.startswith(record.reference)
    assert "champions/masts.yml: found" in printed


def test_the_history_of_a_pipeline(anna: Project) -> None:
    assert "found --history without a pipeline" in output(anna, "champions", "--history")
    assert "found no champion of 'boats', now or before" in output(anna, "champions", "boats", "--history")
    first, second = finished(anna), finished(anna)
    for record in (first, second):
        output(anna, "promote", record.reference, "--reason", "better")
        commit(anna.root)
    said = output(anna, "promote", "boats", "--rollback", "--reason", "prices were wrong")
    assert f"boats@champion is {first.reference}, before it was {second.reference}" in said
    assert f'git commit -m "Return to {first.reference}"' in said
    lines = output(anna, "champions", "boats", "--history").splitlines()
    assert [line[:13].strip() for line in lines[:1]] == ["not committed"]
    assert lines[0].split("  ")[-2] == "rolled back: prices were wrong"
    assert [next(word for word in line.split() if "/" in word) for line in lines] == [
        first.reference,
        second.reference,
        first.reference,
    ]
    versions = json.loads(output(anna, "champions", "boats", "--history", "--json"))
    assert [version["commit"] is None for version in versions] == [True, False, False]
    shutil.rmtree(anna.root / ".git")
    outside = output(anna, "champions", "boats", "--history")
    assert "found no git here, which keeps the history" in outside
    assert f"the champion before was {second.reference}" in outside


def test_rollback_takes_the_name_of_a_pipeline(anna: Project) -> None:
    record = finished(anna)
    assert "expected the pipeline's name alone" in output(
        anna, "promote", record.reference, "--rollback", "--reason", "x"
    )
    assert "found no champions/boats.yml" in output(anna, "promote", "boats@champion", "--rollback", "--reason", "x")
    assert "found the first champion without --reason" in output(anna, "promote", "boats")
    assert "found --rollback without --reason" in output(anna, "promote", "boats", "--rollback")
    assert not champion_path(anna, "boats").exists()


def test_a_favourable_comparison_is_a_reason_and_what_was_not_shown_is_said(anna: Project) -> None:
    first, second, third = finished(anna), finished(anna), finished(anna)
    output(anna, "promote", first.reference, "--reason", "first")
    compare = f"`pipeline-lib compare {first.reference} {second.reference}` compares"
    refused = output(anna, "promote", second.reference)
    assert refused.endswith(f"expected one that says better or not worse; {compare}, or say --reason")
    assert "note: promoted for the reason alone: found no comparison" in output(
        anna, "promote", second.reference, "--reason", "the old one cannot read new rows"
    )
    compared(third, second, "better", "Better: errors are 3 % smaller.")
    promoted = output(anna, "promote", third.reference)
    assert "compared with the champion before: Better: errors are 3 % smaller.\n" in promoted
    assert "note:" not in promoted
    assert "Better: errors are 3 % smaller." in output(anna, "champions", "boats")
