"""Which records answer: verified first, a new champion takes over, a rollback as well, a damaged one does not."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from harbours import point_to
from scored import classifier, echo, proven
from served import Client

from pipeline_lib.compiled import artifact
from pipeline_lib.errors import DifferenceError, InputError, PipelineLibError
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import champion_path
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.serving.app import App
from pipeline_lib.serving.http import HttpError
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.settings import Settings, read_token


def models(*refs: str, project: Path, folder: Path | None = None, **settings: Any) -> Models:
    shared = None if folder is None else str(folder)
    made = Settings(refs, project=str(project), folder=shared, **settings)
    loaded = Models(made)
    loaded.load()
    return loaded


def damage(record: Record) -> None:
    path = next(iter(sorted(record.artifact.iterdir())))
    path.write_bytes(path.read_bytes() + b" ")


def without_parity(record: Record, exact: bool | None = None) -> Record:
    path = checks_folder(record) / PARITY
    if exact is None:
        path.unlink()
    else:
        path.write_text('{"exact": false, "text": "differs"}')
    return record


@pytest.fixture
def no_artifact_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path) -> None:
        raise AssertionError(f"{folder} was read")

    monkeypatch.setattr(artifact, "load", load)


@pytest.mark.usefixtures("no_artifact_is_read")
def test_an_unproven_or_changed_record_is_refused_before_its_artifact_is_read(tmp_path: Path) -> None:
    unchecked = without_parity(proven(tmp_path, echo(), "unchecked"))
    differs = without_parity(proven(tmp_path, echo(), "differs"), exact=False)
    changed = proven(tmp_path, echo(), "changed")
    damage(changed)
    with pytest.raises(InputError, match="found no parity check, expected an exact one"):
        models(str(unchecked.folder), project=tmp_path)
    with pytest.raises(InputError, match="found parity that differs"):
        models(str(differs.folder), project=tmp_path)
    for allowed in (False, True):
        with pytest.raises(DifferenceError, match="artifact/"):
            models(str(changed.folder), project=tmp_path, allow_unproven=allowed)


def test_an_unproven_record_answers_where_that_is_allowed(tmp_path: Path) -> None:
    record = without_parity(proven(tmp_path, echo()))
    assert models(str(record.folder), project=tmp_path, allow_unproven=True).first.facts["parity"] is None


def test_two_records_of_one_pipeline_are_refused(tmp_path: Path) -> None:
    two = [str(proven(tmp_path, echo()).folder) for _ in range(2)]
    with pytest.raises(InputError, match="found more than one record of echo"):
        models(*two, project=tmp_path)


def test_one_record_twice_is_refused(tmp_path: Path) -> None:
    record = str(proven(tmp_path, echo()).folder)
    with pytest.raises(InputError, match="more than once, expected each record once"):
        models(record, record, project=tmp_path)


def test_models_are_found_by_name_and_version(tmp_path: Path) -> None:
    records = [proven(tmp_path, echo()), proven(tmp_path, classifier("a", "b"), "labels")]
    served = models(*(str(record.folder) for record in records), project=tmp_path)
    assert [each.name for each in served] == ["echo", "labels"]
    assert served.first.reference == records[0].reference
    assert served.find("labels", records[1].id).folder == records[1].folder
    with pytest.raises(HttpError, match="expected one of echo, labels"):
        served.find("other")
    with pytest.raises(HttpError, match=f"expected {records[1].id}"):
        served.find("labels", records[0].id)


def test_a_new_champion_takes_over_and_a_rollback_as_well(harbour: Project) -> None:
    first, second = (
        proven(harbour.runs, classifier("a", "b"), "boats"),
        proven(harbour.runs, classifier("c", "d"), "boats"),
    )
    point_to(harbour, first)
    served = models("boats@champion", project=harbour.root)
    before = served.first
    assert (before.folder, before.model.predict_row({"size": 1.0})) == (first.folder, "b")
    assert served.refresh() == []
    point_to(harbour, second)
    (new,) = served.refresh()
    assert (served.first, new.folder, new.model.predict_row({"size": 1.0})) == (new, second.folder, "d")
    assert before.model.predict_row({"size": 1.0}) == "b"  # a request that began with it ends with it
    assert served.refresh() == []
    point_to(harbour, first)
    (old,) = served.refresh()
    assert (served.first.folder, old.model.predict_row({"size": 1.0})) == (first.folder, "b")


def test_only_champions_are_followed(harbour: Project) -> None:
    first = proven(harbour.runs, echo(), "boats")
    served = models("boats", str(proven(harbour.runs, echo(), "masts").folder), project=harbour.root)
    proven(harbour.runs, echo(), "boats")
    assert served.refresh() == []
    assert served.first.folder == first.folder


def spoil_pointer(project: Project, record: Record) -> None:
    champion_path(project, "boats").write_text("broken")


def spoil_record(project: Project, record: Record) -> None:
    damage(record)
    point_to(project, record)


def spoil_parity(project: Project, record: Record) -> None:
    point_to(project, without_parity(record))


def remove_record(project: Project, record: Record) -> None:
    point_to(project, record)
    shutil.rmtree(record.folder)


def remove_pointer(project: Project, record: Record) -> None:
    champion_path(project, "boats").unlink()


@pytest.mark.parametrize("spoil", [spoil_pointer, spoil_record, spoil_parity, remove_record, remove_pointer])
def test_a_champion_that_may_not_answer_leaves_the_old_one(
    harbour: Project, caplog: pytest.LogCaptureFixture, tmp_path: Path, spoil: Any
) -> None:
    caplog.set_level(logging.INFO)
    first, second = proven(harbour.runs, echo(), "boats"), proven(harbour.runs, echo(), "boats")
    point_to(harbour, first)
    notes = tmp_path / "notes"
    notes.mkdir()
    served = models("boats@champion", project=harbour.root, folder=notes)
    spoil(harbour, second)
    for _ in range(3):
        assert served.refresh() == []
        assert served.first.folder == first.folder
    assert len(caplog.records) == (0 if spoil is remove_pointer else 1)  # once, not every few seconds
    late = models("boats@champion", project=harbour.root, folder=notes)  # a worker in place of one that died
    assert late.first.folder == first.folder
    with pytest.raises(PipelineLibError):
        models("boats@champion", project=harbour.root)
    point_to(harbour, third := proven(harbour.runs, echo(), "boats"))
    assert [new.folder for new in late.refresh()] == [third.folder]
    assert models("boats@champion", project=harbour.root, folder=notes).first.folder == third.folder
    assert "boats" in caplog.text


def test_a_record_that_disappears_goes_on_to_answer(tmp_path: Path) -> None:
    record = proven(tmp_path, echo())
    served = models(str(record.folder), project=tmp_path)
    shutil.rmtree(record.folder)
    asking = Client(App(Settings((), project="."), served, None))
    for path in ("/record", "/docs", "/schema", "/openapi.json", "/v2/models/echo"):
        assert asking.get(path).status == 200, path
    assert served.refresh() == []


def test_settings_reach_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Settings(("boats",), project="/p", trust=("x",), max_body=7, folder="/f", drain=0.5)
    monkeypatch.setenv("PIPELINE_LIB_SERVE", made.to_json())
    assert Settings.from_environment() == made


@pytest.mark.parametrize("content", ["", " \n", "a b", "tökén", "a\x00b", "a\nb"])
def test_a_token_that_no_header_can_carry_is_refused(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="expected printable ASCII") as refused:
        read_token(str(path))
    assert not content.strip() or content not in str(refused.value)
    if "\x00" not in content:
        monkeypatch.setenv("PIPELINE_LIB_TOKEN", content)
        with pytest.raises(InputError, match="PIPELINE_LIB_TOKEN: found no token"):
            read_token(None)


def test_the_token_is_read_from_a_file_else_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPELINE_LIB_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("PIPELINE_LIB_TOKEN", "from-environment")
    assert read_token(None) == b"from-environment"
    path = tmp_path / "token"
    path.write_bytes(b"from-file\r\n")
    assert read_token(str(path)) == b"from-file"
    path.write_bytes(b"\xff")
    for wrong in (path, tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="--token-file: found"):
            read_token(str(wrong))
