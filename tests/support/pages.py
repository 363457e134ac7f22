"""The project's pages, and their parts: links, code spans, code blocks."""

import re
from pathlib import Path

from example import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(page: Path) -> str:
    """A page's text."""
    return page.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return [body for name, body in _BLOCK.findall(text) if name == language]


def spans(text: str) -> list[str]:
    """The code spans outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text))


def links(text: str) -> list[str]:
    """The targets of links outside of fenced blocks."""
    return re.findall(r"\]\(([^)\s]+)\)", _BLOCK.sub("", text))


def anchors(text: str) -> set[str]:
    """What headings are called in links, as GitHub makes it of them."""
    headings = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def console(text: str) -> list[tuple[str, list[str]]]:
    """Commands of the console blocks, each with the lines of output that are shown for it; `\\` continues a command."""
    shown: list[tuple[str, list[str]]] = []
    for body in blocks(text, "console"):
        for line in re.sub(r" \\\n +", " ", body).splitlines():
            if line.startswith("$ "):
                shown.append((line[2:], []))
            else:
                shown[-1][1].append(line)
    return shown
