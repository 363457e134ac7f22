"""A log of answers: readable to its last whole batch after any kill, bounded, never in the way of a request."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from pipeline_lib import compile_pipeline
from pipeline_lib.answers.log_format import FULL, ID, OPEN, OUTPUTS, ROW, find_answer, logs_in, whole_batches
from pipeline_lib.answers.log_writer import Limits, LogWriter
from pipeline_lib.answers.replay import replay
from pipeline_lib.answers.shadow import Shadow
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError

OUTPUTS_OF = pa.schema([("prediction", pa.float64())])
LABELS_OF = pa.schema([("prediction", pa.string())])
ROWS = pd.DataFrame({"a": np.linspace(-3, 3, 50), "b": np.arange(50)})


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compile_pipeline(LinearRegression().fit(ROWS, ROWS["a"] ** 3 - ROWS["b"]), like=ROWS)


@pytest.fixture(scope="module")
def other() -> CompiledPipeline:
    return compile_pipeline(LinearRegression().fit(ROWS, ROWS["a"] ** 3 - ROWS["b"] * 1.01), like=ROWS)


def description(reference: str = "small/1", left_out: tuple[str, ...] = ()) -> dict[str, object]:
    return {"record": reference, "digest": "d", "left_out": list(left_out)}


@pytest.fixture
def log(tmp_path: Path, model: CompiledPipeline) -> Iterator[LogWriter]:
    writer = LogWriter(tmp_path / "small" / "1", model.row, OUTPUTS_OF, description())
    yield writer
    writer.close()


def rows_as_dicts(count: int) -> list[dict[str, object]]:
    return ROWS.head(count).to_dict("records")  # type: ignore[return-value]


def test_rows_and_answers_come_back_with_their_bits(log: LogWriter, model: CompiledPipeline, tmp_path: Path) -> None:
    for number, row in enumerate(rows_as_dicts(3)):
        log.add(f"r{number}", [row], model.predict_table([row]))
    log.add("many", rows_as_dicts(4), model.predict_table(rows_as_dicts(4)))
    log.close()
    (found,) = logs_in(tmp_path)
    table = pa.concat_tables(found.tables())
    assert table[ID].to_pylist() == ["r0", "r1", "r2", "many/0", "many/1", "many/2", "many/3"]
    assert [row["a"] for row in table[ROW].to_pylist()] == [*ROWS["a"].head(3), *ROWS["a"].head(4)]
    expected = model.predict(ROWS.head(4))
    assert [each["prediction"] for each in table[OUTPUTS].to_pylist()] == [*expected[:3], *expected]
    _, line = find_answer(tmp_path, "many/2")
    assert line["outputs"]["prediction"] == expected[2]
    with pytest.raises(InputError, match="found no answer 'many/9'"):
        find_answer(tmp_path, "many/9")


def test_a_repetition_has_the_same_bits_and_another_record_is_told_apart(
    log: LogWriter, model: CompiledPipeline, other: CompiledPipeline, tmp_path: Path
) -> None:
    log.add("x", rows_as_dicts(50), model.predict_table(ROWS))
    log.close()
    (found,) = logs_in(tmp_path)
    same = replay(found, model)
    assert (same.rows, same.differing, same.refused) == (50, 0, 0)
    different = replay(found, other)
    expected = np.abs(other.predict(ROWS) - model.predict(ROWS))
    assert different.differing == np.count_nonzero(other.predict(ROWS) != model.predict(ROWS)) > 40
    assert different.quantiles["100%"] == expected.max()
    assert different.first[0][0] == "x/0"


def test_one_changed_bit_of_a_logged_answer_is_found(log: LogWriter, model: CompiledPipeline, tmp_path: Path) -> None:
    answers = model.predict(ROWS)
    answers[7] = np.nextafter(answers[7], np.inf)
    log.add("x", rows_as_dicts(50), pa.table({"prediction": answers}))
    log.close()
    result = replay(logs_in(tmp_path)[0], model)
    assert result.differing == 1
    assert result.first[0][0] == "x/7"


def test_labels_that_change_are_counted_by_pair(tmp_path: Path) -> None:
    labels = np.where(ROWS["a"] > 0, "yes", "no")
    first, second = (
        compile_pipeline(LogisticRegression().fit(ROWS[["a"]], made), like=ROWS[["a"]])
        for made in (labels, np.where(ROWS["a"] > 1, "yes", "no"))
    )
    writer = LogWriter(tmp_path, first.row, LABELS_OF, description())
    writer.add("x", ROWS[["a"]].to_dict("records"), first.predict_table(ROWS))
    writer.close()
    result = replay(logs_in(tmp_path)[0], second)
    changed = int((first.predict(ROWS) != second.predict(ROWS)).sum())
    assert result.pairs == {("yes", "no"): changed}
    assert changed > 3


def test_refused_rows_are_counted_and_the_others_compared(
    log: LogWriter, model: CompiledPipeline, tmp_path: Path
) -> None:
    log.add("x", rows_as_dicts(50), model.predict_table(ROWS))
    log.close()
    like = ROWS.assign(a=ROWS["a"].clip(lower=0.0))
    row = model.row
    from dataclasses import replace

    bounded = replace(row, columns=(replace(row.columns[0], ge=0.0), row.columns[1]))
    strict = CompiledPipeline(model.plan, bounded)
    result = replay(logs_in(tmp_path)[0], strict)
    assert (result.rows, result.differing) == (50, 0)
    assert result.refused == int((ROWS["a"] < 0).sum()) > 0
    assert len(like) == 50


def test_a_log_without_sensitive_columns_is_not_repeated(tmp_path: Path, model: CompiledPipeline) -> None:
    kept = model.row.keep({"b"})
    writer = LogWriter(tmp_path, kept, OUTPUTS_OF, description(left_out=("a",)))
    writer.add("x", rows_as_dicts(2), model.predict_table(rows_as_dicts(2)))
    writer.close()
    (found,) = logs_in(tmp_path)
    assert pa.concat_tables(found.tables())[ROW].to_pylist() == [{"b": 0}, {"b": 1}]
    with pytest.raises(InputError, match="sensitive columns a are left out"):
        replay(found, model)


KILLED = """
import sys, time, pathlib
import pyarrow as pa
from pipeline_lib.answers import log_writer
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.column import Column
log_writer._SECONDS = 0.001
row = RowSchema((Column("a", "number"), Column("text", "string")))
outputs = pa.schema([("prediction", pa.float64())])
facts = {"record": "small/1", "digest": "d", "left_out": []}
writer = log_writer.LogWriter(pathlib.Path(sys.argv[1]), row, outputs, facts)
number = 0
while True:
    rows = [{"a": float(number + each), "text": "x" * 2000} for each in range(20)]
    writer.add(f"{number}", rows, pa.table({"prediction": [row["a"] for row in rows]}))
    number += 20
    print(number, flush=True)
    time.sleep(0.0005)
"""


def test_after_a_kill_every_whole_batch_is_read_and_the_next_process_tidies_up(tmp_path: Path) -> None:
    for delay in (0.0, 0.01, 0.03):
        folder = tmp_path / str(delay)
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        (found,) = logs_in(folder)
        values = [row["a"] for table in found.tables() for row in table[ROW].to_pylist()]
        assert values == [float(number) for number in range(len(values))]
        assert len(values) > 0
        assert [path.suffix for path in found.files()] == [OPEN]
        LogWriter(folder, found.row, OUTPUTS_OF, description()).close()
        assert [path.suffix for path in found.files()] == [FULL]
        assert [row["a"] for table in found.tables() for row in table[ROW].to_pylist()] == values


@pytest.mark.parametrize("cut", [1, 7, 100, 333])
def test_a_stream_that_was_cut_off_is_read_to_its_last_whole_batch(
    log: LogWriter, model: CompiledPipeline, tmp_path: Path, cut: int
) -> None:
    for number in range(3):
        log.add(f"r{number}", rows_as_dicts(5), model.predict_table(rows_as_dicts(5)))
        log.flush()
    (path,) = (tmp_path / "small" / "1").glob(f"*{OPEN}")
    content = path.read_bytes()
    part = tmp_path / f"cut{OPEN}"
    part.write_bytes(content[:-cut])
    assert sum(batch.num_rows for batch in whole_batches(part)) == 10
    part.write_bytes(content)
    assert sum(batch.num_rows for batch in whole_batches(part)) == 15


def test_files_rotate_and_the_oldest_go(tmp_path: Path, model: CompiledPipeline) -> None:
    writer = LogWriter(tmp_path, model.row, OUTPUTS_OF, description(), Limits(file_bytes=1, total_bytes=8_000))
    for number in range(12):
        writer.add(f"r{number}", rows_as_dicts(5), model.predict_table(rows_as_dicts(5)))
        writer.flush()
        writer._rotate()
    writer.close()
    files = sorted(tmp_path.glob(f"*{FULL}"))
    assert 1 < len(files) < 12
    assert sum(path.stat().st_size for path in files) <= 8_000 + 4_000
    last = pa.concat_tables(logs_in(tmp_path)[0].tables())[ID].to_pylist()[-1]
    assert last == "r11/4"


def test_days_of_keeping(tmp_path: Path, model: CompiledPipeline) -> None:
    writer = LogWriter(tmp_path, model.row, OUTPUTS_OF, description())
    writer.add("old", rows_as_dicts(1), model.predict_table(rows_as_dicts(1)))
    writer.close()
    (old,) = tmp_path.glob(f"*{FULL}")
    os.utime(old, (time.time() - 40 * 86_400,) * 2)
    LogWriter(tmp_path, model.row, OUTPUTS_OF, description(), Limits(days=30)).close()
    assert not old.exists()


def test_a_full_disk_drops_answers_and_raises_nothing(
    tmp_path: Path, model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline_lib.answers import log_writer

    writer = LogWriter(tmp_path, model.row, OUTPUTS_OF, description())
    answers = model.predict_table(rows_as_dicts(5))
    writer.add("before", rows_as_dicts(5), answers)
    writer.flush()

    def full(self: object, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(log_writer._OpenFile, "_put", full)
        writer.add("lost", rows_as_dicts(5), answers)
        writer.flush()
    assert writer.dropped == 5
    writer._failed = 0.0
    writer.add("after", rows_as_dicts(5), answers)
    writer.flush()
    writer.close()
    ids = pa.concat_tables(logs_in(tmp_path)[0].tables())[ID].to_pylist()
    assert {each.partition("/")[0] for each in ids} == {"before", "after"}


def test_a_queue_that_is_full_drops_and_counts(
    tmp_path: Path, model: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline_lib.answers import log_writer

    monkeypatch.setattr(log_writer, "_MOST_WAITING", 7)
    monkeypatch.setattr(log_writer.LogWriter, "_work", lambda self: None)
    writer = LogWriter(tmp_path, model.row, OUTPUTS_OF, description())
    for _ in range(3):
        writer.add("x", rows_as_dicts(5), model.predict_table(rows_as_dicts(5)))
    assert writer.dropped == 10


def test_a_shadow_counts_what_it_would_say_otherwise(model: CompiledPipeline, other: CompiledPipeline) -> None:
    told: list[tuple[int, int, int]] = []
    shadow = Shadow(other, lambda *counts: told.append(counts))
    shadow.add("x", rows_as_dicts(50), model.predict_table(ROWS))
    shadow.add("y", [{"a": "text"}], model.predict_table(rows_as_dicts(1)))
    for _ in range(200):
        if len(told) == 2:
            break
        time.sleep(0.02)
    shadow.close()
    differing = int(np.count_nonzero(other.predict(ROWS) != model.predict(ROWS)))
    assert told == [(50, differing, 0), (1, 0, 1)]
    assert shadow.result.to_json()["differing"] == differing


def test_a_folder_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no log, expected the folder that `serve --log` names"):
        logs_in(tmp_path)


def test_rows_that_a_shadow_is_too_busy_for_are_told(
    model: CompiledPipeline, other: CompiledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline_lib.answers import shadow as module

    monkeypatch.setattr(module, "_MOST_WAITING", 7)
    monkeypatch.setattr(module.Shadow, "_work", lambda self: None)
    dropped: list[int] = []
    shadow = Shadow(other, lambda *counts: None, dropped.append)
    for _ in range(3):
        shadow.add("x", rows_as_dicts(5), model.predict_table(rows_as_dicts(5)))
    assert dropped == [5, 5]
