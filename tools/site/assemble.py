"""Puts the site's pages together in one folder: those of docs/, and those that are generated."""

import re
import shutil
from pathlib import Path

from tools.site import api_page, command_pages, refusals_page
from tools.site.gallery import pictures, write_gallery
from tools.site.navigation import add_navigation

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_OUTSIDE = {name: ROOT / f"{name.upper()}.md" for name in ("changelog", "contributing", "security")}
"""Pages that lie beside docs/, by their names in the site."""
_GENERATED = {
    "[all of them](commands.md#error-codes)": "[all of them](refusals.md)",
    "Without a code it lists all codes.": "All codes: [error messages](refusals.md).",
    "[error codes](commands.md#error-codes) tells more": "[error messages](refusals.md) lists them",
    "- Reference: [commands](commands.md), [operations](operations.md)": (
        "- Reference: [command line](command-line.md), [Python](api.md), [operations](operations.md), "
        "[error messages](refusals.md)"
    ),
}
"""Links to pages that the site alone has, in place of what the pages of the checkout say."""


def assemble(folder: Path, *, gallery: bool = True) -> None:
    """Write all pages of the site into the folder, which is emptied first; runs for the gallery stay beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(DOCS.glob("*.md")):
        write(folder / path.name, path.read_text(encoding="utf-8"))
    for name, path in _OUTSIDE.items():
        if path.is_file():
            write(folder / f"{name}.md", path.read_text(encoding="utf-8"))
    write(folder / "command-line.md", command_pages.page())
    write(folder / "api.md", api_page.page())
    write(folder / "refusals.md", refusals_page.page())
    if gallery:
        exhibits = write_gallery(folder / "gallery", folder.parent / "runs")
        index = folder / "index.md"
        shown = f"\n## The shipped notebooks\n\n{pictures(exhibits, 'gallery/')}"
        index.write_text(index.read_text(encoding="utf-8") + shown, encoding="utf-8")
    add_navigation(folder)


def write(path: Path, text: str) -> None:
    """Write a page, its links as the site has them."""
    path.write_text(site_links(text), encoding="utf-8")


def site_links(text: str) -> str:
    """Links between pages of the checkout as links between pages of the site; those to other files as their names."""
    for here, there in _GENERATED.items():
        text = text.replace(here, there)
    text = re.sub(r"\]\((?:\.\./)?docs/", "](", text)
    text = re.sub(
        r"\]\((?:\.\./)?(CHANGELOG|CONTRIBUTING|SECURITY)\.md", lambda match: f"]({match[1].lower()}.md", text
    )
    return re.sub(r"\[([^\]]+)\]\((?!\w+:)[^)#\s]*/[^)]*\)", r"\1", text)
