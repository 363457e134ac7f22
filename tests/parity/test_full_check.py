"""A stored parity result says whether every variation of `--full` was checked, in one check or in several."""

import json
from pathlib import Path

import pytest
from tiny import small_record

from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.result import FRESH
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import checks_folder


def test_a_result_is_full_once_all_variations_were_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = small_record(tmp_path)
    monkeypatch.setattr("pipeline_lib.parity.check.FULL", (FRESH, "one row", "hash seed"))
    full = []
    for names in ([FRESH], ["one row"], ["hash seed"], [FRESH]):
        check_parity(record, variations=names)
        full.append(json.loads((checks_folder(record) / PARITY).read_bytes())["full"])
    assert full == [False, False, True, True]
