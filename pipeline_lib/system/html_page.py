"""HTML pages with one look: reports, parity, sweeps, the index of all pipelines, fragments in notebooks.

A page has a question or a subject as its title, a summary box first, then its body, and technical tables folded at
the end. It works offline: no scripts, and a policy that forbids every request. Text is escaped where it enters a page;
`Markup` is HTML already and enters as it is.
"""

import base64
import html
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pipeline_lib.system.files import write_atomic

Kind = Literal["", "good", "bad", "warn", "quiet"]
"""How a box or a row of a table is coloured."""
_WIDE = 720  # pixels; one panel is narrower
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light; --ink: #1d2129; --soft: #5b6472; --line: #d9dee5; --wash: #f5f7f9;
        --good: #2c7a3f; --bad: #b3261e; --warn: #b06a00; }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1.25rem; color: var(--ink); line-height: 1.55;
       font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 .6rem; }
h1 { margin-top: 0; font-size: 1.6rem; }
a { color: #0b57a4; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .92rem; display: block; overflow-x: auto; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.good > :first-child, tr.bad > :first-child, tr.warn > :first-child, tr.quiet > :first-child { padding-left: .6rem; }
tr.good > :first-child { border-left: .25rem solid var(--good); }
tr.bad > :first-child { border-left: .25rem solid var(--bad); }
tr.warn > :first-child { border-left: .25rem solid var(--warn); }
tr.quiet > :first-child { border-left: .25rem solid var(--line); }
tr.bad { background: #fdf0ef; }
.summary { background: var(--wash); border: 1px solid var(--line); border-left-width: .3rem; border-radius: .3rem;
           padding: .7rem 1.1rem; margin: 1rem 0 1.6rem; }
.summary p { margin: .2rem 0; }
.summary p:first-child { font-weight: 600; }
.summary.good { border-left-color: var(--good); }
.summary.bad { border-left-color: var(--bad); }
.summary.warn { border-left-color: var(--warn); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: .4rem 0; font-size: .92rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 1rem 0; border-top: 1px solid var(--line); padding-top: .5rem; }
details > summary { cursor: pointer; font-weight: 600; }
small { display: block; color: var(--soft); }
pre { background: var(--wash); padding: .7rem .9rem; overflow-x: auto; font-size: .85rem; white-space: pre-wrap; }
code { background: var(--wash); font-size: .9em; padding: 0 .2em; }
pre code { padding: 0; }
h1 code, h2 code, h3 code { background: none; font-size: 1em; padding: 0; }
img { max-width: 100%; height: auto; }
.output { overflow-x: auto; }
.contents ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .92rem; }
.error { color: var(--bad); }
.worse { color: var(--warn); font-weight: 600; }
.stderr { border-left: .25rem solid var(--warn); }
@media (max-width: 40rem) {
  body { margin: 1rem auto; padding: 0 .9rem; }
  h1 { font-size: 1.35rem; }
  img.wide { max-width: 150%; }
  dl { grid-template-columns: fit-content(40%) 1fr; gap: .15rem .8rem; }
}
@media print {
  body { margin: 0; max-width: none; padding: 0; font-size: 10pt; }
  table { display: table; font-size: 8pt; }
  .output { overflow: visible; }
  .number { white-space: nowrap; }
  tr, img, pre, .summary, p:has(+ p > img) { break-inside: avoid; }
  h1, h2, h3, section:has(+ .output > img), p:has(+ p > img) { break-after: avoid; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""


class Markup(str):
    """HTML; any other text is escaped where it enters a page."""

    __slots__ = ()


def joined(*content: object) -> Markup:
    """Parts side by side, each escaped unless it is `Markup`.

    >>> joined("a < b", Markup("<hr>"))
    'a &lt; b<hr>'
    """
    return Markup("".join(part if isinstance(part, Markup) else html.escape(str(part)) for part in content))


def element(tag: str, *content: object, **attributes: str) -> Markup:
    """One HTML element; `class_` is its class, and empty attributes are left out.

    >>> element("td", "<1", class_="number")
    '<td class="number">&lt;1</td>'
    """
    shown = "".join(f' {name.rstrip("_")}="{html.escape(value)}"' for name, value in attributes.items() if value)
    return Markup(f"<{tag}{shown}>{joined(*content)}</{tag}>")


def summary_box(
    *lines: object, facts: Iterable[tuple[object, object]] = (), kind: Kind = "", figures: object = ""
) -> Markup:
    """The box at the head of a page: lines, the first one bold, a table of `figures`, facts as label and value."""
    pairs = [joined(element("dt", label), element("dd", value)) for label, value in facts]
    paragraphs = (element("p", line) for line in lines)
    facts_list = element("dl", *pairs) if pairs else ""
    return element("section", *paragraphs, figures, facts_list, class_=f"summary {kind}".rstrip())


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    kinds: Iterable[Kind] = (),
) -> Markup:
    """A table; columns named in `numbers` are aligned to the right, and `kinds` has a colour for each row."""
    sides = ["number" if name in numbers else "" for name in head] or itertools.repeat("")
    titles = [element("th", name, class_=side) for name, side in zip(head, sides, strict=False)]
    lines = []
    for cells, kind in zip(rows, itertools.chain(kinds, itertools.repeat("")), strict=False):
        filled = (element("td", cell, class_=side) for cell, side in zip(cells, sides, strict=False))
        lines.append(element("tr", *filled, class_=kind))
    heading = element("thead", element("tr", *titles)) if titles else ""
    return element("table", heading, element("tbody", *lines))


def folded(title: object, *content: object) -> Markup:
    """A section that is closed until the reader opens it; open in print."""
    return element("details", element("summary", title), *content)


def bullets(items: Iterable[object], *, numbered: bool = False) -> Markup:
    """A list, numbered where its order matters."""
    return element("ol" if numbered else "ul", *(element("li", item) for item in items))


def image(png: bytes, alt: str) -> Markup:
    """A PNG image inside the page."""
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    kind = ' class="wide"' if is_wide(png) else ""
    return Markup(f'<p><img alt="{html.escape(alt)}"{kind} src="{source}"></p>')


def is_wide(png: bytes) -> bool:
    """Whether an image is so wide that a phone shows it larger than its screen, to be moved from side to side."""
    return int.from_bytes(png[16:20], "big") > _WIDE


def page(title: str, *content: object) -> str:
    """A whole page; `title` is its heading and the name of its tab."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{element('title', title)}\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{element('h1', title)}\n{joined(*content)}\n</body>\n</html>\n"
    )


def write_page(path: Path, title: str, *content: object) -> None:
    """Write a page in one step, so that no reader sees half of it."""
    write_atomic(path, page(title, *content).encode())
