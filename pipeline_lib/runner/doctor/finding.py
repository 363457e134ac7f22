"""What one check of the doctor found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline_lib.errors import PipelineLibError

Level = Literal["ok", "warn", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and unless it is ok what to do.

    A `problem` makes runs fail, or their results doubtful; a `warn` may.
    """

    subject: str
    level: Level
    text: str

    def __str__(self) -> str:
        first, *others = self.text.split("\n")
        return "\n".join([f"{self.level:<8} {self.subject:<12} {first}", *(f"{'':<22}{line}" for line in others)])


def findings(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check finds; an error of the check itself is a problem, too, and ends no other check."""
    try:
        yield from check()
    except ModuleNotFoundError as error:
        yield Finding(
            subject, "problem", f"found no package {error.name!r}, expected it for this check; run `make setup`"
        )
    except PipelineLibError as error:
        yield Finding(subject, "problem", str(error))
    except Exception as error:
        yield Finding(
            subject, "problem", f"found {type(error).__name__} in the check itself: {error}; please report it"
        )


def counted(subject: str, level: Level, lines: list[str], success: str) -> Iterator[Finding]:
    """One finding for a list of problems: the first ones, and how many more there are; `success` where it is empty."""
    if not lines:
        yield Finding(subject, "ok", success)
        return
    more = [f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else []
    yield Finding(subject, level, "\n".join([*lines[:_MOST], *more]))


_MOST = 5
"""Lines of one finding that are shown."""
