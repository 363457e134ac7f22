"""Who judges a comparison: the challenger's pipeline module, whose `metrics` and `value` are those of every side."""

import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from pipeline_lib.errors import InputError
from pipeline_lib.project.params import params_from_values
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import PARAMETERS
from pipeline_lib.records.metric_direction import Metric, declared_metric, direction_of
from pipeline_lib.records.record import Record
from pipeline_lib.runner.value import unit_of, value_of

Array = np.ndarray[Any, Any]
_OTHER_ROWS = "let it answer for such rows, or compare on other rows: --on FILE"


@dataclass(frozen=True)
class Judge:
    """A pipeline module with the parameters of a run. `metric` is its METRIC, None where it exports none."""

    module: ModuleType
    params: Any
    metric: Metric | None

    def metrics(
        self, target: Any, predictions: Array, probabilities: Array | None, advice: str = ""
    ) -> dict[str, float]:
        """What the module's `metrics` says; empty where it needs probabilities that there are not.

        Raises InputError where it fails; `advice` then says what is wrong with the rows, and what to do.
        """
        options = {}
        if "probabilities" in inspect.signature(self.module.metrics).parameters:
            if probabilities is None:
                return {}
            options["probabilities"] = probabilities
        try:
            computed = self.module.metrics(target, predictions, self.params, **options)
        except Exception as error:  # the project's own code, on rows that it was not written for
            text = " ".join(str(error).split())[:300]
            raise InputError(
                f"metrics of {self.module.__name__}: found {type(error).__name__} on {len(target):,} rows ({text}), "
                f"expected a number for each metric; {advice or _OTHER_ROWS}"
            ) from error
        return {str(name): float(value) for name, value in computed.items()}

    def value(self, target: Any, predictions: Array, rows: Any, probabilities: Array | None) -> Array | None:
        """The business value of each row; None where the module exports none."""
        return value_of(self.module, target, predictions, rows, self.params, probabilities)

    @property
    def unit(self) -> str:
        """The unit of the value; empty without one."""
        return unit_of(self.module) if hasattr(self.module, "value") else ""

    def decides(self, name: str) -> bool:
        """Whether a metric is that of METRIC."""
        return self.metric is not None and self.metric.name == name

    def direction(self, name: str) -> Any:
        """Which direction of a metric is better, None where neither METRIC nor its name says so."""
        return self.metric.direction if self.metric and self.decides(name) else direction_of(name)


def judge_of(record: Record, project: Project) -> Judge | str:
    """The module and parameters of a record; in words why they cannot be used."""
    try:
        module = project.import_pipeline(record.pipeline)
        params = params_from_values(record.read_json(PARAMETERS), module.Params, source=record.reference)
        return Judge(module, params, declared_metric(project, record.pipeline))
    except (InputError, AttributeError) as error:
        return f"metrics and value of the pipeline cannot be computed with the present code: {error}"
