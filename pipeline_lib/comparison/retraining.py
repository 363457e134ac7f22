"""The result of a retraining: the answer, the branch that proposes the new record, and the exit code."""

from dataclasses import dataclass
from typing import Any

BETTER, NOT_WORSE, WORSE, CANNOT_TELL = 0, 10, 11, 12
"""Exit codes. Others are those of every command: 1 parity differs, 2 bad input, 3 the run failed."""


@dataclass(frozen=True)
class Retraining:
    """What a retraining of a date came to.

    `record` and `champion` are references. `branch` names the branch whose pointer names the record, None where there
    is none, since the record is not shown to be better or not worse, or is the champion itself. `known` is True where
    an earlier call had written it.
    """

    pipeline: str
    as_of: str
    record: str
    champion: str
    verdict: str
    not_worse: bool
    sentence: str
    branch: str | None
    known: bool = False

    @property
    def exit_code(self) -> int:
        """0 better, 10 not worse, 11 worse, 12 cannot tell."""
        if self.verdict == "better":
            return BETTER
        if self.not_worse or self.verdict == "no difference":
            return NOT_WORSE
        return WORSE if self.verdict == "worse" else CANNOT_TELL

    def to_json(self) -> dict[str, Any]:
        """JSON values, with the exit code."""
        return {**vars(self), "exit_code": self.exit_code}
