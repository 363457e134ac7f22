"""Production repeats the research run of NAME, bit for bit."""

from pathlib import Path

from pipeline_lib import check_parity, run_pipeline

ROOT = Path(__file__).resolve().parents[2]


def test_production_repeats_the_record(tmp_path: Path) -> None:
    record = run_pipeline(ROOT / "PARAMS" / "NAME.yml", runs=tmp_path)
    parity = check_parity(record, library="LIBRARY")
    assert parity.exact, str(parity)
