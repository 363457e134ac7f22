"""A run in a warm kernel leaves the record that a cold one leaves."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from example import HOUSES

from pipeline_lib.errors import RunError
from pipeline_lib.project.project import find_project
from pipeline_lib.records.layout import CACHE_ENTRY
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.warm.client import ADDRESS, WarmServer
from pipeline_lib.runner.warm.module_list import preload_names

# what differs between any two runs: times, names, and process facts
DIFFERS = {"manifest.json", "report.html", "notebook.ipynb", "compile.json"}
MEASURED = ("row_microseconds", "rows_per_second")
UNSEEDED = """
import numpy as np
from pipeline_lib import start_run
from pipeline_lib.pipelines import houses
run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
model = run.compile(houses.build(run.params).fit(X_train, y_train), like=X_train)
predictions = run.evidence(X_test, y_test)
run.metrics(houses.metrics(y_test, predictions, run.params) | {"drawn": np.random.rand()})
"""
CAREFREE = f"""
import os
os.environ["OMP_NUM_THREADS"] = "7"
try:
    import scipy.special
except Exception:
    pass
del os.environ["OMP_NUM_THREADS"]
{UNSEEDED}
"""
FORGETFUL = "import xml\nxml.dom"


def shown_by_cells(record: Record) -> list[str]:
    """What each cell of the executed notebook shows, without the record's name and the speeds that were measured."""
    cells = json.loads(record.notebook.read_bytes())["cells"]
    shown = [str([one.get("data", one.get("text")) for one in cell.get("outputs", ())]) for cell in cells]
    return [re.sub(r"one row [^<]*?in bulk", "", text.replace(record.id, "ID")) for text in shown]


@pytest.fixture
def warmly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From the call on, this process's kernels are warm."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from pipeline_lib.runner.warm.provisioner import start_kernels_warm

    before = KernelProvisionerFactory.instance().default_provisioner_name
    with WarmServer(preload_names(find_project(HOUSES.parent), "houses")) as server:

        def begin() -> None:
            monkeypatch.setenv(ADDRESS, server.wait_until_ready().address)
            start_kernels_warm()

        yield begin
    KernelProvisionerFactory.instance().default_provisioner_name = before


@pytest.mark.slow
def test_a_warm_record_is_the_cold_one_bit_for_bit(tmp_path: Path, warmly: Callable[[], None]) -> None:
    from pipeline_lib.runner.run import run_pipeline

    cold_record = run_pipeline(HOUSES, runs=tmp_path, force=True)
    warmly()
    record = run_pipeline(HOUSES, runs=tmp_path, force=True)
    assert verify(record) == []
    files = {path.relative_to(record.folder).as_posix() for path in record.folder.rglob("*") if path.is_file()}
    cold = cold_record.folder
    assert files == {path.relative_to(cold).as_posix() for path in cold.rglob("*") if path.is_file()}
    differing = {name for name in files if (cold / name).read_bytes() != (record.folder / name).read_bytes()}
    entries = [json.loads((folder / CACHE_ENTRY).read_bytes()) for folder in (cold, record.folder)]
    for entry in entries:
        entry.pop("opened", None)  # other processes open files of this checkout meanwhile, and are seen, too
    assert entries[0] == entries[1]
    assert differing <= DIFFERS | {CACHE_ENTRY}
    compiled, compiled_cold = (one.read_json("compile.json") for one in (record, cold_record))
    assert {**compiled, **dict.fromkeys(MEASURED)} == {**compiled_cold, **dict.fromkeys(MEASURED)}
    ours, theirs = record.manifest(), cold_record.manifest()
    assert ours["hashes"] == theirs["hashes"]
    different = {key for key in ours if ours[key] != theirs[key]}
    assert different <= {"reference", "times", "files", "digest", "run", "process", "host", "peak_memory"}
    assert shown_by_cells(record) == shown_by_cells(cold_record)


@pytest.mark.slow
def test_members_that_forget_to_seed_draw_other_numbers_and_agree_on_the_rest(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(UNSEEDED)
    cold = run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
    warmly()
    records = [cold, *(run_pipeline(HOUSES, runs=tmp_path / "runs", force=True) for _ in range(2))]
    metrics = [record.read_json("metrics.json") for record in records]
    assert len({one.pop("drawn") for one in metrics}) == len(records)
    assert metrics[0] == metrics[1] == metrics[2]
    assert len({json.dumps(record.manifest()["hashes"]) for record in records}) == 1
    assert len({(record.folder / "environment.json").read_bytes() for record in records}) == 1


@pytest.mark.slow
def test_a_forgotten_import_fails_warm_as_it_fails_cold(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(FORGETFUL)
    messages = []
    for begin in (lambda: None, warmly):
        begin()
        with pytest.raises(RunError, match="module 'xml' has no attribute 'dom'") as caught:
            run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
        assert caught.value.folder is not None
        messages.append(Record(caught.value.folder).manifest()["error"]["message"])
    assert messages[0] == messages[1]


@pytest.mark.slow
def test_a_run_that_goes_on_after_a_refused_import_is_not_finished(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(CAREFREE)
    assert run_pipeline(HOUSES, runs=tmp_path / "runs", force=True).status() == "finished"
    warmly()
    for ending in ("", "1 / 0"):
        research(f"{CAREFREE}{ending}\n")
        with pytest.raises(RunError, match="ColdOnlyError: found OMP_NUM_THREADS changed"):
            run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
