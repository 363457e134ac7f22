"""METRIC of a pipeline: refused before a kernel starts where it is wrong, and kept in the manifest of a run."""

import pytest
from example import HOUSES

from pipeline_lib.errors import InputError
from pipeline_lib.records.manifest import Invocation
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import Record
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.runner.run import describe_invocation


def test_the_manifest_of_a_run_has_the_metric_of_its_pipeline() -> None:
    invocation = describe_invocation(check_request(HOUSES.with_name("titanic.yml"), exported=True))
    assert invocation.to_json()["metric"] == {"name": "log_loss", "direction": "minimize"}
    assert "metric" not in Invocation("params/houses.yml").to_json()


def test_the_record_of_a_run_has_it(houses_record: Record) -> None:
    assert houses_record.manifest()["metric"] == {"name": "rmse_log", "direction": "minimize"}


def test_a_wrong_metric_is_refused_before_a_kernel_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> Metric:
        raise InputError("METRIC: found 'lift', which `metrics` does not return")

    monkeypatch.setattr("pipeline_lib.runner.preflight.declared_metric", refuse)
    with pytest.raises(InputError, match="METRIC: found 'lift'"):
        check_request(HOUSES, exported=True)
