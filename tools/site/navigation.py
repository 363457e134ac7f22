"""The order of the site: ten pages by task with what belongs to each, then explanation, then reference.

A page that no list names comes last, so that none can be lost; tests/test_site.py asks for its place. Names of pages
that do not exist are left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

TASKS: Mapping[str, Sequence[str]] = {
    "from-csv": ("projects", "start", "new-pipeline", "from-notebook", "data"),
    "own-steps": (),
    "what-compiles": ("compiled",),
    "runs": ("sweeps",),
    "parity": (),
    "comparison": ("comparison-statistics", "value", "rules", "retraining"),
    "production": ("scoring", "serving", "watching", "live-traffic"),
    "sharing": ("packages",),
    "tables-and-time": (),
    "sensitive-data": (),
}
"""The ten pages by task, in order; each with the pages below it in the navigation."""
EXPLANATION: Mapping[str, Sequence[str]] = {
    "reproducibility": (),
    "design": ("contributing",),
    "faq": (),
    "coming-from": (
        "coming-from-papermill",
        "coming-from-nbdev",
        "coming-from-kedro",
        "coming-from-mlflow",
        "coming-from-skops",
        "coming-from-onnx",
        "coming-from-a-course",
    ),
    "recipes": (),
    "troubleshooting": (),
    "changelog": ("security", "data-licences"),
}
REFERENCE: Mapping[str, Sequence[str]] = {
    "commands": ("command-line",),
    "api": (),
    "operations": (),
    "refusals": (),
}
SECTIONS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "By task": TASKS,
    "Understand": EXPLANATION,
    "Reference": REFERENCE,
}


def toctree(pages: Sequence[str], caption: str = "") -> str:
    """A hidden table of contents, which puts pages into the navigation."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", "```{toctree}", *options, "", *pages, "```", ""])


def listed_pages() -> set[str]:
    """The names of all pages that have a place."""
    return {"index"} | {
        name for section in SECTIONS.values() for page, below in section.items() for name in (page, *below)
    }


def add_navigation(folder: Path) -> None:
    """Append the hidden tables of contents to the pages in the folder."""
    present = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md")}
    for caption, section in SECTIONS.items():
        first: list[str] = []
        for page, below in section.items():
            children = [child for child in below if child in present]
            if page in present and children:
                _append(folder / f"{page}.md", toctree(children))
            first += [page] if page in present else children
        _append(folder / "index.md", toctree(first, caption))
    if "gallery/index" in present:
        _append(folder / "index.md", toctree(["gallery/index"], "Gallery"))
    rest = [page for page in sorted(present - listed_pages()) if not page.startswith("gallery/")]
    if rest:
        _append(folder / "index.md", toctree(rest, "More"))


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
