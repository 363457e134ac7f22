"""Two promotions at once: git leaves both in the pointer, between conflict markers. A message says whose they are.

Git merges line by line: a line that only one side has changed is outside the markers. So the two versions are read from
git's index, which has them whole until the conflict is resolved.
"""

import re
from pathlib import Path

from pipeline_lib.project.git import ask_git

_OURS, _BASE, _MIDDLE, _THEIRS = (re.compile(rf"\{mark}{{7}}( .*)?$") for mark in "<|=>")


def conflict(text: str, shown: str, root: Path) -> str | None:
    """What to say about a pointer in which git has merged two promotions; None for one without conflict markers."""
    sides = _sides(text)
    if sides is None:
        return None
    stages = [ask_git(root, "show", f":{stage}:./{shown}") for stage in (2, 3)]
    unmerged = None not in stages
    whole = [stage.decode(errors="replace") for stage in stages if stage is not None]
    first, second = (_described(side) for side in (whole if unmerged else sides))
    keep = (
        f"`git checkout --ours {shown}` keeps the first, `git checkout --theirs {shown}` the second, then "
        f"`git add {shown}` and commit"
        if unmerged
        else "keep the lines of one in the file, without the markers, and commit it"
    )
    return (
        f"{shown}: found two promotions that git has merged, expected one:\n  {first}\n  {second}\n"
        f"agree on one of them: {keep}"
    )


def _sides(text: str) -> tuple[str, str] | None:
    """The two versions in a text with conflict markers; None without them."""
    sides: tuple[list[str], list[str]] = ([], [])
    inside: tuple[list[str], ...] = sides
    marked = False
    for line in text.splitlines():
        if _OURS.match(line):
            inside, marked = (sides[0],), True
        elif marked and _BASE.match(line):
            inside = ()
        elif marked and _MIDDLE.match(line):
            inside = (sides[1],)
        elif marked and _THEIRS.match(line):
            inside = sides
        else:
            for side in inside:
                side.append(line)
    return ("\n".join(sides[0]), "\n".join(sides[1])) if marked else None


def _described(side: str) -> str:
    """Record, person, time and reason of one version, as far as they can be read."""
    values = dict(re.findall(r"^(reference|by|since|reason): (.*)$", side, re.MULTILINE))
    known = {name: values.get(name, f"unknown {name}") for name in ("reference", "by", "since", "reason")}
    return "{reference} by {by}, {since}: {reason}".format_map(known)
