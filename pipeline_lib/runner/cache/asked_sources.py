"""What this process has asked for by `sql` and `fetch`: sources that may answer otherwise at any time."""

_asked: list[str] = []


def note_asked(act: str) -> None:
    """Remember an act such as "queried warehouse"."""
    _asked.append(act)


def asked_since(count: int = 0) -> list[str]:
    """What was asked for after the first `count` times, each act once."""
    return list(dict.fromkeys(_asked[count:]))


def asked_count() -> int:
    """How often something was asked for so far."""
    return len(_asked)
