"""Processes that are killed, interrupted, or run out of disk: no half output, and the same command goes on."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scored
from command_line import exit_code
from example import ROOT
from matrices import slow_sample

from pipeline_lib.records.record import Record

ROWS = [scored.row(code=f"c{number}", size=number / 7) for number in range(3000)]


def start(record: Record, given: Path, output: Path, *options: object, **more: Any) -> "subprocess.Popen[str]":
    """The command in a process of its own, at its first part where `given` has many."""
    words = ["predict", record.folder, given, output, *options]
    program = [sys.executable, "-m", "pipeline_lib", *map(str, words)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(program, cwd=ROOT, text=True, **streams, **more)  # noqa: S603 (this library's own program)


def wait_for(parts: Path, count: int, process: "subprocess.Popen[str]") -> None:
    """Return when so many parts are kept, or the process has ended."""
    deadline = time.monotonic() + 60
    while process.poll() is None and not (parts / f"{count:08d}.arrow").exists():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def kill_often(record: Record, folder: Path, seed: int, suffix: str) -> tuple[int, bytes, list[str]]:
    """How many of the commands were killed before one was done; the output, and what is left in its folder."""
    given = scored.write_rows(folder / "rows.csv", ROWS)
    output, random, killed = folder / f"out.{suffix}", np.random.default_rng(seed), 0
    parts = folder / f".{output.name}.scoring" / "parts"
    options = ["--block-rows", 20, "--quiet"]
    for _ in range(40):
        process = start(record, given, output, *options)
        kept = len(list(parts.glob("0*.arrow"))) if parts.is_dir() else 0
        wait_for(parts, kept + int(random.integers(5, 60)), process)
        time.sleep(float(random.random()) * 0.01)
        process.kill()
        process.communicate()
        if process.returncode == 0:
            break
        killed += 1
        assert not output.exists() or len(scored.read_back(output)) == len(ROWS)
    scored.done(record, given, output, *options)
    return killed, output.read_bytes(), sorted(path.name for path in folder.iterdir())


def test_a_command_that_is_killed_often_leaves_the_bytes_of_one_that_is_not(
    echo_record: Record, tmp_path: Path
) -> None:
    scored.done(echo_record, scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "whole.csv")
    whole = (tmp_path / "whole.csv").read_bytes()
    killed, content, names = kill_often(echo_record, tmp_path, 0, "csv")
    assert killed >= 1
    assert content == whole
    assert names == ["out.csv", "rows.csv", "whole.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "csv.gz"])
@pytest.mark.parametrize("seed", slow_sample(range(1, 6), 3))
def test_many_kills(echo_record: Record, tmp_path: Path, seed: int, suffix: str) -> None:
    other = tmp_path / "other"
    given = scored.write_rows(other / "rows.csv", ROWS)
    scored.done(echo_record, given, other / f"whole.{suffix}", "--block-rows", 20)
    killed, content, names = kill_often(echo_record, tmp_path, seed, suffix)
    assert killed >= 1
    assert content == (other / f"whole.{suffix}").read_bytes()
    assert names == ["other", f"out.{suffix}", "rows.csv"]


def test_ctrl_c_says_how_to_go_on(echo_record: Record, tmp_path: Path) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv"
    process = start(echo_record, given, output, "--block-rows", 10)
    wait_for(tmp_path / ".out.csv.scoring" / "parts", 5, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "finished blocks are kept: run the same command to continue, or add --again" in said
    assert "Traceback" not in said
    assert not output.exists()
    assert "were there from before" in scored.done(echo_record, given, output, "--block-rows", 10)


def _no_big_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))


def failed(process: "subprocess.Popen[str]") -> str:
    said, error = process.communicate()
    assert process.returncode == 3, said + error
    assert "Traceback" not in error
    return error


def test_a_full_disk_is_said_and_the_command_goes_on_when_it_is_not(echo_record: Record, tmp_path: Path) -> None:
    given, output = scored.write_rows(tmp_path / "rows.csv", ROWS), tmp_path / "out.csv"
    options = ["--block-rows", 100]
    assert "File too large" in failed(start(echo_record, given, output, *options, preexec_fn=_no_big_files))
    assert not output.exists()
    assert "3,000 rows (3,000 were there from before)" in scored.done(echo_record, given, output, *options)


@pytest.mark.parametrize("folder", ["/sys", "/proc"])
def test_a_folder_that_takes_no_file_is_said(
    echo_record: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: str,
) -> None:
    given = scored.write_rows(tmp_path / "rows.csv", ROWS[:3])
    assert exit_code(monkeypatch, "predict", echo_record.folder, given, f"{folder}/out.csv") == 3
    error = capsys.readouterr().err
    assert f"{folder}/.out.csv.scoring" in error
    assert "expected files and folders that can be read and written" in error
    assert "Traceback" not in error
