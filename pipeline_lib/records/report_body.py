"""The body of a report: the executed notebook as a page needs it, with its headings and the warnings of libraries."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.system.html_page import Markup, bullets, element, folded, is_wide, joined

RUN_PARAMETERS = "run-parameters"
"""The class of what a notebook shows of its parameters; a report has them once, in a table of its own."""
_RUN_PARAMETERS = re.compile(rf'<div class="{RUN_PARAMETERS}">.*?</div>', re.DOTALL)
_HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)
_NO_WORD = re.compile(r"[^a-z0-9]+")
_TAG, _MARKDOWN, _LINK = (
    re.compile(r"<[^>]+>"),
    re.compile(r"[*`#]+|(?<!\w)_+|_+(?!\w)"),
    re.compile(r"\[([^\]]*)\]\([^)]*\)"),
)
_PLACE = re.compile(r"(?:/[^\s:/]+)+/(?=[^\s:/]+)")  # the folders of a path: where a machine keeps a file says nothing
_SENTENCE = re.compile(r"(.+?[.:!?])(\s|$)", re.DOTALL)
_COMPILED = re.compile(r'\s*<section class="summary \w*">\s*<p>(compiled: .*?)</p>', re.DOTALL)
_CONCLUSION = re.compile(r"\s*#+\s*conclusions?\s*(?:\n|$)", re.IGNORECASE)
_INVITATION = "Say here"  # how drafts ask their author for a sentence
_LONGEST_ALT = 160
_LONGEST_SHORT = 700  # characters of a conclusion at the head of a page
_FEWEST_HEADINGS = 3
"""Headings from which on a page has a list of them."""


@dataclass(frozen=True)
class Warnings:
    """What libraries wrote to stderr, each line once, without the folders of paths."""

    lines: tuple[str, ...]

    def html(self) -> Markup:
        """Folded; nothing without any."""
        if not self.lines:
            return Markup()
        return folded(f"Warnings of libraries ({len(self.lines)})", bullets(self.lines))


def prepare(cells: list[Any]) -> Warnings:
    """Change a notebook's cells for a page: warnings go, parameters are shown elsewhere, plots get a text.

    The text of a plot is what its output says (`display(figure, metadata={"image/png": {"alt": TEXT}})`), else the
    sentence before it.
    """
    lines: dict[str, None] = {}
    before = ""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            before = "".join(cell["source"])
            continue
        kept = []
        for output in cell.get("outputs", ()):
            if output["output_type"] == "stream" and output.get("name") == "stderr":
                lines |= dict.fromkeys(_lines("".join(output["text"])))
                continue
            if _prepare_data(output, before):
                kept.append(output)
        if "outputs" in cell:
            cell["outputs"] = kept
    return Warnings(tuple(lines))


def _lines(text: str) -> list[str]:
    return [_PLACE.sub("", line.strip()) for line in text.splitlines() if line.strip()]


def _prepare_data(output: Any, before: str) -> bool:
    """Change an output for the page; whether anything of it is left to show."""
    data = output.get("data")
    if not data:
        return True
    if "text/html" in data:
        html = _RUN_PARAMETERS.sub("", "".join(data["text/html"]))
        if not html.strip():
            return False
        compiled = _COMPILED.match(html)
        data["text/html"] = folded(Markup(compiled[1]), Markup(html)) if compiled else html
    if "image/png" in data:
        own = (output.get("metadata") or {}).get("image/png") or {}
        wide = {"kind": "wide"} if is_wide(base64.b64decode("".join(data["image/png"]))) else {}
        output["metadata"] = {"alt": str(own.get("alt") or alt_text(before)), **wide}
    return True


def in_short(cells: Sequence[Any]) -> list[str]:
    """The first paragraphs of a notebook's conclusion as plain text: of its prose, or of the Markdown that it shows."""
    places = [
        number
        for number, cell in enumerate(cells)
        if cell["cell_type"] == "markdown" and _CONCLUSION.match("".join(cell["source"]))
    ]
    if not places:
        return []
    own = _CONCLUSION.sub("", "".join(cells[places[-1]]["source"]), count=1)
    shown = (
        "".join(output["data"].get("text/markdown", ""))
        for cell in cells[places[-1] + 1 :]
        for output in cell.get("outputs", ())
        if "data" in output
    )
    paragraphs = [plain for text in (own, *shown) for part in text.split("\n\n") if (plain := plain_text(part))]
    found: list[str] = []
    for paragraph in paragraphs:
        if paragraph.startswith((_INVITATION, "- ")) or sum(map(len, [*found, paragraph])) > _LONGEST_SHORT:
            break
        found.append(paragraph)
    return found


def plain_text(markdown: str) -> str:
    """Markdown without its marks, in one line."""
    return " ".join(_MARKDOWN.sub("", _LINK.sub(r"\1", markdown)).split())


def alt_text(prose: str) -> str:
    """The first sentence of some Markdown as plain text, for the plot that follows it.

    >>> alt_text("**Predicted against actual.** Points on the line are right.")
    'Plot: Predicted against actual.'
    """
    text = plain_text(prose)
    match = _SENTENCE.match(text)
    first = match[1] if match else text
    return f"Plot: {first[:_LONGEST_ALT]}" if first else "Plot"


def with_contents(body: str, more: list[tuple[str, str]]) -> tuple[Markup, Markup]:
    """Links to the headings of a body and to `more` (anchor and title), nothing for few; and the body with anchors."""
    found: dict[str, str] = {}

    def anchored(match: re.Match[str]) -> str:
        title = _TAG.sub("", match[1]).strip()
        anchor = _NO_WORD.sub("-", title.lower()).strip("-") or "part"
        while anchor in found or any(anchor == each for each, _ in more):
            anchor += "-2"
        found[anchor] = title
        return f'<h2 id="{anchor}">{match[1]}</h2>'

    changed = Markup(_HEADING.sub(anchored, body))
    links = [element("a", Markup(title), href=f"#{anchor}") for anchor, title in [*found.items(), *more]]
    if len(links) < _FEWEST_HEADINGS:
        return Markup(), changed
    items = joined(*(element("li", link) for link in links))
    return element("nav", element("ul", items), class_="contents"), changed
