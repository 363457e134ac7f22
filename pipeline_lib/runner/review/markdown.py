"""Markdown for a comment: every text from elsewhere is escaped, and the whole is kept below a size."""

import re
from collections.abc import Iterable, Sequence

LIMIT = 60_000
"""Characters of a review; a comment on GitHub may have 65,536."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@&:$]|^[-+]|(?<=^\d)[.)])")
_BAR = re.compile(r"(?<!\\)\|")
_RUN = re.compile(r"`+")
_CUT = "\n\n*{} left out: a comment has room for {:,} characters.*\n"


def printable(text: str) -> str:
    """A text whose control and direction characters are escapes; line ends and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def escape(text: str) -> str:
    r"""A line of text that Markdown shows as it is: no markup, link, mention or HTML.

    >>> print(escape("<b>@anna</b> *x*"))
    \<b\>\@anna\</b\> \*x\*
    """
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))


def code(text: str, *, most: int = 200) -> str:
    """A code span with one line of text, cut after `most` characters."""
    line = " ".join(printable(text).split())
    line = line if len(line) <= most else f"{line[:most]}…"
    ticks = "`" * (max((len(run) for run in _RUN.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fenced(lines: Sequence[str], language: str = "diff") -> str:
    """A block of code, in a fence that no line of it ends."""
    text = "\n".join(printable(line) for line in lines)
    ticks = "`" * max(3, max((len(run) for run in _RUN.findall(text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *([_BAR.sub(r"\\|", cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list of lines that are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def within_limit(blocks: Sequence[str], limit: int = LIMIT) -> str:
    """Blocks of Markdown as one text of at most `limit` characters; those that do not fit are left out and counted.

    >>> print(within_limit(["one", "two", "x" * 99], limit=90))
    one
    <BLANKLINE>
    two
    <BLANKLINE>
    *1 part left out: a comment has room for 90 characters.*
    <BLANKLINE>
    """
    room = limit - len(_CUT.format("9,999,999 parts", limit))
    kept: list[str] = []
    size = 0
    for block in blocks:
        if size + len(block) + 2 > room:
            break
        kept.append(block)
        size += len(block) + 2
    text = "\n\n".join(kept)
    left = len(blocks) - len(kept)
    if not left:
        return f"{text}\n"
    return text + _CUT.format(f"{left:,} part{'s' if left > 1 else ''}", limit)
