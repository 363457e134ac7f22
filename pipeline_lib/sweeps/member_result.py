"""The result of one member of a sweep."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
