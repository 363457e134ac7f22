"""Production repeats the research run of deliveries, bit for bit."""

from pathlib import Path

import pytest

from pipeline_lib import InputError
from pipeline_lib.pytest_plugin import RunResearch, assert_parity
from LIBRARY.predict import predictions

ROOT = Path(__file__).resolve().parents[2]


def test_production_repeats_the_record(run_research: RunResearch) -> None:
    assert_parity(run_research(ROOT / "params" / "deliveries.yml"), library="LIBRARY")


def test_rows_are_predicted_from_the_artifact(run_research: RunResearch) -> None:
    record = run_research(ROOT / "params" / "deliveries.yml")
    rows = (ROOT / "tests" / "data" / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()
    minutes = list(predictions(str(record.artifact), rows))
    assert len(minutes) == len(rows)
    assert all(0 < value < 300 for value in minutes)


@pytest.mark.parametrize(
    ("line", "found"),
    [("{", "line 2: found no JSON"), ("[1]", "line 2: found list"), ('{"stops": 1}', "line 2: found no distance_km")],
)
def test_a_row_that_does_not_fit_is_refused(run_research: RunResearch, line: str, found: str) -> None:
    record = run_research(ROOT / "params" / "deliveries.yml")
    with pytest.raises(InputError, match=found):
        list(predictions(str(record.artifact), ["", line]))
