"""The report that people read: the executed notebook without its code, in one offline page."""

import re
from pathlib import Path
from typing import Any

from pipeline_lib.files import write_atomic
from pipeline_lib.record import ENVIRONMENT, PARAMETERS, Record

TEMPLATES = Path(__file__).parent / "templates"
_DROPPED = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
_ATTRIBUTES = {
    "*": ["class", "id", "title"],
    "a": ["href"],
    "img": ["src", "alt"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}  # fmt: skip


def write_report(record: Record, manifest: dict[str, Any]) -> None:
    """Render the record's executed notebook to `report.html`: no code, no scripts, no request to anywhere."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        sanitize_html=True,
        exclude_anchor_links=True,  # an empty one would turn what follows it into a link
    )
    exporter.register_filter("clean_html", clean_html)
    notebook = nbformat.read(record.notebook, as_version=4)
    run = {
        "reference": record.reference,
        "status": manifest["status"],
        "error": (manifest.get("error") or {}).get("message"),
        "facts": _facts(record, manifest),
    }
    page, _ = exporter.from_notebook_node(notebook, resources={"run": run})
    write_atomic(record.report, page.encode())


def clean_html(element: str) -> str:
    """HTML with harmless tags only; styles and scripts go with their content."""
    import bleach

    cleaned: str = bleach.clean(
        _DROPPED.sub("", str(element)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols=["http", "https", "mailto", "data"],
        strip=True,
    )
    return cleaned


def _facts(record: Record, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What the page says at its head about the run."""
    environment = record.read_json(ENVIRONMENT) or {}
    python = environment.get("python", {}).get("version", "not reached")
    packages = environment.get("packages", {})
    versions = ", ".join(f"{name} {packages[name]}" for name in _NAMED if name in packages)
    git = manifest.get("git") or {}
    commit = f"{git.get('commit', 'none')[:12]}{' with uncommitted changes' if git.get('changed') else ''}"
    return [
        ("run", record.reference),
        ("status", str(manifest["status"])),
        ("started", str(manifest["times"]["started"])),
        ("took", f"{manifest['times']['seconds']:.1f} s"),
        ("parameters", str(manifest["parameters_file"])),
        *((f"  {key}", str(value)) for key, value in (record.read_json(PARAMETERS) or {}).items()),
        ("git commit", commit),
        ("python", f"{python}{'; ' if versions else ''}{versions}"),
        ("artifact", f"sha256 {str(manifest['hashes'].get('artifact'))[:16]}"),
        ("to repeat", f"pipeline-lib parity {record.reference}"),
    ]


_NAMED = ("numpy", "pandas", "scikit-learn", "feature-engine", "scipy", "nb-pipeline-lib")
