"""Production repeats the research run of NAME, bit for bit."""

from pathlib import Path

from pipeline_lib.pytest_plugin import RunResearch, assert_parity

ROOT = Path(__file__).resolve().parents[2]


def test_production_repeats_the_record(run_research: RunResearch) -> None:
    assert_parity(run_research(ROOT / "PARAMS" / "NAME.yml"), library="LIBRARY")
