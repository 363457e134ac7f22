"""`forget`: rows go, what production needs stays, a seal says so; a killed process leaves one record or the other."""

import html
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import invoke
from harbours import FULL, finished, repository
from planted import KEY, WORD, copied, holding, planted_record

from pipeline_lib import load_model
from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.evidence.training_rows import seen_rows
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.compare_records import compare_records
from pipeline_lib.project.project import Project
from pipeline_lib.records import forget as module
from pipeline_lib.records.champion_record import find_champion
from pipeline_lib.records.cleanup import ASIDE, find_leftovers, restore
from pipeline_lib.records.forget import forget, remaining, what_goes
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import TRAINING_ROWS
from pipeline_lib.records.promotable import problems_of
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.records.sources import snapshot_changes
from pipeline_lib.records.transfer import push
from pipeline_lib.records.without_rows import parts_with_rows

EARLIER = Path(__file__).parents[1] / "data" / "records"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with a planted record, made once."""
    runs = tmp_path_factory.mktemp("made") / "runs"
    planted_record(runs)
    return runs


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


@pytest.fixture
def record(anna: Project, made: Path) -> Record:
    return copied(made, anna.runs)


def test_rows_go_and_the_new_seal_verifies(anna: Project, record: Record) -> None:
    seal_before = record.manifest()["digest"]
    value = repr(read_evidence(record.evidence).inputs.column("size")[0].as_py()).encode()
    assert {"notebook.ipynb", "report.html", "git.diff", "extra.json", "compile.json"} <= set(
        holding(record.folder, WORD.encode(), value)
    )
    forget(record, anna, reason="a customer asked")
    assert verify(record) == []
    assert holding(anna.runs, WORD.encode(), value) == []
    assert not record.evidence.exists()
    assert not list((anna.runs / "tiny").glob(".*/*"))
    forgotten = forgotten_in(record.manifest())
    assert forgotten
    assert (forgotten.seal, forgotten.reason, forgotten.by) == (
        seal_before,
        "a customer asked",
        "Anna <anna@example.org>",
    )
    assert forgotten.parity == "exact (40 rows)"
    assert {"evidence/inputs.parquet", "snapshots/s.parquet", "columns.json", "extra.json"} <= set(forgotten.removed)
    assert html.escape(str(forgotten)) in record.report.read_text()
    assert "+year = 2" in (record.folder / "git.diff").read_text()
    assert "data/people.csv" in (record.folder / "git.diff").read_text()
    assert record.read_json("memory.json")["unanswerable"] == str(forgotten)
    assert CompileReport.from_json(record.read_json("compile.json")).steps[0].why == "the reason went with the rows"
    assert load_model(record.artifact).reads


def test_hashes_of_training_rows_go_and_the_record_cannot_tell(anna: Project, record: Record) -> None:
    inputs, row = read_evidence(record.evidence).inputs, load_model(record.artifact).row
    assert seen_rows(record, inputs, row, KEY).rows.all()
    assert TRAINING_ROWS in {part.name for part in what_goes(record, anna)}
    forget(record, anna, reason="a customer asked")
    assert not (record.folder / TRAINING_ROWS).exists()
    with pytest.raises(InputError, match=r"cannot tell .*\(rows were forgotten on .* a customer asked\).*--on FILE"):
        seen_rows(record, inputs, row, KEY)


def test_value_and_baselines_stay_and_the_last_season_of_the_target_goes(anna: Project, record: Record) -> None:
    kept = {
        "value.json": '{"unit":"euros","mean":1.5,"total":60.0,"rows":40}',
        "baseline.json": '{"mean":[2.5],"scores":[]}',
        "threshold.json": '{"threshold":0.5,"label":"yes","score":"probability"}',
    }
    for name, content in {**kept, "season.json": "[31.25]"}.items():
        (record.folder / name).write_text(content)
    sealed = ("files", "digest", "format")
    seal(record, {key: value for key, value in record.manifest().items() if key not in sealed})
    assert "season.json" in {part.name for part in what_goes(record, anna)}
    parts = parts_with_rows(record)
    assert not {*kept} & {part.name for part in parts}
    forget(record, anna, reason="a customer asked")
    assert {name: (record.folder / name).read_text() for name in kept} == kept
    assert not (record.folder / "season.json").exists()
    assert holding(anna.runs, b"31.25") == []


def test_every_command_says_that_rows_were_forgotten(anna: Project, record: Record, tmp_path: Path) -> None:
    other = Record(record.folder.with_name("20261101T000000000-aaaaaa"))
    shutil.copytree(record.folder, other.folder)
    seal(
        other,
        {**{k: v for k, v in record.manifest().items() if k not in ("digest", "files")}, "reference": other.reference},
    )
    forget(record, anna, reason="a customer asked")
    words = "rows were forgotten on 20"
    ref = record.reference
    with pytest.raises(InputError, match=words):
        check_parity(record)
    assert words in str(compare_records(other, record).section("evidence"))
    assert compare_records(other, record).section("artifact").same
    assert snapshot_changes(other, record) == []
    assert words in problems_of(record)[0]
    for command in (["show", ref], ["verify", ref], ["diff", other.reference, ref]):
        assert words in invoke(*command, project=anna).output, command
    assert "exact (40 rows), before that" in invoke("show", ref, project=anna).output
    for command in (["parity", ref], ["reproduce", ref]):
        result = invoke(*command, project=anna)
        assert isinstance(result.exception, InputError), command
        assert words in str(result.exception)
    assert "rows forgotten" in invoke("runs", project=anna).output
    assert {run["reference"]: run["parity"] for run in summaries(anna.runs)}[ref] == "forgotten"
    assert words in invoke("push", ref, tmp_path / "shared", project=anna).output
    tests = [sys.executable, "-m", "pytest", f"--records={record.folder}", "-n0", "-rs", "-p", "no:cacheprovider"]
    ran = subprocess.run(tests, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    assert words in ran.stdout
    assert " skipped" in ran.stdout.splitlines()[-1]


def test_without_yes_it_is_only_listed(anna: Project, record: Record) -> None:
    before = {path: path.read_bytes() for path in anna.runs.rglob("*") if path.is_file()}
    said = invoke("forget", "tiny", "--reason", "asked", project=anna).output
    assert {path: path.read_bytes() for path in anna.runs.rglob("*") if path.is_file()} == before
    for name in ("evidence/", "snapshots/", "notebook.ipynb", "report.html", ".checks/", "extra.json"):
        assert name in said
    assert "outputs of 2 cells removed" in said
    listed = sum(part.size for part in what_goes(record, anna))
    assert f"would remove {listed:,} bytes; add --yes to remove them" in said
    said = invoke("forget", "tiny", "--reason", "asked", "--yes", project=anna).output
    assert f"removed {listed:,} bytes" in said
    assert "rows were forgotten on 20" in said
    assert "nothing is left to remove" in invoke("forget", "tiny", "--reason", "again", "--yes", project=anna).output
    assert forgotten_in(record.manifest()).reason == "asked"  # type: ignore[union-attr]


def test_the_text_of_a_failed_runs_error_goes(anna: Project) -> None:
    record = planted_record(anna.runs, status="failed")
    summaries(anna.runs)
    assert holding(anna.runs, WORD.encode())
    forget(record, anna, reason="asked")
    error = record.manifest()["error"]
    assert error == {"message": "KeyError: its text went with the rows", "cell": 2, "source": "1 / 0"}
    assert holding(anna.runs, WORD.encode()) == []


@pytest.mark.parametrize("name", ["tiny/20261129T123837487-9fa751", "titanic/20261129T123814406-17fc1e"])
def test_records_of_earlier_versions(anna: Project, name: str) -> None:
    shutil.copytree(EARLIER / name, anna.runs / name)
    record = Record(anna.runs / name)
    forget(record, anna, reason="asked")
    assert verify(record) == []
    assert not record.evidence.exists()
    with pytest.raises(InputError, match="rows were forgotten on"):
        check_parity(record)


def test_a_champion_is_refused_and_the_one_before_is_named(anna: Project) -> None:
    first, second = finished(anna), finished(anna, parity=FULL)
    promote(first, anna, reason="first")
    with pytest.raises(InputError, match="found the champion of boats, expected another run"):
        forget(first, anna, reason="asked")
    promote(second, anna, reason="second")
    assert any("promote --rollback" in line for line in remaining(first, anna))
    assert any("a copy is in the store: remove " in line for line in remaining(first, anna))
    forget(first, anna, reason="asked")
    assert any("a copy is in the store: remove " in line for line in remaining(first, anna))
    result = invoke("promote", "boats", "--rollback", "--reason", "x", project=anna)
    assert "rows were forgotten on" in str(result.exception)
    assert find_champion(anna, "boats") == second
    store = anna.root.parent / "store"
    with pytest.raises(InputError, match="found this record with its rows, expected none"):
        push(first, str(store))
    shutil.rmtree(store / first.reference)
    push(first, str(store))
    assert not any("a copy is in the store" in line for line in remaining(first, anna))


def test_a_champion_that_lost_its_rows_elsewhere_is_told(anna: Project) -> None:
    record = finished(anna)
    forget(record, anna, reason="asked")
    copy = record.folder.with_name("kept")
    record.folder.rename(copy)
    whole = finished(anna)
    promote(whole, anna, reason="x")
    forget_pointer = (anna.root / "champions" / "boats.yml").read_text()
    lost = forgotten_in(Record(copy).manifest())
    assert lost
    copy.rename(record.folder)
    text = forget_pointer.replace(whole.reference, record.reference).replace(whole.manifest()["digest"], lost.seal)
    (anna.root / "champions" / "boats.yml").write_text(text)
    with pytest.raises(DifferenceError, match="rows were forgotten on"):
        find_champion(anna, "boats")


def test_a_scratch_record_is_removed_whole(anna: Project, record: Record) -> None:
    scratch = create_record(anna.runs, "tiny", scratch=True)
    (scratch.folder / "rows.txt").write_text(WORD)
    said = invoke("forget", "tiny@scratch", "--reason", "asked", project=anna).output
    assert "a scratch record has no seal to keep" in said
    assert scratch.folder.exists()
    assert invoke("forget", "tiny@scratch", "--reason", "asked", "--yes", project=anna).exit_code == 0
    assert not scratch.folder.exists()
    assert verify(record) == []


def test_damaged_running_and_killed_records_are_refused(anna: Project, record: Record) -> None:
    (record.folder / "params.json").write_text("{}")
    with pytest.raises(InputError, match=r"params\.json: found other bytes .*; a new seal would hide the damage"):
        forget(record, anna, reason="asked")
    with pytest.raises(InputError, match="clean --leftovers --yes"):
        forget(create_record(anna.runs, "tiny"), anna, reason="asked")
    with pytest.raises(InputError, match="expected one line of text"):
        forget(record, anna, reason=" ")


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline_lib.project.project import find_project
from pipeline_lib.records import forget as module
from pipeline_lib.records.record import Record

step, slow = sys.argv[3], sys.argv[4] == "slow"
calls = []
if slow:
    module.exchange = lambda one, other: False
real = Path.rename
def rename(self, target):
    if step == f"rename{len(calls)}":
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(1)
    return real(self, target)
if step.startswith("rename"):
    Path.rename = rename
elif step == "after":
    module._replace = lambda *folders, run=module._replace: (run(*folders), os.kill(os.getpid(), signal.SIGKILL))
else:
    setattr(module, step, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
module.forget(Record(Path(sys.argv[1])), find_project(Path(sys.argv[2])), reason="asked")
"""


@pytest.mark.parametrize(
    ("step", "slow"),
    [
        pytest.param("write_without_rows", "", marks=pytest.mark.slow),
        pytest.param("_replace", "", marks=pytest.mark.slow),
        ("after", ""),
        pytest.param("rename0", "slow", marks=pytest.mark.slow),
        ("rename1", "slow"),
        pytest.param("rename2", "slow", marks=pytest.mark.slow),
    ],
)
def test_a_killed_process_leaves_the_old_record_or_the_new(anna: Project, record: Record, step: str, slow: str) -> None:
    seal_before = record.manifest()["digest"]
    arguments = [sys.executable, "-c", KILLED, str(record.folder), str(anna.root), step, slow or "fast"]
    ended = subprocess.run(arguments, check=False, capture_output=True, text=True)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    if not record.folder.exists():  # only where folders cannot be exchanged
        assert (step, slow) == ("rename1", "slow")
        (leftover,) = [each for each in find_leftovers(anna) if each.path.name.endswith(ASIDE)]
        leftover.remove()
    assert verify(record) == []
    forgotten = forgotten_in(record.manifest())
    if forgotten is None:
        assert record.manifest()["digest"] == seal_before
        assert read_evidence(record.evidence).inputs.num_rows
    else:
        assert forgotten.seal == seal_before
        assert holding(record.folder, WORD.encode()) == []
    restore(anna.runs)
    forget(record, anna, reason="asked")
    assert verify(record) == []
    assert holding(anna.runs, WORD.encode()) == []
    assert [path for path in (anna.runs / "tiny").glob(".*") if path.name != ".checks"] == []


def test_folders_change_places(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    if module.exchange(tmp_path / "one", tmp_path / "two"):
        assert (tmp_path / "one" / "file").read_text() == "two"
        assert (tmp_path / "two" / "file").read_text() == "one"
    assert not module.exchange(tmp_path / "one", tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
