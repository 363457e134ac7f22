"""What a parity check sends to a fresh process, and what comes back; JSON between the processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DeliveryTask:
    """One variation to replay: `deliver` is its function as `module:name`, None for the edge rows."""

    name: str
    group: str
    what: str
    lossy: bool
    deliver: str | None


@dataclass(frozen=True)
class ReplayRequest:
    """The tasks for one fresh process: the record's folder, the package of its steps, the settings to prove.

    `trust` are other packages whose classes opaque steps may hold. `days` moves the process's clock (0 only lists what
    reads it); `result` is the file for the reply and `parent` the id of the process to end with.
    """

    record: str
    library: str
    tasks: tuple[DeliveryTask, ...]
    proof: tuple[str, ...] = ()
    days: int | None = None
    result: str = ""
    parent: int = 0
    trust: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ReplayRequest":
        """Read what `to_json` returned."""
        tasks = tuple(DeliveryTask(**task) for task in values["tasks"])
        lists = {name: tuple(values.get(name, ())) for name in ("proof", "trust")}
        return cls(**{**values, "tasks": tasks, **lists})


@dataclass(frozen=True)
class ReplayReply:
    """The outcome of each task as JSON values, the values of the settings to prove, and what read the clock.

    `environment` describes the process where an outcome is different.
    """

    outcomes: tuple[dict[str, Any], ...]
    proof: dict[str, Any]
    readers: tuple[str, ...]
    environment: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The reply as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ReplayReply":
        """Read what `to_json` returned."""
        return cls(**{**values, "outcomes": tuple(values["outcomes"]), "readers": tuple(values["readers"])})
