"""How a run is started again, as arguments of the command."""

from pathlib import Path

from pipeline_lib.records.record import create_record
from pipeline_lib.records.run_command import run_arguments
from pipeline_lib.records.seal import seal


def test_the_arguments_are_those_of_the_run(tmp_path: Path) -> None:
    record = create_record(tmp_path / "runs", "boats")
    assert run_arguments(record) == "params/boats.yml", "nothing is known of a run without a manifest"
    seal(record, {"parameters_file": "params/boats.quick.yml", "overrides": ["a.b=1 2"]})
    assert run_arguments(record) == "params/boats.quick.yml --set 'a.b=1 2'"
