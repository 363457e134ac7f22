"""Something that only the author can decide."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """What was found in a cell, of what kind, and what was done for now."""

    cell: int
    kind: str
    text: str


def first_line(text: str) -> str:
    """The first line of code of a statement, as messages show it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    first = (lines or [text])[0].strip()
    return f"{first[:80]}…" if len(first) > 80 or len(lines) > 1 else first
