"""NAME@champion is found here or fetched whole, and every byte is the promoted one."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from harbours import SETTINGS, clone, commit, finished, repository, repository_with_champion

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion import champion_path
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.records.reference import as_record, find_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json, sha256_bytes


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    """A checkout with a champion, committed."""
    return repository_with_champion(tmp_path / "anna")


@pytest.fixture
def ben(anna: Project, tmp_path: Path) -> Project:
    return clone(anna, tmp_path / "ben")


def stored(anna: Project, tmp_path: Path) -> Record:
    """The champion's record in the store."""
    return Record(tmp_path / "store" / find_record("boats@champion", anna).reference)


def files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["metrics.json", "artifact/plan.json", MANIFEST])
def test_one_changed_byte_in_the_store_is_noticed_and_nothing_is_kept(
    anna: Project, ben: Project, tmp_path: Path, name: str
) -> None:
    path = stored(anna, tmp_path).folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DifferenceError):
        find_record("boats@champion", ben)
    assert files(ben.runs) == []


def test_another_record_of_that_name_in_the_store_is_not_the_champion(
    anna: Project, ben: Project, tmp_path: Path
) -> None:
    record = stored(anna, tmp_path)
    (record.folder / "metrics.json").write_text('{"rmse": 0.0}')
    manifest = {key: value for key, value in record.manifest().items() if key not in ("digest", "files")}
    seal(record, manifest)  # whole in itself
    with pytest.raises(DifferenceError, match=r"found another record of this name in .*store, expected the one whose"):
        find_record("boats@champion", ben)
    assert files(ben.runs) == []


def test_a_pointer_whose_digest_was_changed_finds_nothing(anna: Project, ben: Project) -> None:
    path = champion_path(ben, "boats")
    digest = find_record("boats@champion", anna).manifest()["digest"]
    path.write_text(path.read_text().replace(digest, "0" * 64))
    with pytest.raises(DifferenceError, match="expected the one whose seal has the digest 000000000000…"):
        find_record("boats@champion", ben)
    path = champion_path(anna, "boats")
    path.write_text(path.read_text().replace(digest, "0" * 64))
    with pytest.raises(
        DifferenceError, match=r"found another record of this name in .*runs/boats/.*move the folder away"
    ):
        find_record("boats@champion", anna)


def test_a_damaged_record_here_is_named_and_fetched_again_once_it_is_away(anna: Project, tmp_path: Path) -> None:
    record = find_record("boats@champion", anna)
    (record.folder / "metrics.json").write_text("{}")
    with pytest.raises(DifferenceError, match=r"found a damaged record \(metrics\.json: .*move the folder away"):
        find_record("boats@champion", anna)
    shutil.move(record.folder, tmp_path / "away")
    assert find_record("boats@champion", anna) == record


def test_a_store_that_is_not_there_is_named(anna: Project, ben: Project, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        find_record("boats@champion", ben)
    first, second = str(caught.value).splitlines()
    assert first.endswith("found it neither in runs nor in its store, expected it there:")
    assert second.startswith(f"found no folder {tmp_path / 'store'}, expected the store; mount its disk")
    (ben.root / "settings.ini").write_text(SETTINGS.format(tmp_path / "elsewhere"))
    assert find_record("boats@champion", find_project(ben.root)).id  # the store that moved


def test_a_store_without_the_record_is_named(anna: Project, ben: Project, tmp_path: Path) -> None:
    shutil.rmtree(stored(anna, tmp_path).folder)
    with pytest.raises(InputError, match=r"nor in its store.*\n.*found no run 'boats/"):
        find_record("boats@champion", ben)


def test_an_address_that_does_not_answer_is_one_line(ben: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, path: str, **options: object) -> None:
        raise ConnectionRefusedError("port 9")

    path = champion_path(ben, "boats")
    path.write_text(path.read_text().replace("store: ../store", "store: memory://team/runs"))
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.ls", refuse)
    alone = Project(ben.root, "harbour", ben.notebooks, ben.params, ben.runs)
    with pytest.raises(InputError, match="memory://team/runs: found port 9, expected a store that answers"):
        find_record("boats@champion", alone)


def test_a_fetch_that_is_cut_short_leaves_nothing(
    ben: Project, anna: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipeline_lib.records.transfer.verify", lambda record: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            find_record("boats@champion", ben)
    assert all_records(ben.runs) == []
    assert files(ben.runs) == []
    find_record("boats@champion", ben)


def test_it_is_a_reference_like_any_other(anna: Project, ben: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    record = find_record("boats@champion", anna)
    assert CliRunner().invoke(commands, ["verify", "boats@champion"], obj=ben).stdout == (
        f"{record.reference}: every byte is as it was sealed\n"
    )
    shown = json.loads(CliRunner().invoke(commands, ["show", "boats@champion", "--json"], obj=ben).stdout)
    assert shown["reference"] == record.reference
    monkeypatch.chdir(ben.root)
    monkeypatch.setattr(Project, "check_loaded", lambda self: None)
    assert as_record("boats@champion").id == record.id
    with pytest.raises(InputError, match="expected a run by name"):
        find_record(f"boats@champion/{record.id}", ben)


def test_a_colleague_without_runs_is_told_of_the_champion_and_of_the_store(anna: Project, ben: Project) -> None:
    with pytest.raises(InputError, match=r"found no run 'boats'.*; `boats@champion` is the promoted one$"):
        find_record("boats", ben)
    champion_path(ben, "boats").unlink()
    with pytest.raises(InputError, match=r"; `pipeline-lib pull boats` looks into the store$"):
        find_record("boats", ben)
    assert CliRunner().invoke(commands, ["pull", "boats"], obj=ben).exit_code == 0
    assert find_record("boats", ben).id == find_record("boats", anna).id


def test_pull_takes_a_champion_with_sensitive_fields_on_request(tmp_path: Path) -> None:
    anna = repository(tmp_path / "anna")
    record = finished(anna, sensitive=["salary"])
    promote(record, anna, reason="first", include_sensitive=True)
    commit(anna.root)
    ben = clone(anna, tmp_path / "ben")
    refused = CliRunner().invoke(commands, ["pull", "boats@champion"], obj=ben)
    assert "found evidence with the sensitive fields salary" in str(refused.exception)
    pulled = CliRunner().invoke(commands, ["pull", "boats@champion", "--include-sensitive"], obj=ben)
    assert pulled.stdout.startswith(f"{record.reference}: every byte is as it was sealed\n")
    assert find_record("boats@champion", ben).id == record.id


def test_digests_of_the_pointer_are_those_of_the_seal(anna: Project) -> None:
    manifest = find_record("boats@champion", anna).manifest()
    content = {key: value for key, value in manifest.items() if key != "digest"}
    assert sha256_bytes(canonical_json(content)) in champion_path(anna, "boats").read_text()
