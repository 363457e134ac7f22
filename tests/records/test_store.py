"""The project's store: its address in settings.ini, and everybody's records in it as `runs` lists them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result
from harbours import FULL, SETTINGS, clone, finished, repository

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import MANIFEST, PARITY
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.store import store_of
from pipeline_lib.records.store_listing import store_summaries
from pipeline_lib.records.transfer import push

METRIC = {"name": "rmse", "direction": "minimize"}


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


@pytest.fixture(params=["folder", "memory", "pattern"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder, an object store, and a folder whose name fsspec could take for a pattern."""
    folders = {"folder": tmp_path / "store", "pattern": tmp_path / "st[o]re * ü"}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    yield str(folders.get(request.param, "memory://store/runs"))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def invoke(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(commands, list(arguments), obj=project)


def without_folder(run_summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summaries without what only this machine knows: the folder, and the bytes in it."""
    return [{name: value for name, value in run.items() if name not in ("folder", "bytes")} for run in run_summaries]


def test_a_store_lists_its_records_as_the_runs_folder_does(anna: Project, url: str) -> None:
    assert store_summaries(url) == []
    for facts in ({"metric": METRIC}, {"status": "failed", "error": {"message": "windy"}}, {"parity": None}):
        push(finished(anna, 2.0, **facts), url)
    listed = store_summaries(url)
    assert without_folder(listed) == without_folder(summaries(anna.runs))
    assert [run["parity"] for run in listed] == ["exact", "exact", None]
    assert listed[0]["folder"].endswith(f"store/runs/{listed[0]['reference']}") or url in listed[0]["folder"]
    assert store_summaries(url, "masts") == []


def test_what_is_damaged_or_not_whole_there_is_told_or_left_out(anna: Project, tmp_path: Path) -> None:
    records = [finished(anna) for _ in range(4)]
    store = tmp_path / "store"
    for record in records:
        push(record, str(store))
    (store / records[0].reference / MANIFEST).unlink()  # as an interrupted push
    (store / records[1].reference / "metrics.json").write_text('{"rmse": 0.0}')
    path = store / records[2].reference / MANIFEST
    path.write_text(path.read_text().replace("finished", "failed"))
    (store / "notes.txt").write_text("not a pipeline")
    (store / "Boats").mkdir()
    assert [run["status"] for run in store_summaries(str(store))] == ["damaged", "damaged", "finished"]


def test_everybodys_records_are_listed_by_the_command(anna: Project, tmp_path: Path) -> None:
    ben = clone(anna, tmp_path / "ben")
    assert invoke(ben, "runs", "--store").stdout.startswith(
        f"no records in {tmp_path / 'store'} yet; `pipeline-lib push"
    )
    hers, his = finished(anna, 1.0, metric=METRIC), finished(ben, 2.0, metric=METRIC)
    assert invoke(anna, "push", hers.reference).stdout.startswith("pushed to ")
    promote(his, ben, reason="better")
    lines = invoke(ben, "runs", "--store", "--sort", "-rmse").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [his.reference, hers.reference]
    assert lines[0].endswith("rmse 2  [champion]")
    listed = json.loads(invoke(ben, "runs", "--store", "--where", "rmse<1.5", "--json").stdout)
    assert [run["reference"] for run in listed] == [hers.reference]
    refused = invoke(ben, "runs", "--store", "--reindex")
    assert "found --reindex with --store" in str(refused.exception)


def test_push_and_pull_use_the_store(anna: Project, tmp_path: Path) -> None:
    ben = clone(anna, tmp_path / "ben")
    record = finished(anna)
    invoke(anna, "push", "boats")
    assert (tmp_path / "store" / record.reference / MANIFEST).is_file()
    assert f"record: {ben.runs / record.reference}" in invoke(ben, "pull", "boats").stdout
    alone = replace(ben, store="")
    for command in ("push", "pull"):
        assert "found no store, expected the folder or address" in str(invoke(alone, command, "boats").exception)
    invoke(alone, "push", "boats", str(tmp_path / "other"))
    assert (tmp_path / "other" / record.reference).is_dir()


def test_runs_mark_the_champion_and_the_best(anna: Project) -> None:
    best, champion = finished(anna, 1.0, metric=METRIC), finished(anna, 2.0, metric=METRIC)
    promote(champion, anna, reason="newer data")
    marks = [line.partition("  [")[2] for line in invoke(anna, "runs").stdout.splitlines()]
    assert marks == ["best by rmse]", "champion]"]
    promote(best, anna, reason="better")
    assert invoke(anna, "runs", "--sort", "best").stdout.splitlines()[0].endswith("[champion, best by rmse]")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("../team store", "{}/team store"), ("/mnt/runs", "/mnt/runs"), ("s3://bucket/ü", "s3://bucket/ü"), ("", None)],
)
def test_settings_name_the_store(tmp_path: Path, address: str, expected: str | None) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "team store").mkdir()
    (tmp_path / "house" / "settings.ini").write_text(SETTINGS.format(address))
    project = find_project(tmp_path / "house")
    assert project.store == address
    if expected is None or expected.startswith("/mnt"):
        with pytest.raises(InputError, match=r"settings\.ini: (found no store|store: found no folder /mnt/runs)"):
            store_of(project)
    else:
        assert store_of(project) == expected.format(tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "s3://key:geheim@bucket/runs",
        "simplecache::sftp://anna:geheim@host/runs",
        "https://host/runs?token=geheim",
        "abfs://runs@account?account_key=geheim",
        "ftp://anna:geheim@[host/",
    ],
)
def test_an_address_with_a_password_is_refused_without_showing_it(tmp_path: Path, anna: Project, address: str) -> None:
    (tmp_path / "settings.ini").write_text(SETTINGS.format(address))
    with pytest.raises(InputError, match=r"settings\.ini: store: found") as caught:
        find_project(tmp_path)
    assert "geheim" not in str(caught.value)
    with pytest.raises(InputError, match="the address of the store: found") as caught:
        push(finished(anna), address)
    assert "geheim" not in str(caught.value)


def test_a_users_name_is_no_password(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(SETTINGS.format("sftp://anna@host/runs?port=22"))
    assert find_project(tmp_path).store == "sftp://anna@host/runs?port=22"


def test_two_lines_are_no_address(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(SETTINGS.format("/mnt/a\n  /mnt/b"))
    with pytest.raises(InputError, match="expected a folder or a URL on one line"):
        find_project(tmp_path)


def test_parity_of_a_later_check_is_pushed_too(anna: Project, tmp_path: Path) -> None:
    record = finished(anna, parity=None)
    store = str(tmp_path / "store")
    push(record, store)
    (unchecked,) = store_summaries(store)
    shutil.copytree(record.folder, tmp_path / "other" / record.reference)
    checked = Record(tmp_path / "other" / record.reference)

    checks_folder(checked).mkdir(parents=True)
    (checks_folder(checked) / PARITY).write_text(json.dumps(FULL))
    push(checked, store)
    assert (unchecked["parity"], store_summaries(store)[0]["parity"]) == (None, "exact")
