r"""Regular expressions whose classes of characters are frozen: the same matches on every Python.

What `\w`, `\d`, `\s` and `\b` match grows with each Python's Unicode tables. A frozen pattern has sets of the
characters in their place, which the plan holds:

    \w        [0-9A-Za-z_...]               \b    (?:(?<=[...])(?![...])|(?<![...])(?=[...]))
    [\w'-]    [0-9A-Za-z_...'-]             \W    [^0-9A-Za-z_...]

Everything else of `re` means the same everywhere. What does not is not taken: flags that ignore case, and `\B`, which
Pythons read in two ways.
"""

import re
import sys
from collections.abc import Mapping, Sequence

Ranges = Sequence[Sequence[int]]  # first and last code points, ascending
_OPENERS = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<", "(?P=")


def character_class(ranges: Ranges) -> str:
    """Ranges of code points as a character class of `re`, independent of the running Python's Unicode tables."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def frozen_pattern(pattern: str, classes: Mapping[str, Ranges]) -> str:
    r"""The pattern with the characters of `classes`, by `w`, `d` and `s`, in place of `\w`, `\d` and `\s`.

    Raises ValueError, with the part that has no frozen form, for another pattern than those described above.
    """
    result, position, in_set = [], 0, False
    pattern = pattern.removeprefix("(?u)")
    while position < len(pattern):
        part = _next_part(pattern, position, in_set=in_set)
        result.append(_frozen(part, classes, in_set=in_set))
        if part[0] == "[" and not in_set:
            in_set = True
        elif part == "]":
            in_set = False
        position += len(part)
    return "".join(result)


def needed_classes(pattern: str) -> set[str]:
    r"""Which of `w`, `d` and `s` a pattern needs."""
    found = set(re.findall(r"\\([wWdDsSbB])", pattern))
    return {char.lower() for char in found - {"b", "B"}} | ({"w"} if found & {"b", "B"} else set())


def _next_part(pattern: str, position: int, *, in_set: bool) -> str:
    """An escape, the opening of a set or group, or a single character."""
    char = pattern[position]
    if char == "\\":
        return pattern[position : position + 2]
    if char == "[" and not in_set:  # a bracket that closes at once is a member
        match = re.match(r"\[\^?\]?", pattern[position:])
        return match[0] if match else char
    if char == "(" and not in_set and pattern[position + 1 : position + 2] == "?":
        known = next((opener for opener in _OPENERS if pattern.startswith(opener, position)), None)
        if known is None:
            raise ValueError(pattern[position : position + 4])
        return known
    return char


def _frozen(part: str, classes: Mapping[str, Ranges], *, in_set: bool) -> str:
    if part[0] != "\\":
        return part
    letter = part[1:]
    if letter in ("w", "d", "s"):
        members = character_class(classes[letter])
        return members if in_set else f"[{members}]"
    if letter in ("W", "D", "S"):
        known = classes[letter.lower()]
        return character_class(_others(known)) if in_set else f"[^{character_class(known)}]"
    if letter == "b" and not in_set:
        word = f"[{character_class(classes['w'])}]"
        return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
    if letter == "B" and not in_set:
        raise ValueError(part)
    return part


def _others(ranges: Ranges) -> Ranges:
    """All other code points."""
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), sys.maxunicode]
    return [[first, last] for first, last in zip(starts, ends, strict=True) if first <= last]
