"""The script that scores earlier records on other systems sees one bit that differs, and ends its server's workers."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tools import portable

RECORD = portable.RECORDS / "tiny" / "20261129T123837487-9fa751"


def test_predictions_of_another_bit_are_seen() -> None:
    values = pq.read_table(RECORD / "evidence" / "outputs.parquet")["prediction"].to_pylist()
    portable.check(RECORD, values)
    values[5] = float(np.nextafter(values[5], np.inf))
    with pytest.raises(SystemExit, match=r"found another prediction in row 5, expected the bits of the record"):
        portable.check(RECORD, values)


def test_a_record_is_scored_from_a_file(tmp_path: Path) -> None:
    assert portable.score(RECORD, tmp_path) == 40


@pytest.mark.slow
def test_a_record_is_served_and_the_server_ends(tmp_path: Path) -> None:
    assert portable.serve(RECORD, tmp_path) == 40
    end = time.monotonic() + 10
    while (left := working_in(tmp_path)) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []
    busy = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE)
    try:
        assert working_in(tmp_path) == [busy.pid]
    finally:
        busy.kill()
        busy.communicate()


def working_in(folder: Path) -> list[int]:
    """The processes whose folder it is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
