"""The pointer to a champion: read, written, malformed, and merged by git from two promotions."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harbours import clone, commit, finished, git, repository

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import (
    Champion,
    SealedReference,
    champion_path,
    pointers,
    read_champion,
    write_champion,
)
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.reference import find_record

RECORD = SealedReference("boats/20261123T101500123-8f3a2c", "ab" * 32, "s3://bucket/runs")
BEFORE = SealedReference("boats/20261120T101500-000000", "cd" * 32, "../shared folder")
CHAMPION = Champion(RECORD, "lower error", "Anna <a@b.org>", datetime(2026, 11, 23, 10, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "null",
        "1.0",
        "a: b",
        "# c",
        "- d",
        "'",
        '"',
        "{e}",
        "@f",
        "%g",
        "|",
        "> h",
        "\\n",
        "é 🎉",
        "*i",
        "x " * 200,
    ],
)
def test_what_is_written_is_read_again(project: Project, text: str) -> None:
    text = text.strip()
    champion = replace(CHAMPION, reason=text, by=text, parity=text, metrics={text: 1e-300, "b": -0.1}, previous=BEFORE)
    assert write_champion(project, champion) == champion_path(project, "boats")
    assert read_champion(project, "boats") == champion
    assert pointers(project) == ["boats"]


def test_a_pointer_is_short_text_for_people(project: Project) -> None:
    write_champion(project, replace(CHAMPION, metrics={"rmse": 2.5}, previous=BEFORE, rolled_back=True))
    assert champion_path(project, "boats").read_text() == (
        "# The record that boats@champion names. `pipeline-lib promote` writes this file; commit it.\n"
        f"reference: {RECORD.reference}\ndigest: {RECORD.digest}\nstore: s3://bucket/runs\nby: Anna <a@b.org>\n"
        "since: 2026-11-23T10:15:00+00:00\nreason: lower error\nrolled_back: true\nmetrics:\n  rmse: 2.5\n"
        f"previous:\n  reference: {BEFORE.reference}\n  digest: {BEFORE.digest}\n  store: ../shared folder\n"
    )


def test_without_a_pointer_there_is_no_champion(project: Project) -> None:
    assert read_champion(project, "boats") is None
    with pytest.raises(InputError, match=r"boats@champion: found no champions/boats\.yml, .*`git pull` brings"):
        find_record("boats@champion", project)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reference:", "referenz:", "line 2: unexpected key not in schema 'referenz'"),
        ("boats/2026", "masts/2026", "found the reference masts/2026"),
        (RECORD.reference, "boats", "found the reference 'boats'"),
        (RECORD.digest, "ab" * 31 + "AB", "found the digest"),
        ("+00:00", "", "a time without its zone"),
        ("2026-11-23T", "yesterday ", "Invalid isoformat"),
        ("rmse: 2.5", "rmse: much", "could not convert string to float"),
        ("rmse: 2.5", "rmse: nan", "a metric that is no finite number"),
        ("s3://bucket", "s3://key:geheim@bucket", "found a password in the address s3://…"),
        ("reason", "\0reason", "expected the pointer that"),
    ],
)
def test_a_file_that_is_no_pointer_is_refused(project: Project, old: str, new: str, message: str) -> None:
    path = write_champion(project, replace(CHAMPION, metrics={"rmse": 2.5}))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        find_record("boats@champion", project)
    assert message in str(caught.value)
    assert "champions/boats.yml" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_binary_and_huge_files_are_refused(project: Project) -> None:
    path = write_champion(project, CHAMPION)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="expected the pointer that"):
        read_champion(project, "boats")
    path.write_text("reason: x\n" * 100_000)
    with pytest.raises(InputError, match="found 1,000,000 bytes"):
        read_champion(project, "boats")


def test_the_last_pointer_is_restored_as_the_message_says(tmp_path: Path) -> None:
    project = repository(tmp_path / "anna")
    path = write_champion(project, CHAMPION)
    commit(project.root)
    path.write_text("broken")
    with pytest.raises(InputError, match=r"`git checkout HEAD -- champions/boats\.yml` restores"):
        read_champion(project, "boats")
    git(project.root, "checkout", "HEAD", "--", "champions/boats.yml")
    assert read_champion(project, "boats") == CHAMPION


@pytest.mark.parametrize("style", ["merge", "diff3"])
@pytest.mark.parametrize("first", [True, False])
def test_two_promotions_at_once_are_a_conflict_that_says_whose(tmp_path: Path, style: str, first: bool) -> None:
    anna = repository(tmp_path / "anna")
    if not first:
        promote(finished(anna), anna, reason="the first")
        commit(anna.root)
    ben = clone(anna, tmp_path / "ben")
    hers, his = finished(anna, 1.0), finished(ben, 2.0)
    promote(hers, anna, reason="lower error")
    promote(his, ben, reason="newer data")
    for project in (anna, ben):
        commit(project.root, "Promote")
    git(ben.root, "config", "merge.conflictStyle", style)
    git(ben.root, "pull", "--quiet", "--no-rebase", check=False)
    with pytest.raises(InputError) as caught:
        find_record("boats@champion", ben)
    lines = str(caught.value).splitlines()
    assert lines[0] == "champions/boats.yml: found two promotions that git has merged, expected one:"
    assert lines[1].startswith(f"  {his.reference} by Ben <ben@example.org>, 20")
    assert lines[1].endswith(": newer data")
    assert lines[2].startswith(f"  {hers.reference} by Anna <anna@example.org>, 20")
    assert "`git checkout --theirs champions/boats.yml` the second, then `git add champions/boats.yml`" in lines[3]
    with pytest.raises(InputError, match="found two promotions"):
        promote(his, ben, reason="mine")
    git(ben.root, "checkout", "--theirs", "champions/boats.yml")
    git(ben.root, "add", "champions/boats.yml")
    git(ben.root, "commit", "--quiet", "-m", "Agree on hers")
    assert find_record("boats@champion", ben).id == hers.id


def test_markers_that_were_committed_are_told_without_a_merge(project: Project) -> None:
    path = write_champion(project, CHAMPION)
    own = path.read_text()
    other = own.replace("Anna", "Ben").replace("by: ", "by: \u00c5sa ")
    path.write_text(f"<<<<<<< HEAD\n{own}=======\n{other}>>>>>>> main\n")
    with pytest.raises(InputError, match=r"by Åsa Ben <a@b\.org>.*\n.*keep the lines of one in the file, without"):
        read_champion(project, "boats")
    path.write_text(own)
    assert read_champion(project, "boats") == CHAMPION
