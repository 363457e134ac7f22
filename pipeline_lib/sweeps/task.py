"""What goes between a pool and a worker process: a task and its result. JSON at the border of the process only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One member's run: its parameters, the records folder, and the digests that it must find unchanged.

    `parity` asks for a parity check of the record; `sweep` is the name that the record keeps; `timeout` is in seconds
    per cell. `parameters` are all those of the run, as `params.json` has them: a finished run that had them is
    returned. Paths are text, as the worker may be on another machine.
    """

    params_file: str
    overrides: tuple[str, ...]
    runs: str
    library: str
    sources: str
    packages: str
    sweep: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    parity: bool = False
    force: bool = False
    timeout: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The task as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Task":
        """Read what `to_json` returned."""
        return cls(**{**values, "overrides": tuple(values["overrides"])})


@dataclass(frozen=True)
class TaskResult:
    """The record and metrics of a task, or the error that ended it; both where the record is a failed one.

    `folder` is the record's path (its reference, while the record is in a store); `parity` is None where it was not
    checked; `cached` is True where a finished run was returned, `cache_miss` says why none was.
    """

    folder: str | None = None
    metrics: Mapping[str, float] | None = None
    parity: bool | None = None
    error: str | None = None
    cached: bool = False
    cache_miss: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TaskResult":
        """Read what `to_json` returned."""
        return cls(**values)
