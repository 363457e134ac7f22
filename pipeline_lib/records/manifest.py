"""The content of a run's manifest: how the run was started, what ran, when, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipeline_lib.records.metric_direction import Metric


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    `cell` is the number of the cell that failed, counted from 1 in the research notebook; `cell_id` and `source`
    belong to it. `traceback` is plain text.
    """

    message: str
    cell: int | None = None
    cell_id: str = ""
    source: str = ""
    traceback: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values, without the cell or the traceback where there is none."""
        cell = {} if self.cell is None else {"cell": self.cell, "cell_id": self.cell_id, "source": self.source}
        return {"message": self.message, **cell} | ({} if self.traceback is None else {"traceback": self.traceback})


@dataclass(frozen=True)
class Invocation:
    """How a run was started; `sensitive` are the sensitive fields of its raw rows.

    `resumed_from` is the reference of the run that this one repeats, `sweep` the name of the sweep it is a member of,
    `metric` the pipeline module's METRIC, `retrained` the date of the retraining that made it.
    """

    parameters_file: str
    overrides: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    resumed_from: str | None = None
    sweep: str | None = None
    metric: Metric | None = None
    retrained: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values, without `resumed_from`, `sweep`, `metric` and `retrained` where they are None."""
        metric = self.metric.to_json() if self.metric else None
        optional = {"resumed_from": self.resumed_from, "sweep": self.sweep, "metric": metric}
        optional |= {"retrained": self.retrained}
        return {
            "mode": "run",
            "parameters_file": self.parameters_file,
            "overrides": list(self.overrides),
            "sensitive": list(self.sensitive),
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True)
class Git:
    """The checked-out commit, whether tracked files differ from it, and the names of untracked files."""

    commit: str
    changed: bool
    untracked: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"commit": self.commit, "changed": self.changed, "untracked": list(self.untracked)}


@dataclass(frozen=True)
class Provenance:
    """What ran: the commit (None outside git), and digests of notebook, library and parameters."""

    git: Git | None
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Times:
    """When a run began (UTC), and how many seconds it took; None while it runs."""

    started: datetime
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values. The end is computed, since the clock may have been set back during the run."""
        started = self.started.isoformat(timespec="seconds")
        if self.seconds is None:
            return {"started": started, "seconds": 0.0}
        finished = (self.started + timedelta(seconds=self.seconds)).isoformat(timespec="seconds")
        return {"started": started, "finished": finished, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class RunManifest:
    """A run's manifest before its seal, which adds format, files and digest.

    `results` are digests of raw input, artifact and outputs, None for those that the run did not reach; `snapshots`
    describe what queries and addresses returned; `scores` are value and baseline, as `RunScores.to_json` has them.
    `peak_memory` is the kernel's largest resident memory in bytes, None where the system does not say.
    """

    reference: str
    invocation: Invocation
    times: Times
    provenance: Provenance | None = None
    results: Mapping[str, str | None] = field(default_factory=dict)
    failure: Failure | None = None
    snapshots: tuple[Mapping[str, Any], ...] = ()
    scores: Mapping[str, Any] = field(default_factory=dict)
    peak_memory: int | None = None

    @property
    def status(self) -> str:
        """`running`, `finished` or `failed`."""
        if self.times.seconds is None:
            return "running"
        return "failed" if self.failure else "finished"

    def to_json(self) -> dict[str, Any]:
        """JSON values; `git` once it is known, `error` once the run has ended."""
        hashes = self.provenance.hashes if self.provenance else {}
        content = {
            "status": self.status,
            "reference": self.reference,
            **self.invocation.to_json(),
            "times": self.times.to_json(),
            "hashes": {**hashes, **self.results},
        }
        if self.provenance:
            content["git"] = self.provenance.git.to_json() if self.provenance.git else None
        if self.peak_memory is not None:
            content["peak_memory"] = self.peak_memory
        if self.snapshots:
            content["snapshots"] = [dict(snapshot) for snapshot in self.snapshots]
        content |= {name: score for name, score in self.scores.items() if score is not None}
        if self.status != "running":
            content["error"] = self.failure.to_json() if self.failure else None
        return content
