"""Counting while `predict` works: it changes no answer, fails nothing, and outlives an interruption."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import watched
from command_line import invoke

from pipeline_lib.records.record import Record
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.statistics import STATISTICS
from pipeline_lib.watching.watch import MOST_ROWS, Watch


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return watched.watched(tmp_path_factory.mktemp("runs"))


def scored(record: Record, rows: pa.Table, folder: Path, *options: object) -> tuple[bytes, str]:
    pq.write_table(rows, folder / "rows.parquet")
    result = invoke("predict", record.folder, folder / "rows.parquet", folder / "out.csv", *options)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return (folder / "out.csv").read_bytes(), result.output


def test_predict_says_what_has_drifted_and_how_to_look(record: Record, tmp_path: Path) -> None:
    _, output = scored(record, watched.sizes(500, 1, mean=1.0), tmp_path)
    last = output.splitlines()[-1]
    assert last.startswith(f"500 rows of {record.reference}: ")
    assert "size" in last.partition("drifted")[0]
    command = last.partition("`")[2].partition("`")[0].split()
    assert command[:2] == ["pipeline-lib", "drift"]
    result = invoke(*command[1:4])
    assert result.exit_code == 0
    assert "size" in result.output


def test_predict_says_nothing_of_rows_that_have_not_drifted(record: Record, tmp_path: Path) -> None:
    _, output = scored(record, watched.sizes(500, 1), tmp_path)
    assert len(output.splitlines()) == 1
    _, output = scored(record, watched.sizes(500, 1), tmp_path, "--drift", tmp_path / "page.html")
    assert "nothing drifted" in output
    assert (tmp_path / "page.html").stat().st_size > 2000


def test_a_count_that_raises_changes_nothing(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = watched.sizes(500, 1, mean=1.0)
    answers, output = scored(record, rows, tmp_path)
    assert "drifted" in output

    def fail(*arguments: Any) -> None:
        raise RuntimeError("counting fails")

    for name in ("add_rows", "merge", "__init__"):
        with monkeypatch.context() as patch:
            patch.setattr(Accumulator, name, fail)
            found, output = scored(record, rows, tmp_path)
        assert found == answers
        assert len(output.splitlines()) == 1
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact" / STATISTICS).write_bytes(b"damaged")
    assert Watch.of(tmp_path / "artifact", "m/1") is None


def test_what_an_interrupted_process_has_counted_is_kept(record: Record, tmp_path: Path) -> None:
    statistics = watched.statistics()
    first = Watch(statistics, "m/1")
    blocks = [watched.rows(100, seed) for seed in range(20)]
    nothing = pa.table({})
    for number, block in enumerate(blocks[:16]):
        first.block(block, nothing, folder=tmp_path, number=number)
    (tmp_path / "00000016.counts.json").write_text("of a block that is not there")
    second, alone = Watch(statistics, "m/1"), Watch(statistics, "m/1")
    second.resume(tmp_path, 16, 1600)
    for number, block in enumerate(blocks):
        alone.block(block, nothing)
        if number >= 16:
            second.block(block, nothing)
    kept, whole = second.drift(), alone.drift()
    assert sorted(path.name[:8] for path in tmp_path.iterdir()) == ["00000007", "00000015"]
    assert kept is not None
    assert kept == whole
    assert (kept.rows, kept.counted, first.failed, second.failed) == (2000, 2000, 0, 0)


def test_of_large_blocks_evenly_spaced_rows_are_counted() -> None:
    watch = Watch(watched.statistics(), "m/1")
    rows = watched.rows(20 * MOST_ROWS, 3)
    watch.block(rows, pa.table({}))
    watch.block(rows.slice(0, 5000).to_pylist(), pa.table({}))
    drift = watch.drift()
    assert drift is not None
    assert (drift.rows, drift.counted, watch.failed) == (20 * MOST_ROWS + 5000, 2 * MOST_ROWS, 0)
    assert drift.headline.startswith(f"{2 * MOST_ROWS:,} of {20 * MOST_ROWS + 5000:,} rows of m/1: nothing drifted")


def test_texts_that_are_no_values_count_as_invalid() -> None:
    watch = Watch(watched.statistics(), "m/1")
    rows = watched.rows(100, 3).set_column(1, "rooms", pa.array([None] * 40 + [1] * 60))
    watch.block(rows, pa.table({}), invalid={"rooms": 30}, refused=40)
    drift = watch.drift()
    assert drift is not None
    rooms = next(each for each in drift.columns if each.name == "rooms")
    assert (rooms.missing, rooms.invalid, drift.refused) == (0.1, 0.3, 40)


def test_a_decided_threshold_is_no_drift_of_the_predictions(record: Record, tmp_path: Path) -> None:
    _, output = scored(record, watched.sizes(500, 1), tmp_path, "--threshold", "0.99", "--drift", tmp_path / "a.html")
    assert "nothing drifted" in output


def test_counting_while_predicting_loads_no_pandas(record: Record, tmp_path: Path) -> None:
    pq.write_table(watched.sizes(9000, 1, mean=1.0), tmp_path / "rows.parquet")
    script = (
        "import sys; from pipeline_lib.cli.main import commands\n"
        f"commands(['predict', {str(record.folder)!r}, {str(tmp_path / 'rows.parquet')!r}, "
        f"{str(tmp_path / 'out.csv')!r}, '--drift', {str(tmp_path / 'page.html')!r}], standalone_mode=False)\n"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert "drifted" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "['pyarrow']"
