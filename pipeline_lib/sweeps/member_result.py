"""The results of a sweep: of one member, and of all of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_lib.records.metric_direction import Direction
from pipeline_lib.sweeps.members import Member


@dataclass(frozen=True)
class MemberResult:
    """One member's record and metrics, or the error that ended it.

    `known` means that a finished run was returned; `parity` is None where it was not checked; `error` is None where
    the member finished.
    """

    member: Member
    reference: str | None
    folder: Path | None
    metrics: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    parity: bool | None = None
    known: bool = False
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "number": self.member.number,
            "values": dict(self.member.values),
            "reference": self.reference,
            "folder": str(self.folder) if self.folder else None,
            "metrics": self.metrics,
            "error": self.error,
            "parity": self.parity,
            "known": self.known,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class SweepResults:
    """The results of a sweep, best first where a metric was named, and the page that shows them.

    `requested` counts the members of the request; `interrupted` is True when the sweep ended before all of them had
    run: the same call continues it.
    """

    name: str
    pipeline: str
    results: tuple[MemberResult, ...]
    metric: str | None
    direction: Direction | None
    page: Path
    requested: int
    interrupted: bool = False

    @property
    def finished(self) -> list[MemberResult]:
        """The members that finished, best first."""
        return [result for result in self.results if result.error is None]

    @property
    def failed(self) -> list[MemberResult]:
        """The members that failed."""
        return [result for result in self.results if result.error is not None]

    @property
    def best(self) -> MemberResult | None:
        """The finished member with the best metric; None without a metric."""
        return self.finished[0] if self.metric and self.finished else None
