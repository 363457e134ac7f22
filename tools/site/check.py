"""Checks the built site: every link inside it leads somewhere, and nothing is loaded from another host."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
"""Elements whose attribute a browser loads by itself; and `link`, unless it only names a page."""
_PAGES = {"canonical", "next", "prev", "index", "search", "author", "copyright", "top", "up", "contents"}
_STYLE_URL = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


@dataclass
class Page(HTMLParser):
    """What a page has: names that links may lead to, links, what a browser loads, and images without a text."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        text = self.path.read_text(encoding="utf-8")
        self.feed(text)
        self.loaded += [first or second for first, second in _STYLE_URL.findall(text)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("href"):
            (self.links if values.get("rel") in _PAGES else self.loaded).append(values["href"])
        if values.get(_LOADED.get(tag, "")):
            self.loaded.append(values[_LOADED[tag]])
        if tag == "img" and not values.get("alt"):
            self.silent.append(values.get("src", ""))


def problems(html: Path) -> list[str]:
    """What is wrong in the pages and styles of a folder: dead links, foreign hosts, images without a text."""
    pages = {path: Page(path) for path in sorted(html.rglob("*.html"))}
    found = [problem for page in pages.values() for problem in _of_page(page, pages)]
    for style in sorted(html.rglob("*.css")):
        urls = _STYLE_URL.findall(style.read_text(encoding="utf-8"))
        found += [f"{style.relative_to(html)}: loads {first or second}" for first, second in urls]
    return found


def _of_page(page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for url in page.loaded:
        if url.startswith(("http:", "https:", "//")):
            yield f"{page.path.name}: loads {url}"
        elif not url.startswith(("data:", "#")) and not (page.path.parent / unquote(urlsplit(url).path)).is_file():
            yield f"{page.path.name}: loads {url}, which is not there"
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
        there = pages.get(target)
        if not target.is_file() or (there and parts.fragment and unquote(parts.fragment) not in there.anchors):
            yield f"{page.path.name}: dead link {link}"
    for source in page.silent:
        yield f"{page.path.name}: an image without a text, {source}"
