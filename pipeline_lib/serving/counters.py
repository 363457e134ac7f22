"""What is counted, for Prometheus; the counts of several workers are added up through files in a folder.

The package decides when it is imported whether it counts for several processes, so a worker imports this module after
the server has named the folder.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counters:
    """The counts of this worker."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._requests = Counter("pipeline_requests", "Answered requests", ["route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "pipeline_request_seconds",
            "From a request to its answer",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Counter("pipeline_rows", "Rows that were predicted", ["model", "version"], registry=self._registry)
        self._model = Gauge(
            "pipeline_model_loaded_timestamp_seconds",
            "When a model was loaded last",
            ["model", "version"],
            multiprocess_mode="max",
            registry=self._registry,
        )
        names = ["record", "shadow"]
        self._shadow_rows = Counter("pipeline_shadow_rows", "Rows asked of it", names, registry=self._registry)
        self._shadow_differing = Counter(
            "pipeline_shadow_differing", "Rows it would answer otherwise", names, registry=self._registry
        )
        self._shadow_refused = Counter("pipeline_shadow_refused", "Rows it refuses", names, registry=self._registry)
        self._shadow_dropped = Counter(
            "pipeline_shadow_dropped", "Rows it was too busy for", names, registry=self._registry
        )
        self._dropped = Counter(
            "pipeline_log_dropped", "Answers that the log could not take", ["model"], registry=self._registry
        )
        self._watched = Counter(
            "pipeline_watched_rows", "Rows that were compared with training", ["model"], registry=self._registry
        )
        self._unwatched = Counter(
            "pipeline_unwatched_rows", "Rows that there was no time to compare", ["model"], registry=self._registry
        )
        self._values = Counter(
            "pipeline_odd_values",
            "Values of watched rows that are missing, unseen, out_of_range or other_type",
            ["model", "column", "what"],
            registry=self._registry,
        )
        self._answered: dict[tuple[str, int], Any] = {}
        self._predicted: dict[tuple[str, str], Any] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        key = (route, status)
        if key not in self._answered:
            self._answered[key] = (self._requests.labels(route, str(status)), self._seconds.labels(route))
        count, histogram = self._answered[key]
        count.inc()
        histogram.observe(seconds)

    def rows(self, model: str, version: str, rows: int) -> None:
        """Count predicted rows."""
        key = (model, version)
        if key not in self._predicted:
            self._predicted[key] = self._rows.labels(model, version)
        self._predicted[key].inc(rows)

    def shadowed(self, record: str, shadow: str, rows: int, differing: int, refused: int) -> None:
        """Count what a second record was asked."""
        self._shadow_rows.labels(record, shadow).inc(rows)
        self._shadow_differing.labels(record, shadow).inc(differing)
        self._shadow_refused.labels(record, shadow).inc(refused)

    def watched(self, model: str, rows: int, left_out: int, values: Mapping[tuple[str, str], int]) -> None:
        """Count rows that were compared with training, and by column their values that training did not have."""
        self._watched.labels(model).inc(rows)
        self._unwatched.labels(model).inc(left_out)
        for (column, what), count in values.items():
            self._values.labels(model, column, what).inc(count)

    def shadow_dropped(self, record: str, shadow: str, rows: int) -> None:
        """Count rows that a second record was not asked."""
        self._shadow_dropped.labels(record, shadow).inc(rows)

    def dropped(self, model: str, rows: int) -> None:
        """Count answers that are not in the log."""
        self._dropped.labels(model).inc(rows)

    def loaded(self, model: str, version: str) -> None:
        """Note that a model answers from now on."""
        self._model.labels(model, version).set(time.time())

    def text(self) -> bytes:
        """All counts, of every worker, as Prometheus reads them."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
